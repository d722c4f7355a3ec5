//! Objects: what a document is to a cluster.

use crate::finding::{Finding, Rule};
use crate::yaml::node::{Node, Value};

/// How deep lists may stand in lists; beyond, they are no lists for a cluster either.
const LISTS: usize = 8;

/// One object, raw or rendered.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    /// The file it stands in; of a rendered one the kustomization's.
    pub path: &'a str,
    /// The kustomization that rendered it.
    pub root: Option<&'a str>,
    /// Whether only some readers see it like this: where readers differ, every reading is judged.
    pub alternative: bool,
    /// Whether a kustomization names its file as a change to another object: it is no object by itself.
    pub patch: bool,
    /// Whether it stands in a field of another object, which may want only a part of it.
    pub carried: bool,
    /// `kind`.
    pub kind: &'a str,
    /// `apiVersion`; empty where it has none.
    pub api_version: &'a str,
    /// `metadata.namespace`.
    pub namespace: Option<&'a str>,
    /// `metadata.name`, or `metadata.generateName`; empty where it has neither.
    pub name: &'a str,
    /// The object.
    pub node: &'a Node,
}

/// Where the documents of a file come from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// See [`Object::path`].
    pub path: &'a str,
    /// See [`Object::root`].
    pub root: Option<&'a str>,
    /// See [`Object::alternative`].
    pub alternative: bool,
    /// See [`Object::patch`].
    pub patch: bool,
}

/// Whether a document is an object by its content.
pub fn is_object(node: &Node) -> bool {
    node.get("kind").and_then(Node::text).is_some()
}

/// The objects of a document: itself, the items of a list, and whole objects inside others.
pub fn objects<'a>(origin: Origin<'a>, node: &'a Node) -> Vec<Object<'a>> {
    let mut found = Vec::new();
    if let Some(object) = object(origin, node) {
        list(origin, object, LISTS, &mut found);
    }
    found
}

fn object<'a>(origin: Origin<'a>, node: &'a Node) -> Option<Object<'a>> {
    let kind = node.get("kind").and_then(Node::text)?;
    let text = |path: &[&str]| node.at(path).and_then(Node::text);
    let Origin { path, root, alternative, patch } = origin;
    Some(Object {
        path,
        root,
        alternative,
        patch,
        carried: false,
        kind,
        api_version: text(&["apiVersion"]).unwrap_or(""),
        namespace: text(&["metadata", "namespace"]),
        name: text(&["metadata", "name"]).or_else(|| text(&["metadata", "generateName"])).unwrap_or(""),
        node,
    })
}

fn list<'a>(origin: Origin<'a>, whole: Object<'a>, depth: usize, found: &mut Vec<Object<'a>>) {
    let items = whole
        .node
        .get("items")
        .filter(|items| whole.kind.ends_with("List") && matches!(items.value, Value::Sequence(_)));
    let (Some(items), true) = (items, depth > 0) else {
        found.push(whole);
        inside(origin, whole.node, found);
        return;
    };
    // An item of `DeploymentList` may leave its kind out.
    let implied = whole.kind.strip_suffix("List").filter(|kind| !kind.is_empty());
    for item in items.items() {
        match (object(origin, item), implied) {
            (Some(object), _) => list(origin, object, depth.saturating_sub(1), found),
            (None, Some(kind)) => {
                let text = |path: &[&str]| item.at(path).and_then(Node::text);
                let namespace = text(&["metadata", "namespace"]);
                let name = text(&["metadata", "name"]).unwrap_or("");
                found.push(Object { kind, namespace, name, node: item, ..whole });
                inside(origin, item, found);
            }
            (None, None) => {}
        }
    }
}

/// Whole objects that an object carries: what a template or a generating policy would make.
fn inside<'a>(origin: Origin<'a>, node: &'a Node, found: &mut Vec<Object<'a>>) {
    let children = node.items().iter().chain(node.entries().iter().map(|(_, value)| value));
    for child in children {
        let whole = child.get("apiVersion").is_some() && child.get("metadata").is_some();
        if let Some(object) = whole.then(|| object(origin, child)).flatten() {
            found.push(Object { carried: true, ..object });
        }
        inside(origin, child, found);
    }
}

impl<'a> Object<'a> {
    /// `Kind/namespace/name`, `-` where it names no namespace.
    pub fn label(&self) -> String {
        format!("{}/{}/{}", self.kind, self.namespace.unwrap_or("-"), self.name)
    }

    /// The file that a node of it comes from.
    pub fn file(&self, node: &'a Node) -> &'a str {
        node.file(self.path)
    }

    /// A failure at a node of it.
    pub fn fail(
        &self,
        rule: Rule,
        at: &Node,
        field: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        let message = self.seen_by(message.into());
        let finding =
            Finding::fail(rule, at.file(self.path), message, remedy).line(at.line).object(self.label()).field(field);
        match at.scalar() {
            Some(scalar) => finding.value(&scalar.text),
            None => finding,
        }
    }

    /// A message that says who sees the object like this, where not everybody does.
    pub fn seen_by(&self, message: String) -> String {
        match (self.root, self.alternative) {
            (Some(root), _) => format!("{message} (as rendered by {root})"),
            (None, true) => format!("{message} (as some readers take it)"),
            (None, false) => message,
        }
    }

    /// The value at a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&'a Node> {
        self.node.at(path)
    }

    /// Whether a field of it says how other objects have to look: nothing in it runs.
    pub fn is_pattern(&self, key: &Node) -> bool {
        key.text() == Some("validate") && self.is_of_group("kyverno.io")
    }

    /// Whether its API group is this one; the core group is empty.
    pub fn is_of_group(&self, group: &str) -> bool {
        match self.api_version.split_once('/') {
            Some((own, _)) => own == group,
            None => group.is_empty(),
        }
    }

    /// Whether a reference of this name from a namespace means it.
    pub fn is_named(&self, kind: &str, namespace: Option<&str>, name: &str) -> bool {
        self.kind == kind && self.name == name && self.is_in(namespace)
    }

    /// Whether a reference from a namespace may mean it. Who names no namespace may mean any.
    pub fn is_in(&self, namespace: Option<&str>) -> bool {
        namespace.is_none() || self.namespace.is_none() || self.namespace == namespace
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::read::read;

    fn names(text: &str) -> Vec<String> {
        let read = read("a", text.as_bytes());
        let origin = Origin { path: "a", root: None, alternative: false, patch: false };
        read.documents.iter().flat_map(|node| objects(origin, node)).map(|object| object.label()).collect()
    }

    #[test]
    fn lists_are_their_items_in_any_depth() {
        let text = "kind: List\nitems:\n- {kind: Pod, metadata: {name: a}}\n- kind: DeploymentList\n  items: [{metadata: {name: b, namespace: n}}]";
        assert_eq!(names(text), ["Pod/-/a", "Deployment/n/b"]);
    }

    #[test]
    fn an_object_inside_another_is_one_and_a_reference_is_none() {
        let text = "kind: Template\nobjects:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\nref: {apiVersion: v1, kind: Pod, name: b}";
        assert_eq!(names(text), ["Template/-/", "Pod/-/a"]);
        assert!(names("a: 1").is_empty());
    }
}
