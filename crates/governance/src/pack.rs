//! Audit packs: the logs of a floor with all that an auditor needs to verify them, in one file.
//!
//! A pack is a ustar archive under zstd, `<utc>-<sha>.tar.zst`: the time of the newest record in it, and the first twelve digits of the
//! SHA-256 of its `index.sha256`. In this order it holds
//!
//! | | |
//! |---|---|
//! | `logs/AGENT/checkpoint`, `logs/AGENT/tile/…` | each log at one checkpoint: exactly the files that its size implies |
//! | `blobs/SHA256` | the large payloads that records of these logs name |
//! | `cosigned/AGENT` | the last cosigned checkpoint, with lines of the log and of pinned witnesses alone |
//! | `artefacts/`, `unlock/`, `signed/` | reports, unlocks with their approvals, and what people signed, where there is any |
//! | `configuration/` | the effective configuration of the last recorded run, and the digests of its files |
//! | `keys.json`, `vkeys`, `witness-vkeys` | public keys |
//! | `pack.json` | what was packed, by which build |
//! | `README.md` | how to verify all of it with other people's tools |
//! | `index.sha256` | the SHA-256 of every other file |
//!
//! The same data gives the same bytes. [`write`] makes a pack, [`Pack::open`] reads one that may come from anywhere, [`verify`] judges it.

mod evidence;
mod frames;
mod lines;
mod member;
mod open;
mod readme;
mod tar;
#[cfg(test)]
mod tests;
pub mod verify;
pub mod write;

use agenttrader_audit::source::{LogFiles, SourceError};
use agenttrader_core::digest::Digest;
use open::{Contents, Stored};
use serde::{Deserialize, Serialize};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A pack, laid open. Its files were read once and stand under the digests they had then.
#[derive(Clone, Debug)]
pub struct Pack {
    contents: Arc<Contents>,
    findings: Vec<Finding>,
}

/// Something in a pack that should not be so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file: of the pack, or the pack itself.
    pub path: String,
    /// What is wrong with it.
    pub what: String,
}

impl Finding {
    fn new(path: impl Into<String>, what: impl Into<String>) -> Self {
        Self { path: path.into(), what: what.into() }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.path, self.what)
    }
}

/// Why a pack cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file cannot be read or written.
    #[error("cannot use {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A log, or what stands beside it, is not as it should be: nothing was written.
    #[error("{path}: {why}; `agenttrader audit verify` says more")]
    Log {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is nothing to pack.
    #[error("{data_dir} has no log with a checkpoint")]
    NoLogs {
        /// Where.
        data_dir: PathBuf,
    },
    /// The file to write is there.
    #[error("{path} is there already: give another name")]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// The name of the file to write does not end as a pack's.
    #[error("{path} does not end with {}, by which packs are known", PACK_SUFFIX)]
    Suffix {
        /// The path.
        path: PathBuf,
    },
    /// What was written does not read back as it should.
    #[error("{path} does not read back as it was written: {why}")]
    ReadBack {
        /// The file.
        path: PathBuf,
        /// What differs.
        why: String,
    },
}

/// What `pack.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// [`FORMAT`].
    pub format: String,
    /// The repository whose agents these are.
    pub repo_id: String,
    /// The build that packed.
    pub build: agenttrader_core::identity::Build,
    /// The time of the newest record in it, in whole seconds: the time all files bear.
    pub newest_record_utc: agenttrader_core::time::UnixNanos,
    /// The logs, by agent.
    pub logs: Vec<PackedLog>,
    /// Agents that had no checkpoint yet, and so are not in it.
    pub without_checkpoint: Vec<String>,
}

/// One log of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackedLog {
    /// The agent.
    pub agent_name: String,
    /// The log's origin.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// The root of their tree, in Base64.
    pub root: String,
}

/// How the name of a pack ends.
pub const PACK_SUFFIX: &str = ".tar.zst";

/// The form of packs that this program writes and reads.
pub const FORMAT: &str = "agenttrader/audit-pack/v1";

impl Pack {
    /// Opens a pack, whatever it may be: sizes, counts and names are bounded. What is wrong with its form stands in [`Pack::findings`].
    ///
    /// # Errors
    /// [`PackError::Io`] when it cannot be read, or not be laid open in the system's folder of temporary files.
    pub fn open(path: &Path) -> Result<Self, PackError> {
        open::open(path)
    }

    /// What is wrong with the form of the archive: the seal, the frames, the headers, names and order. Empty for a whole pack; whoever does
    /// not verify reads nothing out of one that is not.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What it was opened by.
    pub fn place(&self) -> &str {
        &self.contents.place
    }

    /// The SHA-256 of the pack's file, and its bytes.
    pub fn sha256(&self) -> (Digest, u64) {
        (self.contents.sealed.sha256, self.contents.sealed.bytes)
    }

    /// The agents whose logs are in it.
    pub fn agents(&self) -> Vec<String> {
        let agent = |path: &String| Some(path.strip_prefix("logs/")?.split_once('/')?.0.to_owned());
        let mut names: Vec<String> = self.contents.files.keys().filter_map(agent).collect();
        names.dedup();
        names
    }

    /// The files of an agent's log.
    pub fn log(&self, agent_name: &str) -> Arc<dyn LogFiles + Send + Sync> {
        self.below(format!("logs/{agent_name}/"))
    }

    /// The large payloads of all logs.
    pub fn blobs(&self) -> Arc<dyn LogFiles + Send + Sync> {
        self.below("blobs/".to_owned())
    }

    /// The cosigned checkpoints, one file an agent.
    pub fn cosigned(&self) -> Arc<dyn LogFiles + Send + Sync> {
        self.below("cosigned/".to_owned())
    }

    /// A file's bytes; `None` where there is none.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.contents.files.get(path).map(|stored| self.contents.bytes(stored)).transpose()
    }

    fn below(&self, folder: String) -> Arc<dyn LogFiles + Send + Sync> {
        Arc::new(PackFiles { contents: Arc::clone(&self.contents), folder })
    }
}

impl Contents {
    fn bytes(&self, stored: &Stored) -> io::Result<Vec<u8>> {
        // Bounded by the kind of file, which was looked at when the pack was opened.
        let mut bytes = vec![0_u8; usize::try_from(stored.size).unwrap_or(0)];
        self.laid_open.read_exact_at(&mut bytes, stored.at)?;
        Ok(bytes)
    }
}

/// The files of a pack below one folder.
#[derive(Debug)]
struct PackFiles {
    contents: Arc<Contents>,
    folder: String,
}

impl LogFiles for PackFiles {
    fn place(&self) -> String {
        format!("{} {}", self.contents.place, self.folder.trim_end_matches('/'))
    }

    fn read(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        let Some(stored) = self.contents.files.get(&format!("{}{path}", self.folder)) else { return Ok(None) };
        if stored.size > most as u64 {
            return Err(SourceError::TooLong { path: path.to_owned(), most });
        }
        self.contents.bytes(stored).map(Some).map_err(|source| SourceError::Io { path: path.to_owned(), source })
    }

    fn list(&self) -> Result<Option<Vec<String>>, SourceError> {
        let below = self.contents.files.range(self.folder.clone()..);
        Ok(Some(below.map_while(|(path, _)| path.strip_prefix(&self.folder)).map(str::to_owned).collect()))
    }

    fn is_live(&self) -> bool {
        false
    }
}
