//! The lock contract, rule `schema`: known kinds, required fields, and no field that nobody reads.
//!
//! Judged are the kinds that a floor ships; other kinds are other people's. Values that readers of YAML 1.1 and 1.2 take
//! differently are the rule `parse`'s, placeholders the rule `unresolved`'s.

mod table;

use self::table::{Shape, Type};
use crate::finding::{Finding, Rule, Verdict};
use crate::found::is_template;
use crate::kustomize;
use crate::object::Object;
use crate::world::World;
use crate::yaml::node::{Node, Value};

/// Kinds of the table with their apiVersion.
const KINDS: [(&str, &str, &str); 15] = [
    ("Namespace", "v1", "Namespace"),
    ("PriorityClass", "scheduling.k8s.io/v1", "PriorityClass"),
    ("ConfigMap", "v1", "ConfigMap"),
    ("Secret", "v1", "Secret"),
    ("ServiceAccount", "v1", "ServiceAccount"),
    ("Service", "v1", "Service"),
    ("Service", "serving.knative.dev/v1", "KnativeService"),
    ("Deployment", "apps/v1", "Deployment"),
    ("StatefulSet", "apps/v1", "StatefulSet"),
    ("CronJob", "batch/v1", "CronJob"),
    ("NetworkPolicy", "networking.k8s.io/v1", "NetworkPolicy"),
    ("PodDisruptionBudget", "policy/v1", "PodDisruptionBudget"),
    ("PersistentVolumeClaim", "v1", "PersistentVolumeClaim"),
    ("Role", "rbac.authorization.k8s.io/v1", "Role"),
    ("RoleBinding", "rbac.authorization.k8s.io/v1", "RoleBinding"),
];

/// The groups without a dot, which nobody else may add kinds to.
const GROUPS: [&str; 5] = ["apps", "batch", "autoscaling", "policy", "extensions"];
/// Every kind of these groups and of `v1`, those that are gone included.
const BUILT_IN: [&str; 38] = [
    "Binding",
    "ComponentStatus",
    "Config",
    "ConfigMap",
    "ControllerRevision",
    "CronJob",
    "DaemonSet",
    "DeleteOptions",
    "Deployment",
    "DeploymentRollback",
    "Endpoints",
    "Event",
    "Eviction",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Job",
    "JobTemplate",
    "LimitRange",
    "Namespace",
    "NetworkPolicy",
    "Node",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "PodSecurityPolicy",
    "PodTemplate",
    "RangeAllocation",
    "ReplicaSet",
    "ReplicationController",
    "ResourceQuota",
    "Scale",
    "Secret",
    "SerializedReference",
    "Service",
    "ServiceAccount",
    "StatefulSet",
    "Status",
];

/// Kustomize's own kinds with their apiVersion.
const KUSTOMIZE: [(&str, &str); 2] =
    [("Kustomization", "kustomize.config.k8s.io/v1beta1"), ("Component", "kustomize.config.k8s.io/v1alpha1")];

/// Objects that are not what their kind is.
pub fn judge(world: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut known = false;
    for object in world.objects() {
        known |= judge_object(*object, &mut findings);
    }
    for file in world.files.iter().filter(|file| file.is_kustomization()) {
        for document in file.documents.iter().chain(&file.alternatives) {
            known = true;
            judge_kustomization(file.path, document, &mut findings);
        }
    }
    if !known {
        let none = Finding::fail(Rule::Schema, "", "no object of a kind that a floor ships", "");
        findings.push(Finding { verdict: Verdict::NotApplicable, ..none });
    }
    findings
}

