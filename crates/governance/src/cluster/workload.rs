//! One workload: what it is, what runs of it, and whether it may.

use crate::cluster::owner::controller;
use crate::cluster::status::{Running, running};
use crate::cluster::{Cluster, number, text};
use agenttrader_policy::object::Object;
use agenttrader_policy::pod::{self, Pod, Position};
use agenttrader_policy::yaml::node::Node;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Kinds whose number of pods is `spec.replicas`, and can be zero.
const SCALED: [&str; 4] = ["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"];

/// A workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Workload {
    /// `Kind/namespace/name`.
    pub workload: String,
    /// Its kind.
    pub kind: String,
    /// Where: its namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The agent that it runs, where its environment says so in one way.
    pub agent_name: Option<String>,
    /// Where: the nodes its pods are on.
    pub nodes: BTreeSet<String>,
    /// Pods that it is meant to have; null where nobody says.
    pub replicas_wanted: Option<u64>,
    /// Pods that are ready.
    pub replicas_ready: u64,
    /// Pods there are, ready or not, without those that have ended.
    pub pods: u64,
    /// Restarts of all containers of these pods.
    pub restarts: u64,
    /// Its containers, in their order.
    pub containers: Vec<Container>,
    /// Why it can place orders, of the template and of every pod; empty where it cannot.
    pub orders: Vec<String>,
    /// Whether it may be as it is.
    pub allowed_to_run: bool,
    /// Why.
    pub why: String,
    /// What is wrong, in a fixed order.
    pub problems: Vec<Problem>,
}

/// A container of a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// What it is in its pod.
    pub position: &'static str,
    /// The image that is asked for.
    pub image: Option<String>,
    /// The digests that run.
    pub digests: BTreeSet<String>,
    /// What the kubelet asks, by the name of the probe.
    pub probes: BTreeMap<&'static str, String>,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// Of which sort.
    pub trouble: Trouble,
    /// Which thing, and what is wrong with it.
    pub what: String,
}

/// Sorts of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// A container ends and is started again and again.
    CrashLoop,
    /// An image is not to be had.
    ImagePull,
    /// Less is ready than is wanted, or a pod is not well.
    NotReady,
    /// What was saved does not tell enough.
    Unclear,
    /// Something to know that is no fault now.
    Told,
}

/// The workload of an object and those that it owns; none where it is nothing that runs.
pub(super) fn of<'a>(cluster: &Cluster<'a>, root: &Object<'a>, owned: &[Object<'a>]) -> Option<Workload> {
    let pods: Vec<Running> =
        std::iter::once(root).chain(owned).filter(|object| object.kind == "Pod").map(running).collect();
    let template = cluster.pods_of(root).into_iter().next()?;
    let live: Vec<&Running> = pods.iter().filter(|pod| !pod.is_over).collect();
    let count = |pods: usize| u64::try_from(pods).unwrap_or(u64::MAX);
    let there = count(live.len());
    let (wanted, ready) = match root.kind {
        kind if SCALED.contains(&kind) => {
            (wanted(root.node), number(root.node, &["status", "readyReplicas"]).unwrap_or(0))
        }
        "DaemonSet" => {
            let ready = number(root.node, &["status", "numberReady"]).unwrap_or(0);
            (number(root.node, &["status", "desiredNumberScheduled"]), ready)
        }
        "Pod" | "Job" | "CronJob" => (Some(there), count(live.iter().filter(|pod| pod.is_ready).count())),
        _ => (number(root.node, &["spec", "replicas"]), count(live.iter().filter(|pod| pod.is_ready).count())),
    };
    let orders = orders(cluster, root, owned);
    let is_at_zero = is_at_zero(root, owned, there);
    let (allowed_to_run, why) = match orders.first() {
        None => (true, "cannot place orders".to_owned()),
        Some(mark) if is_at_zero => (true, format!("is at zero; it can place orders: {mark}")),
        Some(mark) if SCALED.contains(&root.kind) => (false, format!("can place orders and is not at zero: {mark}")),
        Some(mark) => (false, format!("can place orders and cannot be held at zero as a {}: {mark}", root.kind)),
    };
    let mut problems: Vec<Problem> = live.iter().flat_map(|pod| pod.problems.iter().cloned()).collect();
    if !matches!(root.kind, "Job" | "CronJob") {
        problems.extend(pods.iter().filter(|pod| pod.is_over).flat_map(|pod| pod.problems.iter().cloned()));
    }
    problems.extend(missing(root, wanted, ready));
    problems.sort();
    problems.dedup();
    let template_name = text(root.node, &["metadata", "namespace"]).map(str::to_owned);
    Some(Workload {
        workload: root.label(),
        kind: root.kind.to_owned(),
        namespace: template_name,
        name: root.name.to_owned(),
        agent_name: agent_name(template),
        nodes: live.iter().filter_map(|pod| pod.node.clone()).collect(),
        replicas_wanted: wanted,
        replicas_ready: ready,
        pods: there,
        restarts: live.iter().map(|pod| pod.restarts).fold(0, u64::saturating_add),
        containers: template.containers.iter().map(|each| container(each, &live)).collect(),
        orders,
        allowed_to_run,
        why,
        problems,
    })
}

