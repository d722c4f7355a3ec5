//! Pods and their containers, found by shape: the kinds that carry a pod are too many to list, and new ones are made.

use crate::environment::Environment;
use crate::object::Object;
use crate::yaml::node::{Node, Value};

/// Lists that hold containers whatever stands in them.
const LISTS: [(&str, Position); 4] = [
    ("containers", Position::Main),
    ("initContainers", Position::Init),
    ("ephemeralContainers", Position::Ephemeral),
    ("steps", Position::Other),
];

/// What makes a mapping with an image a container.
const MARKS: [&str; 9] =
    ["command", "args", "env", "envFrom", "volumeMounts", "ports", "resources", "script", "replicas"];

/// What a container is in its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// One that serves; a sidecar is an init container.
    Main,
    /// One that runs before, or beside as a sidecar.
    Init,
    /// One that is put into a running pod.
    Ephemeral,
    /// A step or another shape of a custom kind.
    Other,
}

/// A container.
#[derive(Clone, Debug)]
pub struct Container<'a> {
    /// What it is in its pod.
    pub position: Position,
    /// Where it stands in its object, as `spec.template.spec.containers[0]`.
    pub field: String,
    /// The container.
    pub node: &'a Node,
    /// What its process finds in its environment.
    pub environment: Environment<'a>,
}

/// Why a workload can place orders.
#[derive(Clone, Debug)]
pub struct Mark<'a> {
    /// What it is, for people: "the label app is `execution-agent`".
    pub why: String,
    /// Where it stands.
    pub at: &'a Node,
    /// Where that is in the object.
    pub field: String,
}

/// A mapping that holds containers, and what is known about it.
#[derive(Clone, Debug)]
pub struct Pod<'a> {
    /// The object that carries it.
    pub object: Object<'a>,
    /// Where it stands in its object, as `spec.template.spec`; empty where it is the object.
    pub field: String,
    /// The pod's specification.
    pub spec: &'a Node,
    /// The pod's own metadata: of its template, or of the object where that is a pod.
    pub metadata: Option<&'a Node>,
    /// Its containers, of every position.
    pub containers: Vec<Container<'a>>,
    /// Why it can place orders; empty where it cannot.
    pub orders: Vec<Mark<'a>>,
}

impl<'a> Container<'a> {
    fn new(position: Position, field: String, node: &'a Node) -> Self {
        Self { position, field, node, environment: Environment::default() }
    }
}

/// Every pod of an object; environments and marks are not made yet.
pub fn pods<'a>(object: Object<'a>) -> Vec<Pod<'a>> {
    let mut found = Vec::new();
    walk(object, object.node, None, &mut String::new(), &mut found);
    found
}

fn walk<'a>(
    object: Object<'a>,
    node: &'a Node,
    parent: Option<&'a Node>,
    field: &mut String,
    found: &mut Vec<Pod<'a>>,
) {
    // A whole object inside another is an object of its own.
    let own = parent.is_some()
        && node.get("apiVersion").is_some()
        && node.get("kind").is_some()
        && node.get("metadata").is_some();
    if own {
        return;
    }
    let containers = containers(node, field);
    if !containers.is_empty() {
        let metadata = parent.and_then(|parent| parent.get("metadata"));
        found.push(Pod { object, field: field.clone(), spec: node, metadata, containers, orders: Vec::new() });
    }
    let length = field.len();
    for (index, item) in node.items().iter().enumerate() {
        field.push_str(&format!("[{index}]"));
        walk(object, item, Some(node), field, found);
        field.truncate(length);
    }
    for (key, value) in node.entries().iter().filter(|(key, _)| !object.is_pattern(key)) {
        push(field, key.text().unwrap_or(""));
        walk(object, value, Some(node), field, found);
        field.truncate(length);
    }
}

fn push(field: &mut String, key: &str) {
    if !field.is_empty() {
        field.push('.');
    }
    field.push_str(key);
}

