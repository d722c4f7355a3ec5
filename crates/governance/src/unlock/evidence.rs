//! `unlock evidence`: what people look at before they approve, copied and committed. Step 2. No locked path is touched.

use crate::artefacts::{FORMAT, Indexed, Producer, Producers};
use crate::bounded_file;
use crate::change::manifest;
use crate::git::id::Id;
use crate::git::path::RepoPath;
use crate::git::repository::Repository;
use crate::json_file;
use crate::lock::build::with_bytes;
use crate::lock::commit::{commit, head_files};
use crate::lock::model::Report;
use crate::lock::rules::evidence::{self as reported, FRESH_FOR};
use crate::lock::write_error::WriteError;
use crate::own_log::GOVERNANCE_CLI;
use crate::unlock::after::{self, After};
use crate::unlock::audit_index::{self, AuditIndex, CHANGE_VALIDATE};
use crate::unlock::controls::controls;
use crate::unlock::current::{current, is_clean};
use crate::unlock::request::folder;
use crate::unlock::scopes::Scopes;
use crate::unlock::to_approve::{change, manifest_of};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::Build;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_policy::finding::Finding;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Largest report that is copied.
const REPORT_BYTES_MOST: u64 = 16 * 1024 * 1024;

/// This command, as its record names it.
pub const COMMAND: &str = "unlock_evidence";

/// What a command printed, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The command, as a person types it.
    pub command: String,
    /// Its exit code; none where a signal ended it.
    pub exit_code: Option<i32>,
    /// What it printed.
    pub stdout: Vec<u8>,
}

/// Where evidence comes from.
#[derive(Clone, Debug)]
pub struct Sources<'a> {
    /// The folder with `readiness_report.{json,md}` and `deploy_report.{json,md}`.
    pub reports: &'a Path,
    /// `agenttrader lock validate --json`.
    pub lock_validate: Output,
    /// `agenttrader audit verify --json`.
    pub audit_verify: Output,
    /// What the log of commands shows of the reports and the request.
    pub producers: &'a Producers,
    /// The build that gathers.
    pub build: &'a Build,
}

/// Evidence that was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// The unlock.
    pub unlock_id: String,
    /// The index.
    pub index: AuditIndex,
    /// The commit.
    pub commit: Id,
    /// What the rules say of the tree that would be locked: none is a failure.
    pub findings: Vec<Finding>,
}

impl Gathered {
    /// What gathering made itself, as its record lists it: path, size, SHA-256.
    pub fn made(&self) -> Vec<(String, u64, Digest)> {
        let index = Indexed::of(audit_index::path(&self.unlock_id), &self.index.bytes(), None);
        let own = self.index.artefacts.iter().filter(|it| it.producer.as_ref().is_some_and(|by| by.entry.is_none()));
        own.chain([&index]).map(|it| (it.path.clone(), it.size, it.sha256)).collect()
    }
}

