//! `commonLabels`, `labels` and `commonAnnotations`: where they are written.

use crate::yaml::node::{Node, Value};

use super::build::{At, Build, Resources, Spec};
use super::edit::{self, Place};
use super::is_kustomization_name;
use super::resource::Id;

/// A path of fields, and whether it is made where it is missing.
type Spot = (&'static [&'static str], bool);

/// Writes pairs into an object, wherever they belong.
type Write<'a> = dyn Fn(&Id, &mut Node, &[(String, Node)]) + 'a;

/// The spots of pod templates, where `metadata.labels` and `metadata.annotations` stand.
fn templates(id: &Id) -> &'static [&'static [&'static str]] {
    match (id.group.as_str(), id.kind.as_str()) {
        (_, "ReplicationController") if id.version == "v1" => &[&["spec", "template", "metadata"]],
        (_, "Deployment" | "ReplicaSet" | "DaemonSet") | ("apps", "StatefulSet") | ("batch", "Job") => {
            &[&["spec", "template", "metadata"]]
        }
        ("batch", "CronJob") => {
            &[&["spec", "jobTemplate", "metadata"], &["spec", "jobTemplate", "spec", "template", "metadata"]]
        }
        _ => &[],
    }
}

const POD_AFFINITY: [&[&str]; 4] = [
    &["podAffinity", "preferredDuringSchedulingIgnoredDuringExecution", "podAffinityTerm"],
    &["podAffinity", "requiredDuringSchedulingIgnoredDuringExecution"],
    &["podAntiAffinity", "preferredDuringSchedulingIgnoredDuringExecution", "podAffinityTerm"],
    &["podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"],
];

/// The spots of selectors that follow a common label.
fn selectors(id: &Id) -> &'static [Spot] {
    match (id.group.as_str(), id.kind.as_str()) {
        (_, "Service" | "ReplicationController") if id.version == "v1" => &[(&["spec", "selector"], true)],
        (_, "Deployment" | "ReplicaSet" | "DaemonSet") | ("apps", "StatefulSet") => {
            &[(&["spec", "selector", "matchLabels"], true)]
        }
        ("batch", "Job") | ("policy", "PodDisruptionBudget") => &[(&["spec", "selector", "matchLabels"], false)],
        ("batch", "CronJob") => &[(&["spec", "jobTemplate", "spec", "selector", "matchLabels"], false)],
        ("networking.k8s.io", "NetworkPolicy") => &[
            (&["spec", "podSelector", "matchLabels"], false),
            (&["spec", "ingress", "from", "podSelector", "matchLabels"], false),
            (&["spec", "egress", "to", "podSelector", "matchLabels"], false),
        ],
        _ => &[],
    }
}

/// How far a label reaches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Object,
    Templates,
    Selectors,
}

