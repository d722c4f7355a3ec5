//! What lies on disk, as it lies there: hidden, ignored and untracked files too, links as links.

use crate::bounded_file;
use crate::git::path::RepoPath;
use crate::policy_tree::{TREE_BYTES_MOST, tree_of};
use agenttrader_policy::tree::{Entry, Tree};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Folders at the top that are never a part of what is judged, besides the data directory.
const NEVER: [&str; 3] = [".git", "target", "audit_artifacts"];

/// Folders that are judged wherever somebody says that data lies.
const ALWAYS: [&str; 5] = ["k8s", "infra", "config", "configs", "scripts"];

/// Most files and folders that are walked.
const ENTRIES_MOST: usize = 500_000;

/// What stands at a path on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A regular file.
    File {
        /// Its owner may run it.
        executable: bool,
        /// Its size.
        size: u64,
    },
    /// A symbolic link.
    Symlink,
    /// A device, a pipe, a socket.
    Other,
    /// A folder that cannot be listed, or an entry that cannot be looked at.
    Unreadable,
}

/// Why a folder cannot be walked.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// It is not there, or is no folder, or cannot be listed.
    #[error("cannot list {path}")]
    Root {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// More than anybody locks.
    #[error("{path} holds more than {ENTRIES_MOST} files and folders")]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
    /// More than anybody locks.
    #[error("the judged files of {path} have more than {TREE_BYTES_MOST} bytes together")]
    TooLarge {
        /// The folder.
        path: PathBuf,
    },
}

/// A folder's files.
#[derive(Clone, Debug)]
pub struct Disk {
    root: PathBuf,
    found: Vec<(RepoPath, Found)>,
}

impl Disk {
    /// Walks a folder. `data_dir` is left out where it lies inside, but in no judged folder.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn walk(root: &Path, data_dir: Option<&Path>) -> Result<Self, DiskError> {
        let left_out = data_dir.and_then(|data_dir| inside(root, data_dir));
        let mut disk = Self { root: root.to_owned(), found: Vec::new() };
        let listed = fs::read_dir(root).map_err(|source| DiskError::Root { path: root.to_owned(), source })?;
        drop(listed);
        let mut folders = vec![RepoPath::from("")];
        let mut seen = 0_usize;
        while let Some(folder) = folders.pop() {
            let at = disk.place(&folder);
            if left_out.as_ref() == Some(&folder) {
                continue;
            }
            let Ok(entries) = fs::read_dir(&at) else {
                disk.found.push((folder, Found::Unreadable));
                continue;
            };
            for entry in entries {
                seen = seen.saturating_add(1);
                if seen > ENTRIES_MOST {
                    return Err(DiskError::TooMany { path: root.to_owned() });
                }
                let Ok(entry) = entry else {
                    disk.found.push((folder.clone(), Found::Unreadable));
                    continue;
                };
                let path = folder.join(entry.file_name().as_bytes());
                if folder.as_bytes().is_empty() && NEVER.iter().any(|never| path.as_bytes() == never.as_bytes()) {
                    continue;
                }
                match kind(&disk.place(&path)) {
                    None => folders.push(path),
                    Some(found) => disk.found.push((path, found)),
                }
            }
        }
        disk.found.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(disk)
    }

    /// The folder that was walked.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Everything but folders, by path in byte order.
    pub fn iter(&self) -> impl Iterator<Item = (&RepoPath, Found)> {
        self.found.iter().map(|(path, found)| (path, *found))
    }

    /// The bytes of a regular file of at most so many bytes; no link is followed to it.
    ///
    /// # Errors
    /// The reason, as a person reads it.
    pub fn read(&self, path: &RepoPath, most: u64) -> Result<Vec<u8>, String> {
        let at = self.place(path);
        match kind(&at) {
            Some(Found::File { size, .. }) if size <= most => {}
            Some(Found::File { size, .. }) => return Err(format!("it has {size} bytes, more than {most}")),
            Some(Found::Unreadable) => return Err("it is not there, or cannot be looked at".to_owned()),
            _ => return Err("it is no regular file".to_owned()),
        }
        bounded_file::read(&at, most).map_err(|error| format!("it cannot be read: {error}"))
    }

    /// The tree that the manifest policy judges.
    ///
    /// # Errors
    /// [`DiskError::TooLarge`].
    pub fn tree(&self, is_judged: impl Fn(&RepoPath) -> bool) -> Result<Tree, DiskError> {
        let look = |path: &RepoPath, found: Found, most: u64| match found {
            Found::File { .. } => self.read(path, most).map_or_else(Entry::Unreadable, Entry::File),
            Found::Symlink => {
                let target = fs::read_link(self.place(path)).unwrap_or_default();
                Entry::Symlink(target.to_string_lossy().into_owned())
            }
            Found::Other => Entry::Unreadable("a device, a pipe or a socket".to_owned()),
            Found::Unreadable => Entry::Unreadable("it cannot be looked into".to_owned()),
        };
        tree_of(self.iter(), is_judged, look).ok_or_else(|| DiskError::TooLarge { path: self.root.clone() })
    }

    fn place(&self, path: &RepoPath) -> PathBuf {
        self.root.join(OsStr::from_bytes(path.as_bytes()))
    }
}

