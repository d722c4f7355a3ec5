//! Approvals: a person's yes to one proposal.

use crate::namespace::Namespace;
use crate::presented::{Presented, Unusable, Verified};
use crate::signed_file::{SignedFile, signed_by};
use crate::statement::{Predicate, Statement, Subject};
use crate::trust_root::TrustRoot;
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

/// Verifies an approval's file against the build's trust root. `at` is the time that signed files expire by: the keys must be good then.
///
/// Whether it binds *this* proposal, now, is the gate's to say.
pub fn approval(file: &SignedFile, root: &TrustRoot, at: UnixNanos) -> Presented<Approval> {
    Presented::of(file.bytes().and_then(|bytes| verify(bytes, file, root, at)), || None)
}

/// The proposal that a file claims to be about, as nobody's word: to find the file that is looked at.
pub fn claims(file: &SignedFile) -> Option<Digest> {
    let bytes = file.bytes().ok()?;
    Statement::<ApprovalPredicate>::read(bytes).ok()?.sha256(PROPOSAL)
}

fn verify(bytes: &[u8], file: &SignedFile, root: &TrustRoot, at: UnixNanos) -> Result<Verified<Approval>, Unusable> {
    let signed_by = signed_by(bytes, &file.signatures, &[Namespace::ProposalApproval], root.signers(), at)?;
    if signed_by.is_empty() {
        return Err(ApprovalError::Unsigned.into());
    }
    let statement = Statement::<ApprovalPredicate>::read(bytes)?;
    let Some(proposal_digest) = statement.sha256(PROPOSAL).filter(|_| statement.subject.len() == 1) else {
        return Err(ApprovalError::Subject.into());
    };
    let ApprovalPredicate { limits_digest, reference_price, signed_at, expires_at } = statement.predicate;
    if expires_at <= signed_at {
        return Err(ApprovalError::Never { signed_at, expires_at }.into());
    }
    let approvers = signed_by.iter().map(|by| by.principal().to_owned()).collect();
    let sha256 = Digest::of(bytes);
    Ok(Verified::of(Approval {
        sha256,
        proposal_digest,
        limits_digest,
        reference_price,
        signed_at,
        expires_at,
        approvers,
    }))
}
