//! A container's environment, as the kubelet would make it of what stands in the tree.
//!
//! `envFrom` in order, later over earlier, with its prefixes; `env` over that, the last of a name wins; `$(NAME)` of what was set
//! before. ConfigMaps and Secrets give their data; what the tree does not hold is unknown, and so is what is only known to a
//! running pod.

use crate::environment::{Environment, Open, Source, Variable};
use crate::object::Object;
use crate::pod::Pod;
use crate::values::{Values, expand};
use crate::yaml::node::{Node, Value};
use base64::Engine;
use std::collections::BTreeMap;

/// Finds the objects that a reference may mean: kind, namespace, name.
pub type Find<'f, 'a> = &'f dyn Fn(&str, Option<&str>, &str) -> Vec<Object<'a>>;

/// The environment of a container of a pod.
pub fn environment<'a>(find: Find<'_, 'a>, pod: &Pod<'a>, container: &'a Node, field: &str) -> Environment<'a> {
    let mut made = Environment::default();
    let namespace = pod.object.namespace;
    for (index, entry) in container.get("envFrom").map(Node::items).unwrap_or_default().iter().enumerate() {
        env_from(find, namespace, entry, format!("{field}.envFrom[{index}]"), &mut made);
    }
    let Some(env) = container.get("env") else { return made };
    for (index, entry) in env.items().iter().enumerate() {
        let Some(name) = entry.get("name").and_then(Node::text) else { continue };
        let field = format!("{field}.env[{index}]");
        let variable = match (entry.get("value"), entry.get("valueFrom")) {
            (_, Some(from)) if !from.entries().is_empty() => value_from(find, pod, name, from, field),
            (Some(value), _) => literal(&made, name, value, format!("{field}.value")),
            (None, _) => {
                Variable { name: name.to_owned(), values: Values::known(""), source: Source::Literal, at: entry, field }
            }
        };
        made.variables.push(variable);
    }
    // Not of Kubernetes: some custom kinds write names and values as a mapping.
    for (name, value) in env.entries() {
        let Some(name) = name.text() else { continue };
        let variable = literal(&made, name, value, format!("{field}.env.{name}"));
        made.variables.push(variable);
    }
    made
}

fn literal<'a>(made: &Environment<'a>, name: &str, value: &'a Node, field: String) -> Variable<'a> {
    let values = match value.scalar() {
        Some(scalar) if scalar.is_null() => Values::known(""),
        Some(scalar) => expand(&scalar.text, &|name| made.reference(name)),
        None => Values::unknown("its value is no text"),
    };
    Variable { name: name.to_owned(), values, source: Source::Literal, at: value, field }
}

fn env_from<'a>(
    find: Find<'_, 'a>,
    namespace: Option<&str>,
    entry: &'a Node,
    field: String,
    made: &mut Environment<'a>,
) {
    let prefix = entry.get("prefix").and_then(Node::text).unwrap_or("").to_owned();
    let sources = [("configMapRef", "ConfigMap"), ("secretRef", "Secret")];
    let Some((reference, kind)) = sources.into_iter().find_map(|(key, kind)| Some((entry.get(key)?, kind))) else {
        made.open.push(Open {
            prefix,
            why: "a source that is neither ConfigMap nor Secret".to_owned(),
            at: entry,
            field,
        });
        return;
    };
    let name = reference.get("name").and_then(Node::text).unwrap_or("");
    let objects = find(kind, namespace, name);
    if objects.is_empty() {
        let why = format!("all of {kind} `{name}`, which is not in the tree");
        made.open.push(Open { prefix: prefix.clone(), why, at: entry, field: field.clone() });
    }
    let mut all: BTreeMap<String, Values> = BTreeMap::new();
    for (key, values) in objects.into_iter().flat_map(data) {
        let before = all.remove(&key).unwrap_or_default();
        all.insert(key, before.or(values));
    }
    for (key, values) in all {
        let name = format!("{prefix}{key}");
        made.variables.push(Variable { name, values, source: Source::EnvFrom, at: entry, field: field.clone() });
    }
}

