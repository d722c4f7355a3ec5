//! An agent with a log is there once. How many there are of what can place orders is the rule `exec-scale`.

use crate::finding::{Finding, Rule};
use crate::pod::{Pod, Position};
use crate::rules::workload::{is_agent, is_cloud_run};
use crate::world::Scope;
use crate::yaml::node::Node;

const REMEDY: &str = "one replica: an agent's log has one writer";

pub(super) fn judge(scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    let agents: Vec<&Pod<'_>> = scope.pods.iter().filter(|pod| writes_a_log(pod)).collect();
    for pod in &agents {
        if !pod.can_place_orders() {
            findings.extend(if is_cloud_run(pod) { instances(pod) } else { replicas(pod) });
        }
        findings.extend(strategy(pod));
    }
    for object in &scope.objects {
        let Some(target) = object.at(&["spec", "scaleTargetRef"]) else { continue };
        let name = target.get("name").and_then(Node::text).unwrap_or_default();
        let kind = target.get("kind").and_then(Node::text).unwrap_or("Deployment");
        let is_target = |pod: &&Pod<'_>| !pod.can_place_orders() && pod.object.is_named(kind, object.namespace, name);
        if !agents.iter().copied().any(|pod| is_target(&pod)) {
            continue;
        }
        let most = ["maxReplicas", "maxReplicaCount"].iter().find_map(|key| object.at(&["spec", key]));
        if most.and_then(Node::text).is_none_or(|count| !matches!(count, "0" | "1")) {
            let what = format!("an autoscaler makes more than one of `{name}`, which writes a log");
            findings.push(object.fail(
                Rule::Hardening,
                most.unwrap_or(target),
                "spec.maxReplicas",
                what,
                "remove the autoscaler",
            ));
        }
    }
}

fn writes_a_log(pod: &Pod<'_>) -> bool {
    pod.containers.iter().any(|container| container.position == Position::Main && is_agent(container))
}

fn replicas(pod: &Pod<'_>) -> Option<Finding> {
    if pod.object.kind == "DaemonSet" {
        let kind = pod.object.node.get("kind").unwrap_or(pod.object.node);
        return Some(pod.object.fail(Rule::Hardening, kind, "kind", "an agent with a log on every node", REMEDY));
    }
    let replicas = pod.object.at(&["spec", "replicas"])?;
    let count = replicas.text()?;
    let most_one = matches!(count, "0" | "1");
    (!most_one).then(|| {
        pod.object.fail(Rule::Hardening, replicas, "spec.replicas", "more than one of an agent with a log", REMEDY)
    })
}

fn strategy(pod: &Pod<'_>) -> Option<Finding> {
    if pod.object.kind != "Deployment" || pod.object.patch && pod.object.at(&["spec", "strategy"]).is_none() {
        return None;
    }
    let kind = pod.object.at(&["spec", "strategy", "type"]);
    if kind.and_then(Node::text) == Some("Recreate") {
        return None;
    }
    let at = kind.or_else(|| pod.object.at(&["spec", "strategy"])).unwrap_or(pod.object.node);
    let what = "a new one starts before the old one has ended: two writers of one log";
    Some(pod.object.fail(Rule::Hardening, at, "spec.strategy.type", what, "set `strategy: {type: Recreate}`"))
}

/// Cloud Run counts in annotations.
fn instances(pod: &Pod<'_>) -> Option<Finding> {
    let places = [pod.object.node.get("metadata"), pod.metadata];
    let annotations =
        places.into_iter().flatten().filter_map(|metadata| metadata.get("annotations")).flat_map(Node::entries);
    let counts = [
        "run.googleapis.com/manualInstanceCount",
        "run.googleapis.com/maxScale",
        "autoscaling.knative.dev/maxScale",
        "autoscaling.knative.dev/max-scale",
    ];
    let (key, count) = annotations.into_iter().find(|(key, count)| {
        key.text().is_some_and(|key| counts.contains(&key)) && !matches!(count.text(), Some("0" | "1"))
    })?;
    let field = format!("metadata.annotations.{}", key.text().unwrap_or_default());
    Some(pod.object.fail(Rule::Hardening, count, &field, "more than one of an agent with a log", REMEDY))
}
