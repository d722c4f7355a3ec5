//! The work tree brought from one commit's files to another's, blob by blob: no filter and no hook has a part in it.

use crate::git::error::GitError;
use crate::git::path::RepoPath;
use crate::git::repository::Repository;
use crate::git::tree::{Files, Leaf, Mode};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

impl Repository {
    /// Where a path of the repository lies on disk.
    pub fn on_disk(&self, path: &RepoPath) -> PathBuf {
        self.root().join(OsStr::from_bytes(path.as_bytes()))
    }

    /// Writes what differs, and takes away what is no more; files that are the same on both sides are not touched. Repositories inside the
    /// repository are left as they are.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn put_on_disk(&self, from: &Files, to: &Files) -> Result<(), GitError> {
        for path in from.keys().filter(|path| !to.contains_key(path)) {
            self.take_away(path)?;
        }
        for (path, leaf) in to.iter().filter(|(path, leaf)| from.get(path) != Some(leaf)) {
            self.put(path, *leaf)?;
        }
        Ok(())
    }

    fn put(&self, path: &RepoPath, leaf: Leaf) -> Result<(), GitError> {
        if leaf.mode == Mode::Gitlink {
            return Ok(());
        }
        let at = self.on_disk(path);
        let bytes = self.blob(leaf.id)?;
        place(&at, leaf.mode, &bytes).map_err(|source| GitError::Io { doing: "write", path: at, source })
    }

    fn take_away(&self, path: &RepoPath) -> Result<(), GitError> {
        let at = self.on_disk(path);
        match fs::remove_file(&at) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(GitError::Io { doing: "remove", path: at, source }),
        }
        // Folders that are empty now, upwards; git knows none.
        let above = at.ancestors().skip(1).take_while(|folder| *folder != self.root());
        above.take_while(|folder| fs::remove_dir(folder).is_ok()).for_each(drop);
        Ok(())
    }
}

/// Written beside and renamed: nobody sees half of it, and no link is followed.
fn place(at: &Path, mode: Mode, bytes: &[u8]) -> io::Result<()> {
    let folder = at.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut name = std::ffi::OsString::from(".");
    name.push(at.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let beside = folder.join(name);
    let written = (|| {
        if mode == Mode::Symlink {
            symlink(OsStr::from_bytes(bytes), &beside)?;
        } else {
            let access = if mode == Mode::Executable { 0o777 } else { 0o666 };
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(access).open(&beside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
        }
        fs::rename(&beside, at)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}
