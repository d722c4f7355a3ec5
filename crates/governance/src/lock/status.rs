//! `lock status`: how a repository stands to its lock, and what was changed since.

use crate::change::{Manifest, manifest};
use crate::git::error::GitError;
use crate::git::id::{Id, Kind};
use crate::git::repository::Repository;
use crate::git::tree::Mode;
use crate::lock::chain::{Locks, Placed};
use crate::lock::model::{LOCK_PATH, Lock};
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use std::fs;

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing was ever locked.
    Draft,
    /// There is a lock.
    Locked(Box<LockedStatus>),
    /// There is one that cannot be followed; why.
    Unclear(String),
}

/// What there is to say of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedStatus {
    /// It.
    pub lock: Placed,
    /// How many locks are before it; none where the chain does not hold.
    pub before: Option<usize>,
    /// Tags that name its commit.
    pub tags: Vec<String>,
    /// Locked files in which HEAD differs from it.
    pub since: Manifest,
    /// Locked files that were changed on disk and are not committed.
    pub uncommitted: Vec<String>,
}

/// The status of HEAD.
///
/// # Errors
/// [`GitError`].
pub fn status(repository: &Repository) -> Result<(Id, Status), GitError> {
    let head = repository.head()?;
    Ok((head, of(repository, head)?))
}

fn of(repository: &Repository, head: Id) -> Result<Status, GitError> {
    let locks = Locks::in_history(repository, head)?;
    let Some(bytes) = repository.file_at(head, LOCK_PATH)? else {
        return Ok(Status::Unclear(format!("{LOCK_PATH} is not in HEAD")));
    };
    match Lock::parse(&bytes) {
        Err(error) => return Ok(Status::Unclear(chain(&error))),
        Ok(lock) if lock.locked().is_none() => {
            let follows = locks.not_drafts().next().map(|(sha256, _)| sha256);
            return Ok(
                follows.map_or(Status::Draft, |sha256| Status::Unclear(format!("a draft follows the lock {sha256}")))
            );
        }
        Ok(_) => {}
    }
    let lock = match locks.placed(repository, Digest::of(&bytes))? {
        Ok(lock) => lock,
        Err(error) => return Ok(Status::Unclear(chain(&error))),
    };
    let before = locks.before(repository, &lock)?.ok().map(|before| before.len());
    let mut tags = Vec::new();
    for (name, id) in repository.refs("refs/tags/")? {
        if repository.tag(id).is_ok_and(|tag| tag.commit == lock.commit) {
            tags.push(name.trim_start_matches("refs/tags/").to_owned());
        }
    }
    let since = manifest(repository, &lock.lock.terms.scope, lock.commit, head)?;
    let mut uncommitted = Vec::new();
    for (path, leaf) in repository.files(head)?.iter().filter(|(path, _)| lock.lock.terms.scope.holds(path)) {
        let is_file = matches!(leaf.mode, Mode::File | Mode::Executable);
        if is_file && !fs::read(repository.on_disk(path)).is_ok_and(|bytes| Id::of(Kind::Blob, &bytes) == leaf.id) {
            uncommitted.push(path.to_string());
        }
    }
    Ok(Status::Locked(Box::new(LockedStatus { lock, before, tags, since, uncommitted })))
}
