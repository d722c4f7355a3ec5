//! Names of commits, and what makes git show another history than the objects hold.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::{Repository, text};
use std::fs;

/// What makes git's own view of history another one than that of the objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Oddities {
    /// History is cut off: parents are named that are not there.
    pub shallow: bool,
    /// Parents are replaced by a file of grafts.
    pub grafts: bool,
    /// Objects that are shown as others, by id.
    pub replaced: Vec<String>,
}

impl Repository {
    /// All names that begin so (`refs/heads/`), with the objects they name.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn refs(&self, prefix: &str) -> Result<Vec<(String, Id)>, GitError> {
        let answer =
            text(self.ask(&["for-each-ref", "--format=%(objectname) %(refname)", prefix])?, "git for-each-ref")?;
        let read = |line: &str| {
            let (id, name) = line.split_once(' ')?;
            Some((name.to_owned(), Id::parse(id)?))
        };
        answer.lines().map(|line| read(line).ok_or_else(|| GitError::malformed("a ref", line))).collect()
    }

    /// The object a whole name (`refs/tags/x`) names.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn named(&self, name: &str) -> Result<Option<Id>, GitError> {
        Ok(self.refs(name)?.into_iter().find(|(found, _)| found == name).map(|(_, id)| id))
    }

    /// The branch that is checked out, as `refs/heads/…`; nothing where a commit is.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn branch(&self) -> Result<Option<String>, GitError> {
        match self.ask(&["symbolic-ref", "--quiet", "HEAD"]) {
            Ok(name) => Ok(Some(text(name, "git symbolic-ref")?.trim_end().to_owned())),
            Err(GitError::Failed { said, .. }) if said.is_empty() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is odd about its history.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn oddities(&self) -> Result<Oddities, GitError> {
        let has_lines = |name: &str| {
            let path = self.common_dir().join(name);
            match fs::read(&path) {
                Ok(bytes) => Ok(bytes
                    .split(|byte| *byte == b'\n')
                    .any(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#"))),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
                Err(source) => Err(GitError::Io { doing: "read", path, source }),
            }
        };
        let replaced = self.refs("refs/replace/")?.into_iter();
        Ok(Oddities {
            shallow: has_lines("shallow")?,
            grafts: has_lines("info/grafts")?,
            replaced: replaced.map(|(name, _)| name.trim_start_matches("refs/replace/").to_owned()).collect(),
        })
    }
}
