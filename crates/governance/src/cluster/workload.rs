//! What runs of one workload of a cluster, and whether it may.

use crate::cluster::owner::controller;
use crate::cluster::status::{Running, running};
use crate::cluster::{Cluster, number};
use crate::workload::{Container, Problem, SCALED, Trouble, Workload, marks};
use agenttrader_policy::object::Object;
use agenttrader_policy::yaml::node::Node;
use std::collections::BTreeSet;

/// The workload of an object and those that it owns; none where it is nothing that runs.
pub(super) fn of<'a>(cluster: &Cluster<'a>, root: &Object<'a>, owned: &[Object<'a>]) -> Option<Workload> {
    let pods: Vec<Running> =
        std::iter::once(root).chain(owned).filter(|object| object.kind == "Pod").map(running).collect();
    let asked = Workload::asked(root, &cluster.pods_of(root))?;
    let live: Vec<&Running> = pods.iter().filter(|pod| !pod.is_over).collect();
    let count = |pods: usize| u64::try_from(pods).unwrap_or(u64::MAX);
    let there = count(live.len());
    let (wanted, ready) = match root.kind {
        kind if SCALED.contains(&kind) => {
            (asked.replicas_wanted, number(root.node, &["status", "readyReplicas"]).unwrap_or(0))
        }
        "DaemonSet" => {
            let ready = number(root.node, &["status", "numberReady"]).unwrap_or(0);
            (number(root.node, &["status", "desiredNumberScheduled"]), ready)
        }
        "Pod" | "Job" | "CronJob" => (Some(there), count(live.iter().filter(|pod| pod.is_ready).count())),
        _ => (asked.replicas_wanted, count(live.iter().filter(|pod| pod.is_ready).count())),
    };
    let mut problems: Vec<Problem> = live.iter().flat_map(|pod| pod.problems.iter().cloned()).collect();
    if !matches!(root.kind, "Job" | "CronJob") {
        problems.extend(pods.iter().filter(|pod| pod.is_over).flat_map(|pod| pod.problems.iter().cloned()));
    }
    problems.extend(missing(root, wanted, ready));
    problems.sort();
    problems.dedup();
    let containers =
        asked.containers.iter().map(|each| Container { digests: Some(digests(each, &live)), ..each.clone() });
    let workload = Workload {
        nodes: Some(live.iter().filter_map(|pod| pod.node.clone()).collect()),
        replicas_wanted: wanted,
        replicas_ready: Some(ready),
        pods: Some(there),
        restarts: Some(live.iter().map(|pod| pod.restarts).fold(0, u64::saturating_add)),
        containers: containers.collect(),
        // A pod may have been given what its template has not.
        orders: marks(std::iter::once(root).chain(owned).flat_map(|object| cluster.pods_of(object))),
        problems,
        ..asked
    };
    let unheld = format!("cannot be held at zero as a {}", root.kind);
    Some(workload.judged(match () {
        () if is_at_zero(root, owned, there) => Ok("is at zero"),
        () if SCALED.contains(&root.kind) => Err("is not at zero"),
        () => Err(&unheld),
    }))
}

/// The digests that run of a container.
fn digests(container: &Container, live: &[&Running]) -> BTreeSet<String> {
    live.iter().filter_map(|pod| pod.digests.get(&container.name)).flatten().cloned().collect()
}

/// Whether nothing of it runs, and nothing of it is about to.
fn is_at_zero(root: &Object<'_>, owned: &[Object<'_>], there: u64) -> bool {
    let is_zero = |object: &Object<'_>| {
        let replicas = object.at(&["spec", "replicas"]).and_then(Node::scalar);
        replicas.is_some_and(|scalar| scalar.plain && scalar.text == "0")
            && number(object.node, &["status", "replicas"]).unwrap_or(0) == 0
    };
    let sets = owned.iter().filter(|object| object.kind != "Pod");
    SCALED.contains(&root.kind) && there == 0 && is_zero(root) && sets.into_iter().all(is_zero)
}

fn missing(root: &Object<'_>, wanted: Option<u64>, ready: u64) -> Vec<Problem> {
    let mut problems = Vec::new();
    match wanted {
        Some(wanted) if ready < wanted => {
            problems.push(Problem { trouble: Trouble::NotReady, what: format!("{ready} of {wanted} ready") });
        }
        Some(_) => {}
        None => {
            let what = "nothing says how many pods it should have".to_owned();
            problems.push(Problem { trouble: Trouble::Unclear, what });
        }
    }
    let seen = number(root.node, &["status", "observedGeneration"]);
    if seen.zip(number(root.node, &["metadata", "generation"])).is_some_and(|(seen, made)| seen < made) {
        let what = "its controller has not taken up the last change".to_owned();
        problems.push(Problem { trouble: Trouble::Unclear, what });
    }
    if let Some((kind, name)) = controller(root) {
        let what = format!("it belongs to {kind} {name}, which is not among the objects");
        problems.push(Problem { trouble: Trouble::Unclear, what });
    }
    problems
}
