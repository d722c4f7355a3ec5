//! An agent's Ed25519 keys: one for its log, one for what it signs.
//!
//! Private keys lie in `DATA_DIR/keys/AGENT_NAME.{log,sign}`, made once, readable by their owner alone, never logged. Public keys of all
//! agents of a data directory stand in `keys/agents.json`. Mission control's key as a witness is `keys/witness`.

use crate::entropy::{self, EntropyError};
use agenttrader_audit::note::{KeyKind, NoteSigner, VerifierKey};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::is_agent_name;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Hex digits of a key id.
const KEY_ID_DIGITS: usize = 32;

/// A private key's file holds the 32 bytes of its seed in Base64 and a line end.
const KEY_FILE_BYTES_MOST: u64 = 64;

/// Bytes of the largest `agents.json` that is read: some thousands of agents.
const AGENTS_BYTES_MOST: usize = 1 << 20;

/// Signs with one private key. `Debug` shows the key's id alone.
pub struct Signer {
    key: SigningKey,
    key_id: String,
}

/// An agent's two keys.
#[derive(Debug)]
pub struct Keys {
    /// Signs the log's checkpoints.
    pub log: Signer,
    /// Signs proposals.
    pub sign: Signer,
}

/// An agent's public keys, in Base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKeys {
    /// Of its log.
    pub log: String,
    /// Of what it signs.
    pub sign: String,
}

/// The public keys of all agents of a data directory, by agent name.
pub type Agents = BTreeMap<String, PublicKeys>;

/// Why an agent has no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The name cannot name a file.
    #[error("`{name}` cannot name a key file")]
    Name {
        /// The name.
        name: String,
    },
    /// A file cannot be made, read or written.
    #[error("cannot use {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others can read or change a private key.
    #[error("{path} has mode {mode:04o}: others may read this private key; run `chmod 600 {path}` if nobody has")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file is no key.
    #[error("{path} is not a private key: {why}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: &'static str,
    },
    /// `agents.json` cannot be read.
    #[error("{path} does not hold public keys: {why}")]
    Agents {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// `agents.json` has another key for this agent.
    #[error(
        "{path} has other public keys for {agent} than it has now; take its entry out if its keys were replaced on purpose"
    )]
    Differs {
        /// The file.
        path: PathBuf,
        /// The agent.
        agent: String,
    },
    /// No randomness to make a key from.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl Signer {
    fn of(key: SigningKey) -> Self {
        let key_id = key_id(&key.verifying_key().to_bytes());
        Self { key, key_id }
    }

    /// The Ed25519 signature (RFC 8032) over `message`.
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.key.sign(message)
    }

    /// The key's id: see [`key_id`].
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The public key.
    pub fn public_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    /// The signer of a log's checkpoints, named after its origin.
    pub fn note_signer(&self, origin: &str) -> NoteSigner {
        NoteSigner::log(origin, self.key.clone())
    }

    /// The public key's 32 bytes in Base64.
    pub fn public_base64(&self) -> String {
        STANDARD.encode(self.public_key().to_bytes())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Signer({})", self.key_id)
    }
}

/// The id of a public key: the first 32 hex digits of its bytes' SHA-256.
pub fn key_id(public_key: &[u8; 32]) -> String {
    Digest::of(public_key).to_string().chars().take(KEY_ID_DIGITS).collect()
}

/// The folder of keys.
pub fn keys_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("keys")
}

impl Keys {
    /// An agent's keys, made at its first start, and its public keys in `agents.json`.
    ///
    /// # Errors
    /// [`KeyError`]; also when others could read a private key.
    pub fn open(data_dir: &Path, agent_name: &str) -> Result<Self, KeyError> {
        if !is_agent_name(agent_name) {
            return Err(KeyError::Name { name: agent_name.to_owned() });
        }
        let dir = made_dir(data_dir)?;
        // Agents start side by side: one at a time makes keys and merges the public ones.
        let _held = held(&dir.join(".lock"))?;
        let log = Signer::of(private_key(&dir, &format!("{agent_name}.log"))?);
        let sign = Signer::of(private_key(&dir, &format!("{agent_name}.sign"))?);
        let keys = Self { log, sign };
        publish(&dir, agent_name, keys.public())?;
        Ok(keys)
    }

    /// Both public keys.
    pub fn public(&self) -> PublicKeys {
        PublicKeys { log: self.log.public_base64(), sign: self.sign.public_base64() }
    }
}

/// The key with which mission control cosigns the checkpoints of other agents' logs, made at its first start: `keys/witness`, under that name.
///
/// # Errors
/// [`KeyError`]; also when others could read the key.
pub fn witness(data_dir: &Path, name: &str) -> Result<NoteSigner, KeyError> {
    let dir = made_dir(data_dir)?;
    let _held = held(&dir.join(".lock"))?;
    Ok(NoteSigner::cosigner(name, private_key(&dir, "witness")?))
}

