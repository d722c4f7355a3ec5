//! Where one log's files come from: a folder, memory (a pack), or what others implement [`LogFiles`] for (a URL).
//!
//! A path is relative to the log's root and written with `/`: `checkpoint`, `tile/0/000`, `tile/entries/000.p/7`. Large payloads are read
//! through the same trait, with their SHA-256 in hex as path.

use crate::disk::{self, Found, Kind};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Names that a listing holds at most: some 500 million entries' files.
pub const NAMES_MOST: usize = 4_000_000;

/// The files of one log, or of a folder of large payloads.
pub trait LogFiles: Sync {
    /// What an operator calls the place: a folder, a URL, a pack's file.
    fn place(&self) -> String;

    /// A file's bytes; `None` where there is no such file.
    ///
    /// # Errors
    /// [`SourceError`] when it cannot be read, is no plain file, or is longer than `most` bytes.
    fn read(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, SourceError>;

    /// The paths of everything that stands there, plain file or not; an empty folder with a `/` at its end. `None` where the place cannot
    /// be listed.
    ///
    /// # Errors
    /// [`SourceError`] when the listing fails.
    fn list(&self) -> Result<Option<Vec<String>>, SourceError>;

    /// Whether somebody may be writing there now.
    fn is_live(&self) -> bool;

    /// Whether an agent writes there at times: one that was killed may have left partial files that its checkpoint has outgrown.
    fn is_written(&self) -> bool {
        false
    }
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A symbolic link, a pipe, a folder: nothing of the kind belongs to a log.
    #[error("{path} is not a plain file")]
    NotAFile {
        /// What was asked for.
        path: String,
    },
    /// Longer than any such file is.
    #[error("{path} is longer than {most} bytes")]
    TooLong {
        /// What was asked for.
        path: String,
        /// Bytes it may have.
        most: usize,
    },
    /// More names than are read.
    #[error("{place} holds more than {NAMES_MOST} names")]
    TooMany {
        /// The folder.
        place: String,
    },
    /// The system's refusal.
    #[error("cannot read {path}")]
    Io {
        /// What was asked for.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another source's refusal, such as a server's.
    #[error("cannot read {path}: {why}")]
    Refused {
        /// What was asked for.
        path: String,
        /// Why.
        why: String,
    },
}

impl SourceError {
    /// Whether this speaks of what stands there, and not of the way to it: such a file is itself a difference.
    pub const fn is_of_content(&self) -> bool {
        matches!(self, Self::NotAFile { .. } | Self::TooLong { .. } | Self::TooMany { .. })
    }
}

/// A folder on this machine, or a link to one. No symbolic link below it is followed.
#[derive(Clone, Debug)]
pub struct Directory {
    root: PathBuf,
    lock: Option<PathBuf>,
}

impl Directory {
    /// A folder that nobody writes to.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), lock: None }
    }

    /// One agent's log in a data directory: live while its lock is held.
    pub fn of_agent(data_dir: &Path, agent_name: &str) -> Self {
        let lock = data_dir.join("audit-state").join(agent_name).join("lock");
        Self { root: data_dir.join("audit").join(agent_name), lock: Some(lock) }
    }

    /// The folder of one log: where it is `DATA_DIR/audit/AGENT`, live while that agent's lock is held.
    pub fn of_log(root: &Path) -> Self {
        let absolute = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        let found = absolute.file_name().and_then(|name| name.to_str()).zip(absolute.parent().and_then(Path::parent));
        match found {
            Some((agent_name, data_dir)) if absolute.parent().is_some_and(|above| above.ends_with("audit")) => {
                Self { root: root.to_owned(), ..Self::of_agent(data_dir, agent_name) }
            }
            _ => Self::new(root),
        }
    }

    /// The folder of large payloads in a data directory.
    pub fn of_blobs(data_dir: &Path) -> Self {
        Self::new(data_dir.join("audit-blobs"))
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl LogFiles for Directory {
    fn place(&self) -> String {
        self.root.display().to_string()
    }

    fn read(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        let relative = Path::new(path);
        if path.is_empty() || !relative.components().all(|part| matches!(part, Component::Normal(_))) {
            return Ok(None);
        }
        let whole = self.root.join(relative);
        match disk::read_plain(&whole, most) {
            Ok(Found::Bytes(bytes)) => Ok(Some(bytes)),
            Ok(Found::None) => Ok(None),
            Ok(Found::NotAFile) => Err(SourceError::NotAFile { path: path.to_owned() }),
            Ok(Found::TooLong) => Err(SourceError::TooLong { path: path.to_owned(), most }),
            Err(source) => Err(SourceError::Io { path: path.to_owned(), source }),
        }
    }

    fn list(&self) -> Result<Option<Vec<String>>, SourceError> {
        let mut found = Vec::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let path = self.root.join(&folder);
            let failed = |source| SourceError::Io { path: path.display().to_string(), source };
            // A folder that is gone by now was removed meanwhile.
            let Some(names) = disk::list_plain(&path).map_err(failed)? else { continue };
            if names.is_empty() && !folder.is_empty() {
                found.push(format!("{folder}/"));
            }
            for name in names {
                let text = name.name.unwrap_or_else(|| "(a name that is not UTF-8)".to_owned());
                let path = if folder.is_empty() { text } else { format!("{folder}/{text}") };
                if name.kind == Kind::Folder {
                    folders.push(path)
                } else {
                    found.push(path)
                }
                if found.len() > NAMES_MOST || folders.len() > NAMES_MOST {
                    return Err(SourceError::TooMany { place: self.place() });
                }
            }
        }
        found.sort_unstable();
        Ok(Some(found))
    }

    fn is_live(&self) -> bool {
        // One that cannot be looked at may be held.
        self.lock.as_deref().is_some_and(|lock| disk::is_locked(lock).unwrap_or(true))
    }

    fn is_written(&self) -> bool {
        self.lock.is_some()
    }
}

/// Files in memory, by path.
#[derive(Clone, Debug, Default)]
pub struct InMemory<'bytes> {
    place: String,
    files: BTreeMap<String, Cow<'bytes, [u8]>>,
}

impl<'bytes> InMemory<'bytes> {
    /// No files yet.
    pub fn new(place: impl Into<String>) -> Self {
        Self { place: place.into(), files: BTreeMap::new() }
    }

