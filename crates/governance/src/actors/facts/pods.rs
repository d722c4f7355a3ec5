//! Facts of workloads: the mode and the switch as each container comes to them, and how many run of what can place orders.

use super::objects::{holder, site, told, watched};
use super::{Class, Fact, Facts, Key};
use crate::actors::offence::Kind;
use agenttrader_policy::environment::Source;
use agenttrader_policy::found::Key as Watched;
use agenttrader_policy::object::Object;
use agenttrader_policy::pod::{Container, Pod};
use agenttrader_policy::switch::{FOLDER, is_within, mounts};
use agenttrader_policy::world::World;
use agenttrader_policy::yaml::node::Node;
use std::collections::BTreeSet;

/// Where a workload says how many of it run, whatever its kind.
const NUMBERS: [&[&str]; 6] = [
    &["spec", "replicas"],
    &["spec", "traffic"],
    &["spec", "parallelism"],
    &["spec", "suspend"],
    &["spec", "schedule"],
    &["spec", "paused"],
];

/// Parts of an annotation's name that sets a number.
const ANNOTATED: [&str; 5] = ["autoscaling", "scaling", "minScale", "maxScale", "manualInstanceCount"];

/// Adds them.
pub fn read(world: &World<'_>, facts: &mut Facts) {
    for pod in world.scopes.iter().flat_map(|scope| &scope.pods) {
        numbers(pod, facts);
        for mark in &pod.orders {
            let why = facts.placing.entry(pod.object.label()).or_default();
            why.entry(mark.why.clone()).or_insert_with(|| (pod.object.file(mark.at).to_owned(), Some(mark.at.line)));
        }
        for container in &pod.containers {
            environment(pod, container, facts);
            switch_files(pod, container, facts);
        }
    }
}

fn key(object: &Object<'_>, subject: String) -> Key {
    Key { site: site(object), holder: holder(object), subject }
}

fn name<'a>(container: &'a Container<'_>) -> &'a str {
    container.node.get("name").and_then(Node::text).unwrap_or(container.field.as_str())
}

/// What a container's process finds, by whatever way it comes.
fn environment(pod: &Pod<'_>, container: &Container<'_>, facts: &mut Facts) {
    for watched_key in Watched::ALL {
        let values = container.environment.value(watched_key.name());
        if values.is_absent() {
            continue;
        }
        let last = container.environment.of(watched_key.name()).next_back();
        // Where the switch comes from is a part of it: a copy of its value is no switch.
        let source = last.filter(|_| watched_key != Watched::AgentMode).map(|variable| match variable.source {
            Source::Literal => "its own text".to_owned(),
            Source::ConfigMapKey { name, key, optional } => {
                format!("ConfigMap {name}, key {key}, optional: {optional}")
            }
            Source::EnvFrom => "envFrom".to_owned(),
            Source::Other => "elsewhere".to_owned(),
        });
        let node = last.map_or(container.node, |variable| variable.at);
        let at = (pod.object.file(node).to_owned(), Some(node.line));
        let subject = format!("{} of container {}", watched_key.name(), name(container));
        facts.note(key(&pod.object, subject), watched(watched_key, &values, source.as_deref(), at));
    }
}

/// What is mounted where the switch is read, or above that.
fn switch_files(pod: &Pod<'_>, container: &Container<'_>, facts: &mut Facts) {
    for mount in mounts(pod, container) {
        let near = is_within(&mount.path, FOLDER) || is_within(FOLDER, &mount.path) && mount.path != "/";
        if !near {
            continue;
        }
        let subject = format!("the mount at {} in container {}", mount.path, name(container));
        let part = |name: &str| told(mount.node.get(name));
        let value = format!("{} {} of {}", part("subPath"), part("subPathExpr"), volume(mount.volume));
        let harmless = mount.is_of_switch() && mount.partial().is_none() && !mount.is_optional();
        let fact = Fact {
            kind: Kind::KillSwitch,
            class: Class::Halting,
            name: subject.clone(),
            values: BTreeSet::from([value]),
            harmless,
            at: (pod.object.file(mount.node).to_owned(), Some(mount.node.line)),
        };
        facts.note(key(&pod.object, subject), fact);
    }
}

/// A volume without its name, which is nobody's business but its mounts'.
fn volume(volume: Option<&Node>) -> String {
    let entries = volume.map(Node::entries).unwrap_or_default();
    let parts: Vec<_> = entries
        .iter()
        .filter(|(key, _)| key.text() != Some("name"))
        .map(|(key, value)| format!("{}: {}", told(Some(key)), told(Some(value))))
        .collect();
    parts.join(", ")
}

fn numbers(pod: &Pod<'_>, facts: &mut Facts) {
    let object = &pod.object;
    // A change to another object says of it what it says; what it leaves out stays.
    let said = |path: &[&str]| {
        object.at(path).or_else(|| (!object.patch && path == ["spec", "replicas"]).then_some(object.node))
    };
    for path in NUMBERS {
        let Some(node) = said(path) else { continue };
        let value = object.at(path).map_or_else(|| "nothing, which means 1".to_owned(), |node| told(Some(node)));
        note(object, path.join("."), value, node, facts);
    }
    let own = object.at(&["metadata", "annotations"]);
    let template = pod.metadata.and_then(|metadata| metadata.get("annotations"));
    for (key, value) in own.into_iter().chain(template).flat_map(Node::entries) {
        let Some(name) = key.text().filter(|name| ANNOTATED.iter().any(|part| name.contains(part))) else { continue };
        note(object, format!("annotation {name}"), told(Some(value)), value, facts);
    }
}

fn note(object: &Object<'_>, subject: String, value: String, node: &Node, facts: &mut Facts) {
    let fact = Fact {
        kind: Kind::Scale,
        class: Class::OfOrders,
        name: subject.clone(),
        values: BTreeSet::from([value]),
        harmless: true,
        at: (node.file(object.path).to_owned(), Some(node.line)),
    };
    facts.note(key(object, subject), fact);
}
