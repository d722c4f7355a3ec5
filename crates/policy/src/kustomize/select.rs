//! Selectors of patches and replacements.

use regex_lite::Regex;

use crate::yaml::node::Node;

use super::build::{At, Build, Spec};
use super::resource::{Id, Resource};

/// Which objects a patch is for.
pub struct Selector {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

/// One requirement of a selector of labels.
struct Requirement {
    key: String,
    wanted: Wanted,
}

enum Wanted {
    Exists,
    Missing,
    Is(String),
    IsNot(String),
}

impl Build<'_> {
    /// Reads a patch's `target`; a finding where it cannot be read as kustomize would.
    pub(super) fn selector(&mut self, spec: &Spec, target: &Node, field: &str) -> Option<Selector> {
        const FIELDS: [&str; 7] =
            ["group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"];
        self.only(spec, target, field, &FIELDS);
        let mut read = |key: &str| -> Result<Option<Regex>, ()> {
            let Some(node) = target.get(key) else { return Ok(None) };
            let Some(text) = node.text().filter(|text| !text.is_empty()) else { return Ok(None) };
            match Regex::new(&format!("^(?:{text})$")) {
                Ok(pattern) => Ok(Some(pattern)),
                Err(_) => {
                    let at = At::of(&spec.file, node, field);
                    self.refuse(&at, format!("`{text}` is no pattern that can be read"), "name the object plainly");
                    Err(())
                }
            }
        };
        let (group, version, kind) = (read("group").ok()?, read("version").ok()?, read("kind").ok()?);
        let (name, namespace) = (read("name").ok()?, read("namespace").ok()?);
        let mut requirements = |key: &str| {
            let Some(node) = target.get(key) else { return Some(Vec::new()) };
            let read = node.text().map_or(Some(Vec::new()), requirements_of);
            if read.is_none() {
                let at = At::of(&spec.file, node, field);
                self.refuse(&at, format!("`{key}` is of a form that is not read here"), "write `key=value` pairs");
            }
            read
        };
        let (labels, annotations) = (requirements("labelSelector")?, requirements("annotationSelector")?);
        Some(Selector { group, version, kind, name, namespace, labels, annotations })
    }
}

impl Selector {
    /// Whether it selects an object, by its first or its present name.
    pub fn selects(&self, resource: &Resource) -> bool {
        let (first, now) = (resource.first_id(), resource.id());
        matches(self.namespace.as_ref(), scope(&first), scope(&now))
            && matches(self.name.as_ref(), &first.name, &now.name)
            && matches(self.group.as_ref(), &now.group, &now.group)
            && matches(self.version.as_ref(), &now.version, &now.version)
            && matches(self.kind.as_ref(), &now.kind, &now.kind)
            && all_hold(&self.labels, resource.node.at(&["metadata", "labels"]))
            && all_hold(&self.annotations, resource.node.at(&["metadata", "annotations"]))
    }
}

/// What kustomize calls the namespace of an object that can have none.
fn scope(id: &Id) -> &str {
    if id.is_cluster_scoped() { "_non_namespaceable_" } else { &id.namespace }
}

fn matches(pattern: Option<&Regex>, first: &str, now: &str) -> bool {
    pattern.is_none_or(|pattern| pattern.is_match(first) || pattern.is_match(now))
}

/// Requirements with `=`, `==`, `!=`, a key alone or `!key`; none where there is any other.
fn requirements_of(text: &str) -> Option<Vec<Requirement>> {
    let is_name = |text: &str| text.chars().all(|part| part.is_ascii_alphanumeric() || "-_./".contains(part));
    let mut requirements = Vec::new();
    for part in text.split(',').map(str::trim).filter(|_| !text.trim().is_empty()) {
        let (key, wanted) = if let Some((key, value)) = part.split_once("!=") {
            (key, Wanted::IsNot(value.trim().to_owned()))
        } else if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            (key, Wanted::Is(value.trim().to_owned()))
        } else if let Some(key) = part.strip_prefix('!') {
            (key, Wanted::Missing)
        } else {
            (part, Wanted::Exists)
        };
        let key = key.trim();
        let value = match &wanted {
            Wanted::Is(value) | Wanted::IsNot(value) => value,
            Wanted::Exists | Wanted::Missing => "",
        };
        if key.is_empty() || !is_name(key) || !is_name(value) {
            return None;
        }
        requirements.push(Requirement { key: key.to_owned(), wanted });
    }
    Some(requirements)
}

fn all_hold(requirements: &[Requirement], held: Option<&Node>) -> bool {
    requirements.iter().all(|requirement| {
        let value = held.and_then(|held| held.get(&requirement.key)).and_then(Node::text);
        match &requirement.wanted {
            Wanted::Exists => value.is_some(),
            Wanted::Missing => value.is_none(),
            Wanted::Is(wanted) => value == Some(wanted),
            Wanted::IsNot(unwanted) => value != Some(unwanted),
        }
    })
}
