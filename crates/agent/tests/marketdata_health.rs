//! The consumer's judgement: anything but a whole, fresh answer of the right service is stale.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use agenttrader_agent::marketdata_health::{StaleReason, http_client, judge_health, poll_health};
use agenttrader_core::time::Span;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::net::TcpSocket;

const GOOD: &str = r#"{"service":"marketdata-mcp-server","ok":true,"last_tick_epoch_seconds":1730000000.123,"age_seconds":1.2,"max_age_seconds":30,
"forced_stale":false,"reason_codes":[]}"#;

fn judge(status: u16, content_type: Option<&str>, body: &str) -> Result<f64, StaleReason> {
    judge_health(status, content_type, body.as_bytes(), Span::from_seconds(30), "marketdata-mcp-server")
        .map(|fresh| fresh.age_seconds)
}

#[test]
fn a_whole_fresh_answer_is_fresh() {
    assert_eq!(judge(200, Some("application/json"), GOOD), Ok(1.2));
    assert_eq!(judge(200, Some("Application/JSON; charset=utf-8"), GOOD), Ok(1.2));
    assert_eq!(judge(200, Some("application/json"), &GOOD.replace("1.2,", "0,")), Ok(0.0));
    assert_eq!(judge(200, Some("application/json"), &GOOD.replace("1.2,", "30,")), Ok(30.0));
}

#[test]
fn any_other_status_or_content_type_is_stale() {
    for status in [0, 100, 201, 204, 206, 301, 302, 304, 307, 400, 404, 500, 503] {
        assert_eq!(judge(status, Some("application/json"), GOOD), Err(StaleReason::Status { status }));
    }
    for content_type in
        [None, Some(""), Some("text/html"), Some("text/plain"), Some("application/jsonp"), Some("x application/json")]
    {
        assert!(matches!(judge(200, content_type, GOOD), Err(StaleReason::ContentType { .. })));
    }
}

