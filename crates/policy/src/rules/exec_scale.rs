//! The lock contract, rule `exec-scale`: what can place orders is at zero, and nothing brings it up.

mod carried;
mod cloud_run;
mod orders;
mod targets;

use crate::finding::{Finding, Rule};
use crate::judged::Form;
use crate::object::Object;
use crate::placing::NAMES;
use crate::pod::Pod;
use crate::world::World;
use crate::yaml::node::Node;
use std::collections::BTreeSet;

const REMEDY: &str = "set `replicas: 0`, unquoted; people scale it by hand, under a grant";

/// Kinds that run at once, whatever a number says.
const RUN_AT_ONCE: [&str; 6] = ["DaemonSet", "Job", "CronJob", "Pod", "ScaledJob", "Workflow"];

/// The workloads that can place orders, by what others call them.
#[derive(Debug, Default)]
pub struct Names<'a> {
    /// Their names, and the names the execution service goes by.
    pub names: BTreeSet<&'a str>,
    /// Their kinds.
    pub kinds: BTreeSet<&'a str>,
    /// Kind and name of each.
    pub workloads: BTreeSet<(&'a str, &'a str)>,
}

/// What is not at zero, and what would change that.
pub fn judge(world: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut known = Names { names: NAMES.into(), ..Names::default() };
    for pod in world.scopes.iter().flat_map(|scope| &scope.pods).filter(|pod| pod.can_place_orders()) {
        known.names.insert(pod.object.name);
        known.kinds.insert(pod.object.kind);
        known.workloads.insert((pod.object.kind, pod.object.name));
        workload(pod, &mut findings);
    }
    known.names.remove("");
    for object in world.objects() {
        targets::judge(object, &known, &mut findings);
        carried::judge(object, &known, &mut findings);
    }
    for (file, document) in world.documents().filter(|(file, _)| file.form == Form::Documents) {
        if !file.is_kustomization() {
            carried::of_document(file.path, document, &known, &mut findings);
        }
    }
    for text in &world.texts {
        orders::judge(text, &known, &mut findings);
    }
    findings
}

fn workload(pod: &Pod<'_>, findings: &mut Vec<Finding>) {
    let object = &pod.object;
    let fail = |at: &Node, field: &str, what: String| object.fail(Rule::ExecScale, at, field, what, REMEDY);
    let why = pod.why();
    if object.patch {
        // A change to another object may leave the number out: the rendered object tells.
        if let Some(replicas) = object.at(&["spec", "replicas"]).filter(|replicas| !is_zero(replicas)) {
            findings.push(fail(
                replicas,
                "spec.replicas",
                format!("a change gives what can place orders replicas: {why}"),
            ));
        }
        return;
    }
    if object.is_of_group("serving.knative.dev") {
        findings.extend(cloud_run::judge(pod));
        return;
    }
    if RUN_AT_ONCE.contains(&object.kind) {
        let kind = object.node.get("kind").unwrap_or(object.node);
        findings.push(fail(
            kind,
            "kind",
            format!("a {} runs at once, and this one can place orders: {why}", object.kind),
        ));
        return;
    }
    match object.at(&["spec", "replicas"]) {
        Some(replicas) if is_zero(replicas) => {}
        Some(replicas) => {
            findings.push(fail(
                replicas,
                "spec.replicas",
                format!("it can place orders and its replicas are not 0: {why}"),
            ));
        }
        None => {
            let what = format!("it can place orders and names no replicas, which means 1: {why}");
            findings.push(fail(object.node, "spec.replicas", what));
        }
    }
}

/// Whether a number is the integer 0 for every reader.
fn is_zero(node: &Node) -> bool {
    node.scalar().is_some_and(|scalar| scalar.plain && scalar.text == "0")
}

/// A name as an object may spell it: itself, or with the kind before it.
fn is_one_of(name: &str, known: &BTreeSet<&str>) -> bool {
    known.contains(name.rsplit('/').next().unwrap_or(name))
}

/// Whether an object is a change to a workload that can place orders, or that workload.
fn is_known(object: &Object<'_>, known: &Names<'_>) -> bool {
    is_one_of(object.name, &known.names)
}