impl Workload {
    /// Whether it can place orders.
    pub const fn can_place_orders(&self) -> bool {
        !self.orders.is_empty()
    }

    /// Whether it has a problem of a sort.
    pub fn has(&self, trouble: Trouble) -> bool {
        self.problems.iter().any(|problem| problem.trouble == trouble)
    }
}

/// `spec.replicas`, which is 1 where it is absent; none where it is no number.
fn wanted(node: &Node) -> Option<u64> {
    match node.at(&["spec", "replicas"]) {
        None => Some(1),
        Some(_) => number(node, &["spec", "replicas"]),
    }
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

/// Every mark by which it, or a pod of it, can place orders: a pod may have been given what its template has not.
fn orders<'a>(cluster: &Cluster<'a>, root: &Object<'a>, owned: &[Object<'a>]) -> Vec<String> {
    let mut orders = Vec::new();
    for object in std::iter::once(root).chain(owned) {
        for mark in cluster.pods_of(object).into_iter().flat_map(|pod| &pod.orders) {
            if !orders.contains(&mark.why) {
                orders.push(mark.why.clone());
            }
        }
    }
    orders
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

/// The one agent that a pod's environment names.
fn agent_name(pod: &Pod<'_>) -> Option<String> {
    let names: BTreeSet<String> = pod
        .containers
        .iter()
        .filter_map(|container| container.environment.value("AGENT_NAME").only().map(str::to_owned))
        .collect();
    names.first().filter(|_| names.len() == 1).cloned()
}

fn container(container: &pod::Container<'_>, live: &[&Running]) -> Container {
    let name = text(container.node, &["name"]).unwrap_or("").to_owned();
    let digests = live.iter().filter_map(|pod| pod.digests.get(&name)).flatten().cloned().collect();
    let probe = |key: &str| container.node.get(key).map(asked);
    let probes = [("startup", "startupProbe"), ("liveness", "livenessProbe"), ("readiness", "readinessProbe")];
    Container {
        position: match container.position {
            Position::Main => "main",
            Position::Init => "init",
            Position::Ephemeral => "ephemeral",
            Position::Other => "other",
        },
        image: text(container.node, &["image"]).map(str::to_owned),
        digests,
        probes: probes.into_iter().filter_map(|(name, key)| Some((name, probe(key)?))).collect(),
        name,
    }
}

/// What a probe asks, in a word or two.
fn asked(probe: &Node) -> String {
    match text(probe, &["httpGet", "path"]) {
        Some(path) => format!("GET {path}"),
        None => ["exec", "grpc", "httpGet", "tcpSocket"]
            .into_iter()
            .find(|kind| probe.get(kind).is_some())
            .unwrap_or("nothing")
            .to_owned(),
    }
}
