//! One kustomization: its resources, what it generates, its components, and its changes, in kustomize's order.

use std::sync::Arc;

use crate::yaml::node::{Node, Value};

use super::build::{At, Build, Resources, Spec};
use super::load::{Named, folder_of};
use super::resource::Resource;
use super::{edit, is_kustomization_name};

/// How deep kustomizations may name one another.
const DEPTH: usize = 32;

/// How many kustomizations one root may read, each as often as it is named.
const KUSTOMIZATIONS: usize = 512;

impl Build<'_> {
    /// Renders a kustomization over `resources`: none for one that stands by itself, those of its parent for a component, which is
    /// what `named` says together with where it is named.
    pub(super) fn kustomization(
        &mut self,
        path: &str,
        resources: Resources,
        named: Option<(&At<'_>, bool)>,
    ) -> Resources {
        let own = At { file: Arc::from(path), line: 0, field: None, value: None };
        let (at, component) = named.map_or((&own, None), |(at, component)| (at, Some(component)));
        if self.open.iter().any(|open| open == path) {
            self.refuse(
                at,
                format!("kustomizations name one another in a circle: {} -> {path}", self.open.join(" -> ")),
                "take the reference out that closes the circle",
            );
            return resources;
        }
        self.kustomizations = self.kustomizations.saturating_add(1);
        if self.open.len() >= DEPTH || self.kustomizations > KUSTOMIZATIONS {
            if self.kustomizations <= KUSTOMIZATIONS.saturating_add(1) {
                self.refuse(
                    at,
                    format!("more than {DEPTH} kustomizations deep, or more than {KUSTOMIZATIONS} in all"),
                    "name each base once, from few levels",
                );
            }
            return resources;
        }
        let Some(spec) = self.spec(path) else { return resources };
        let is_component = spec.get("kind").and_then(Node::text) == Some("Component");
        // A component that is rendered by itself is rendered over nothing, as kustomize does.
        self.check_fields(&spec, component.unwrap_or(is_component));
        self.open.push(path.to_owned());
        let resources = self.carry_out(&spec, resources);
        self.open.pop();
        resources
    }

    fn spec(&mut self, path: &str) -> Option<Spec> {
        let file: Arc<str> = Arc::from(path);
        let mut documents = self.documents(path);
        let at = At { file: Arc::clone(&file), line: 0, field: None, value: None };
        let node = documents.pop();
        match node {
            Some(node) if documents.is_empty() && matches!(node.value, Value::Mapping(_)) => {
                Some(Spec { folder: folder_of(path).to_owned(), file, node })
            }
            _ => {
                self.refuse(
                    &at,
                    "a kustomization is one mapping, in one document",
                    "write one document with its fields",
                );
                None
            }
        }
    }

    fn carry_out(&mut self, spec: &Spec, mut resources: Resources) -> Resources {
        for field in ["resources", "bases"] {
            for (node, path) in spec.texts(self, field) {
                self.add_named(spec, &mut resources, node, field, &path);
            }
        }
        let whole = At { file: Arc::clone(&spec.file), line: spec.node.line, field: Some("resources"), value: None };
        self.check_unique(&resources, &whole);
        self.generate(spec, &mut resources);
        for (node, path) in spec.texts(self, "components") {
            let at = At::of(&spec.file, node, "components");
            if let Some(Named::Folder(folder)) = self.locate(&spec.folder, &path, &at) {
                if let Some(path) = self.kustomization_in(&folder, &at) {
                    resources = self.kustomization(&path, resources, Some((&at, true)));
                }
            } else {
                self.refuse(&at, format!("`{path}` is no folder with a component"), "name the component's folder");
            }
        }
        self.patch(spec, &mut resources);
        self.set_namespace(spec, &mut resources);
        self.affix(spec, &mut resources);
        self.label(spec, &mut resources);
        self.patch_json(spec, &mut resources);
        self.count_replicas(spec, &mut resources);
        self.name_images(spec, &mut resources);
        self.replace(spec, &mut resources);
        resources
    }

    /// Adds what one item of `resources` names.
    fn add_named(&mut self, spec: &Spec, resources: &mut Resources, node: &Node, field: &str, path: &str) {
        let at = At { value: Some(path), field: Some(field), ..At::of(&spec.file, node, field) };
        match self.locate(&spec.folder, path, &at) {
            None => {}
            Some(Named::Folder(folder)) => {
                if let Some(inner) = self.kustomization_in(&folder, &at) {
                    let added = self.kustomization(&inner, Vec::new(), Some((&at, false)));
                    resources.extend(added);
                }
            }
            Some(Named::File(file)) => {
                for document in self.documents(&file) {
                    self.add_document(resources, document, &at, &file);
                }
                self.taken.insert(file);
            }
        }
    }

    /// Adds an object, or each object of a list of them.
    fn add_document(&mut self, added: &mut Resources, document: Node, at: &At<'_>, file: &str) {
        if !self.affords(edit::size(&document), at) {
            return;
        }
        let kind = document.get("kind").and_then(Node::text).unwrap_or_default();
        let api_version = document.get("apiVersion").and_then(Node::text).unwrap_or_default();
        if is_kustomization_name(file) || api_version.starts_with("kustomize.config.k8s.io/") {
            self.refuse(at, format!("`{file}` is a kustomization, named as if it were an object"), "name its folder");
            return;
        }
        if kind.ends_with("List") && document.get("items").is_some() {
            for item in document.get("items").map(Node::items).unwrap_or_default() {
                self.add_document(added, item.clone(), at, file);
            }
            return;
        }
        let named = document.at(&["metadata", "name"]).and_then(Node::text).is_some();
        if kind.is_empty() || api_version.is_empty() || !named {
            let here = At { file: Arc::from(file), line: document.line, field: None, value: None };
            self.refuse(
                &here,
                "a kustomization names this file as a resource, and this document has no `apiVersion`, `kind` and `metadata.name`",
                "make it an object, or take the file out of `resources`",
            );
            return;
        }
        if let Some(key) = internal_annotation(&document) {
            let here =
                At { file: Arc::from(file), line: document.line, field: Some("metadata.annotations"), value: None };
            self.refuse(
                &here,
                format!("`{key}` steers kustomize from inside an object, which is not rendered by the policy"),
                "take the annotation out",
            );
        }
        added.push(Resource::new(document));
    }

    /// What is done once, after all of a root's kustomizations: digests in names, then references to changed names.
    pub(super) fn finish(&mut self, resources: &mut Resources) {
        self.add_digests(resources);
        self.fix_references(resources);
        resources.retain(|resource| !is_local(&resource.node));
    }
}

/// Annotations that kustomize keeps its own books in.
fn internal_annotation(document: &Node) -> Option<String> {
    let annotations = document.at(&["metadata", "annotations"])?;
    let steering =
        |key: &&str| key.starts_with("internal.config.kubernetes.io/") || key.starts_with("kustomize.config.k8s.io/");
    annotations.entries().iter().filter_map(|(key, _)| key.text()).find(steering).map(str::to_owned)
}

/// An object that is said to be for tools alone does not leave the kustomization.
fn is_local(document: &Node) -> bool {
    document
        .at(&["metadata", "annotations", "config.kubernetes.io/local-config"])
        .and_then(Node::text)
        .is_some_and(|value| value != "false")
}
