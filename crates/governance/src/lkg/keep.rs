//! Which objects are kept, in which order, and what of them is the server's and goes.

use crate::cluster::Cluster;
use crate::lkg::image_pin::pinned;
use crate::lkg::yaml::value;
use crate::lkg::{Component, Image, LeftOut};
use crate::workload::{Trouble, Workload};
use agenttrader_policy::object::Object;
use agenttrader_policy::switch::{KEY, NAMESPACE, is_switch};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Kinds in the order in which they are brought back: the switch stands before whatever reads it.
const KINDS: [&str; 15] = [
    "Namespace",
    "ServiceAccount",
    "PriorityClass",
    "ConfigMap",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "Service",
    "Role",
    "RoleBinding",
    "PodDisruptionBudget",
    "DaemonSet",
    "Deployment",
    "ReplicationController",
    "StatefulSet",
    "CronJob",
];

/// The kinds among them that run something.
const WORKLOADS: [&str; 5] = ["DaemonSet", "Deployment", "ReplicationController", "StatefulSet", "CronJob"];

/// Kinds whose number of pods can be zero.
const SCALED: [&str; 3] = ["Deployment", "ReplicationController", "StatefulSet"];

/// What the server keeps in `metadata`.
const SERVERS: [&str; 10] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Annotations that controllers and kubectl write.
const ANNOTATIONS: [&str; 6] = [
    "deployment.kubernetes.io/",
    "deprecated.daemonset.template.generation",
    "kubectl.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.beta.kubernetes.io/",
    "volume.kubernetes.io/",
];

/// Whether what people must not find started is forced to rest, or kept as it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// The switch at halted, what can place orders at zero.
    Forced,
    /// As it was seen, to compare with.
    Seen,
}

/// Objects to keep.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) objects: Vec<Value>,
    pub(super) components: Vec<Component>,
    pub(super) left_out: Vec<LeftOut>,
    /// Why this is no state to come back to.
    pub(super) refusals: Vec<String>,
}

/// What is kept of a cluster.
pub(super) fn keep(cluster: &Cluster<'_>, workloads: &[Workload], rest: Rest) -> Kept {
    let mut kept = Kept::default();
    let mut objects: Vec<&Object<'_>> = cluster.objects().iter().filter(|object| is_ours(object)).collect();
    objects.sort_by_key(|it| {
        let rank = KINDS.iter().position(|kind| *kind == it.kind).unwrap_or(KINDS.len());
        (rank, !is_switch(it), it.name)
    });
    let used = used_by(cluster, &objects);
    for object in objects {
        let is_used = match object.kind {
            "ConfigMap" => is_switch(object) || used.contains(&("ConfigMap", object.name.to_owned())),
            "PriorityClass" => used.contains(&("PriorityClass", object.name.to_owned())),
            kind => KINDS.contains(&kind),
        };
        let is_owned = object.at(&["metadata", "ownerReferences"]).is_some();
        let is_leaving = object.at(&["metadata", "deletionTimestamp"]).is_some();
        match (is_used, is_owned, is_leaving) {
            (_, _, true) => leave(&mut kept, object, "it is being deleted"),
            (false, false, _) if matches!(object.kind, "Job" | "Pod") => {
                leave(&mut kept, object, "it runs once, and nothing brings it back");
            }
            (true, false, false) => {
                let workload = workloads.iter().find(|it| it.workload == object.label());
                add(&mut kept, object, workload, rest);
            }
            _ => {}
        }
    }
    kept
}

/// Whether an object is the floor's.
fn is_ours(object: &Object<'_>) -> bool {
    match object.kind {
        "Namespace" => object.name == NAMESPACE,
        "PriorityClass" => true,
        _ => object.namespace == Some(NAMESPACE),
    }
}

/// What the workloads among these objects need of others, by kind and name.
fn used_by(cluster: &Cluster<'_>, objects: &[&Object<'_>]) -> BTreeSet<(&'static str, String)> {
    let mut used = BTreeSet::new();
    for pod in objects.iter().filter(|it| WORKLOADS.contains(&it.kind)).flat_map(|it| cluster.pods_of(it)) {
        names(&value(pod.spec), &mut used);
    }
    used
}

fn names(value: &Value, used: &mut BTreeSet<(&'static str, String)>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let name = match key.as_str() {
                    "configMap" | "configMapRef" | "configMapKeyRef" => {
                        inner.get("name").map(|name| ("ConfigMap", name))
                    }
                    "priorityClassName" => Some(("PriorityClass", inner)),
                    _ => None,
                };
                used.extend(name.and_then(|(kind, name)| Some((kind, name.as_str()?.to_owned()))));
                names(inner, used);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, used)),
        _ => {}
    }
}

fn leave(kept: &mut Kept, object: &Object<'_>, why: &str) {
    kept.left_out.push(LeftOut { object: object.label(), why: why.to_owned() });
}

