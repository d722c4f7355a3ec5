//! The people a commit trusts: its `ops/trust/`, read from its blobs.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::lock::agents::{Agents, AgentsError, KEYS_PATH};
use agenttrader_authority::namespace::Namespace;
use agenttrader_authority::signers::{AllowedSigners, SignersError};
use std::collections::BTreeSet;

/// Who may sign.
pub const SIGNERS_PATH: &str = "ops/trust/allowed_signers";

/// Whose keys count no more.
pub const REVOKED_PATH: &str = "ops/trust/revoked_keys";

/// A commit's people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People {
    /// Who may sign for what.
    pub signers: AllowedSigners,
    /// The agents, none of whom may sign as a person.
    pub agents: Agents,
}

/// Why a commit's people cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// There is no file of signers.
    #[error("{SIGNERS_PATH} is not in commit {commit}")]
    Absent {
        /// The commit.
        commit: Id,
    },
    /// It is refused.
    #[error("{SIGNERS_PATH} of commit {commit} is refused")]
    Signers {
        /// The commit.
        commit: Id,
        /// Why.
        #[source]
        source: SignersError,
    },
    /// An agent stands where only a person may.
    #[error("{SIGNERS_PATH} lets the agent `{agent}` sign for `{namespace}`; an agent may sign commits alone")]
    Agent {
        /// The agent.
        agent: String,
        /// For what.
        namespace: Namespace,
    },
    /// An agent's key stands under a person's name.
    #[error(
        "{SIGNERS_PATH} lists under `{principal}` a key that {KEYS_PATH} lists as an agent's; people sign with keys that no agent has"
    )]
    AgentKey {
        /// The person.
        principal: String,
    },
    /// The agents cannot be told from people.
    #[error(transparent)]
    Agents(AgentsError),
}

impl From<AgentsError> for PeopleError {
    fn from(error: AgentsError) -> Self {
        match error {
            AgentsError::Git(error) => Self::Git(error),
            AgentsError::Unreadable { .. } => Self::Agents(error),
        }
    }
}

impl People {
    /// Those of a commit.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub fn at(repository: &Repository, commit: Id) -> Result<Self, PeopleError> {
        let allowed = repository.file_at(commit, SIGNERS_PATH)?.ok_or(PeopleError::Absent { commit })?;
        Self::with_signers(repository, commit, &allowed)
    }

    /// Those of a commit, were this its list of signers.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub fn with_signers(repository: &Repository, commit: Id, allowed: &[u8]) -> Result<Self, PeopleError> {
        let revoked = repository.file_at(commit, REVOKED_PATH)?.unwrap_or_default();
        let signers = AllowedSigners::parse(allowed, &revoked);
        let signers = signers.map_err(|source| PeopleError::Signers { commit, source })?;
        let agents = Agents::at(repository, &[commit])?;
        for line in signers.lines() {
            let agent = agents.names.iter().find(|agent| agent.eq_ignore_ascii_case(&line.principal));
            let namespace = line.namespaces.iter().find(|namespace| **namespace != Namespace::Git);
            if let (Some(agent), Some(namespace)) = (agent, namespace) {
                return Err(PeopleError::Agent { agent: agent.clone(), namespace: *namespace });
            }
            // Under its own name an agent may sign commits.
            if agent.is_none() && agents.have(&line.key) {
                return Err(PeopleError::AgentKey { principal: line.principal.clone() });
            }
        }
        Ok(Self { signers, agents })
    }

    /// Everybody who may sign for something, by name.
    pub fn who_may(&self, namespace: Namespace) -> BTreeSet<String> {
        let lines = self.signers.lines().iter().filter(|line| line.namespaces.contains(&namespace));
        lines.map(|line| line.principal.clone()).collect()
    }
}
