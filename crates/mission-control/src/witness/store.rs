//! What the witness keeps on disk, beside mission control's own log and under its lock: `DATA_DIR/audit-state/mission-control/`.
//!
//! | path | what |
//! |---|---|
//! | `witness/AGENT` | the last checkpoint of the log that was verified |
//! | `since/AGENT` | since when, and from how many entries on, checkpoints of the log are held without a gap |
//! | `cosigned/AGENT` | a checkpoint with the lines of the log and of pinned witnesses alone |
//! | `alarms/AGENT/CODE` | what stays raised until a person removes the file, with both checkpoints |
//! | `witnesses` | the verifier keys of the pinned witnesses, ours first |
//! | `key-since` | our own verifier key, and since when it is used |

use super::finding::Code;
use super::seen::HeldSince;
use agenttrader_audit::checkpoint::{CheckpointError, SignedCheckpoint};
use agenttrader_audit::note::{NOTE_BYTES_MOST, VerifierKey};
use agenttrader_audit::witnessed::state_dir;
use agenttrader_core::time::UnixNanos;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Bytes of the longest alarm that is read: two notes and some words, with room.
const ALARM_BYTES_MOST: usize = 8 * NOTE_BYTES_MOST;

/// The witness's files.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

/// What stays raised until a person decides, with what shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What.
    pub code: Code,
    /// Whose log.
    pub agent_name: String,
    /// Since when, wall time; none where the file cannot be read.
    pub raised_utc: Option<UnixNanos>,
    /// In words.
    pub words: String,
    /// The last checkpoint that was verified, as the log signed it.
    pub held: Option<String>,
    /// The one that does not go on from it, as the log signed it. None where an outside witness says so: its answer is signed by nobody.
    pub found: Option<String>,
}

/// Our own key, and since when it is used.
#[derive(Serialize, Deserialize)]
struct KeySince {
    vkey: String,
    utc: UnixNanos,
}

/// Why a file of the witness cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be read or written.
    #[error("cannot use {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds no checkpoint.
    #[error("{path} holds no checkpoint; keep it and find out who changed it")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: CheckpointError,
    },
}

