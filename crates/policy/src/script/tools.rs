//! The other programs that move workloads: `gcloud run`, containers, Helm, systemd, HTTP.

use super::arguments::{Arguments, names};
use super::runner::{Place, Runner};
use crate::found::{Effect, Key, Said};
use crate::scan::said;

const GCLOUD_VALUED: [&str; 33] = [
    "image",
    "region",
    "project",
    "platform",
    "min-instances",
    "max-instances",
    "min",
    "max",
    "scaling",
    "set-env-vars",
    "update-env-vars",
    "remove-env-vars",
    "env-vars-file",
    "set-secrets",
    "update-secrets",
    "service-account",
    "args",
    "command",
    "to-tags",
    "to-revisions",
    "tag",
    "memory",
    "cpu",
    "concurrency",
    "timeout",
    "port",
    "ingress",
    "format",
    "labels",
    "update-labels",
    "service-min-instances",
    "source",
    "account",
];
const CONTAINER_VALUED: [&str; 24] = [
    "e",
    "env",
    "env-file",
    "name",
    "v",
    "volume",
    "p",
    "publish",
    "network",
    "net",
    "u",
    "user",
    "w",
    "workdir",
    "f",
    "file",
    "build-arg",
    "t",
    "tag",
    "l",
    "label",
    "scale",
    "entrypoint",
    "platform",
];
const HELM_VALUED: [&str; 14] = [
    "n",
    "namespace",
    "f",
    "values",
    "set",
    "set-string",
    "set-file",
    "set-json",
    "set-literal",
    "version",
    "kube-context",
    "timeout",
    "repo",
    "description",
];

impl Runner {
    /// The arguments behind `gcloud`.
    pub(super) fn gcloud(&mut self, words: &[String], place: &Place) {
        let arguments = Arguments::of(words, &GCLOUD_VALUED);
        let verbs: Vec<&str> = arguments
            .words
            .iter()
            .map(String::as_str)
            .skip_while(|word| matches!(*word, "beta" | "alpha" | "preview"))
            .collect();
        for list in arguments.values(&["set-env-vars", "update-env-vars"]) {
            self.environment_list(list, place);
        }
        for list in arguments.values(&["set-secrets", "update-secrets"]) {
            for (key, name) in pairs(list) {
                if let Some(key) = Key::of_variable(&key) {
                    self.found.assign(
                        key,
                        key.name(),
                        Said::Unknown(format!("the secret `{name}`")),
                        false,
                        place.line,
                    );
                }
            }
        }
        for file in arguments.values(&["env-vars-file"]) {
            self.found.env_files.push((file.to_owned(), place.line));
        }
        for list in arguments.values(&["args", "command"]) {
            let list: Vec<String> = pairs_text(list);
            self.mode_arguments(&list, place);
            self.argv(&list, place);
        }
        let targets = |from: usize| names(verbs.get(from..).unwrap_or_default().iter().copied());
        match verbs.as_slice() {
            ["run", "deploy", ..] => self.order_of(Effect::Start, targets(2), false, words, place),
            ["run", "services", "update", ..] => {
                let scale = ["min-instances", "max-instances", "min", "max", "scaling", "service-min-instances"];
                let counts: Vec<&str> = arguments.values(&scale).collect();
                let where_only = ["region", "project", "platform", "quiet", "q", "async", "account", "format"];
                let scales_only = arguments
                    .flags
                    .iter()
                    .all(|(flag, _)| scale.contains(&flag.as_str()) || where_only.contains(&flag.as_str()));
                if let Some(count) = counts.iter().find(|count| **count != "0") {
                    self.order_of(Effect::Scale(said(count)), targets(3), false, words, place);
                } else if !scales_only {
                    self.order_of(Effect::Patch, targets(3), false, words, place);
                }
            }
            ["run", "services", "update-traffic", ..] => self.order_of(Effect::Patch, targets(3), false, words, place),
            ["run", "services" | "jobs", "replace", ..] => {
                self.order_of(Effect::Apply, targets(3), false, words, place)
            }
            ["run", "jobs", "execute" | "create" | "deploy" | "update", ..] => {
                self.order_of(Effect::Start, targets(3), false, words, place);
            }
            ["run", "worker-pools", "deploy" | "update" | "replace", ..] => {
                self.order_of(Effect::Start, targets(3), false, words, place);
            }
            _ => {}
        }
    }