/// The data directory's path inside the folder, where it may be left out.
fn inside(root: &Path, data_dir: &Path) -> Option<RepoPath> {
    let (root, data_dir) = (fs::canonicalize(root).ok()?, fs::canonicalize(data_dir).ok()?);
    let path = RepoPath::new(data_dir.strip_prefix(&root).ok()?.as_os_str().as_bytes());
    let first = path.parts().next()?.to_owned();
    (!first.is_empty() && !ALWAYS.iter().any(|always| always.as_bytes() == first)).then_some(path)
}

/// What stands there; nothing for a folder.
fn kind(at: &Path) -> Option<Found> {
    match fs::symlink_metadata(at) {
        Ok(is) if is.is_dir() => None,
        Ok(is) if is.is_file() => {
            Some(Found::File { executable: is.permissions().mode() & 0o100 != 0, size: is.size() })
        }
        Ok(is) if is.is_symlink() => Some(Found::Symlink),
        Ok(_) => Some(Found::Other),
        Err(_) => Some(Found::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy_tree::OTHER_BYTES_MOST;
    use std::os::unix::fs::symlink;

    #[test]
    fn hidden_and_linked_files_are_seen_as_what_they_are_and_build_folders_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let at = dir.path().join(path);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(at, text).unwrap();
        };
        for path in
            ["k8s/.hidden/a.yaml", "k8s/target/b.yaml", "target/c", ".git/d", "audit_artifacts/e", "data/f", "README"]
        {
            put(path, path);
        }
        symlink("../README", dir.path().join("k8s/link")).unwrap();
        symlink("k8s", dir.path().join("infra")).unwrap();
        let disk = Disk::walk(dir.path(), Some(&dir.path().join("data"))).unwrap();
        let tree = disk.tree(|_| true).unwrap();
        let seen: Vec<_> = tree.iter().map(|(path, _)| path).collect();
        assert_eq!(seen, ["README", "infra", "k8s/.hidden/a.yaml", "k8s/link", "k8s/target/b.yaml"]);
        assert_eq!(tree.get("k8s/link"), Some(&Entry::Symlink("../README".to_owned())));
        assert_eq!(tree.get("infra"), Some(&Entry::Symlink("k8s".to_owned())));
        assert_eq!(tree.file("README"), Some(b"README".as_slice()));
    }

    #[test]
    fn a_judged_folder_is_judged_though_somebody_calls_it_the_data_directory() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("k8s/data")).unwrap();
        fs::write(dir.path().join("k8s/data/a.yaml"), "").unwrap();
        symlink("k8s/data", dir.path().join("data")).unwrap();
        for data_dir in ["k8s", "k8s/data", "data", "", "nowhere"] {
            let disk = Disk::walk(dir.path(), Some(&dir.path().join(data_dir))).unwrap();
            assert!(disk.iter().any(|(path, _)| path.as_str() == Some("k8s/data/a.yaml")), "{data_dir}");
        }
    }

    #[test]
    fn a_file_that_is_too_large_for_its_place_is_there_and_unreadable() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["judged", "other"] {
            fs::File::create(dir.path().join(name)).unwrap().set_len(OTHER_BYTES_MOST + 1).unwrap();
        }
        let disk = Disk::walk(dir.path(), None).unwrap();
        let tree = disk.tree(|path| path.as_str() == Some("judged")).unwrap();
        assert!(tree.file("judged").is_some());
        assert!(matches!(tree.get("other"), Some(Entry::Unreadable(_))));
    }

    #[test]
    fn a_folder_that_is_not_there_is_no_empty_tree() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Disk::walk(&dir.path().join("nowhere"), None), Err(DiskError::Root { .. })));
    }
}
