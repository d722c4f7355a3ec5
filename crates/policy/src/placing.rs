//! Which workloads can place orders.
//!
//! The lock contract, "Can place orders": what counts is what a container is after resolution, not what its file is called. What
//! cannot be resolved counts as yes.

use crate::environment::{Environment, Source, command_line};
use crate::pod::{Container, Mark, Pod};
use crate::shell;
use crate::values::Values;
use crate::yaml::node::Node;

/// The names that the execution service goes by.
pub const NAMES: [&str; 2] = ["execution-agent", "execution-engine"];

/// The labels that say what a workload is.
const LABELS: [&str; 4] = ["app", "component", "app.kubernetes.io/name", "app.kubernetes.io/component"];

/// The secret without which the broker answers nobody.
const BROKER_SECRET: &str = "APCA_API_SECRET_KEY";

/// Why a pod can place orders; nothing where it cannot. `mounted` gives the files of a container's mounted ConfigMaps.
pub fn marks<'a>(pod: &Pod<'a>, mounted: &dyn Fn(&Container<'a>) -> Vec<(&'a Node, String)>) -> Vec<Mark<'a>> {
    let mut marks = of_names(pod);
    for container in &pod.containers {
        of_environment(container, &mut marks);
        of_command(container, mounted, &mut marks);
        of_image(container, &mut marks);
    }
    marks
}

fn of_names<'a>(pod: &Pod<'a>) -> Vec<Mark<'a>> {
    let object = pod.object;
    let mut marks = Vec::new();
    let name = object.at(&["metadata", "name"]);
    if let Some(at) = name.filter(|_| NAMES.contains(&object.name)) {
        marks.push(Mark { why: format!("its name is `{}`", object.name), at, field: "metadata.name".to_owned() });
    }
    let own = object.node.get("metadata").map(|metadata| (metadata, "metadata".to_owned()));
    let template = pod.metadata.map(|metadata| (metadata, beside(&pod.field)));
    for (metadata, field) in own.into_iter().chain(template) {
        for (label, value) in LABELS.iter().filter_map(|label| Some((label, metadata.at(&["labels", label])?))) {
            let text = value.scalar().map_or("", |scalar| scalar.text.as_str());
            if NAMES.contains(&text) || is_open(text) {
                marks.push(Mark {
                    why: format!("its label `{label}` is `{text}`"),
                    at: value,
                    field: format!("{field}.labels.{label}"),
                });
            }
        }
    }
    let account = pod.service_account().and_then(|account| Some((account, account.scalar()?)));
    if let Some((at, scalar)) = account.filter(|(_, scalar)| scalar.text == "execution-agent" || is_open(&scalar.text))
    {
        let why = format!("its service account is `{}`", scalar.text);
        marks.push(Mark { why, at, field: pod.place("serviceAccountName") });
    }
    marks
}

/// The metadata beside a pod's specification.
fn beside(field: &str) -> String {
    field.strip_suffix("spec").map_or_else(|| "metadata".to_owned(), |parent| format!("{parent}metadata"))
}

/// Whether something is still to be put into a text.
pub fn is_open(text: &str) -> bool {
    text.contains("${") || text.contains("{{") || text.contains("$(") || text.contains("<%")
}

fn of_environment<'a>(container: &Container<'a>, marks: &mut Vec<Mark<'a>>) {
    let environment = &container.environment;
    let mut mark = |name: &str, values: &Values| {
        let (at, field) = place(container, environment, name);
        marks.push(Mark { why: format!("its {name} is {}", values.said()), at, field });
    };
    let templated = |text: &str| is_open(text);
    for (name, place_orders) in [("AGENT_ROLE", "execution"), ("AGENT_NAME", "execution-agent")] {
        let values = environment.value(name);
        if values.may_be(|text| text == place_orders || templated(text)) {
            mark(name, &values);
        }
    }
    for name in ["EXECUTION_AGENT_ENABLED", "BROKER_EXECUTION_ENABLED"] {
        let values = environment.value(name);
        if values.may_be(|text| text != "false") {
            mark(name, &values);
        }
    }
    let secret = environment.value(BROKER_SECRET);
    if !secret.is_absent() && !reads_alone(environment) {
        let (at, field) = place(container, environment, BROKER_SECRET);
        let why =
            format!("it holds {BROKER_SECRET}, and its AGENT_ROLE is not spelled out as `marketdata` or `ingest`");
        marks.push(Mark { why, at, field });
    }
}

/// Where a variable is set, or what may set it.
fn place<'a>(container: &Container<'a>, environment: &Environment<'a>, name: &str) -> (&'a Node, String) {
    let set = environment.of(name).next_back().map(|variable| (variable.at, variable.field.clone()));
    let open = || {
        environment.open.iter().find(|open| name.starts_with(&open.prefix)).map(|open| (open.at, open.field.clone()))
    };
    set.or_else(open).unwrap_or((container.node, container.field.clone()))
}

