//! Paths as git stores them: bytes, with `/` between parts.

use std::fmt;

/// A path inside a repository.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// The path of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As text, where it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Its parts.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'/')
    }

    /// The path of an entry in this folder; the root is the empty path.
    #[must_use]
    pub fn join(&self, name: &[u8]) -> Self {
        if self.0.is_empty() {
            return Self(name.to_vec());
        }
        Self([self.0.as_slice(), b"/", name].concat())
    }

    /// The folder it lies in and its last part.
    pub fn split_last(&self) -> (Self, &[u8]) {
        match self.0.iter().rposition(|byte| *byte == b'/').and_then(|at| self.0.split_at_checked(at)) {
            Some((folder, rest)) => (Self(folder.to_vec()), rest.get(1..).unwrap_or_default()),
            None => (Self(Vec::new()), &self.0),
        }
    }
}

impl From<&str> for RepoPath {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

/// What is not UTF-8 is shown with replacement characters, control characters escaped.
impl fmt::Display for RepoPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in String::from_utf8_lossy(&self.0).chars() {
            if letter.is_control() { write!(out, "{}", letter.escape_default())? } else { write!(out, "{letter}")? }
        }
        Ok(())
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_joined_and_split_at_its_last_slash() {
        let path = RepoPath::from("k8s").join(b"base").join(b"x.yaml");
        assert_eq!(path, RepoPath::from("k8s/base/x.yaml"));
        assert_eq!(path.split_last(), (RepoPath::from("k8s/base"), b"x.yaml".as_slice()));
        assert_eq!(RepoPath::from("x").split_last(), (RepoPath::from(""), b"x".as_slice()));
        assert_eq!(RepoPath::from("").join(b"x"), RepoPath::from("x"));
    }

    #[test]
    fn what_cannot_be_shown_is_escaped() {
        assert_eq!(RepoPath::new(b"a\n\xffb".to_vec()).to_string(), "a\\n\u{fffd}b");
    }
}
