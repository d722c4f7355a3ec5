//! The kill switch in a running floor: each change of any source is seen by every agent, told once by each, and judged by.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it must be")]

use agenttrader_agent::start;
use agenttrader_audit::record::IntentType;
use agenttrader_whole::live::{AGENTS, Hall, LONG, Wanted, run, until};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Within which every status shows the switch. On an idle machine it is some 50 ms; what one that is busy just then adds is not the
/// floor's, so that most changes must be seen in time, and each must be seen.
const SEEN_WITHIN: Duration = Duration::from_secs(2);

/// Waits until every status shows the switch so, and every agent has recorded it. Tells how long the statuses took.
async fn seen(hall: &Hall, halted: bool, source: &str, changes: usize) -> Duration {
    let begun = Instant::now();
    let what = format!("every status shows halted={halted}, {source}");
    let took = until(&what, LONG, async || {
        let statuses = hall.statuses().await;
        let shows = |status: &serde_json::Value| {
            let switch = &status["safety"]["kill_switch"];
            switch["halted"] == halted && switch["source"].as_str().is_some_and(|said| said.contains(source))
        };
        statuses.values().all(shows).then(|| begun.elapsed())
    })
    .await;
    until("every agent has recorded the change", LONG, async || {
        (hall.count(IntentType::KillSwitchChange) >= changes * AGENTS.len()).then_some(())
    })
    .await;
    took
}

fn most_in_time(mut took: Vec<Duration>) {
    took.sort_unstable();
    assert!(took[took.len() / 2] < SEEN_WITHIN, "statuses showed the switch after {took:?}");
}

async fn decided(hall: &Hall) {
    let before = hall.count(IntentType::ExecutionDecision);
    until("the next decision", LONG, async || (hall.count(IntentType::ExecutionDecision) > before).then_some(())).await;
}

fn write(path: &Path, content: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, content).unwrap();
    fs::rename(&beside, path).unwrap();
}

/// Puts a link in the place of the file, in one step.
fn link(to: &Path, path: &Path) {
    let beside = path.with_extension("new");
    std::os::unix::fs::symlink(to, &beside).unwrap();
    fs::rename(&beside, path).unwrap();
}

#[test]
fn every_change_of_the_switch_is_seen_by_all_told_once_by_each_and_judged_by() {
    run(async {
        let strategies = &["gamma", "whale", "naive_flow_trend"];
        let hall = Hall::open(Wanted { strategies, ..Wanted::simulated(4, 60.0) }).await;
        let (switch, latch) = (hall.switch(), hall.data_dir.join("kill-switch").join("LATCH"));
        let mut took = vec![seen(&hall, true, "", 1).await];
        decided(&hall).await;

        write(&switch, "0");
        took.push(seen(&hall, false, "", 2).await);
        decided(&hall).await;

        write(&switch, "1\n");
        took.push(seen(&hall, true, "EXECUTION_HALTED", 3).await);
        decided(&hall).await;

        write(&switch, "0\n");
        took.push(seen(&hall, false, "", 4).await);
        fs::write(&latch, "").unwrap();
        took.push(seen(&hall, true, "LATCH", 5).await);
        fs::remove_file(&latch).unwrap();
        took.push(seen(&hall, false, "", 6).await);

        // As a ConfigMap is replaced: the file is a link to a link that is swapped.
        let maps = hall.data_dir.join("maps");
        for (name, content) in [("off", "0"), ("on", "1")] {
            fs::create_dir_all(maps.join(name)).unwrap();
            fs::write(maps.join(name).join("EXECUTION_HALTED"), content).unwrap();
        }
        std::os::unix::fs::symlink("off", maps.join("data")).unwrap();
        link(&maps.join("data").join("EXECUTION_HALTED"), &switch);
        std::os::unix::fs::symlink("on", maps.join("next")).unwrap();
        fs::rename(maps.join("next"), maps.join("data")).unwrap();
        took.push(seen(&hall, true, "EXECUTION_HALTED", 7).await);

        let mut changes = 7;
        fs::create_dir(hall.data_dir.join("folder")).unwrap();
        for what in ["", "0\n1\n", "a folder", "itself", "deleted"] {
            write(&switch, "0");
            changes += 1;
            took.push(seen(&hall, false, "", changes).await);
            match what {
                "a folder" => link(&hall.data_dir.join("folder"), &switch),
                "itself" => link(Path::new("EXECUTION_HALTED"), &switch),
                "deleted" => fs::remove_file(&switch).unwrap(),
                content => write(&switch, content),
            }
            changes += 1;
            took.push(seen(&hall, true, "EXECUTION_HALTED", changes).await);
        }

        most_in_time(took);
        let (_, closed) = hall.close().await;
        let mut told = Vec::new();
        for (name, _) in AGENTS {
            let changes_told: Vec<(bool, String)> = closed
                .journal(name)
                .into_iter()
                .filter(|record| record.intent_type == IntentType::KillSwitchChange)
                .map(|record| {
                    let reading = &record.intent_payload["reading"];
                    (reading["halted"].as_bool().unwrap(), reading["source"].as_str().unwrap().to_owned())
                })
                .collect();
            assert!(changes_told.iter().all(|(_, source)| !source.is_empty()), "{name} names the source");
            told.push(changes_told);
        }
        assert!(told.iter().all(|changes| *changes == told[0]), "every agent tells the same changes: {told:?}");
        assert_eq!(told[0].len(), changes, "one record a change: {:?}", told[0]);

        // Between two changes every decision lists the switch exactly if it is on, and else the same reasons.
        let (mut halted, mut with, mut without) = (true, 0, 0);
        for record in closed.journal(start::SHADOW_GATE) {
            match record.intent_type {
                IntentType::KillSwitchChange => halted = record.intent_payload["reading"]["halted"] == true,
                IntentType::ExecutionDecision => {
                    let codes = record.intent_payload["decision"]["reason_codes"].as_array().unwrap().clone();
                    let codes: Vec<&str> = codes.iter().filter_map(|code| code.as_str()).collect();
                    assert_eq!(codes.contains(&"KILL_SWITCH"), halted, "{codes:?}");
                    let posture =
                        ["EXECUTION_DISABLED", "AGENT_MODE_NOT_EXECUTE", "UNLOCK_MISSING", "APPROVAL_MISSING"];
                    let others: Vec<&str> = codes.iter().copied().filter(|code| posture.contains(code)).collect();
                    assert_eq!(others, posture, "nothing else changes");
                    if halted { with += 1 } else { without += 1 }
                }
                _ => {}
            }
        }
        assert!(with >= 2 && without >= 1, "{with} decisions halted, {without} not");
    });
}

#[test]
fn a_halt_is_shown_and_told_even_where_no_venue_was_ever_reached() {
    run(async {
        // Held without being listened on, so that nobody answers there.
        let held = tokio::net::TcpSocket::new_v4().unwrap();
        held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let nobody = held.local_addr().unwrap();
        let hall = Hall::open(Wanted::elsewhere(nobody)).await;
        let mut took = vec![seen(&hall, true, "EXECUTION_HALTED", 1).await];
        write(&hall.switch(), "0");
        took.push(seen(&hall, false, "", 2).await);
        write(&hall.switch(), "1");
        took.push(seen(&hall, true, "EXECUTION_HALTED", 3).await);
        most_in_time(took);
        let (ended, _) = hall.close().await;
        assert!(ended.recording.is_none(), "without a clock nothing is numbered");
    });
}
