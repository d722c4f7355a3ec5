//! `kubectl` and its like: what moves a workload or writes the switch.
//!
//! Reading (`get`, `diff`, `describe`, `logs`), taking away, bringing to zero and trying out (`--dry-run`) move nothing.

use super::arguments::{Arguments, names};
use super::runner::{Place, Runner, is_switch};
use crate::found::{Effect, Said};
use crate::hole::HOLE;
use crate::scan::said;
use crate::yaml::node::{Node, Value};

const VALUED: [&str; 43] = [
    "raw",
    "n",
    "namespace",
    "context",
    "kubeconfig",
    "cluster",
    "user",
    "as",
    "as-group",
    "s",
    "server",
    "token",
    "l",
    "selector",
    "f",
    "filename",
    "k",
    "kustomize",
    "o",
    "output",
    "p",
    "patch",
    "patch-file",
    "type",
    "replicas",
    "current-replicas",
    "resource-version",
    "timeout",
    "image",
    "env",
    "e",
    "from",
    "from-literal",
    "from-file",
    "from-env-file",
    "min",
    "max",
    "c",
    "container",
    "overrides",
    "schedule",
    "field-selector",
    "to-revision",
];

impl Runner {
    /// The arguments behind `kubectl`.
    pub(super) fn kubectl(&mut self, words: &[String], place: &Place) {
        // `minikube kubectl -- scale …`
        let words = words.strip_prefix(&["--".to_owned()]).unwrap_or(words);
        let arguments = Arguments::of(words, &VALUED);
        let dry = arguments.has(&["dry-run"]) && !arguments.values(&["dry-run"]).any(|value| value == "none");
        let rest = arguments.from(1);
        match arguments.word(0) {
            "exec" | "debug" | "attach" => self.argv(&arguments.behind, place),
            "run" => {
                let of_image = arguments.values(&["image"]).map(crate::placing::base_name);
                let names = names(std::iter::once(arguments.word(1)).chain(of_image));
                self.order_of(Effect::Start, names, false, words, place);
                self.argv(&arguments.behind, place);
            }
            "create" | "apply" | "replace" => self.create(&arguments, words, dry, place),
            _ if dry => {}
            "scale" => {
                let replicas = arguments.values(&["replicas"]).last().map_or_else(|| said(&HOLE.to_string()), said);
                if replicas.known() != Some("0") {
                    self.orders(Effect::Scale(replicas), &arguments, rest, words, place);
                }
            }
            "autoscale" => {
                let least = arguments.values(&["min", "max"]).last().map_or_else(|| said(&HOLE.to_string()), said);
                self.orders(Effect::Scale(least), &arguments, rest, words, place);
            }
            "rollout" if matches!(arguments.word(1), "restart" | "undo" | "resume") => {
                self.orders(Effect::Start, &arguments, arguments.from(2), words, place);
            }
            "set" => {
                for reference in arguments.from(2).iter().filter(|_| arguments.word(1) == "image") {
                    if let Some((_, reference)) = reference.split_once('=') {
                        self.image("kubectl set image", reference, place);
                    }
                }
                self.orders(Effect::Patch, &arguments, arguments.from(2), words, place);
            }
            "patch" => self.patch(&arguments, words, place),
            "edit" | "delete" if is_switch_named(rest) => {
                let what = Said::Unknown(format!("what a {} leaves of it", arguments.word(0)));
                self.order(Effect::WriteSwitch(what), "", words, place);
            }
            "edit" => self.orders(Effect::Patch, &arguments, rest, words, place),
            "annotate" => {
                let scales = rest.iter().any(|word| word.to_ascii_lowercase().contains("scale") && word.contains('='));
                if scales {
                    self.orders(Effect::Patch, &arguments, rest, words, place);
                }
            }
            "cp" if rest.iter().skip(1).any(|to| is_switch(to)) => {
                self.order(Effect::WriteSwitch(Said::Unknown("what is copied there".to_owned())), "", words, place);
            }
            _ => {}
        }
    }

    fn create(&mut self, arguments: &Arguments, words: &[String], dry: bool, place: &Place) {
        for file in arguments.values(&["from-env-file"]) {
            self.found.env_files.push((file.to_owned(), place.line));
        }
        if !arguments.behind.is_empty() {
            self.argv(&arguments.behind, place);
        }
        for path in arguments.values(&["raw"]) {
            let effect = match path.contains("/configmaps/agenttrader-kill-switch") {
                true => Effect::WriteSwitch(Said::Unknown("what is sent there".to_owned())),
                false => Effect::Patch,
            };
            self.order_of(effect, names([path]), false, words, place);
        }
        match (arguments.word(0), arguments.word(1)) {
            ("create", "configmap" | "cm") if arguments.word(2) == "agenttrader-kill-switch" => {
                let literal =
                    arguments.values(&["from-literal"]).find_map(|value| value.strip_prefix("EXECUTION_HALTED="));
                let value = literal.map_or_else(|| Said::Unknown("what it is created from".to_owned()), said);
                self.order(Effect::WriteSwitch(value), "", words, place);
            }
            ("create", "deployment" | "deploy" | "job" | "cronjob" | "cj") => {
                let of_image = arguments.values(&["image"]).map(crate::placing::base_name);
                let from = arguments.values(&["from"]).chain(of_image);
                let targets = names(arguments.from(2).iter().map(String::as_str).chain(from));
                let replicas = arguments.values(&["replicas"]).last();
                if replicas != Some("0") {
                    self.order_of(Effect::Start, targets, false, words, place);
                }
            }
            ("create", kind) if !kind.is_empty() && !arguments.has(&["f", "filename", "k", "kustomize"]) => {}
            _ if dry => {}
            _ => {
                // An account, a role, a network of that name is no workload.
                let beside = ["serviceaccounts", "networkpolicies", "networkpolicy", "rbac", "roles", "services"];
                let is_workload = |file: &&str| *file != "-" && !file.split('/').any(|part| beside.contains(&part));
                let files = arguments.values(&["f", "filename", "k", "kustomize"]);
                let stdin = arguments.values(&["f", "filename"]).any(|file| matches!(file, "-" | "/dev/stdin"));
                let piped: Vec<String> = if stdin { place.source.clone() } else { Vec::new() };
                if is_switch_named(&piped) {
                    let what = Said::Unknown("what is made of it on the way".to_owned());
                    self.order(Effect::WriteSwitch(what), "", words, place);
                }
                let mut all = names(files.filter(is_workload));
                all.extend(names(piped.iter().map(String::as_str)));
                self.order_of(Effect::Apply, all, false, words, place);
            }
        }
    }

