//! Why an unlock is not completed: one word a cause.

use crate::git::error::GitError;
use crate::lock::people::PeopleError;
use agenttrader_authority::presented::Unusable;
use agenttrader_authority::quorum::QuorumError;
use agenttrader_authority::signers::SignerError;
use agenttrader_authority::unlock_approval::{CHANGE, UnlockRefused};
use agenttrader_core::error_chain::chain;
use serde::{Serialize, Serializer};
use std::fmt;

/// The cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Nobody asked.
    RequestMissing,
    /// The request is none, or another's.
    RequestMalformed,
    /// There is no evidence, or not all of it.
    EvidenceMissing,
    /// Nobody approved.
    ApprovalMissing,
    /// What was approved is no approval.
    ApprovalMalformed,
    /// The approval says something else than is so.
    ApprovalDiffers,
    /// The approval is of another unlock, or was given before another lock.
    Replayed,
    /// The commits that the approval names are not before the change.
    HistoryRewritten,
    /// Another line of development was merged in.
    HistoryMerged,
    /// Locked files changed before the evidence was there.
    ChangeBeforeEvidence,
    /// Locked files changed before enough people approved.
    ChangeBeforeApproval,
    /// Evidence, request or approval was changed after it was committed.
    Edited,
    /// Locked files changed in another way than was approved.
    ChangeDiffers,
    /// Locked files changed in more than one commit.
    SeveralChanges,
    /// The approved change is not made yet.
    NotApplied,
    /// The development commit is not in the repository.
    RevisionMissing,
    /// The change holds what no lock can.
    ChangeUnlockable,
    /// The commit that makes the change is not signed by its author.
    ChangeUnsigned,
    /// A signature does not count.
    SignatureInvalid,
    /// One person or one key stands for two.
    SignedTwice,
    /// An agent's name or key signed.
    AgentSigned,
    /// A reviewer made the change.
    SelfApproval,
    /// Not enough people.
    TooFewApprovers,
    /// A key in a file, where the lock asks for keys that are touched.
    KeyNotTouched,
    /// Valid later only.
    NotYetValid,
    /// Too old.
    Expired,
    /// The lock waives something else than was approved.
    WaiversDiffer,
    /// The lock has other terms than the one before.
    TermsDiffer,
    /// Who may sign cannot be read.
    PeopleUnreadable,
}

impl Reason {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::RequestMissing => "REQUEST_MISSING",
            Self::RequestMalformed => "REQUEST_MALFORMED",
            Self::EvidenceMissing => "EVIDENCE_MISSING",
            Self::ApprovalMissing => "APPROVAL_MISSING",
            Self::ApprovalMalformed => "APPROVAL_MALFORMED",
            Self::ApprovalDiffers => "APPROVAL_DIFFERS",
            Self::Replayed => "REPLAYED",
            Self::HistoryRewritten => "HISTORY_REWRITTEN",
            Self::HistoryMerged => "HISTORY_MERGED",
            Self::ChangeBeforeEvidence => "CHANGE_BEFORE_EVIDENCE",
            Self::ChangeBeforeApproval => "CHANGE_BEFORE_APPROVAL",
            Self::Edited => "EDITED",
            Self::ChangeDiffers => "CHANGE_DIFFERS",
            Self::SeveralChanges => "SEVERAL_CHANGES",
            Self::NotApplied => "NOT_APPLIED",
            Self::RevisionMissing => "REVISION_MISSING",
            Self::ChangeUnlockable => "CHANGE_UNLOCKABLE",
            Self::ChangeUnsigned => "CHANGE_UNSIGNED",
            Self::SignatureInvalid => "SIGNATURE_INVALID",
            Self::SignedTwice => "SIGNED_TWICE",
            Self::AgentSigned => "AGENT_SIGNED",
            Self::SelfApproval => "SELF_APPROVAL",
            Self::TooFewApprovers => "TOO_FEW_APPROVERS",
            Self::KeyNotTouched => "KEY_NOT_TOUCHED",
            Self::NotYetValid => "NOT_YET_VALID",
            Self::Expired => "EXPIRED",
            Self::WaiversDiffer => "WAIVERS_DIFFER",
            Self::TermsDiffer => "TERMS_DIFFER",
            Self::PeopleUnreadable => "PEOPLE_UNREADABLE",
        }
    }

    /// What people do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::RequestMissing | Self::RequestMalformed => "`agenttrader unlock open` writes the request",
            Self::EvidenceMissing => "`agenttrader unlock evidence` gathers it, before anybody approves",
            Self::ApprovalMissing | Self::TooFewApprovers => {
                "`agenttrader unlock approve`: an operator and a reviewer, or two reviewers where so much is asked"
            }
            Self::NotApplied => "`agenttrader unlock apply` makes the change that was approved",
            Self::RevisionMissing => "fetch the branch that holds the development commit",
            Self::ChangeUnlockable => "take out of the change what no lock can hold, and open the unlock anew",
            Self::ChangeUnsigned => "the change is made by `agenttrader unlock apply`, which signs it",
            Self::SelfApproval => "somebody who made no part of the change reviews it",
            Self::AgentSigned => "people approve, with keys that no agent has",
            Self::SignedTwice => "two people, each with a key of their own",
            Self::SignatureInvalid => {
                "sign with the key that ops/trust/allowed_signers of the lock before lists for you"
            }
            Self::KeyNotTouched => "sign with a security key: the lock asks for it",
            Self::NotYetValid => "wait until it is valid",
            Self::Expired => "make the reports and the evidence anew, and approve again",
            Self::WaiversDiffer => "`agenttrader lock generate` takes the waivers that were approved",
            Self::TermsDiffer => {
                "a later lock keeps the terms of the one before, but for the scope that its unlock asks for"
            }
            Self::PeopleUnreadable => "the lock before holds who may sign; restore it",
            Self::ApprovalMalformed
            | Self::ApprovalDiffers
            | Self::Replayed
            | Self::HistoryRewritten
            | Self::HistoryMerged
            | Self::ChangeBeforeEvidence
            | Self::ChangeBeforeApproval
            | Self::Edited
            | Self::ChangeDiffers
            | Self::SeveralChanges => {
                "begin again from the lock: open, evidence, approve, apply, with nothing in between"
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.word())
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The cause.
    pub reason: Reason,
    /// The file it is about.
    pub path: String,
    /// What was found.
    pub message: String,
}

