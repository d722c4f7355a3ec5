//! What the argument of an audit command means: an address, a data directory, the folder of one log, or a pack.

use crate::pack::{PACK_SUFFIX, Pack, PackError};
use crate::remote::{Remote, RemoteError, is_address};
use agenttrader_audit::read;
use agenttrader_audit::source::{Directory, LogFiles};
use agenttrader_core::identity::is_agent_name;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where logs are.
#[derive(Debug)]
pub enum Place {
    /// One log over HTTP.
    Remote(Arc<Remote>),
    /// The data directory of a floor, with the logs of all its agents.
    DataDir(PathBuf),
    /// The folder of one log: `checkpoint` and `tile/`.
    Folder(PathBuf),
    /// A pack.
    Pack(Arc<Pack>),
}

/// One log of a place.
#[derive(Clone)]
pub struct PlacedLog {
    /// The agent, where the place tells: the last part of the log's origin everywhere else.
    pub agent_name: Option<String>,
    /// Its files.
    pub files: Arc<dyn LogFiles + Send + Sync>,
    /// Where its large payloads lie, by their SHA-256.
    pub blobs: Option<Arc<dyn LogFiles + Send + Sync>>,
    /// The data directory it lies in, where it does: payloads, public keys and what no checkpoint covers yet are there.
    pub data_dir: Option<PathBuf>,
    /// The pack it lies in, where it does, with public keys beside it.
    pub pack: Option<Arc<Pack>>,
}

/// Why a place has no logs to read.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Nothing is there.
    #[error("{path} does not exist")]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// It is something else.
    #[error("{path} is {found}: neither a data directory, nor the folder of a log, nor a pack ({PACK_SUFFIX})")]
    NoLogs {
        /// The path.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// It cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The address cannot be asked.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The pack cannot be read.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The pack was damaged, or made by something else.
    #[error("{path} is not a whole pack: {what}")]
    Damaged {
        /// The pack.
        path: PathBuf,
        /// What is wrong first.
        what: String,
    },
    /// There are several, and none was named.
    #[error("several logs are here: {}", told(known))]
    Several {
        /// Those there are.
        known: Vec<String>,
    },
    /// No log of that agent is there.
    #[error("no log of {agent_name} here; there is {}", told(known))]
    NoAgent {
        /// The agent.
        agent_name: String,
        /// Those there are.
        known: Vec<String>,
    },
}

fn told(names: &[String]) -> String {
    if names.is_empty() { "none at all".to_owned() } else { names.join(", ") }
}

/// The logs' folder of a data directory.
pub fn logs_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("audit")
}

fn blobs(data_dir: &Path) -> Arc<dyn LogFiles + Send + Sync> {
    Arc::new(Directory::of_blobs(data_dir))
}

fn is_folder_of_a_log(path: &Path) -> bool {
    path.join("checkpoint").is_file() || path.join("tile").is_dir()
}

/// The data directory in which the folder of a log lies: `DATA_DIR/audit/AGENT_NAME`.
fn data_dir_around(folder: &Path) -> Option<PathBuf> {
    let whole = fs::canonicalize(folder).ok()?;
    let logs = whole.parent().filter(|parent| parent.file_name().is_some_and(|name| name == "audit"))?;
    let data_dir = logs.parent()?;
    data_dir.join("audit-state").is_dir().then(|| data_dir.to_owned())
}

impl Place {
    /// What a word names. Nothing is asked of an address yet.
    ///
    /// # Errors
    /// [`PlaceError`] when there is nothing, or nothing with a log.
    pub fn of(word: &str) -> Result<Self, PlaceError> {
        if is_address(word) {
            return Ok(Self::Remote(Arc::new(Remote::at(word)?)));
        }
        let path = PathBuf::from(word);
        let found = match fs::metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(PlaceError::Missing { path }),
            Err(source) => return Err(PlaceError::Io { path, source }),
        };
        if found.is_file() {
            return if word.ends_with(PACK_SUFFIX) {
                Ok(Self::Pack(Arc::new(Pack::open(&path)?)))
            } else {
                Err(PlaceError::NoLogs { path, found: "a file" })
            };
        }
        if is_folder_of_a_log(&path) {
            Ok(Self::Folder(path))
        } else if logs_dir(&path).is_dir() || path.join("audit-state").is_dir() {
            Ok(Self::DataDir(path))
        } else {
            Err(PlaceError::NoLogs { path, found: "a folder without a log" })
        }
    }

    /// Its logs, by the agents' names.
    ///
    /// # Errors
    /// [`PlaceError::Io`].
    pub fn logs(&self) -> Result<Vec<PlacedLog>, PlaceError> {
        match self {
            Self::Remote(remote) => {
                let files: Arc<dyn LogFiles + Send + Sync> = Arc::<Remote>::clone(remote);
                Ok(vec![PlacedLog { agent_name: None, files, blobs: None, data_dir: None, pack: None }])
            }
            Self::Folder(folder) => {
                let data_dir = data_dir_around(folder);
                let files = Arc::new(Directory::of_log(folder));
                // Within a data directory the folder bears the agent's name; a copy may be called anything.
                let name =
                    fs::canonicalize(folder).ok().and_then(|whole| Some(whole.file_name()?.to_str()?.to_owned()));
                let agent_name = name.filter(|_| data_dir.is_some());
                let blobs = data_dir.as_deref().map(blobs);
                Ok(vec![PlacedLog { agent_name, files, blobs, data_dir, pack: None }])
            }
            Self::DataDir(data_dir) => {
                let log = |agent_name: String| PlacedLog {
                    files: Arc::new(Directory::of_agent(data_dir, &agent_name)),
                    blobs: Some(blobs(data_dir)),
                    agent_name: Some(agent_name),
                    data_dir: Some(data_dir.clone()),
                    pack: None,
                };
                Ok(agents(data_dir)?.into_iter().map(log).collect())
            }
            Self::Pack(pack) => {
                let log = |agent_name: String| PlacedLog {
                    files: pack.log(&agent_name),
                    blobs: Some(pack.blobs()),
                    agent_name: Some(agent_name),
                    data_dir: None,
                    pack: Some(Arc::clone(pack)),
                };
                Ok(pack.agents().into_iter().map(log).collect())
            }
        }
    }

    /// That a pack is whole: to be asked before anything in it is shown without being verified.
    ///
    /// # Errors
    /// [`PlaceError::Damaged`], naming what is wrong first.
    pub fn whole(self) -> Result<Self, PlaceError> {
        match &self {
            Self::Pack(pack) => match pack.findings().first() {
                Some(finding) => Err(PlaceError::Damaged {
                    path: pack.place().into(),
                    what: format!("{}: {}", finding.path, finding.what),
                }),
                None => Ok(self),
            },
            _ => Ok(self),
        }
    }

    /// The log of that agent, or the only one.
    ///
    /// # Errors
    /// [`PlaceError::NoAgent`] and [`PlaceError::Several`], naming those there are.
    pub fn log(&self, agent_name: Option<&str>) -> Result<PlacedLog, PlaceError> {
        let logs = self.logs()?;
        let name = |log: &PlacedLog| log.agent_name.clone();
        let known = logs.iter().filter_map(name).collect();
        let Some(wanted) = agent_name else {
            return <[PlacedLog; 1]>::try_from(logs).map(|[only]| only).map_err(|_| PlaceError::Several { known });
        };
        logs.into_iter()
            .find(|log| log.agent_name.as_deref().is_none_or(|name| name == wanted))
            .ok_or_else(|| PlaceError::NoAgent { agent_name: wanted.to_owned(), known })
    }
}

