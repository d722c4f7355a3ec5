//! Facts of objects, and of every place that sets a watched key outside a container's environment.

use super::{Class, FILE, Fact, Facts, Key, RENDERED, at, without_positions};
use crate::actors::offence::Kind;
use agenttrader_policy::found::Key as Watched;
use agenttrader_policy::object::Object;
use agenttrader_policy::settings::{Kind as Holding, Setting};
use agenttrader_policy::switch::{NAME, is_switch};
use agenttrader_policy::values::Values;
use agenttrader_policy::world::World;
use agenttrader_policy::yaml::node::{Node, Value};
use std::collections::BTreeSet;

/// Adds them.
pub fn read(world: &World<'_>, facts: &mut Facts) {
    for object in world.objects() {
        if !object.patch {
            facts.holders.insert((site(object), holder(object)));
        }
        if is_switch(object) || object.kind == "ConfigMap" && object.name.contains(NAME) {
            switch(object, facts);
        }
    }
    for setting in world.settings.iter().filter(|setting| !matches!(setting.kind, Holding::Environment(_))) {
        set(setting, facts);
    }
}

/// Where an object stands: in what a kustomization renders, else in its file.
pub fn site(object: &Object<'_>) -> String {
    object.root.map_or_else(|| object.path.to_owned(), |root| format!("{RENDERED}{root}"))
}

/// What an object is called. A change to another object is not that object: what it comes to is rendered.
pub fn holder(object: &Object<'_>) -> String {
    if object.patch { format!("{} (a change)", object.label()) } else { object.label() }
}

/// The switch as a whole: its key, and whatever stands beside it.
fn switch(object: &Object<'_>, facts: &mut Facts) {
    let parts = ["data", "binaryData", "immutable"].map(|key| format!("{key}: {}", told(object.at(&[key]))));
    let node = object.at(&["data", "EXECUTION_HALTED"]).unwrap_or(object.node);
    let key = Key { site: site(object), holder: holder(object), subject: "the kill switch".to_owned() };
    let fact = Fact {
        kind: Kind::KillSwitch,
        class: Class::Fixed,
        name: "the kill switch".to_owned(),
        values: BTreeSet::from([parts.join(", ")]),
        harmless: false,
        at: (object.file(node).to_owned(), Some(node.line)),
    };
    facts.note(key, fact);
}

fn set(setting: &Setting<'_>, facts: &mut Facts) {
    let field = without_positions(setting.place.field.as_deref().unwrap_or(""));
    let (site, holder) = match &setting.place.object {
        Some(object) => (site(object), holder(object)),
        None => (setting.place.path.clone(), FILE.to_owned()),
    };
    // The switch's own key is a part of the switch.
    if setting.kind == Holding::Data && setting.key == Watched::ExecutionHalted && holder.ends_with(NAME) {
        return;
    }
    let subject = format!("{} at {field}", setting.key.name());
    facts.note(Key { site, holder, subject }, watched(setting.key, &setting.values, None, at(&setting.place)));
}

/// The fact that a watched key may have these values, from a source that has a name.
pub fn watched(key: Watched, values: &Values, source: Option<&str>, at: (String, Option<u32>)) -> Fact {
    let of = source.map(|source| format!(" from {source}")).unwrap_or_default();
    let mut texts: BTreeSet<String> = values.known.iter().map(|text| format!("{text}{of}")).collect();
    texts.extend(values.unknown.iter().map(|why| format!("unknown: {why}")));
    let only = |allowed: &[&str]| {
        values.unknown.is_none()
            && !values.known.is_empty()
            && values.known.iter().all(|text| allowed.contains(&&**text))
    };
    let (kind, class, harmless) = match key {
        Watched::AgentMode => (Kind::AgentMode, Class::Setting, only(&["OFF", "OBSERVE"])),
        Watched::ExecutionHalted => (Kind::KillSwitch, Class::Halting, only(&["1"])),
        // Whether it is a switch's file is judged by the rule of the switch.
        Watched::ExecutionHaltedFile => (Kind::KillSwitch, Class::Halting, true),
    };
    Fact { kind, class, name: key.name().to_owned(), values: texts, harmless, at }
}

/// A value as text, the same for the same meaning.
pub fn told(node: Option<&Node>) -> String {
    match node.map(|node| &node.value) {
        None => "nothing".to_owned(),
        Some(Value::Scalar(scalar)) if scalar.is_string() => format!("{:?}", scalar.text),
        Some(Value::Scalar(scalar)) => scalar.text.clone(),
        Some(Value::Sequence(items)) => {
            let items: Vec<_> = items.iter().map(|item| told(Some(item))).collect();
            format!("[{}]", items.join(", "))
        }
        Some(Value::Mapping(entries)) => {
            let entries: BTreeSet<_> =
                entries.iter().map(|(key, value)| format!("{}: {}", told(Some(key)), told(Some(value)))).collect();
            format!("{{{}}}", entries.into_iter().collect::<Vec<_>>().join(", "))
        }
    }
}
