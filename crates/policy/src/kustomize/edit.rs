//! Changing nodes: fields set, taken away and walked, each new value with the place that brought it.

use std::sync::Arc;

use crate::yaml::node::{Node, Scalar, Value};

/// How deep a document may become by what changes it; as deep as one may be written.
pub const DEPTH: usize = 64;

/// Where a value of a rendered document comes from.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file.
    pub file: Arc<str>,
    /// Line in it, from 1.
    pub line: u32,
}

impl Place {
    /// Where a node stands, in a document of `file`.
    pub fn of(node: &Node, file: &Arc<str>) -> Self {
        Self { file: node.file.clone().unwrap_or_else(|| Arc::clone(file)), line: node.line }
    }

    /// A text that no reader takes for anything but a text.
    pub fn text(&self, text: impl Into<String>) -> Node {
        self.node(Value::Scalar(Scalar { text: text.into(), plain: false }))
    }

    /// A plain scalar: a number, a truth value.
    pub fn plain(&self, text: impl Into<String>) -> Node {
        self.node(Value::Scalar(Scalar { text: text.into(), plain: true }))
    }

    /// A mapping.
    pub fn mapping(&self, entries: Vec<(&str, Node)>) -> Node {
        self.node(Value::Mapping(entries.into_iter().map(|(key, value)| (self.text(key), value)).collect()))
    }

    /// Any value.
    pub fn node(&self, value: Value) -> Node {
        Node { line: self.line, file: Some(Arc::clone(&self.file)), value }
    }
}

/// Whether it is a null.
pub fn is_null(node: &Node) -> bool {
    node.scalar().is_some_and(Scalar::is_null)
}

/// Gives every node of a document the file it stands in.
pub fn mark(node: &mut Node, file: &Arc<str>) {
    node.file = Some(Arc::clone(file));
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::Sequence(items) => items.iter_mut().for_each(|item| mark(item, file)),
        Value::Mapping(entries) => entries.iter_mut().for_each(|(key, value)| {
            mark(key, file);
            mark(value, file);
        }),
    }
}

/// How many nodes it has.
pub fn size(node: &Node) -> usize {
    let parts: usize = match &node.value {
        Value::Scalar(_) => 0,
        Value::Sequence(items) => items.iter().map(size).sum(),
        Value::Mapping(entries) => entries.iter().map(|(_, value)| size(value).saturating_add(1)).sum(),
    };
    parts.saturating_add(1)
}

/// How many levels of nodes it has; one for a scalar.
pub fn depth(node: &Node) -> usize {
    let below = match &node.value {
        Value::Scalar(_) => None,
        Value::Sequence(items) => items.iter().map(depth).max(),
        Value::Mapping(entries) => entries.iter().map(|(_, value)| depth(value)).max(),
    };
    below.unwrap_or_default().saturating_add(1)
}

/// The value of a key, to be changed.
pub fn child_mut<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    match &mut node.value {
        Value::Mapping(entries) => {
            entries.iter_mut().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
        }
        _ => None,
    }
}

/// Sets a key of a mapping; of a null it makes one. Any other shape stays as it is, and false says so.
pub fn set(node: &mut Node, key: &str, value: Node) -> bool {
    if let Some(held) = child_mut(node, key) {
        *held = value;
        return true;
    }
    if is_null(node) {
        node.value = Value::Mapping(Vec::new());
    }
    let Value::Mapping(entries) = &mut node.value else { return false };
    let mut name = Node::new(value.line, Value::Scalar(Scalar { text: key.to_owned(), plain: false }));
    name.file.clone_from(&value.file);
    entries.push((name, value));
    true
}

/// Takes a key away.
pub fn remove(node: &mut Node, key: &str) -> Option<Node> {
    let Value::Mapping(entries) = &mut node.value else { return None };
    let at = entries.iter().position(|(name, _)| name.text() == Some(key))?;
    Some(entries.remove(at).1)
}

/// The value at the end of a path of keys, to be changed; mappings that are missing on the way are made.
/// None where something else than a mapping is in the way.
pub fn at_or_made<'a>(node: &'a mut Node, path: &[&str], place: &Place) -> Option<&'a mut Node> {
    let Some((key, rest)) = path.split_first() else { return Some(node) };
    let missing = child_mut(node, key).is_none_or(|held| is_null(held));
    if missing && !set(node, key, place.node(Value::Mapping(Vec::new()))) {
        return None;
    }
    at_or_made(child_mut(node, key)?, rest, place)
}

/// Calls `change` with each value at the end of a path of keys; sequences on the way are walked item by item.
pub fn visit(node: &mut Node, path: &[&str], change: &mut dyn FnMut(&mut Node)) {
    if let Value::Sequence(items) = &mut node.value
        && !path.is_empty()
    {
        items.iter_mut().for_each(|item| visit(item, path, change));
        return;
    }
    match path.split_first() {
        None => change(node),
        Some((key, rest)) => {
            if let Some(child) = child_mut(node, key) {
                visit(child, rest, change);
            }
        }
    }
}
