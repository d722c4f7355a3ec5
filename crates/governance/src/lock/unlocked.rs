//! Whether an unlock covers what changed between two locks.

use crate::change::manifest;
use crate::git::error::GitError;
use crate::git::repository::Repository;
use crate::lock::chain::Placed;
use crate::lock::findings::fail;
use crate::lock::model::LOCK_PATH;
use agenttrader_policy::finding::{Finding, Rule};

/// What speaks against the unlock that a lock names: that it is completed, and covers, file for file, every difference from the lock before.
///
/// # Errors
/// [`GitError`].
pub fn completed(repository: &Repository, lock: &Placed, base: &Placed) -> Result<Vec<Finding>, GitError> {
    let id = lock.lock.locked().and_then(|locked| locked.unlock_id.clone()).unwrap_or_default();
    let differences = manifest(repository, &base.lock.terms.scope, base.commit, lock.commit)?.changes.len();
    let path = format!("ops/unlock/{id}/approval.json");
    let message = match repository.file_at(lock.commit, &path)? {
        None => format!("{differences} locked files differ from the lock before, and no unlock {id} was approved"),
        Some(_) => format!("{differences} locked files differ from the lock before, and unlock {id} is not completed"),
    };
    let remedy = "a change of locked files is an unlock that people approve before it is made";
    let mut findings = vec![fail(Rule::Scope, &path, message, remedy)];
    // The lock's file is in no change manifest: what it says of scope and people's terms is carried over.
    if lock.lock.terms != base.lock.terms {
        let message = "scope or terms are others than those of the lock before";
        findings.push(fail(Rule::Scope, LOCK_PATH, message, "`agenttrader lock generate` carries them over"));
    }
    Ok(findings)
}
