//! Every endpoint over a real listener, and the guard in front of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use agenttrader_agent::guard::Hosts;
use agenttrader_agent::health::{StatusBoard, router, serve};
use agenttrader_agent::status::Status;
use agenttrader_agent::tasks::Tasks;
use agenttrader_core::identity::AgentRole;
use agenttrader_core::time::Span;
use common::{ask, get, snapshot};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

struct Agent {
    runtime: Runtime,
    tasks: Tasks,
    board: Arc<StatusBoard>,
    address: SocketAddr,
}

fn agent(name: &str) -> Agent {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let tasks = Tasks::new();
    let board = Arc::new(StatusBoard::new(name));
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let router = router(Arc::clone(&board), Hosts::new(["agent.example".to_owned()]));
    let stop = tasks.stop();
    runtime.block_on(async { tasks.spawn("endpoints", async { serve(listener, router, stop).await.unwrap() }) });
    Agent { runtime, tasks, board, address }
}

impl Agent {
    fn status_of(&self, path: &str) -> u16 {
        ask(self.address, &get(path, "")).0
    }

    fn json(&self, path: &str) -> (u16, Value) {
        let (status, head, body) = ask(self.address, &get(path, ""));
        assert!(head.contains("content-type: application/json"), "{head}");
        (status, serde_json::from_str(&body).unwrap())
    }
}

#[test]
fn before_the_first_look_an_agent_lives_and_is_not_ready() {
    let agent = agent("gamma-strategy");
    assert_eq!(agent.status_of("/livez"), 200);
    assert_eq!(agent.json("/readyz").0, 503);
    assert_eq!(agent.json("/readyz").1["reason_codes"][0], "STARTING");
    assert_eq!(agent.status_of("/healthz"), 503);
    assert_eq!(agent.status_of("/ops/status"), 503);
    let (status, heartbeat) = agent.json("/heartbeat");
    assert_eq!((status, &heartbeat["is_fresh"], &heartbeat["last_tick_utc"]), (200, &Value::Bool(false), &Value::Null));
}

#[test]
fn a_strategy_answers_by_its_state() {
    let agent = agent("gamma-strategy");
    let mut said = snapshot("gamma-strategy", AgentRole::StrategyEval);
    agent.board.publish(said.clone());
    for path in ["/livez", "/readyz", "/healthz", "/heartbeat", "/ops/status", "/metrics"] {
        assert_eq!(agent.status_of(path), 200, "{path}");
    }
    let (_, _, body) = ask(agent.address, &get("/ops/status", ""));
    let status = Status::parse(body.as_bytes()).unwrap();
    assert_eq!(status.service_name, "gamma-strategy");
    assert!(status.heartbeat.age_seconds < 5.0);

    said.market.age = Some(Span::from_seconds(31));
    said.not_ready = vec!["MARKETDATA_STALE".to_owned()];
    agent.board.publish(said.clone());
    assert_eq!(agent.json("/healthz").1["state"], "HALTED");
    for (path, status) in
        [("/livez", 200), ("/readyz", 503), ("/healthz", 503), ("/heartbeat", 200), ("/ops/status", 200)]
    {
        assert_eq!(agent.status_of(path), status, "{path}");
    }
    said.market.is_open = false;
    agent.board.publish(said);
    assert_eq!(agent.json("/healthz").0, 200);
}

#[test]
fn market_data_answers_its_own_health_contract() {
    let agent = agent("marketdata-mcp-server");
    let mut said = snapshot("marketdata-mcp-server", AgentRole::Marketdata);
    agent.board.publish(said.clone());
    let (status, health) = agent.json("/healthz");
    assert_eq!(
        (status, &health["ok"], &health["service"]),
        (200, &Value::Bool(true), &Value::from("marketdata-mcp-server"))
    );
    said.market.forced_stale = true;
    agent.board.publish(said.clone());
    let (status, health) = agent.json("/healthz");
    assert_eq!((status, &health["ok"], &health["forced_stale"]), (503, &Value::Bool(false), &Value::Bool(true)));
    said.market.forced_stale = false;
    said.market.age = None;
    said.market.last_tick = None;
    agent.board.publish(said);
    let (status, health) = agent.json("/healthz");
    assert_eq!(
        (status, &health["age_seconds"], &health["reason_codes"][0]),
        (503, &Value::Null, &Value::from("MARKETDATA_MISSING"))
    );
}

#[test]
fn there_is_nothing_else() {
    let agent = agent("gamma-strategy");
    for path in [
        "/audit/checkpoint",
        "/audit/tile/0/000",
        "/audit/tile/0/x001/234.p/5",
        "/audit/",
        "/audit/tile/",
        "/",
        "/ops",
        "/api/v1/agents",
        "/livez/",
        "//livez",
    ] {
        let (status, head, body) = ask(agent.address, &get(path, ""));
        assert_eq!(status, 404, "{path}");
        assert!(head.contains("content-type: application/problem+json"), "{head}");
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["status"], 404);
    }
}

