//! Bad input gets problem details that say what is wrong, never a guess and never another format.

use crate::given::{Given, get, read};
use axum::body::Body;
use axum::http::Request;

#[tokio::test]
async fn each_bad_target_is_refused_with_problem_details() {
    let given = Given::stories(2);
    let long = format!("/api/v1/market/{}", "A".repeat(5_000));
    for (target, expected) in [
        ("/api/v1/proposals?limit=0", 400),
        ("/api/v1/proposals?limit=501", 400),
        ("/api/v1/proposals?limit=-1", 400),
        ("/api/v1/proposals?limit=1e2", 400),
        ("/api/v1/proposals?limit=99999999999999999999", 400),
        ("/api/v1/proposals?limit=", 400),
        ("/api/v1/proposals?limit=1&limit=2", 400),
        ("/api/v1/proposals?page=2", 400),
        ("/api/v1/proposals?limit=1&x", 400),
        ("/api/v1/proposals?before=", 400),
        ("/api/v1/proposals?before=x", 400),
        ("/api/v1/proposals?before=%FF", 400),
        ("/api/v1/proposals?before=00000001-0000-8000-8000-00000000ffff", 400),
        ("/api/v1/proposals?before=00000002-0000-8000-8000-000000000000", 400),
        ("/api/v1/proposals?correlation_id=1", 400),
        ("/api/v1/decisions?before=00000001-0000-8000-8000-000000000000", 400),
        ("/api/v1/decisions?agent_name=gamma-strategy", 400),
        ("/api/v1/orders?before=shadow-gate:0", 400),
        ("/api/v1/events/recent?before=shadow-gate", 400),
        ("/api/v1/events/recent?before=shadow-gate:", 400),
        ("/api/v1/events/recent?before=shadow-gate:+1", 400),
        ("/api/v1/events/recent?before=shadow-gate:999", 400),
        ("/api/v1/events/recent?before=../x:1", 400),
        ("/api/v1/events/recent?agent_name=../x", 400),
        ("/api/v1/events/stream?since=1", 400),
        ("/api/v1/safety?x=1", 400),
        ("/api/v1/agents?limit=1", 400),
        ("/api/v1/openapi.json?v=2", 400),
        ("/api/v1/proposals/1", 400),
        ("/api/v1/proposals/%FF", 400),
        ("/api/v1/proposals/00000001000080008000000000000000", 400),
        ("/api/v1/proposals/00000001-0000-8000-8000-00000000ffff", 404),
        ("/api/v1/agents/..%2F..%2Fetc%2Fpasswd", 400),
        ("/api/v1/agents/%00", 400),
        ("/api/v1/agents/nobody", 404),
        ("/api/v1/market/spy", 400),
        ("/api/v1/market/SPY%20", 400),
        ("/api/v1/market/ABCDEFGHI", 400),
        ("/api/v1/market/QQQ", 404),
        ("/api/v1/market/QQQ/gex", 404),
        ("/api/v1/market/SPY/chain", 404),
        ("/api/v1/market/", 404),
        ("/api/v1/lock", 404),
        ("/api/v1/audit?of=gamma-strategy", 400),
        ("/api/v1/audit/gamma-strategy", 404),
        ("/api/v1/reports/deploy/latest", 404),
        ("/api/v1/proposals/", 404),
        ("/api/v2/proposals", 404),
        ("/audit/checkpoint", 404),
        (long.as_str(), 414),
    ] {
        let shown = &target[..target.len().min(80)];
        let (status, kind, body) = given.get(target).await;
        assert_eq!((status, kind.as_str()), (expected, "application/problem+json"), "{shown}: {body}");
        assert_eq!(body["status"], expected, "{shown}");
        assert_eq!(body["type"], "about:blank", "{shown}");
        let detail = body["detail"].as_str().unwrap();
        assert!((1..=400).contains(&detail.len()), "{shown}: {detail}");
    }
}

#[tokio::test]
async fn bodies_bad_headers_and_bad_event_ids_are_refused() {
    let given = Given::stories(1);
    let with = |name: &'static str, value: &'static [u8]| {
        let mut request = get("/api/v1/events/stream");
        request.headers_mut().insert(name, axum::http::HeaderValue::from_bytes(value).unwrap());
        request
    };
    for (request, expected) in [
        (with("content-length", b"5"), 413),
        (with("transfer-encoding", b"chunked"), 413),
        (with("last-event-id", b"17"), 400),
        (with("last-event-id", b"a b:1"), 400),
        (with("last-event-id", b"\xff:1"), 400),
        (Request::builder().uri("/api/v1/safety").body(Body::empty()).unwrap(), 400),
    ] {
        let (status, kind, body) = read(given.send(request).await).await;
        assert_eq!((status, kind.as_str()), (expected, "application/problem+json"), "{body}");
    }
}
