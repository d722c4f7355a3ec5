//! The unlock whose branch is checked out, as it stands.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::git::tree::{Files, Mode};
use crate::lock::chain::Placed;
use crate::lock::commit::branch;
use crate::lock::later;
use crate::lock::write_error::WriteError;
use crate::unlock::request::{self, Request};
use std::fs;

/// An unlock on its branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// Its id.
    pub unlock_id: String,
    /// The lock that it begins at.
    pub base: Placed,
    /// The branch's last commit.
    pub head: Id,
    /// What was asked for.
    pub request: Request,
}

/// The one that is checked out.
///
/// # Errors
/// [`WriteError::Refused`] where none is, or it is done.
pub fn current(repository: &Repository) -> Result<Current, WriteError> {
    let branch = branch(repository)?;
    let unlock_id = request::of_branch(&branch).ok_or_else(|| {
        WriteError::refused(
            format!("{} is no unlock's branch", branch.trim_start_matches("refs/heads/")),
            "`agenttrader unlock open` begins one; git switch to unlock/ID goes back to it",
        )
    })?;
    let head = repository.head()?;
    let request = request::at(repository, head, unlock_id)?;
    let base = later::base(repository)?;
    if base.sha256 != request.base_lock_sha256 || base.commit.to_string() != request.base_commit {
        return Err(WriteError::refused(
            format!("unlock {unlock_id} began at another lock than {}", base.sha256),
            "a lock came after it: open the unlock anew",
        ));
    }
    Ok(Current { unlock_id: unlock_id.to_owned(), base, head, request })
}

/// That index and disk hold what HEAD does, so that nothing of anybody's is written over.
///
/// # Errors
/// [`WriteError::Refused`] where they do not.
pub fn is_clean(repository: &Repository, head: &Files, wanted: &Files) -> Result<(), WriteError> {
    let refused =
        |what: String| WriteError::refused(what, "commit it or put it away: git status lists what is not committed");
    let index = repository.index()?;
    if index.len() != head.len() || index.iter().any(|entry| head.get(&entry.path) != Some(&entry.leaf)) {
        return Err(refused("the index holds something else than HEAD".to_owned()));
    }
    for (path, leaf) in head {
        if !matches!(leaf.mode, Mode::File | Mode::Executable) {
            continue;
        }
        let at = repository.on_disk(path);
        let bytes = fs::read(&at).map_err(|source| GitError::Io { doing: "read", path: at, source })?;
        if Id::of(crate::git::id::Kind::Blob, &bytes) != leaf.id {
            return Err(refused(format!("{path} has changes that are not committed")));
        }
    }
    match wanted.keys().find(|path| !head.contains_key(path) && fs::symlink_metadata(repository.on_disk(path)).is_ok())
    {
        Some(path) => Err(refused(format!("{path} lies there and is in no commit, and would be written over"))),
        None => Ok(()),
    }
}
