//! The exact change that people approve: each file of the scope whose mode or bytes differ, by digest.
//!
//! The caller makes it from objects (trees and blobs), never from the text of a diff. Its digest is over plain lines, so that
//! two people can compute it with other tools.

use agenttrader_core::digest::Digest;
use serde::{Deserialize, Serialize};

/// Most files one approval may name.
pub const FILES_MAX: usize = 4_096;

/// The files that change, in byte order of their paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeManifest {
    /// Digest of [`ChangeManifest::bytes`].
    pub manifest_sha256: Digest,
    /// The files.
    pub files: Vec<ChangedFile>,
}

/// One file that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedFile {
    /// Its path.
    pub path: String,
    /// Before: null where there was none.
    pub old: Option<FileState>,
    /// After: null where there is none.
    pub new: Option<FileState>,
}

/// A file's mode and bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileState {
    /// Its mode.
    pub mode: FileMode,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// The modes a file of the scope may have: no symbolic link, no submodule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileMode {
    /// A file.
    #[serde(rename = "100644")]
    Plain,
    /// A file that runs.
    #[serde(rename = "100755")]
    Executable,
}

/// Why a list of files is no manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// More files than an approval may name.
    #[error("{0} files change, more than {FILES_MAX}")]
    TooMany(usize),
    /// A path that is none, or that could be taken for another.
    #[error("`{}` is no path of a file in a repository", .0.escape_debug())]
    Path(String),
    /// Not in byte order, or twice.
    #[error("`{}` does not follow the path before it in byte order", .0.escape_debug())]
    Order(String),
    /// A file that does not change.
    #[error("`{}` does not change", .0.escape_debug())]
    Unchanged(String),
    /// The digest is of other lines.
    #[error("the change's digest is {found}, it says {said}")]
    Digest {
        /// What its lines have.
        found: Digest,
        /// What it says.
        said: Digest,
    },
}

impl ChangeManifest {
    /// A manifest of these files.
    ///
    /// # Errors
    /// [`ManifestError`] where they are none.
    pub fn new(files: Vec<ChangedFile>) -> Result<Self, ManifestError> {
        check(&files)?;
        Ok(Self { manifest_sha256: Digest::of(&lines(&files)), files })
    }

    /// Whether it is one: what it says of its digest is so.
    ///
    /// # Errors
    /// [`ManifestError`] where it is none.
    pub fn check(&self) -> Result<(), ManifestError> {
        check(&self.files)?;
        let found = Digest::of(&self.bytes());
        if found == self.manifest_sha256 {
            Ok(())
        } else {
            Err(ManifestError::Digest { found, said: self.manifest_sha256 })
        }
    }

    /// What its digest is over: for each file `OLD_MODE NEW_MODE OLD_SHA256 NEW_SHA256 PATH` and a NUL; zeros where there is
    /// no file.
    pub fn bytes(&self) -> Vec<u8> {
        lines(&self.files)
    }
}

impl FileMode {
    /// As git writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "100644",
            Self::Executable => "100755",
        }
    }
}

fn check(files: &[ChangedFile]) -> Result<(), ManifestError> {
    if files.len() > FILES_MAX {
        return Err(ManifestError::TooMany(files.len()));
    }
    let mut before: Option<&str> = None;
    for ChangedFile { path, old, new } in files {
        let parts_are_names = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !parts_are_names || path.chars().any(char::is_control) {
            return Err(ManifestError::Path(path.clone()));
        }
        if before.is_some_and(|before| before.as_bytes() >= path.as_bytes()) {
            return Err(ManifestError::Order(path.clone()));
        }
        if old == new {
            return Err(ManifestError::Unchanged(path.clone()));
        }
        before = Some(path);
    }
    Ok(())
}

fn lines(files: &[ChangedFile]) -> Vec<u8> {
    const NO_MODE: &str = "000000";
    const NO_FILE: Digest = Digest::from_bytes([0; 32]);
    let mode = |state: &Option<FileState>| state.map_or(NO_MODE, |state| state.mode.as_str());
    let digest = |state: &Option<FileState>| state.map_or(NO_FILE, |state| state.sha256);
    let mut bytes = Vec::new();
    for ChangedFile { path, old, new } in files {
        let line = format!("{} {} {} {} {path}\0", mode(old), mode(new), digest(old), digest(new));
        bytes.extend_from_slice(line.as_bytes());
    }
    bytes
}
