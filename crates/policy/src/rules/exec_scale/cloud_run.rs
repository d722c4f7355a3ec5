//! Cloud Run and Knative services: at zero by hand, or not at zero.

use super::REMEDY;
use crate::finding::{Finding, Rule};
use crate::pod::Pod;
use crate::yaml::node::Node;

const MODE: &str = "run.googleapis.com/scalingMode";
const COUNT: &str = "run.googleapis.com/manualInstanceCount";

/// What brings instances up or down by itself, in every spelling there has been.
fn is_scale(annotation: &str) -> bool {
    let name =
        annotation.strip_prefix("autoscaling.knative.dev/").or_else(|| annotation.strip_prefix("run.googleapis.com/"));
    let plain = name.unwrap_or("").replace('-', "").to_ascii_lowercase();
    matches!(
        plain.as_str(),
        "minscale" | "maxscale" | "initialscale" | "activationscale" | "mininstances" | "maxinstances"
    )
}

/// What keeps a service that can place orders from being at zero.
pub fn judge(pod: &Pod<'_>) -> Vec<Finding> {
    let object = &pod.object;
    let mut findings = Vec::new();
    let mut fail = |at: &Node, field: &str, what: String, remedy: &str| {
        findings.push(object.fail(Rule::ExecScale, at, field, format!("{what}: {}", pod.why()), remedy));
    };
    if object.kind != "Service" {
        let kind = object.node.get("kind").unwrap_or(object.node);
        fail(
            kind,
            "kind",
            format!("a {} can place orders and has no number to set to 0", object.kind),
            "make it a Service at 0",
        );
    }
    let annotations = object.at(&["metadata", "annotations"]);
    let own = |name: &str| annotations.and_then(|annotations| annotations.get(name));
    let is_text = |node: &Node, text: &str| node.scalar().is_some_and(|scalar| scalar.text == text);
    let exact = [(MODE, "manual"), (COUNT, "0")];
    for (name, expected) in exact {
        let field = format!("metadata.annotations[{name}]");
        let remedy = format!("set `{name}: \"{expected}\"` on the service");
        match own(name) {
            Some(node) if is_text(node, expected) && node.scalar().is_some_and(|scalar| scalar.is_string()) => {}
            Some(node) => {
                fail(node, &field, format!("it can place orders and {name} is not the string `{expected}`"), &remedy)
            }
            None => fail(object.node, &field, format!("it can place orders and has no {name}"), &remedy),
        }
    }
    let template = pod.metadata.and_then(|metadata| metadata.get("annotations"));
    let places = [(annotations, "metadata.annotations"), (template, "spec.template.metadata.annotations")];
    for (node, place) in places.into_iter().filter_map(|(node, place)| Some((node?, place))) {
        for (key, value) in node.entries() {
            let name = key.text().unwrap_or("");
            let on_template = place != "metadata.annotations" && [MODE, COUNT].contains(&name);
            if is_scale(name) || on_template {
                let field = format!("{place}[{name}]");
                fail(
                    value,
                    &field,
                    format!("it can place orders and {name} may give it instances"),
                    "take the annotation out",
                );
            }
        }
    }
    let traffic = object.at(&["spec", "traffic"]).map(Node::items).unwrap_or_default();
    for (index, target) in traffic.iter().enumerate() {
        if let Some(tag) = target.get("tag") {
            let field = format!("spec.traffic[{index}].tag");
            fail(
                tag,
                &field,
                "it can place orders and a traffic tag keeps an address that starts it".to_owned(),
                "take the tag out",
            );
        }
    }
    if let Some(scaling) = object.at(&["spec", "scaling"]).or_else(|| object.at(&["scaling"])) {
        fail(scaling, "spec.scaling", "it can place orders and its scaling is set besides".to_owned(), REMEDY);
    }
    findings
}
