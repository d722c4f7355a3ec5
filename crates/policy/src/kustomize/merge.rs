//! Strategic merge: a patch laid over an object, as kustomize does it.

use crate::yaml::node::{Node, Scalar, Value};

use super::edit;
use super::merge_keys::{Field, Shape};

/// Why a patch cannot be laid over an object.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A list, a mapping or a value where the other side has another shape.
    #[error("a {patch} is laid over a {base} at `{field}`")]
    Shapes {
        /// The field.
        field: String,
        /// What the object has there.
        base: &'static str,
        /// What the patch has there.
        patch: &'static str,
        /// Line of the patch.
        line: u32,
    },
    /// An item without the key by which items are told apart.
    #[error("an item of `{field}` has no `{key}`, by which items are told apart")]
    NoKey {
        /// The field.
        field: String,
        /// The key.
        key: &'static str,
        /// Line of the item.
        line: u32,
    },
    /// Two items with the same keys: which of them a patch changes depends on the tool.
    #[error("two items of `{field}` are both `{key}`: which of them the patch means cannot be told")]
    TwoItems {
        /// The field.
        field: String,
        /// Their keys.
        key: String,
        /// Line of the second.
        line: u32,
    },
    /// A directive that kustomize passes on as if it were a field.
    #[error("kustomize does not carry out `{directive}`")]
    Directive {
        /// As it is written.
        directive: String,
        /// Line of it.
        line: u32,
    },
}

impl MergeError {
    /// Line of the patch, or of the object, that is at fault.
    pub const fn line(&self) -> u32 {
        match self {
            Self::Shapes { line, .. }
            | Self::NoKey { line, .. }
            | Self::TwoItems { line, .. }
            | Self::Directive { line, .. } => *line,
        }
    }
}

/// Lays `patch` over `base`. None: nothing is left, the object or the field goes.
///
/// # Errors
///
/// Where shapes differ, where items of a list cannot be told apart, and for directives that kustomize does not know.
pub fn merge(base: Node, patch: Node, shape: Option<&'static Shape>) -> Result<Option<Node>, MergeError> {
    check_directives(&patch)?;
    over(Some(base), patch, shape.map(Known::Mapping), "")
}

/// What is known of a value.
#[derive(Clone, Copy)]
enum Known {
    Mapping(&'static Shape),
    Items(&'static [&'static str], &'static Shape),
    Set,
}

impl Known {
    const fn of(field: &'static Field) -> Self {
        match field {
            Field::Mapping(shape) => Self::Mapping(shape),
            Field::Items(keys, shape) => Self::Items(keys, shape),
            Field::Set => Self::Set,
        }
    }
}

/// What `$patch` asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

fn over(base: Option<Node>, mut patch: Node, known: Option<Known>, field: &str) -> Result<Option<Node>, MergeError> {
    if edit::is_null(&patch) {
        return Ok(None);
    }
    let base = base.filter(|base| !edit::is_null(base));
    if let Some(base) = &base {
        let (under, above) = (shape_name(base), shape_name(&patch));
        if under != above {
            return Err(MergeError::Shapes { field: shown(field), base: under, patch: above, line: patch.line });
        }
    }
    match &mut patch.value {
        Value::Scalar(_) => Ok(Some(patch)),
        Value::Mapping(_) => {
            let shape = match known {
                Some(Known::Mapping(shape)) => Some(shape),
                _ => None,
            };
            mapping(base, patch, shape, field)
        }
        Value::Sequence(_) => match known {
            Some(Known::Items(keys, shape)) => items(base, patch, keys, shape, field),
            Some(Known::Set) => Ok(Some(set(base, patch))),
            _ => Ok(Some(patch)),
        },
    }
}

fn mapping(
    base: Option<Node>,
    mut patch: Node,
    shape: Option<&'static Shape>,
    field: &str,
) -> Result<Option<Node>, MergeError> {
    let mut merged = match take_directive(&mut patch)? {
        Directive::Delete => return Ok(None),
        Directive::Replace => None,
        Directive::Merge => base,
    }
    .unwrap_or_else(|| Node { line: patch.line, file: patch.file.clone(), value: Value::Mapping(Vec::new()) });
    let Value::Mapping(entries) = patch.value else { return Ok(Some(merged)) };
    for (name, value) in entries {
        let key = name.text().unwrap_or_default().to_owned();
        let known = shape.and_then(|shape| shape.field(&key)).map(Known::of);
        let held = edit::child_mut(&mut merged, &key).map(|held| held.clone());
        let path = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
        match over(held, value, known, &path)? {
            Some(value) => {
                edit::set(&mut merged, &key, value);
            }
            None => {
                edit::remove(&mut merged, &key);
            }
        }
    }
    Ok(Some(merged))
}

/// Merges a list item by item: those of the patch first, in its order, then those that the patch does not name.
fn items(
    base: Option<Node>,
    patch: Node,
    keys: &'static [&'static str],
    shape: &'static Shape,
    field: &str,
) -> Result<Option<Node>, MergeError> {
    let Value::Sequence(mut patched) = patch.value else { return Ok(None) };
    let directive = list_directive(&mut patched)?;
    let held = match (directive, base) {
        (Directive::Delete, _) => return Ok(None),
        (Directive::Replace, _) | (Directive::Merge, None) => Vec::new(),
        (Directive::Merge, Some(base)) => match base.value {
            Value::Sequence(held) => held,
            _ => Vec::new(),
        },
    };
    let mut held = keyed(held, keys, field)?;
    let patched = keyed(patched, keys, field)?;
    if let Some(line) = mixed(keys, &held, &patched) {
        return Err(MergeError::NoKey { field: shown(field), key: keys.last().copied().unwrap_or_default(), line });
    }
    let mut merged = Vec::new();
    for (key, item) in patched {
        let at = held.iter().position(|(other, _)| *other == key);
        let under = at.map(|at| held.remove(at).1);
        let path = format!("{field}[{}]", key.join(","));
        if let Some(word) = item.get("$patch").filter(|word| word.text() == Some("replace")) {
            return Err(MergeError::Directive {
                directive: format!("$patch: replace` of the item `{path}"),
                line: word.line,
            });
        }
        let item = over(under, item, Some(Known::Mapping(shape)), &path)?;
        merged.extend(item.filter(|item| !item.entries().is_empty()));
    }
    merged.extend(held.into_iter().map(|(_, item)| item));
    Ok(Some(Node { line: patch.line, file: patch.file, value: Value::Sequence(merged) }))
}

