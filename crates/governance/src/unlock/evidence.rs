//! `unlock evidence`: what people look at before they approve, copied and committed. Step 2. No locked path is touched.

use crate::change::manifest;
use crate::git::id::Id;
use crate::git::path::RepoPath;
use crate::git::repository::Repository;
use crate::lock::build::with_bytes;
use crate::lock::commit::{commit, head_files};
use crate::lock::model::Report;
use crate::lock::rules::evidence::{FRESH_FOR, made_at};
use crate::lock::write_error::WriteError;
use crate::unlock::audit_index::{self, Artifact, AuditIndex};
use crate::unlock::controls::controls;
use crate::unlock::current::{current, is_clean};
use crate::unlock::request::folder;
use crate::unlock::to_approve::{change, manifest_of};
use agenttrader_core::canonical_json;
use agenttrader_core::time::{Span, UnixNanos};
use serde_json::{Value, json};
use std::fs;
use std::io::Read as _;
use std::path::Path;

/// Largest report that is copied.
const REPORT_BYTES_MOST: u64 = 16 * 1024 * 1024;

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
    let scope = &base.lock.terms.scope;
    if !manifest(repository, scope, base.commit, head)?.changes.is_empty() {
        return Err(WriteError::refused(
            "locked files were changed on this branch already",
            "evidence comes before the change: open the unlock anew",
        ));
    }
    let wanted = change(&current.request)?;
    let approved = manifest_of(repository, scope, base.commit, wanted)?;
    let here = folder(unlock_id);
    let mut new: Vec<(String, Vec<u8>, &str)> = Vec::new();
    new.push((format!("{here}/request.json"), current.request.bytes(), "agenttrader unlock open"));
    for report in Report::ALL {
        for (name, bytes) in reports(sources.reports, report, now)? {
            let producer =
                if report == Report::ReadinessReport { "agenttrader readiness" } else { "agenttrader report" };
            new.push((format!("{here}/{name}"), bytes, producer));
        }
    }
    let snapshot = pretty(&controls(repository, base.commit, wanted)?);
    new.push((format!("{here}/safety_controls.json"), snapshot, "agenttrader unlock evidence"));
    new.push((format!("{here}/change-manifest"), approved.bytes(), "agenttrader unlock evidence"));
    for (name, output, producer) in [
        ("lock_validate.json", &sources.lock_validate, "agenttrader lock validate"),
        ("audit_verify.json", &sources.audit_verify, "agenttrader audit verify"),
    ] {
        new.push((format!("{here}/{name}"), pretty(&as_json(output)), producer));
    }
    new.sort();
    let index = AuditIndex {
        unlock_id: unlock_id.to_owned(),
        made_at: now.floor_to(Span::from_seconds(1)),
        base_commit: base.commit.to_string(),
        change_commit: wanted.to_string(),
        artifacts: new.iter().map(|(path, bytes, producer)| Artifact::of(path, bytes, producer)).collect(),
    };
    let inside = RepoPath::from(format!("{here}/").as_str());
    files.retain(|path, _| !path.as_bytes().starts_with(inside.as_bytes()));
    let mut new: Vec<_> = new.into_iter().map(|(path, bytes, _)| (path, bytes)).collect();
    new.push((audit_index::path(unlock_id), index.bytes()));
    let files = with_bytes(repository, &files, &new)?;
    let commit = commit(repository, &files, &format!("Unlock {unlock_id}: evidence\n"), None, now)?;
    // Read back as it will be judged.
    audit_index::evidence_at(repository, commit, unlock_id)?;
    Ok(Gathered { unlock_id: unlock_id.to_owned(), index, commit })
}

/// A report's two files. They are fresh: what is approved is what was seen today.
fn reports(folder: &Path, report: Report, now: UnixNanos) -> Result<Vec<(String, Vec<u8>)>, WriteError> {
    let remedy = "make both reports anew: agenttrader readiness, agenttrader report";
    let mut files = Vec::new();
    for ending in ["json", "md"] {
        let name = format!("{}.{ending}", report.name());
        let path = folder.join(&name);
        let bytes =
            read(&path).map_err(|why| WriteError::refused(format!("cannot read {}: {why}", path.display()), remedy))?;
        files.push((name, bytes));
    }
    let at = files.first().and_then(|(_, bytes)| made_at(bytes));
    let refused = |why: String| WriteError::refused(format!("the {} {why}", report.name()), remedy);
    let at = at.ok_or_else(|| refused("does not say when it was made".to_owned()))?;
    let age = now.since(at);
    if age > FRESH_FOR || age < Span::ZERO {
        return Err(refused(format!("was made at {at}, and it is {now}: it is fresh for 24 hours")));
    }
    Ok(files)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    if !file.metadata().is_ok_and(|is| is.is_file()) {
        return Err("it is no file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(REPORT_BYTES_MOST.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|size| size <= REPORT_BYTES_MOST);
    if fits { Ok(bytes) } else { Err(format!("it has more than {REPORT_BYTES_MOST} bytes")) }
}

fn as_json(output: &Output) -> Value {
    let read = canonical_json::parse_within(&output.stdout, usize::try_from(REPORT_BYTES_MOST).unwrap_or(usize::MAX));
    let said = read.unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&output.stdout).into_owned()));
    json!({"command": output.command, "exit_code": output.exit_code, "output": said})
}

fn pretty(value: &Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
