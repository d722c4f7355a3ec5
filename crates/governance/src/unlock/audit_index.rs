//! The audit index of an unlock: every artefact of its evidence, as [`crate::artefacts`] lists artefacts, so that one digest stands for all
//! of it.

use crate::artefacts::{FORMAT, Indexed};
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::json_file;
use crate::lock::model::Report;
use crate::lock::rules::evidence::made_at;
use crate::unlock::refused::{Reason, Refused, Stop};
use crate::unlock::request::folder;
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::time::UnixNanos;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Largest index that is read.
const INDEX_BYTES_MOST: usize = 256 * 1024;

/// What every unlock's evidence has, beside the index and the reports' pages for people.
pub const REQUIRED: [&str; 8] = [
    "request.json",
    READINESS,
    DEPLOY,
    "safety_controls.json",
    "change-manifest",
    CHANGE_VALIDATE,
    "lock_validate.json",
    "audit_verify.json",
];

/// The readiness report.
pub const READINESS: &str = "readiness_report.json";

/// What the rules find in the tree that would be locked.
pub const CHANGE_VALIDATE: &str = "change_validate.json";

/// The deploy report.
const DEPLOY: &str = "deploy_report.json";

/// The index of an unlock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditIndex {
    /// [`FORMAT`].
    pub format: String,
    /// The unlock.
    pub unlock_id: String,
    /// When the evidence was gathered.
    pub made_at: UnixNanos,
    /// The lock's commit that it begins at.
    pub base_commit: String,
    /// The development commit wanted.
    pub change_commit: String,
    /// Every artefact, by path.
    pub artefacts: Vec<Indexed>,
}

/// Evidence that was found whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Digest of the index.
    pub index_sha256: Digest,
    /// Digest of the readiness report.
    pub readiness_sha256: Digest,
    /// Digest of the deploy report.
    pub deploy_sha256: Digest,
    /// What the readiness report comes to in its own word, and of what: `READY of the cluster`.
    pub readiness: String,
    /// Its checks that do not pass: name, result, and what that rests on. Then what the rules find in the tree that would be locked, and
    /// people should know of: rule and place, verdict, message.
    pub not_passing: Vec<[String; 3]>,
    /// When the older of the two reports was made.
    pub reports_made: UnixNanos,
    /// The index.
    pub index: AuditIndex,
}

/// The index's file.
pub fn path(unlock_id: &str) -> String {
    format!("{}/audit-index.json", folder(unlock_id))
}

impl AuditIndex {
    /// Its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        json_file::bytes(self)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let value = canonical_json::parse_within(bytes, INDEX_BYTES_MOST).ok()?;
        let index: Self = serde_json::from_value(value).ok()?;
        let in_order = index.artefacts.is_sorted_by(|one, next| one.path.as_bytes() < next.path.as_bytes());
        (in_order && index.format == FORMAT && index.bytes() == bytes).then_some(index)
    }
}

