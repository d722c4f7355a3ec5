//! References to objects whose names changed.

use std::collections::{BTreeMap, BTreeSet};

use crate::yaml::node::{Node, Value};

use super::build::{At, Build, Resources};
use super::edit::{self, Place};
use super::resource::{Id, Resource};

/// Where workloads keep the pod's specification, for references to ConfigMaps and Secrets.
fn pod_spec(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "Pod" => &["spec"],
        "PodTemplate" => &["template", "spec"],
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" | "Job" | "ReplicationController" => {
            &["spec", "template", "spec"]
        }
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => return None,
    })
}

type Paths = &'static [&'static [&'static str]];

const CONFIG_MAPS: Paths = &[
    &["volumes", "configMap", "name"],
    &["containers", "env", "valueFrom", "configMapKeyRef", "name"],
    &["initContainers", "env", "valueFrom", "configMapKeyRef", "name"],
    &["containers", "envFrom", "configMapRef", "name"],
    &["initContainers", "envFrom", "configMapRef", "name"],
    &["volumes", "projected", "sources", "configMap", "name"],
];

const SECRETS: Paths = &[
    &["volumes", "secret", "secretName"],
    &["containers", "env", "valueFrom", "secretKeyRef", "name"],
    &["initContainers", "env", "valueFrom", "secretKeyRef", "name"],
    &["containers", "envFrom", "secretRef", "name"],
    &["initContainers", "envFrom", "secretRef", "name"],
    &["imagePullSecrets", "name"],
    &["volumes", "projected", "sources", "secret", "name"],
];

/// What a field names: a kind, and its group where that tells kinds apart.
#[derive(Clone, Copy)]
struct Target {
    group: Option<&'static str>,
    kind: &'static str,
}

const fn core(kind: &'static str) -> Target {
    Target { group: None, kind }
}

const fn grouped(group: &'static str, kind: &'static str) -> Target {
    Target { group: Some(group), kind }
}

/// The fields of an object that name others.
fn fields(id: &Id) -> Vec<(Target, Vec<&'static str>)> {
    let mut fields = in_pod(id);
    let mut add = |target: Target, path: &[&'static str]| fields.push((target, path.to_vec()));
    match (id.group.as_str(), id.kind.as_str()) {
        (_, "HorizontalPodAutoscaler") => {
            for kind in ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"] {
                add(core(kind), &["spec", "scaleTargetRef", "name"]);
            }
        }
        (_, "Role" | "ClusterRole") => {
            add(core("ConfigMap"), &["rules", "resourceNames"]);
            add(core("Secret"), &["rules", "resourceNames"]);
            if id.kind == "ClusterRole" {
                add(core("PersistentVolume"), &["rules", "resourceNames"]);
            }
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            if id.kind == "RoleBinding" {
                add(grouped("rbac.authorization.k8s.io", "Role"), &["roleRef", "name"]);
            }
            add(grouped("rbac.authorization.k8s.io", "ClusterRole"), &["roleRef", "name"]);
            add(core("ServiceAccount"), &["subjects"]);
        }
        (_, "ServiceAccount") => add(core("Secret"), &["imagePullSecrets", "name"]),
        (_, "Ingress") => {
            for annotation in [
                "ingress.kubernetes.io/auth-secret",
                "nginx.ingress.kubernetes.io/auth-secret",
                "nginx.ingress.kubernetes.io/auth-tls-secret",
            ] {
                add(core("Secret"), &["metadata", "annotations", annotation]);
            }
            let config_map = "nginx.ingress.kubernetes.io/fastcgi-params-configmap";
            add(core("ConfigMap"), &["metadata", "annotations", config_map]);
            add(core("Secret"), &["spec", "tls", "secretName"]);
            add(core("Service"), &["spec", "rules", "http", "paths", "backend", "serviceName"]);
            add(core("Service"), &["spec", "backend", "serviceName"]);
            add(core("Service"), &["spec", "rules", "http", "paths", "backend", "service", "name"]);
            add(core("Service"), &["spec", "defaultBackend", "service", "name"]);
            add(grouped("networking.k8s.io", "IngressClass"), &["spec", "ingressClassName"]);
        }
        ("serving.knative.dev", "Service") if id.version == "v1" => {
            let path = ["spec", "template", "spec", "containers", "env", "valueFrom", "secretKeyRef", "name"];
            add(core("Secret"), &path);
        }
        ("apiregistration.k8s.io", "APIService") => add(core("Service"), &["spec", "service", "name"]),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") => {
            add(core("Service"), &["webhooks", "clientConfig", "service"]);
        }
        (_, "PersistentVolumeClaim") => {
            add(core("PersistentVolume"), &["spec", "volumeName"]);
            add(grouped("storage.k8s.io", "StorageClass"), &["spec", "storageClassName"]);
        }
        (_, "PersistentVolume") => {
            add(core("Secret"), &["spec", "azureFile", "secretName"]);
            add(grouped("storage.k8s.io", "StorageClass"), &["spec", "storageClassName"]);
        }
        (_, "StorageClass") => {
            for name in ["secretName", "adminSecretName", "userSecretName", "secretRef"] {
                add(core("Secret"), &["parameters", name]);
            }
        }
        (_, "Node") => add(core("ConfigMap"), &["spec", "configSource", "configMap"]),
        ("apps", "StatefulSet") => {
            add(core("Service"), &["spec", "serviceName"]);
            let class = ["spec", "volumeClaimTemplates", "spec", "storageClassName"];
            add(grouped("storage.k8s.io", "StorageClass"), &class);
        }
        _ => {}
    }
    fields
}