impl Build<'_> {
    /// Carries out `labels`, `commonLabels` and `commonAnnotations`.
    pub(super) fn label(&mut self, spec: &Spec, resources: &mut Resources) {
        for entry in spec.list(self, "labels") {
            self.only(spec, entry, "labels", &["pairs", "includeSelectors", "includeTemplates", "fields"]);
            if let Some(fields) = entry.get("fields").filter(|fields| !fields.items().is_empty()) {
                let at = At::of(&spec.file, fields, "labels.fields");
                self.refuse(
                    &at,
                    "labels in fields of one's own choice are not rendered by the policy",
                    "use `includeTemplates` or `includeSelectors`",
                );
            }
            let reach = if self.flag(spec, entry, "includeSelectors") {
                Reach::Selectors
            } else if self.flag(spec, entry, "includeTemplates") {
                Reach::Templates
            } else {
                Reach::Object
            };
            let pairs = spec.pairs(self, entry.get("pairs"), "labels");
            self.write_labels(spec, resources, &pairs, reach);
        }
        let pairs = spec.pairs(self, spec.node.get("commonLabels"), "commonLabels");
        self.write_labels(spec, resources, &pairs, Reach::Selectors);
        let pairs = spec.pairs(self, spec.node.get("commonAnnotations"), "commonAnnotations");
        self.write(spec, resources, &pairs, &|id, object, pairs| {
            write_at(object, &["metadata", "annotations"], true, pairs);
            for template in templates(id) {
                write_at(object, &[template, &["annotations"][..]].concat(), true, pairs);
            }
        });
    }

    fn write_labels(&mut self, spec: &Spec, resources: &mut Resources, pairs: &[(String, Node)], reach: Reach) {
        if reach < Reach::Selectors {
            self.check_shared(spec, resources, pairs);
        }
        self.write(spec, resources, pairs, &|id, object, pairs| {
            write_at(object, &["metadata", "labels"], true, pairs);
            if reach >= Reach::Templates {
                for template in templates(id) {
                    write_at(object, &[template, &["labels"][..]].concat(), true, pairs);
                }
                if id.group == "apps" && id.kind == "StatefulSet" {
                    edit::visit(object, &["spec", "volumeClaimTemplates"], &mut |claims| {
                        if let Value::Sequence(claims) = &mut claims.value {
                            claims.iter_mut().for_each(|claim| write_at(claim, &["metadata", "labels"], true, pairs));
                        }
                    });
                }
            }
            if reach == Reach::Selectors {
                for (path, made) in selectors(id) {
                    write_at(object, path, *made, pairs);
                }
                if id.group == "apps" && matches!(id.kind.as_str(), "Deployment" | "StatefulSet") {
                    let pod = ["spec", "template", "spec"];
                    for affinity in POD_AFFINITY {
                        let path = [&pod[..], &["affinity"], affinity, &["labelSelector", "matchLabels"]].concat();
                        write_at(object, &path, false, pairs);
                    }
                    let spread = [&pod[..], &["topologySpreadConstraints", "labelSelector", "matchLabels"]].concat();
                    write_at(object, &spread, false, pairs);
                }
            }
        });
    }

    /// A label that a kustomization wrote into a selector is one value with the same label elsewhere to kustomize: who changes the
    /// one may change the other, or not.
    fn check_shared(&mut self, spec: &Spec, resources: &Resources, pairs: &[(String, Node)]) {
        let mut refused = Vec::new();
        for resource in resources {
            for (path, _) in selectors(&resource.id()) {
                for (key, new) in pairs {
                    let held = resource.node.at(path).and_then(|mapping| mapping.get(key));
                    let written = held.and_then(|held| held.file.as_deref()).is_some_and(is_kustomization_name);
                    if written && held.and_then(Node::text) != new.text() {
                        refused.push((Place::of(new, &spec.file), key.clone()));
                    }
                }
            }
        }
        for (place, key) in refused {
            let at = At { file: place.file, line: place.line, field: Some("labels"), value: None };
            self.refuse(
                &at,
                format!("`{key}` is set without its selectors, where another kustomization set it with them"),
                "set it with `includeSelectors` in both, or in one place alone",
            );
        }
    }

    fn write(&mut self, spec: &Spec, resources: &mut Resources, pairs: &[(String, Node)], write: &Write) {
        let at = At { file: spec.file.clone(), line: spec.node.line, field: None, value: None };
        if pairs.is_empty() || !self.affords(resources.len().saturating_mul(pairs.len()), &at) {
            return;
        }
        for resource in resources.iter_mut() {
            let id = resource.id();
            write(&id, &mut resource.node, pairs);
        }
    }
}

/// Writes pairs into the mapping at a path; where it is missing, makes it or leaves it.
fn write_at(object: &mut Node, path: &[&str], made: bool, pairs: &[(String, Node)]) {
    let mut write = |mapping: &mut Node| {
        for (key, value) in pairs {
            edit::set(mapping, key, value.clone());
        }
    };
    if !made {
        edit::visit(object, path, &mut write);
        return;
    }
    let Some((_, first)) = pairs.first() else { return };
    let place = Place { file: first.file.clone().unwrap_or_else(|| "".into()), line: first.line };
    if let Some(mapping) = edit::at_or_made(object, path, &place) {
        write(mapping);
    }
}
