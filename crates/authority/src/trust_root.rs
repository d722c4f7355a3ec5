//! The signers a build trusts.

use agenttrader_core::digest::Digest;

/// The signers compiled into a build. A draft repository has none, and so has its build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustRoot {
    signers: Vec<u8>,
}

impl TrustRoot {
    /// The root of a draft build: nobody.
    pub const fn draft() -> Self {
        Self { signers: Vec::new() }
    }

    /// Whether anybody is trusted.
    pub fn is_draft(&self) -> bool {
        self.signers.is_empty()
    }

    /// Digest of the signers' bytes, for a recording's head.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.signers)
    }
}
