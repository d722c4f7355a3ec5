//! A log in a folder of its own, and its files taken apart by hand.

use agenttrader_audit::log::origin;
use agenttrader_audit::note::NoteSigner;
use agenttrader_audit::read::{log_dir, records};
use agenttrader_audit::{Entry, IntentType, Log, OpenError, Options, Outcome, Record};
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build, REPO_ID};
use agenttrader_core::time::UnixNanos;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

pub const AGENT: &str = "gamma-strategy";

pub fn identity(name: &str) -> AgentIdentity {
    AgentIdentity { agent_name: name.into(), agent_role: AgentRole::StrategyEval, agent_mode: AgentMode::Observe }
}

pub fn build() -> Build {
    Build { git_sha: "0123456789abcdef0123456789abcdef01234567".into(), build_id: "b1".into() }
}

pub fn key(name: &str) -> NoteSigner {
    NoteSigner::log(&origin(REPO_ID, name), ed25519_dalek::SigningKey::from_bytes(&[7; 32]))
}

pub fn open(dir: &Path) -> Result<Log, OpenError> {
    Log::open(dir, identity(AGENT), REPO_ID, build(), key(AGENT))
}

pub fn open_with(dir: &Path, options: Options) -> Log {
    Log::open_with(dir, identity(AGENT), REPO_ID, build(), key(AGENT), options).unwrap()
}

pub fn state(dir: &Path) -> PathBuf {
    dir.join("audit-state").join(AGENT)
}

/// The journal's segment that begins with that record.
pub fn segment(dir: &Path, first: u64) -> PathBuf {
    state(dir).join("journal").join(format!("{first:020}"))
}

/// The offsets at which a segment's frames end, and their records.
pub fn frames(bytes: &[u8]) -> Vec<(usize, String)> {
    let (mut at, mut all) = (0, Vec::new());
    while let Some(length) = bytes[at..].first_chunk::<4>() {
        let from = at + 48;
        at = from + u32::from_le_bytes(*length) as usize;
        all.push((at, String::from_utf8(bytes[from..at].to_vec()).unwrap()));
    }
    all
}

/// The same log as a crash leaves it before any checkpoint: the journal and nothing else.
pub fn forget_tree(dir: &Path) {
    fs::remove_dir_all(log_dir(dir, AGENT)).unwrap();
    fs::remove_file(state(dir).join("head")).unwrap();
}

pub fn all(dir: &Path) -> Vec<Record> {
    records(dir, AGENT).unwrap().map(Result::unwrap).collect()
}

pub fn entry(second: i64, payload: Value) -> Entry {
    Entry::new(UnixNanos::from_seconds(second), IntentType::Signal, Outcome::Success, "something was seen", payload)
}

/// A log with three records, closed.
pub fn three(dir: &Path) {
    let log = open(dir).unwrap();
    for second in [10, 30, 20] {
        log.append(entry(second, json!({"second": second}))).unwaited();
    }
    log.close().unwrap();
}

/// Appends records of those seconds, each telling its own, and waits until they are durable.
pub fn append(log: &Log, seconds: std::ops::Range<i64>) {
    let tickets: Vec<_> = seconds.map(|second| log.append(entry(second, json!({"second": second})))).collect();
    tickets.into_iter().for_each(|ticket| drop(ticket.durable().unwrap()));
}

/// Every file below a folder, by its path from there, with its bytes.
pub fn files(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}