    /// `A=b,C=d`, or with a delimiter of its own: `^@^A=b@C=d`.
    fn environment_list(&mut self, list: &str, place: &Place) {
        for (name, value) in pairs(list) {
            if let Some(key) = Key::of_variable(&name) {
                self.found.assign(key, name, said(&value), false, place.line);
            }
        }
    }

    /// The arguments behind `docker`, `podman` and their like.
    pub(super) fn containers(&mut self, words: &[String], place: &Place) {
        let arguments = Arguments::of(words, &CONTAINER_VALUED);
        for variable in arguments.values(&["e", "env", "build-arg"]) {
            let (name, value) = variable.split_once('=').map_or((variable, None), |(name, value)| (name, Some(value)));
            let Some(key) = Key::of_variable(name) else { continue };
            let taken_over = || Said::Unknown("taken over from where the script runs".to_owned());
            self.found.assign(key, name, value.map_or_else(taken_over, said), false, place.line);
        }
        for file in arguments.values(&["env-file"]) {
            self.found.env_files.push((file.to_owned(), place.line));
        }
        let verbs: Vec<&str> = arguments
            .words
            .iter()
            .map(String::as_str)
            .skip_while(|word| matches!(*word, "compose" | "container" | "stack"))
            .collect();
        if matches!(verbs.first(), Some(&("play" | "kube"))) {
            self.order_of(Effect::Apply, names(verbs.iter().skip(1).copied()), false, words, place);
        }
        let starts = match verbs.first() {
            Some(&("run" | "up" | "start" | "restart" | "create" | "unpause" | "deploy")) => true,
            Some(&("service" | "scale")) => verbs.iter().any(|verb| matches!(*verb, "scale" | "create" | "update")),
            Some(&"exec") => {
                self.argv(&arguments.words.iter().skip(2).cloned().collect::<Vec<_>>(), place);
                false
            }
            _ => false,
        };
        if !starts {
            return;
        }
        let scaled = arguments.values(&["scale"]).chain(verbs.iter().copied().filter(|word| word.contains('=')));
        let to_zero = |word: &&str| word.ends_with("=0");
        let targets = names(scaled.filter(|word| !to_zero(word)).chain(arguments.values(&["name"])));
        let plain = names(verbs.iter().skip(1).copied().filter(|word| !word.contains('=')));
        self.order_of(Effect::Start, targets.into_iter().chain(plain).collect(), false, words, place);
    }

    /// The arguments behind `helm`, `argocd`, `flux`, `kustomize`.
    pub(super) fn releases(&mut self, tool: &str, words: &[String], place: &Place) {
        let arguments = Arguments::of(words, &HELM_VALUED);
        let targets = || names(arguments.from(1).iter().map(String::as_str));
        let moves = match tool {
            "helm" => matches!(arguments.word(0), "install" | "upgrade" | "rollback"),
            "argocd" => {
                arguments.word(0) == "app"
                    && matches!(arguments.word(1), "sync" | "set" | "create" | "rollback" | "patch" | "actions")
            }
            "flux" => matches!(arguments.word(0), "resume" | "reconcile" | "create"),
            _ => false,
        };
        if moves {
            self.order_of(Effect::Apply, targets(), false, words, place);
        }
        if tool == "kustomize" && arguments.word(0) == "edit" && arguments.word(1) == "set" {
            for word in arguments.from(3) {
                let Some((name, value)) = word.split_once('=') else { continue };
                match arguments.word(2) {
                    "image" => self.image("kustomize edit set image", value, place),
                    "replicas" if value != "0" => {
                        self.order_of(Effect::Scale(said(value)), names([name]), false, words, place)
                    }
                    _ => {}
                }
            }
        }
        for setting in arguments.values(&["set", "set-string", "set-literal"]) {
            for (name, value) in pairs(setting) {
                if let Some(key) = Key::of_configuration(&name) {
                    self.found.assign(key, name.as_str(), said(&value), false, place.line);
                }
                if name.ends_with("image.tag") || name.ends_with("image.digest") {
                    self.image(&format!("--set {name}"), &format!("image:{value}"), place);
                }
            }
        }
    }