fn of_command<'a>(
    container: &Container<'a>,
    mounted: &dyn Fn(&Container<'a>) -> Vec<(&'a Node, String)>,
    marks: &mut Vec<Mark<'a>>,
) {
    let environment = &container.environment;
    let words = command_line(container.node, environment);
    let variable = |name: &str| environment.value(name);
    let ours = is_ours(container)
        || words.iter().any(|(_, values)| values.may_be(shell::is_binary) && values.unknown.is_none());
    let own_command = container.node.get("command").is_some();
    for (at, values) in &words {
        if let Some(set) = values.known.iter().find_map(|text| sets(text, environment)) {
            marks.push(Mark { why: format!("its command line sets `{set}`"), at, field: container.field.clone() });
        }
    }
    for (index, (at, values)) in words.iter().enumerate() {
        let after = index
            .checked_sub(1)
            .and_then(|before| words.get(before))
            .is_some_and(|(_, before)| before.may_be(shell::is_binary));
        let first = after || index == 0 && !own_command;
        let exact = ours && values.known.contains("execution");
        // A word that nobody knows is the subcommand where that is expected.
        let open =
            ours && first && (values.unknown.is_some() || values.known.iter().any(|text| shell::is_variable(text)));
        let inside = values.known.iter().any(|text| shell::starts_execution(text, &variable));
        if exact || open || inside {
            let why = format!("its command line runs `execution`: {}", values.said());
            marks.push(Mark { why, at, field: container.field.clone() });
        }
    }
    for (at, text) in mounted(container) {
        if shell::starts_execution(&text, &variable) {
            let why = "a file mounted into it runs `execution`".to_owned();
            marks.push(Mark { why, at, field: format!("{}.volumeMounts", container.field) });
        }
    }
}

/// What a command's word sets that makes its process one that can place orders: `env EXECUTION_AGENT_ENABLED=true …`.
fn sets(text: &str, environment: &Environment<'_>) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || c == ';' || c == '&').map(shell::unquoted);
    words.into_iter().find(|word| {
        let Some((name, value)) = word.split_once('=') else { return false };
        match name {
            "AGENT_ROLE" => value == "execution",
            "AGENT_NAME" => value == "execution-agent",
            "EXECUTION_AGENT_ENABLED" | "BROKER_EXECUTION_ENABLED" => value != "false",
            BROKER_SECRET => !reads_alone(environment),
            _ => false,
        }
    })
}

/// Whether a container's role is spelled out as one that reads the market and nothing else.
fn reads_alone(environment: &Environment<'_>) -> bool {
    let role = environment.of("AGENT_ROLE").next_back();
    role.is_some_and(|role| role.source == Source::Literal && matches!(role.at.text(), Some("marketdata" | "ingest")))
}

/// Whether a container runs our binary, as far as anybody can tell: by its image, or by what only our binary reads.
fn is_ours(container: &Container<'_>) -> bool {
    let image = container.node.get("image").and_then(Node::text).unwrap_or("");
    let environment = &container.environment;
    base_name(image).contains("agenttrader")
        || NAMES.contains(&base_name(image))
        || is_open(image)
        || ["AGENT_ROLE", "AGENT_NAME", "AGENT_MODE"].iter().any(|name| !environment.value(name).is_absent())
}

fn of_image<'a>(container: &Container<'a>, marks: &mut Vec<Mark<'a>>) {
    let Some((at, scalar)) = container.node.get("image").and_then(|image| Some((image, image.scalar()?))) else {
        return;
    };
    if NAMES.contains(&base_name(&scalar.text)) || is_open(&scalar.text) {
        let why = format!("its image is `{}`", scalar.text);
        marks.push(Mark { why, at, field: format!("{}.image", container.field) });
    }
}

/// An image's name without registry, path, tag and digest.
pub fn base_name(image: &str) -> &str {
    let named = image.trim().split('@').next().unwrap_or("");
    let last = named.rsplit('/').next().unwrap_or(named);
    last.split(':').next().unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::base_name;

    #[test]
    fn an_image_is_known_by_its_base_name() {
        for (image, expected) in [
            ("execution-agent", "execution-agent"),
            ("localhost:5000/a/execution-engine:v1", "execution-engine"),
            ("r.example/execution-agent@sha256:00", "execution-agent"),
            ("r.example/execution-agent-tools:v1", "execution-agent-tools"),
            ("r.example/execution-agent/sidecar:v1", "sidecar"),
        ] {
            assert_eq!(base_name(image), expected, "{image}");
        }
    }
}