impl Store {
    /// The witness's files of a data directory; their folders are made if need be.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let dir = state_dir(data_dir);
        for folder in ["witness", "since", "cosigned", "alarms"] {
            let path = dir.join(folder);
            fs::create_dir_all(&path).map_err(|source| StoreError::Io { path, source })?;
        }
        File::open(&dir)
            .and_then(|dir| dir.sync_all())
            .map_err(|source| StoreError::Io { path: dir.clone(), source })?;
        Ok(Self { dir })
    }

    /// The last checkpoint of a log that was verified.
    ///
    /// # Errors
    /// [`StoreError`]: what cannot be read must not be taken for nothing.
    pub fn verified(&self, agent_name: &str) -> Result<Option<SignedCheckpoint>, StoreError> {
        let path = self.dir.join("witness").join(agent_name);
        let Some(bytes) = read(&path, NOTE_BYTES_MOST)? else { return Ok(None) };
        SignedCheckpoint::parse(&bytes).map(Some).map_err(|source| StoreError::Checkpoint { path, source })
    }

    /// Keeps the last checkpoint of a log, durably.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn put_verified(&self, agent_name: &str, checkpoint: &SignedCheckpoint) -> Result<(), StoreError> {
        self.replace("witness", agent_name, checkpoint.to_string().as_bytes(), true)
    }

    /// Since when checkpoints of a log are held; none where that was not kept, or cannot be read.
    pub fn since(&self, agent_name: &str) -> Option<HeldSince> {
        let bytes = read(&self.dir.join("since").join(agent_name), NOTE_BYTES_MOST).ok().flatten()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Keeps since when checkpoints of a log are held, durably.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn put_since(&self, agent_name: &str, since: &HeldSince) -> Result<(), StoreError> {
        self.replace("since", agent_name, format!("{}\n", json!(since)).as_bytes(), true)
    }

    /// Removes since when checkpoints of a log are held.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn remove_since(&self, agent_name: &str) -> Result<(), StoreError> {
        let folder = self.dir.join("since");
        let path = folder.join(agent_name);
        let removed = match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| File::open(&folder)?.sync_all()),
        };
        removed.map_err(|source| StoreError::Io { path, source })
    }

    /// Since when that key of ours is used; none where another one was used before, or none that is known.
    pub fn key_since(&self, key: &VerifierKey) -> Option<UnixNanos> {
        let bytes = read(&self.dir.join("key-since"), NOTE_BYTES_MOST).ok().flatten()?;
        let kept: KeySince = serde_json::from_slice(&bytes).ok()?;
        (kept.vkey == key.to_string()).then_some(kept.utc)
    }

    /// Keeps since when our own key is used, durably.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn put_key_since(&self, key: &VerifierKey, utc: UnixNanos) -> Result<(), StoreError> {
        let text = format!("{}\n", json!(KeySince { vkey: key.to_string(), utc }));
        self.replace("", "key-since", text.as_bytes(), true)
    }

    /// The cosigned checkpoint of a log; none where there is none, or what is there is none.
    pub fn cosigned(&self, agent_name: &str) -> Option<SignedCheckpoint> {
        let bytes = read(&self.dir.join("cosigned").join(agent_name), NOTE_BYTES_MOST).ok().flatten()?;
        SignedCheckpoint::parse(&bytes).ok()
    }

    /// Keeps a cosigned checkpoint. Not waited for: it can be made again from the verified one.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn put_cosigned(&self, agent_name: &str, checkpoint: &SignedCheckpoint) -> Result<(), StoreError> {
        self.replace("cosigned", agent_name, checkpoint.to_string().as_bytes(), false)
    }

    /// Whether an alarm stands: a person takes it back by removing its file.
    ///
    /// # Errors
    /// [`StoreError::Io`] when that cannot be seen.
    pub fn has_alarm(&self, agent_name: &str, code: Code) -> Result<bool, StoreError> {
        let path = self.alarm_path(agent_name, code);
        path.try_exists().map_err(|source| StoreError::Io { path, source })
    }

    /// An alarm that stands. One that cannot be read stands nonetheless, since nobody knows when.
    pub fn alarm(&self, agent_name: &str, code: Code) -> Option<Alarm> {
        let unread = |why: String| Alarm {
            code,
            agent_name: agent_name.to_owned(),
            raised_utc: None,
            words: format!("raised earlier; its file cannot be read: {why}"),
            held: None,
            found: None,
        };
        match read(&self.alarm_path(agent_name, code), ALARM_BYTES_MOST) {
            Ok(None) => None,
            Ok(Some(bytes)) => Some(serde_json::from_slice(&bytes).unwrap_or_else(|error| unread(error.to_string()))),
            Err(error) => Some(unread(error.to_string())),
        }
    }

    /// Keeps an alarm, durably. One that stands already is kept as it is: the first finding is the evidence.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn put_alarm(&self, alarm: &Alarm) -> Result<(), StoreError> {
        if self.has_alarm(&alarm.agent_name, alarm.code)? {
            return Ok(());
        }
        let folder = Path::new("alarms").join(&alarm.agent_name);
        let path = self.dir.join(&folder);
        fs::create_dir_all(&path).map_err(|source| StoreError::Io { path: path.clone(), source })?;
        let failed = |source: io::Error| StoreError::Io { path, source };
        let mut bytes = serde_json::to_vec_pretty(alarm).map_err(|error| failed(error.into()))?;
        bytes.push(b'\n');
        self.replace(folder, alarm.code.as_str(), &bytes, true)?;
        // The folder's own name.
        let above = self.dir.join("alarms");
        File::open(&above).and_then(|dir| dir.sync_all()).map_err(|source| StoreError::Io { path: above, source })
    }

    /// Keeps the verifier keys of the pinned witnesses, a line each.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn put_witnesses(&self, keys: &[VerifierKey]) -> Result<(), StoreError> {
        let text: String = keys.iter().map(|key| format!("{key}\n")).collect();
        self.replace("", "witnesses", text.as_bytes(), false)
    }

    fn alarm_path(&self, agent_name: &str, code: Code) -> PathBuf {
        self.dir.join("alarms").join(agent_name).join(code.as_str())
    }

    /// Writes a file whole or not at all.
    fn replace(&self, folder: impl AsRef<Path>, name: &str, bytes: &[u8], durable: bool) -> Result<(), StoreError> {
        let folder = self.dir.join(folder);
        let path = folder.join(name);
        let stem = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // Not in the folder: what stands there is whole.
        let beside = self.dir.join(format!("{stem}-{name}.new"));
        let write = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&beside)?;
            file.write_all(bytes)?;
            if durable {
                file.sync_data()?;
            }
            fs::rename(&beside, &path)?;
            if durable { File::open(&folder)?.sync_all() } else { Ok(()) }
        };
        write().map_err(|source| StoreError::Io { path: path.clone(), source })
    }
}

/// A file's bytes; none where there is none.
fn read(path: &Path, most: usize) -> Result<Option<Vec<u8>>, StoreError> {
    let failed = |source| StoreError::Io { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed(source)),
    };
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > most {
        Err(failed(io::Error::other(format!("longer than {most} bytes"))))
    } else {
        Ok(Some(bytes))
    }
}