    /// The arguments behind `systemctl`, `service`, `supervisorctl`, `launchctl`.
    pub(super) fn services(&mut self, words: &[String], place: &Place) {
        let starts = ["start", "restart", "enable", "reload-or-restart", "try-restart", "load", "kickstart"];
        if words.iter().any(|word| starts.contains(&word.as_str())) {
            let units: Vec<String> = words
                .iter()
                .map(|word| word.trim_end_matches(".service").trim_end_matches(".timer").to_owned())
                .collect();
            self.order_of(Effect::Start, names(units.iter().map(String::as_str)), false, words, place);
        }
    }

    /// The arguments behind another platform's client: a verb that moves something, unless every number it gives is 0.
    pub(super) fn platform(&mut self, head: &str, words: &[String], place: &Place) {
        const VERBS: [&str; 21] = [
            "scale",
            "ps:scale",
            "autoscale",
            "start",
            "restart",
            "run",
            "run-task",
            "update-service",
            "create-service",
            "deploy",
            "up",
            "create",
            "update",
            "apply",
            "resume",
            "launch",
            "ps:restart",
            "set-desired-capacity",
            "machine",
            "machines",
            "register-scalable-target",
        ];
        let moves = words.iter().any(|word| VERBS.contains(&word.as_str()));
        let values = words.iter().map(|word| word.rsplit('=').next().unwrap_or(word));
        let numbers: Vec<&str> = values.filter(|value| value.bytes().all(|byte| byte.is_ascii_digit())).collect();
        if moves && (numbers.is_empty() || numbers.iter().any(|number| *number != "0")) {
            let command: Vec<String> = std::iter::once(head.to_owned()).chain(words.iter().cloned()).collect();
            self.order_of(Effect::Start, names(words.iter().map(String::as_str)), false, &command, place);
        }
    }

    /// The arguments behind `curl` and `wget`: a request that changes something, to an address that names it.
    pub(super) fn request(&mut self, words: &[String], place: &Place) {
        let arguments = Arguments::of(
            words,
            &["X", "request", "method", "d", "data", "data-raw", "data-binary", "json", "H", "header", "o", "output"],
        );
        let method = arguments.values(&["X", "request", "method"]).last();
        let sends = arguments.has(&["d", "data", "data-raw", "data-binary", "json", "post-data", "body-data"]);
        let changes = method.map_or(sends, |method| !matches!(method, "GET" | "HEAD" | "OPTIONS" | "DELETE"));
        let is_api = arguments
            .words
            .iter()
            .any(|word| ["/apis/", "/api/v1/", "run.googleapis.com"].iter().any(|part| word.contains(part)));
        let at_switch = arguments.words.iter().any(|word| word.contains("/configmaps/agenttrader-kill-switch"));
        if at_switch && (changes || method == Some("DELETE")) {
            let halted = arguments.values(&["d", "data", "data-raw", "data-binary", "json"]).find_map(|text| {
                let hits = crate::scan::assignments(text);
                hits.into_iter().find(|hit| hit.key == Key::ExecutionHalted).map(|hit| hit.value)
            });
            let value = halted.unwrap_or_else(|| Said::Unknown("what is sent there".to_owned()));
            self.order(Effect::WriteSwitch(value), "", words, place);
        } else if changes && is_api {
            self.order_of(Effect::Patch, names(arguments.words.iter().map(String::as_str)), false, words, place);
        }
    }

    /// The arguments behind `agenttrader`.
    pub(super) fn agenttrader(&mut self, words: &[String], place: &Place) {
        let arguments = Arguments::of(words, &["data-dir", "config", "log-format", "bind", "port-base"]);
        if arguments.word(0) == "execution" && !arguments.has(&["help", "h", "version"]) {
            self.order_of(Effect::Start, vec!["execution-agent".to_owned()], false, words, place);
        }
    }
}

/// `A=b,C=d` as pairs; gcloud's `^@^` names another delimiter.
fn pairs(list: &str) -> Vec<(String, String)> {
    let own = list.strip_prefix('^').and_then(|rest| rest.split_once('^'));
    let (delimiter, list) = own.filter(|(mark, _)| !mark.is_empty()).unwrap_or((",", list));
    list.split(delimiter)
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((name.trim().to_owned(), value.to_owned()))
        })
        .collect()
}

/// A list of words with commas between.
fn pairs_text(list: &str) -> Vec<String> {
    list.split(',').map(str::to_owned).collect()
}
