//! Why a repository cannot be read or written. None of these is a verdict: what cannot be read is not judged.

use crate::git::id::Id;
use std::io;
use std::path::PathBuf;

/// Why git did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no repository.
    #[error("{from} is in no git repository")]
    NoRepository {
        /// Where it was looked for, and in all folders above.
        from: PathBuf,
    },
    /// The repository names its objects in another way.
    #[error("the repository's object format is {found}; only sha1 is read")]
    Format {
        /// What it says.
        found: String,
    },
    /// The program could not be run.
    #[error("cannot run {program}")]
    Run {
        /// Which.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The program failed.
    #[error("{what} failed: {said}")]
    Failed {
        /// The program and its command.
        what: String,
        /// What it said on standard error.
        said: String,
    },
    /// The connection to a running git broke.
    #[error("git stopped answering while {id} was read")]
    Answer {
        /// The object.
        id: Id,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An object is not in the repository.
    #[error("object {id} is not in the repository")]
    Missing {
        /// The object.
        id: Id,
    },
    /// An object is something else.
    #[error("object {id} is a {found}, not a {wanted}")]
    Kind {
        /// The object.
        id: Id,
        /// What it should be.
        wanted: &'static str,
        /// What it is.
        found: String,
    },
    /// An object is too large to be read.
    #[error("object {id} has {size} bytes, more than {limit}")]
    TooLarge {
        /// The object.
        id: Id,
        /// Its size.
        size: u64,
        /// Most bytes that are read.
        limit: u64,
    },
    /// The object's bytes do not have its id: the object store was altered.
    #[error("the bytes of object {id} have another id, {found}: the object store was altered or damaged")]
    Altered {
        /// The id asked for.
        id: Id,
        /// The id of what came.
        found: Id,
    },
    /// Bytes that no git wrote.
    #[error("{what} cannot be read: {why}")]
    Malformed {
        /// What.
        what: String,
        /// Why.
        why: String,
    },
    /// A name that means no commit.
    #[error("`{name}` names no commit")]
    NoCommit {
        /// The name.
        name: String,
    },
    /// A name that means two.
    #[error("`{name}` names a branch and a tag: say refs/heads/{name} or refs/tags/{name}")]
    Ambiguous {
        /// The name.
        name: String,
    },
    /// The history has more commits than are walked.
    #[error("the history has more than {limit} commits")]
    TooLong {
        /// The bound.
        limit: usize,
    },
    /// A file or folder.
    #[error("cannot {doing} {path}")]
    Io {
        /// Read, write, …
        doing: &'static str,
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl GitError {
    pub(crate) fn malformed(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Malformed { what: what.into(), why: why.into() }
    }
}
