//! The lock contract, rule `identity`: every agent says who it is.
//!
//! `REPO_ID`, `AGENT_NAME`, `AGENT_ROLE` and `AGENT_MODE` are set, and what the tree gives them is what an agent starts
//! with; nobody else decides them. What `AGENT_MODE` may be is the rule `no-execute`. An agent of the floor's own keeps its role: a
//! strategy that calls itself market data would be taken for one that only reads. A job that is no agent needs none.

use super::workload::agents;
use crate::finding::{Finding, Rule};
use crate::placing::is_open;
use crate::pod::{Container, Pod};
use crate::values::Values;
use crate::world::World;
use crate::yaml::node::Node;

const REPO_ID: &str = "agent-trader-v2";
const ROLES: [&str; 5] = ["marketdata", "strategy_eval", "execution", "ops", "ingest"];
/// The floor's own agents. Who is called `execution-agent` can place orders whatever its role.
const OWN: [(&str, &str); 5] = [
    ("marketdata-mcp-server", "marketdata"),
    ("gamma-strategy", "strategy_eval"),
    ("whale-strategy", "strategy_eval"),
    ("shadow-gate", "ops"),
    ("mission-control", "ops"),
];

/// Agents without an identity, or with one that no agent starts with.
pub fn judge(world: &World<'_>) -> Vec<Finding> {
    let pods = world.scopes.iter().flat_map(|scope| &scope.pods).filter(|pod| !pod.object.patch);
    pods.flat_map(|pod| agents(pod).into_iter().flat_map(|container| of(pod, container)).collect::<Vec<_>>()).collect()
}

fn of(pod: &Pod<'_>, container: &Container<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut want = |name: &str, wanted: &str, fits: &dyn Fn(&str) -> bool| {
        let values = container.environment.value(name);
        let Some(what) = wrong(name, &values, fits) else { return };
        let (at, field) = place(container, name);
        findings.push(pod.object.fail(
            Rule::Identity,
            at,
            &field,
            what,
            format!("set `{name}` in `env` to {wanted}, spelled out"),
        ));
    };
    want("REPO_ID", &format!("`{REPO_ID}`"), &|text| text == REPO_ID);
    want("AGENT_NAME", "the agent's name: 1 to 64 letters, digits, `-` and `_`", &is_name);
    want("AGENT_ROLE", &format!("one of {}", ROLES.join(", ")), &|text| ROLES.contains(&text));
    want("AGENT_MODE", "`\"OFF\"` or `\"OBSERVE\"`", &|_| true);
    findings.extend(borrowed_role(pod, container));
    findings
}

fn wrong(name: &str, values: &Values, fits: &dyn Fn(&str) -> bool) -> Option<String> {
    if values.is_absent() {
        return Some(format!("an agent without `{name}`"));
    }
    if let Some(why) = &values.unknown {
        return Some(format!("`{name}` is not decided by the tree: {why}"));
    }
    let bad = values.known.iter().find(|text| is_open(text) || !fits(text))?;
    Some(format!("`{name}` is `{bad}`"))
}

fn borrowed_role(pod: &Pod<'_>, container: &Container<'_>) -> Option<Finding> {
    let value = |name: &str| container.environment.value(name);
    let (name, role) = (value("AGENT_NAME"), value("AGENT_ROLE"));
    let (own, wanted) = OWN.into_iter().find(|(own, _)| name.only() == Some(own))?;
    let other = role.only().filter(|role| *role != wanted && ROLES.contains(role))?;
    let (at, field) = place(container, "AGENT_ROLE");
    let what = format!("`{own}` has the role `{wanted}`, here it is `{other}`");
    Some(pod.object.fail(
        Rule::Identity,
        at,
        &field,
        what,
        format!("set `AGENT_ROLE` to `{wanted}`, or give the agent a name of its own"),
    ))
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Where a variable is set, or the container.
fn place<'a>(container: &Container<'a>, name: &str) -> (&'a Node, String) {
    let set = container.environment.of(name).next_back();
    set.map_or_else(|| (container.node, container.field.clone()), |variable| (variable.at, variable.field.clone()))
}
