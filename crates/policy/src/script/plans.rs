//! Plans of machines (`.tf`, `.hcl`): blocks that describe a workload which can place orders, and what number they give it.

use super::program::{Token, call};
use super::run::{Place, Runner};
use crate::found::{Effect, Key};
use crate::scan::said;

/// What gives a workload instances.
const NUMBERS: [&str; 8] = [
    "replicas",
    "min_replicas",
    "min_instance_count",
    "manual_instance_count",
    "desired_count",
    "min_capacity",
    "instance_count",
    "count",
];
/// What a resource's type says when it runs something.
const RUNS: [&str; 8] = ["deployment", "stateful", "cloud_run", "ecs_service", "daemon", "_job", "_pod", "container"];

/// `resource "TYPE" "NAME" { … }` that begins at the first of these tokens.
pub(super) fn read(runner: &mut Runner, rest: &[Token]) {
    let [word, kind, name, open, ..] = rest else { return };
    let is_block = word.text == "resource" && !word.is_text() && kind.is_text() && name.is_text() && open.is("{");
    if !is_block || !RUNS.iter().any(|part| kind.text.contains(part)) {
        return;
    }
    let block = call(rest.get(2..).unwrap_or_default());
    let given = |at: usize| {
        block.get(at.saturating_add(2)).filter(|_| block.get(at.saturating_add(1)).is_some_and(|t| t.is("=")))
    };
    let at = |is: &dyn Fn(&str) -> bool| {
        block
            .iter()
            .enumerate()
            .filter(|(_, token)| is(&token.text))
            .filter_map(|(at, _)| given(at))
            .collect::<Vec<_>>()
    };
    let names: Vec<String> = at(&|text| matches!(text, "name" | "app" | "image" | "service_account_name"))
        .into_iter()
        .filter(|token| token.is_text())
        .map(|token| crate::placing::base_name(&token.text).to_owned())
        .collect();
    let numbers = at(&|text| NUMBERS.contains(&text));
    let place = Place { line: word.line, ..Place::default() };
    let command = ["resource".to_owned(), kind.text.clone(), name.text.clone()];
    match numbers.iter().find(|number| number.text != "0") {
        Some(number) => runner.order_of(Effect::Scale(said(&number.text)), names, false, &command, &place),
        None if numbers.is_empty() => runner.order_of(Effect::Start, names, false, &command, &place),
        None => {}
    }
}

/// `variable "agent_mode" { default = … }`: what it is unless somebody says otherwise.
pub(super) fn variable(runner: &mut Runner, rest: &[Token]) {
    let [word, name, open, ..] = rest else { return };
    if word.text != "variable" || word.is_text() || !name.is_text() || !open.is("{") {
        return;
    }
    let Some(key) = Key::of_configuration(&name.text) else { return };
    let block = call(rest.get(1..).unwrap_or_default());
    let mut given = block.windows(3).filter_map(|three| match three {
        [word, mark, value] => (word.text == "default" && mark.is("=") && value.is_text()).then_some(value),
        _ => None,
    });
    if let Some(value) = given.next() {
        runner.found.assign(key, name.text.as_str(), said(&value.text), false, value.line);
    }
}

/// `image = "….:latest"`.
pub(super) fn image(runner: &mut Runner, rest: &[Token]) {
    let [name, mark, reference, ..] = rest else { return };
    let is_latest = reference.is_text() && reference.text.to_ascii_lowercase().ends_with(":latest");
    if matches!(name.text.as_str(), "image" | "container_image") && !name.is_text() && mark.is("=") && is_latest {
        runner.image("image", &reference.text, &Place { line: reference.line, ..Place::default() });
    }
}
