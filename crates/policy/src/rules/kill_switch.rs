//! The lock contract, rule `kill-switch`: one kill switch, halted, and nothing over it.

mod lookalikes;
mod mounts;
mod settings;

use crate::finding::{Finding, Rule};
use crate::object::Object;
use crate::switch::{KEY, NAME, NAMESPACE, is_switch};
use crate::world::World;
use crate::yaml::node::{Node, Value};

const REMEDY: &str =
    "keep one ConfigMap `agenttrader-kill-switch` in `trading-floor`, with `EXECUTION_HALTED: \"1\"` and nothing else";

/// What is wrong with the switch, and what would stand in for it.
pub fn judge(world: &World<'_>) -> Vec<Finding> {
    let mut findings = the_one(world);
    rendered(world, &mut findings);
    settings::judge(world, &mut findings);
    mounts::judge(world, &mut findings);
    lookalikes::judge(world, &mut findings);
    findings
}

/// Over the raw documents: exactly one.
fn the_one(world: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let all: Vec<&Object<'_>> = world.raw().iter().filter(|object| is_switch(object)).collect();
    let plain: Vec<_> = all.iter().filter(|object| !object.alternative && !object.patch).collect();
    if plain.is_empty() {
        let what = format!("no ConfigMap `{NAME}` in `{NAMESPACE}`: nothing says that execution is halted");
        findings.push(Finding::fail(Rule::KillSwitch, "", what, REMEDY));
    }
    for (index, object) in plain.iter().enumerate().filter(|_| plain.len() > 1) {
        let other = plain.get(usize::from(index == 0)).map_or("", |other| other.path);
        let what = format!("the kill switch stands twice, here and in {other}");
        findings.push(object.fail(Rule::KillSwitch, object.node, "metadata.name", what, REMEDY));
    }
    for object in &all {
        halted(object, &mut findings);
    }
    findings
}

/// Whether the switch says `1`, by its one key.
fn halted(object: &Object<'_>, findings: &mut Vec<Finding>) {
    let field = format!("data.{KEY}");
    match object.at(&["data", KEY]) {
        None => findings.push(object.fail(
            Rule::KillSwitch,
            object.node,
            &field,
            format!("the kill switch has no {KEY}"),
            REMEDY,
        )),
        Some(value) => {
            let is_one = value.scalar().is_some_and(|scalar| scalar.text == "1" && scalar.is_string());
            if !is_one {
                let what = "the kill switch is not the string `1`: it does not halt, or not for every reader";
                findings.push(object.fail(Rule::KillSwitch, value, &field, what, REMEDY));
            }
        }
    }
    if let Some(packed) = object.at(&["binaryData"]).filter(|packed| packed.get(KEY).is_some()) {
        let what = format!("the kill switch sets {KEY} in binaryData besides");
        findings.push(object.fail(Rule::KillSwitch, packed, "binaryData", what, REMEDY));
    }
    if let Some(immutable) = object.at(&["immutable"]).filter(|immutable| immutable.text() != Some("false")) {
        let what = "the kill switch is immutable: nobody could set it again";
        findings.push(object.fail(Rule::KillSwitch, immutable, "immutable", what, "take `immutable` out"));
    }
}

/// A rendered kustomization holds none, or exactly this one, unchanged.
fn rendered(world: &World<'_>, findings: &mut Vec<Finding>) {
    let raw = world.raw().iter().find(|object| is_switch(object) && !object.patch);
    for scope in world.scopes.iter().filter(|scope| scope.root.is_some()) {
        let gone = raw.filter(|raw| scope.took(raw) && !scope.objects.iter().any(is_named));
        if let (Some(root), Some(_)) = (scope.root, gone) {
            let what = "a kustomization takes the kill switch in and deletes it";
            let remedy = "take the patch off it, or do not name its file in `resources`";
            findings.push(Finding::fail(Rule::KillSwitch, root, what, remedy).field("patches"));
        }
        let named = scope.objects.iter().filter(|object| is_named(object));
        for (index, object) in named.enumerate() {
            let unchanged = raw.is_some_and(|raw| {
                ["data", "binaryData", "immutable"].iter().all(|key| same(raw.at(&[key]), object.at(&[key])))
            });
            if index > 0 {
                let what = "a kustomization renders the kill switch twice";
                findings.push(object.fail(Rule::KillSwitch, object.node, "metadata.name", what, REMEDY));
            } else if !is_switch(object) || !unchanged {
                let what = format!("a kustomization changes the kill switch, to {}", object.label());
                let remedy = "take the patch, the generator, the prefix or the namespace off the kill switch";
                let changed = object.at(&["data", KEY]).unwrap_or(object.node);
                findings.push(object.fail(Rule::KillSwitch, changed, "data", what, remedy));
            }
        }
    }
}

/// Whether it bears the switch's name, with whatever a kustomization has put before or behind it.
fn is_named(object: &Object<'_>) -> bool {
    object.kind == "ConfigMap" && object.name.contains(NAME)
}

/// Whether two values mean the same; order of keys and place do not matter.
fn same(one: Option<&Node>, other: Option<&Node>) -> bool {
    match (one.map(|node| &node.value), other.map(|node| &node.value)) {
        (None, None) => true,
        (Some(Value::Scalar(one)), Some(Value::Scalar(other))) => {
            one.text == other.text && one.is_string() == other.is_string()
        }
        (Some(Value::Mapping(one)), Some(Value::Mapping(two))) => {
            one.len() == two.len()
                && one.iter().all(|(key, value)| {
                    key.text().is_some_and(|key| same(Some(value), other.and_then(|other| other.get(key))))
                })
        }
        _ => false,
    }
}