fn add(kept: &mut Kept, object: &Object<'_>, workload: Option<&Workload>, rest: Rest) {
    let mut value = value(object.node);
    strip(&mut value, object.kind);
    if is_switch(object) && rest == Rest::Forced {
        // Every other key of it would be another switch by another name.
        put(&mut value, &["data"], json!({KEY: "1"}));
        remove(&mut value, &["binaryData"]);
    }
    let Some(workload) = workload.filter(|_| WORKLOADS.contains(&object.kind)) else {
        if WORKLOADS.contains(&object.kind) {
            kept.refusals.push(format!("{}: nothing is known of its pods", object.label()));
        }
        kept.objects.push(value);
        return;
    };
    let orders = workload.can_place_orders();
    if orders && rest == Rest::Forced {
        if !SCALED.contains(&object.kind) {
            leave(kept, object, "it can place orders, and its kind cannot be held at zero");
            return;
        }
        put(&mut value, &["spec", "replicas"], json!(0));
    }
    let is_kept_running =
        workload.replicas_wanted.is_some_and(|wanted| wanted > 0) && !(orders && rest == Rest::Forced);
    let images = images(&mut value, object, workload, is_kept_running, &mut kept.refusals);
    let replicas = value.pointer("/spec/replicas").and_then(Value::as_u64);
    kept.components.push(Component { workload: workload.workload.clone(), replicas, can_place_orders: orders, images });
    // What can place orders is kept at zero: how well it ran is nothing to come back to.
    if !orders {
        kept.refusals.extend(
            workload
                .problems
                .iter()
                .filter(|it| it.trouble != Trouble::Told)
                .map(|problem| format!("{}: {}", workload.workload, problem.what)),
        );
    }
    kept.objects.push(value);
}

/// Pins every container to the one digest that runs. Where nothing of it runs and nothing should, the reference stays, and is marked.
fn images(
    value: &mut Value,
    object: &Object<'_>,
    workload: &Workload,
    is_kept_running: bool,
    refusals: &mut Vec<String>,
) -> Vec<Image> {
    let spec = if object.kind == "CronJob" { "/spec/jobTemplate/spec/template/spec" } else { "/spec/template/spec" };
    let Some(spec) = value.pointer_mut(spec) else { return Vec::new() };
    let mut images = Vec::new();
    for list in ["initContainers", "containers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let text = |key: &str| container.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
            let (name, image) = (text("name"), text("image"));
            let digests = workload.containers.iter().find(|it| it.name == name).and_then(|it| it.digests.as_ref());
            let only = digests.filter(|digests| digests.len() == 1).and_then(BTreeSet::first);
            let seen = digests.map_or(0, BTreeSet::len);
            let reference = only.map(|digest| pinned(&image, digest));
            if reference.is_none() && (workload.pods != Some(0) || is_kept_running) {
                refusals.push(format!("{}, container {name}: {seen} digests are seen running", workload.workload));
            }
            if let Some(reference) = &reference {
                put(container, &["image"], json!(reference));
            }
            images.push(Image { container: name, is_pinned: reference.is_some(), image: reference.unwrap_or(image) });
        }
    }
    images
}

/// Takes away what the server and its controllers keep.
fn strip(value: &mut Value, kind: &str) {
    metadata(value);
    remove(value, &["status"]);
    match kind {
        "Namespace" => {
            remove(value, &["spec"]);
            remove(value, &["metadata", "labels", "kubernetes.io/metadata.name"]);
        }
        "ServiceAccount" => remove(value, &["secrets"]),
        "Service" => service(value),
        "PersistentVolumeClaim" => remove(value, &["spec", "volumeName"]),
        _ => {}
    }
    for template in ["/spec/template", "/spec/jobTemplate", "/spec/jobTemplate/spec/template"] {
        if let Some(template) = value.pointer_mut(template) {
            metadata(template);
            // The older name of the same field.
            remove(template, &["spec", "serviceAccount"]);
        }
    }
    for claim in value.pointer_mut("/spec/volumeClaimTemplates").and_then(Value::as_array_mut).into_iter().flatten() {
        metadata(claim);
        remove(claim, &["status"]);
    }
    nothings(value);
}

fn metadata(value: &mut Value) {
    SERVERS.iter().for_each(|key| remove(value, &["metadata", key]));
    if let Some(annotations) = value.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.retain(|key, _| !ANNOTATIONS.iter().any(|prefix| key.starts_with(prefix)));
        if annotations.is_empty() {
            remove(value, &["metadata", "annotations"]);
        }
    }
}

/// Addresses and ports that the cluster gave out; that a service has no address is its own wish.
fn service(value: &mut Value) {
    if value.pointer("/spec/clusterIP").and_then(Value::as_str) != Some("None") {
        remove(value, &["spec", "clusterIP"]);
    }
    remove(value, &["spec", "clusterIPs"]);
    for key in ["healthCheckNodePort", "ipFamilies", "ipFamilyPolicy"] {
        remove(value, &["spec", key]);
    }
    for port in value.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten() {
        remove(port, &["nodePort"]);
    }
}

/// Takes away keys without a value.
fn nothings(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(nothings);
        }
        Value::Array(items) => items.iter_mut().for_each(nothings),
        _ => {}
    }
}

fn remove(value: &mut Value, path: &[&str]) {
    let Some((last, parents)) = path.split_last() else { return };
    let parent = parents.iter().try_fold(value, |value, key| value.get_mut(*key));
    if let Some(map) = parent.and_then(Value::as_object_mut) {
        map.remove(*last);
    }
}

fn put(value: &mut Value, path: &[&str], new: Value) {
    let Some((last, parents)) = path.split_last() else { return };
    let mut at = value;
    for key in parents {
        let Some(map) = at.as_object_mut() else { return };
        at = map.entry(*key).or_insert_with(|| Value::Object(Map::new()));
    }
    if let Some(map) = at.as_object_mut() {
        map.insert((*last).to_owned(), new);
    }
}
