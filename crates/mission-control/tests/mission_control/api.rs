//! Each route with and without what it needs, who may read, and which methods there are.

use crate::given::{Given, get, id, now, read, readings};
use agenttrader_agent::marketdata_health::http_client;
use agenttrader_core::secret::Secret;
use agenttrader_mission_control::access::BindPolicy;
use agenttrader_mission_control::api::serve;
use agenttrader_mission_control::reading::Reading;
use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;

const ROUTES: [&str; 14] = [
    "/api/v1/agents",
    "/api/v1/agents/gamma-strategy",
    "/api/v1/safety",
    "/api/v1/proposals",
    "/api/v1/proposals/00000001-0000-8000-8000-000000000000",
    "/api/v1/decisions",
    "/api/v1/orders",
    "/api/v1/positions",
    "/api/v1/pnl",
    "/api/v1/market/SPY",
    "/api/v1/market/SPY/gex",
    "/api/v1/events/recent",
    "/api/v1/events/stream",
    "/api/v1/openapi.json",
];

const OWN: [&str; 6] = ["/livez", "/readyz", "/healthz", "/heartbeat", "/ops/status", "/metrics"];

#[tokio::test]
async fn every_route_answers_get_and_nothing_else() {
    let given = Given::stories(1);
    let others = ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"];
    for route in ROUTES {
        let response = given.send(get(route)).await;
        assert_eq!(response.status(), 200, "{route}");
    }
    for route in ROUTES.into_iter().chain(OWN).chain(["/", "/api/v1", "/api/v1/halt"]) {
        for method in others {
            let request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(route);
            let (status, kind, body) =
                read(given.send(request.header("host", "localhost").body(Body::empty()).unwrap()).await).await;
            assert_eq!(status, 405, "{method} {route}");
            assert_eq!(kind, "application/problem+json", "{method} {route}");
            // The answer to a HEAD has no body, whatever it says.
            assert!(method == "HEAD" || body["status"] == 405, "{method} {route}: {body}");
        }
    }
}

#[tokio::test]
async fn without_readings_routes_that_need_them_answer_503_and_say_why() {
    let given = Given::empty();
    for route in ["/api/v1/positions", "/api/v1/pnl", "/api/v1/market/SPY", "/api/v1/market/SPY/gex"] {
        let (status, kind, body) = given.get(route).await;
        assert_eq!((status, kind.as_str()), (503, "application/problem+json"), "{route}");
        assert!(body["detail"].as_str().unwrap().contains("no readings"), "{body}");
    }
    for route in ["/api/v1/proposals", "/api/v1/decisions", "/api/v1/orders", "/api/v1/events/recent"] {
        assert_eq!(given.body(route).await, json!({"items": [], "next": null}), "{route}");
    }
    let [market, ..] = readings();
    given.hub.read(market);
    assert_eq!(given.get("/api/v1/market/SPY/gex").await.0, 503);
    assert_eq!(given.get("/api/v1/market/QQQ").await.0, 404);
}

#[tokio::test]
async fn readings_are_answered_with_exact_decimals_and_their_age() {
    let given = Given::stories(0);
    let market = given.body("/api/v1/market/SPY").await;
    assert_eq!((&market["latest"]["bid"], &market["latest"]["last"]), (&json!("500"), &json!(null)));
    assert_eq!(
        market["latest"]["freshness"],
        json!({"of": "SPY", "state": "FRESH", "age_ms": 120, "max_age_ms": 30000})
    );
    assert!(market["reading_age_ms"].is_u64() && market["as_of"] == "2026-01-05T15:00:00Z");
    let gex = given.body("/api/v1/market/SPY/gex").await;
    assert_eq!((&gex["net_usd_per_percent"], &gex["call_wall"]), (&json!("5000"), &json!("505")));
    let pnl = given.body("/api/v1/pnl").await;
    assert_eq!((&pnl["account"], &pnl["total"]["equity_usd"]), (&json!("SHADOW"), &json!("999999")));
    assert_eq!(given.body("/api/v1/positions").await["next"], json!(null));
}

#[tokio::test]
async fn safety_says_who_halts_since_when_and_until_when_the_market_is_open() {
    let given = Given::stories(0);
    let safety = given.body("/api/v1/safety").await;
    assert_eq!(safety["source"], "READINGS");
    assert_eq!(safety["kill_switch"], json!({"halted": true, "source": "file", "since_utc": "2026-01-05T15:00:00Z"}));
    assert_eq!(safety["market"]["closes_utc"], "2026-01-05T21:00:00Z");
    assert_eq!((&safety["safe_to_run_strategies"], &safety["safe_to_execute_orders"]), (&json!(true), &json!(false)));
    assert_eq!(safety["freshness"][0]["of"], "SPY");
    assert_eq!(safety["agents"].as_array().unwrap().len(), 6);
    assert_eq!(safety["agents"][5]["reason_codes"], json!(["EXECUTION_DISABLED"]));
}

