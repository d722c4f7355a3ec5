//! The lock contract, rule `scope`: locked files equal their digests, and the lock is legitimate. It is the first lock, signed by all its
//! people and pinned by its SHA-256, or a completed unlock covers every difference from the lock before it, and that one is legitimate.

use crate::change::side;
use crate::git::error::GitError;
use crate::git::repository::Repository;
use crate::git::tree::Files;
use crate::lock::chain::{Locks, Placed};
use crate::lock::findings::{differing, fail, or_pass};
use crate::lock::model::{LOCK_PATH, Lock, LockedFile, policy_digest};
use crate::lock::people::People;
use crate::lock::unlocked;
use crate::refusal::refusals;
use crate::scope::Scope;
use agenttrader_authority::namespace::Namespace;
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_policy::finding::{Finding, Rule};
use std::collections::{BTreeMap, BTreeSet};

/// Where the first lock's evidence and signatures stand.
pub const GENESIS: &str = "ops/unlock/genesis";

/// The rule, over HEAD's files and its lock in its place, among the locks of HEAD's history; `root` is the SHA-256 of the first lock that is
/// trusted.
///
/// # Errors
/// [`GitError`].
pub fn judge(
    repository: &Repository,
    files: &Files,
    lock: &Placed,
    locks: &Locks,
    root: Option<Digest>,
) -> Result<Vec<Finding>, GitError> {
    let mut findings = digests(repository, files, lock)?;
    findings.extend(legitimacy(repository, lock, locks, root)?);
    let files = files.keys().filter(|path| lock.lock.terms.scope.holds(path)).count();
    Ok(or_pass(Rule::Scope, findings, format!("{files} locked files equal their digests, and the lock is legitimate")))
}

/// The locked files of a commit, with their digests.
///
/// # Errors
/// [`GitError`].
pub fn locked_files(repository: &Repository, files: &Files, scope: &Scope) -> Result<Vec<LockedFile>, GitError> {
    let mut locked = Vec::new();
    for (path, leaf) in files.iter().filter(|(path, _)| scope.holds(path)) {
        // What is not UTF-8 is refused elsewhere; no lock can name it.
        if let Some(name) = path.as_str() {
            let side = side(repository, *leaf)?;
            locked.push(LockedFile { path: name.to_owned(), mode: side.mode, sha256: side.sha256 });
        }
    }
    Ok(locked)
}

fn digests(repository: &Repository, files: &Files, lock: &Placed) -> Result<Vec<Finding>, GitError> {
    let (scope, Some(locked)) = (&lock.lock.terms.scope, lock.lock.locked()) else { return Ok(Vec::new()) };
    let mut findings: Vec<_> = refusals(repository, files, scope)?
        .into_iter()
        .map(|refusal| {
            fail(
                Rule::Scope,
                &refusal.path.to_string(),
                refusal.why,
                "no lock can hold it: take it out of the scope's folders",
            )
        })
        .collect();
    let held = locked_files(repository, files, scope)?;
    let by_path =
        |files: &[LockedFile]| files.iter().map(|file| (file.path.clone(), file.clone())).collect::<BTreeMap<_, _>>();
    let (wanted, is) = (by_path(&locked.files), by_path(&held));
    let paths: BTreeSet<&String> = wanted.keys().chain(is.keys()).collect();
    let found: Vec<_> = paths
        .into_iter()
        .filter_map(|path| match (wanted.get(path), is.get(path)) {
            (Some(wanted), Some(is)) if wanted == is => None,
            (Some(wanted), Some(is)) if wanted.mode == is.mode => {
                Some((path, "it has other bytes than the lock holds"))
            }
            (Some(_), Some(_)) => Some((path, "it has another mode than the lock holds")),
            (Some(_), None) => Some((path, "it is locked, and is gone")),
            _ => Some((path, "it is in the scope, and the lock does not hold it")),
        })
        .map(|(path, how)| (path.clone(), how.to_owned()))
        .collect();
    let remedy = "a change of locked files is an unlock: `agenttrader lock status` lists what differs";
    findings.extend(differing(Rule::Scope, &found, remedy));
    if locked.policy_sha256 != policy_digest(&locked.files) {
        findings.push(fail(Rule::Scope, LOCK_PATH, "policy_sha256 is not that of its own files", remedy));
    }
    Ok(findings)
}

