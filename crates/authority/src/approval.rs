//! Approvals: a person's yes to one proposal.

use crate::statement::{Predicate, Statement, Subject};
use agenttrader_core::digest::Digest;
use agenttrader_core::price::Price;
use agenttrader_core::time::UnixNanos;
use serde::{Deserialize, Serialize};

/// The subject that is the proposal.
pub const PROPOSAL: &str = "proposal";

/// What a person signs about one proposal, beside the proposal itself. A plain value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalPredicate {
    /// Digest of the limits the person saw.
    pub limits_digest: Digest,
    /// The market's price when the person looked; further drift voids the approval.
    pub reference_price: Price,
    /// When the person signed.
    pub signed_at: UnixNanos,
    /// First instant after validity.
    pub expires_at: UnixNanos,
}

impl Predicate for ApprovalPredicate {
    const TYPE: &'static str = "urn:agenttrader:proposal-approval:v1";
}

impl ApprovalPredicate {
    /// The statement that people sign.
    pub fn about(self, proposal_digest: Digest) -> Statement<Self> {
        Statement::new(vec![Subject::of_bytes(PROPOSAL, proposal_digest)], self)
    }
}

/// An approval that people signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Digest of its file: an approval is consumed once.
    pub sha256: Digest,
    /// Digest of the proposal.
    pub proposal_digest: Digest,
    /// See [`ApprovalPredicate::limits_digest`].
    pub limits_digest: Digest,
    /// See [`ApprovalPredicate::reference_price`].
    pub reference_price: Price,
    /// See [`ApprovalPredicate::signed_at`].
    pub signed_at: UnixNanos,
    /// See [`ApprovalPredicate::expires_at`].
    pub expires_at: UnixNanos,
    /// The principals who signed, each once.
    pub approvers: Vec<String>,
}

/// Why an approval approves nothing, whatever it is presented for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalError {
    /// Its subject is not one proposal.
    #[error("the approval's subject is not exactly one `{PROPOSAL}`")]
    Subject,
    /// It ends before it begins.
    #[error("the approval of {signed_at} expires at {expires_at}: it never binds")]
    Never {
        /// When it was signed.
        signed_at: UnixNanos,
        /// When it expires.
        expires_at: UnixNanos,
    },
    /// Nobody signed.
    #[error("nobody signed the approval")]
    Unsigned,
}
