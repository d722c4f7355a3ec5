//! A floor's mission control follows every log of it, its own among them, and finds one that was put back to an older copy.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it must be")]

use agenttrader_agent::start;
use agenttrader_audit::record::{IntentType, Outcome};
use agenttrader_floor::ports::Service;
use agenttrader_whole::live::{AGENTS, Hall, LONG, Wanted, run, until};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn wanted() -> Wanted {
    Wanted { symbols: &["SPY"], ..Wanted::simulated(1, 1.0) }
}

/// What mission control tells of each log.
async fn logs(hall: &Hall) -> BTreeMap<String, Value> {
    let (_, answer) = hall.get(Service::MissionControl, "/api/v1/audit").await;
    let logs = answer["logs"].as_array().cloned().unwrap_or_default();
    logs.into_iter().map(|log| (log["agent_name"].as_str().unwrap().to_owned(), log)).collect()
}

async fn until_verified(hall: &Hall, more_than: u64) -> BTreeMap<String, Value> {
    until("every log is verified and cosigned", LONG, async || {
        let logs = logs(hall).await;
        let is_good = |log: &Value| {
            log["state"] == "VERIFIED"
                && log["size"].as_u64() > Some(more_than)
                && log["cosigned_by"].as_array().is_some_and(|by| by.len() == 1)
        };
        (logs.len() == AGENTS.len() && logs.values().all(is_good)).then_some(logs)
    })
    .await
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

#[test]
fn every_log_of_a_floor_is_witnessed_and_one_that_was_put_back_is_found() {
    run(async {
        let (folder, older) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let parts = ["audit", "audit-state"].map(|part| Path::new(part).join(start::WHALE));
        let hall = Hall::open_in(folder.path(), wanted()).await;
        until_verified(&hall, 0).await;
        until("each status names the root that covers its records", LONG, async || {
            let statuses = hall.statuses().await;
            let covered = |audit: &Value| audit["root_hash"].is_string() && audit["checkpoint_utc"].is_string();
            statuses.values().all(|status| covered(&status["audit"])).then_some(())
        })
        .await;
        assert_eq!(hall.close().await.0.problems, Vec::<String>::new());
        for part in &parts {
            copy(&folder.path().join(part), &older.path().join(part));
        }
        let size = |logs: &BTreeMap<String, Value>| logs[start::WHALE]["size"].as_u64().unwrap();
        let hall = Hall::open_in(folder.path(), wanted()).await;
        let before = until_verified(&hall, 0).await;
        assert_eq!(hall.close().await.0.problems, Vec::<String>::new());

        for part in &parts {
            fs::remove_dir_all(folder.path().join(part)).unwrap();
            copy(&older.path().join(part), &folder.path().join(part));
        }
        let hall = Hall::open_in(folder.path(), wanted()).await;
        // As soon as it is seen; by then it may have grown past what was verified, with other records.
        let found = until("the log that was put back is found", LONG, async || {
            let log = logs(&hall).await.remove(start::WHALE)?;
            let codes = log["findings"].as_array()?.iter().map(|one| one["code"].as_str().unwrap().to_owned());
            let codes: Vec<String> = codes.collect();
            codes.iter().any(|code| code == "AUDIT_ROLLBACK" || code == "AUDIT_FORK").then_some(log)
        })
        .await;
        // The last records of the run before are held as well, which were written after anybody was asked.
        assert!(found["size"].as_u64() > Some(size(&before)), "{found}");
        let (_, safety) = hall.get(Service::MissionControl, "/api/v1/safety").await;
        assert_eq!(safety["audit"][0]["agent_name"], start::WHALE);
        until("mission control's own log tells of it", LONG, async || {
            let told = hall.records().into_iter().find(|record| {
                record.agent_name == start::MISSION_CONTROL
                    && record.intent_type == IntentType::StateTransition
                    && record.outcome == Outcome::Failure
            })?;
            told.intent_summary.contains(start::WHALE).then_some(())
        })
        .await;
        for (name, log) in logs(&hall).await.iter().filter(|(name, _)| *name != start::WHALE) {
            // A busy machine may be late; nothing else is wrong with them.
            let mut codes = log["findings"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap());
            assert!(codes.all(|code| matches!(code, "AUDIT_STALLED" | "AUDIT_UNREACHABLE")), "{name}: {log}");
        }
        hall.close().await;
    });
}