    fn patch(&mut self, arguments: &Arguments, words: &[String], place: &Place) {
        let documents: Vec<Node> = arguments
            .values(&["p", "patch"])
            .flat_map(|patch| crate::yaml::read::read("", patch.as_bytes()).documents)
            .collect();
        let targets = names(arguments.from(1).iter().map(String::as_str));
        if targets.iter().any(|name| name == "agenttrader-kill-switch") {
            let value = documents.iter().find_map(|patch| patch.at(&["data", "EXECUTION_HALTED"]).and_then(Node::text));
            let value = value.map_or_else(|| Said::Unknown("what it is patched with".to_owned()), said);
            self.order(Effect::WriteSwitch(value), "", words, place);
            return;
        }
        let mut inner = crate::keyed::documents(&documents);
        inner.orders.clear();
        inner.images.clear();
        self.found.absorb(inner, place.line);
        let to_zero = !documents.is_empty()
            && documents.iter().all(|patch| leaves(patch, &mut Vec::new()) == [(vec!["spec", "replicas"], "0")]);
        if !to_zero {
            self.orders(Effect::Patch, arguments, arguments.from(1), words, place);
        }
    }

    /// An order about words, files and selectors.
    fn orders(&mut self, effect: Effect, arguments: &Arguments, words: &[String], command: &[String], place: &Place) {
        let flags = arguments.values(&["f", "filename", "k", "kustomize"]);
        let selectors = arguments.values(&["l", "selector", "field-selector"]).flat_map(chosen);
        let flags = flags.chain(selectors);
        let stdin = place.stdin.iter().filter(|_| arguments.values(&["f", "filename"]).any(|file| file == "-"));
        let targets = names(words.iter().map(String::as_str).chain(flags).chain(stdin.map(String::as_str)));
        self.order_of(effect, targets, arguments.has(&["all"]), command, place);
    }
}

/// What `kubectl get … -o name` names: each name or selector, or everything; nothing where it prints something else.
pub(super) fn listed(words: &[String]) -> Option<Vec<String>> {
    let arguments = Arguments::of(words, &VALUED);
    let prints_names = arguments
        .values(&["o", "output"])
        .any(|output| output == "name" || output.contains("metadata.name") || output.contains(".metadata.name"));
    if arguments.word(0) != "get" || !prints_names || !is_workload_kind(arguments.word(1)) {
        return None;
    }
    let selectors: Vec<&str> = arguments.values(&["l", "selector", "field-selector"]).collect();
    let elsewhere = |namespace: &str| namespace != "trading-floor" && !namespace.contains(HOLE);
    let ours = !arguments.values(&["n", "namespace"]).any(elsewhere);
    let mut named: Vec<String> = arguments.from(2).to_vec();
    named.extend(arguments.word(1).split_once('/').map(|(_, name)| name.to_owned()));
    named.extend(selectors.iter().flat_map(|selector| chosen(selector)).map(str::to_owned));
    match (named.is_empty(), selectors.is_empty()) {
        (true, true) if ours => Some(vec!["--all".to_owned()]),
        (true, _) => None,
        (false, _) => Some(named),
    }
}

fn is_workload_kind(word: &str) -> bool {
    const KINDS: [&str; 7] = ["deploy", "statefulset", "sts", "replicaset", "rs", "rollout", "all"];
    let word = word.to_ascii_lowercase();
    KINDS.iter().any(|kind| word.split(',').any(|word| word.starts_with(kind)))
}

/// The parts of a selector that choose something: `app!=a` and `app notin (a)` leave it out.
fn chosen(selector: &str) -> impl Iterator<Item = &str> {
    let leaves_out = selector.contains(" notin ");
    selector.split(',').filter(move |part| !(leaves_out || part.contains("!=") || part.starts_with('!')))
}

/// Whether the switch's ConfigMap is among what is named.
fn is_switch_named(words: &[String]) -> bool {
    let is_switch = |word: &String| word.rsplit('/').next() == Some("agenttrader-kill-switch");
    let is_kind = |word: &String| {
        ["cm", "configmap", "configmaps"].contains(&word.split('/').next().unwrap_or("").to_ascii_lowercase().as_str())
    };
    words.first().is_some_and(is_kind) && words.iter().any(is_switch)
}

/// Every scalar of a document with its path.
fn leaves<'a>(node: &'a Node, path: &mut Vec<&'a str>) -> Vec<(Vec<&'a str>, &'a str)> {
    match &node.value {
        Value::Scalar(scalar) => vec![(path.clone(), scalar.text.as_str())],
        Value::Sequence(items) => items.iter().flat_map(|item| leaves(item, path)).collect(),
        Value::Mapping(entries) => {
            let mut all = Vec::new();
            for (key, value) in entries {
                path.push(key.text().unwrap_or_default());
                all.extend(leaves(value, path));
                path.pop();
            }
            all
        }
    }
}
