//! A cluster as `kubectl get … -o json` shows it: its workloads, what runs of them, and the kill switch.
//!
//! Objects, pods and what can place orders are read by [`agenttrader_policy`]; this adds what only a running cluster knows, its
//! statuses. Texts in them are somebody else's: those who print them clean them.

pub mod kubectl;
mod owner;
pub mod saved;
mod status;
pub mod switch;
mod workload;

use crate::workload::Workload;
use agenttrader_policy::finding::{Finding, Rule, Verdict};
use agenttrader_policy::object::Object;
use agenttrader_policy::pod::Pod;
use agenttrader_policy::world::World;
use agenttrader_policy::yaml::node::Node;
use saved::Parsed;
use std::collections::BTreeSet;
use switch::Switch;

/// A cluster at the moment it was asked.
#[derive(Debug)]
pub struct Cluster<'a> {
    parsed: &'a Parsed<'a>,
    world: World<'a>,
    top: Vec<Object<'a>>,
}

/// An object was saved twice: which of the two is the cluster?
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{object} was saved twice: save each kind once, in one moment")]
pub struct SavedTwice {
    /// The object.
    pub object: String,
}

impl<'a> Cluster<'a> {
    /// The cluster of what was read.
    ///
    /// # Errors
    /// [`SavedTwice`].
    pub fn of(parsed: &'a Parsed<'a>) -> Result<Self, SavedTwice> {
        let world = World::new(parsed.tree(), parsed.sources());
        let mut nodes = Vec::new();
        parsed.sources().files.iter().flat_map(|file| &file.documents).for_each(|node| whole(node, &mut nodes));
        let is_top = |object: &&Object<'a>| nodes.iter().any(|node| std::ptr::eq(*node, object.node));
        let mut top: Vec<Object<'a>> = world.raw().iter().filter(is_top).copied().collect();
        top.sort_by_key(|object| (object.kind, object.namespace, object.name));
        let mut seen = BTreeSet::new();
        match top.iter().map(Object::label).find(|label| !seen.insert(label.clone())) {
            Some(object) => Err(SavedTwice { object }),
            None => Ok(Self { parsed, world, top }),
        }
    }

    /// Its objects, none that only stands inside another, by kind, namespace and name.
    pub fn objects(&self) -> &[Object<'a>] {
        &self.top
    }

    /// The object of a label.
    pub fn object(&self, kind: &str, namespace: Option<&str>, name: &str) -> Option<&Object<'a>> {
        self.top.iter().find(|object| object.kind == kind && object.namespace == namespace && object.name == name)
    }

    /// The pod specifications of an object.
    pub fn pods_of(&self, object: &Object<'a>) -> Vec<&Pod<'a>> {
        let own = |pod: &&Pod<'a>| std::ptr::eq(pod.object.node, object.node);
        self.world
            .scopes
            .iter()
            .filter(|scope| scope.root.is_none())
            .flat_map(|scope| &scope.pods)
            .filter(own)
            .collect()
    }

    /// What runs, or would, by kind, namespace and name.
    pub fn workloads(&self) -> Vec<Workload> {
        let groups = owner::groups(self);
        groups.into_iter().filter_map(|(root, owned)| workload::of(self, &root, &owned)).collect()
    }

    /// The kill switch.
    pub fn switch(&self) -> Switch {
        Switch::of(&self.top)
    }

    /// What would start execution, beside the workloads that are not allowed to be as they are: failures of rule `exec-scale`.
    pub(crate) fn would_start(&self, workloads: &[Workload]) -> Vec<Finding> {
        let is_told = |object: &str| workloads.iter().any(|it| !it.allowed_to_run && it.workload == object);
        let mut findings = self.failures(&[Rule::ExecScale]);
        findings.retain(|finding| !finding.object.as_deref().is_some_and(is_told));
        findings
    }

    /// What rules of the manifest policy say of these objects that is a failure.
    pub fn failures(&self, rules: &[Rule]) -> Vec<Finding> {
        let mut findings = agenttrader_policy::judge(self.parsed.tree(), Some(rules));
        findings.retain(|finding| finding.verdict == Verdict::Fail && rules.contains(&finding.rule));
        // In which file an object was saved says nothing about the cluster.
        findings.sort_by(|one, two| {
            let key = |it: &Finding| (it.rule, it.object.clone(), it.field.clone(), it.message.clone());
            key(one).cmp(&key(two))
        });
        findings
    }
}

/// The objects of a document: itself, or the items of a list in any depth.
fn whole<'a>(node: &'a Node, found: &mut Vec<&'a Node>) {
    let is_list = node.get("kind").and_then(Node::text).is_some_and(|kind| kind.ends_with("List"));
    match node.get("items").filter(|_| is_list) {
        Some(items) => items.items().iter().for_each(|item| whole(item, found)),
        None => found.push(node),
    }
}

/// A number in a status; none where there is none that can be read.
fn number(node: &Node, path: &[&str]) -> Option<u64> {
    node.at(path).and_then(Node::text)?.parse().ok()
}

/// A text in a status.
fn text<'a>(node: &'a Node, path: &[&str]) -> Option<&'a str> {
    node.at(path).and_then(Node::text)
}
