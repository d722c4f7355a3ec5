//! Judging: `lock validate`, as a baseline or statically. Every rule that can still judge does so; what cannot be read is never a pass.

use crate::disk::{Disk, DiskError};
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::lock::chain::{Locks, Placed};
use crate::lock::findings::{fail, finding, not_applicable, pass};
use crate::lock::manifests::{self, Judged};
use crate::lock::model::{LOCK_BYTES_MOST, LOCK_PATH, Lock, Waiver};
use crate::lock::people::{People, PeopleError, SIGNERS_PATH};
use crate::lock::rules::{docs, evidence, scope, tree};
use crate::scope::{PatternError, Scope};
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::UnixNanos;
use agenttrader_policy::finding::{Finding, Rule, Verdict};
use std::path::Path;

/// What a repository's lock is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// None yet.
    Draft,
    /// In its place in history.
    Locked(Box<Placed>),
    /// It cannot be read, or does not stand where a lock can.
    Unknown,
}

/// What judging came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The commit that was judged.
    pub head: Id,
    /// Its lock.
    pub standing: Standing,
    /// Whether the first lock is one that somebody named.
    pub root_pinned: bool,
    /// All findings, by rule.
    pub findings: Vec<Finding>,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The data directory, which is no part of the tree.
    pub data_dir: Option<&'a Path>,
    /// The SHA-256 of the first lock that is trusted.
    pub root: Option<Digest>,
    /// The time, for waivers alone.
    pub now: UnixNanos,
}

/// Why nothing could be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// History is cut off.
    #[error("the clone is shallow: the history that a lock stands in is not here")]
    Shallow,
    /// A compiled-in pattern.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

/// Whether any finding is a failure.
pub fn fails(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.verdict == Verdict::Fail)
}

/// Judges a folder by rule `docs` and the manifest rules: no history, no clock, no signer.
///
/// # Errors
/// [`JudgeError`].
pub fn statically(root: &Path, data_dir: Option<&Path>) -> Result<Vec<Finding>, JudgeError> {
    let disk = Disk::walk(root, data_dir)?;
    let mut findings = docs::judge(|path, most| disk.read(path, most));
    findings.extend(manifests::judge(&disk, &Judged::new()?, None)?);
    findings.sort();
    Ok(findings)
}

/// Judges HEAD as a baseline.
///
/// # Errors
/// [`JudgeError`].
pub fn baseline(repository: &Repository, asked: &Asked<'_>) -> Result<Judgement, JudgeError> {
    let oddities = repository.oddities()?;
    if oddities.shallow {
        return Err(JudgeError::Shallow);
    }
    let head = repository.head()?;
    let files = repository.files(head)?;
    let disk = Disk::walk(repository.root(), asked.data_dir)?;
    let judged = Judged::new()?;
    let locks = Locks::in_history(repository, head)?;
    let mut findings = tree::oddities(oddities.grafts, &oddities.replaced);
    let (standing, scope) = standing(repository, head, &locks, &mut findings)?;
    let compared = tree::Compared { repository, files: &files, disk: &disk, scope: &scope, judged: &judged };
    findings.extend(tree::differences(&compared)?);
    if !fails(&findings) {
        findings.push(pass(Rule::Tree, "HEAD, index and disk hold the same; the lock is there and can be read"));
    }
    findings.extend(docs::judge(|path, most| disk.read(path, most)));
    let mut manifests = manifests::judge(&disk, &judged, None)?;
    match &standing {
        Standing::Draft => {
            for rule in [Rule::Tree, Rule::Scope, Rule::Evidence] {
                findings.push(not_applicable(rule, "draft: no lock to compare with"));
            }
            if let Some(root) = asked.root {
                let message = format!("the first lock {root} is pinned, and this history holds no lock");
                findings.push(fail(
                    Rule::Scope,
                    LOCK_PATH,
                    message,
                    "this history does not begin where yours does: do not trust it",
                ));
            }
        }
        Standing::Unknown => {
            for rule in [Rule::Scope, Rule::Evidence] {
                findings.push(not_applicable(rule, "the lock cannot be read or does not stand where one can"));
            }
        }
        Standing::Locked(lock) => {
            let mut judged = scope::judge(repository, &files, lock, &locks, asked.root)?;
            // Also where a lock's scope leaves out what says who is an agent.
            judged.extend(people(repository, head)?.filter(|_| !judged.iter().any(|it| it.path == SIGNERS_PATH)));
            let is_legitimate = !fails(&judged);
            findings.extend(judged);
            findings.extend(evidence::judge(repository, lock)?);
            strictly(&mut manifests);
            if is_legitimate {
                let waives = lock.lock.locked().map(|locked| locked.waives.as_slice()).unwrap_or_default();
                waive(&mut manifests, waives, asked.now);
            }
        }
    }
    findings.extend(manifests);
    findings.sort();
    let root_pinned = asked.root.is_some() && matches!(standing, Standing::Locked(_));
    Ok(Judgement { head, standing, root_pinned, findings })
}