/// The fields of pods and of templates of pods. Which kinds of workloads have which is kustomize's choice, not a system.
fn in_pod(id: &Id) -> Vec<(Target, Vec<&'static str>)> {
    let Some(pod) = pod_spec(&id.kind) else { return Vec::new() };
    let mut fields = Vec::new();
    let mut add = |target: Target, path: &[&'static str]| fields.push((target, [pod, path].concat()));
    if id.kind != "ReplicationController" {
        CONFIG_MAPS.iter().for_each(|path| add(core("ConfigMap"), path));
        SECRETS.iter().for_each(|path| add(core("Secret"), path));
    }
    if !matches!(id.kind.as_str(), "PodTemplate" | "ReplicaSet") {
        add(core("ServiceAccount"), &["serviceAccountName"]);
        add(core("PersistentVolumeClaim"), &["volumes", "persistentVolumeClaim", "claimName"]);
        add(grouped("scheduling.k8s.io", "PriorityClass"), &["priorityClassName"]);
    }
    fields
}

/// What is known of an object that others may name.
struct Candidate {
    previous: Vec<Id>,
    now: Id,
    namespace: String,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
}

/// Who names another object.
struct Referrer {
    now: Id,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    /// Of a role binding: the namespaces of the service accounts it names.
    beside: BTreeSet<String>,
    /// Of a binding: group and kind of the role it names.
    role: Option<(String, String)>,
}

impl Build<'_> {
    /// Gives fields that name an object by a name it had the name that it has now.
    pub(super) fn fix_references(&mut self, resources: &mut Resources) {
        let candidates: Vec<Candidate> = resources
            .iter()
            .map(|resource| Candidate {
                previous: resource.previous.clone(),
                now: resource.id(),
                namespace: resource.namespace().to_owned(),
                prefixes: resource.prefixes.clone(),
                suffixes: resource.suffixes.clone(),
            })
            .collect();
        let mut by_name: BTreeMap<&str, Vec<&Candidate>> = BTreeMap::new();
        for candidate in &candidates {
            for name in candidate.previous.iter().map(|id| id.name.as_str()).collect::<BTreeSet<_>>() {
                by_name.entry(name).or_default().push(candidate);
            }
        }
        for resource in resources.iter_mut() {
            let referrer = Referrer::of(resource);
            let mut unclear = Vec::new();
            for (target, path) in fields(&resource.first_id()) {
                let by_role = path.ends_with(&["roleRef", "name"]);
                edit::visit(&mut resource.node, &path, &mut |field| {
                    each(field, &mut |field| {
                        let line = field.line;
                        if let Err(name) = fix(field, &target, &referrer, by_role, &by_name) {
                            unclear.push((line, field.file.clone(), name));
                        }
                    });
                });
            }
            for (line, file, name) in unclear {
                let file = file.or_else(|| resource.node.file.clone()).unwrap_or_else(|| "".into());
                self.refuse(
                    &At { file, line, field: None, value: None },
                    format!("`{name}` may mean several objects whose names the kustomization changes"),
                    "give the objects names of their own",
                );
            }
        }
    }
}

