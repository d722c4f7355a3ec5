//! What a signature is for. A signature in one namespace says nothing in another, so a namespace is a role.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a person's key may sign for, one namespace each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Namespace {
    /// Approves an unlock as the one who operates.
    #[serde(rename = "unlock-operator@agenttrader")]
    UnlockOperator,
    /// Approves an unlock as the one who reviews.
    #[serde(rename = "unlock-reviewer@agenttrader")]
    UnlockReviewer,
    /// Signs grants.
    #[serde(rename = "execution-grant@agenttrader")]
    ExecutionGrant,
    /// Lets a halted agent resume.
    #[serde(rename = "execution-resume@agenttrader")]
    ExecutionResume,
    /// Approves proposals.
    #[serde(rename = "proposal-approval@agenttrader")]
    ProposalApproval,
    /// Signs the first lock.
    #[serde(rename = "lock-genesis@agenttrader")]
    LockGenesis,
    /// Signs commits and tags.
    #[serde(rename = "git")]
    Git,
}

impl Namespace {
    /// Every namespace.
    pub const ALL: [Self; 7] = [
        Self::UnlockOperator,
        Self::UnlockReviewer,
        Self::ExecutionGrant,
        Self::ExecutionResume,
        Self::ProposalApproval,
        Self::LockGenesis,
        Self::Git,
    ];

    /// As it stands in signatures and in `allowed_signers`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnlockOperator => "unlock-operator@agenttrader",
            Self::UnlockReviewer => "unlock-reviewer@agenttrader",
            Self::ExecutionGrant => "execution-grant@agenttrader",
            Self::ExecutionResume => "execution-resume@agenttrader",
            Self::ProposalApproval => "proposal-approval@agenttrader",
            Self::LockGenesis => "lock-genesis@agenttrader",
            Self::Git => "git",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|namespace| namespace.as_str() == name)
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_namespace_reads_back_as_itself() {
        for namespace in Namespace::ALL {
            assert_eq!(Namespace::parse(namespace.as_str()), Some(namespace));
            assert_eq!(serde_json::to_string(&namespace).unwrap(), format!("\"{namespace}\""));
        }
        assert_eq!(Namespace::parse("Git"), None);
        assert_eq!(Namespace::parse(""), None);
    }
}