/// What HEAD's lock is, and over which files; what speaks against it goes to the findings.
fn standing(
    repository: &Repository,
    head: Id,
    locks: &Locks,
    findings: &mut Vec<Finding>,
) -> Result<(Standing, Scope), JudgeError> {
    let usual = Scope::usual()?;
    let Some(bytes) = repository.file_at(head, LOCK_PATH)? else {
        let remedy = match locks.not_drafts().next() {
            Some(_) => "bring back the lock; what is to change is unlocked",
            None => "commit a draft",
        };
        findings.push(fail(Rule::Tree, LOCK_PATH, "there is no lock, not even a draft", remedy));
        return Ok((Standing::Unknown, usual));
    };
    let lock = match Lock::parse(bytes.get(..LOCK_BYTES_MOST).unwrap_or(&bytes)) {
        Ok(lock) => lock,
        Err(error) => {
            findings.push(fail(
                Rule::Tree,
                LOCK_PATH,
                chain(&error),
                "commit the lock as `agenttrader lock` writes it",
            ));
            return Ok((Standing::Unknown, usual));
        }
    };
    let scope = lock.terms.scope.clone();
    if lock.locked().is_none() {
        let earlier = locks.not_drafts().map(|(sha256, _)| sha256).next();
        if let Some(sha256) = earlier {
            let message = format!("a draft follows the lock {sha256}: what was locked stays locked");
            findings.push(fail(Rule::Tree, LOCK_PATH, message, "bring back the lock; what is to change is unlocked"));
            return Ok((Standing::Unknown, scope));
        }
        findings.extend(unfinished(repository, head)?);
        return Ok((Standing::Draft, scope));
    }
    match locks.placed(repository, Digest::of(&bytes))? {
        Ok(placed) => Ok((Standing::Locked(Box::new(placed)), scope)),
        Err(error) => {
            findings.push(fail(
                Rule::Tree,
                LOCK_PATH,
                chain(&error),
                "a lock is committed once, right after the commit it names",
            ));
            Ok((Standing::Unknown, scope))
        }
    }
}

/// That HEAD's list of signers takes an agent for a person, or cannot be read.
fn people(repository: &Repository, head: Id) -> Result<Option<Finding>, GitError> {
    let remedy = "people sign under their own names with keys that no agent has: change the list by an unlock, or the agent's key";
    match People::at(repository, head) {
        Ok(_) => Ok(None),
        Err(PeopleError::Git(error)) => Err(error),
        Err(error) => Ok(Some(fail(Rule::Scope, SIGNERS_PATH, chain(&error), remedy))),
    }
}

