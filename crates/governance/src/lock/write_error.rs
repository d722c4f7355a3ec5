//! Why a lock is not made, signed or tagged.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::lock::people::PeopleError;
use crate::lock::validate::JudgeError;
use crate::unlock::refused::{Reason, Refused, Stop};
use agenttrader_policy::finding::{Finding, Verdict};

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Git or disk.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Nothing could be judged.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// The people.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// It may not be done here and now.
    #[error("{what}")]
    Refused {
        /// What stands against it.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// Rules fail in the tree that would be locked.
    #[error(
        "{}: no lock can hold what commit {change} makes of the tree: {} of the findings in it are failures",
        Reason::ChangeUnlockable,
        failures(findings)
    )]
    Unlockable {
        /// The development commit.
        change: Id,
        /// The failures, and what is waived beside them.
        findings: Vec<Finding>,
    },
    /// Rules fail.
    #[error("{} of the lock's rules' findings are failures", findings.len())]
    Fails {
        /// The failures.
        findings: Vec<Finding>,
    },
}

fn failures(findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count()
}

impl WriteError {
    pub(crate) fn refused(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), remedy: remedy.into() }
    }
}

impl From<Stop> for WriteError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Git(error) => Self::Git(error),
            Stop::Refused(refused) => Self::refused(refused.line(), refused.reason.remedy()),
        }
    }
}

impl From<Refused> for WriteError {
    fn from(refused: Refused) -> Self {
        Stop::Refused(refused).into()
    }
}
