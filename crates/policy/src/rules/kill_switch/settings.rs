//! What sets the switch's two names anywhere else.

use crate::environment::Source;
use crate::finding::{Finding, Rule};
use crate::found::{Effect, Key, Said};
use crate::judged::Form;
use crate::settings::{Kind, Setting};
use crate::switch::{FILE, KEY, NAME, is_switch};
use crate::texts::Text;
use crate::world::World;

const REMEDY: &str = "let the ConfigMap `agenttrader-kill-switch` alone say it: mount it, or refer to its key";

/// Every setting that is not allowed, and every command that writes the switch.
pub fn judge(world: &World<'_>, findings: &mut Vec<Finding>) {
    findings.extend(world.settings.iter().filter_map(wrong));
    for pod in world.scopes.iter().flat_map(|scope| &scope.pods) {
        for container in &pod.containers {
            let again = container.environment.of(KEY).filter(|variable| variable.source != Source::EnvFrom).nth(1);
            if let Some(variable) = again {
                let what = format!("{KEY} is set twice");
                findings.push(pod.object.fail(Rule::KillSwitch, variable.at, &variable.field, what, "set it once"));
            }
        }
    }
    findings.extend(world.texts.iter().flat_map(orders));
}

fn wrong(setting: &Setting<'_>) -> Option<Finding> {
    let file = setting.place.object.is_none();
    let built = file
        && setting
            .place
            .path
            .rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with("Dockerfile") || name.contains("compose"));
    let allowed = match (setting.key, setting.kind) {
        (Key::AgentMode, _) => true,
        (Key::ExecutionHalted, Kind::Data) => setting.place.object.is_some_and(|object| is_switch(&object)),
        (Key::ExecutionHalted, Kind::Environment(Source::ConfigMapKey { name, key, .. })) => name == NAME && key == KEY,
        (Key::ExecutionHalted, Kind::Environment(Source::Literal) | Kind::File | Kind::Inside) => {
            setting.values.only() == Some("1") && setting.string
        }
        (Key::ExecutionHalted, _) => false,
        // Where an image or a single machine keeps the file is not the cluster's path.
        (Key::ExecutionHaltedFile, _) => {
            built
                || file && setting.values.unknown.is_some()
                || setting.values.only().is_some_and(|text| is_file(text, file))
        }
    };
    if allowed {
        return None;
    }
    let name = setting.key.name();
    let value = setting.values.said();
    let what = match setting.key {
        Key::ExecutionHaltedFile => format!("{name} is {value}; in a cluster it is `{FILE}`"),
        _ => format!("{name} is set besides the kill switch, to {value}"),
    };
    Some(setting.place.fail(Rule::KillSwitch, value.trim_matches('`'), what, REMEDY))
}

/// Whether a path is the switch's: in a cluster one, on a single machine the data folder's.
fn is_file(text: &str, file: bool) -> bool {
    text == FILE || file && text.ends_with("/kill-switch/EXECUTION_HALTED")
}

/// Commands that write the switch, or take its latch away.
fn orders<'t>(text: &'t Text<'_>) -> impl Iterator<Item = Finding> + 't {
    let judged = !matches!(text.form, Some(Form::Dockerfile | Form::Compose));
    text.found.orders.iter().filter(move |_| judged).filter_map(|order| {
        let what = match &order.effect {
            Effect::WriteSwitch(Said::Known(value)) if value.trim_end_matches('\n') == "1" => return None,
            Effect::WriteSwitch(Said::Known(value)) => format!("a command writes `{value}` into the kill switch"),
            Effect::WriteSwitch(Said::Unknown(why)) => {
                format!("a command writes into the kill switch what nobody can tell: {why}")
            }
            Effect::RemoveLatch => "a command takes the kill switch's latch away".to_owned(),
            _ => return None,
        };
        Some(text.at(order.line).fail(Rule::KillSwitch, &order.command, what, "let a person do it, by hand"))
    })
}
