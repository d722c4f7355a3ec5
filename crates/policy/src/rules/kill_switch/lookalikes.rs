//! A second switch by another name: people would set the one and the code would read the other.

use crate::finding::{Finding, Rule};
use crate::found::Lines;
use crate::judged::Form;
use crate::object::Object;
use crate::place::Place;
use crate::world::World;
use crate::yaml::node::Node;

const PART: &str = "KILL_SWITCH";
const REMEDY: &str = "use EXECUTION_HALTED of the ConfigMap `agenttrader-kill-switch`; there is one kill switch";

/// Every variable or key whose name claims to be a kill switch.
pub fn judge(world: &World<'_>, findings: &mut Vec<Finding>) {
    for object in world.objects() {
        keys(object, object.node, "", findings);
    }
    for (file, node) in world.documents().filter(|(file, _)| file.form == Form::Documents) {
        plain_keys(file.path, node, findings);
    }
    for file in world.files.iter().filter(|file| matches!(file.form, Form::Settings | Form::Script)) {
        assigned(file.path, &crate::yaml::bytes::text(file.bytes), findings);
    }
}

fn keys(object: &Object<'_>, node: &Node, field: &str, findings: &mut Vec<Finding>) {
    let variable = node.get("name").filter(|name| name.text().is_some_and(|name| name.contains(PART)));
    if let Some(name) = variable.filter(|_| node.get("value").is_some() || node.get("valueFrom").is_some()) {
        findings.push(object.fail(
            Rule::KillSwitch,
            name,
            &format!("{field}.name"),
            what(name.text().unwrap_or("")),
            REMEDY,
        ));
    }
    for (index, item) in node.items().iter().enumerate() {
        let inside = format!("{field}[{index}]");
        let named = item.text().and_then(|text| text.split_once('=')).map(|(name, _)| name.trim());
        if let Some(name) = named.filter(|name| name.contains(PART) && is_name(name)) {
            findings.push(object.fail(Rule::KillSwitch, item, &inside, what(name), REMEDY));
        }
        keys(object, item, &inside, findings);
    }
    for (key, value) in node.entries() {
        let name = key.text().unwrap_or("");
        if matches!(name, "annotations" | "labels" | "matchLabels") {
            continue;
        }
        let inside = if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
        if name.contains(PART) {
            findings.push(object.fail(Rule::KillSwitch, key, &inside, what(name), REMEDY));
        }
        keys(object, value, &inside, findings);
    }
}

fn what(name: &str) -> String {
    format!("`{name}` looks like a second kill switch")
}

fn plain_keys(path: &str, node: &Node, findings: &mut Vec<Finding>) {
    node.items().iter().for_each(|item| plain_keys(path, item, findings));
    for (key, value) in node.entries() {
        if let Some(name) = key.text().filter(|name| name.contains(PART)) {
            findings.push(Place::of_file(path, key.line).fail(Rule::KillSwitch, name, what(name), REMEDY));
        }
        plain_keys(path, value, findings);
    }
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Assignments at the beginning of a line.
fn assigned(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let lines = Lines::of(text);
    for (at, _) in text.match_indices(PART) {
        let begin = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end.saturating_add(1));
        let line = text.get(begin..).unwrap_or("").lines().next().unwrap_or("").trim();
        let line = line.strip_prefix("export ").or_else(|| line.strip_prefix("readonly ")).unwrap_or(line);
        let name = line.split_once('=').map_or("", |(name, _)| name.trim().trim_matches('"'));
        if name.contains(PART) && is_name(name) {
            findings.push(Place::of_file(path, lines.at(at)).fail(Rule::KillSwitch, name, what(name), REMEDY));
        }
    }
}
