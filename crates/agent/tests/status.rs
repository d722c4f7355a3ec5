//! The status and health answers, as they stand on the wire and as they age.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use agenttrader_agent::marketdata_health::MarketdataHealth;
use agenttrader_agent::snapshot::Snapshot;
use agenttrader_agent::state::State;
use agenttrader_agent::status::{HeartbeatAnswer, Status};
use agenttrader_agent::unwritable::{Unwritable, Written};
use agenttrader_core::identity::AgentRole;
use agenttrader_core::time::Span;
use common::{golden, snapshot};
use serde_json::{Value, json};

const GAMMA: &str = "gamma-strategy";
const MARKETDATA: &str = "marketdata-mcp-server";

#[test]
fn a_status_is_what_its_golden_file_holds() {
    golden("status.json", &snapshot(GAMMA, AgentRole::StrategyEval).status(Span::from_millis(500)));
}

#[test]
fn a_health_answer_is_what_its_golden_file_holds() {
    golden("health_fresh.json", &snapshot(MARKETDATA, AgentRole::Marketdata).marketdata_health(Span::ZERO));
    let mut missing = snapshot(MARKETDATA, AgentRole::Marketdata);
    missing.market.age = None;
    missing.market.last_tick = None;
    missing.market.forced_stale = true;
    golden("health_missing.json", &missing.marketdata_health(Span::ZERO));
}

/// Every way to reach a value inside: the paths of all members, of objects within objects too.
fn paths(value: &Value) -> Vec<String> {
    let Value::Object(members) = value else { return Vec::new() };
    members
        .iter()
        .filter(|(name, _)| *name != "endpoints")
        .flat_map(|(name, member)| {
            let inner = paths(member).into_iter().map(move |path| format!("/{name}{path}"));
            std::iter::once(format!("/{name}")).chain(inner)
        })
        .collect()
}

fn parent<'value>(value: &'value mut Value, path: &str) -> (&'value mut Value, String) {
    let (above, name) = path.rsplit_once('/').unwrap();
    (value.pointer_mut(above).unwrap(), name.to_owned())
}

#[test]
fn a_status_without_any_one_field_or_with_another_type_or_one_more_is_unfit() {
    let status = snapshot(GAMMA, AgentRole::StrategyEval).status(Span::ZERO);
    let whole = serde_json::to_value(&status).unwrap();
    assert_eq!(Status::parse(&serde_json::to_vec(&whole).unwrap()).unwrap(), status);
    let paths = paths(&whole);
    assert!(paths.len() > 35, "{paths:?}");
    for path in &paths {
        let mut without = whole.clone();
        let (object, name) = parent(&mut without, path);
        object.as_object_mut().unwrap().remove(&name).unwrap();
        assert!(Status::parse(&serde_json::to_vec(&without).unwrap()).is_err(), "without {path}");

        for wrong in [json!([{}]), json!({"x": {}})] {
            let mut other = whole.clone();
            *other.pointer_mut(path).unwrap() = wrong;
            assert!(Status::parse(&serde_json::to_vec(&other).unwrap()).is_err(), "another type of {path}");
        }
        let mut more = whole.clone();
        if let Some(object) = more.pointer_mut(path).unwrap().as_object_mut() {
            object.insert("more".into(), json!(1));
            assert!(Status::parse(&serde_json::to_vec(&more).unwrap()).is_err(), "one more in {path}");
        }
    }
    for bad in ["", "{}", "[]", "null", "{\"service_name\":\"a\",\"service_name\":\"a\"}", &"[".repeat(70_000)] {
        assert!(Status::parse(bad.as_bytes()).is_err());
    }
    let mut negative = whole;
    negative["heartbeat"]["age_seconds"] = json!(-1);
    assert!(Status::parse(&serde_json::to_vec(&negative).unwrap()).is_err());
}

#[test]
fn an_agent_that_hangs_grows_stale_by_itself() {
    let gamma = snapshot(GAMMA, AgentRole::StrategyEval);
    assert_eq!(gamma.status(Span::ZERO).status.state, State::Ok);
    let late = gamma.status(Span::from_seconds(6));
    assert_eq!((late.status.state, late.status.reason_codes), (State::Degraded, vec!["HEARTBEAT_STALE".to_owned()]));
    assert_eq!(late.heartbeat.age_seconds, 6.0);
    assert!(late.safety.safe_to_run_strategies);
    let later = gamma.status(Span::from_seconds(29));
    assert_eq!((later.status.state, later.status.reason_codes), (State::Halted, vec!["MARKETDATA_STALE".to_owned()]));
    assert!(!later.marketdata.is_fresh && !later.safety.safe_to_run_strategies);
    assert!(later.safety.gating_reasons.contains(&"MARKETDATA_STALE".to_owned()));
    assert_eq!(gamma.not_ready(Span::from_seconds(6)), ["HEARTBEAT_STALE"]);
}