/// Why judging ended before its end.
#[derive(Debug)]
pub enum Stop {
    /// It could not be judged.
    Git(GitError),
    /// It was, and is refused.
    Refused(Refused),
}

impl Refused {
    /// A refusal about a file.
    pub fn new(reason: Reason, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { reason, path: path.into(), message: message.into() }
    }

    /// Cause and message in one line.
    pub fn line(&self) -> String {
        format!("{}: {}", self.reason, self.message)
    }

    /// The refusal of an approval's signatures, at the file that holds it; `signers` are those beside it.
    pub fn of_approval(error: &UnlockRefused, path: &str, signers: &[&str]) -> Self {
        let reason = match error {
            UnlockRefused::Signature(Unusable::Signature {
                problem: SignerError::OtherPrincipal { found, .. },
                ..
            }) if signers.contains(&found.as_str()) => Reason::SignedTwice,
            UnlockRefused::Signature(_) | UnlockRefused::Quorum(QuorumError::NoRole { .. }) => Reason::SignatureInvalid,
            UnlockRefused::Statement(_)
            | UnlockRefused::Text(_)
            | UnlockRefused::Change(_)
            | UnlockRefused::Subjects
            | UnlockRefused::Never { .. } => Reason::ApprovalMalformed,
            UnlockRefused::Other { field: "unlock_id" | "base_commit" | "base_lock_sha256", .. } => Reason::Replayed,
            UnlockRefused::Other { field: "request_commit" | "evidence_commit", .. } => Reason::HistoryRewritten,
            UnlockRefused::Other { field: "manifest_sha256", .. } | UnlockRefused::Files => Reason::ChangeDiffers,
            UnlockRefused::Other { field, .. } if *field == CHANGE => Reason::ChangeDiffers,
            UnlockRefused::Other { .. } => Reason::ApprovalDiffers,
            UnlockRefused::Early { .. } => Reason::NotYetValid,
            UnlockRefused::Expired { .. } | UnlockRefused::Evidence { .. } => Reason::Expired,
            UnlockRefused::Agent(_) => Reason::AgentSigned,
            UnlockRefused::OwnChange(_) => Reason::SelfApproval,
            UnlockRefused::Quorum(QuorumError::Twice { .. }) => Reason::SignedTwice,
            UnlockRefused::Quorum(
                QuorumError::Operators { .. } | QuorumError::Reviewers { .. } | QuorumError::People { .. },
            ) => Reason::TooFewApprovers,
        };
        Self::new(reason, path, chain(error))
    }
}

impl From<GitError> for Stop {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<PeopleError> for Stop {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Git(error) => Self::Git(error),
            error => Refused::new(Reason::PeopleUnreadable, "ops/trust/allowed_signers", chain(&error)).into(),
        }
    }
}