/// The agents that have a log in a data directory: by the folders of `audit/`, and by the journals of those whose first checkpoint is to come.
fn agents(data_dir: &Path) -> Result<Vec<String>, PlaceError> {
    let mut names = Vec::new();
    for dir in [logs_dir(data_dir), data_dir.join("audit-state")] {
        let failed = |source| PlaceError::Io { path: dir.clone(), source };
        let listed = match fs::read_dir(&dir) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(failed(source)),
        };
        let is_logs = dir == logs_dir(data_dir);
        for one in listed {
            let one = one.map_err(failed)?;
            let is_log =
                |name: &&str| is_agent_name(name) && one.path().is_dir() && (is_logs || read::exists(data_dir, name));
            names.extend(one.file_name().to_str().filter(is_log).map(str::to_owned));
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(folders: &[&str], files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        folders.iter().for_each(|folder| fs::create_dir_all(root.path().join(folder)).unwrap());
        files.iter().for_each(|file| fs::write(root.path().join(file), "?").unwrap());
        root
    }

    fn of(root: &tempfile::TempDir, path: &str) -> Result<Place, PlaceError> {
        Place::of(root.path().join(path).to_str().unwrap())
    }

    #[test]
    fn a_word_is_what_stands_there() {
        let root = made(
            &[
                "floor/audit/a/tile",
                "floor/audit-state/a",
                "floor/audit-state/b/journal",
                "floor/audit-state/c",
                "copy",
                "empty",
            ],
            &["floor/audit/a/checkpoint", "floor/audit/stray", "copy/checkpoint", "file", "damaged.tar.zst"],
        );
        let data_dir = of(&root, "floor").unwrap();
        assert!(matches!(data_dir, Place::DataDir(_)));
        let names: Vec<_> = data_dir.logs().unwrap().into_iter().filter_map(|log| log.agent_name).collect();
        // One whose first checkpoint is to come has a journal; a folder of state alone is no log.
        assert_eq!(names, ["a", "b"]);
        assert!(matches!(data_dir.log(None), Err(PlaceError::Several { known }) if known == ["a", "b"]));
        assert!(matches!(data_dir.log(Some("c")), Err(PlaceError::NoAgent { known, .. }) if known == ["a", "b"]));
        assert!(data_dir.log(Some("a")).unwrap().data_dir.is_some());

        // The folder of a log knows the data directory around it; a copy has none, and any name.
        let inside = of(&root, "floor/audit/a").unwrap().log(Some("a")).unwrap();
        assert!(inside.data_dir.is_some() && inside.blobs.is_some() && inside.agent_name.as_deref() == Some("a"));
        let copy = of(&root, "copy").unwrap().log(Some("whoever")).unwrap();
        assert!(copy.data_dir.is_none() && copy.blobs.is_none() && copy.agent_name.is_none());

        assert!(matches!(of(&root, "nowhere"), Err(PlaceError::Missing { .. })));
        assert!(matches!(of(&root, "empty"), Err(PlaceError::NoLogs { .. })));
        assert!(matches!(of(&root, "file"), Err(PlaceError::NoLogs { .. })));
        let damaged = of(&root, "damaged.tar.zst");
        assert!(damaged.and_then(Place::whole).is_err(), "a pack that is none shows nothing");
        assert!(matches!(Place::of("http://127.0.0.1:8081").unwrap(), Place::Remote(_)));
    }
}
