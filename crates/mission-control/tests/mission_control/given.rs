//! A floor's records and readings, made by hand, and a router over them.

use agenttrader_agent::guard::Hosts;
use agenttrader_agent::health::StatusBoard;
use agenttrader_agent::status::KillSwitch;
use agenttrader_agent::tasks::Tasks;
use agenttrader_audit::record::{IntentType, Outcome, Record};
use agenttrader_core::identity::{AgentMode, AgentRole};
use agenttrader_core::money::Money;
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_mission_control::access::BindPolicy;
use agenttrader_mission_control::api;
use agenttrader_mission_control::hub::Hub;
use agenttrader_mission_control::inventory::Inventory;
use agenttrader_mission_control::poll::Cadence;
use agenttrader_mission_control::reading::*;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt as _;
use uuid::Uuid;

pub const AGENTS: &str = include_str!("../../../../configs/agents/agents.yaml");

/// Venue time of everything here.
pub fn now() -> UnixNanos {
    UnixNanos::parse("2026-01-05T15:00:00Z").unwrap()
}

/// The id of story `n`: its proposal, decision and correlation differ in the first digit.
pub fn id(what: u8, n: u64) -> Uuid {
    Uuid::parse_str(&format!("{what:08x}-0000-8000-8000-{n:012x}")).unwrap()
}

pub fn record(agent_name: &str, seq: u64, intent_type: IntentType, payload: Value) -> Record {
    let role = if agent_name == "shadow-gate" { AgentRole::Ops } else { AgentRole::StrategyEval };
    Record {
        timestamp: now(),
        seq,
        repo_id: "agent-trader-v2".to_owned(),
        agent_name: agent_name.to_owned(),
        agent_role: role,
        agent_mode: AgentMode::Observe,
        git_sha: "0".repeat(40),
        build_id: "1".to_owned(),
        intent_id: Uuid::nil(),
        correlation_id: None,
        trace_id: None,
        intent_type,
        intent_summary: String::new(),
        intent_payload: payload,
        outcome: Outcome::Success,
        duration_ms: None,
        error: None,
    }
}

pub fn proposal(n: u64) -> Value {
    json!({
        "proposal_id": id(1, n), "created_at_utc": "2026-01-05T15:00:00Z", "repo_id": "agent-trader-v2",
        "agent_name": "gamma-strategy", "strategy_name": "gamma", "strategy_version": "1", "correlation_id": id(3, n),
        "causation": {"recording_id": id(4, 0), "input_number": 1000 + n, "recording_sha256": "ab".repeat(32)},
        "intent": "OPEN", "symbol": "SPY", "asset_type": "EQUITY", "side": "BUY", "quantity": 1, "order_type": "LIMIT",
        "limit_price": "500.01", "time_in_force": "DAY",
        "rationale": {"short_reason": "<script>alert(1)</script>", "indicators": {"gamma": 0.5}},
        "risk": {}, "constraints": {"valid_until_utc": "2026-01-05T15:10:00Z", "requires_human_approval": true}
    })
}

pub fn decision(n: u64, codes: &[&str]) -> Value {
    json!({
        "decision_id": id(2, n), "proposal_id": id(1, n), "correlation_id": id(3, n),
        "agent_identity": {"agent_name": "shadow-gate", "agent_role": "ops", "agent_mode": "OBSERVE"},
        "decision": if codes.is_empty() { "ACCEPT" } else { "REFUSE" }, "reason_codes": codes, "recommended_order": null,
        "safety_snapshot": {"mode": "OBSERVE"},
        "limits": [{"name": "ORDER_QTY", "bound": "300", "measured": "301", "unit": "shares", "holds": false, "refuses": true}],
        "decided_at_utc": "2026-01-05T15:00:00Z", "proposal_digest": "cd".repeat(32)
    })
}

pub const POSTURE: [&str; 5] =
    ["EXECUTION_DISABLED", "AGENT_MODE_NOT_EXECUTE", "KILL_SWITCH", "UNLOCK_MISSING", "APPROVAL_MISSING"];

/// Story `n`: proposed by gamma at its record `n`; decided, shadowed and filled by the gate at its records from `3 n`.
pub fn story(n: u64) -> [Record; 4] {
    let of = |agent: &str, seq, intent_type, payload| Record {
        correlation_id: Some(id(3, n)),
        ..record(agent, seq, intent_type, payload)
    };
    let proposed = json!({"proposal": proposal(n), "key_id": "k1", "signature": "c2ln"});
    [
        of("gamma-strategy", n, IntentType::OrderProposal, proposed),
        of("shadow-gate", 3 * n, IntentType::ExecutionDecision, json!({"decision": decision(n, &POSTURE)})),
        of(
            "shadow-gate",
            3 * n + 1,
            IntentType::OrderUpdate,
            json!({"order": {"proposal_id": id(1, n), "status": "SHADOWED"}}),
        ),
        of(
            "shadow-gate",
            3 * n + 2,
            IntentType::Fill,
            json!({"fill": {"proposal_id": id(1, n), "account": "SHADOW", "legs": []}}),
        ),
    ]
}