#[test]
fn any_other_body_is_stale() {
    for (from, to) in [
        (r#""ok":true"#, r#""ok":false"#),
        (r#""ok":true"#, r#""ok":"true""#),
        (r#""ok":true"#, r#""ok":1"#),
        (r#""ok":true"#, r#""ok":null"#),
        (r#""ok":true,"#, ""),
        (r#""ok":true"#, r#""ok":false,"ok":true"#),
        (r#""ok":true"#, r#""ok":true,"more":1"#),
        ("marketdata-mcp-server", "marketdata"),
        ("marketdata-mcp-server", ""),
        (r#""service":"marketdata-mcp-server","#, ""),
        ("1.2,", "-0.001,"),
        ("1.2,", "30.001,"),
        ("1.2,", "1e400,"),
        ("1.2,", "NaN,"),
        ("1.2,", "Infinity,"),
        ("1.2,", "null,"),
        ("1.2,", "\"1.2\","),
        (r#""age_seconds":1.2,"#, ""),
        (r#""last_tick_epoch_seconds":1730000000.123,"#, ""),
        ("1730000000.123", "\"1730000000\""),
        (r#""max_age_seconds":30,"#, ""),
        ("30,", "-30,"),
        (r#""forced_stale":false,"#, ""),
        (r#""forced_stale":false"#, r#""forced_stale":true"#),
        (r#","reason_codes":[]"#, ""),
        ("[]", "[1]"),
        ("[]", "{}"),
        ("[]}", "[]"),
        ("[]}", "[]}}"),
    ] {
        let body = GOOD.replacen(from, to, 1);
        assert_ne!(body, GOOD);
        assert!(judge(200, Some("application/json"), &body).is_err(), "{body}");
    }
    for body in ["", "null", "[]", "true", "<html>", &" ".repeat(20_000)] {
        assert!(judge(200, Some("application/json"), body).is_err());
    }
}

#[test]
fn the_limit_that_counts_is_the_consumers_own() {
    let body = GOOD.replace("1.2,", "9,").replace("30,", "3600,");
    let judged =
        judge_health(200, Some("application/json"), body.as_bytes(), Span::from_seconds(5), "marketdata-mcp-server");
    assert_eq!(judged, Err(StaleReason::Old { age_seconds: 9.0, limit: Span::from_seconds(5) }));
}

/// A port where nobody listens, and nobody else can while it is held.
fn nobody() -> (TcpSocket, SocketAddr) {
    let held = TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = held.local_addr().unwrap();
    (held, address)
}

/// A server that gives this answer to one connection, or none and holds it.
fn serving(answer: Option<String>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1_024];
        let _ = stream.read(&mut request).unwrap();
        match answer {
            Some(answer) => {
                let _ = stream.write_all(answer.as_bytes());
            }
            None => {
                // Until the client gives up and closes.
                let _ = stream.read(&mut request);
            }
        }
    });
    address
}

/// Longest wait for a server that answers: generous, since machines are shared.
const PATIENCE: Duration = Duration::from_secs(60);

fn poll(address: SocketAddr, patience: Duration) -> Result<f64, StaleReason> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let url = format!("http://{address}/healthz");
    runtime.block_on(async {
        let client = http_client().unwrap();
        let limit = Span::from_seconds(30);
        poll_health(&client, &url, patience, limit, "marketdata-mcp-server").await.map(|fresh| fresh.age_seconds)
    })
}

fn answer(head: &str, body: &str) -> Option<String> {
    Some(format!("HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

const JSON: &str = "200 OK\r\nContent-Type: application/json";

#[test]
fn a_poll_of_a_good_server_is_fresh() {
    assert_eq!(poll(serving(answer(JSON, GOOD)), PATIENCE), Ok(1.2));
}

#[test]
fn a_server_that_is_gone_hangs_redirects_or_talks_too_long_is_stale() {
    let (_held, gone) = nobody();
    assert!(matches!(poll(gone, PATIENCE), Err(StaleReason::Unreachable { .. })));
    let hung = poll(serving(None), Duration::from_millis(500));
    assert!(matches!(hung, Err(StaleReason::Timeout { .. })), "{hung:?}");
    let good = serving(answer(JSON, GOOD));
    let elsewhere = format!("302 Found\r\nLocation: http://{good}/healthz\r\nContent-Type: application/json");
    assert_eq!(poll(serving(answer(&elsewhere, GOOD)), PATIENCE), Err(StaleReason::Status { status: 302 }));
    let long = poll(serving(answer(JSON, &" ".repeat(1 << 20))), PATIENCE);
    assert!(matches!(long, Err(StaleReason::Json { .. })), "{long:?}");
    let nonsense = poll(serving(Some("nonsense\r\n\r\n".to_owned())), PATIENCE);
    assert!(matches!(nonsense, Err(StaleReason::Unreachable { .. })), "{nonsense:?}");
    let cut = format!("HTTP/1.1 {JSON}\r\nContent-Length: 999\r\n\r\n{GOOD}");
    let cut = poll(serving(Some(cut)), PATIENCE);
    assert!(matches!(cut, Err(StaleReason::Unreachable { .. })), "{cut:?}");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named_without_user_password_or_query() {
    let (_held, nobody) = nobody();
    let url = format!("http://health:sesame-open@{nobody}/healthz?token=hunter2-hunter2#hunter2");
    let client = http_client().unwrap();
    let limit = Duration::from_secs(30);
    let reason = poll_health(&client, &url, limit, Span::from_seconds(30), "marketdata-mcp-server").await.unwrap_err();
    let told = reason.to_string();
    assert!(matches!(reason, StaleReason::Unreachable { .. }) && told.contains(&format!("{nobody}/healthz")), "{told}");
    assert!(!["health:", "sesame", "hunter2"].iter().any(|secret| told.contains(secret)), "{told}");
}
