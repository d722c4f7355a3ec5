//! Folders, from their bytes.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::path::RepoPath;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What stands at a path, as git says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// A file.
    #[serde(rename = "100644")]
    File,
    /// A file that can be run.
    #[serde(rename = "100755")]
    Executable,
    /// A symbolic link; the blob is where it points.
    #[serde(rename = "120000")]
    Symlink,
    /// A commit of another repository.
    #[serde(rename = "160000")]
    Gitlink,
}

impl Mode {
    /// The six digits.
    pub const fn digits(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Gitlink => "160000",
        }
    }

    /// The mode of six digits.
    pub fn of_digits(digits: &str) -> Option<Self> {
        [Self::File, Self::Executable, Self::Symlink, Self::Gitlink].into_iter().find(|mode| mode.digits() == digits)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.digits())
    }
}

/// What a folder's entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A folder.
    Folder(Id),
    /// Anything else.
    Leaf(Leaf),
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// As what.
    pub mode: Mode,
    /// Its blob; a commit of another repository for a gitlink.
    pub id: Id,
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// Its name, one part of a path.
    pub name: Vec<u8>,
    /// What it is.
    pub entry: Entry,
}

/// All files by path, in byte order.
pub type Files = BTreeMap<RepoPath, Leaf>;

/// Reads a folder's bytes: no name twice, none that leads elsewhere.
pub(crate) fn tree_entries(id: Id, bytes: &[u8]) -> Result<Vec<TreeEntry>, GitError> {
    let refused = |why: String| GitError::malformed(format!("tree {id}"), why);
    let mut entries = Vec::new();
    let mut names = BTreeSet::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (entry, after) =
            first_entry(rest).ok_or_else(|| refused("an entry is cut off or has an unknown mode".to_owned()))?;
        let shown = RepoPath::new(entry.name.clone());
        let is_git = entry.name.eq_ignore_ascii_case(b".git");
        if is_git || matches!(entry.name.as_slice(), b"" | b"." | b"..") || entry.name.contains(&b'/') {
            return Err(refused(format!("`{shown}` cannot be a name in it")));
        }
        if !names.insert(entry.name.clone()) {
            return Err(refused(format!("`{shown}` stands in it twice")));
        }
        entries.push(entry);
        rest = after;
    }
    Ok(entries)
}

fn first_entry(bytes: &[u8]) -> Option<(TreeEntry, &[u8])> {
    let space = bytes.iter().take(8).position(|byte| *byte == b' ')?;
    let (mode, rest) = bytes.split_at_checked(space)?;
    let rest = rest.get(1..)?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    let (name, rest) = rest.split_at_checked(end)?;
    let (id, after) = rest.get(1..)?.split_first_chunk::<20>()?;
    let id = Id::from_bytes(*id);
    let entry = match mode {
        b"40000" | b"040000" => Entry::Folder(id),
        // Old gits wrote it; every git since reads it as a file.
        b"100664" => Entry::Leaf(Leaf { mode: Mode::File, id }),
        mode => Entry::Leaf(Leaf { mode: Mode::of_digits(std::str::from_utf8(mode).ok()?)?, id }),
    };
    Some((TreeEntry { name: name.to_vec(), entry }, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(entries: &[(&str, &str)]) -> Vec<u8> {
        let entry = |(mode, name): &(&str, &str)| [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &[7; 20]].concat();
        entries.iter().flat_map(entry).collect()
    }

    fn read(bytes: &[u8]) -> Result<Vec<TreeEntry>, GitError> {
        tree_entries(Id::from_bytes([0; 20]), bytes)
    }

    #[test]
    fn a_folder_is_read_from_its_bytes() {
        let entries =
            read(&bytes(&[("100755", "run"), ("40000", "k8s"), ("160000", "sub"), ("120000", "link")])).unwrap();
        let id = Id::from_bytes([7; 20]);
        let leaf = |mode| Entry::Leaf(Leaf { mode, id });
        let kinds: Vec<_> = entries.into_iter().map(|entry| entry.entry).collect();
        assert_eq!(kinds, [leaf(Mode::Executable), Entry::Folder(id), leaf(Mode::Gitlink), leaf(Mode::Symlink)]);
    }

    #[test]
    fn a_folder_with_a_name_twice_a_name_that_leads_elsewhere_or_a_cut_entry_is_refused() {
        for bad in [
            bytes(&[("100644", "a"), ("100644", "a")]),
            bytes(&[("100644", ".git")]),
            bytes(&[("40000", ".GIT")]),
            bytes(&[("100644", "..")]),
            bytes(&[("100644", "")]),
            bytes(&[("100644", "a/b")]),
            bytes(&[("777", "a")]),
            bytes(&[("100644", "a")])[..20].to_vec(),
            b"100644 a".to_vec(),
        ] {
            assert!(read(&bad).is_err(), "{:?}", String::from_utf8_lossy(&bad));
        }
    }
}