/// A field's value, or each of its values.
fn each(field: &mut Node, change: &mut dyn FnMut(&mut Node)) {
    match &mut field.value {
        Value::Sequence(items) => items.iter_mut().for_each(change),
        _ => change(field),
    }
}

impl Referrer {
    fn of(resource: &Resource) -> Self {
        let subjects = resource.node.get("subjects").map(Node::items).unwrap_or_default();
        let text = |path: &[&str]| resource.node.at(path).and_then(Node::text).map(str::to_owned);
        let beside = subjects
            .iter()
            .filter(|subject| subject.get("kind").and_then(Node::text) == Some("ServiceAccount"))
            .filter_map(|subject| subject.get("namespace").and_then(Node::text).map(str::to_owned));
        let role = text(&["roleRef", "apiGroup"]).zip(text(&["roleRef", "kind"]));
        let now = resource.id();
        Self {
            beside: if now.kind == "RoleBinding" { beside.collect() } else { BTreeSet::new() },
            now,
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
            role,
        }
    }

    /// Whether it can name an object at all: namespaces part them, with exceptions.
    fn reaches(&self, candidate: &Candidate) -> bool {
        if self.now.is_cluster_scoped() || candidate.now.is_cluster_scoped() {
            return true;
        }
        let same = self.now.namespace == candidate.now.namespace;
        let account = candidate.now.kind == "ServiceAccount" && self.beside.contains(&candidate.namespace);
        same || account
    }
}

/// Changes one reference; gives back the name where it may mean several objects.
fn fix(
    field: &mut Node,
    target: &Target,
    referrer: &Referrer,
    by_role: bool,
    by_name: &BTreeMap<&str, Vec<&Candidate>>,
) -> Result<(), String> {
    let whole = matches!(field.value, Value::Mapping(_));
    let name = if whole { field.get("name").and_then(Node::text) } else { field.text() };
    let Some(name) = name.map(str::to_owned) else { return Ok(()) };
    let mut candidates: Vec<&Candidate> = by_name.get(name.as_str()).into_iter().flatten().copied().collect();
    if let Some(namespace) = field.get("namespace").and_then(Node::text).filter(|_| whole) {
        let first =
            |candidate: &&Candidate| candidate.previous.first().unwrap_or(&candidate.now).namespace == namespace;
        let any_first = candidates.iter().any(first);
        candidates.retain(|candidate| if any_first { first(candidate) } else { candidate.now.namespace == namespace });
    }
    candidates.retain(|candidate| {
        candidate.previous.iter().any(|id| id.kind == target.kind && target.group.is_none_or(|group| id.group == group))
    });
    if let Some((group, kind)) = referrer.role.as_ref().filter(|_| by_role) {
        candidates.retain(|candidate| candidate.previous.iter().any(|id| id.group == *group && id.kind == *kind));
    }
    candidates.retain(|candidate| referrer.reaches(candidate));
    for strict in [false, true] {
        if candidates.len() > 1 {
            candidates.retain(|candidate| {
                alike(&candidate.prefixes, &referrer.prefixes, strict)
                    && alike(&candidate.suffixes, &referrer.suffixes, strict)
            });
        }
    }
    let Some((first, others)) = candidates.split_first() else { return Ok(()) };
    let same = |other: &&Candidate| first.now.name == other.now.name && (!whole || first.namespace == other.namespace);
    if !others.iter().all(same) {
        return Err(name);
    }
    let place = Place { file: field.file.clone().unwrap_or_else(|| "".into()), line: field.line };
    if !whole {
        *field = place.text(first.now.name.clone());
        return Ok(());
    }
    edit::set(field, "name", place.text(first.now.name.clone()));
    if !first.namespace.is_empty() {
        edit::set(field, "namespace", place.text(first.namespace.clone()));
    }
    Ok(())
}

/// Whether one list of affixes is the end of the other; where it need not be strict, an empty one fits anything.
fn alike(left: &[String], right: &[String], strict: bool) -> bool {
    if left.is_empty() || right.is_empty() {
        return !strict || (left.is_empty() && right.is_empty());
    }
    left.ends_with(right) || right.ends_with(left)
}
