//! Plans of machines (`.tf`, `.hcl`): blocks that describe a workload which can place orders, and what number they give it.

use super::runner::{Place, Runner};
use super::tokens::{Token, call};
use crate::found::{Effect, Key, Order};
use crate::scan::said;
use crate::yaml::node::Node;

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
/// What names a workload, or what it runs.
const NAMED: [&str; 4] = ["name", "app", "image", "service_account_name"];
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
    let names: Vec<String> = at(&|text| NAMED.contains(&text))
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

/// The same as JSON: `{"resource": {"TYPE": {"NAME": {…}}}}`.
pub fn documents(documents: &[Node]) -> Vec<Order> {
    let mut orders = Vec::new();
    let resources = documents.iter().filter_map(|document| document.get("resource"));
    for (kind, of_kind) in resources.flat_map(|resource| resource.entries()) {
        let kind = kind.text().unwrap_or_default();
        if !RUNS.iter().any(|part| kind.contains(part)) {
            continue;
        }
        for (name, block) in of_kind.entries() {
            let (mut names, mut numbers) = (Vec::new(), Vec::new());
            collect(block, &mut names, &mut numbers);
            let command = ["resource".to_owned(), kind.to_owned(), name.text().unwrap_or_default().to_owned()];
            let effect = match numbers.iter().find(|number| *number != "0") {
                Some(number) => Effect::Scale(said(number)),
                None if numbers.is_empty() => Effect::Start,
                None => continue,
            };
            orders.push(Order { effect, names, all: false, command: command.join(" "), line: block.line });
        }
    }
    orders
}

fn collect(node: &Node, names: &mut Vec<String>, numbers: &mut Vec<String>) {
    node.items().iter().for_each(|item| collect(item, names, numbers));
    for (key, value) in node.entries() {
        match (key.text().unwrap_or_default(), value.scalar()) {
            (key, Some(scalar)) if NAMED.contains(&key) => {
                names.push(crate::placing::base_name(&scalar.text).to_owned())
            }
            (key, Some(scalar)) if NUMBERS.contains(&key) => numbers.push(scalar.text.clone()),
            _ => collect(value, names, numbers),
        }
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
