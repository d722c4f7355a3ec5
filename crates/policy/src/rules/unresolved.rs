//! The lock contract, rule `unresolved`: nothing that matters is left open.

mod placeholders;

use crate::finding::{Finding, Rule};
use crate::object::Object;
use crate::place::Place;
use crate::settings::Kind;
use crate::world::World;
use crate::yaml::node::Node;

/// Variables that decide what an agent may do.
const MATTERS: [&str; 4] = ["AGENT_ROLE", "AGENT_NAME", "EXECUTION_AGENT_ENABLED", "BROKER_EXECUTION_ENABLED"];

/// Every variable of those, and the watched keys, by whose name a source that nobody can list may matter.
const NAMES: [&str; 7] = [
    "AGENT_ROLE",
    "AGENT_NAME",
    "AGENT_MODE",
    "EXECUTION_AGENT_ENABLED",
    "BROKER_EXECUTION_ENABLED",
    "EXECUTION_HALTED",
    "EXECUTION_HALTED_FILE",
];

/// What brings objects, or changes them, that no tree shows: kind and group; an empty one stands for any.
const BRINGERS: [(&str, &str, &str); 21] = [
    ("Application", "argoproj.io", "an Argo application"),
    ("ApplicationSet", "argoproj.io", "Argo applications"),
    ("Kustomization", "kustomize.toolkit.fluxcd.io", "a Flux kustomization"),
    ("HelmRelease", "", "a Helm release"),
    ("HelmChart", "", "a Helm chart"),
    ("HelmChartConfig", "", "a Helm chart's values"),
    ("HelmRepository", "", "a source of Helm charts"),
    ("GitRepository", "source.toolkit.fluxcd.io", "a Flux source"),
    ("OCIRepository", "source.toolkit.fluxcd.io", "a Flux source"),
    ("Bucket", "source.toolkit.fluxcd.io", "a Flux source"),
    ("GitRepo", "fleet.cattle.io", "a Fleet source"),
    ("MutatingWebhookConfiguration", "", "a mutating webhook"),
    ("MutatingAdmissionPolicy", "", "a mutating admission policy"),
    ("MutatingAdmissionPolicyBinding", "", "a mutating admission policy"),
    ("MutatingPolicy", "policies.kyverno.io", "a mutating policy"),
    ("GeneratingPolicy", "policies.kyverno.io", "a generating policy"),
    ("Assign", "mutations.gatekeeper.sh", "a mutation"),
    ("AssignMetadata", "mutations.gatekeeper.sh", "a mutation"),
    ("AssignImage", "mutations.gatekeeper.sh", "a mutation"),
    ("ModifySet", "mutations.gatekeeper.sh", "a mutation"),
    ("PodPreset", "", "a preset that is put into pods"),
];

/// What the tree does not decide.
pub fn judge(world: &World<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        world.findings.iter().filter(|finding| finding.rule == Rule::Unresolved).cloned().collect();
    for object in world.objects() {
        findings.extend(bringer(object));
        placeholders::judge(object, &mut findings);
    }
    variables(world, &mut findings);
    for setting in &world.settings {
        // A path that only a run can tell is judged by the rule of the switch.
        let Some(why) = &setting.values.unknown else { continue };
        if setting.kind == Kind::File && setting.key == crate::found::Key::ExecutionHaltedFile {
            continue;
        }
        let what = format!("{} cannot be decided from the tree: {why}", setting.key.name());
        findings.push(setting.place.fail(Rule::Unresolved, "", what, "spell the value out"));
    }
    findings
}

fn bringer(object: &Object<'_>) -> Option<Finding> {
    let listed = BRINGERS
        .iter()
        .find(|(kind, group, _)| object.kind == *kind && (group.is_empty() || object.is_of_group(group)));
    let what = match listed {
        Some((_, _, what)) => *what,
        None if object.is_of_group("kyverno.io") && changes(object.node) => "a policy that changes or makes objects",
        None => return None,
    };
    let kind = object.node.get("kind").unwrap_or(object.node);
    let what = format!("{what} brings what no tree shows, so nobody can judge it");
    Some(object.fail(Rule::Unresolved, kind, "kind", what, "put the objects themselves into the tree"))
}

/// Whether a policy's rules change or make objects.
fn changes(node: &Node) -> bool {
    let keys = node
        .entries()
        .iter()
        .any(|(key, value)| matches!(key.text(), Some("mutate" | "generate")) && !value.entries().is_empty());
    keys || node.items().iter().any(changes) || node.entries().iter().any(|(_, value)| changes(value))
}

/// Variables of containers that may be anything.
fn variables(world: &World<'_>, findings: &mut Vec<Finding>) {
    for pod in world.scopes.iter().flat_map(|scope| &scope.pods) {
        for environment in pod.containers.iter().map(|container| &container.environment) {
            for open in &environment.open {
                let fixed = |name: &&&str| {
                    environment.of(name).any(|variable| variable.source != crate::environment::Source::EnvFrom)
                };
                let free: Vec<&str> =
                    NAMES.iter().filter(|name| name.starts_with(&open.prefix) && !fixed(name)).copied().collect();
                if let Some(first) = free.first() {
                    let what = format!("{first} and others may come from {}", open.why);
                    let remedy = "name the keys one by one with valueFrom, or give it a prefix";
                    let place = Place::of_object(pod.object, open.at, open.field.clone());
                    findings.push(place.fail(Rule::Unresolved, "", what, remedy));
                }
            }
            for variable in environment.variables.iter().filter(|variable| MATTERS.contains(&variable.name.as_str())) {
                if let Some(why) = &variable.values.unknown {
                    let what = format!("{} cannot be decided from the tree: {why}", variable.name);
                    let place = Place::of_object(pod.object, variable.at, variable.field.clone());
                    findings.push(place.fail(Rule::Unresolved, "", what, "spell the value out"));
                }
            }
        }
    }
}
