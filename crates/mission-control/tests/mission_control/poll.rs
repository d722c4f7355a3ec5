//! The poller against servers that answer well, badly, slowly, or not at all.

use crate::given::{AGENTS, Given};
use agenttrader_agent::tasks::Tasks;
use agenttrader_mission_control::hub::Hub;
use agenttrader_mission_control::inventory::Inventory;
use agenttrader_mission_control::poll::{Cadence, poll};
use agenttrader_mission_control::{access::BindPolicy, api};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};

/// An agent that answers is waited for as long as any busy machine takes.
const CADENCE: Cadence = Cadence { interval: Duration::from_millis(100), timeout: Duration::from_secs(60) };

fn status(name: &str, kind: &str, role: &str) -> Value {
    json!({
        "service_name": name, "service_kind": kind, "repo_id": "agent-trader-v2", "git_sha": "unknown", "build_id": "unknown",
        "agent_identity": {"agent_name": name, "agent_role": role, "agent_mode": "OBSERVE"},
        "status": {"state": "OK", "summary": "Healthy.", "reason_codes": [], "last_updated_utc": "2026-01-05T15:00:00Z"},
        "heartbeat": {"last_heartbeat_utc": "2026-01-05T15:00:00Z", "age_seconds": 0.5, "ttl_seconds": 10},
        "marketdata": {"last_tick_utc": "2026-01-05T15:00:00Z", "last_bar_utc": null, "stale_threshold_seconds": 30, "is_fresh": true},
        "safety": {"kill_switch": {"halted": true, "source": "file", "since_utc": null}, "safe_to_run_strategies": true,
                   "safe_to_execute_orders": false, "gating_reasons": ["EXECUTION_DISABLED", "KILL_SWITCH"]},
        "audit": {"origin": "o", "tree_size": 1, "root_hash": null, "checkpoint_utc": null},
        "endpoints": {}
    })
}

fn http(status_line: &str, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status_line}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .into()
}

/// A server that gives every connection the same bytes, or half of them and no more.
async fn server(bytes: Vec<u8>, is_whole: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let bytes = bytes.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0_u8; 4096]).await;
                let half = bytes.len() / 2;
                let _ = stream.write_all(&bytes[..half]).await;
                if !is_whole {
                    std::future::pending::<()>().await;
                }
                let _ = stream.write_all(&bytes[half..]).await;
            });
        }
    });
    address
}

/// A port where nobody listens, and nobody can while the tests run.
fn nobody() -> SocketAddr {
    let held = TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = held.local_addr().unwrap();
    Box::leak(Box::new(held));
    address
}

/// The rows once every agent that is meant to run was asked.
async fn rows(addresses: BTreeMap<String, SocketAddr>) -> (BTreeMap<String, Value>, Value) {
    rows_at(CADENCE, addresses).await
}

