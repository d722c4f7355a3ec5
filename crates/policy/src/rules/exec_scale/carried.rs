//! Manifests inside ConfigMaps, Secrets, custom kinds and the values of charts: somebody else applies them, and then they run.

use super::{Names, targets, workload};
use crate::finding::Finding;
use crate::object::{Object, Origin, objects};
use crate::placing::marks;
use crate::pod::pods;
use crate::resolve::{data, environment};
use crate::texts::{is_manifest, is_prose};
use crate::yaml::node::Node;
use crate::yaml::read::read;

/// Workloads that an object carries as text and that are not at zero.
pub fn judge(object: &Object<'_>, known: &Names<'_>, findings: &mut Vec<Finding>) {
    if object.is_of_group("kustomize.config.k8s.io") {
        return;
    }
    if !matches!(object.kind, "ConfigMap" | "Secret") {
        return of_fields(object, object.node, known, findings);
    }
    for (key, values) in data(*object) {
        for text in values.known.iter().filter(|text| text.contains("kind") && text.contains("spec")) {
            let holder = ["data", "stringData", "binaryData"].into_iter().find_map(|field| object.at(&[field, &key]));
            of_text(origin_of(object), holder.unwrap_or(object.node), text, None, findings);
        }
    }
}

/// Manifests that a document that is no object carries, as a text or as they are: a chart puts them into what it renders.
pub fn of_document(path: &str, document: &Node, known: &Names<'_>, findings: &mut Vec<Finding>) {
    let origin = Origin { path, root: None, alternative: false, patch: false };
    of_values(origin, document, known, findings);
}

fn of_values(origin: Origin<'_>, node: &Node, known: &Names<'_>, findings: &mut Vec<Finding>) {
    if node.get("apiVersion").is_some() && node.get("kind").is_some() {
        return of_node(origin, node, Some(known), findings);
    }
    if let Some(scalar) = node.scalar().filter(|scalar| is_manifest(&scalar.text)) {
        return of_text(origin, node, &scalar.text, Some(known), findings);
    }
    node.items().iter().for_each(|item| of_values(origin, item, known, findings));
    for (_, value) in node.entries().iter().filter(|(key, _)| !is_prose(key)) {
        of_values(origin, value, known, findings);
    }
}

const fn origin_of<'a>(object: &Object<'a>) -> Origin<'a> {
    Origin { path: object.path, root: object.root, alternative: object.alternative, patch: false }
}

/// Manifests that another object applies: a workflow's `resource: {action: patch, manifest: …}`, the contents of a bundle.
fn of_fields(object: &Object<'_>, node: &Node, known: &Names<'_>, findings: &mut Vec<Finding>) {
    for item in node.items() {
        of_field(object, item, known, findings);
    }
    for (_, value) in node.entries().iter().filter(|(key, _)| !is_prose(key)) {
        of_field(object, value, known, findings);
    }
}

fn of_field(object: &Object<'_>, node: &Node, known: &Names<'_>, findings: &mut Vec<Finding>) {
    match node.scalar().filter(|scalar| is_manifest(&scalar.text)) {
        Some(scalar) => of_text(origin_of(object), node, &scalar.text, Some(known), findings),
        None => of_fields(object, node, known, findings),
    }
}

fn of_text(origin: Origin<'_>, holder: &Node, text: &str, known: Option<&Names<'_>>, findings: &mut Vec<Finding>) {
    let path = holder.file(origin.path);
    let mut read = read(path, text.as_bytes());
    for node in read.documents.iter_mut().chain(&mut read.alternatives) {
        node.each_line(&mut |line| line.saturating_add(holder.line).saturating_sub(1));
    }
    for node in read.documents.iter().chain(&read.alternatives) {
        of_node(Origin { path, ..origin }, node, known, findings);
    }
}

fn of_node(origin: Origin<'_>, node: &Node, known: Option<&Names<'_>>, findings: &mut Vec<Finding>) {
    for inner in objects(origin, node) {
        if let Some(known) = known {
            targets::judge(&inner, known, findings);
        }
        for mut pod in pods(inner) {
            let made: Vec<_> = pod
                .containers
                .iter()
                .map(|each| environment(&|_, _, _| Vec::new(), &pod, each.node, &each.field))
                .collect();
            for (container, environment) in pod.containers.iter_mut().zip(made) {
                container.environment = environment;
            }
            pod.orders = marks(&pod, &|_| Vec::new());
            if pod.can_place_orders() {
                workload(&pod, findings);
            }
        }
    }
}
