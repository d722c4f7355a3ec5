//! What scales, starts or targets a workload that can place orders.

use super::{Names, is_known, is_one_of, is_zero};
use crate::finding::{Finding, Rule};
use crate::object::Object;
use crate::placing::NAMES;
use crate::pod::pods;
use crate::yaml::node::Node;

const REMEDY: &str = "let nothing scale what can place orders: people do, under a grant";

/// Kinds of workloads, as references name them.
const WORKLOADS: [&str; 13] = [
    "Deployment",
    "StatefulSet",
    "ReplicaSet",
    "ReplicationController",
    "DaemonSet",
    "Job",
    "CronJob",
    "Pod",
    "Rollout",
    "CloneSet",
    "Service",
    "Configuration",
    "Revision",
];

/// Keys whose mapping is what gets scaled, also where it names no kind.
const SCALED: [&str; 6] =
    ["scaleTargetRef", "targetRef", "workloadRef", "deploymentRef", "resourceRef", "controllerRef"];

/// Keys under which a workload is named and left as it is.
const LEFT: [&str; 8] = [
    "describedObject",
    "ownerReferences",
    "involvedObject",
    "regarding",
    "backendRefs",
    "metadata",
    "status",
    "matchResources",
];

/// Kinds that name workloads and move none: a VerticalPodAutoscaler changes sizes, never numbers.
const HARMLESS: [&str; 4] = ["VerticalPodAutoscaler", "Event", "Kustomization", "Component"];

/// What an object does to the known workloads.
pub fn judge(object: &Object<'_>, known: &Names<'_>, findings: &mut Vec<Finding>) {
    if object.kind == "Kustomization" || object.kind == "Component" || object.is_of_group("kustomize.config.k8s.io") {
        kustomization(object, known, findings);
        return;
    }
    if object.kind == "Scale" && is_known(object, known) && !object.at(&["spec", "replicas"]).is_some_and(is_zero) {
        let what = "a Scale brings up what can place orders";
        findings.push(object.fail(Rule::ExecScale, object.node, "spec.replicas", what, REMEDY));
    }
    // A custom kind may start what it is named after without a pod in sight.
    let has_pod = !pods(*object).is_empty();
    let replicas =
        object.at(&["spec", "replicas"]).filter(|replicas| !has_pod && object.kind != "Scale" && !is_zero(replicas));
    if let Some(replicas) = replicas.filter(|_| NAMES.contains(&object.name) && !object.patch) {
        let what = format!("a {} is named after what can place orders, and its replicas are not 0", object.kind);
        findings.push(object.fail(Rule::ExecScale, replicas, "spec.replicas", what, REMEDY));
    }
    if !HARMLESS.contains(&object.kind) {
        references(object, object.node, "", known, findings);
    }
}

fn references(object: &Object<'_>, node: &Node, field: &str, known: &Names<'_>, findings: &mut Vec<Finding>) {
    for (index, item) in node.items().iter().enumerate() {
        let inside = format!("{field}[{index}]");
        if refers(item, "", known) {
            findings.push(targets(object, item, &inside));
        }
        references(object, item, &inside, known, findings);
    }
    for (key, value) in node.entries() {
        let key = key.text().unwrap_or("");
        if LEFT.contains(&key) {
            continue;
        }
        let inside = if field.is_empty() { key.to_owned() } else { format!("{field}.{key}") };
        if refers(value, key, known) {
            findings.push(targets(object, value, &inside));
        }
        references(object, value, &inside, known, findings);
    }
}

fn targets(object: &Object<'_>, at: &Node, field: &str) -> Finding {
    let name = at.get("name").unwrap_or(at);
    let what = format!("a {} targets what can place orders", object.kind);
    object.fail(Rule::ExecScale, name, &format!("{field}.name"), what, REMEDY)
}

/// Whether a mapping names a known workload. A whole object has its name elsewhere.
fn refers(node: &Node, key: &str, known: &Names<'_>) -> bool {
    let Some(name) = node.get("name").and_then(Node::text) else { return false };
    let kind = node.get("kind").and_then(Node::text);
    let service = kind == Some("Service") && !is_knative(node) && !known.kinds.contains("Service");
    let workload = match kind {
        Some(kind) => WORKLOADS.iter().any(|known| known.eq_ignore_ascii_case(kind)) || known.kinds.contains(kind),
        None => SCALED.contains(&key),
    };
    workload && !service && is_one_of(name, &known.names)
}

fn is_knative(node: &Node) -> bool {
    node.get("apiVersion").and_then(Node::text).is_some_and(|version| version.starts_with("serving.knative.dev/"))
}

/// What a kustomization's own fields say, should it not be rendered.
fn kustomization(object: &Object<'_>, known: &Names<'_>, findings: &mut Vec<Finding>) {
    let replicas = object.at(&["replicas"]).map(Node::items).unwrap_or_default();
    for (index, entry) in replicas.iter().enumerate() {
        let name = entry.get("name").and_then(Node::text).unwrap_or("");
        if let Some(count) = entry.get("count").filter(|count| known.names.contains(name) && !is_zero(count)) {
            let what = "a kustomization gives replicas to what can place orders";
            findings.push(object.fail(Rule::ExecScale, count, &format!("replicas[{index}].count"), what, REMEDY));
        }
    }
}
