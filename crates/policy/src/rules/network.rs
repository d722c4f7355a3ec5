//! The lock contract, rule `network`: in each namespace with a workload nothing is let in or out but what is named.
//!
//! For each direction a policy of the namespace selects every pod (`podSelector: {}`), so that what no policy allows is
//! refused. No policy undoes that: a rule without peers, or with peers that are everybody, is refused where it has no ports
//! either; with ports it is a warning, but for questions to a name server. Policies of other makers
//! (Cilium, Calico, `AdminNetworkPolicy`) are not read: they count for nothing, with a warning. Cloud Run has its own network.
//! What no pod comes from by itself, as a builder's list of images, needs no policy.

mod runs;

use self::runs::is_run;
use super::workload::is_cloud_run;
use crate::finding::{Finding, Rule, Verdict};
use crate::object::Object;
use crate::pod::Pod;
use crate::world::{Scope, World};
use crate::yaml::node::{Node, Value};
use std::collections::BTreeMap;

/// Networks shorter than this are everybody: two halves of everything are everything.
const PREFIX_LEAST: u8 = 8;

/// One way that packets go.
#[derive(Clone, Copy)]
enum Way {
    In,
    Out,
}

impl Way {
    const BOTH: [Self; 2] = [Self::In, Self::Out];

    const fn kind(self) -> &'static str {
        match self {
            Self::In => "Ingress",
            Self::Out => "Egress",
        }
    }

    const fn rules(self) -> &'static str {
        match self {
            Self::In => "ingress",
            Self::Out => "egress",
        }
    }

    const fn peers(self) -> &'static str {
        match self {
            Self::In => "from",
            Self::Out => "to",
        }
    }
}

/// Namespaces that are open, and policies that open them.
pub fn judge(world: &World<'_>) -> Vec<Finding> {
    let mut namespaces: BTreeMap<Option<&str>, &Pod<'_>> = BTreeMap::new();
    let pods = world.scopes.iter().flat_map(|scope| &scope.pods);
    for pod in pods.filter(|pod| !pod.object.patch && is_run(world, pod) && !is_outside(pod) && !is_placed(world, pod))
    {
        namespaces.entry(pod.object.namespace).or_insert(pod);
    }
    let policies: Vec<&Object<'_>> = world.objects().filter(|object| is_policy(object)).collect();
    let mut findings = Vec::new();
    if namespaces.is_empty() {
        let none = Finding::fail(Rule::Network, "", "no workload in the tree", "");
        findings.push(Finding { verdict: Verdict::NotApplicable, ..none });
    }
    for (namespace, pod) in namespaces {
        for way in Way::BOTH {
            if !policies.iter().any(|policy| denies(policy, namespace, way)) {
                findings.push(open(pod, namespace, way));
            }
        }
    }
    findings.extend(world.scopes.iter().flat_map(|scope| taken_away(world, scope)));
    for policy in &policies {
        for way in Way::BOTH {
            let rules = policy.at(&["spec", way.rules()]).map(Node::items).unwrap_or_default();
            for (index, rule) in rules.iter().enumerate() {
                findings.extend(allowance(policy, way, index, rule));
            }
        }
    }
    let others = world
        .objects()
        .filter(|object| object.kind.ends_with("NetworkPolicy") && !object.is_of_group("networking.k8s.io"));
    findings.extend(others.map(|object| {
        let what =
            format!("a `{}` is not read: whether it opens or closes something is for a person to see", object.kind);
        let finding = object.fail(
            Rule::Network,
            object.node,
            "kind",
            what,
            "say it with a NetworkPolicy of networking.k8s.io/v1",
        );
        Finding { verdict: Verdict::Warn, ..finding }
    }));
    findings
}

/// Whether a policy refuses by default what goes in or out of a namespace.
fn denies(policy: &Object<'_>, namespace: Option<&str>, way: Way) -> bool {
    is_policy(policy) && !policy.patch && is_in(policy, namespace) && selects_all(policy, way)
}

fn is_policy(object: &Object<'_>) -> bool {
    object.kind == "NetworkPolicy" && object.is_of_group("networking.k8s.io")
}

/// Defaults that a kustomization takes in with its files and does not put out for its workloads: it deletes, moves or narrows them.
/// One that takes none in may be applied beside those that do.
fn taken_away(world: &World<'_>, scope: &Scope<'_>) -> Vec<Finding> {
    let pods = scope.pods.iter().filter(|pod| is_run(world, pod) && !is_outside(pod));
    let namespaces: BTreeMap<Option<&str>, &Pod<'_>> = pods.map(|pod| (pod.object.namespace, pod)).collect();
    let mut findings = Vec::new();
    for (namespace, pod) in namespaces {
        for way in Way::BOTH {
            let taken = |policy: &Object<'_>| {
                scope.took(policy)
                    && (denies(policy, namespace, way) || policy.namespace.is_none() && denies(policy, None, way))
            };
            let kept = scope.objects.iter().any(|policy| denies(policy, namespace, way));
            if !kept && world.raw().iter().any(taken) {
                findings.push(open(pod, namespace, way));
            }
        }
    }
    findings
}

