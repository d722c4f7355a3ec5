//! What our log writes, against verifiers of other people: Go's `golang.org/x/mod/sumdb` and `aics-tlog`.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::fs;
use std::path::Path;

use agenttrader_audit::note::NoteSigner;
use agenttrader_audit::read::log_dir;
use agenttrader_audit::{Entry, IntentType, Log, Outcome, log};
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build, REPO_ID};
use agenttrader_core::time::UnixNanos;
use agenttrader_outside::tlog::{Aics, GoVerifier, Head};
use ed25519_dalek::SigningKey;
use serde_json::json;

const AGENT: &str = "gamma-strategy";

fn signer() -> NoteSigner {
    NoteSigner::log(&log::origin(REPO_ID, AGENT), SigningKey::from_bytes(&[3; 32]))
}

fn open(data_dir: &Path) -> Log {
    let identity =
        AgentIdentity { agent_name: AGENT.into(), agent_role: AgentRole::StrategyEval, agent_mode: AgentMode::Observe };
    let build = Build { git_sha: "0123456789abcdef0123456789abcdef01234567".into(), build_id: "b1".into() };
    Log::open(data_dir, identity, REPO_ID, build, signer()).unwrap()
}

/// Appends records until the log has that many, and waits for the last.
fn write(log: &Log, size: u64) {
    let mut last = None;
    for index in log.size()..size {
        // Each fifth payload is too large for a record, so that its bytes stand beside the log and its digest in it.
        let text = "x".repeat(if index % 5 == 4 { 70_000 } else { (index * 37 % 900) as usize });
        let payload = json!({"index": index, "text": text});
        let time = UnixNanos::from_seconds(1_767_623_400 + index as i64);
        last = Some(log.append(Entry::new(time, IntentType::Signal, Outcome::Success, "something was seen", payload)));
    }
    assert_eq!(last.unwrap().durable().unwrap().index(), size - 1);
}

#[test]
fn a_log_written_in_several_runs_holds_for_both_verifiers() {
    let (Some(go), Some(aics)) = (GoVerifier::find(), Aics::find()) else { return };
    let data_dir = tempfile::tempdir().unwrap();
    let dir = log_dir(data_dir.path(), AGENT);
    let vkey = signer().verifier().to_string();
    let checkpoint = dir.join("checkpoint");

    // The checkpoint of each run, and of each moment within one that somebody asked for one.
    let mut earlier: Vec<(Head, Vec<u8>)> = Vec::new();
    for run in [&[1][..], &[2, 90, 255], &[256], &[300, 511, 512, 513], &[700]] {
        let log = open(data_dir.path());
        for &size in run {
            write(&log, size);
            assert_eq!(log.checkpoint_now().unwrap().checkpoint.size, size);
            let head = go.audit(&dir, &vkey).unwrap();
            assert_eq!(head.size, size);
            earlier.push((head, fs::read(&checkpoint).unwrap()));
        }
        log.close().unwrap();
        assert_eq!(go.audit(&dir, &vkey), Ok(earlier.last().unwrap().0.clone()));
    }

    let (latest, _) = earlier.last().unwrap().clone();
    assert_eq!(go.checkpoint(&vkey, &checkpoint, &[]), Ok(latest.clone()));
    assert_eq!(aics.verify_checkpoint(&vkey, &checkpoint, &[]), Ok(latest.clone()));
    assert_eq!(aics.audit(&dir, &vkey), Ok(latest.clone()));
    for index in [0, 1, 89, 254, 255, 256, 299, 511, 512, 513, 698, 699] {
        assert_eq!(go.inclusion(&dir, &vkey, index).map(|proof| proof.head), Ok(latest.clone()), "{index}");
    }
    for index in [0, 256, 699] {
        assert_eq!(aics.verify_inclusion(&dir, &vkey, index), Ok(latest.clone()), "{index}");
    }
    assert!(go.inclusion(&dir, &vkey, 700).is_err());
    let kept = data_dir.path().join("kept");
    for (old, signed) in &earlier {
        assert_eq!(go.consistency(&dir, &vkey, old).map(|proof| proof.head), Ok(latest.clone()), "{}", old.size);
        // Python takes its time to start: once a run is enough.
        if [1, 255, 513].contains(&old.size) {
            fs::write(&kept, signed).unwrap();
            assert_eq!(aics.verify_consistency(&dir, &vkey, &kept), Ok(latest.clone()), "{}", old.size);
        }
    }
}

#[test]
fn a_log_that_was_changed_after_it_was_written_holds_for_neither() {
    let (Some(go), Some(aics)) = (GoVerifier::find(), Aics::find()) else { return };
    let data_dir = tempfile::tempdir().unwrap();
    let dir = log_dir(data_dir.path(), AGENT);
    let vkey = signer().verifier().to_string();
    let log = open(data_dir.path());
    write(&log, 300);
    log.close().unwrap();
    assert!(go.audit(&dir, &vkey).is_ok() && aics.audit(&dir, &vkey).is_ok());

    let bundle = dir.join("tile/entries/000");
    let good = fs::read(&bundle).unwrap();
    let text = b"something was seen";
    let at = good.windows(text.len()).position(|window| window == text).unwrap();
    let mut changed = good.clone();
    changed[at..at + text.len()].copy_from_slice(b"nothing to be seen");
    fs::write(&bundle, changed).unwrap();
    assert!(go.audit(&dir, &vkey).unwrap_err().contains("the entries give the root"));
    assert!(aics.audit(&dir, &vkey).is_err());
}
