//! The log over a disk that fails: no acknowledged record is lost, nothing contradicts what left the process, nothing stray is left.

mod each_call;
mod faulty;
mod hanging;
mod killed;
mod power;
mod power_loss;
mod recorder;
mod recovery;
mod told;

use crate::disk::Disk;
use crate::log::{Log, OpenError, Options, origin};
use crate::note::NoteSigner;
use crate::record::{Entry, IntentType, Outcome};
use crate::watch::Patience;
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build, REPO_ID};
use agenttrader_core::time::UnixNanos;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const AGENT: &str = "shadow-gate";

/// Where it is not the matter that a disk hangs: what a log tells must not depend on how busy the machine is.
const ENDLESS: Patience = Patience { look_every: Duration::from_secs(3_600), journal: u32::MAX, tree: u32::MAX };

fn open_on(disk: Arc<dyn Disk>, dir: &Path, options: Options) -> Result<Log, OpenError> {
    open_patient(disk, ENDLESS, dir, options)
}

fn open_patient(disk: Arc<dyn Disk>, patience: Patience, dir: &Path, options: Options) -> Result<Log, OpenError> {
    let identity =
        AgentIdentity { agent_name: AGENT.into(), agent_role: AgentRole::Ops, agent_mode: AgentMode::Observe };
    let build = Build { git_sha: "unknown".into(), build_id: "unknown".into() };
    Log::open_on(disk, patience, dir, (identity, REPO_ID, build), key(), options)
}

fn key() -> NoteSigner {
    NoteSigner::log(&origin(REPO_ID, AGENT), ed25519_dalek::SigningKey::from_bytes(&[9; 32]))
}

/// A record that tells its number twice: in its time, and in its payload, which `padding` makes larger. The first one is an `agent_start`.
fn entry(number: i64, padding: usize) -> Entry {
    let mut payload = json!({"number": number, "padding": "x".repeat(padding)});
    let mut kind = IntentType::Signal;
    if number == 0 {
        kind = IntentType::AgentStart;
        let public = STANDARD.encode(key().verifier().public_key().as_bytes());
        payload["public_keys"] = json!({"log": public, "sign": STANDARD.encode([1; 32])});
    }
    Entry::new(UnixNanos::from_seconds(number), kind, Outcome::Success, "a test", payload)
}

/// The numbers in the log, in order. Fails on a torn or bad record.
fn numbers(dir: &Path) -> Vec<i64> {
    let mut all = crate::read::records(dir, AGENT).unwrap();
    let numbers = all.by_ref().map(|record| record.unwrap().timestamp.seconds()).collect();
    assert_eq!(all.unfinished(), 0);
    numbers
}