/// What no cluster's network holds.
fn is_outside(pod: &Pod<'_>) -> bool {
    let is_google = |metadata: &Node| {
        let keys = ["annotations", "labels"].into_iter().filter_map(|map| metadata.get(map)).flat_map(Node::entries);
        keys.into_iter().any(|(key, _)| key.text().is_some_and(|key| key.contains("googleapis.com/")))
    };
    is_cloud_run(pod)
        && (pod.object.namespace.is_none()
            || pod.object.path.starts_with("infra/cloudrun/")
            || [pod.object.node.get("metadata"), pod.metadata].into_iter().flatten().any(is_google))
}

/// Whether a document without a namespace gets one by a kustomization: there it is judged.
fn is_placed(world: &World<'_>, pod: &Pod<'_>) -> bool {
    let own = &pod.object;
    own.root.is_none()
        && own.namespace.is_none()
        && world.objects().any(|object| {
            object.root.is_some()
                && object.kind == own.kind
                && object.name.ends_with(own.name)
                && object.namespace.is_some()
        })
}

/// Whether a policy is of a namespace. Who names none is of whatever it is applied to.
fn is_in(policy: &Object<'_>, namespace: Option<&str>) -> bool {
    match (policy.namespace, namespace) {
        (Some(own), Some(namespace)) => own == namespace,
        (None, None) => true,
        (Some(own), None) => own == "default",
        (None, Some(_)) => policy.root.is_none(),
    }
}

/// Whether a policy selects every pod for a direction: what it does not allow is refused.
fn selects_all(policy: &Object<'_>, way: Way) -> bool {
    let Some(selector) = policy.at(&["spec", "podSelector"]) else { return false };
    let is_mapping =
        matches!(selector.value, Value::Mapping(_)) || selector.scalar().is_some_and(|scalar| scalar.is_null());
    let empty = |key: &str| selector.get(key).is_none_or(|part| part.entries().is_empty() && part.items().is_empty());
    let types = policy.at(&["spec", "policyTypes"]).map(Node::items).unwrap_or_default();
    let of_way = if types.is_empty() {
        // What a cluster assumes.
        matches!(way, Way::In) || policy.at(&["spec", way.rules()]).is_some_and(|rules| !rules.items().is_empty())
    } else {
        types.iter().any(|kind| kind.text() == Some(way.kind()))
    };
    is_mapping && empty("matchLabels") && empty("matchExpressions") && of_way
}

fn open(pod: &Pod<'_>, namespace: Option<&str>, way: Way) -> Finding {
    let named =
        namespace.map_or_else(|| "the namespace it is applied to".to_owned(), |name| format!("namespace `{name}`"));
    let what = format!("{named} has a workload and no policy that refuses all {} by default", way.rules());
    let remedy = format!("add a NetworkPolicy with `podSelector: {{}}` and `policyTypes: [{}]` to it", way.kind());
    pod.object.fail(Rule::Network, pod.object.node, "metadata.namespace", what, remedy)
}

/// A rule that lets everybody through.
fn allowance(policy: &Object<'_>, way: Way, index: usize, rule: &Node) -> Option<Finding> {
    let field = format!("spec.{}[{index}]", way.rules());
    let peers = rule.get(way.peers()).map(Node::items).unwrap_or_default();
    let anybody = peers.is_empty() || peers.iter().any(is_anybody);
    if !anybody {
        return None;
    }
    let ports = rule.get("ports").map(Node::items).unwrap_or_default();
    let remedy = "name the peers by labels, and the ports";
    if ports.is_empty() || ports.iter().any(is_any_port) {
        let what = format!("all {} is allowed: it undoes the default", way.rules());
        return Some(policy.fail(Rule::Network, rule, &field, what, remedy));
    }
    let asks_names =
        matches!(way, Way::Out) && ports.iter().all(|port| port.get("port").and_then(Node::text) == Some("53"));
    if asks_names {
        return None;
    }
    let what = format!("{} on these ports is allowed for everybody", way.rules());
    Some(Finding { verdict: Verdict::Warn, ..policy.fail(Rule::Network, rule, &field, what, remedy) })
}

/// Whether a peer is everybody: every namespace, or a network of (half of) everything.
fn is_anybody(peer: &Node) -> bool {
    let empty = |selector: &Node| {
        ["matchLabels", "matchExpressions"]
            .iter()
            .all(|key| selector.get(key).is_none_or(|part| part.entries().is_empty() && part.items().is_empty()))
    };
    if let Some(network) = peer.at(&["ipBlock", "cidr"]).and_then(Node::text) {
        let prefix = network.rsplit_once('/').and_then(|(_, prefix)| prefix.parse::<u8>().ok());
        return prefix.is_none_or(|prefix| prefix < PREFIX_LEAST);
    }
    let every_pod = peer.get("podSelector").is_none_or(empty);
    let every_namespace = peer.get("namespaceSelector").is_some_and(empty);
    every_namespace && every_pod || peer.entries().is_empty()
}

/// Whether a port is every port.
fn is_any_port(port: &Node) -> bool {
    let number = |key: &str| port.get(key).and_then(Node::text).and_then(|text| text.parse::<u32>().ok());
    let wide = number("endPort").zip(number("port")).is_some_and(|(last, first)| last.saturating_sub(first) >= 1024);
    port.get("port").and_then(Node::text).is_none() || wide
}
