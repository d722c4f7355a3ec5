//! The lock contract, rule `no-execute`: no way for the mode to become `EXECUTE`.
//!
//! Only `OFF` and `OBSERVE` are allowed, as strings, wherever the mode is set. What cannot be decided is a way.

use crate::environment::Source;
use crate::finding::{Finding, Rule};
use crate::found::Key;
use crate::judged::Form;
use crate::place::Place;
use crate::settings::Setting;
use crate::world::World;

const REMEDY: &str = "write \"OFF\" or \"OBSERVE\", quoted; people set another mode at deploy time, under a grant";

/// Every way to another mode.
pub fn judge(world: &World<'_>) -> Vec<Finding> {
    let modes = world.settings.iter().filter(|setting| setting.key == Key::AgentMode);
    let mut findings: Vec<Finding> = modes.filter_map(wrong).collect();
    for text in &world.texts {
        // In a file of plain lines the last one wins; elsewhere each has its own table, service or command.
        let lines = text.form == Some(Form::Settings) && text.place.path.to_ascii_lowercase().contains(".env");
        let mut set = text.found.assignments.iter().filter(|assignment| lines && assignment.key == Key::AgentMode);
        if let Some(again) = set.by_ref().nth(1) {
            let value = again.value.known().unwrap_or("");
            findings.push(text.at(again.line).fail(Rule::NoExecute, value, "AGENT_MODE is set twice", "set it once"));
        }
    }
    for pod in world.scopes.iter().flat_map(|scope| &scope.pods) {
        for container in &pod.containers {
            let environment = &container.environment;
            let own = |source: Source<'_>| source != Source::EnvFrom;
            let mut set = environment.of(Key::AgentMode.name()).filter(|variable| own(variable.source));
            if let Some(again) = set.by_ref().nth(1) {
                let place = Place::of_object(pod.object, again.at, again.field.clone());
                findings.push(place.fail(
                    Rule::NoExecute,
                    &again.values.said(),
                    "AGENT_MODE is set twice",
                    "set it once",
                ));
            }
            let open = environment.open.iter().find(|open| Key::AgentMode.name().starts_with(&open.prefix));
            let set_besides = environment.of(Key::AgentMode.name()).any(|variable| own(variable.source));
            if let Some(open) = open.filter(|_| !set_besides) {
                let place = Place::of_object(pod.object, open.at, open.field.clone());
                let what = format!("AGENT_MODE may come from {}", open.why);
                findings.push(place.fail(
                    Rule::NoExecute,
                    "",
                    what,
                    "name the keys one by one, or set AGENT_MODE in env",
                ));
            }
        }
    }
    findings
}

fn wrong(setting: &Setting<'_>) -> Option<Finding> {
    let value = setting.values.said();
    let fail = |what: String| Some(setting.place.fail(Rule::NoExecute, value.trim_matches('`'), what, REMEDY));
    if let Some(why) = &setting.values.unknown {
        return fail(format!("AGENT_MODE cannot be told: {why}"));
    }
    if let Some(other) = setting.values.known.iter().find(|text| !matches!(text.as_str(), "OFF" | "OBSERVE")) {
        return fail(format!("AGENT_MODE is `{other}`"));
    }
    (!setting.string).then(|| fail("AGENT_MODE is not a string for every reader".to_owned())).flatten()
}
