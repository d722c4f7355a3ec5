//! The people a commit trusts: its `ops/trust/`, read from its blobs.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::unlock::agent_keys::{KEYS_PATH, points_at};
use agenttrader_authority::namespace::Namespace;
use agenttrader_authority::signers::{AllowedSigners, SignersError};
use agenttrader_policy::yaml::node::Node;
use agenttrader_policy::yaml::read;
use std::collections::BTreeSet;

/// Who may sign.
pub const SIGNERS_PATH: &str = "ops/trust/allowed_signers";

/// Whose keys count no more.
pub const REVOKED_PATH: &str = "ops/trust/revoked_keys";

/// The agents, none of whom may sign as a person.
pub const AGENTS_PATH: &str = "configs/agents/agents.yaml";

/// A commit's people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People {
    /// Who may sign for what.
    pub signers: AllowedSigners,
    /// The agents' names.
    pub agents: BTreeSet<String>,
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
    #[error("{path} of commit {commit} cannot be read, so that agents cannot be told from people")]
    Agents {
        /// The file.
        path: &'static str,
        /// The commit.
        commit: Id,
    },
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
        let (agents, points) = (agents_at(repository, commit)?, points_at(repository, commit)?);
        for line in signers.lines() {
            let agent = agents.iter().find(|agent| agent.eq_ignore_ascii_case(&line.principal));
            let namespace = line.namespaces.iter().find(|namespace| **namespace != Namespace::Git);
            if let (Some(agent), Some(namespace)) = (agent, namespace) {
                return Err(PeopleError::Agent { agent: agent.clone(), namespace: *namespace });
            }
            // Under its own name an agent may sign commits.
            if agent.is_none() && points.contains(line.key.point()) {
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

/// The names of a commit's agents.
///
/// # Errors
/// [`PeopleError`] where they cannot be read.
pub fn agents_at(repository: &Repository, commit: Id) -> Result<BTreeSet<String>, PeopleError> {
    match repository.file_at(commit, AGENTS_PATH)? {
        Some(bytes) => agents(&bytes).ok_or(PeopleError::Agents { path: AGENTS_PATH, commit }),
        None => Ok(BTreeSet::new()),
    }
}

/// Every `agent_name` of the inventory.
fn agents(bytes: &[u8]) -> Option<BTreeSet<String>> {
    let read = read::read(AGENTS_PATH, bytes);
    if !read.findings.is_empty() {
        return None;
    }
    let mut names = BTreeSet::new();
    read.documents.iter().for_each(|node| gather(node, &mut names));
    Some(names)
}

fn gather(node: &Node, names: &mut BTreeSet<String>) {
    names.extend(node.get("agent_name").and_then(Node::text).map(str::to_owned));
    node.entries().iter().for_each(|(_, value)| gather(value, names));
    node.items().iter().for_each(|item| gather(item, names));
}