/// Gathers and commits it. Evidence that was there, and approvals of it, are replaced.
///
/// # Errors
/// [`WriteError`].
pub fn evidence(repository: &Repository, sources: &Sources<'_>, now: UnixNanos) -> Result<Gathered, WriteError> {
    let current = current(repository)?;
    let (head, mut files) = head_files(repository)?;
    is_clean(repository, &files, &files)?;
    let (base, unlock_id) = (&current.base, current.unlock_id.as_str());
    let scopes = Scopes::of(&base.lock, &current.request);
    if !manifest(repository, &scopes.either, base.commit, head)?.changes.is_empty() {
        return Err(WriteError::refused(
            "locked files were changed on this branch already",
            "evidence comes before the change: open the unlock anew",
        ));
    }
    let wanted = change(&current.request)?;
    let approved = manifest_of(repository, &scopes, base.commit, wanted)?;
    let made_at = now.floor_to(Span::from_seconds(1));
    let after = After::of(repository, base.commit, wanted)?;
    let findings = after.holds(&current.request.waives, made_at, made_at.plus(FRESH_FOR))?;
    let here = folder(unlock_id);
    let mut copied = vec![("request.json".to_owned(), current.request.bytes())];
    for report in Report::ALL {
        copied.extend(reports(sources.reports, report, now)?);
    }
    let made = [
        ("safety_controls.json", json_file::bytes(&controls(repository, base.commit, wanted)?)),
        ("change-manifest", approved.bytes()),
        (CHANGE_VALIDATE, after::bytes(&findings)),
        ("lock_validate.json", json_file::bytes(&as_json(&sources.lock_validate))),
        ("audit_verify.json", json_file::bytes(&as_json(&sources.audit_verify))),
    ];
    let us = Producer {
        command: COMMAND.to_owned(),
        agent_name: GOVERNANCE_CLI.to_owned(),
        entry: None,
        build_id: sources.build.build_id.clone(),
        git_sha: sources.build.git_sha.clone(),
    };
    let copied = copied.into_iter().map(|(name, bytes)| {
        let producer = sources.producers.of_bytes(&bytes);
        (format!("{here}/{name}"), bytes, producer)
    });
    let made = made.into_iter().map(|(name, bytes)| (format!("{here}/{name}"), bytes, Some(us.clone())));
    let mut new: Vec<_> = copied.chain(made).collect();
    new.sort_by(|(one, ..), (next, ..)| one.cmp(next));
    let index = AuditIndex {
        format: FORMAT.to_owned(),
        unlock_id: unlock_id.to_owned(),
        made_at,
        base_commit: base.commit.to_string(),
        change_commit: wanted.to_string(),
        artefacts: new.iter().map(|(path, bytes, by)| Indexed::of(path.clone(), bytes, by.clone())).collect(),
    };
    let inside = RepoPath::from(format!("{here}/").as_str());
    files.retain(|path, _| !path.as_bytes().starts_with(inside.as_bytes()));
    let mut new: Vec<_> = new.into_iter().map(|(path, bytes, _)| (path, bytes)).collect();
    new.push((audit_index::path(unlock_id), index.bytes()));
    let files = with_bytes(repository, &files, &new)?;
    let commit = commit(repository, &files, &format!("Unlock {unlock_id}: evidence\n"), None, now)?;
    // Read back as it will be judged.
    audit_index::evidence_at(repository, commit, unlock_id)?;
    Ok(Gathered { unlock_id: unlock_id.to_owned(), index, commit, findings })
}

/// A report's two files. They are fresh: what is approved is what was seen today.
fn reports(folder: &Path, report: Report, now: UnixNanos) -> Result<Vec<(String, Vec<u8>)>, WriteError> {
    let remedy = "make both reports anew: agenttrader readiness, agenttrader report deploy";
    let mut files = Vec::new();
    for ending in ["json", "md"] {
        let name = format!("{}.{ending}", report.name());
        let path = folder.join(&name);
        let bytes =
            read(&path).map_err(|why| WriteError::refused(format!("cannot read {}: {why}", path.display()), remedy))?;
        files.push((name, bytes));
    }
    let at = files.first().and_then(|(_, bytes)| reported::made_at(bytes));
    let refused = |why: String| WriteError::refused(format!("the {} {why}", report.name()), remedy);
    let at = at.ok_or_else(|| refused("does not say when it was made".to_owned()))?;
    let age = now.since(at);
    if age > FRESH_FOR || age < Span::ZERO {
        return Err(refused(format!("was made at {at}, and it is {now}: it is fresh for 24 hours")));
    }
    Ok(files)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    if !fs::metadata(path).map_err(|error| error.to_string())?.is_file() {
        return Err("it is no file".to_owned());
    }
    bounded_file::read(path, REPORT_BYTES_MOST).map_err(|error| error.to_string())
}

fn as_json(output: &Output) -> Value {
    let read = canonical_json::parse_within(&output.stdout, usize::try_from(REPORT_BYTES_MOST).unwrap_or(usize::MAX));
    let said = read.unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&output.stdout).into_owned()));
    json!({"command": output.command, "exit_code": output.exit_code, "output": said})
}
