//! Saved answers of `kubectl get … -o json`: one file, or the `.json` files of a folder.

use crate::bounded_file;
use agenttrader_policy::sources::Sources;
use agenttrader_policy::tree::{Entry, Tree};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Bytes of all answers together; a floor's are some hundred kilobytes.
const BYTES_MOST: u64 = 64 * 1024 * 1024;

/// Files of a folder.
const FILES_MOST: usize = 1_000;

/// The folder of the policy's tree whose files hold objects alone.
const FOLDER: &str = "k8s";

/// Saved answers, as bytes.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    tree: Tree,
}

/// Saved answers, read.
#[derive(Clone, Debug)]
pub struct Parsed<'a> {
    tree: &'a Tree,
    sources: Sources<'a>,
}

/// Why nothing can be said of a cluster.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No regular file.
    #[error("{path} is no regular file")]
    NoFile {
        /// The path.
        path: PathBuf,
    },
    /// The folder is empty.
    #[error("{path} holds no file that ends with .json: save answers of `kubectl get … -o json` there")]
    Nothing {
        /// The folder.
        path: PathBuf,
    },
    /// More than a floor has.
    #[error("{path} holds more than {FILES_MOST} files or {BYTES_MOST} bytes: save the floor's namespace alone")]
    TooMuch {
        /// The file or folder.
        path: PathBuf,
    },
    /// Its content is no answer of kubectl.
    #[error("{path} is no answer of `kubectl get … -o json`: {why}")]
    Form {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Saved {
    /// Reads a file, or a folder's files that end with `.json`.
    ///
    /// # Errors
    /// [`SavedError`].
    pub fn read(from: &Path) -> Result<Self, SavedError> {
        let failed = |source| SavedError::Io { path: from.to_owned(), source };
        let mut paths = Vec::new();
        if fs::metadata(from).map_err(failed)?.is_dir() {
            for entry in fs::read_dir(from).map_err(failed)? {
                let path = entry.map_err(failed)?.path();
                if path.extension().is_some_and(|ending| ending == "json") {
                    paths.push(path);
                }
                if paths.len() > FILES_MOST {
                    return Err(SavedError::TooMuch { path: from.to_owned() });
                }
            }
            if paths.is_empty() {
                return Err(SavedError::Nothing { path: from.to_owned() });
            }
        } else {
            paths.push(from.to_owned());
        }
        let mut saved = Self::default();
        let mut left = BYTES_MOST;
        for path in paths {
            let bytes = file(&path, left)?;
            left = left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            saved.insert(&name, bytes);
        }
        Ok(saved)
    }

    /// Adds an answer.
    pub fn insert(&mut self, name: &str, bytes: Vec<u8>) {
        let ending = if name.ends_with(".json") { "" } else { ".json" };
        self.tree.insert(format!("{FOLDER}/{name}{ending}"), Entry::File(bytes));
    }

    /// Reads them as the manifest policy reads manifests.
    ///
    /// # Errors
    /// [`SavedError::Form`] for whatever could be read in two ways, or holds no object.
    pub fn parsed(&self) -> Result<Parsed<'_>, SavedError> {
        let name =
            |path: &str| path.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path).to_owned();
        let sources = Sources::read(&self.tree);
        if let Some(finding) = sources.findings.first() {
            let line = finding.line.map(|line| format!("line {line}: ")).unwrap_or_default();
            return Err(SavedError::Form { path: name(&finding.path), why: format!("{line}{}", finding.message) });
        }
        let empty = |path: &&str| !sources.files.iter().any(|file| file.path == *path && !file.documents.is_empty());
        if let Some(path) = self.tree.iter().map(|(path, _)| path).find(empty) {
            return Err(SavedError::Form { path: name(path), why: "it holds no object".to_owned() });
        }
        Ok(Parsed { tree: &self.tree, sources })
    }
}

impl<'a> Parsed<'a> {
    /// The bytes.
    pub(super) const fn tree(&self) -> &'a Tree {
        self.tree
    }

    /// The documents.
    pub(super) const fn sources(&self) -> &Sources<'a> {
        &self.sources
    }
}

/// A regular file's bytes; no link is followed to it.
fn file(path: &Path, most: u64) -> Result<Vec<u8>, SavedError> {
    let failed = |source| SavedError::Io { path: path.to_owned(), source };
    if !fs::symlink_metadata(path).map_err(failed)?.is_file() {
        return Err(SavedError::NoFile { path: path.to_owned() });
    }
    bounded_file::read(path, most).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => SavedError::TooMuch { path: path.to_owned() },
        _ => failed(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_folder_is_its_json_files_and_a_file_is_itself_by_any_name() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        assert!(matches!(Saved::read(dir.path()), Err(SavedError::Nothing { .. })));
        put("notes.txt", "not read");
        put("a.json", r#"{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}}"#);
        put("answer", r#"{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "b"}}"#);
        let saved = Saved::read(dir.path()).unwrap();
        assert_eq!(saved.parsed().unwrap().sources().files.len(), 1);
        assert!(Saved::read(&dir.path().join("answer")).unwrap().parsed().is_ok());
        assert!(matches!(Saved::read(&dir.path().join("nowhere")), Err(SavedError::Io { .. })));
        symlink(dir.path().join("answer"), dir.path().join("b.json")).unwrap();
        assert!(matches!(Saved::read(dir.path()), Err(SavedError::NoFile { .. })));
    }

    #[test]
    fn what_can_be_read_in_two_ways_or_is_no_object_is_no_answer() {
        for text in [
            "",
            "Error from server (Forbidden)",
            "{}",
            r#"{"kind": "Pod", "kind": "Job"}"#,
            r#"{"kind": "Pod", "spec": {"replicas": 1, "replicas": 0}}"#,
            r#"{"kind": "Pod""#,
            "{\"kind\": \"Pod\"}\n\u{0}",
        ] {
            let mut saved = Saved::default();
            saved.insert("a.json", text.as_bytes().to_vec());
            assert!(matches!(saved.parsed(), Err(SavedError::Form { path, .. }) if path == "a.json"), "{text}");
        }
        // A name by which the policy takes a file for something else.
        let mut saved = Saved::default();
        saved.insert("Dockerfile.json", br#"{"kind": "Pod"}"#.to_vec());
        assert!(saved.parsed().is_err());
    }
}
