//! Texts that a script writes somewhere: manifests, environment files, replacements.

use super::arguments::names;
use super::runner::Runner;
use crate::found::{Effect, Found, Order, Said};
use crate::hole::HOLE;
use crate::keyed;
use crate::scan;
use crate::yaml::node::Node;

/// Reads a text as what it looks like: documents, or lines.
pub(super) fn read(runner: &mut Runner, text: &str, line: u32) {
    let mut found = Found::default();
    let placeholder = text.replace(HOLE, "${…}");
    let documents = crate::yaml::read::read("", placeholder.as_bytes()).documents;
    if documents.iter().any(|document| !document.entries().is_empty()) {
        found.absorb(keyed::documents(&documents), 1);
        found.orders.extend(documents.iter().filter_map(started));
    } else {
        for (number, text) in (1_u32..).zip(text.lines()) {
            if text.trim_start().starts_with('#') {
                continue;
            }
            for hit in scan::assignments(text) {
                found.assign(hit.key, hit.spelled, hit.value, false, number);
            }
        }
    }
    runner.found.absorb(found, line);
}

/// A workload that a manifest inside a script brings, unless it stands at zero there.
fn started(document: &Node) -> Option<Order> {
    let kind = document.get("kind").and_then(Node::text)?;
    let name = document.at(&["metadata", "name"]).and_then(Node::text).unwrap_or_default();
    let target = document.at(&["spec", "scaleTargetRef", "name"]).and_then(Node::text);
    let replicas = document.at(&["spec", "replicas"]).and_then(Node::text);
    let labels = [["metadata", "labels"].as_slice(), &["spec", "template", "metadata", "labels"]];
    let labels = labels
        .iter()
        .filter_map(|path| document.at(path))
        .flat_map(Node::entries)
        .filter_map(|(_, value)| value.text());
    let effect = match (target, kind, replicas) {
        (Some(_), ..) => Effect::Scale(Said::Unknown("an autoscaler decides".to_owned())),
        (
            None,
            "Deployment" | "StatefulSet" | "ReplicaSet" | "Service" | "DaemonSet" | "Job" | "CronJob" | "Pod",
            Some("0"),
        ) => return None,
        (None, "Scale", Some("0")) => return None,
        (None, "Scale", _) => Effect::Scale(Said::Unknown("what the document says".to_owned())),
        (None, "Deployment" | "StatefulSet" | "ReplicaSet" | "DaemonSet" | "Job" | "CronJob" | "Pod", _) => {
            Effect::Start
        }
        _ => return None,
    };
    Some(Order {
        effect,
        names: names([name].into_iter().chain(target).chain(labels)),
        all: false,
        command: format!("{kind} {name}"),
        line: document.line,
    })
}

/// Both sides of each `s/left/right/` in a text, whatever stands between them.
pub(super) fn replacements(text: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('s') {
        let before = rest.get(..at).and_then(|before| before.chars().next_back());
        rest = rest.get(at.saturating_add(1)..).unwrap_or_default();
        let Some(delimiter) =
            rest.chars().next().filter(|c| matches!(c, '/' | '|' | '#' | ',' | '@' | '!' | ':' | '%' | '~'))
        else {
            continue;
        };
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            continue;
        }
        let Some((left, behind)) = cut(rest.get(1..).unwrap_or_default(), delimiter) else { continue };
        let Some((right, behind)) = cut(behind, delimiter) else { continue };
        all.push((left.to_owned(), right.to_owned()));
        rest = behind;
    }
    all
}

/// A text up to a delimiter that is not escaped, and what stands behind it.
fn cut(text: &str, delimiter: char) -> Option<(&str, &str)> {
    let mut escaped = false;
    for (at, c) in text.char_indices().take(4096) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == delimiter {
            return Some((text.get(..at)?, text.get(at.saturating_add(c.len_utf8())..)?));
        }
    }
    None
}