fn containers<'a>(node: &'a Node, field: &str) -> Vec<Container<'a>> {
    let mut found = Vec::new();
    for (key, value) in node.entries() {
        let name = key.text().unwrap_or("");
        let listed = LISTS.iter().find(|(list, _)| *list == name).map(|(_, position)| *position);
        let mut place = field.to_owned();
        push(&mut place, name);
        match &value.value {
            Value::Sequence(items) => {
                let known = listed.filter(|position| *position != Position::Other);
                let has_image =
                    items.iter().any(|item| item.get("image").is_some_and(|image| image.scalar().is_some()));
                if known.is_none() && !has_image {
                    continue;
                }
                for (index, item) in
                    items.iter().enumerate().filter(|(_, item)| matches!(item.value, Value::Mapping(_)))
                {
                    let position = listed.unwrap_or(Position::Other);
                    found.push(Container::new(position, format!("{place}[{index}]"), item));
                }
            }
            Value::Mapping(_) if is_container(value) => {
                found.push(Container::new(Position::Other, place, value));
            }
            _ => {}
        }
    }
    found
}

/// Whether a mapping that stands alone is a container: it has an image and something that only a process has.
fn is_container(node: &Node) -> bool {
    node.get("image").is_some_and(|image| image.scalar().is_some()) && MARKS.iter().any(|mark| node.get(mark).is_some())
}

impl<'a> Pod<'a> {
    /// Whether it can place orders.
    pub const fn can_place_orders(&self) -> bool {
        !self.orders.is_empty()
    }

    /// Why it can place orders, for people: the first of its marks.
    pub fn why(&self) -> &str {
        self.orders.first().map_or("", |mark| mark.why.as_str())
    }

    /// The name of its service account; `default` where it names none.
    pub fn service_account(&self) -> Option<&'a Node> {
        self.spec.get("serviceAccountName").or_else(|| self.spec.get("serviceAccount"))
    }

    /// Its volumes.
    pub fn volumes(&self) -> &'a [Node] {
        self.spec.get("volumes").map(Node::items).unwrap_or_default()
    }

    /// A place in it, as a field of its object.
    pub fn place(&self, inside: &str) -> String {
        if self.field.is_empty() { inside.to_owned() } else { format!("{}.{inside}", self.field) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{Origin, objects};
    use crate::yaml::read::read;

    fn fields(text: &str) -> Vec<String> {
        let read = read("a", text.as_bytes());
        let origin = Origin { path: "a", root: None, alternative: false, patch: false };
        let objects: Vec<_> = read.documents.iter().flat_map(|node| objects(origin, node)).collect();
        let pods = objects.iter().flat_map(|object| pods(*object));
        pods.flat_map(|pod| pod.containers.into_iter().map(|container| container.field)).collect()
    }

    #[test]
    fn containers_are_found_in_every_position_of_every_kind() {
        for (text, expected) in [
            (
                "kind: Pod\nspec: {containers: [{image: a}], initContainers: [{name: b}]}",
                vec!["spec.containers[0]", "spec.initContainers[0]"],
            ),
            ("kind: Pod\nspec: {ephemeralContainers: [{image: a}]}", vec!["spec.ephemeralContainers[0]"]),
            (
                "kind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{}]}}}}}",
                vec!["spec.jobTemplate.spec.template.spec.containers[0]"],
            ),
            (
                "kind: Job\nspec: {template: {spec: {template: {spec: {containers: [{}]}}}}}",
                vec!["spec.template.spec.template.spec.containers[0]"],
            ),
            ("kind: PodTemplate\ntemplate: {spec: {containers: [{}]}}", vec!["template.spec.containers[0]"]),
            (
                "kind: Workflow\nspec: {templates: [{container: {image: a, args: []}}]}",
                vec!["spec.templates[0].container"],
            ),
            (
                "kind: Task\nspec: {steps: [{image: a}], sidecars: [{image: b}]}",
                vec!["spec.steps[0]", "spec.sidecars[0]"],
            ),
        ] {
            assert_eq!(fields(text), expected, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_container_is_none() {
        assert!(fields("kind: Chart\nspec: {image: {repository: a, tag: b}, steps: [{name: a}]}").is_empty());
        assert!(fields("kind: CustomResourceDefinition\nspec: {properties: {containers: {type: array}}}").is_empty());
        assert!(fields("kind: Kustomization\nimages: [{name: a, newTag: b}]").is_empty());
    }
}