pub fn spy() -> Symbol {
    Symbol::parse("SPY").unwrap()
}

/// One reading of each kind.
pub fn readings() -> [Reading; 4] {
    let price = |text: &str| Price::parse(text).unwrap();
    let dollars = Money::from_dollars;
    let freshness =
        Freshness { of: "SPY".to_owned(), state: FreshnessState::Fresh, age_ms: Some(120), max_age_ms: 30_000 };
    let account = || "SHADOW".to_owned();
    let market = Market {
        symbol: spy(),
        as_of: now(),
        source: "simulator".to_owned(),
        latest: Latest {
            bid: Some(price("500")),
            bid_size: Some(100),
            ask: Some(price("500.01")),
            ask_size: Some(200),
            last: None,
            spot: Some(price("500.005")),
            spot_is_implied: false,
            day_volume: 7,
            freshness: freshness.clone(),
        },
        chain: Some(ChainSummary {
            contracts: 2,
            usable: 2,
            expirations: vec!["2026-01-05".to_owned()],
            open_interest: 20,
            day_volume: 3,
            at_the_money_volatility: Some(0.2),
            carry: "configured".to_owned(),
            age_ms: Some(50),
        }),
        flow: None,
    };
    let exposure = GammaExposure {
        symbol: spy(),
        as_of: now(),
        spot: price("500.005"),
        regime: "LONG_GAMMA".to_owned(),
        coverage: Some(1.0),
        net_usd_per_dollar: dollars(1_000),
        net_usd_per_percent: dollars(5_000),
        same_day_net_usd_per_dollar: dollars(10),
        call_wall: Some(price("505")),
        put_wall: None,
        zero_gamma: None,
        by_strike: vec![],
        by_expiration: vec![],
    };
    let total = AccountPnl {
        account: account(),
        start_equity_usd: dollars(1_000_000),
        equity_usd: dollars(999_999),
        high_water_usd: dollars(1_000_000),
        cash_usd: dollars(900_000),
        realised_usd: dollars(0),
        unrealised_usd: dollars(-1),
        fees_usd: dollars(0),
        day_usd: dollars(-1),
        limits: vec![],
    };
    let ledger = Ledger { as_of: now(), account: account(), positions: vec![], strategies: vec![], total };
    let posture = Posture {
        as_of: now(),
        kill_switch: KillSwitch { halted: true, source: Some("file".to_owned()), since_utc: Some(now()) },
        market: MarketHours {
            is_open: true,
            opens_utc: None,
            closes_utc: Some(now().plus(Span::from_minutes(360))),
            speed: 1.0,
        },
        freshness: vec![freshness],
        safe_to_run_strategies: true,
        safe_to_execute_orders: false,
        gating_reasons: POSTURE.map(str::to_owned).to_vec(),
        recording_id: Some(id(4, 0)),
    };
    [Reading::Market(market), Reading::Exposure(exposure), Reading::Ledger(ledger), Reading::Posture(posture)]
}

/// Mission control with its API; event streams end when it is dropped.
pub struct Given {
    pub hub: Arc<Hub>,
    pub router: Router,
    pub tasks: Tasks,
}

impl Given {
    /// Nothing came yet.
    pub fn empty() -> Self {
        Self::with(BindPolicy { bind: "127.0.0.1".parse().unwrap(), token: None, trusted_proxies: vec![] })
    }

    pub fn with(policy: BindPolicy) -> Self {
        let tasks = Tasks::new();
        let hub = Hub::new(Inventory::parse(AGENTS).unwrap(), Cadence::FLOOR, tasks.stop());
        let board = Arc::new(StatusBoard::new("mission-control"));
        let router = api::router(Arc::clone(&hub), board, policy.access().unwrap(), Hosts::default());
        Self { hub, router, tasks }
    }

    /// So many stories, and a reading of each kind.
    pub fn stories(count: u64) -> Self {
        let given = Self::empty();
        (0..count).flat_map(story).for_each(|record| given.hub.fold(&record));
        readings().into_iter().for_each(|reading| given.hub.read(reading));
        given
    }

    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Status, content type and JSON body of a `GET`.
    pub async fn get(&self, target: &str) -> (u16, String, Value) {
        read(self.send(get(target)).await).await
    }

    /// The body of a `GET` that must be answered with 200.
    pub async fn body(&self, target: &str) -> Value {
        let (status, _, body) = self.get(target).await;
        assert_eq!(status, 200, "{target}: {body}");
        body
    }
}

pub fn get(target: &str) -> Request<Body> {
    Request::builder().uri(target).header("host", "localhost:8080").body(Body::empty()).unwrap()
}

pub async fn read(response: Response<Body>) -> (u16, String, Value) {
    let status = response.status().as_u16();
    let kind = response.headers().get("content-type").map_or("", |it| it.to_str().unwrap()).to_owned();
    let bytes = to_bytes(response.into_body(), 64 << 20).await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into());
    (status, kind, body)
}
