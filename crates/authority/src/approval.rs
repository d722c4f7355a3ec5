//! Approvals: a person's yes to one proposal.

use crate::grant::unverifiable;
use crate::presented::Presented;
use crate::trust_root::TrustRoot;
use agenttrader_core::digest::Digest;
use agenttrader_core::price::Price;
use agenttrader_core::time::UnixNanos;

/// Most bytes of an approval that are read.
pub const APPROVAL_BYTES_MAX: usize = 64 * 1024;

/// What a person signed about one proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Digest of the proposal.
    pub proposal_digest: Digest,
    /// Digest of the limits the person saw.
    pub limits_digest: Digest,
    /// The market's price when the person looked; further drift voids the approval.
    pub reference_price: Price,
    /// When the person signed.
    pub signed_at: UnixNanos,
    /// First instant after validity.
    pub expires_at: UnixNanos,
    /// The principals who signed, each once.
    pub approvers: Vec<String>,
}

/// Verifies an approval's bytes against the build's trust root.
pub fn approval(bytes: &[u8], root: &TrustRoot) -> Presented<Approval> {
    unverifiable(bytes.len(), APPROVAL_BYTES_MAX, root)
}
