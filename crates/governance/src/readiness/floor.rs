//! What a running floor decides, by the answers of its mission control: `/api/v1/safety`, `/api/v1/agents`, `/api/v1/audit`.
//!
//! An answer that is absent, or lacks what is asked of it, leaves the check unknown.

use super::Check;
use crate::words::some;
use serde_json::Value;

/// Things of one check that are quoted.
const QUOTED: usize = 8;

/// What mission control answered; why not, where it did not.
#[derive(Clone, Debug)]
pub struct Answers {
    /// `/api/v1/safety`.
    pub safety: Result<Value, String>,
    /// `/api/v1/agents`.
    pub agents: Result<Value, String>,
    /// `/api/v1/audit`.
    pub audit: Result<Value, String>,
}

/// The checks, in their order.
pub fn checks(answers: &Answers) -> Vec<Check> {
    let over = |name, answer: &Result<Value, String>, check: fn(&'static str, &Value) -> Option<Check>| match answer {
        Ok(answer) => check(name, answer)
            .unwrap_or_else(|| Check::unknown(name, "mission control's answer lacks what this needs")),
        Err(why) => Check::unknown(name, format!("mission control does not answer: {why}")),
    };
    vec![
        over("kill-switch", &answers.safety, kill_switch),
        over("execution-offline", &answers.agents, execution_offline),
        over("orders-refused", &answers.safety, orders_refused),
        over("agents", &answers.agents, agents),
        over("marketdata", &answers.safety, marketdata),
        over("logs", &answers.audit, logs),
    ]
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

fn kill_switch(name: &'static str, safety: &Value) -> Option<Check> {
    let halted = safety.pointer("/kill_switch/halted")?.as_bool()?;
    let source = safety.pointer("/kill_switch/source")?;
    Some(match (halted, source) {
        (false, _) => Check::fail(name, "the kill switch is released"),
        (true, Value::String(source)) => Check::pass(name, format!("halted by {source}")),
        (true, _) => Check::unknown(name, "counted as halted, because nobody knows"),
    })
}

fn orders_refused(name: &'static str, safety: &Value) -> Option<Check> {
    if safety.get("safe_to_execute_orders")?.as_bool()? {
        return Some(Check::fail(name, "an order could pass the posture"));
    }
    let reasons: Vec<String> =
        safety.get("gating_reasons")?.as_array()?.iter().filter_map(|it| Some(it.as_str()?.to_owned())).collect();
    Some(match reasons.is_empty() {
        true => Check::unknown(name, "no order could pass the posture, and nothing says why"),
        false => Check::pass(name, format!("no order could pass: {}", some(&reasons, QUOTED))),
    })
}

/// The agents that place orders are not there, because nobody started them.
fn execution_offline(name: &'static str, agents: &Value) -> Option<Check> {
    let mut seen = Vec::new();
    for agent in agents.get("items")?.as_array()? {
        if text(agent, "/kind")? != "execution" {
            continue;
        }
        let (agent_name, state) = (text(agent, "/agent_name")?, text(agent, "/state")?);
        let reasons = agent.get("reason_codes")?.as_array()?;
        let is_disabled = reasons.iter().any(|reason| reason == "EXECUTION_DISABLED");
        if state != "OFFLINE" {
            return Some(Check::fail(name, format!("{agent_name} is {state}")));
        }
        if !is_disabled {
            return Some(Check::unknown(
                name,
                format!("{agent_name} is OFFLINE, and not because execution is disabled"),
            ));
        }
        seen.push(format!("{agent_name} is OFFLINE, disabled"));
    }
    Some(match seen.is_empty() {
        true => Check::unknown(name, "no execution agent in the inventory"),
        false => Check::pass(name, some(&seen, QUOTED)),
    })
}

/// Every agent but those that place orders is well; what is optional is only told.
fn agents(name: &'static str, agents: &Value) -> Option<Check> {
    let (mut unwell, mut unknown, mut told, mut well) = (Vec::new(), Vec::new(), Vec::new(), 0_u32);
    for agent in agents.get("items")?.as_array()? {
        let (agent_name, state) = (text(agent, "/agent_name")?, text(agent, "/state")?);
        if text(agent, "/kind")? == "execution" {
            continue;
        }
        let reasons: Vec<&str> = agent.get("reason_codes")?.as_array()?.iter().filter_map(Value::as_str).collect();
        let said = format!("{agent_name} is {state} {}", reasons.join(" ")).trim_end().to_owned();
        match (state, text(agent, "/criticality")?) {
            ("OK" | "MARKET_CLOSED", _) => well = well.saturating_add(1),
            (_, "optional") => told.push(said),
            ("UNKNOWN", _) => unknown.push(said),
            _ => unwell.push(said),
        }
    }
    let optional = if told.is_empty() { String::new() } else { format!("; optional: {}", some(&told, QUOTED)) };
    Some(match () {
        () if !unwell.is_empty() => Check::fail(name, some(&[unwell, unknown].concat(), QUOTED)),
        () if !unknown.is_empty() => Check::unknown(name, some(&unknown, QUOTED)),
        () if well == 0 => Check::unknown(name, "no agent is watched"),
        () => Check::pass(name, format!("{well} agents are well{optional}")),
    })
}

fn marketdata(name: &'static str, safety: &Value) -> Option<Check> {
    if !safety.pointer("/market/is_open")?.as_bool()? {
        return Some(Check::pass(name, "the market is closed"));
    }
    let (mut not_fresh, mut fresh) = (Vec::new(), 0_u32);
    for one in safety.get("freshness")?.as_array()? {
        let (of, state) = (text(one, "/of")?, text(one, "/state")?);
        match state {
            "FRESH" => fresh = fresh.saturating_add(1),
            _ => not_fresh.push(format!("{of} is {state}")),
        }
    }
    Some(match () {
        () if !not_fresh.is_empty() => Check::fail(name, some(&not_fresh, QUOTED)),
        () if fresh == 0 => Check::unknown(name, "no feed and no underlying is followed"),
        () => Check::pass(name, format!("{fresh} feeds and underlyings are fresh")),
    })
}

/// Every log was verified against what was held of it before.
fn logs(name: &'static str, audit: &Value) -> Option<Check> {
    let (mut wrong, mut unknown, mut verified) = (Vec::new(), Vec::new(), 0_u32);
    for log in audit.get("logs")?.as_array()? {
        let (agent_name, state) = (text(log, "/agent_name")?, text(log, "/state")?);
        let findings = log.get("findings")?.as_array()?.len();
        match state {
            _ if findings > 0 => wrong.push(format!("{agent_name}: {findings} findings")),
            "VERIFIED" => verified = verified.saturating_add(1),
            "ALARM" => wrong.push(format!("{agent_name} is {state}")),
            _ => unknown.push(format!("{agent_name} is {state}")),
        }
    }
    Some(match () {
        () if !wrong.is_empty() => Check::fail(name, some(&[wrong, unknown].concat(), QUOTED)),
        () if !unknown.is_empty() => Check::unknown(name, some(&unknown, QUOTED)),
        () if verified == 0 => Check::unknown(name, "no log is followed"),
        () => Check::pass(name, format!("{verified} logs extend what was verified of them before")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readiness::Outcome;
    use serde_json::json;
    use std::collections::BTreeSet;

    fn agent(name: &str, kind: &str, state: &str, reasons: &[&str]) -> Value {
        json!({"agent_name": name, "kind": kind, "state": state, "reason_codes": reasons, "criticality": "critical"})
    }

    fn good() -> Answers {
        Answers {
            safety: Ok(json!({
                "kill_switch": {"halted": true, "source": "file", "since_utc": null},
                "market": {"is_open": true},
                "freshness": [{"of": "SPY", "state": "FRESH"}],
                "safe_to_execute_orders": false,
                "gating_reasons": ["EXECUTION_DISABLED", "KILL_SWITCH"],
            })),
            agents: Ok(json!({"items": [
                agent("gamma-strategy", "strategy", "OK", &[]),
                agent("execution-agent", "execution", "OFFLINE", &["EXECUTION_DISABLED"]),
            ], "next": null})),
            audit: Ok(json!({"logs": [{"agent_name": "gamma-strategy", "state": "VERIFIED", "findings": []}]})),
        }
    }

    fn not_passed(answers: &Answers) -> Vec<(&'static str, Outcome)> {
        checks(answers)
            .into_iter()
            .filter(|check| check.result != Outcome::Pass)
            .map(|check| (check.check, check.result))
            .collect()
    }

    /// The good answers with one value put elsewhere.
    fn with(answer: &str, pointer: &str, value: Value) -> Answers {
        let mut answers = good();
        let one = match answer {
            "safety" => &mut answers.safety,
            "agents" => &mut answers.agents,
            _ => &mut answers.audit,
        };
        *one.as_mut().unwrap().pointer_mut(pointer).unwrap() = value;
        answers
    }

    #[test]
    fn a_floor_that_is_well_and_locked_is_ready() {
        assert_eq!(not_passed(&good()), []);
        let closed = with("safety", "/market/is_open", json!(false));
        assert_eq!(not_passed(&closed), []);
    }

    #[test]
    fn each_check_fails_by_what_it_is_about() {
        use Outcome::{Fail, Unknown};
        let mut failed = BTreeSet::new();
        for (answer, pointer, value, expected) in [
            ("safety", "/kill_switch/halted", json!(false), ("kill-switch", Fail)),
            ("safety", "/kill_switch/source", json!(null), ("kill-switch", Unknown)),
            ("safety", "/kill_switch/halted", json!("true"), ("kill-switch", Unknown)),
            ("safety", "/safe_to_execute_orders", json!(true), ("orders-refused", Fail)),
            ("safety", "/gating_reasons", json!([]), ("orders-refused", Unknown)),
            ("safety", "/freshness/0/state", json!("STALE"), ("marketdata", Fail)),
            ("safety", "/freshness/0/state", json!("DELAYED"), ("marketdata", Fail)),
            ("safety", "/freshness", json!([]), ("marketdata", Unknown)),
            ("safety", "/market", json!(null), ("marketdata", Unknown)),
            ("agents", "/items/0/state", json!("DEGRADED"), ("agents", Fail)),
            ("agents", "/items/0/state", json!("OFFLINE"), ("agents", Fail)),
            ("agents", "/items/0/state", json!("UNKNOWN"), ("agents", Unknown)),
            ("agents", "/items/1/state", json!("OK"), ("execution-offline", Fail)),
            ("agents", "/items/1/state", json!("HALTED"), ("execution-offline", Fail)),
            ("agents", "/items/1/reason_codes", json!([]), ("execution-offline", Unknown)),
            ("audit", "/logs/0/state", json!("ALARM"), ("logs", Fail)),
            ("audit", "/logs/0/findings", json!([{"code": "AUDIT_FORK"}]), ("logs", Fail)),
            ("audit", "/logs/0/state", json!("UNKNOWN"), ("logs", Unknown)),
            ("audit", "/logs", json!([]), ("logs", Unknown)),
        ] {
            assert_eq!(not_passed(&with(answer, pointer, value.clone())), [expected], "{pointer} {value}");
            failed.extend(Some(expected.0).filter(|_| expected.1 == Fail));
        }
        let all: BTreeSet<&str> = checks(&good()).iter().map(|it| it.check).collect();
        assert_eq!(failed, all, "a check that no answer here makes fail");
    }

    #[test]
    fn an_inventory_without_execution_or_without_others_is_unknown() {
        let mut answers = good();
        answers.agents = Ok(json!({"items": [agent("gamma-strategy", "strategy", "OK", &[])]}));
        assert_eq!(not_passed(&answers), [("execution-offline", Outcome::Unknown)]);
        answers.agents = Ok(json!({"items": []}));
        assert_eq!(not_passed(&answers), [("execution-offline", Outcome::Unknown), ("agents", Outcome::Unknown)]);
    }

    #[test]
    fn an_optional_agent_is_told_and_not_counted() {
        let mut answers = with("agents", "/items/0/criticality", json!("optional"));
        *answers.agents.as_mut().unwrap().pointer_mut("/items/0/state").unwrap() = json!("OFFLINE");
        assert_eq!(not_passed(&answers), [("agents", Outcome::Unknown)], "nobody else is watched");
    }

    #[test]
    fn a_floor_that_does_not_answer_is_unknown_in_every_check() {
        let silent = || Err("connection refused".to_owned());
        let answers = Answers { safety: silent(), agents: silent(), audit: silent() };
        assert_eq!(not_passed(&answers).len(), 6);
        assert!(checks(&answers).iter().all(|check| check.result == Outcome::Unknown));
        let answers = Answers { safety: Ok(json!({})), agents: Ok(json!([])), audit: Ok(json!("x")) };
        assert!(checks(&answers).iter().all(|check| check.result == Outcome::Unknown));
    }
}