type Keyed = Vec<(Vec<String>, Node)>;

/// Items with their keys; of a second key that is missing, an empty text.
fn keyed(items: Vec<Node>, keys: &'static [&'static str], field: &str) -> Result<Keyed, MergeError> {
    let mut keyed: Keyed = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for item in items {
        let mut key = Vec::new();
        for (at, name) in keys.iter().enumerate() {
            let text = item.get(name).and_then(Node::text).unwrap_or_default();
            if text.is_empty() && at == 0 {
                return Err(MergeError::NoKey { field: shown(field), key: name, line: item.line });
            }
            key.push(text.to_owned());
        }
        if !seen.insert(key.clone()) {
            return Err(MergeError::TwoItems { field: shown(field), key: key.join(","), line: item.line });
        }
        keyed.push((key, item));
    }
    Ok(keyed)
}

/// Where items of the same first key give their second key on one side only, kustomize loses the patch.
fn mixed(keys: &[&str], held: &Keyed, patched: &Keyed) -> Option<u32> {
    if keys.len() < 2 {
        return None;
    }
    let all: Vec<_> = held.iter().chain(patched).collect();
    patched
        .iter()
        .find(|(key, _)| all.iter().any(|(other, _)| key.first() == other.first() && has_gap(key) != has_gap(other)))
        .map(|(_, item)| item.line)
}

fn has_gap(key: &[String]) -> bool {
    key.iter().any(String::is_empty)
}

/// A set of texts: those of the patch, then those it does not have.
fn set(base: Option<Node>, patch: Node) -> Node {
    let mut merged: Vec<Node> = Vec::new();
    let held = base.map(|base| base.items().to_vec()).unwrap_or_default();
    for item in patch.items().iter().chain(&held) {
        if !merged.iter().any(|other| other.text() == item.text()) {
            merged.push(item.clone());
        }
    }
    Node { line: patch.line, file: patch.file, value: Value::Sequence(merged) }
}

/// Takes `$patch` out of a mapping.
fn take_directive(patch: &mut Node) -> Result<Directive, MergeError> {
    match edit::remove(patch, "$patch") {
        None => Ok(Directive::Merge),
        Some(node) => directive(&node),
    }
}

/// Takes an item that is nothing but `$patch` out of a list: it is of the list as a whole.
fn list_directive(items: &mut Vec<Node>) -> Result<Directive, MergeError> {
    let is_directive = |item: &Node| item.entries().len() == 1 && item.get("$patch").is_some();
    match items.iter().position(is_directive) {
        None => Ok(Directive::Merge),
        Some(at) => items.remove(at).get("$patch").map_or(Ok(Directive::Merge), directive),
    }
}

fn directive(node: &Node) -> Result<Directive, MergeError> {
    match node.text() {
        Some("merge") => Ok(Directive::Merge),
        Some("replace") => Ok(Directive::Replace),
        Some("delete") => Ok(Directive::Delete),
        other => {
            Err(MergeError::Directive { directive: format!("$patch: {}", other.unwrap_or_default()), line: node.line })
        }
    }
}

fn check_directives(node: &Node) -> Result<(), MergeError> {
    for (key, value) in node.entries() {
        if let Some(directive) = key.text().filter(|key| key.starts_with('$') && *key != "$patch") {
            return Err(MergeError::Directive { directive: directive.to_owned(), line: key.line });
        }
        check_directives(value)?;
    }
    node.items().iter().try_for_each(check_directives)
}

/// A `$patch` that no merge took out: it stands where kustomize does not look for one.
pub fn left_over(node: &Node) -> Option<u32> {
    let own = node.entries().iter().find(|(key, _)| key.text() == Some("$patch")).map(|(key, _)| key.line);
    own.or_else(|| node.entries().iter().find_map(|(_, value)| left_over(value)))
        .or_else(|| node.items().iter().find_map(left_over))
}

const fn shape_name(node: &Node) -> &'static str {
    match node.value {
        Value::Scalar(Scalar { .. }) => "value",
        Value::Sequence(_) => "list",
        Value::Mapping(_) => "mapping",
    }
}

fn shown(field: &str) -> String {
    if field.is_empty() { "the object".to_owned() } else { field.to_owned() }
}
