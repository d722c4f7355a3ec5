//! Why nothing could be judged. Whoever asked refuses then.

use crate::actors::actor::ActorsError;
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::lock::model::LockError;
use crate::scope::PatternError;

/// Why a change or a push could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The base's list of actors.
    #[error("ops/trust/actors.toml of commit {commit} is refused")]
    Actors {
        /// The base.
        commit: Id,
        /// Why.
        #[source]
        source: ActorsError,
    },
    /// The base's lock.
    #[error("ops/production-lock.json of commit {commit} cannot be read")]
    Lock {
        /// The base.
        commit: Id,
        /// Why.
        #[source]
        source: LockError,
    },
    /// The base has no lock, not even a draft.
    #[error("ops/production-lock.json is not in commit {commit}, so that nobody knows the baseline branch")]
    NoLock {
        /// The base.
        commit: Id,
    },
    /// The base's lock does not stand where one can.
    #[error("the lock of commit {commit} cannot be followed: {why}")]
    Unfollowed {
        /// The base.
        commit: Id,
        /// Why.
        why: String,
    },
    /// Cut off history.
    #[error("the repository is shallow: the history that is judged is not here")]
    Shallow,
    /// What git gave the hook.
    #[error("line {line} of what git told the hook is not `OLD NEW REF`")]
    Line {
        /// Which.
        line: usize,
    },
    /// Nothing was given.
    #[error("git told the hook of no ref")]
    Nothing,
    /// A compiled-in pattern.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// More than is judged.
    #[error("{what}: more than {limit} are not judged at once")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
}