    /// Puts a file in, in the place of one of that path.
    pub fn insert(&mut self, path: impl Into<String>, bytes: impl Into<Cow<'bytes, [u8]>>) {
        self.files.insert(path.into(), bytes.into());
    }

    /// Takes a file out.
    pub fn remove(&mut self, path: &str) -> Option<Cow<'bytes, [u8]>> {
        self.files.remove(path)
    }

    /// The files.
    pub const fn files(&self) -> &BTreeMap<String, Cow<'bytes, [u8]>> {
        &self.files
    }
}

impl LogFiles for InMemory<'_> {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn read(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        match self.files.get(path) {
            Some(bytes) if bytes.len() > most => Err(SourceError::TooLong { path: path.to_owned(), most }),
            found => Ok(found.map(|bytes| bytes.to_vec())),
        }
    }

    fn list(&self) -> Result<Option<Vec<String>>, SourceError> {
        Ok(Some(self.files.keys().cloned().collect()))
    }

    fn is_live(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_folder_is_read_and_listed_without_following_links() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("log");
        fs::create_dir_all(root.join("tile/0")).unwrap();
        fs::create_dir_all(root.join("tile/empty")).unwrap();
        fs::write(root.join("checkpoint"), "abc").unwrap();
        fs::write(root.join("tile/0/000"), "x").unwrap();
        fs::write(dir.path().join("outside"), "secret").unwrap();
        symlink(dir.path().join("outside"), root.join("tile/0/001")).unwrap();
        symlink(dir.path(), root.join("tile/1")).unwrap();
        let files = Directory::new(&root);
        assert_eq!(files.list().unwrap().unwrap(), ["checkpoint", "tile/0/000", "tile/0/001", "tile/1", "tile/empty/"]);
        assert_eq!(files.read("checkpoint", 3).unwrap().unwrap(), b"abc");
        assert!(matches!(files.read("checkpoint", 2), Err(SourceError::TooLong { most: 2, .. })));
        assert!(matches!(files.read("tile/0/001", 99), Err(SourceError::NotAFile { .. })));
        assert!(matches!(files.read("tile/0", 99), Err(SourceError::NotAFile { .. })));
        for absent in ["tile/0/002", "checkpoint/x", "../outside", "/etc/hostname", ""] {
            assert!(files.read(absent, 1 << 20).unwrap().is_none(), "{absent}");
        }
        assert!(!files.is_live());
    }

    #[test]
    fn the_folder_of_a_log_in_a_data_directory_is_live_while_the_lock_is_held() {
        let dir = tempfile::tempdir().unwrap();
        let (root, state) = (dir.path().join("audit/a"), dir.path().join("audit-state/a"));
        fs::create_dir_all(&root).unwrap();
        fs::create_dir_all(&state).unwrap();
        assert!(!Directory::of_log(&root).is_live());
        let lock = fs::File::create(state.join("lock")).unwrap();
        assert!(!Directory::of_log(&root).is_live());
        lock.try_lock().unwrap();
        assert!(Directory::of_log(&root).is_live());
        assert!(Directory::of_agent(dir.path(), "a").is_live());
        assert!(!Directory::new(&root).is_live());
    }

    #[test]
    fn files_in_memory_are_read_within_the_bound() {
        let mut files = InMemory::new("a pack");
        files.insert("checkpoint", b"abc".as_slice());
        assert_eq!(files.list().unwrap().unwrap(), ["checkpoint"]);
        assert_eq!(files.read("checkpoint", 3).unwrap().unwrap(), b"abc");
        assert!(files.read("tile/0/000", 3).unwrap().is_none());
        assert!(files.read("checkpoint", 2).is_err());
    }
}