#[test]
fn metrics_are_text_of_the_format() {
    let agent = agent("gamma-strategy");
    agent.board.metrics.counter("agenttrader_records_total", "Records.", &[]).unwrap().add(3);
    let (_, head, body) = ask(agent.address, &get("/metrics", ""));
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    assert_eq!(
        body,
        "# HELP agenttrader_records_total Records.\n# TYPE agenttrader_records_total counter\nagenttrader_records_total 3\n"
    );
}

#[test]
fn any_method_but_get_is_refused_everywhere() {
    let agent = agent("gamma-strategy");
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "CONNECT", "HALT"] {
        for path in ["/livez", "/ops/status", "/nowhere"] {
            let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            let (status, head, _) = ask(agent.address, &request);
            // A CONNECT without an authority is no request at all.
            if method == "CONNECT" {
                assert!(matches!(status, 400 | 405), "{status}");
                continue;
            }
            assert_eq!(status, 405, "{method} {path}");
            assert!(head.contains("allow: get"), "{head}");
        }
    }
}

#[test]
fn only_loopback_and_configured_hosts_are_answered() {
    let agent = agent("gamma-strategy");
    let host = |host: &str| ask(agent.address, &format!("GET /livez HTTP/1.1\r\nConnection: close\r\n{host}\r\n")).0;
    for good in [
        "localhost",
        "localhost:8082",
        "LOCALHOST",
        "127.0.0.1",
        "127.0.0.1:8082",
        "127.9.9.9",
        "[::1]",
        "[::1]:8082",
        "agent.example:80",
        "Agent.Example",
    ] {
        assert_eq!(host(&format!("Host: {good}\r\n")), 200, "{good}");
    }
    for bad in [
        "evil.example",
        "localhost.evil.example",
        "agent.example.evil",
        "10.0.0.1",
        "[::2]",
        "localhost:99999",
        "localhost:",
        "localhost:+80",
        "",
        ":80",
        "[::1",
        "127.0.0.1.evil",
        "a@localhost",
    ] {
        assert!(matches!(host(&format!("Host: {bad}\r\n")), 400 | 421), "{bad}");
    }
    assert_eq!(host(""), 400);
    assert_eq!(host("Host: localhost\r\nHost: localhost\r\n"), 400);
    assert_eq!(host("Host: localhost\r\nHost: evil.example\r\n"), 400);
}

#[test]
fn what_another_sites_page_asks_is_refused() {
    let agent = agent("gamma-strategy");
    let with = |line: &str| ask(agent.address, &get("/livez", line)).0;
    for good in ["Origin: http://localhost\r\n", "Sec-Fetch-Site: same-origin\r\n", "Sec-Fetch-Site: none\r\n", ""] {
        assert_eq!(with(good), 200, "{good}");
    }
    for bad in [
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: \r\n",
        "Origin: http://localhost:3000\r\n",
        "Origin: http://localhost.evil.example\r\n",
        "Origin: file://localhost\r\n",
        "Origin: http://localhost\r\nOrigin: http://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: \r\n",
    ] {
        assert_eq!(with(bad), 403, "{bad}");
    }
}

#[test]
fn requests_that_are_too_large_are_refused_and_the_agent_lives() {
    let agent = agent("gamma-strategy");
    assert_eq!(ask(agent.address, &get("/livez", &format!("X: {}\r\n", "a".repeat(20_000)))).0, 431);
    assert_eq!(ask(agent.address, &get(&format!("/livez?{}", "a".repeat(5_000)), "")).0, 414);
    assert_eq!(ask(agent.address, &get("/livez", "Content-Length: 5\r\n\r\nhello")).0, 413);
    let (status, _, _) = ask(agent.address, &get("/livez", &format!("X: {}\r\n", "a".repeat(2 << 20))));
    assert!(matches!(status, 0 | 431), "{status}");
    for nonsense in ["GET\r\n\r\n", "\0\0\0\0\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
        assert!(matches!(ask(agent.address, nonsense).0, 0 | 400 | 505), "{nonsense:?}");
    }
    assert_eq!(agent.status_of("/livez"), 200);
}

#[test]
fn the_end_waits_for_no_idle_connection() {
    let agent = agent("gamma-strategy");
    let idle = std::net::TcpStream::connect(agent.address).unwrap();
    assert_eq!(agent.status_of("/livez"), 200);
    let left = agent.runtime.block_on(agent.tasks.shutdown(Duration::from_secs(60)));
    assert_eq!(left, []);
    drop(idle);
    assert!(std::net::TcpStream::connect(agent.address).is_err());
}
