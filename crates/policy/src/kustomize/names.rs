//! `namespace`, `namePrefix` and `nameSuffix`.

use crate::yaml::node::{Node, Value};

use super::build::{At, Build, Resources, Spec};
use super::edit::{self, Place};

impl Build<'_> {
    /// Carries out `namespace`.
    pub(super) fn set_namespace(&mut self, spec: &Spec, resources: &mut Resources) {
        let Some(namespace) = spec.text(self, "namespace").filter(|namespace| !namespace.is_empty()) else { return };
        let Some(node) = spec.get("namespace") else { return };
        let place = Place::of(node, &spec.file);
        let at = At::of(&spec.file, node, "namespace");
        if !self.affords(resources.len(), &at) {
            return;
        }
        for resource in resources.iter_mut() {
            resource.remember();
            let id = resource.id();
            let object = &mut resource.node;
            if !id.is_cluster_scoped()
                && let Some(metadata) = edit::at_or_made(object, &["metadata"], &place)
            {
                edit::set(metadata, "namespace", place.text(namespace.clone()));
            }
            match (id.group.as_str(), id.kind.as_str()) {
                (_, "Namespace") => {
                    if let Some(metadata) = edit::at_or_made(object, &["metadata"], &place) {
                        edit::set(metadata, "name", place.text(namespace.clone()));
                    }
                }
                (_, "RoleBinding" | "ClusterRoleBinding") => default_subjects(object, &namespace, &place),
                ("apiregistration.k8s.io", "APIService") => {
                    if let Some(service) = edit::at_or_made(object, &["spec", "service"], &place) {
                        edit::set(service, "namespace", place.text(namespace.clone()));
                    }
                }
                ("apiextensions.k8s.io", "CustomResourceDefinition") => {
                    let path = ["spec", "conversion", "webhook", "clientConfig", "service", "namespace"];
                    edit::visit(object, &path, &mut |held| *held = place.text(namespace.clone()));
                }
                ("admissionregistration.k8s.io", "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") => {
                    let path = ["webhooks", "clientConfig", "service", "namespace"];
                    edit::visit(object, &path, &mut |held| *held = place.text(namespace.clone()));
                }
                _ => {}
            }
        }
        self.check_unique(resources, &at);
    }

    /// Carries out `namePrefix` and `nameSuffix`.
    pub(super) fn affix(&mut self, spec: &Spec, resources: &mut Resources) {
        for field in ["namePrefix", "nameSuffix"] {
            let Some(affix) = spec.text(self, field).filter(|affix| !affix.is_empty()) else { continue };
            let at = At { file: spec.file.clone(), line: spec.node.line, field: Some(field), value: None };
            if !self.affords(resources.len(), &at) {
                return;
            }
            for resource in resources.iter_mut() {
                let first = resource.first_id();
                let skipped = matches!(
                    (first.group.as_str(), first.kind.as_str()),
                    (_, "CustomResourceDefinition" | "Namespace") | ("apiregistration.k8s.io", "APIService")
                );
                if skipped {
                    continue;
                }
                resource.remember();
                let name = if field == "namePrefix" {
                    resource.prefixes.push(affix.clone());
                    format!("{affix}{}", resource.name())
                } else {
                    resource.suffixes.push(affix.clone());
                    format!("{}{affix}", resource.name())
                };
                resource.set_name(&name);
            }
        }
    }

    /// Says which objects have the id of another.
    pub(super) fn check_unique(&mut self, resources: &Resources, at: &At<'_>) {
        let mut seen = std::collections::BTreeSet::new();
        for resource in resources {
            let id = resource.id();
            let key = (id.group, id.version, id.kind.clone(), id.namespace, id.name.clone());
            if !seen.insert(key) {
                let here = At { value: None, ..At::of(&at.file, &resource.node, at.field.unwrap_or("resources")) };
                self.refuse(
                    &here,
                    format!("a kustomization brings {} `{}` twice", id.kind, id.name),
                    "take one of the two out, or give it another name",
                );
            }
        }
    }
}

/// The service account `default` is that of the namespace.
fn default_subjects(object: &mut Node, namespace: &str, place: &Place) {
    let Some(Value::Sequence(subjects)) = edit::child_mut(object, "subjects").map(|subjects| &mut subjects.value)
    else {
        return;
    };
    for subject in subjects.iter_mut().filter(|subject| subject.get("name").and_then(Node::text) == Some("default")) {
        edit::set(subject, "namespace", place.text(namespace));
    }
}
