//! The tree that the manifest policy judges, of a folder's files or a commit's: the same bounds on what is read of either, so that the
//! same files are judged alike. Files outside the judged folders are in it too: a kustomization may name them.

use crate::git::path::RepoPath;
use crate::git::repository::Repository;
use crate::git::tree::{Files, Leaf, Mode};
use agenttrader_core::error_chain::chain;
use agenttrader_policy::tree::{Entry, Tree};

/// Most bytes of one judged file.
const FILE_BYTES_MOST: u64 = 16 * 1024 * 1024;

/// The same of a file outside the judged folders.
pub(crate) const OTHER_BYTES_MOST: u64 = 1024 * 1024;

/// Most bytes of all judged files together.
pub(crate) const TREE_BYTES_MOST: u64 = 512 * 1024 * 1024;

/// The same of the others; what is left out is not there for a kustomization, which then cannot be judged.
const OTHERS_BYTES_MOST: u64 = 128 * 1024 * 1024;

/// A tree of what is found at each path; `look` gives a file of at most so many bytes. None where the judged files are too large together.
pub(crate) fn tree_of<'p, T>(
    found: impl Iterator<Item = (&'p RepoPath, T)>,
    is_judged: impl Fn(&RepoPath) -> bool,
    look: impl Fn(&RepoPath, T, u64) -> Entry,
) -> Option<Tree> {
    let mut tree = Tree::new();
    let (mut judged, mut others) = (0_u64, 0_u64);
    for (path, found) in found {
        let Some(name) = path.as_str() else {
            tree.insert(path.to_string(), Entry::Unreadable("a name that is not UTF-8".to_owned()));
            continue;
        };
        let counts = is_judged(path);
        let (most, total, limit) = if counts {
            (FILE_BYTES_MOST, &mut judged, TREE_BYTES_MOST)
        } else {
            (OTHER_BYTES_MOST, &mut others, OTHERS_BYTES_MOST)
        };
        let is_full = *total >= limit;
        let entry = match look(path, found, if is_full { 0 } else { most }) {
            Entry::File(bytes) => {
                *total = total.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                (*total <= limit).then_some(Entry::File(bytes))
            }
            Entry::Unreadable(_) if is_full => None,
            entry => Some(entry),
        };
        match entry {
            Some(entry) => tree.insert(name, entry),
            None if counts => return None,
            None => {
                let why = "left out: too much lies beside the judged folders";
                tree.insert(name, Entry::Unreadable(why.to_owned()));
            }
        }
    }
    Some(tree)
}

/// The tree of a commit's files. What of them cannot be read is in it as that, and fails where it matters.
pub(crate) fn of_commit(repository: &Repository, files: &Files, is_judged: impl Fn(&RepoPath) -> bool) -> Option<Tree> {
    tree_of(files.iter(), is_judged, |_, leaf, most| entry(repository, *leaf, most))
}

fn entry(repository: &Repository, leaf: Leaf, most: u64) -> Entry {
    match leaf.mode {
        Mode::Gitlink => Entry::Unreadable("a repository of its own".to_owned()),
        Mode::Symlink => repository.blob(leaf.id).map_or_else(
            |error| Entry::Unreadable(chain(&error)),
            |target| Entry::Symlink(String::from_utf8_lossy(&target).into_owned()),
        ),
        Mode::File | Mode::Executable => file_of(repository, leaf, most).map_or_else(Entry::Unreadable, Entry::File),
    }
}

/// The bytes of a commit's regular file, if they are at most so many.
///
/// # Errors
/// The reason, as a person reads it.
pub(crate) fn file_of(repository: &Repository, leaf: Leaf, most: u64) -> Result<Vec<u8>, String> {
    if !matches!(leaf.mode, Mode::File | Mode::Executable) {
        return Err("it is no regular file".to_owned());
    }
    if most == 0 {
        return Err("nothing more is read".to_owned());
    }
    let bytes = repository.blob(leaf.id).map_err(|error| chain(&error))?;
    match u64::try_from(bytes.len()) {
        Ok(size) if size <= most => Ok(bytes),
        _ => Err(format!("it has {} bytes, more than {most}", bytes.len())),
    }
}
