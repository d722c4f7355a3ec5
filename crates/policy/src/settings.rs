//! Every place that gives one of the watched keys a value: what runs it does not matter.
//!
//! The lock contract, "What counts": `AGENT_MODE`, `EXECUTION_HALTED` and `EXECUTION_HALTED_FILE` wherever they stand as a key or
//! are assigned in a script; nothing in comments, annotations, labels or prose.

use crate::environment::Source;
use crate::found::{Assignment, Key, Said, is_mode_spelling};
use crate::object::Object;
use crate::place::Place;
use crate::pod::Pod;
use crate::resolve::{data, unpacked};
use crate::texts::Text;
use crate::values::Values;
use crate::yaml::node::{Node, Value};
use std::collections::BTreeSet;

/// What kind of place gives the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A container's environment.
    Environment(Source<'a>),
    /// A key of a ConfigMap or Secret.
    Data,
    /// Any other key of an object.
    Field,
    /// A text inside an object: a command, a script, a file in a ConfigMap.
    Inside,
    /// A file that is no object.
    File,
}

/// A watched key that is given a value.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    /// Which.
    pub key: Key,
    /// What it may be.
    pub values: Values,
    /// Whether every reader takes the value for a text.
    pub string: bool,
    /// Whether readers of YAML 1.1 and 1.2 take the value differently.
    pub ambiguous: bool,
    /// What gives it.
    pub kind: Kind<'a>,
    /// Where.
    pub place: Place<'a>,
}

/// Every setting of a scope's objects.
pub fn of_objects<'a>(objects: &[Object<'a>], pods: &[Pod<'a>]) -> Vec<Setting<'a>> {
    let mut found = Vec::new();
    let mut containers = BTreeSet::new();
    for pod in pods {
        let node = std::ptr::from_ref(pod.object.node);
        containers.extend(pod.containers.iter().map(|container| (node, container.field.as_str())));
    }
    for object in objects {
        of_data(*object, &mut found);
        let mut own = Vec::new();
        fields(*object, object.node, "", 0, &mut own);
        own.retain(|setting| !is_read_below(setting, &containers));
        found.append(&mut own);
    }
    for pod in pods {
        of_environment(pod, &mut found);
    }
    found
}

/// Every setting of a text.
pub fn of_text<'a>(text: &Text<'a>) -> Vec<Setting<'a>> {
    let kind = if text.place.object.is_some() { Kind::Inside } else { Kind::File };
    text.found.assignments.iter().map(|assignment| of_assignment(assignment, kind, text)).collect()
}

fn of_assignment<'a>(assignment: &Assignment, kind: Kind<'a>, text: &Text<'a>) -> Setting<'a> {
    let values = match &assignment.value {
        Said::Known(text) => Values::known(text.clone()),
        Said::Unknown(why) => Values::unknown(why.clone()),
    };
    let scalar = crate::yaml::node::Scalar {
        text: assignment.value.known().unwrap_or("").to_owned(),
        plain: assignment.plain && text.typed,
    };
    let field = text.place.field.clone().or_else(|| Some(assignment.spelled.clone()));
    let place = Place { field, ..text.at(assignment.line) };
    Setting { key: assignment.key, values, string: scalar.is_string(), ambiguous: scalar.is_ambiguous(), kind, place }
}

fn setting<'a>(key: Key, object: Object<'a>, value: &'a Node, field: String, kind: Kind<'a>) -> Setting<'a> {
    let scalar = value.scalar();
    Setting {
        key,
        values: scalar.map_or_else(|| Values::unknown("it is no text"), |scalar| said(&scalar.text)),
        string: scalar.is_some_and(|scalar| scalar.is_string()),
        ambiguous: scalar.is_some_and(|scalar| scalar.is_ambiguous()),
        kind,
        place: Place::of_object(object, value, field),
    }
}

fn said(text: &str) -> Values {
    match Said::of_configuration(text) {
        Said::Known(text) => Values::known(text),
        Said::Unknown(why) => Values::unknown(why),
    }
}

/// ConfigMaps and Secrets, also what is packed in them.
fn of_data<'a>(object: Object<'a>, found: &mut Vec<Setting<'a>>) {
    if !matches!(object.kind, "ConfigMap" | "Secret") {
        return;
    }
    for field in ["data", "binaryData", "stringData"] {
        let packed = field == "binaryData" || field == "data" && object.kind == "Secret";
        for (key, value) in object.node.get(field).map(Node::entries).unwrap_or_default() {
            let Some(known) = key.scalar().and_then(|key| Key::of_variable(&key.text)) else { continue };
            let mut setting = setting(known, object, value, format!("{field}.{}", known.name()), Kind::Data);
            if packed {
                setting.values = unpacked(value);
                setting.string = true;
                setting.ambiguous = false;
            }
            found.push(setting);
        }
    }
}

