//! A floor that nobody configured: every agent answers, proposals appear and are refused for the posture alone, and it ends soon.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it must be")]

use agenttrader_agent::marketdata_health::judge_health;
use agenttrader_agent::start;
use agenttrader_agent::status::Status;
use agenttrader_audit::record::IntentType;
use agenttrader_core::digest::Digest;
use agenttrader_core::time::Span;
use agenttrader_floor::ports::Service;
use agenttrader_floor::run::Ended;
use agenttrader_whole::live::{AGENTS, Closed, Hall, LONG, Wanted, run, until};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const POSTURE: [&str; 5] =
    ["EXECUTION_DISABLED", "AGENT_MODE_NOT_EXECUTE", "KILL_SWITCH", "UNLOCK_MISSING", "APPROVAL_MISSING"];

/// Longest end of a floor.
const END_WITHIN: Duration = Duration::from_secs(2);

/// Ends a floor while a page follows its events and a client says nothing: neither holds the end up. Tells how long it took.
async fn ended_while_followed(hall: Hall) -> (Duration, Ended, Closed) {
    let mission_control = hall.floor.ports()[&Service::MissionControl];
    let mut follower = TcpStream::connect(mission_control).await.unwrap();
    let request = format!("GET /api/v1/events/stream HTTP/1.1\r\nhost: {mission_control}\r\n\r\n");
    follower.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0_u8; 15];
    follower.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    let _mute = TcpStream::connect(hall.floor.ports()[&Service::Gamma]).await.unwrap();
    let asked = Instant::now();
    let (ended, closed) = hall.close().await;
    (asked.elapsed(), ended, closed)
}

#[test]
fn a_floor_starts_proposes_refuses_and_ends_in_order() {
    run(async {
        let hall = Hall::open(Wanted::simulated(1, 10.0)).await;
        for (name, service) in AGENTS {
            let seen = format!("{name} answers its health contract");
            until(&seen, LONG, async || {
                let (health, _) = hall.get(service, "/healthz").await;
                let (alive, _) = hall.get(service, "/livez").await;
                let (ready, _) = hall.get(service, "/readyz").await;
                (health == 200 && alive == 200 && ready == 200).then_some(())
            })
            .await;
            let (code, status) = hall.get(service, "/ops/status").await;
            let status: Status = serde_json::from_value(status).unwrap();
            assert_eq!((code, status.service_name.as_str()), (200, name));
            assert!(status.safety.kill_switch.halted, "a floor begins halted");
            assert!(!status.safety.safe_to_execute_orders);
            let (code, beat) = hall.get(service, "/heartbeat").await;
            assert_eq!((code, beat["is_fresh"].as_bool()), (200, Some(true)), "{name}");
        }
        let (code, health) = hall.text(Service::Marketdata, "/healthz").await;
        let judged =
            judge_health(code, Some("application/json"), health.as_bytes(), Span::from_seconds(30), start::MARKETDATA);
        assert!(judged.is_ok(), "{judged:?}");

        let decisions = until("gamma and whale proposed and were refused", LONG, async || {
            let (_, proposals) = hall.get(Service::MissionControl, "/api/v1/proposals?limit=500").await;
            let of =
                |name: &str| proposals["items"].as_array()?.iter().find(|item| item["strategy_name"] == name).cloned();
            of("gamma")?["decision_id"].as_str()?;
            of("whale")?["decision_id"].as_str()?;
            let (_, decisions) = hall.get(Service::MissionControl, "/api/v1/decisions?limit=500").await;
            decisions["items"].as_array().cloned()
        })
        .await;
        assert!(decisions.len() >= 2);
        for decision in &decisions {
            let codes: Vec<&str> =
                decision["reason_codes"].as_array().unwrap().iter().filter_map(|code| code.as_str()).collect();
            let posture: Vec<&str> = codes.iter().copied().filter(|code| POSTURE.contains(code)).collect();
            assert_eq!(decision["decision"], "REFUSE");
            assert_eq!(posture, POSTURE, "{codes:?}");
        }
        let (code, metrics) = hall.text(Service::Marketdata, "/metrics").await;
        assert_eq!(code, 200);
        let counts = |name: &str, text: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).unwrap_or_default()
        };
        assert!(counts("agenttrader_inputs_total{kind=\"quote\"}", &metrics) > 0, "{metrics}");
        assert!(counts("agenttrader_feed_connects_total{stream=\"options\"}", &metrics) > 0, "{metrics}");
        let (_, metrics) = hall.text(Service::Gate, "/metrics").await;
        assert!(counts("agenttrader_decisions_total{decision=\"refuse\"}", &metrics) > 0, "{metrics}");
        let (_, metrics) = hall.text(Service::Whale, "/metrics").await;
        assert!(counts("agenttrader_proposals_total{strategy=\"whale\"}", &metrics) > 0, "{metrics}");

        let (mut took, ended, closed) = ended_while_followed(hall).await;
        for _ in 0..5 {
            // What a machine that was busy just then adds is not the floor's.
            if took >= END_WITHIN {
                took = took.min(ended_while_followed(Hall::open(Wanted::simulated(1, 10.0)).await).await.0);
            }
        }
        assert!(took < END_WITHIN, "took {took:?} to end");
        assert_eq!(ended.problems, Vec::<String>::new());
        let (recording, digest) = ended.recording.unwrap();
        assert_eq!(Digest::of(&std::fs::read(recording).unwrap()), digest, "the recording is whole");
        for (name, _) in AGENTS {
            let journal = closed.journal(name);
            assert_eq!(journal.first().unwrap().intent_type, IntentType::AgentStart, "{name}");
            assert_eq!(journal.last().unwrap().intent_type, IntentType::AgentStop, "{name}");
        }
    });
}

#[test]
fn a_floor_that_starts_again_shows_what_earlier_runs_decided() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let hall = Hall::open_in(folder.path(), Wanted::simulated(2, 20.0)).await;
        until("something was decided", LONG, async || (hall.count(IntentType::ExecutionDecision) > 0).then_some(()))
            .await;
        let decided =
            hall.records().into_iter().find(|record| record.intent_type == IntentType::ExecutionDecision).unwrap();
        let id = decided.intent_payload["decision"]["decision_id"].clone();
        let _ = hall.close().await;
        let hall = Hall::open_in(
            folder.path(),
            Wanted { mode: agenttrader_core::identity::AgentMode::Off, ..Wanted::simulated(2, 20.0) },
        )
        .await;
        until("the decision of the earlier run is shown", LONG, async || {
            let (_, decisions) = hall.get(Service::MissionControl, "/api/v1/decisions?limit=500").await;
            decisions["items"].as_array()?.iter().any(|decision| decision["decision_id"] == id).then_some(())
        })
        .await;
        let _ = hall.close().await;
    });
}