/// The evidence of a commit, every artefact of it held against the index.
///
/// # Errors
/// [`Stop`], where anything is missing or is not as it is listed.
pub fn evidence_at(repository: &Repository, commit: Id, unlock_id: &str) -> Result<Evidence, Stop> {
    let place = path(unlock_id);
    let missing = |path: &str, why: String| Stop::from(Refused::new(Reason::EvidenceMissing, path, why));
    let Some(bytes) = repository.file_at(commit, &place)? else {
        return Err(missing(&place, format!("commit {commit} holds no evidence of unlock {unlock_id}")));
    };
    let index = AuditIndex::parse(&bytes)
        .ok_or_else(|| missing(&place, "it is no index as `agenttrader unlock evidence` writes it".to_owned()))?;
    if index.unlock_id != unlock_id {
        return Err(Refused::new(Reason::Replayed, place, format!("it is of unlock {}", index.unlock_id)).into());
    }
    let inside = format!("{}/", folder(unlock_id));
    for artefact in &index.artefacts {
        let found = repository.file_at(commit, &artefact.path)?;
        if !artefact.path.starts_with(&inside) || !found.is_some_and(|found| artefact.is(&found)) {
            return Err(missing(&artefact.path, "it is not as the audit index lists it".to_owned()));
        }
    }
    for name in REQUIRED {
        let path = format!("{inside}{name}");
        if !index.artefacts.iter().any(|artefact| artefact.path == path) {
            return Err(missing(&path, "the audit index does not list it".to_owned()));
        }
    }
    let mut made = Vec::new();
    for report in Report::ALL {
        let path = format!("{inside}{}.json", report.name());
        let at = repository.file_at(commit, &path)?.and_then(|bytes| made_at(&bytes));
        made.push(at.ok_or_else(|| missing(&path, "it does not say when it was made".to_owned()))?);
    }
    let readiness = repository.file_at(commit, &format!("{inside}{READINESS}"))?.unwrap_or_default();
    let deploy = repository.file_at(commit, &format!("{inside}{DEPLOY}"))?.unwrap_or_default();
    let (result, mut not_passing) = results_of(&readiness);
    let path = format!("{inside}{CHANGE_VALIDATE}");
    let found = repository.file_at(commit, &path)?.and_then(|bytes| to_know(&bytes));
    not_passing.extend(found.ok_or_else(|| missing(&path, "it lists no findings".to_owned()))?);
    Ok(Evidence {
        index_sha256: Digest::of(&bytes),
        readiness_sha256: Digest::of(&readiness),
        deploy_sha256: Digest::of(&deploy),
        readiness: result,
        not_passing,
        reports_made: made.into_iter().min().unwrap_or_default(),
        index,
    })
}

/// What a readiness report comes to, and its checks that do not pass.
fn results_of(bytes: &[u8]) -> (String, Vec<[String; 3]>) {
    let report = canonical_json::parse_within(bytes, bytes.len()).unwrap_or_default();
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or("UNKNOWN").to_owned();
    let checks = report.get("checks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let bad = checks.iter().filter(|check| text(check, "result") != "PASS");
    let bad = bad.map(|check| ["check", "result", "evidence"].map(|key| text(check, key))).collect();
    (format!("{} of the {}", text(&report, "result"), text(&report, "scope")), bad)
}

/// The findings that are more than a rule that holds, in the words of the file; nothing where it is none.
fn to_know(bytes: &[u8]) -> Option<Vec<[String; 3]>> {
    let all = canonical_json::parse_within(bytes, bytes.len()).ok()?;
    let mut rows = Vec::new();
    for finding in all.get("findings")?.as_array()? {
        let text = |key: &str| finding.get(key).and_then(Value::as_str);
        let (rule, verdict, path, message) = (text("rule")?, text("verdict")?, text("path")?, text("message")?);
        if matches!(verdict, "PASS" | "N/A") {
            continue;
        }
        let place = finding.get("line").and_then(Value::as_u64).map_or(String::new(), |line| format!(":{line}"));
        rows.push([format!("{rule} {path}{place}"), verdict.to_owned(), message.to_owned()]);
    }
    Some(rows)
}

/// The first artefact, or the index itself, that is another one in a later commit.
///
/// # Errors
/// [`GitError`].
pub fn edited(
    repository: &Repository,
    unlock_id: &str,
    evidence: &Evidence,
    later: Id,
) -> Result<Option<String>, GitError> {
    let place = path(unlock_id);
    if repository.file_at(later, &place)?.is_none_or(|bytes| Digest::of(&bytes) != evidence.index_sha256) {
        return Ok(Some(place));
    }
    for artefact in &evidence.index.artefacts {
        if !repository.file_at(later, &artefact.path)?.is_some_and(|bytes| artefact.is(&bytes)) {
            return Ok(Some(artefact.path.clone()));
        }
    }
    Ok(None)
}
