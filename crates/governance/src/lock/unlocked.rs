//! Whether an unlock covers what changed between two locks.

use crate::git::error::GitError;
use crate::git::repository::Repository;
use crate::lock::chain::Placed;
use crate::lock::findings::fail;
use crate::lock::model::LOCK_PATH;
use crate::unlock::refused::{Reason, Refused, Stop};
use crate::unlock::request::{self, folder};
use crate::unlock::scopes::terms_after;
use crate::unlock::verify::{Asked, Completed, verify};
use agenttrader_policy::finding::{Finding, Rule};

/// What speaks against the unlock that a lock names: that it is completed, and covers, file for file, every difference from the lock before.
///
/// # Errors
/// [`GitError`].
pub fn completed(repository: &Repository, lock: &Placed, base: &Placed) -> Result<Vec<Finding>, GitError> {
    let refused = judged(repository, lock, base)?.err();
    let mut findings: Vec<_> = refused.iter().map(|refused| finding(refused, lock)).collect();
    // The lock's file is in no change manifest: what it says of people's terms is carried over, and its scope too unless another one was
    // asked for, whatever else is wrong.
    let request = match request::at(repository, lock.commit, unlock_id(lock)) {
        Ok(request) => Some(request),
        Err(Stop::Refused(_)) => None,
        Err(Stop::Git(error)) => return Err(error),
    };
    let wanted = terms_after(&base.lock, request.as_ref());
    if lock.lock.terms != wanted && refused.is_none_or(|refused| refused.reason != Reason::TermsDiffer) {
        let message = "scope or terms are others than those of the lock before";
        findings.push(fail(Rule::Scope, LOCK_PATH, message, "`agenttrader lock generate` carries them over"));
    }
    Ok(findings)
}

/// The unlock that a lock names, at the lock's timestamp.
///
/// # Errors
/// [`GitError`].
pub fn judged(repository: &Repository, lock: &Placed, base: &Placed) -> Result<Result<Completed, Refused>, GitError> {
    let unlock_id = unlock_id(lock);
    let at = lock.lock.locked().map(|locked| locked.timestamp).unwrap_or_default();
    verify(&Asked { repository, base, head: lock.commit, unlock_id, lock: Some(&lock.lock), at })
}

fn unlock_id(lock: &Placed) -> &str {
    lock.lock.locked().and_then(|locked| locked.unlock_id.as_deref()).unwrap_or_default()
}

fn finding(refused: &Refused, lock: &Placed) -> Finding {
    let path = if refused.path.is_empty() { folder(unlock_id(lock)) } else { refused.path.clone() };
    fail(Rule::Scope, &path, refused.line(), refused.reason.remedy())
}
