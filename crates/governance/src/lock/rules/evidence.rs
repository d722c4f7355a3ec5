//! The lock contract, rule `evidence`: the reports made before a lock are there, unaltered, and were fresh.

use crate::git::error::GitError;
use crate::git::repository::Repository;
use crate::lock::chain::Placed;
use crate::lock::findings::{fail, or_pass};
use crate::lock::model::{Evidence, LOCK_PATH, Locked, Report};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_policy::finding::{Finding, Rule};

/// Longest time between a report and its lock.
pub const FRESH_FOR: Span = Span::from_seconds(24 * 3600);

/// Most bytes of a report that are read.
const REPORT_BYTES_MOST: usize = 16 * 1024 * 1024;

/// The field of a report that says when it was made.
const MADE_AT: &str = "at_utc";

/// The rule, over the lock's commit.
///
/// # Errors
/// [`GitError`].
pub fn judge(repository: &Repository, lock: &Placed) -> Result<Vec<Finding>, GitError> {
    let Some(locked) = lock.lock.locked() else { return Ok(Vec::new()) };
    let mut findings = Vec::new();
    for report in Report::ALL {
        let named: Vec<_> = locked.evidence.iter().filter(|evidence| evidence.report == report).collect();
        match named.as_slice() {
            [one] => findings.extend(of(repository, lock, locked, one)?.map(|why| refuse(&one.path, why))),
            [] => findings.push(refuse(LOCK_PATH, format!("the lock names no {}", report.name()))),
            several => findings.push(refuse(LOCK_PATH, format!("the lock names {} {}s", several.len(), report.name()))),
        }
    }
    Ok(or_pass(Rule::Evidence, findings, "readiness and deploy report are there, unaltered and fresh"))
}

fn refuse(path: &str, why: impl Into<String>) -> Finding {
    fail(Rule::Evidence, path, why, "make the reports anew, at most 24 hours before the lock")
}

fn of(
    repository: &Repository,
    lock: &Placed,
    locked: &Locked,
    evidence: &Evidence,
) -> Result<Option<String>, GitError> {
    let folder = format!("ops/unlock/{}/", locked.unlock_id.as_deref().unwrap_or("genesis"));
    if !evidence.path.starts_with(&folder) {
        return Ok(Some(format!("the {} does not stand in {folder}", evidence.report.name())));
    }
    let Some(bytes) = repository.file_at(lock.commit, &evidence.path)? else {
        return Ok(Some(format!("the {} is not in the lock's commit", evidence.report.name())));
    };
    if Digest::of(&bytes) != evidence.sha256 {
        return Ok(Some("it has other bytes than the lock says".to_owned()));
    }
    let Some(at) = made_at(&bytes) else {
        return Ok(Some(format!("it is no JSON object whose `{MADE_AT}` says when it was made")));
    };
    let age = locked.timestamp.since(at);
    Ok(match () {
        () if age < Span::ZERO => Some(format!("it was made at {at}, after the lock's timestamp {}", locked.timestamp)),
        () if age > FRESH_FOR => {
            Some(format!("it was made at {at}, more than 24 hours before the lock's timestamp {}", locked.timestamp))
        }
        () => None,
    })
}

/// When a report says it was made, to the second: a lock's timestamp is of a whole second, and what was made within that
/// second was not made after the lock.
pub fn made_at(bytes: &[u8]) -> Option<UnixNanos> {
    let value = canonical_json::parse_within(bytes, REPORT_BYTES_MOST).ok()?;
    let at = UnixNanos::parse(value.get(MADE_AT)?.as_str()?).ok()?;
    Some(at.floor_to(Span::from_seconds(1)))
}