fn value_from<'a>(find: Find<'_, 'a>, pod: &Pod<'a>, name: &str, from: &'a Node, field: String) -> Variable<'a> {
    let text = |node: &'a Node, key: &str| node.get(key).and_then(Node::text).unwrap_or("");
    let keyed = |kind: &str, reference: &'a Node| {
        key(find, kind, pod.object.namespace, text(reference, "name"), text(reference, "key"))
    };
    let (values, source) = if let Some(reference) = from.get("configMapKeyRef") {
        let optional = reference.get("optional").is_some_and(|optional| optional.text() != Some("false"));
        let source = Source::ConfigMapKey { name: text(reference, "name"), key: text(reference, "key"), optional };
        (keyed("ConfigMap", reference), source)
    } else if let Some(reference) = from.get("secretKeyRef") {
        (keyed("Secret", reference), Source::Other)
    } else if let Some(reference) = from.get("fieldRef") {
        (pod_field(pod, text(reference, "fieldPath")), Source::Other)
    } else {
        (Values::unknown("it is known to the running pod alone"), Source::Other)
    };
    Variable { name: name.to_owned(), values, source, at: from, field: format!("{field}.valueFrom") }
}

/// What one key of the ConfigMaps or Secrets of a name may be.
fn key(find: Find<'_, '_>, kind: &str, namespace: Option<&str>, name: &str, key: &str) -> Values {
    let objects = find(kind, namespace, name);
    if objects.is_empty() {
        return Values::unknown(format!("key `{key}` of {kind} `{name}`, which is not in the tree"));
    }
    let missing = || Values::unknown(format!("{kind} `{name}` has no key `{key}` in the tree"));
    objects.into_iter().fold(Values::default(), |all, object| {
        let own = data(object)
            .into_iter()
            .filter(|(own, _)| own == key)
            .fold(Values::default(), |all, (_, values)| all.or(values));
        all.or(if own.is_absent() { missing() } else { own })
    })
}

/// Keys and values of a ConfigMap or Secret.
pub fn data(object: Object<'_>) -> Vec<(String, Values)> {
    let secret = object.kind == "Secret";
    let plain = if secret { "stringData" } else { "data" };
    let packed = if secret { "data" } else { "binaryData" };
    let entries = |field: &str| object.node.get(field).map(Node::entries).unwrap_or_default();
    let mut found: Vec<(String, Values)> = Vec::new();
    for (key, value) in entries(plain) {
        found.push((key.scalar().map(|key| key.text.clone()).unwrap_or_default(), scalar(value)));
    }
    for (key, value) in entries(packed) {
        let key = key.scalar().map(|key| key.text.clone()).unwrap_or_default();
        if !found.iter().any(|(own, _)| *own == key) {
            found.push((key, unpacked(value)));
        }
    }
    found
}

fn scalar(value: &Node) -> Values {
    value.scalar().map_or_else(|| Values::unknown("its value is no text"), |scalar| Values::known(scalar.text.clone()))
}

/// The text of a base64 value.
pub fn unpacked(value: &Node) -> Values {
    let text =
        value.scalar().map(|scalar| scalar.text.split_ascii_whitespace().collect::<String>()).unwrap_or_default();
    let bytes = base64::engine::general_purpose::STANDARD.decode(text);
    match bytes.map(String::from_utf8) {
        Ok(Ok(text)) => Values::known(text),
        _ => Values::unknown("it is no text in base64"),
    }
}

fn pod_field(pod: &Pod<'_>, path: &str) -> Values {
    let running = || Values::unknown(format!("`{path}` is known to the running pod alone"));
    for map in ["labels", "annotations"] {
        let inner = path
            .strip_prefix("metadata.")
            .and_then(|rest| rest.strip_prefix(map))
            .and_then(|rest| rest.strip_prefix("['"));
        let Some(key) = inner.and_then(|rest| rest.strip_suffix("']")) else { continue };
        let value = pod.metadata.and_then(|metadata| metadata.at(&[map, key]));
        return match value.map(|node| (&node.value, node)) {
            Some((Value::Scalar(scalar), _)) => Values::known(scalar.text.clone()),
            _ => running(),
        };
    }
    match path {
        // A controller puts something random behind the name.
        "metadata.name" if pod.object.kind == "Pod" => Values::known(pod.object.name),
        "metadata.name" => Values::known(format!("{}-…", pod.object.name)),
        "metadata.namespace" => pod.object.namespace.map_or_else(running, Values::known),
        "spec.serviceAccountName" => {
            let account = pod.service_account().and_then(Node::text);
            account.map_or_else(running, Values::known)
        }
        _ => running(),
    }
}