#[test]
fn data_ages_in_venue_seconds() {
    let mut fast = snapshot(MARKETDATA, AgentRole::Marketdata);
    fast.speed = 20.0;
    let MarketdataHealth { ok, age_seconds, .. } = fast.marketdata_health(Span::from_seconds(1));
    assert_eq!((ok, age_seconds), (true, Some(21.25)));
    assert!(!fast.marketdata_health(Span::from_seconds(2)).ok);
    for speed in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
        fast.speed = speed;
        assert_eq!(fast.marketdata_health(Span::from_seconds(1)).age_seconds, Some(2.25), "{speed}");
    }
}

#[test]
fn the_limit_is_kept_at_the_boundary_and_the_clock_back_makes_nothing_fresher() {
    let mut edge = snapshot(MARKETDATA, AgentRole::Marketdata);
    edge.market.age = Some(Span::from_seconds(30));
    assert!(edge.marketdata_health(Span::ZERO).ok);
    assert!(!edge.marketdata_health(Span::from_nanos(1)).ok);
    edge.market.age = Some(Span::from_seconds(-5));
    assert_eq!(edge.marketdata_health(Span::from_seconds(-9)).age_seconds, Some(0.0));
}

#[test]
fn data_of_a_closed_market_may_be_old() {
    let mut closed = snapshot(MARKETDATA, AgentRole::Marketdata);
    closed.market.is_open = false;
    closed.market.age = Some(Span::from_seconds(60_000));
    assert_eq!(closed.status(Span::ZERO).status.state, State::MarketClosed);
    // The health contract is about the data, not about the service: it is stale all the same.
    assert!(!closed.marketdata_health(Span::ZERO).ok);
}

#[test]
fn a_heartbeat_tells_of_the_last_tick() {
    let answer: HeartbeatAnswer = snapshot(GAMMA, AgentRole::StrategyEval).heartbeat(Span::from_seconds(1));
    assert_eq!((answer.age_seconds, answer.is_fresh), (Some(2.25), true));
}

#[test]
fn a_status_says_what_cannot_be_written_and_why_and_nothing_while_all_can_be() {
    let mut snapshot = snapshot(GAMMA, AgentRole::StrategyEval);
    let on_the_wire = |snapshot: &Snapshot| serde_json::to_value(snapshot.status(Span::ZERO)).unwrap();
    assert!(on_the_wire(&snapshot).get("unwritable").is_none());
    let full = std::io::Error::from_raw_os_error(28);
    snapshot.unwritable = vec![Unwritable::of(Written::Log, &full), Unwritable::of(Written::Recording, &full)];
    let said = on_the_wire(&snapshot);
    let why = "No space left on device (os error 28)";
    assert_eq!(said["unwritable"], json!([{"what": "LOG", "why": why}, {"what": "RECORDING", "why": why}]));
    assert_eq!(
        (&said["status"]["state"], &said["status"]["reason_codes"]),
        (&json!("DEGRADED"), &json!(["AUDIT_UNAVAILABLE"]))
    );
    assert_eq!(
        said["status"]["summary"],
        format!(
            "Running, not well: AUDIT_UNAVAILABLE. Now the log cannot be written: {why}. Now the recording cannot be written: {why}."
        )
    );
    assert_eq!(Status::parse(&serde_json::to_vec(&said).unwrap()).unwrap(), snapshot.status(Span::ZERO));
    for (wrong, place) in [(json!("DISK"), "what"), (json!(null), "why")] {
        let mut unfit = said.clone();
        unfit["unwritable"][0][place] = wrong;
        assert!(Status::parse(&serde_json::to_vec(&unfit).unwrap()).is_err(), "{place}");
    }
}

#[test]
fn the_schema_requires_every_field_those_that_may_be_null_too_and_not_what_cannot_be_written() {
    use agenttrader_agent::status::{Audit, KillSwitch, Marketdata};
    use utoipa::PartialSchema as _;
    for (schema, fields, left_out) in [
        (Status::schema(), 13, 1),
        (Audit::schema(), 4, 0),
        (KillSwitch::schema(), 3, 0),
        (Marketdata::schema(), 4, 0),
        (HeartbeatAnswer::schema(), 4, 0),
        (MarketdataHealth::schema(), 7, 0),
    ] {
        let schema = serde_json::to_value(schema).unwrap();
        assert_eq!(schema["properties"].as_object().unwrap().len(), fields, "{schema}");
        assert_eq!(schema["required"].as_array().unwrap().len(), fields - left_out, "{schema}");
    }
}
