//! JSON patches (RFC 6902), as kustomize applies them.

use crate::yaml::node::{Node, Value};

use super::edit;

/// How many nodes one patch may put in: copies of copies grow without end.
const NODES: usize = 100_000;

/// Why a JSON patch cannot be applied.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct JsonPatchError {
    /// Line of the operation.
    pub line: u32,
    problem: String,
}

impl JsonPatchError {
    fn new(line: u32, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into() }
    }
}

/// Whether a document is a list of operations.
pub fn is_json_patch(document: &Node) -> bool {
    matches!(&document.value, Value::Sequence(items) if items.iter().all(|item| item.get("op").is_some()))
}

/// Applies the operations in order; the object is changed only as a whole.
///
/// # Errors
///
/// At the first operation that cannot be carried out.
pub fn apply(object: &mut Node, operations: &Node) -> Result<(), JsonPatchError> {
    let mut changed = object.clone();
    let mut left = NODES;
    for operation in operations.items() {
        one(&mut changed, operation, &mut left)?;
    }
    *object = changed;
    Ok(())
}

fn one(object: &mut Node, operation: &Node, left: &mut usize) -> Result<(), JsonPatchError> {
    let line = operation.line;
    let text = |key: &str| operation.get(key).and_then(Node::text);
    if let Some((key, _)) =
        operation.entries().iter().find(|(key, _)| !matches!(key.text(), Some("op" | "path" | "value" | "from")))
    {
        return Err(JsonPatchError::new(
            key.line,
            "an operation has `op`, `path`, `value` and `from`, and nothing else",
        ));
    }
    let path = operation
        .get("path")
        .and_then(Node::scalar)
        .map(|path| pointer(&path.text))
        .ok_or_else(|| JsonPatchError::new(line, "the operation has no `path`"))?
        .ok_or_else(|| JsonPatchError::new(line, "`path` is no JSON pointer to a field"))?;
    let value = || {
        let value = operation.get("value").cloned();
        value.ok_or_else(|| JsonPatchError::new(line, "the operation has no `value`"))
    };
    let from = || {
        text("from").and_then(pointer).ok_or_else(|| JsonPatchError::new(line, "`from` is no JSON pointer to a field"))
    };
    match text("op") {
        Some("add") => put(object, &path, value()?, line, left),
        Some("replace") => {
            let value = value()?;
            afford(&path, &value, line, left)?;
            *find(object, &path).ok_or_else(|| missing(&path, line))? = value;
            Ok(())
        }
        Some("remove") => take(object, &path, line).map(drop),
        Some("move") => {
            let moved = take(object, &from()?, line)?;
            put(object, &path, moved, line, left)
        }
        Some("copy") => {
            let from = from()?;
            let copied = find(object, &from).ok_or_else(|| missing(&from, line))?;
            afford(&path, copied, line, left)?;
            let copied = copied.clone();
            put(object, &path, copied, line, left)
        }
        Some("test") => {
            let wanted = value()?;
            match find(object, &path) {
                Some(held) if same(held, &wanted) => Ok(()),
                _ => Err(JsonPatchError::new(line, format!("the test of `/{}` does not hold", path.join("/")))),
            }
        }
        other => Err(JsonPatchError::new(line, format!("`{}` is no operation", other.unwrap_or_default()))),
    }
}

/// The parts of a pointer; none of one that means the whole object or is malformed.
fn pointer(text: &str) -> Option<Vec<String>> {
    let parts = text.strip_prefix('/')?.split('/');
    Some(parts.map(|part| part.replace("~1", "/").replace("~0", "~")).collect())
}

fn missing(path: &[String], line: u32) -> JsonPatchError {
    JsonPatchError::new(line, format!("there is no `/{}`", path.join("/")))
}

fn find<'a>(object: &'a mut Node, path: &[String]) -> Option<&'a mut Node> {
    let Some((part, rest)) = path.split_first() else { return Some(object) };
    let child = match object.value {
        Value::Sequence(ref mut items) => items.get_mut(index(part)?),
        _ => edit::child_mut(object, part),
    };
    find(child?, rest)
}

/// Whether a value may be put at a path: not too deep, and not too much.
fn afford(path: &[String], value: &Node, line: u32, left: &mut usize) -> Result<(), JsonPatchError> {
    if path.len().saturating_add(edit::depth(value)) > edit::DEPTH {
        return Err(JsonPatchError::new(line, format!("the object becomes more than {} levels deep", edit::DEPTH)));
    }
    *left = left
        .checked_sub(edit::size(value))
        .ok_or_else(|| JsonPatchError::new(line, format!("the patch puts in more than {NODES} values")))?;
    Ok(())
}

fn put(object: &mut Node, path: &[String], value: Node, line: u32, left: &mut usize) -> Result<(), JsonPatchError> {
    afford(path, &value, line, left)?;
    let Some((last, parents)) = path.split_last() else { return Err(missing(path, line)) };
    let parent = find(object, parents).ok_or_else(|| missing(parents, line))?;
    let done = if let Value::Sequence(items) = &mut parent.value {
        let at = if last == "-" { Some(items.len()) } else { index(last) };
        match at.filter(|at| *at <= items.len()) {
            Some(at) => {
                items.insert(at, value);
                true
            }
            None => false,
        }
    } else {
        // A null is no mapping here: kustomize refuses to add to it.
        !edit::is_null(parent) && edit::set(parent, last, value)
    };
    if done { Ok(()) } else { Err(missing(path, line)) }
}

fn take(object: &mut Node, path: &[String], line: u32) -> Result<Node, JsonPatchError> {
    let Some((last, parents)) = path.split_last() else { return Err(missing(path, line)) };
    let parent = find(object, parents).ok_or_else(|| missing(parents, line))?;
    let taken = if let Value::Sequence(items) = &mut parent.value {
        index(last).filter(|at| *at < items.len()).map(|at| items.remove(at))
    } else {
        edit::remove(parent, last)
    };
    taken.ok_or_else(|| missing(path, line))
}

/// An index of a list: digits. Others (negative ones, which some tools count from the end) find nothing.
fn index(part: &str) -> Option<usize> {
    let digits = part.bytes().all(|byte| byte.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
    if digits { part.parse().ok() } else { None }
}

/// Equal as far as this needs: the same texts, written alike, in the same shapes.
fn same(left: &Node, right: &Node) -> bool {
    match (&left.value, &right.value) {
        (Value::Scalar(left), Value::Scalar(right)) => {
            left.text == right.text && (left.plain == right.plain || left.is_string() && right.is_string())
        }
        (Value::Sequence(left), Value::Sequence(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Mapping(left), Value::Mapping(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| {
                    right.iter().any(|(other, held)| key.text() == other.text() && same(value, held))
                })
        }
        _ => false,
    }
}
