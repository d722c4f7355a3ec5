//! Which paths an unlock is about: those that the lock before holds, and those that the lock after it will.

use crate::change::{Manifest, manifest_across};
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::lock::model::{Lock, Terms};
use crate::scope::Scope;
use crate::unlock::request::Request;

/// Both scopes. They are the same unless the unlock asks for another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes {
    /// The lock's before.
    pub before: Scope,
    /// That of the lock after.
    pub after: Scope,
    /// What either of them holds: a commit that touches it makes a part of the change.
    pub either: Scope,
}

impl Scopes {
    /// Those of an unlock.
    pub fn of(base: &Lock, request: &Request) -> Self {
        let before = base.terms.scope.clone();
        let after = request.scope.clone().unwrap_or_else(|| before.clone());
        Self { either: before.or(&after), before, after }
    }

    /// Whether the lock after holds other paths.
    pub fn differ(&self) -> bool {
        self.before != self.after
    }

    /// What changes between two commits of what is locked.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn manifest(&self, repository: &Repository, base: Id, head: Id) -> Result<Manifest, GitError> {
        manifest_across(repository, &self.before, &self.after, base, head)
    }
}

/// The terms of the lock after: those of the one before, but for the scope that was asked for.
pub fn terms_after(base: &Lock, request: Option<&Request>) -> Terms {
    let mut terms = base.terms.clone();
    if let Some(scope) = request.and_then(|request| request.scope.as_ref()) {
        terms.scope = scope.clone();
    }
    terms
}
