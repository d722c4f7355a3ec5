//! The lock contract, rule `probes`: an agent is restarted when it hangs, and only then, and is asked whether it can work.
//!
//! `livenessProbe` asks `/livez`, which never depends on the market: with `/readyz` or `/healthz` a quiet feed would restart
//! every agent. `readinessProbe` asks `/readyz` or `/healthz`; the venue simulator has `/livez` alone. A `startupProbe` is nobody's
//! duty; where it stands it asks `/livez`. Each is an HTTP request to the container's own port. Cloud Run has no readiness probes.
//! Jobs, init containers and sidecars are not judged.

use super::workload::{agents, is_cloud_run, runs_to_an_end, subcommand};
use crate::finding::{Finding, Rule};
use crate::pod::{Container, Pod};
use crate::world::World;
use crate::yaml::node::Node;

/// Probes that are missing, or ask something else.
pub fn judge(world: &World<'_>) -> Vec<Finding> {
    let pods = world.scopes.iter().flat_map(|scope| &scope.pods);
    let pods = pods.filter(|pod| !pod.object.patch && !runs_to_an_end(pod));
    pods.flat_map(|pod| agents(pod).into_iter().flat_map(|container| of(pod, container)).collect::<Vec<_>>()).collect()
}

fn of(pod: &Pod<'_>, container: &Container<'_>) -> Vec<Finding> {
    let cloud_run = is_cloud_run(pod);
    let is_venue = subcommand(container).as_deref() == Some("venue");
    let ready: &[&str] = if is_venue { &["/readyz", "/healthz", "/livez"] } else { &["/readyz", "/healthz"] };
    let mut findings = Vec::new();
    for (name, paths, why) in [
        ("livenessProbe", ["/livez"].as_slice(), "it is restarted when it hangs, and only then"),
        ("readinessProbe", ready, "it gets requests only while it can do its work"),
        ("startupProbe", &["/livez"], "it is restarted when it does not start, whatever the market does"),
    ] {
        let remedy = format!(
            "let `{name}` be an `httpGet` of `{}` on the container's own port: {why}",
            paths.first().unwrap_or(&"")
        );
        match container.node.get(name).filter(|probe| !probe.entries().is_empty()) {
            Some(probe) => findings.extend(one(pod, container, name, probe, paths, &remedy)),
            None if name == "startupProbe"
                || cloud_run && (name == "readinessProbe" || container.node.get("startupProbe").is_some()) => {}
            None => {
                let what = format!("an agent without a `{name}`");
                findings.push(pod.object.fail(Rule::Probes, container.node, &container.field, what, &remedy));
            }
        }
    }
    findings
}

fn one(
    pod: &Pod<'_>,
    container: &Container<'_>,
    name: &str,
    probe: &Node,
    paths: &[&str],
    remedy: &str,
) -> Vec<Finding> {
    let field = format!("{}.{name}", container.field);
    let fail = |at: &Node, inside: &str, what: String| {
        pod.object.fail(Rule::Probes, at, &format!("{field}{inside}"), what, remedy)
    };
    let Some(get) = probe.get("httpGet") else {
        return vec![fail(probe, "", format!("`{name}` is no HTTP request: it does not ask the agent"))];
    };
    let mut findings = Vec::new();
    let path = get.get("path");
    let text = path.and_then(Node::text).unwrap_or("/");
    if !paths.contains(&text) {
        let softly = name == "startupProbe" && text == "/readyz";
        let what = format!("`{name}` asks `{text}`, which {}", answers(text));
        let finding = fail(path.unwrap_or(get), ".httpGet.path", what);
        findings.push(if softly { Finding { verdict: crate::finding::Verdict::Warn, ..finding } } else { finding });
    }
    if let Some(host) = get.get("host").filter(|host| host.text().is_some()) {
        findings.push(fail(host, ".httpGet.host", format!("`{name}` asks another host")));
    }
    if let Some(port) = get.get("port").filter(|port| !is_own_port(container, port)) {
        findings.push(fail(port, ".httpGet.port", format!("`{name}` asks a port that the container does not name")));
    }
    findings
}

fn answers(path: &str) -> &'static str {
    match path {
        "/livez" => "answers while the process runs, whether or not it can work",
        "/readyz" => "depends on the feed and the disk",
        "/healthz" => "depends on the market",
        _ => "is none of the health endpoints for this",
    }
}

/// Whether a port is one of the container's; one that names none may be asked on any number.
fn is_own_port(container: &Container<'_>, port: &Node) -> bool {
    let ports = container.node.get("ports").map(Node::items).unwrap_or_default();
    let wanted = port.text().unwrap_or_default();
    let is_number = wanted.bytes().all(|b| b.is_ascii_digit());
    if ports.is_empty() && is_number {
        return true;
    }
    let key = if is_number { "containerPort" } else { "name" };
    ports.iter().any(|own| own.get(key).and_then(Node::text) == Some(wanted))
}
