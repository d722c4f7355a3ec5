//! The log that commands write to: no process serves it, and it is followed where it lies.

use super::logs::LogMaker;
use super::rig::Rig;
use agenttrader_agent::start::GOVERNANCE_CLI;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Whether that is raised over a log.
fn raised(log: &Value, code: &str) -> bool {
    log["findings"].as_array().is_some_and(|found| found.iter().any(|one| one["code"] == code))
}

fn root(rig: &Rig) -> PathBuf {
    rig.data_dir().join("audit").join(GOVERNANCE_CLI)
}

/// A floor whose commands have written so many records, followed.
async fn followed(records: u64) -> (Rig, LogMaker) {
    let (mut rig, maker) = (Rig::new().await, LogMaker::with_key(7).of(GOVERNANCE_CLI));
    rig.maker().open(rig.agent_dir()).append(2);
    rig.start().await;
    // The agent's own log is looked at again and again meanwhile: there is none of commands, and that is no news.
    rig.until("the agent's", |log| log["size"] == 2).await;
    rig.restart().await;
    rig.until("the agent's again", |log| log["state"] == "VERIFIED").await;
    assert_eq!(rig.until_of(GOVERNANCE_CLI, "none yet", |_| true).await, json!(null));
    assert!(rig.told().is_empty(), "{:?}", rig.told());
    rig.list_keys(&[rig.maker(), &maker]);
    let log = maker.open(rig.data_dir());
    log.append(records);
    log.close();
    let seen = rig.until_of(GOVERNANCE_CLI, "the first command", |log| log["size"] == records).await;
    assert_eq!((&seen["state"], &seen["findings"]), (&json!("VERIFIED"), &json!([])));
    (rig, maker)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_no_alarm_before_there_is_one_and_verified_and_cosigned_from_then_on() {
    let (rig, maker) = followed(3).await;
    let log = maker.open(rig.data_dir());
    log.append(300);
    log.close();
    let seen = rig.until_of(GOVERNANCE_CLI, "the next command", |log| log["size"] == 303).await;
    assert_eq!(seen["cosigned_by"][0]["size"], 303);
    assert_eq!(seen["held_since"]["size"], 3);
    assert!(rig.told().is_empty(), "{:?}", rig.told());
    assert!(rig.state().join("cosigned").join(GOVERNANCE_CLI).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn once_there_was_one_its_removal_is_told_even_with_its_key_and_after_a_restart() {
    let (mut rig, _) = followed(3).await;
    let away = rig.data_dir().join("away");
    std::fs::rename(root(&rig), &away).unwrap();
    let seen = rig.until_of(GOVERNANCE_CLI, "it is gone", |log| raised(log, "AUDIT_UNREACHABLE")).await;
    assert!(seen["findings"][0]["words"].as_str().unwrap().contains("was removed"), "{seen}");
    assert!(!seen["findings"][0]["remedy"].as_str().unwrap().contains("answers"), "{seen}");
    rig.list_key(rig.maker());
    rig.restart().await;
    rig.until_of(GOVERNANCE_CLI, "nor is its key there", |log| raised(log, "AUDIT_UNREACHABLE")).await;
    std::fs::rename(&away, root(&rig)).unwrap();
    rig.list_keys(&[rig.maker(), &LogMaker::with_key(7).of(GOVERNANCE_CLI)]);
    rig.until_of(GOVERNANCE_CLI, "it is back", |log| log["state"] == "VERIFIED" && log["findings"] == json!([])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rolled_back_or_rewritten_it_raises_what_any_log_does() {
    for code in ["AUDIT_ROLLBACK", "AUDIT_FORK"] {
        let (rig, maker) = followed(5).await;
        let other = tempfile::tempdir().unwrap();
        let forged = if code == "AUDIT_FORK" { maker.named("second") } else { maker };
        let log = forged.open(other.path());
        log.append(if code == "AUDIT_FORK" { 8 } else { 4 });
        log.close();
        std::fs::rename(root(&rig), rig.data_dir().join("away")).unwrap();
        std::fs::rename(other.path().join("audit").join(GOVERNANCE_CLI), root(&rig)).unwrap();
        rig.until_of(GOVERNANCE_CLI, code, |log| raised(log, code)).await;
        assert!(rig.state().join("alarms").join(GOVERNANCE_CLI).join(code).exists());
    }
}
