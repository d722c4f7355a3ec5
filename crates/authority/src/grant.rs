//! Unlock grants: what people allow an execution agent to do, where and until when.

use crate::presented::{Presented, Unusable};
use crate::trust_root::TrustRoot;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use serde::{Deserialize, Serialize};

/// Most bytes of a grant that are read.
pub const GRANT_BYTES_MAX: usize = 256 * 1024;

/// How orders are executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExecutionMode {
    /// Hypothetically, in the shadow ledger.
    Shadow,
    /// At the simulator or a paper account.
    Paper,
    /// With money.
    Live,
}

/// What two people signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Execution modes allowed.
    pub modes: Vec<ExecutionMode>,
    /// Underlyings allowed.
    pub symbols: Vec<Symbol>,
    /// The commit of the build that is meant, 40 hex digits.
    pub git_commit: String,
    /// First instant of validity.
    pub not_before: UnixNanos,
    /// First instant after validity.
    pub not_after: UnixNanos,
    /// Until then reducing orders still pass.
    pub exit_until: Option<UnixNanos>,
}

/// Verifies a grant's bytes against the build's trust root.
pub fn grant(bytes: &[u8], root: &TrustRoot) -> Presented<Grant> {
    unverifiable(bytes.len(), GRANT_BYTES_MAX, root)
}

/// The answer for any presented file while no signer can be trusted: a root with signers does not exist yet, so no
/// path leads to [`Presented::Good`].
pub(crate) fn unverifiable<T>(size: usize, max: usize, root: &TrustRoot) -> Presented<T> {
    if size > max {
        return Presented::Unusable(Unusable::TooLarge { size, max });
    }
    debug_assert!(root.is_draft(), "only draft roots can be made");
    Presented::Unusable(Unusable::NoTrustedSigner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_build_trusts_nobody() {
        let root = TrustRoot::draft();
        assert_eq!(grant(b"{}", &root), Presented::Unusable(Unusable::NoTrustedSigner));
        let large = vec![b' '; GRANT_BYTES_MAX + 1];
        assert!(matches!(grant(&large, &root), Presented::Unusable(Unusable::TooLarge { .. })));
    }
}
