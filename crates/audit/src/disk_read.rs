//! The system calls of those who only read files that others made, and follow no link there.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    /// A symbolic link, a pipe, a device.
    Other,
}

/// One name in a folder.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    /// `None` where it is not UTF-8.
    pub(crate) name: Option<String>,
    pub(crate) kind: Kind,
}

/// What reading a file gave.
#[derive(Debug)]
pub(crate) enum Found {
    Bytes(Vec<u8>),
    None,
    NotAFile,
    TooLong,
}

/// A file's bytes. Neither links nor anything but plain files are opened: a pipe would never end.
pub(crate) fn read(path: &Path, most: usize) -> io::Result<Found> {
    let named = match fs::symlink_metadata(path) {
        Ok(named) => named,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Found::None),
        Err(error) => return Err(error),
    };
    if !named.is_file() {
        return Ok(Found::NotAFile);
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::None),
        Err(error) => return Err(error),
    };
    let opened = file.metadata()?;
    // Between looking and opening, the name may have been given to another file, as a checkpoint's is, or to a link.
    if !opened.is_file() || (fs::symlink_metadata(path).is_ok_and(|now| now.is_symlink())) {
        return Ok(Found::NotAFile);
    }
    let bound = u64::try_from(most).unwrap_or(u64::MAX);
    if opened.size() > bound {
        return Ok(Found::TooLong);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(opened.size()).unwrap_or(0));
    file.take(bound.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(if bytes.len() > most { Found::TooLong } else { Found::Bytes(bytes) })
}

/// The names in a folder; `None` where there is none. A link is followed here: whoever names a folder may name it so, and the links in it
/// are told apart.
pub(crate) fn list(path: &Path) -> io::Result<Option<Vec<Name>>> {
    match fs::metadata(path) {
        Ok(named) if named.is_dir() => {}
        Ok(_) => return Ok(None),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error),
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let kind = match entry.file_type() {
            Ok(kind) if kind.is_file() => Kind::File,
            Ok(kind) if kind.is_dir() => Kind::Folder,
            Ok(_) => Kind::Other,
            // Removed since it was listed.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        names.push(Name { name: entry.file_name().into_string().ok(), kind });
    }
    names.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Some(names))
}

/// Whether somebody holds the exclusive lock of the file at that path. Looking takes a shared lock for a moment: who opens a log tries for
/// longer than that.
pub(crate) fn is_locked(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(fs::TryLockError::WouldBlock) => Ok(true),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}
