//! Whose keys are believed.

use crate::note::{KeyKind, NoteError, VerifierKey};
use crate::source::{Directory, LogFiles as _, SourceError};
use agenttrader_core::canonical_json;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Bytes of the largest file of keys that is read.
const KEYS_BYTES_MOST: usize = 1 << 20;

/// An agent's public keys in Base64, as `keys/agents.json` and an `agent_start` hold them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKeys {
    /// Of its log.
    pub log: String,
    /// Of what it signs.
    pub sign: String,
}

impl PublicKeys {
    /// The log's key under the name of its origin; `None` where the text is no Ed25519 key.
    pub(super) fn log_key(&self, origin: &str) -> Option<VerifierKey> {
        let bytes: [u8; 32] = STANDARD.decode(&self.log).ok()?.try_into().ok()?;
        Some(VerifierKey::new(origin, KeyKind::Ed25519, VerifyingKey::from_bytes(&bytes).ok()?))
    }

    /// Whether both are Ed25519 keys.
    pub(super) fn are_keys(&self) -> bool {
        let is_key = |text: &str| {
            let bytes: Option<[u8; 32]> = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
            bytes.is_some_and(|bytes| VerifyingKey::from_bytes(&bytes).is_ok())
        };
        is_key(&self.log) && is_key(&self.sign)
    }
}

/// Where a key that was used comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeysFrom {
    /// Whoever asked gave it.
    Given,
    /// `keys/agents.json` of the data directory.
    DataDirectory,
    /// The pack that holds the log: the word of whoever made it.
    Pack,
    /// The log's first entry: its own word.
    SelfAsserted,
}

impl fmt::Display for KeysFrom {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Given => "as given",
            Self::DataDirectory => "from keys/agents.json",
            Self::Pack => "from the pack itself",
            Self::SelfAsserted => "keys self-asserted",
        })
    }
}

/// Keys that are believed: of logs and of witnesses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKeys {
    from: KeysFrom,
    vkeys: Vec<VerifierKey>,
    agents: BTreeMap<String, PublicKeys>,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// Neither the JSON of `keys/agents.json` nor verifier keys.
    #[error("not public keys by agent, nor verifier keys one a line: {0}")]
    Malformed(String),
    /// One of the verifier keys is none.
    #[error(transparent)]
    Key(#[from] NoteError),
    /// The file cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl KnownKeys {
    /// None: each log's first entry is asked.
    pub const fn none() -> Self {
        Self { from: KeysFrom::SelfAsserted, vkeys: Vec::new(), agents: BTreeMap::new() }
    }

    /// What an auditor gives: the JSON of a `keys/agents.json`, or verifier keys of logs and witnesses, one a line; empty lines and those
    /// that begin with `#` are passed over.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, KeysError> {
        let text = std::str::from_utf8(bytes).map_err(|_| KeysError::Malformed("not UTF-8".to_owned()))?;
        let mut keys = Self { from: KeysFrom::Given, ..Self::none() };
        if text.trim_start().starts_with('{') {
            keys.agents = agents(bytes)?;
            return Ok(keys);
        }
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            keys.vkeys.push(VerifierKey::parse(line)?);
        }
        if keys.vkeys.is_empty() {
            return Err(KeysError::Malformed("no key in it".to_owned()));
        }
        Ok(keys)
    }

    /// The public keys of a data directory's agents; none where it has no `keys/agents.json`.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn of_data_dir(data_dir: &Path) -> Result<Self, KeysError> {
        match Directory::new(data_dir.join("keys")).read("agents.json", KEYS_BYTES_MOST)? {
            None => Ok(Self::none()),
            Some(bytes) => Ok(Self { from: KeysFrom::DataDirectory, agents: agents(&bytes)?, vkeys: Vec::new() }),
        }
    }

    /// The public keys that a pack brings: of its agents and of witnesses.
    pub const fn of_pack(agents: BTreeMap<String, PublicKeys>, witnesses: Vec<VerifierKey>) -> Self {
        Self { from: KeysFrom::Pack, agents, vkeys: witnesses }
    }

    /// The same keys and one more: a log's, or a witness's.
    #[must_use]
    pub fn with(mut self, key: VerifierKey) -> Self {
        if self == Self::none() && key.kind() == KeyKind::Ed25519 {
            self.from = KeysFrom::Given;
        }
        self.vkeys.push(key);
        self
    }

    /// Where they come from.
    pub const fn from(&self) -> KeysFrom {
        self.from
    }

    /// The agents whose logs' keys are among them, by name.
    pub fn agents(&self) -> Vec<String> {
        let of_logs = self.vkeys.iter().filter(|key| key.kind() == KeyKind::Ed25519);
        let by_vkey = of_logs.filter_map(|key| key.name().rsplit('/').next()).map(str::to_owned);
        let mut names: Vec<String> = self.agents.keys().cloned().chain(by_vkey).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Witnesses' keys.
    pub fn witnesses(&self) -> Vec<VerifierKey> {
        self.vkeys.iter().filter(|key| key.kind() == KeyKind::Cosigner).cloned().collect()
    }

    /// The keys of the log of that origin and agent: verifier keys of that name, and the agent's public ones.
    pub(super) fn of_log(&self, origin: &str, agent_name: &str) -> (Vec<VerifierKey>, Option<&PublicKeys>) {
        let mut logs: Vec<VerifierKey> =
            self.vkeys.iter().filter(|key| key.kind() == KeyKind::Ed25519 && key.name() == origin).cloned().collect();
        let public = self.agents.get(agent_name);
        logs.extend(public.and_then(|public| public.log_key(origin)));
        (logs, public)
    }
}

fn agents(bytes: &[u8]) -> Result<BTreeMap<String, PublicKeys>, KeysError> {
    let wrong = |why: String| KeysError::Malformed(why);
    let value = canonical_json::parse_within(bytes, KEYS_BYTES_MOST).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_value(value).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "agenttrader.example/audit+a6028839+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
    const WITNESS: &str = "witness.example/w1+cf810b3c+BCnlgzqRWmQppOOnlIR1wzjvQ264K+ickvBZcEQD251V";

    #[test]
    fn keys_are_read_as_lines_or_as_the_file_of_a_data_directory() {
        let lines = KnownKeys::parse(format!("# logs\n{LOG}\n\n{WITNESS}\n").as_bytes()).unwrap();
        assert_eq!(lines.of_log("agenttrader.example/audit", "audit").0.len(), 1);
        assert_eq!(lines.of_log("another", "audit").0.len(), 0);
        assert_eq!(lines.witnesses()[0].to_string(), WITNESS);
        let key = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
        let json = format!(r#"{{"gamma":{{"log":"{key}","sign":"{key}"}}}}"#);
        let agents = KnownKeys::parse(json.as_bytes()).unwrap();
        assert_eq!(agents.of_log("agenttrader/r/gamma", "gamma").0[0].name(), "agenttrader/r/gamma");
        assert_eq!(agents.from(), KeysFrom::Given);
        for bad in ["", "#\n", "{", "{\"gamma\":{}}", "name+00000000+AQ=="] {
            assert!(KnownKeys::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        let witnessed = KnownKeys::none().with(VerifierKey::parse(WITNESS).unwrap());
        assert_eq!(witnessed.from(), KeysFrom::SelfAsserted);
    }
}