fn legitimacy(
    repository: &Repository,
    lock: &Placed,
    locks: &Locks,
    root: Option<Digest>,
) -> Result<Vec<Finding>, GitError> {
    let before = match locks.before(repository, lock)? {
        Ok(before) => before,
        Err(error) => {
            return Ok(vec![fail(
                Rule::Scope,
                LOCK_PATH,
                chain(&error),
                "a lock stands once, after the lock it names",
            )]);
        }
    };
    let all: Vec<&Placed> = std::iter::once(lock).chain(&before).collect();
    let mut findings = strangers(locks, &all);
    for placed in &all {
        findings.extend(own_files(repository, placed)?);
    }
    for pair in all.windows(2) {
        if let [later, earlier] = pair {
            let times = (
                later.lock.locked().map(|locked| locked.timestamp),
                earlier.lock.locked().map(|locked| locked.timestamp),
            );
            if times.0 <= times.1 {
                findings.push(fail(
                    Rule::Scope,
                    LOCK_PATH,
                    "it is not later than the lock before it",
                    "`agenttrader lock generate`",
                ));
            }
            findings.extend(unlocked::completed(repository, later, earlier)?);
        }
    }
    if let Some(first) = all.last() {
        findings.extend(genesis(repository, first)?);
        if root.is_some_and(|root| root != first.sha256) {
            let message = format!("the first lock is {}, not the pinned root", first.sha256);
            findings.push(fail(
                Rule::Scope,
                LOCK_PATH,
                message,
                "this history does not begin where yours does: do not trust it",
            ));
        }
    }
    Ok(findings)
}

/// That a lock's own commit holds the files it lists. Otherwise a lock's bytes, which a root pins, could be put beside other signers.
fn own_files(repository: &Repository, placed: &Placed) -> Result<Option<Finding>, GitError> {
    let listed = placed.lock.locked().map(|locked| locked.files.as_slice()).unwrap_or_default();
    let held = locked_files(repository, &repository.files(placed.commit)?, &placed.lock.terms.scope)?;
    if held == listed {
        return Ok(None);
    }
    let first =
        held.iter().find(|file| !listed.contains(file)).or_else(|| listed.iter().find(|file| !held.contains(file)));
    let path = first.map(|file| file.path.clone()).unwrap_or_default();
    let message = format!("the lock {} does not list what its own commit {} holds here", placed.sha256, placed.commit);
    Ok(Some(fail(Rule::Scope, &path, message, "this history was made by somebody else: do not trust it")))
}

/// Locks in history that no `previous` leads to: a second first lock, or one that was replaced.
fn strangers(locks: &Locks, all: &[&Placed]) -> Vec<Finding> {
    let known: BTreeSet<Digest> = all.iter().map(|placed| placed.sha256).collect();
    locks
        .not_drafts()
        .filter(|(sha256, _)| !known.contains(sha256))
        .map(|(sha256, commits)| {
            let commit = commits.first().map(ToString::to_string).unwrap_or_default();
            let message = format!(
                "history holds the lock {sha256} (commit {commit}), which no lock after it names as the one before"
            );
            fail(Rule::Scope, LOCK_PATH, message, "a lock is followed by an unlock, never by a lock made anew")
        })
        .collect()
}

/// That the first lock is signed by everybody it trusts to unlock.
fn genesis(repository: &Repository, first: &Placed) -> Result<Vec<Finding>, GitError> {
    let remedy = "each operator and reviewer runs `agenttrader lock sign` before the first lock is committed";
    let refuse = |path: &str, message: String| fail(Rule::Scope, path, message, remedy);
    let people = match People::at(repository, first.commit) {
        Ok(people) => people,
        Err(crate::lock::people::PeopleError::Git(error)) => return Err(error),
        Err(error) => return Ok(vec![refuse("ops/trust/allowed_signers", chain(&error))]),
    };
    let (operators, reviewers) = (people.who_may(Namespace::UnlockOperator), people.who_may(Namespace::UnlockReviewer));
    if !operators.iter().any(|operator| reviewers.iter().any(|reviewer| reviewer != operator)) {
        return Ok(vec![refuse(
            "ops/trust/allowed_signers",
            "it names no operator and another person as reviewer".to_owned(),
        )]);
    }
    let mut findings = Vec::new();
    for principal in operators.union(&reviewers) {
        let path = signature_path(principal);
        let Some(signature) = repository.file_at(first.commit, &path)? else {
            findings.push(refuse(&path, format!("{principal} has not signed the first lock")));
            continue;
        };
        if let Err(error) = signed(&people, principal, &first.lock, &signature) {
            findings.push(refuse(&path, error));
        }
    }
    Ok(findings)
}

/// Whether a signature of the first lock is this person's.
///
/// # Errors
/// Why it is not, as a person reads it.
pub fn signed(people: &People, principal: &str, lock: &Lock, signature: &[u8]) -> Result<(), String> {
    let at = lock.locked().map(|locked| locked.timestamp).ok_or("a draft is not signed")?;
    let verified = people.signers.verify(principal, Namespace::LockGenesis, &lock.bytes(), signature, at);
    verified.map(drop).map_err(|error| chain(&error))
}

/// Where a person's signature of the first lock stands.
pub fn signature_path(principal: &str) -> String {
    format!("{GENESIS}/production-lock.json.{principal}.sig")
}