/// A draft that trusts somebody: the first lock was begun and is not finished.
fn unfinished(repository: &Repository, head: Id) -> Result<Option<Finding>, GitError> {
    let path = SIGNERS_PATH;
    match People::at(repository, head) {
        Ok(people) if people.signers.is_nobody() => Ok(None),
        Ok(_) => {
            let message = "signers are listed, and there is no lock yet: nothing they sign verifies";
            Ok(Some(finding(Rule::Tree, Verdict::Warn, path, message, "finish with `agenttrader lock sign`")))
        }
        Err(PeopleError::Git(error)) => Err(error),
        Err(error) => Ok(Some(fail(Rule::Tree, path, chain(&error), "a draft's list of signers holds comments alone"))),
    }
}

/// What findings are of a locked repository whose lock waives these.
pub(crate) fn as_locked(mut findings: Vec<Finding>, waives: &[Waiver], now: UnixNanos) -> Vec<Finding> {
    strictly(&mut findings);
    waive(&mut findings, waives, now);
    findings
}

/// A locked repository names each image by its digest.
pub(crate) fn strictly(findings: &mut [Finding]) {
    for finding in
        findings.iter_mut().filter(|finding| finding.rule == Rule::NoLatest && finding.verdict == Verdict::Warn)
    {
        finding.verdict = Verdict::Fail;
        finding.remedy = "`agenttrader lock pin IMAGE@sha256:…` writes the digest, as part of a change".to_owned();
    }
}

/// Failures that people waived, exactly as they are listed, until they expire.
fn waive(findings: &mut [Finding], waives: &[Waiver], now: UnixNanos) {
    let is_waived = |finding: &Finding| {
        let exactly = |waiver: &Waiver| {
            waiver.rule == finding.rule
                && waiver.path == finding.path
                && waiver.object == finding.object
                && waiver.field == finding.field
                && waiver.value == finding.value
        };
        waives.iter().any(|waiver| exactly(waiver) && now < waiver.expires)
    };
    for finding in findings.iter_mut().filter(|finding| finding.verdict == Verdict::Fail) {
        if is_waived(finding) {
            finding.verdict = Verdict::Waived;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_core::time::Span;

    fn found(rule: Rule, verdict: Verdict, path: &str) -> Finding {
        finding(rule, verdict, path, "found", "")
    }

    #[test]
    fn a_waiver_covers_exactly_its_finding_until_it_expires() {
        let expires = UnixNanos::from_seconds(100);
        let waiver = Waiver {
            rule: Rule::KillSwitch,
            path: "k8s/a".to_owned(),
            object: None,
            field: None,
            value: None,
            expires,
        };
        let waives = [waiver];
        let judge = |finding: Finding, now: UnixNanos| {
            let mut findings = [finding];
            waive(&mut findings, &waives, now);
            findings.map(|finding| finding.verdict)
        };
        let before = expires.minus(Span::from_seconds(1));
        let exact = || found(Rule::KillSwitch, Verdict::Fail, "k8s/a");
        assert_eq!(judge(exact(), before), [Verdict::Waived]);
        assert_eq!(judge(exact(), expires), [Verdict::Fail]);
        assert_eq!(judge(found(Rule::ExecScale, Verdict::Fail, "k8s/a"), before), [Verdict::Fail]);
        assert_eq!(judge(found(Rule::KillSwitch, Verdict::Fail, "k8s/b"), before), [Verdict::Fail]);
        assert_eq!(judge(Finding { value: Some("0".to_owned()), ..exact() }, before), [Verdict::Fail]);
        assert_eq!(judge(found(Rule::KillSwitch, Verdict::Pass, "k8s/a"), before), [Verdict::Pass]);
    }

    #[test]
    fn a_tag_without_a_digest_is_a_failure_of_a_locked_repository() {
        let mut findings = [found(Rule::NoLatest, Verdict::Warn, "a"), found(Rule::Docs, Verdict::Warn, "b")];
        strictly(&mut findings);
        assert_eq!(findings.map(|finding| finding.verdict), [Verdict::Fail, Verdict::Warn]);
    }
}
