//! Which workload a pod is of: by the controllers that own it, up to the one nobody owns.

use crate::cluster::{Cluster, text};
use agenttrader_policy::object::Object;
use agenttrader_policy::yaml::node::Node;

/// Owners of owners: a pod, its replica set, its deployment, and what a custom kind may add.
const DEPTH: usize = 8;

/// An object with those that it owns.
pub type Group<'a> = (Object<'a>, Vec<Object<'a>>);

/// Every object that no other of them owns and that has a pod, with all that it owns.
pub fn groups<'a>(cluster: &Cluster<'a>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for object in cluster.objects().iter().filter(|object| !cluster.pods_of(object).is_empty()) {
        let root = root(cluster, *object);
        let at = groups.iter().position(|(known, _)| std::ptr::eq(known.node, root.node));
        let is_root = std::ptr::eq(root.node, object.node);
        match (at.and_then(|at| groups.get_mut(at)), is_root) {
            (Some((_, owned)), false) => owned.push(*object),
            (Some(_), true) => {}
            (None, true) => groups.push((root, Vec::new())),
            (None, false) => groups.push((root, vec![*object])),
        }
    }
    groups.sort_by_key(|(root, _)| (root.kind, root.namespace, root.name));
    groups
}

fn root<'a>(cluster: &Cluster<'a>, object: Object<'a>) -> Object<'a> {
    let mut root = object;
    for _ in 0..DEPTH {
        match owner(cluster, &root) {
            Some(owner) => root = owner,
            None => break,
        }
    }
    root
}

/// Kind and name of the controller that owns an object.
pub fn controller<'a>(object: &Object<'a>) -> Option<(&'a str, &'a str)> {
    let owners = object.at(&["metadata", "ownerReferences"]).map(Node::items).unwrap_or_default();
    let owner = owners.iter().find(|owner| text(owner, &["controller"]) == Some("true"))?;
    Some((text(owner, &["kind"])?, text(owner, &["name"])?))
}

fn owner<'a>(cluster: &Cluster<'a>, object: &Object<'a>) -> Option<Object<'a>> {
    let (kind, name) = controller(object)?;
    let found = cluster.object(kind, object.namespace, name);
    // Where replica sets were not saved, their name tells the deployment: it ends with the hash that the pod bears.
    let deployment = || {
        let hash = object.at(&["metadata", "labels", "pod-template-hash"]).and_then(Node::text)?;
        let name = name.strip_suffix(hash)?.strip_suffix('-').filter(|_| kind == "ReplicaSet")?;
        cluster.object("Deployment", object.namespace, name)
    };
    found.or_else(deployment).copied()
}