async fn rows_at(cadence: Cadence, addresses: BTreeMap<String, SocketAddr>) -> (BTreeMap<String, Value>, Value) {
    let tasks = Tasks::new();
    let hub = Hub::new(Inventory::parse(AGENTS).unwrap().at(&addresses), cadence, tasks.stop());
    let policy = BindPolicy { bind: "127.0.0.1".parse().unwrap(), token: None, trusted_proxies: vec![] };
    let board = Arc::new(agenttrader_agent::health::StatusBoard::new("mission-control"));
    let router = api::router(Arc::clone(&hub), board, policy.access().unwrap(), Default::default());
    let given = Given { hub: Arc::clone(&hub), router, tasks };
    let polling = tokio::spawn(poll(hub, given.tasks.stop()));
    let mut waits = 0;
    let rows = loop {
        let rows = given.body("/api/v1/agents").await["items"].as_array().unwrap().clone();
        if rows.iter().all(|row| row["replicas"] == 0 || !row["polled_utc"].is_null()) {
            break rows;
        }
        waits += 1;
        assert!(waits < 3_000, "every agent is asked");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let safety = given.body("/api/v1/safety").await;
    given.tasks.ask_to_stop();
    tokio::time::timeout(Duration::from_secs(60), polling).await.expect("the poller ends when asked").unwrap().unwrap();
    (rows.into_iter().map(|row| (row["agent_name"].as_str().unwrap().to_owned(), row)).collect(), safety)
}

fn at<const N: usize>(addresses: [(&str, SocketAddr); N]) -> BTreeMap<String, SocketAddr> {
    addresses.map(|(name, address)| (name.to_owned(), address)).into()
}

fn assert_row(rows: &BTreeMap<String, Value>, name: &str, state: &str, reasons: &[&str], words: &str) {
    let row = &rows[name];
    assert_eq!((&row["state"], &row["reason_codes"]), (&json!(state), &json!(reasons)), "{name}: {row}");
    assert!(row["summary"].as_str().unwrap().contains(words), "{name}: {}", row["summary"]);
}

#[tokio::test]
async fn agents_that_answer_stand_in_their_own_state_and_make_the_posture() {
    let good = |name, kind, role| {
        server(http("200 OK", "application/json; charset=utf-8", &status(name, kind, role).to_string()), true)
    };
    let mut old = status("whale-strategy", "strategy", "strategy_eval");
    old["heartbeat"]["age_seconds"] = json!(11.0);
    // An agent's own words: whatever it says is cut to the bound, names no folder, and each of the two things stands once.
    let words = format!("/srv/floor/x.rec:\u{1b} {}", "full ".repeat(100));
    old["unwritable"] =
        json!([{"what": "RECORDING", "why": words}, {"what": "LOG", "why": "torn"}, {"what": "LOG", "why": "again"}]);
    let addresses = at([
        ("marketdata-mcp-server", good("marketdata-mcp-server", "marketdata", "marketdata").await),
        ("gamma-strategy", good("gamma-strategy", "strategy", "strategy_eval").await),
        ("whale-strategy", server(http("200 OK", "application/json", &old.to_string()), true).await),
        ("shadow-gate", good("shadow-gate", "ops", "ops").await),
        ("mission-control", good("mission-control", "ops", "ops").await),
    ]);
    let (rows, safety) = rows(addresses).await;
    for name in ["marketdata-mcp-server", "gamma-strategy", "shadow-gate", "mission-control"] {
        assert_row(&rows, name, "OK", &[], "Healthy");
        assert_eq!(rows[name]["status"]["service_name"], name);
        assert!(rows[name]["answer_age_seconds"].as_f64().unwrap() >= 0.0);
    }
    assert_row(&rows, "whale-strategy", "DEGRADED", &["HEARTBEAT_STALE"], "heartbeat");
    assert_row(&rows, "execution-agent", "OFFLINE", &["EXECUTION_DISABLED"], "Not meant to run");
    assert_eq!((&safety["source"], &safety["kill_switch"]["source"]), (&json!("STATUSES"), &json!("file")));
    assert_eq!((&safety["safe_to_run_strategies"], &safety["safe_to_execute_orders"]), (&json!(true), &json!(false)));
    assert_eq!(safety["gating_reasons"], json!(["EXECUTION_DISABLED", "KILL_SWITCH"]));
    assert_eq!(safety["freshness"][0]["state"], "FRESH");
    let agents = safety["agents"].as_array().unwrap();
    let unwritable = |name: &str| &agents.iter().find(|agent| agent["agent_name"] == name).unwrap()["unwritable"];
    assert_eq!(unwritable("gamma-strategy"), &json!([]));
    let [log, recording] = unwritable("whale-strategy").as_array().unwrap().as_slice() else { panic!("{safety}") };
    assert_eq!(log, &json!({"what": "LOG", "why": "torn"}));
    let why = recording["why"].as_str().unwrap();
    assert!(why.starts_with("x.rec:  full full") && why.len() == 200, "{why}");
}

#[tokio::test]
async fn answers_that_do_not_fit_are_unknown_and_no_answer_is_offline() {
    let good = http("200 OK", "application/json", &status("gamma-strategy", "strategy", "strategy_eval").to_string());
    let target = server(good.clone(), true).await;
    let redirect = format!("HTTP/1.1 302 Found\r\nlocation: http://{target}/ops/status\r\ncontent-length: 0\r\n\r\n");
    let huge = http("200 OK", "application/json", &format!("{{\"x\":\"{}\"}}", "y".repeat(200_000)));
    let (rows_of, safety) = rows(at([
        ("marketdata-mcp-server", nobody()),
        ("gamma-strategy", server(redirect.into(), true).await),
        ("whale-strategy", server(huge, true).await),
        ("shadow-gate", nobody()),
        ("mission-control", server(http("200 OK", "text/html", "<h1>hello</h1>"), true).await),
    ]))
    .await;
    assert_row(&rows_of, "marketdata-mcp-server", "OFFLINE", &["UNREACHABLE"], "Not reachable");
    assert_row(&rows_of, "gamma-strategy", "UNKNOWN", &["STATUS_UNFIT"], "HTTP status 302");
    assert_row(&rows_of, "whale-strategy", "UNKNOWN", &["STATUS_UNFIT"], "longer than");
    assert_row(&rows_of, "mission-control", "UNKNOWN", &["STATUS_UNFIT"], "text/html");
    assert_eq!((&safety["source"], &safety["kill_switch"]["halted"]), (&json!("NOTHING"), &json!(true)));

    let mut missing = status("marketdata-mcp-server", "marketdata", "marketdata");
    missing.as_object_mut().unwrap().remove("safety");
    let (rows_of, _) = rows(at([
        ("marketdata-mcp-server", server(http("200 OK", "application/json", &missing.to_string()), true).await),
        ("gamma-strategy", server(http("200 OK", "application/json", "{\"service_name\":\"\\u0007"), true).await),
        ("whale-strategy", target),
        ("shadow-gate", server(http("503 Service Unavailable", "application/json", "{}"), true).await),
        ("mission-control", server(b"\x16\x03\x01 not http".to_vec(), true).await),
    ]))
    .await;
    assert_row(&rows_of, "marketdata-mcp-server", "UNKNOWN", &["STATUS_UNFIT"], "safety");
    assert_row(&rows_of, "gamma-strategy", "UNKNOWN", &["STATUS_UNFIT"], "not JSON");
    assert_row(&rows_of, "whale-strategy", "UNKNOWN", &["STATUS_UNFIT"], "`gamma-strategy` answered");
    assert_row(&rows_of, "shadow-gate", "UNKNOWN", &["STATUS_UNFIT"], "503");
    assert_row(&rows_of, "mission-control", "OFFLINE", &["UNREACHABLE"], "Not reachable");
}

#[tokio::test]
async fn an_answer_that_does_not_end_in_time_is_no_answer() {
    let half = http("200 OK", "application/json", &status("gamma-strategy", "strategy", "strategy_eval").to_string());
    let hung = server(half, false).await;
    let names = ["marketdata-mcp-server", "gamma-strategy", "whale-strategy", "shadow-gate", "mission-control"];
    // What was seen is shown for three intervals and more: longer than this takes.
    let cadence = Cadence { interval: Duration::from_secs(20), timeout: Duration::from_millis(400) };
    let (rows, _) = rows_at(cadence, at(names.map(|name| (name, hung)))).await;
    for name in names {
        assert_row(&rows, name, "OFFLINE", &["UNREACHABLE"], "in time");
    }
}
