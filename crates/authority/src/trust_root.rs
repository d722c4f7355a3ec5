//! The signers a build trusts.

use crate::signers::{AllowedSigners, SignersError};
use agenttrader_core::digest::Digest;
use serde::{Deserialize, Serialize};

/// The signers compiled into a build. A draft repository has none, and so has its build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustRoot {
    text: SignersText,
    signers: AllowedSigners,
}

/// The two files a trust root is read from. A plain fact: a recording's head carries it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignersText {
    /// `ops/trust/allowed_signers`.
    pub allowed_signers: String,
    /// `ops/trust/revoked_keys`.
    pub revoked_keys: String,
}

impl TrustRoot {
    /// The root of a draft build: nobody.
    pub fn draft() -> Self {
        Self { text: SignersText::default(), signers: AllowedSigners::default() }
    }

    /// Reads the two files.
    ///
    /// # Errors
    /// [`SignersError`] for files that are not of the profile; nobody is trusted then.
    pub fn read(text: SignersText) -> Result<Self, SignersError> {
        let signers = AllowedSigners::parse(text.allowed_signers.as_bytes(), text.revoked_keys.as_bytes())?;
        Ok(Self { text, signers })
    }

    /// Whether nobody is trusted.
    pub fn is_draft(&self) -> bool {
        self.signers.is_nobody()
    }

    /// The people.
    pub const fn signers(&self) -> &AllowedSigners {
        &self.signers
    }

    /// The files it was read from.
    pub const fn text(&self) -> &SignersText {
        &self.text
    }

    /// Digest of the files' bytes, each with its length before it, for a recording's head.
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::new();
        for file in [&self.text.allowed_signers, &self.text.revoked_keys] {
            bytes.extend_from_slice(&u64::try_from(file.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend_from_slice(file.as_bytes());
        }
        Digest::of(&bytes)
    }
}
