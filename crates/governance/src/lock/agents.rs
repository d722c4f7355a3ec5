//! The agents that commits know of: names and keys that approve nothing.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use agenttrader_authority::ssh_key::PublicKey;
use agenttrader_core::canonical_json;
use agenttrader_policy::yaml::node::Node;
use agenttrader_policy::yaml::read;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeSet;

/// The inventory of agents.
pub const AGENTS_PATH: &str = "configs/agents/agents.yaml";

/// Where a cluster's agents' public keys stand.
pub const KEYS_PATH: &str = "configs/agents/keys.json";

/// Most bytes of it that are read.
const KEYS_BYTES_MOST: usize = 1024 * 1024;

/// Agents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agents {
    /// Their names.
    pub names: BTreeSet<String>,
    points: BTreeSet<[u8; 32]>,
}

/// Why agents cannot be told from people.
#[derive(Debug, thiserror::Error)]
pub enum AgentsError {
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file that names them is not what it should be.
    #[error("{path} of commit {commit} cannot be read, so that agents cannot be told from people")]
    Unreadable {
        /// The file.
        path: &'static str,
        /// The commit.
        commit: Id,
    },
}

impl Agents {
    /// Those of all these commits together.
    ///
    /// # Errors
    /// [`AgentsError`].
    pub fn at(repository: &Repository, commits: &[Id]) -> Result<Self, AgentsError> {
        let mut agents = Self::default();
        for commit in commits {
            let unreadable = |path| AgentsError::Unreadable { path, commit: *commit };
            if let Some(bytes) = repository.file_at(*commit, AGENTS_PATH)? {
                agents.names.extend(names(&bytes).ok_or_else(|| unreadable(AGENTS_PATH))?);
            }
            if let Some(bytes) = repository.file_at(*commit, KEYS_PATH)? {
                let value = canonical_json::parse_within(&bytes, KEYS_BYTES_MOST).map_err(|_| unreadable(KEYS_PATH))?;
                gather_points(&value, &mut agents.points);
            }
        }
        Ok(agents)
    }

    /// Whether an agent has a key.
    pub fn have(&self, key: &PublicKey) -> bool {
        self.points.contains(key.point())
    }
}

/// Every `agent_name` of the inventory.
fn names(bytes: &[u8]) -> Option<BTreeSet<String>> {
    let read = read::read(AGENTS_PATH, bytes);
    if !read.findings.is_empty() {
        return None;
    }
    let mut names = BTreeSet::new();
    read.documents.iter().for_each(|node| gather_names(node, &mut names));
    Some(names)
}

fn gather_names(node: &Node, names: &mut BTreeSet<String>) {
    names.extend(node.get("agent_name").and_then(Node::text).map(str::to_owned));
    node.entries().iter().for_each(|(_, value)| gather_names(value, names));
    node.items().iter().for_each(|item| gather_names(item, names));
}

fn gather_points(value: &Value, points: &mut BTreeSet<[u8; 32]>) {
    match value {
        Value::String(text) => {
            // A key as it is, or after the byte that says its kind.
            let bytes = STANDARD.decode(text).unwrap_or_default();
            if bytes.len() <= 33 {
                points.extend(bytes.last_chunk::<32>());
            }
        }
        Value::Array(values) => values.iter().for_each(|value| gather_points(value, points)),
        Value::Object(fields) => fields.values().for_each(|value| gather_points(value, points)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
