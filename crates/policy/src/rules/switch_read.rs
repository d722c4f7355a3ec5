//! The lock contract, rule `switch-read`: what can place orders reads the kill switch.

use crate::environment::Source;
use crate::finding::{Finding, Rule, Verdict};
use crate::pod::{Container, Pod, Position};
use crate::switch::{FILE, FOLDER, KEY, is_switch, mounts};
use crate::world::World;

const REMEDY: &str = "mount the ConfigMap `agenttrader-kill-switch` at /etc/agenttrader/kill-switch, as a directory, and set \
                      EXECUTION_HALTED_FILE to /etc/agenttrader/kill-switch/EXECUTION_HALTED";

/// Every container that can place orders and would not see a halt.
pub fn judge(world: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut any = false;
    for pod in world.scopes.iter().flat_map(|scope| &scope.pods) {
        if !pod.can_place_orders() || pod.object.patch {
            continue;
        }
        any = true;
        for container in readers(pod) {
            let own = if is_cloud_run(pod) {
                cloud_run(pod, container).into_iter().collect()
            } else {
                of_container(pod, container)
            };
            findings.extend(own);
        }
    }
    for object in world.objects().filter(|object| is_switch(object)) {
        if let Some(immutable) = object.at(&["immutable"]).filter(|immutable| immutable.text() != Some("false")) {
            let what = "the kill switch is immutable: readers would never see it change";
            findings.push(object.fail(Rule::SwitchRead, immutable, "immutable", what, "take `immutable` out"));
        }
    }
    if !any && findings.is_empty() {
        let none = Finding::fail(Rule::SwitchRead, "", "no workload can place orders", "");
        findings.push(Finding { verdict: Verdict::NotApplicable, ..none });
    }
    findings
}

/// The containers that have to read it: those with a mark of their own; where only the workload has one, all that serve.
fn readers<'p, 'a>(pod: &'p Pod<'a>) -> Vec<&'p Container<'a>> {
    let inside = |field: &str, container: &str| {
        field.strip_prefix(container).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let marked = |container: &&Container<'a>| pod.orders.iter().any(|mark| inside(&mark.field, &container.field));
    let own: Vec<_> = pod.containers.iter().filter(marked).collect();
    if !own.is_empty() {
        return own;
    }
    let serving: Vec<_> = pod.containers.iter().filter(|container| container.position == Position::Main).collect();
    if serving.is_empty() { pod.containers.iter().collect() } else { serving }
}

/// Whether it runs where no ConfigMap can be mounted.
fn is_cloud_run(pod: &Pod<'_>) -> bool {
    let object = &pod.object;
    object.is_of_group("run.googleapis.com")
        || object.is_of_group("serving.knative.dev") && object.node.file(object.path).starts_with("infra/cloudrun/")
        || object.is_of_group("serving.knative.dev") && has_cloud_run_annotation(pod)
}

fn has_cloud_run_annotation(pod: &Pod<'_>) -> bool {
    let entries = pod.object.at(&["metadata", "annotations"]).map(|node| node.entries()).unwrap_or_default();
    entries.iter().any(|(key, _)| key.text().is_some_and(|key| key.starts_with("run.googleapis.com/")))
}

fn cloud_run(pod: &Pod<'_>, container: &Container<'_>) -> Option<Finding> {
    let set: Vec<_> = container.environment.of(KEY).collect();
    let field = format!("{}.env", container.field);
    let remedy = "set EXECUTION_HALTED to \"1\", spelled out in env";
    match set.as_slice() {
        [] => {
            let what = format!("it can place orders and has no {KEY}: {}", pod.why());
            Some(pod.object.fail(Rule::SwitchRead, container.node, &field, what, remedy))
        }
        all => {
            let wrong =
                all.iter().find(|variable| variable.source != Source::Literal || variable.at.text() != Some("1"))?;
            let what = format!("it can place orders and its {KEY} is not the literal `1`: {}", pod.why());
            Some(pod.object.fail(Rule::SwitchRead, wrong.at, &wrong.field, what, remedy))
        }
    }
}

fn of_container(pod: &Pod<'_>, container: &Container<'_>) -> Vec<Finding> {
    let object = &pod.object;
    let mut findings = Vec::new();
    let why = pod.why();
    let all = mounts(pod, container);
    match all.iter().find(|mount| mount.path == FOLDER && mount.is_of_switch()) {
        None => {
            let what = format!("it can place orders and does not mount the kill switch at {FOLDER}: {why}");
            findings.push(object.fail(
                Rule::SwitchRead,
                container.node,
                &format!("{}.volumeMounts", container.field),
                what,
                REMEDY,
            ));
        }
        Some(mount) => {
            let partial = mount.partial().map(str::to_owned);
            let optional = mount.is_optional().then(|| "the volume is optional: it starts without a switch".to_owned());
            for what in partial.into_iter().chain(optional) {
                let what = format!("it can place orders, and {what}: {why}");
                findings.push(object.fail(Rule::SwitchRead, mount.node, &mount.field, what, REMEDY));
            }
        }
    }
    let name = "EXECUTION_HALTED_FILE";
    let value = container.environment.value(name);
    if value.only() != Some(FILE) {
        let last = container.environment.of(name).next_back();
        let (at, field) =
            last.map_or((container.node, format!("{}.env", container.field)), |last| (last.at, last.field.clone()));
        let what = match value.is_absent() {
            true => format!("it can place orders and has no {name}: {why}"),
            false => format!("it can place orders and its {name} is {}, not `{FILE}`: {why}", value.said()),
        };
        findings.push(object.fail(Rule::SwitchRead, at, &field, what, REMEDY));
    }
    findings
}