/// Whether the object is of a kind that is judged.
fn judge_object(object: Object<'_>, findings: &mut Vec<Finding>) -> bool {
    if KUSTOMIZE.iter().any(|(kind, _)| *kind == object.kind) {
        return false;
    }
    let versions: Vec<&str> =
        KINDS.iter().filter(|(kind, ..)| *kind == object.kind).map(|(_, version, _)| *version).collect();
    if versions.is_empty() {
        if is_unknown_to_kubernetes(&object) {
            let at = object.at(&["kind"]).unwrap_or(object.node);
            let message = format!("Kubernetes has no kind `{}` in `{}`", object.kind, object.api_version);
            findings.push(object.fail(Rule::Schema, at, "kind", message, "correct the kind or its apiVersion"));
            return true;
        }
        let meant = KINDS.iter().find(|(kind, version, _)| {
            kind.eq_ignore_ascii_case(object.kind) && version.eq_ignore_ascii_case(object.api_version)
        });
        if let Some((kind, ..)) = meant {
            let at = object.at(&["kind"]).unwrap_or(object.node);
            findings.push(object.fail(
                Rule::Schema,
                at,
                "kind",
                format!("there is no kind `{}`", object.kind),
                format!("write `{kind}`"),
            ));
        }
        return meant.is_some();
    }
    match KINDS.iter().find(|(kind, version, _)| *kind == object.kind && *version == object.api_version) {
        Some((.., name)) => {
            let whole = Walk { object, required: !object.patch && !object.carried };
            whole.value(object.node, &Shape::Of(name), "", findings);
            whole.names_itself(findings);
            true
        }
        None if is_other_group(object.api_version) => false,
        None => {
            let at = object.at(&["apiVersion"]).unwrap_or(object.node);
            findings.push(object.fail(
                Rule::Schema,
                at,
                "apiVersion",
                format!("there is no `{}` of apiVersion `{}`", object.kind, object.api_version),
                format!("write `{}`", versions.join("` or `")),
            ));
            true
        }
    }
}

/// Whether an object's apiVersion is one that Kubernetes keeps for itself, and its kind none of those.
fn is_unknown_to_kubernetes(object: &Object<'_>) -> bool {
    let own = match object.api_version.split_once('/') {
        None => object.api_version == "v1",
        Some((group, _)) => GROUPS.contains(&group),
    };
    let kind = object.kind.strip_suffix("List").unwrap_or(object.kind);
    own && !object.patch && !kind.is_empty() && !BUILT_IN.contains(&kind)
}

/// Whether a group is neither Kubernetes' own nor Knative's: what it calls a `Service` is its own affair.
fn is_other_group(api_version: &str) -> bool {
    const OLD: [&str; 2] = ["extensions", "serving.knative.dev"];
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    group.contains('.') && !group.ends_with(".k8s.io") && !OLD.contains(&group)
}

fn judge_kustomization(path: &str, document: &Node, findings: &mut Vec<Finding>) {
    let text = |key: &str| document.get(key).and_then(Node::text);
    let fail = |at: &Node, field: &str, message: String, remedy: &str| {
        Finding::fail(Rule::Schema, path, message, remedy).line(at.line).field(field)
    };
    for (key, _) in document.entries() {
        let field = key.text().unwrap_or_default();
        if !kustomize::is_field(field) {
            findings.push(fail(
                key,
                field,
                format!("a kustomization has no field `{field}`"),
                "correct its name, or take it out",
            ));
        }
    }
    let kind = text("kind").unwrap_or("Kustomization");
    let version = KUSTOMIZE.iter().find(|(known, _)| *known == kind).map(|(_, version)| *version);
    let at = document.get("apiVersion").unwrap_or(document);
    match (version, text("apiVersion")) {
        (Some(version), Some(given)) if given != version => {
            findings.push(fail(
                at,
                "apiVersion",
                format!("a {kind} is of `{version}`, not of `{given}`"),
                "correct it",
            ));
        }
        (None, _) => {
            let message = format!("kustomize knows no kind `{kind}`");
            findings.push(fail(document.get("kind").unwrap_or(document), "kind", message, "write `Kustomization`"));
        }
        _ => {}
    }
}

