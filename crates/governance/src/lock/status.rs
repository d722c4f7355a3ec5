//! `lock status`: how a repository stands to its lock, and what was changed since.

use crate::change::{Manifest, manifest};
use crate::git::error::GitError;
use crate::git::id::{Id, Kind};
use crate::git::repository::Repository;
use crate::git::tree::Mode;
use crate::lock::chain::{Locks, Placed};
use crate::lock::genesis;
use crate::lock::model::{LOCK_PATH, Lock};
use crate::lock::people::{People, PeopleError};
use crate::lock::tags::Tags;
use crate::lock::write_error::WriteError;
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use std::collections::BTreeSet;
use std::fs;

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing was ever locked.
    Draft(Draft),
    /// There is a lock.
    Locked(Box<LockedStatus>),
    /// There is one that cannot be followed; why.
    Unclear(String),
}

/// How far a first lock is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Draft {
    /// Nobody is named.
    Unbegun,
    /// The lock lies on disk, and these have not signed it.
    Unsigned(BTreeSet<String>),
    /// People are named, and no lock that they could sign lies on disk; why.
    Stuck(String),
}

/// What there is to say of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedStatus {
    /// It.
    pub lock: Placed,
    /// How many locks are before it; none where the chain does not hold.
    pub before: Option<usize>,
    /// The tags beside it.
    pub tags: Tags,
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
            return Ok(match locks.not_drafts().next() {
                Some((sha256, _)) => Status::Unclear(format!("a draft follows the lock {sha256}")),
                None => Status::Draft(draft(repository, head)?),
            });
        }
        Ok(_) => {}
    }
    let lock = match locks.placed(repository, Digest::of(&bytes))? {
        Ok(lock) => lock,
        Err(error) => return Ok(Status::Unclear(chain(&error))),
    };
    let before = locks.before(repository, &lock)?.ok();
    let tags = Tags::beside(repository, &lock, before.as_deref().unwrap_or_default())?;
    let before = before.map(|before| before.len());
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

/// How far the first lock of a draft is.
fn draft(repository: &Repository, head: Id) -> Result<Draft, GitError> {
    match People::at(repository, head) {
        Err(PeopleError::Git(error)) => return Err(error),
        Ok(people) if people.signers.is_nobody() => return Ok(Draft::Unbegun),
        Err(PeopleError::Absent { .. }) => return Ok(Draft::Unbegun),
        Err(error) => return Ok(Draft::Stuck(chain(&error))),
        Ok(_) => {}
    }
    match genesis::unsigned(repository) {
        Ok(missing) => Ok(Draft::Unsigned(missing)),
        Err(WriteError::Git(error)) => Err(error),
        Err(error) => Ok(Draft::Stuck(chain(&error))),
    }
}
