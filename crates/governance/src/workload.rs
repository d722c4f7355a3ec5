//! A workload: what its manifest asks for, what runs of it where a cluster was asked, and whether it may. Reports, the snapshot of the
//! safety controls and what was last known to be good read workloads here alone.

pub mod manifests;

use agenttrader_policy::object::Object;
use agenttrader_policy::pod::{self, Pod, Position};
use agenttrader_policy::yaml::node::Node;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Kinds whose number of pods is `spec.replicas`, and can be zero.
pub const SCALED: [&str; 4] = ["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"];

/// A workload. What only a cluster knows is null where none was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Workload {
    /// `Kind/namespace/name`.
    pub workload: String,
    /// Its manifest, where it was read from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its kind.
    pub kind: String,
    /// Where: its namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The agent that it runs, where its environment says so in one way.
    pub agent_name: Option<String>,
    /// Where: the nodes its pods are on.
    pub nodes: Option<BTreeSet<String>>,
    /// Pods that it is meant to have; null where nobody says.
    pub replicas_wanted: Option<u64>,
    /// Pods that are ready.
    pub replicas_ready: Option<u64>,
    /// Pods there are, ready or not, without those that have ended.
    pub pods: Option<u64>,
    /// Restarts of all containers of these pods.
    pub restarts: Option<u64>,
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
    /// The digests that run; null where no cluster was asked.
    pub digests: Option<BTreeSet<String>>,
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

impl Trouble {
    /// Every sort.
    pub const ALL: [Self; 5] = [Self::CrashLoop, Self::ImagePull, Self::NotReady, Self::Unclear, Self::Told];
}

impl Workload {
    /// What an object asks for by its pods' specifications; none where it has none. Whether it may is not decided yet.
    pub(crate) fn asked(object: &Object<'_>, pods: &[&Pod<'_>]) -> Option<Self> {
        Some(Self {
            workload: object.label(),
            path: None,
            kind: object.kind.to_owned(),
            namespace: object.namespace.map(str::to_owned),
            name: object.name.to_owned(),
            agent_name: agent_name(pods.first()?),
            nodes: None,
            replicas_wanted: replicas(object),
            replicas_ready: None,
            pods: None,
            restarts: None,
            containers: pods.iter().flat_map(|pod| &pod.containers).map(container).collect(),
            orders: marks(pods.iter().copied()),
            allowed_to_run: false,
            why: String::new(),
            problems: Vec::new(),
        })
    }

    /// Whether it may be as it is: what can place orders may where it rests. `rests` says how it does, or why it does not.
    pub(crate) fn judged(mut self, rests: Result<&str, &str>) -> Self {
        (self.allowed_to_run, self.why) = match (self.orders.first(), rests) {
            (None, _) => (true, "cannot place orders".to_owned()),
            (Some(mark), Ok(how)) => (true, format!("{how}; it can place orders: {mark}")),
            (Some(mark), Err(why)) => (false, format!("can place orders and {why}: {mark}")),
        };
        self
    }

    /// Whether it can place orders.
    pub const fn can_place_orders(&self) -> bool {
        !self.orders.is_empty()
    }

    /// Whether it has a problem of a sort.
    pub fn has(&self, trouble: Trouble) -> bool {
        self.problems.iter().any(|problem| problem.trouble == trouble)
    }
}

/// Every mark by which pods can place orders, each once.
pub(crate) fn marks<'p, 'a: 'p>(pods: impl Iterator<Item = &'p Pod<'a>>) -> Vec<String> {
    let mut marks: Vec<String> = Vec::new();
    for mark in pods.flat_map(|pod| &pod.orders) {
        if !marks.contains(&mark.why) {
            marks.push(mark.why.clone());
        }
    }
    marks
}

/// `spec.replicas`, which is 1 where a kind that has it leaves it out; none where it is no number. A patch that leaves it out says nothing.
fn replicas(object: &Object<'_>) -> Option<u64> {
    match object.at(&["spec", "replicas"]) {
        None => (SCALED.contains(&object.kind) && !object.patch).then_some(1),
        Some(replicas) => replicas.text()?.parse().ok(),
    }
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

fn container(container: &pod::Container<'_>) -> Container {
    let text = |key: &str| container.node.get(key).and_then(Node::text).map(str::to_owned);
    let probe = |key: &str| container.node.get(key).map(asked);
    let probes = [("startup", "startupProbe"), ("liveness", "livenessProbe"), ("readiness", "readinessProbe")];
    Container {
        name: text("name").unwrap_or_default(),
        position: match container.position {
            Position::Main => "main",
            Position::Init => "init",
            Position::Ephemeral => "ephemeral",
            Position::Other => "other",
        },
        image: text("image"),
        digests: None,
        probes: probes.into_iter().filter_map(|(name, key)| Some((name, probe(key)?))).collect(),
    }
}

/// What a probe asks, in a word or two.
fn asked(probe: &Node) -> String {
    match probe.at(&["httpGet", "path"]).and_then(Node::text) {
        Some(path) => format!("GET {path}"),
        None => ["exec", "grpc", "httpGet", "tcpSocket"]
            .into_iter()
            .find(|kind| probe.get(kind).is_some())
            .unwrap_or("nothing")
            .to_owned(),
    }
}