/// One object under judgement.
struct Walk<'a> {
    object: Object<'a>,
    /// Whether fields must be there: a change to another object leaves out what it does not change.
    required: bool,
}

impl Walk<'_> {
    fn fail(&self, at: &Node, field: &str, message: String, remedy: &str, findings: &mut Vec<Finding>) {
        findings.push(self.object.fail(Rule::Schema, at, field, message, remedy));
    }

    fn names_itself(&self, findings: &mut Vec<Finding>) {
        if self.object.name.is_empty() && self.required && self.object.at(&["metadata"]).is_some() {
            let message = "the object has no name".to_owned();
            self.fail(self.object.node, "metadata.name", message, "give it a `metadata.name`", findings);
        }
    }

    fn value(&self, node: &Node, shape: &Shape, field: &str, findings: &mut Vec<Finding>) {
        if node.scalar().is_some_and(|scalar| scalar.is_null() || is_template(&scalar.text)) {
            return;
        }
        match (shape, &node.value) {
            (Shape::Any, _) => {}
            (Shape::Of(name), Value::Mapping(_)) => {
                if let Some(own) = table::of(name) {
                    self.mapping(node, own, field, findings);
                }
            }
            (Shape::List(item), Value::Sequence(items)) => {
                for (index, value) in items.iter().enumerate() {
                    self.value(value, item, &format!("{field}[{index}]"), findings);
                }
            }
            (Shape::Pairs(inner), Value::Mapping(entries)) => {
                for (key, value) in entries {
                    self.value(value, inner, &joined(field, key), findings);
                }
            }
            (Shape::Text | Shape::Number | Shape::Bool | Shape::NumberOrText, Value::Scalar(scalar)) => {
                let is_bool = scalar.plain && matches!(scalar.text.to_ascii_lowercase().as_str(), "true" | "false");
                let is_number = !scalar.is_string() && !is_bool;
                let (fits, wanted) = match shape {
                    Shape::Text => (scalar.is_string(), "a text: put it in quotes"),
                    Shape::Number => (is_number, "a number, without quotes"),
                    Shape::Bool => (is_bool, "true or false, without quotes"),
                    _ => (!is_bool, "a number or a text"),
                };
                if !fits && !scalar.is_ambiguous() {
                    let message = format!("`{field}` is `{}`, which is no value of its type", scalar.text);
                    self.fail(node, field, message, &format!("write {wanted}"), findings);
                }
            }
            _ => {
                let wanted = match shape {
                    Shape::List(_) => "a list",
                    Shape::Of(_) | Shape::Pairs(_) => "a mapping",
                    _ => "a single value",
                };
                let message = format!("`{}` is not {wanted}", if field.is_empty() { "the object" } else { field });
                self.fail(node, field, message, &format!("write {wanted}"), findings);
            }
        }
    }

    fn mapping(&self, node: &Node, own: &Type, field: &str, findings: &mut Vec<Finding>) {
        for (key, value) in node.entries() {
            let name = key.text().unwrap_or_default();
            let path = joined(field, key);
            match own.field(name) {
                Some(known) => self.value(value, &known.shape, &path, findings),
                // A change may bring a directive of strategic merges.
                None if name.starts_with('$') && self.object.patch => {}
                None => {
                    let message = format!("there is no field `{path}`: who wrote it relies on what nobody reads");
                    self.fail(key, &path, message, "correct its name, or take it out", findings);
                }
            }
        }
        let missing = |name: &&str| node.get(name).is_none_or(|held| held.scalar().is_some_and(|held| held.is_null()));
        for name in own.required().filter(missing).filter(|_| self.required) {
            let path = if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
            self.fail(node, &path, format!("`{path}` is missing"), "write it", findings);
        }
    }
}

fn joined(field: &str, key: &Node) -> String {
    let key = key.text().unwrap_or_default();
    if field.is_empty() { key.to_owned() } else { format!("{field}.{key}") }
}
