//! The agents of a repository: names and keys that approve nothing.

use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::lock::people::{self, PeopleError};
use agenttrader_authority::sshsig::SshSignature;
use agenttrader_core::canonical_json;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeSet;

/// Where a cluster's agents' public keys stand.
pub const KEYS_PATH: &str = "configs/agents/keys.json";

/// Most bytes of it that are read.
const KEYS_BYTES_MOST: usize = 1024 * 1024;

/// The agents that some commits know of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agents {
    /// Their names.
    pub names: BTreeSet<String>,
    points: BTreeSet<[u8; 32]>,
}

impl Agents {
    /// Those of all these commits together.
    ///
    /// # Errors
    /// [`PeopleError`] where agents cannot be told from people.
    pub fn at(repository: &Repository, commits: &[Id]) -> Result<Self, PeopleError> {
        let mut agents = Self::default();
        for commit in commits {
            agents.names.extend(people::agents_at(repository, *commit)?);
            agents.points.extend(points_at(repository, *commit)?);
        }
        Ok(agents)
    }

    /// Whether a signature is made with a key that an agent has.
    pub fn made(&self, signature: &SshSignature) -> bool {
        self.points.contains(signature.key().point())
    }
}

/// Every key in a commit's file of keys.
///
/// # Errors
/// [`PeopleError`] where it cannot be read.
pub(crate) fn points_at(repository: &Repository, commit: Id) -> Result<BTreeSet<[u8; 32]>, PeopleError> {
    let mut points = BTreeSet::new();
    if let Some(bytes) = repository.file_at(commit, KEYS_PATH)? {
        let unreadable = PeopleError::Agents { path: KEYS_PATH, commit };
        let value = canonical_json::parse_within(&bytes, KEYS_BYTES_MOST).map_err(|_| unreadable)?;
        gather(&value, &mut points);
    }
    Ok(points)
}

fn gather(value: &Value, points: &mut BTreeSet<[u8; 32]>) {
    match value {
        Value::String(text) => {
            // A key as it is, or after the byte that says its kind.
            let bytes = STANDARD.decode(text).unwrap_or_default();
            if bytes.len() <= 33 {
                points.extend(bytes.last_chunk::<32>());
            }
        }
        Value::Array(values) => values.iter().for_each(|value| gather(value, points)),
        Value::Object(fields) => fields.values().for_each(|value| gather(value, points)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
