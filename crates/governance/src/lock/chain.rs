//! Where locks stand in a history. They are found by `previous`, never by the name of a tag or a branch.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::git::tree::{Leaf, Mode};
use crate::lock::model::{LOCK_PATH, Lock, LockError};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use std::collections::{BTreeMap, HashMap};

/// Longest chain of locks that is followed.
const LOCKS_MOST: usize = 10_000;

/// A lock and its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The one commit whose tree holds its bytes while no parent's does.
    pub commit: Id,
    /// The lock.
    pub lock: Lock,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// A version of the lock's file that some commit brought in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    /// Commits that brought it in.
    commits: Vec<Id>,
    sha256: Digest,
    read: Result<Lock, LockError>,
    /// It says `draft`, in whatever form.
    is_draft: bool,
}

/// All versions of the lock's file in a history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locks {
    versions: BTreeMap<Digest, Version>,
}

/// Why a lock does not stand where one can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// No commit of the history brought it in.
    #[error("no commit of the history holds the lock {sha256}")]
    Absent {
        /// The lock.
        sha256: Digest,
    },
    /// It came twice.
    #[error("the lock {sha256} was brought in by {} commits, {}; one is its own", commits.len(), told(commits))]
    Several {
        /// The lock.
        sha256: Digest,
        /// The commits.
        commits: Vec<Id>,
    },
    /// It cannot be read.
    #[error("the lock {sha256} cannot be read")]
    Unread {
        /// The lock.
        sha256: Digest,
        /// Why.
        #[source]
        source: LockError,
    },
    /// A draft where a lock has to be.
    #[error("{sha256} is a draft, and a lock names it as the one before")]
    Draft {
        /// The draft.
        sha256: Digest,
    },
    /// Its parent is another.
    #[error("the lock's commit {commit} has {}, and the lock names {git_sha}", parents(found))]
    Parent {
        /// Its commit.
        commit: Id,
        /// Its parents.
        found: Vec<Id>,
        /// The parent it names.
        git_sha: Id,
    },
    /// The one before it is not before it.
    #[error("the lock of {before} is not in the history of the lock of {commit}, which names it as the one before")]
    Order {
        /// The later lock's commit.
        commit: Id,
        /// The earlier lock's.
        before: Id,
    },
    /// The chain does not end.
    #[error("the chain of locks is longer than {LOCKS_MOST}")]
    Endless,
}

fn told(commits: &[Id]) -> String {
    commits.iter().map(Id::to_string).collect::<Vec<_>>().join(", ")
}

fn parents(found: &[Id]) -> String {
    match found {
        [] => "no parent".to_owned(),
        [one] => format!("the parent {one}"),
        several => format!("{} parents", several.len()),
    }
}

impl Locks {
    /// Those in the history of a commit.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn in_history(repository: &Repository, head: Id) -> Result<Self, GitError> {
        let history = repository.history(head)?;
        let mut blobs: HashMap<Id, Option<Id>> = HashMap::new();
        for commit in &history {
            let blob = match repository.at(commit.id, LOCK_PATH)? {
                Some(Leaf { mode: Mode::File | Mode::Executable, id }) => Some(id),
                _ => None,
            };
            blobs.insert(commit.id, blob);
        }
        let mut brought: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
        for commit in &history {
            let held = |id: &Id| blobs.get(id).copied().flatten();
            if let Some(blob) = held(&commit.id)
                && !commit.parents.iter().any(|parent| held(parent) == Some(blob))
            {
                brought.entry(blob).or_default().push(commit.id);
            }
        }
        let mut versions = BTreeMap::new();
        for (blob, mut commits) in brought {
            commits.sort();
            let bytes = repository.blob(blob)?;
            let (sha256, read, is_draft) = (Digest::of(&bytes), Lock::parse(&bytes), says_draft(&bytes));
            versions.insert(sha256, Version { commits, sha256, read, is_draft });
        }
        Ok(Self { versions })
    }

    /// The lock with these bytes, in its place.
    ///
    /// # Errors
    /// [`ChainError`].
    pub fn placed(&self, repository: &Repository, sha256: Digest) -> Result<Result<Placed, ChainError>, GitError> {
        let Some(version) = self.versions.get(&sha256) else { return Ok(Err(ChainError::Absent { sha256 })) };
        let commit = match version.commits.as_slice() {
            [one] => *one,
            several => return Ok(Err(ChainError::Several { sha256, commits: several.to_vec() })),
        };
        let lock = match &version.read {
            Ok(lock) => lock.clone(),
            Err(source) => return Ok(Err(ChainError::Unread { sha256, source: source.clone() })),
        };
        let Some(git_sha) = lock.locked().map(|locked| locked.git_sha) else {
            return Ok(Err(ChainError::Draft { sha256 }));
        };
        let found = repository.commit(commit)?.parents.clone();
        if found != [git_sha] {
            return Ok(Err(ChainError::Parent { commit, found, git_sha }));
        }
        Ok(Ok(Placed { commit, lock, sha256 }))
    }

    /// The locks before a lock, the nearest first, down to the first one.
    ///
    /// # Errors
    /// [`GitError`]; a chain that does not hold is the inner error.
    pub fn before(&self, repository: &Repository, lock: &Placed) -> Result<Result<Vec<Placed>, ChainError>, GitError> {
        let mut chain: Vec<Placed> = Vec::new();
        let mut last = lock.clone();
        while let Some(previous) = last.lock.locked().and_then(|locked| locked.previous) {
            if chain.len() >= LOCKS_MOST {
                return Ok(Err(ChainError::Endless));
            }
            let before = match self.placed(repository, previous)? {
                Ok(before) => before,
                Err(error) => return Ok(Err(error)),
            };
            if !repository.is_ancestor(before.commit, last.commit)? || before.commit == last.commit {
                return Ok(Err(ChainError::Order { commit: last.commit, before: before.commit }));
            }
            chain.push(before.clone());
            last = before;
        }
        Ok(Ok(chain))
    }

    /// Every version that is no draft, or that cannot be read and does not say so: SHA-256 and the commits that brought it in.
    pub fn not_drafts(&self) -> impl Iterator<Item = (Digest, &[Id])> {
        self.versions
            .values()
            .filter(|version| !version.is_draft)
            .map(|version| (version.sha256, version.commits.as_slice()))
    }
}

/// Whether a file says that it is a draft, also one of an earlier form.
fn says_draft(bytes: &[u8]) -> bool {
    let value = canonical_json::parse_within(bytes, crate::lock::model::LOCK_BYTES_MOST);
    value.is_ok_and(|value| value.get("state").and_then(|state| state.as_str()) == Some("draft"))
}
