//! The index: what would be committed next, with the flags that hide files from git's own comparisons.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::path::RepoPath;
use crate::git::repository::Repository;
use crate::git::tree::{Leaf, Mode};

/// One entry of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// Where.
    pub path: RepoPath,
    /// What.
    pub leaf: Leaf,
    /// 0; 1 to 3 while a merge is not resolved.
    pub stage: u8,
    /// Git was told to take the file for unchanged.
    pub assume_unchanged: bool,
    /// Git was told not to look at the file.
    pub skip_worktree: bool,
}

impl Repository {
    /// Every entry.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn index(&self) -> Result<Vec<IndexEntry>, GitError> {
        let answer = self.ask(&["ls-files", "--stage", "-v", "-z"])?;
        let lines = answer.split(|byte| *byte == 0).filter(|line| !line.is_empty());
        lines
            .map(|line| entry(line).ok_or_else(|| GitError::malformed("the index", String::from_utf8_lossy(line))))
            .collect()
    }

    /// Files of the work tree that git does not know, without those it was told to ignore.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn untracked(&self) -> Result<Vec<RepoPath>, GitError> {
        let answer = self.ask(&["ls-files", "--others", "--exclude-standard", "-z"])?;
        Ok(answer.split(|byte| *byte == 0).filter(|path| !path.is_empty()).map(RepoPath::new).collect())
    }
}

/// `FLAG MODE ID STAGE\tPATH`.
fn entry(line: &[u8]) -> Option<IndexEntry> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let (head, path) = line.split_at_checked(tab)?;
    let mut words = std::str::from_utf8(head).ok()?.split(' ');
    let flag = words.next()?;
    let leaf = Leaf { mode: Mode::of_digits(words.next()?)?, id: Id::parse(words.next()?)? };
    let stage = words.next()?.parse().ok()?;
    Some(IndexEntry {
        path: RepoPath::new(path.get(1..)?),
        leaf,
        stage,
        assume_unchanged: flag.chars().all(|letter| letter.is_ascii_lowercase()),
        skip_worktree: flag.eq_ignore_ascii_case("s"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_an_entry_are_told_apart() {
        let line = |flag: &str| format!("{flag} 100644 e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 0\ta b\tc");
        for (flag, assumed, skipped) in
            [("H", false, false), ("h", true, false), ("S", false, true), ("s", true, true), ("M", false, false)]
        {
            let entry = entry(line(flag).as_bytes()).unwrap();
            assert_eq!((entry.assume_unchanged, entry.skip_worktree), (assumed, skipped), "{flag}");
            assert_eq!(entry.path, RepoPath::from("a b\tc"));
        }
        assert_eq!(entry(b"H 100644 xyz 0\ta"), None);
    }
}