/// The folder of keys, made if there is none.
fn made_dir(data_dir: &Path) -> Result<PathBuf, KeyError> {
    let dir = keys_dir(data_dir);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&dir);
    made.map_err(|source| KeyError::Io { path: dir.clone(), source })?;
    Ok(dir)
}

impl PublicKeys {
    /// The key that verifies the checkpoints of the agent's log, which bears the name of the log's origin.
    pub fn log_verifier(&self, origin: &str) -> Option<VerifierKey> {
        Some(VerifierKey::new(origin, KeyKind::Ed25519, VerifyingKey::from_bytes(&point(&self.log)?).ok()?))
    }

    /// The bytes of both, as far as they are keys.
    pub fn points(&self) -> Vec<[u8; 32]> {
        [&self.log, &self.sign].into_iter().filter_map(|text| point(text)).collect()
    }

    /// The key that checks what the agent signs.
    pub fn signing_key(&self) -> Option<VerifyingKey> {
        VerifyingKey::from_bytes(&point(&self.sign)?).ok()
    }
}

/// The bytes of a public key as it is written.
fn point(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// The public keys of all agents of a data directory; none where no agent ever started.
///
/// # Errors
/// [`KeyError`] when the file is there and cannot be read.
pub fn agents(data_dir: &Path) -> Result<Agents, KeyError> {
    read_agents(&keys_dir(data_dir).join("agents.json"))
}

/// Takes over the public keys that a file lists (`keys.json` of the configuration, in the form of `agents.json`): those of agents
/// whose keys are made elsewhere. A file that is not there lists none.
///
/// # Errors
/// [`KeyError`] when the file cannot be read, or lists another key for an agent that is known.
pub fn adopt(data_dir: &Path, listed: &Path) -> Result<(), KeyError> {
    let listed = read_agents(listed)?;
    if listed.is_empty() {
        return Ok(());
    }
    let dir = made_dir(data_dir)?;
    let _held = held(&dir.join(".lock"))?;
    listed.into_iter().try_for_each(|(agent_name, public)| publish(&dir, &agent_name, public))
}

fn read_agents(path: &Path) -> Result<Agents, KeyError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Agents::new()),
        Err(source) => return Err(KeyError::Io { path: path.to_owned(), source }),
    };
    let wrong = |why: String| KeyError::Agents { path: path.to_owned(), why };
    let value = canonical_json::parse_within(&bytes, AGENTS_BYTES_MOST).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_value(value).map_err(|error| wrong(error.to_string()))
}

/// Puts an agent's public keys beside the others'.
fn publish(dir: &Path, agent_name: &str, public: PublicKeys) -> Result<(), KeyError> {
    let path = dir.join("agents.json");
    let mut agents = read_agents(&path)?;
    match agents.get(agent_name) {
        Some(known) if *known == public => return Ok(()),
        Some(_) => return Err(KeyError::Differs { path, agent: agent_name.to_owned() }),
        None => {}
    }
    agents.insert(agent_name.to_owned(), public);
    let mut text = serde_json::to_vec_pretty(&agents)
        .map_err(|error| KeyError::Agents { path: path.clone(), why: error.to_string() })?;
    text.push(b'\n');
    write_by_rename(dir, "agents.json", &text, 0o644)
}

/// The key in a file; made if there is none.
fn private_key(dir: &Path, name: &str) -> Result<SigningKey, KeyError> {
    let path = dir.join(name);
    match File::open(&path) {
        Ok(file) => read_private_key(&path, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = SigningKey::from_bytes(&entropy::bytes::<32>()?);
            let text = format!("{}\n", STANDARD.encode(key.to_bytes()));
            write_by_rename(dir, name, text.as_bytes(), 0o600)?;
            Ok(key)
        }
        Err(source) => Err(KeyError::Io { path, source }),
    }
}

fn read_private_key(path: &Path, file: File) -> Result<SigningKey, KeyError> {
    let failed = |source| KeyError::Io { path: path.to_owned(), source };
    let metadata = file.metadata().map_err(failed)?;
    let mode = metadata.mode() & 0o7777;
    if !metadata.is_file() {
        return Err(KeyError::Unreadable { path: path.to_owned(), why: "not a file" });
    }
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(KEY_FILE_BYTES_MOST).read_to_string(&mut text).map_err(failed)?;
    let seed = STANDARD.decode(text.trim_end_matches('\n')).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let seed = seed.ok_or_else(|| KeyError::Unreadable { path: path.to_owned(), why: "not 32 bytes in Base64" })?;
    Ok(SigningKey::from_bytes(&seed))
}

/// Writes a file whole or not at all. The caller holds the folder's lock.
fn write_by_rename(dir: &Path, name: &str, bytes: &[u8], mode: u32) -> Result<(), KeyError> {
    let (path, beside) = (dir.join(name), dir.join(format!(".{name}.new")));
    let write = || {
        // What a crash left there is no key of anybody's.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, &path)?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|source| KeyError::Io { path: path.clone(), source })
}

/// The folder's lock, waited for.
fn held(path: &Path) -> Result<File, KeyError> {
    let failed = |source| KeyError::Io { path: path.to_owned(), source };
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}
