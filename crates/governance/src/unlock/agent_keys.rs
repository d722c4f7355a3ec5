//! The agents of a repository: names and keys that approve nothing.

use crate::git::error::GitError;
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
            agents.points.extend(points(repository, *commit)?.ok_or(PeopleError::Agents { commit: *commit })?);
        }
        Ok(agents)
    }

    /// Whether a signature is made with a key that an agent has.
    pub fn made(&self, signature: &SshSignature) -> bool {
        self.points.contains(signature.key().point())
    }
}

/// Every key in the file of keys; nothing where the file is none.
fn points(repository: &Repository, commit: Id) -> Result<Option<BTreeSet<[u8; 32]>>, GitError> {
    let Some(bytes) = repository.file_at(commit, KEYS_PATH)? else { return Ok(Some(BTreeSet::new())) };
    Ok(canonical_json::parse_within(&bytes, KEYS_BYTES_MOST).ok().map(|value| {
        let mut points = BTreeSet::new();
        gather(&value, &mut points);
        points
    }))
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
