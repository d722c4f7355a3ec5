//! The commits of an unlock, from the lock it begins at to the one it ends at: a line without branches.

use crate::git::commit::Commit;
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::path::RepoPath;
use crate::git::repository::Repository;
use crate::git::tree::{Entry, TreeEntry};
use crate::scope::Scope;
use crate::unlock::refused::{Reason, Refused, Stop};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Most commits of one unlock.
const COMMITS_MOST: usize = 10_000;

/// Deepest nesting of folders that is compared.
const DEPTH_MOST: usize = 128;

/// The commits after `base` up to `head`, the earliest first.
///
/// # Errors
/// [`Stop`]: a merge, or a history that does not come from `base`.
pub fn line(repository: &Repository, base: Id, head: Id) -> Result<Vec<Rc<Commit>>, Stop> {
    let mut commits = Vec::new();
    let mut at = head;
    while at != base {
        if commits.len() >= COMMITS_MOST {
            return Err(GitError::TooLong { limit: COMMITS_MOST }.into());
        }
        let commit = repository.commit(at)?;
        at = match commit.parents.as_slice() {
            [parent] => *parent,
            [] => {
                let message = format!("the history of {head} does not come from the lock's commit {base}");
                return Err(Refused::new(Reason::HistoryRewritten, "", message).into());
            }
            _ => {
                let message = format!("commit {} merges another line of development into the unlock", commit.id);
                return Err(Refused::new(Reason::HistoryMerged, "", message).into());
            }
        };
        commits.push(commit);
    }
    commits.reverse();
    Ok(commits)
}

/// The locked paths that a commit touches: those in which it differs from every parent.
///
/// # Errors
/// [`GitError`].
pub fn touched(repository: &Repository, scope: &Scope, commit: &Commit) -> Result<BTreeSet<RepoPath>, GitError> {
    let mut all: Option<BTreeSet<RepoPath>> = None;
    let parents: Vec<Option<Id>> = match commit.parents.as_slice() {
        [] => vec![None],
        parents => parents.iter().copied().map(Some).collect(),
    };
    for parent in parents {
        let old = parent.map(|parent| repository.commit(parent).map(|parent| parent.tree)).transpose()?;
        let mut paths = BTreeSet::new();
        differing(repository, old, Some(commit.tree), &RepoPath::from(""), 0, &mut paths)?;
        all = Some(match all {
            None => paths,
            Some(all) => all.intersection(&paths).cloned().collect(),
        });
    }
    let mut touched = all.unwrap_or_default();
    touched.retain(|path| scope.holds(path));
    Ok(touched)
}

/// Every path at which two folders differ. Folders of the same id are not read.
fn differing(
    repository: &Repository,
    old: Option<Id>,
    new: Option<Id>,
    folder: &RepoPath,
    depth: usize,
    paths: &mut BTreeSet<RepoPath>,
) -> Result<(), GitError> {
    if old == new {
        return Ok(());
    }
    if depth > DEPTH_MOST {
        return Err(GitError::malformed(
            format!("the folder {folder}"),
            format!("it lies more than {DEPTH_MOST} deep"),
        ));
    }
    let entries = |tree: Option<Id>| -> Result<BTreeMap<Vec<u8>, Entry>, GitError> {
        let Some(tree) = tree else { return Ok(BTreeMap::new()) };
        Ok(repository.tree(tree)?.iter().map(|TreeEntry { name, entry }| (name.clone(), *entry)).collect())
    };
    let (old, new) = (entries(old)?, entries(new)?);
    let names: BTreeSet<&Vec<u8>> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (was, is) = (old.get(name), new.get(name));
        if was == is {
            continue;
        }
        let path = folder.join(name);
        let tree = |entry: Option<&Entry>| match entry {
            Some(Entry::Folder(id)) => Some(*id),
            Some(Entry::Leaf(_)) | None => None,
        };
        if matches!(was, Some(Entry::Leaf(_))) || matches!(is, Some(Entry::Leaf(_))) {
            paths.insert(path.clone());
        }
        differing(repository, tree(was), tree(is), &path, depth.saturating_add(1), paths)?;
    }
    Ok(())
}
