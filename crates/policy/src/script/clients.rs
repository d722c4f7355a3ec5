//! Calls of a cluster's client in a program: `patch_namespaced_deployment_scale("execution-agent", …)`,
//! `Deployments(ns).UpdateScale(…)`, a request to the API's path.

use super::runner::{Place, Runner};
use super::tokens::{Constants, Token, call};
use crate::found::{Effect, Said};
use crate::scan::said;

/// What a call's name begins with, once its words are told apart, when it changes something.
const VERBS: [&str; 6] = ["patch", "replace", "create", "update", "apply", "scale"];
/// What a call's name is about, behind its verb and without `_`.
const WORKLOADS: [&str; 12] = [
    "deployment",
    "deploymentscale",
    "statefulset",
    "statefulsetscale",
    "replicaset",
    "replicasetscale",
    "rollout",
    "workload",
    "daemonset",
    "job",
    "cronjob",
    "pod",
];
/// Classes that describe a workload.
const CLASSES: [&str; 5] = ["Deployment", "StatefulSet", "ReplicaSet", "V1Deployment", "V1StatefulSet"];
/// Calls that say it by what stands before them.
const BARE: [&str; 7] = ["Patch", "Update", "UpdateScale", "ApplyScale", "Apply", "scale", "patch"];
/// Calls that send a request.
const REQUESTS: [&str; 7] = ["patch", "put", "post", "request", "fetch", "PATCH", "Request"];
/// The collections of workloads, as the API's paths name them.
const COLLECTIONS: [&str; 6] =
    ["deployments", "statefulsets", "replicasets", "replicationcontrollers", "rollouts", "services"];

/// Notes what a call that begins at the first of these tokens moves. `elsewhere` is what the whole program gives `replicas`.
pub(super) fn read(runner: &mut Runner, rest: &[Token], elsewhere: Option<bool>, constants: &Constants) {
    let Some(name) = rest.first().filter(|_| rest.get(1).is_some_and(|token| token.is("("))) else { return };
    let arguments = call(rest);
    let texts = || {
        arguments.iter().filter_map(|token| match constants.get(&token.text) {
            _ if token.is_text() => Some(token.text.as_str()),
            known => known.map(String::as_str),
        })
    };
    let folded = name.text.to_ascii_lowercase();
    let changes = VERBS.iter().any(|verb| folded.starts_with(verb) || folded.contains(&format!("_{verb}")));
    let place = Place { line: name.line, ..Place::default() };
    let shown = |texts: Vec<&str>| [vec![name.text.clone()], texts.into_iter().map(str::to_owned).collect()].concat();
    if changes && folded.replace('_', "").contains("configmap") && texts().any(|text| text == "agenttrader-kill-switch")
    {
        let value = key_value(arguments, "EXECUTION_HALTED").map_or_else(unknown, |token| said(&token.text));
        runner.order_of(Effect::WriteSwitch(value), Vec::new(), false, &shown(texts().collect()), &place);
        return;
    }
    if REQUESTS.contains(&name.text.as_str()) {
        request(runner, &texts().collect::<Vec<_>>(), &shown(texts().collect()), &place);
    }
    let plain = folded.replace('_', "");
    let verbless = VERBS.iter().find_map(|verb| plain.strip_prefix(verb)).unwrap_or_default();
    let about =
        verbless.starts_with("namespaced") || WORKLOADS.contains(&verbless) || BARE.contains(&name.text.as_str());
    // `Deployment("execution-agent", …)`: a plan in a programming language.
    let class = CLASSES.contains(&name.text.as_str()) && replicas(arguments) == Some(false);
    if !(changes && about || class) {
        return;
    }
    let names: Vec<String> = texts().filter(|text| !text.contains([' ', '='])).map(last_part).collect();
    let numbers = replicas(arguments).or(elsewhere);
    let effect = match numbers {
        Some(true) => return,
        Some(false) => Effect::Scale(Said::Unknown("what the call gives it".to_owned())),
        None if folded.contains("scale") => match arguments.iter().rev().find(|token| token.is_number()) {
            Some(number) if number.text == "0" => return,
            _ => Effect::Scale(Said::Unknown("what the call gives it".to_owned())),
        },
        None => Effect::Patch,
    };
    runner.order_of(effect, names, false, &shown(texts().collect()), &place);
}

/// A request to `…/deployments/NAME`, or to the switch's ConfigMap.
fn request(runner: &mut Runner, texts: &[&str], command: &[String], place: &Place) {
    let read = texts.iter().any(|text| matches!(*text, "GET" | "HEAD" | "DELETE"));
    for text in texts.iter().filter(|text| text.contains('/') && !read) {
        let parts: Vec<&str> = text.split(['/', '?']).collect();
        for pair in parts.windows(2) {
            match pair {
                ["configmaps", "agenttrader-kill-switch"] => {
                    runner.order_of(Effect::WriteSwitch(unknown()), Vec::new(), false, command, place);
                }
                [collection, name] if COLLECTIONS.contains(collection) => {
                    runner.order_of(Effect::Patch, vec![(*name).to_owned()], false, command, place);
                }
                _ => {}
            }
        }
    }
}

fn unknown() -> Said {
    Said::Unknown("what the call brings".to_owned())
}

fn last_part(text: &str) -> String {
    text.rsplit('/').next().unwrap_or(text).to_owned()
}

/// Whether every number that `replicas` is given is 0; nothing where none is.
pub(super) fn replicas(tokens: &[Token]) -> Option<bool> {
    let given = |at: usize| {
        let mark = tokens.get(at.saturating_add(1)).is_some_and(|token| token.is(":") || token.is("="));
        let value = tokens.get(at.saturating_add(2)).filter(|_| mark)?;
        Some(value.text == "0" && value.is_number())
    };
    let all: Vec<bool> = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.text.eq_ignore_ascii_case("replicas"))
        .filter_map(|(at, _)| given(at))
        .collect();
    (!all.is_empty()).then(|| all.iter().all(|zero| *zero))
}

/// The value behind a key of a mapping.
fn key_value<'a>(tokens: &'a [Token], key: &str) -> Option<&'a Token> {
    let at = tokens.iter().position(|token| token.text == key)?;
    tokens.get(at.saturating_add(2)).filter(|token| token.is_text())
}
