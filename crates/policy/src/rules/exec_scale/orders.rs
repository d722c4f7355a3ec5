//! Commands, in scripts and in containers, that scale, start, patch or apply what can place orders.

use super::Names;
use crate::finding::{Finding, Rule};
use crate::found::{Effect, Order, Said};
use crate::judged::Form;
use crate::texts::Text;

const REMEDY: &str = "let a person do it, by hand, under a grant";

/// Every command of a text that moves a known workload.
pub fn judge(text: &Text<'_>, known: &Names<'_>, findings: &mut Vec<Finding>) {
    // What stands in a workload that can place orders runs as seldom as that does.
    let own = text.place.object.is_some_and(|object| known.workloads.contains(&(object.kind, object.name)));
    if own || matches!(text.form, Some(Form::Dockerfile | Form::Compose)) {
        return;
    }
    for order in &text.found.orders {
        if let Some(what) = moves(order, known) {
            findings.push(text.at(order.line).fail(Rule::ExecScale, &order.command, what, REMEDY));
        }
    }
}

fn moves(order: &Order, known: &Names<'_>) -> Option<String> {
    let name = order.names.iter().find(|name| known.names.contains(name.as_str()));
    let whom = match name {
        Some(name) => format!("`{name}`, which can place orders"),
        None if order.all => "everything, also what can place orders".to_owned(),
        None => return None,
    };
    match &order.effect {
        Effect::Scale(Said::Known(number)) if number == "0" => None,
        Effect::Scale(Said::Known(number)) => Some(format!("a command scales to {number}: {whom}")),
        Effect::Scale(Said::Unknown(_)) => Some(format!("a command scales, to what nobody can tell: {whom}")),
        Effect::Start => Some(format!("a command starts {whom}")),
        Effect::Patch => Some(format!("a command changes {whom}")),
        Effect::Apply => Some(format!("a command applies {whom}")),
        Effect::WriteSwitch(_) | Effect::RemoveLatch => None,
    }
}
