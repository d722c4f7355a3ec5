//! The tree that an unlock would lock, judged before anybody signs: by the rules that need no history, as `lock generate` judges the same
//! files on disk once they are there. What no lock could hold is refused; what is waived, or deserves a look, is told to those who sign.

use crate::disk::DiskError;
use crate::git::id::Id;
use crate::git::path::RepoPath;
use crate::git::repository::Repository;
use crate::git::tree::Files;
use crate::json_file;
use crate::lock::manifests::{Judged, judge_tree};
use crate::lock::model::{LOCK_PATH, PAGE_PATH, Waiver};
use crate::lock::rules::docs;
use crate::lock::validate::{JudgeError, as_locked, fails};
use crate::lock::write_error::WriteError;
use crate::policy_tree::{file_of, of_commit};
use crate::unlock::refused::Reason;
use agenttrader_core::time::UnixNanos;
use agenttrader_policy::finding::{Finding, Verdict};
use serde_json::json;

/// What the rules say of it.
#[derive(Clone, Debug)]
pub struct After {
    change: Id,
    findings: Vec<Finding>,
}

impl After {
    /// Of the tree that a development commit gives to the lock's commit that an unlock begins at.
    ///
    /// # Errors
    /// [`WriteError`] where it cannot be judged.
    pub fn of(repository: &Repository, base: Id, change: Id) -> Result<Self, WriteError> {
        let files = changed(&repository.files(base)?, &repository.files(change)?);
        let judged = Judged::new().map_err(JudgeError::from)?;
        let tree = of_commit(repository, &files, |path| judged.is(path));
        let tree = tree.ok_or_else(|| DiskError::TooLarge { path: repository.root().to_owned() });
        let mut findings = judge_tree(&tree.map_err(JudgeError::from)?, None);
        findings.extend(docs::judge(|path, most| {
            let leaf = files.get(path).ok_or_else(|| "it is not there".to_owned())?;
            file_of(repository, *leaf, most)
        }));
        findings.sort();
        Ok(Self { change, findings })
    }

    /// What they say where some findings are waived.
    pub fn findings(&self, waives: &[Waiver], at: UnixNanos) -> Vec<Finding> {
        as_locked(self.findings.clone(), waives, at)
    }

    /// The same, if a lock that is made by then can hold the tree.
    ///
    /// # Errors
    /// [`WriteError::Unlockable`] with what fails, and what is waived beside it.
    pub fn holds(&self, waives: &[Waiver], at: UnixNanos, by: UnixNanos) -> Result<Vec<Finding>, WriteError> {
        waivers_fit(waives, at, by)?;
        let mut findings = self.findings(waives, at);
        if fails(&findings) {
            findings.retain(|finding| matches!(finding.verdict, Verdict::Fail | Verdict::Waived));
            return Err(WriteError::Unlockable { change: self.change, findings });
        }
        Ok(findings)
    }
}

/// That a lock that is made in this time may list all of these.
///
/// # Errors
/// [`WriteError::Refused`] with the first that it may not.
pub fn waivers_fit(waives: &[Waiver], from: UnixNanos, until: UnixNanos) -> Result<(), WriteError> {
    let Some(waiver) = waives.iter().find(|waiver| !waiver.fits(from, until)) else { return Ok(()) };
    let (rule, path, expires) = (waiver.rule.id(), &waiver.path, waiver.expires);
    Err(WriteError::refused(
        format!("{}: the waiver of {rule} in {path} ends at {expires}", Reason::ChangeUnlockable),
        "a waiver ends after the lock's timestamp, at most 7 days after it: open the unlock anew with one that does",
    ))
}

/// Findings as the evidence holds them: as `lock validate --json` prints its own.
pub fn bytes(findings: &[Finding]) -> Vec<u8> {
    json_file::bytes(&json!({"verdict": if fails(findings) { "FAIL" } else { "PASS" }, "findings": findings}))
}

/// The development commit's files, with what belongs to unlocks and locks as it is here.
pub(super) fn changed(here: &Files, wanted: &Files) -> Files {
    let is_ours = |path: &RepoPath| {
        let bytes = path.as_bytes();
        bytes.starts_with(b"ops/unlock/") || bytes == LOCK_PATH.as_bytes() || bytes == PAGE_PATH.as_bytes()
    };
    let ours = here.iter().filter(|(path, _)| is_ours(path));
    let theirs = wanted.iter().filter(|(path, _)| !is_ours(path));
    ours.chain(theirs).map(|(path, leaf)| (path.clone(), *leaf)).collect()
}
