//! The lock contract, rule `docs`: the documents that people need are there, and the lock's page says what the lock says.

use crate::git::path::RepoPath;
use crate::lock::findings::{fail, or_pass};
use crate::lock::model::{LOCK_BYTES_MOST, LOCK_PATH, Lock, PAGE_PATH};
use crate::lock::page::page;
use agenttrader_policy::finding::{Finding, Rule};

/// Documents without which nobody should run this: what is safe and how it is locked and unlocked, how people look after a floor, and
/// what they do when something goes wrong.
pub const REQUIRED: [&str; 20] = [
    PAGE_PATH,
    "docs/SAFETY.md",
    "docs/KILL_SWITCH.md",
    "docs/MARKETDATA_HEALTH_CONTRACT.md",
    "docs/PRODUCTION_LOCK.md",
    "docs/UNLOCK.md",
    "docs/approval_template.md",
    "docs/ops/agent_mesh.md",
    "docs/ops/audit_pack.md",
    "docs/ops/go_no_go.md",
    "docs/ops/mission_control.md",
    "docs/runbooks/crash_loop.md",
    "docs/runbooks/disaster_recovery.md",
    "docs/runbooks/image_pull.md",
    "docs/runbooks/kill_switch_drill.md",
    "docs/runbooks/marketdata_stale.md",
    "docs/runbooks/post_market.md",
    "docs/runbooks/pre_market.md",
    "docs/runbooks/resource_pressure.md",
    "docs/runbooks/strategy_halted.md",
];

/// What to do about a document that is not there, or says nothing.
const REMEDY: &str = "bring it back: `git log -- PATH` shows which commit took it away; a new floor writes its own";

/// Most bytes of a document that are read.
const DOCUMENT_BYTES_MOST: u64 = 4 * 1024 * 1024;

/// What a folder's files are; `read` gives the bytes of one that has at most so many, or why it cannot.
pub fn judge(read: impl Fn(&RepoPath, u64) -> Result<Vec<u8>, String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in REQUIRED {
        match read(&RepoPath::from(path), DOCUMENT_BYTES_MOST) {
            Ok(bytes) if bytes.trim_ascii().is_empty() => {
                findings.push(fail(Rule::Docs, path, "the required document is empty", REMEDY));
            }
            Ok(bytes) if path == PAGE_PATH => findings.extend(page_differs(&read, &bytes)),
            Ok(_) => {}
            Err(why) => {
                findings.push(fail(Rule::Docs, path, format!("the required document cannot be read: {why}"), REMEDY));
            }
        }
    }
    or_pass(Rule::Docs, findings, format!("{} required documents are there", REQUIRED.len()))
}

/// That the page is not the lock's; a lock that cannot be read is told by rule `tree`.
fn page_differs(read: impl Fn(&RepoPath, u64) -> Result<Vec<u8>, String>, bytes: &[u8]) -> Option<Finding> {
    let most = u64::try_from(LOCK_BYTES_MOST).unwrap_or(u64::MAX);
    let lock = Lock::parse(&read(&RepoPath::from(LOCK_PATH), most).ok()?).ok()?;
    let wanted = page(&lock);
    if wanted.as_bytes() == bytes {
        return None;
    }
    let same = wanted.bytes().zip(bytes).take_while(|(wanted, found)| wanted == *found).count();
    let line = bytes.iter().take(same).filter(|byte| **byte == b'\n').count().saturating_add(1);
    let mut finding = fail(
        Rule::Docs,
        PAGE_PATH,
        format!("the page does not say what {LOCK_PATH} says"),
        "`agenttrader lock page` prints what it has to be",
    );
    finding.line = u32::try_from(line).ok();
    Some(finding)
}