/// Watched keys in any other field. `depth` 0 is the object itself.
fn fields<'a>(object: Object<'a>, node: &'a Node, field: &str, depth: usize, found: &mut Vec<Setting<'a>>) {
    named(object, node, field, found);
    for (index, item) in node.items().iter().enumerate() {
        let inside = format!("{field}[{index}]");
        if let Some(text) = item.text() {
            pair(object, item, text, &inside, found);
        }
        fields(object, item, &inside, depth.saturating_add(1), found);
    }
    let is_data = depth == 0 && matches!(object.kind, "ConfigMap" | "Secret");
    for (key, value) in node.entries() {
        let name = key.text().unwrap_or("");
        if matches!(name, "annotations" | "labels" | "matchLabels")
            || is_data && matches!(name, "data" | "binaryData" | "stringData")
        {
            continue;
        }
        let inside = if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
        match Key::of_variable(name) {
            Some(known) => of_key(object, known, value, &inside, found),
            // Others use these words too, for something else; only a value that would trade is a mode.
            None if is_mode_spelling(name)
                && value.text().is_some_and(|text| text.trim().eq_ignore_ascii_case("execute")) =>
            {
                found.push(setting(Key::AgentMode, object, value, inside.clone(), Kind::Field));
            }
            None => {}
        }
        fields(object, value, &inside, depth.saturating_add(1), found);
    }
}

/// The value of a watched key: a text, or a mapping that holds it.
fn of_key<'a>(object: Object<'a>, key: Key, value: &'a Node, field: &str, found: &mut Vec<Setting<'a>>) {
    match &value.value {
        Value::Scalar(_) => found.push(setting(key, object, value, field.to_owned(), Kind::Field)),
        _ => {
            for name in ["value", "default"] {
                if let Some(inner) = value.get(name) {
                    found.push(setting(key, object, inner, format!("{field}.{name}"), Kind::Field));
                }
            }
        }
    }
}

/// `{name: AGENT_MODE, value: …}` outside a container's environment, and a patch's `{path: …/AGENT_MODE, value: …}`.
fn named<'a>(object: Object<'a>, node: &'a Node, field: &str, found: &mut Vec<Setting<'a>>) {
    // `{secretKey: AGENT_MODE, remoteRef: …}`: a store outside the tree decides.
    let fetched = node.get("secretKey").and_then(|at| Some((at, Key::of_variable(at.text()?)?)));
    if let Some((at, key)) = fetched.filter(|_| node.get("remoteRef").is_some() || node.get("sourceRef").is_some()) {
        let mut fetched = setting(key, object, at, format!("{field}.secretKey"), Kind::Field);
        fetched.values = Values::unknown("a store outside the tree");
        found.push(fetched);
    }
    let Some(value) = node.get("value") else { return };
    let key = ["name", "key", "path"].into_iter().find_map(|name| {
        let text = node.get(name).and_then(Node::text)?;
        Key::of_variable(text.rsplit('/').next().unwrap_or(text))
    });
    // `{name: agent.agentMode, value: …}` of a chart: others use these words too, for something else.
    let parameter = node.get("name").and_then(Node::text).and_then(Key::of_configuration);
    let trades = value.text().is_some_and(|text| text.trim().eq_ignore_ascii_case("execute"));
    if let Some(key) = key.or_else(|| parameter.filter(|_| trades)) {
        found.push(setting(key, object, value, format!("{field}.value"), Kind::Field));
    }
}

/// Whether a setting is an entry of a container's own list, which [`of_environment`] reads.
fn is_read_below(setting: &Setting<'_>, containers: &BTreeSet<(*const Node, &str)>) -> bool {
    let entry = setting.place.field.as_deref().and_then(|field| field.rsplit_once(".env["));
    let node = setting.place.object.map(|object| std::ptr::from_ref(object.node));
    entry.zip(node).is_some_and(|((container, _), node)| containers.contains(&(node, container)))
}

/// `AGENT_MODE=…` as one text of a list: what generators and some custom kinds take.
fn pair<'a>(object: Object<'a>, item: &'a Node, text: &str, field: &str, found: &mut Vec<Setting<'a>>) {
    let Some((name, value)) = text.split_once('=') else { return };
    let Some(key) = Key::of_variable(name.trim()) else { return };
    let values =
        said(value.strip_prefix(['"', '\'']).and_then(|inner| inner.strip_suffix(['"', '\''])).unwrap_or(value));
    let place = Place::of_object(object, item, field);
    found.push(Setting { key, values, string: true, ambiguous: false, kind: Kind::Field, place });
}

fn of_environment<'a>(pod: &Pod<'a>, found: &mut Vec<Setting<'a>>) {
    for container in &pod.containers {
        for variable in &container.environment.variables {
            let Some(key) = Key::of_variable(&variable.name) else { continue };
            let scalar = variable.at.scalar();
            let spelled = variable.source == Source::Literal;
            let open = variable.values.known.iter().find(|text| crate::found::is_template(text)).cloned();
            let values = match open {
                Some(text) if spelled => said(&text),
                _ => variable.values.clone(),
            };
            found.push(Setting {
                key,
                values,
                string: !spelled || scalar.is_some_and(|scalar| scalar.is_string()),
                ambiguous: spelled && scalar.is_some_and(|scalar| scalar.is_ambiguous()),
                kind: Kind::Environment(variable.source),
                place: Place::of_object(pod.object, variable.at, variable.field.clone()),
            });
        }
    }
}

/// Keys and values of every ConfigMap and Secret, for those who look for something else in them.
pub fn all_data<'a>(objects: &[Object<'a>]) -> Vec<(Object<'a>, String, Values)> {
    let holders = objects.iter().filter(|object| matches!(object.kind, "ConfigMap" | "Secret"));
    holders.flat_map(|object| data(*object).into_iter().map(|(key, values)| (*object, key, values))).collect()
}