#[tokio::test]
async fn where_nobody_answers_everything_is_unsafe() {
    let safety = Given::empty().body("/api/v1/safety").await;
    assert_eq!(safety["source"], "NOTHING");
    assert_eq!(safety["kill_switch"], json!({"halted": true, "source": null, "since_utc": null}));
    assert_eq!((&safety["safe_to_run_strategies"], &safety["safe_to_execute_orders"]), (&json!(false), &json!(false)));
    assert_eq!(safety["gating_reasons"], json!(["POSTURE_UNKNOWN"]));
    assert!(
        safety["agents"]
            .as_array()
            .unwrap()
            .iter()
            .all(|agent| agent["state"] == "UNKNOWN" || agent["state"] == "OFFLINE")
    );
}

#[tokio::test]
async fn a_posture_that_says_it_is_safe_is_shown_as_it_is() {
    let given = Given::empty();
    let [.., posture] = readings();
    let Reading::Posture(mut posture) = posture else { unreachable!() };
    posture.safe_to_execute_orders = true;
    posture.kill_switch.halted = false;
    given.hub.read(Reading::Posture(posture));
    let safety = given.body("/api/v1/safety").await;
    assert_eq!((&safety["safe_to_execute_orders"], &safety["kill_switch"]["halted"]), (&json!(true), &json!(false)));
    assert_eq!(safety["as_of"], json!(now()));
}

#[tokio::test]
async fn an_agent_is_shown_with_its_log_and_last_records() {
    let given = Given::stories(2);
    let gate = given.body("/api/v1/agents/shadow-gate").await;
    assert_eq!(gate["log"], json!({"records": 6, "next_seq": 6, "missing": 0}));
    assert_eq!((&gate["state"], &gate["reason_codes"]), (&json!("UNKNOWN"), &json!(["NOT_POLLED"])));
    assert_eq!(gate["records"][0]["id"], "shadow-gate:5");
    let execution = given.body("/api/v1/agents/execution-agent").await;
    assert_eq!((&execution["state"], &execution["reason_codes"]), (&json!("OFFLINE"), &json!(["EXECUTION_DISABLED"])));
}

#[tokio::test]
async fn beyond_loopback_the_api_needs_the_token_and_the_agents_own_endpoints_do_not() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let policy = BindPolicy {
        bind: "0.0.0.0".parse().unwrap(),
        token: Some(Secret::new(TOKEN.to_owned())),
        trusted_proxies: vec![],
    };
    let given = Given::with(policy);
    for route in ROUTES.into_iter().chain(["/api/v1/nothing"]) {
        let response = given.send(get(route)).await;
        assert_eq!(response.headers().get("www-authenticate").unwrap(), "Bearer", "{route}");
        assert_eq!(read(response).await.0, 401, "{route}");
    }
    let mut request = get("/api/v1/agents");
    request.headers_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
    assert_eq!(given.send(request).await.status(), 200);
    assert_eq!(given.send(get("/livez")).await.status(), 200);
}

#[tokio::test]
async fn another_host_or_site_is_refused_before_anything_is_read() {
    let given = Given::stories(1);
    for (name, value, expected) in
        [("host", "evil.example", 421), ("origin", "http://evil.example", 403), ("sec-fetch-site", "cross-site", 403)]
    {
        let mut request = get("/api/v1/proposals");
        request.headers_mut().insert(name, value.parse().unwrap());
        assert_eq!(given.send(request).await.status(), expected, "{name}: {value}");
    }
}

#[tokio::test]
async fn lists_go_on_where_the_part_before_ended() {
    let given = Given::stories(5);
    for (list, what) in [("proposals", 1), ("decisions", 2), ("orders", 1)] {
        let mut target = format!("/api/v1/{list}?limit=2");
        let mut seen = Vec::new();
        loop {
            let part = given.body(&target).await;
            let name = if what == 2 { "decision_id" } else { "proposal_id" };
            seen.extend(part["items"].as_array().unwrap().iter().map(|item| item[name].clone()));
            let Some(next) = part["next"].as_str() else { break };
            target = format!("/api/v1/{list}?limit=2&before={next}");
        }
        assert_eq!(seen, (0..5).rev().map(|n| json!(id(what, n))).collect::<Vec<_>>(), "{list}");
    }
    let one = given.body(&format!("/api/v1/decisions?correlation_id={}", id(3, 2))).await;
    assert_eq!((&one["items"][0]["decision_id"], &one["items"][1]), (&json!(id(2, 2)), &json!(null)));
    let gamma = given.body("/api/v1/events/recent?agent_name=gamma-strategy").await;
    assert_eq!(gamma["items"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_listener_knows_its_peer_and_so_the_trusted_proxy() {
    for (network, expected) in [("127.0.0.0/8", 200), ("10.0.0.0/8", 401)] {
        let policy = BindPolicy {
            bind: "0.0.0.0".parse().unwrap(),
            token: None,
            trusted_proxies: vec![network.parse().unwrap()],
        };
        let given = Given::with(policy);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/v1/agents", listener.local_addr().unwrap());
        let serving = tokio::spawn(serve(listener, given.router.clone(), given.tasks.stop()));
        let client = http_client().unwrap();
        let asked = client.get(&url).header("x-forwarded-user", "jane").send().await.unwrap();
        assert_eq!(asked.status(), expected, "{network}");
        assert_eq!(client.get(&url).send().await.unwrap().status(), 401, "{network}");
        given.tasks.ask_to_stop();
        serving.await.unwrap().unwrap();
    }
}
