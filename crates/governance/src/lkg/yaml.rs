//! Objects as YAML, in one way: keys in order, every text in double quotes as JSON writes it, nothing that readers take differently.

use agenttrader_policy::yaml::node::{Node, Value as Shape};
use serde_json::{Map, Value};

/// A node as a JSON value. What is plain and no number, truth or nothing is a text.
pub(super) fn value(node: &Node) -> Value {
    match &node.value {
        Shape::Mapping(entries) => {
            let pairs = entries.iter().map(|(key, value)| {
                (key.scalar().map(|scalar| scalar.text.clone()).unwrap_or_default(), self::value(value))
            });
            Value::Object(pairs.collect::<Map<String, Value>>())
        }
        Shape::Sequence(items) => Value::Array(items.iter().map(value).collect()),
        Shape::Scalar(scalar) if !scalar.plain => Value::String(scalar.text.clone()),
        Shape::Scalar(scalar) if scalar.is_null() => Value::Null,
        Shape::Scalar(scalar) => match serde_json::from_str::<Value>(&scalar.text) {
            Ok(value @ (Value::Bool(_) | Value::Number(_))) => value,
            _ => Value::String(scalar.text.clone()),
        },
    }
}

/// Objects as documents of one file.
pub(super) fn documents(objects: &[Value]) -> String {
    let mut out = String::new();
    for object in objects {
        out.push_str("---\n");
        write(object, 0, &mut out);
    }
    out
}

/// Writes what begins on a line of its own.
fn write(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| rank(key, indent));
            for (key, value) in entries {
                pad(indent, out);
                out.push_str(&name(key));
                out.push(':');
                after(value, indent, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                pad(indent, out);
                out.push('-');
                after(item, indent, out);
            }
        }
        scalar => {
            pad(indent, out);
            out.push_str(&flat(scalar));
            out.push('\n');
        }
    }
}

/// Writes what stands behind a key or a dash: on the same line where it fits there.
fn after(value: &Value, indent: usize, out: &mut String) {
    let is_empty = match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    };
    if is_empty {
        out.push(' ');
        out.push_str(&flat(value));
        out.push('\n');
    } else {
        out.push('\n');
        write(value, indent.saturating_add(2), out);
    }
}

/// What an object is stands first.
fn rank(key: &str, indent: usize) -> (usize, String) {
    const FIRST: [&str; 3] = ["apiVersion", "kind", "metadata"];
    let at = FIRST.iter().position(|first| *first == key).filter(|_| indent == 0);
    (at.unwrap_or(FIRST.len()), key.to_owned())
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A scalar as JSON writes it; what some readers of YAML take for a line's end or the end of a text is escaped besides.
fn flat(scalar: &Value) -> String {
    let mut out = String::new();
    for letter in scalar.to_string().chars() {
        match letter {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ => out.push(letter),
        }
    }
    out
}

/// A key: bare where every reader takes it for the same text.
fn name(key: &str) -> String {
    let is_bare = key.len() > 1
        && key.starts_with(|first: char| first.is_ascii_alphabetic())
        && key.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/'))
        && !matches!(key.to_ascii_lowercase().as_str(), "yes" | "no" | "on" | "off" | "true" | "false" | "null");
    if is_bare { key.to_owned() } else { flat(&Value::String(key.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_policy::yaml::read::read;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_back_as_it_was_by_the_policys_reader() {
        let object = json!({
            "apiVersion": "v1", "kind": "X", "metadata": {"name": "a", "labels": {}},
            "on": "off", "y": "yes", "null": null, "1": 1, "~": "~", "a b": "#c: d",
            "texts": ["1", "0o7", "1:30", "", " ", "a\nb\n", "é\u{85}\u{2028}\u{7f}\u{feff}", "\u{1}\"\\", "<<", "---"],
            "numbers": [0, -1, 1.5, 9_007_199_254_740_993_u64], "nested": [[], {}, [[1], {"a": [{"b": true}]}]],
        });
        let text = documents(&[object.clone(), json!({"kind": "Y"})]);
        let read = read("a.yaml", text.as_bytes());
        assert_eq!(read.documents.iter().map(value).collect::<Vec<_>>(), [object, json!({"kind": "Y"})], "{text}");
        assert!(read.alternatives.is_empty());
        assert!(text.starts_with("---\napiVersion: \"v1\"\nkind: \"X\"\nmetadata:\n"), "{text}");
    }
}
