//! The public keys an auditor verifies logs with, and where they came from.

use crate::bounded_file;
use agenttrader_agent::keys::{self, Agents, KeyError, PublicKeys};
use agenttrader_audit::log;
use agenttrader_audit::note::{KeyKind, NoteError, VerifierKey};
use agenttrader_core::canonical_json;
use agenttrader_core::identity::REPO_ID;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Bytes of the largest file of keys that is read: some thousands of agents.
const KEYS_BYTES_MOST: u64 = 1 << 20;

/// Verifier keys by the origin of their log.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: BTreeMap<String, VerifierKey>,
    witnesses: Vec<VerifierKey>,
    from: String,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{path} holds neither an agents.json nor verifier keys, one a line: {why}")]
    NoKeys {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The data directory's public keys cannot be read.
    #[error(transparent)]
    Agents(#[from] KeyError),
    /// A line is no verifier key.
    #[error("{path} line {line}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        #[source]
        source: NoteError,
    },
}

/// The origin of an agent's log.
pub fn origin(agent_name: &str) -> String {
    log::origin(REPO_ID, agent_name)
}

/// The verifier key of an agent's log; `None` where its public key is none.
pub fn log_key(agent_name: &str, keys: &PublicKeys) -> Option<VerifierKey> {
    let bytes: [u8; 32] = STANDARD.decode(&keys.log).ok()?.try_into().ok()?;
    Some(VerifierKey::new(&origin(agent_name), KeyKind::Ed25519, VerifyingKey::from_bytes(&bytes).ok()?))
}

impl Keyring {
    /// The keys of these agents.
    pub(crate) fn of_agents(agents: &Agents, from: String) -> Result<Self, String> {
        let key = |(name, keys): (&String, &PublicKeys)| {
            let key =
                log_key(name, keys).ok_or_else(|| format!("the log's key of {name} is no Ed25519 key in Base64"))?;
            Ok((key.name().to_owned(), key))
        };
        Ok(Self { keys: agents.iter().map(key).collect::<Result<_, String>>()?, witnesses: Vec::new(), from })
    }

    /// The keys of a file: an `agents.json`, or verifier keys of logs and witnesses, one a line (`#` begins a remark).
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn of_file(path: &Path) -> Result<Self, KeyringError> {
        let failed = |source| KeyringError::Io { path: path.to_owned(), source };
        let no_keys = |why: String| KeyringError::NoKeys { path: path.to_owned(), why };
        let bytes = bounded_file::read(path, KEYS_BYTES_MOST).map_err(failed)?;
        let from = path.display().to_string();
        let text = String::from_utf8(bytes).map_err(|_| no_keys("not UTF-8".to_owned()))?;
        if text.trim_start().starts_with('{') {
            let value = canonical_json::parse(text.as_bytes()).map_err(|error| no_keys(error.to_string()))?;
            let agents: Agents = serde_json::from_value(value).map_err(|error| no_keys(error.to_string()))?;
            return Self::of_agents(&agents, from).map_err(no_keys);
        }
        let (mut keys, mut witnesses) = (BTreeMap::new(), Vec::new());
        for (place, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line_of = |source| KeyringError::Line { path: path.to_owned(), line: place + 1, source };
            let key = VerifierKey::parse(line).map_err(line_of)?;
            if key.kind() == KeyKind::Cosigner {
                witnesses.push(key);
            } else if keys.insert(key.name().to_owned(), key.clone()).is_some_and(|other| other != key) {
                return Err(no_keys(format!("two keys of {}", key.name())));
            }
        }
        if keys.is_empty() && witnesses.is_empty() {
            return Err(no_keys("it holds nothing".to_owned()));
        }
        Ok(Self { keys, witnesses, from })
    }

    /// The keys of a data directory's agents; none where no agent ever started.
    ///
    /// # Errors
    /// [`KeyringError`] when they are there and cannot be read.
    pub fn of_data_dir(data_dir: &Path) -> Result<Self, KeyringError> {
        let path = keys::keys_dir(data_dir).join("agents.json");
        let agents = keys::agents(data_dir)?;
        Self::of_agents(&agents, path.display().to_string()).map_err(|why| KeyringError::NoKeys { path, why })
    }

    /// The key of the log of that origin.
    pub fn get(&self, origin: &str) -> Option<&VerifierKey> {
        self.keys.get(origin)
    }

    /// The keys of witnesses.
    pub fn witnesses(&self) -> &[VerifierKey] {
        &self.witnesses
    }

    /// The origins it has keys of.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// Where the keys came from.
    pub fn from(&self) -> &str {
        &self.from
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// The public key of the seed 0 to 31, and what its verifier key is for an agent `a`.
    const PUBLIC: &str = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";

    fn file(text: &str) -> Result<Keyring, KeyringError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(&path, text).unwrap();
        Keyring::of_file(&path)
    }

    #[test]
    fn an_agents_json_and_lines_of_verifier_keys_say_the_same() {
        let agents = format!("{{\"a\": {{\"log\": \"{PUBLIC}\", \"sign\": \"{PUBLIC}\"}}}}");
        let by_agents = file(&agents).unwrap();
        let key = by_agents.get(&origin("a")).unwrap();
        let by_lines = file(&format!("# kept on paper\n\n  {key}\n")).unwrap();
        assert_eq!(by_lines.get(&origin("a")).unwrap(), key);
        assert_eq!(by_lines.origins().collect::<Vec<_>>(), [origin("a")]);
        assert!(by_lines.get(&origin("b")).is_none());
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_place() {
        for (text, told) in [
            ("", "it holds nothing"),
            ("a key", "line 1"),
            ("{\"a\": 1}", "invalid type"),
            ("{\"a\": {\"log\": \"AAAA\", \"sign\": \"\"}}", "the log's key of a"),
        ] {
            let error = file(text).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        assert!(matches!(Keyring::of_file(Path::new("/nowhere")), Err(KeyringError::Io { .. })));
        assert_eq!(Keyring::of_data_dir(Path::new("/nowhere")).unwrap().origins().count(), 0);
    }
}
