//! `patches`, `patchesStrategicMerge` and `patchesJson6902`.

use std::sync::Arc;

use crate::yaml::node::{Node, Value};

use super::build::{At, Build, Resources, Spec};
use super::edit::{self, Place};
use super::merge::{self, merge};
use super::merge_keys::shape_of;
use super::resource::{Resource, id_of};
use super::{generate, json_patch};

/// What a patch may change besides what it is for.
#[derive(Clone, Copy, Default)]
struct Leave {
    name: bool,
    kind: bool,
}

impl Build<'_> {
    /// Carries out `patchesStrategicMerge`, then `patches`.
    pub(super) fn patch(&mut self, spec: &Spec, resources: &mut Resources) {
        for (node, text) in spec.texts(self, "patchesStrategicMerge") {
            let at = At::of(&spec.file, node, "patchesStrategicMerge");
            let patches = if text.contains('\n') || text.contains(": ") || text.trim_start().starts_with('{') {
                self.inline(&text, &at)
            } else {
                self.locate_file(&spec.folder, &text, &at).map(|path| self.documents(&path)).unwrap_or_default()
            };
            for patch in patches {
                self.merge_by_id(resources, &patch, Leave::default(), &at);
            }
        }
        for entry in spec.list(self, "patches") {
            self.only(spec, entry, "patches", &["path", "patch", "target", "options"]);
            let at = At { value: None, ..At::of(&spec.file, entry, "patches") };
            let Some(documents) = self.patch_documents(spec, entry, &at) else { continue };
            let leave = self.leave(spec, entry);
            let selector = match entry.get("target").filter(|target| !edit::is_null(target)) {
                None => None,
                Some(target) => match self.selector(spec, target, "patches.target") {
                    Some(selector) => Some(selector),
                    None => continue,
                },
            };
            let json = documents.len() == 1 && documents.iter().all(json_patch::is_json_patch);
            match (&selector, documents.as_slice()) {
                (None, _) if json => {
                    self.refuse(&at, "a JSON patch has no `target`", "say with `target` which objects it is for");
                }
                (None, patches) => {
                    for patch in patches {
                        self.merge_by_id(resources, patch, leave, &at);
                    }
                }
                (Some(selector), [patch]) => {
                    self.patch_selected(resources, patch, &|resource| selector.selects(resource), leave, &at);
                }
                (Some(_), _) => {
                    self.refuse(&at, "several patches share one `target`", "write one entry for each patch");
                }
            }
        }
    }

    /// Carries out `patchesJson6902`.
    pub(super) fn patch_json(&mut self, spec: &Spec, resources: &mut Resources) {
        for entry in spec.list(self, "patchesJson6902") {
            self.only(spec, entry, "patchesJson6902", &["path", "patch", "target", "options"]);
            let at = At { value: None, ..At::of(&spec.file, entry, "patchesJson6902") };
            let Some(documents) = self.patch_documents(spec, entry, &at) else { continue };
            let Some(target) = entry.get("target") else {
                self.refuse(&at, "a JSON patch has no `target`", "say with `target` which object it is for");
                continue;
            };
            // kubectl takes the target for patterns, as that of `patches`, and wants a name in it.
            let Some(selector) = self.selector(spec, target, "patchesJson6902.target") else { continue };
            let named = target.get("name").and_then(Node::text).is_some_and(|name| !name.is_empty());
            match documents.as_slice() {
                _ if !named => self.refuse(&at, "the `target` of a JSON patch has no `name`", "name the object"),
                [patch] if json_patch::is_json_patch(patch) => {
                    let selects = |resource: &Resource| selector.selects(resource);
                    self.patch_selected(resources, patch, &selects, Leave::default(), &at);
                }
                _ => self.refuse(&at, "the patch is no list of operations", "write a list of JSON patch operations"),
            }
        }
    }

    /// The documents of an entry's `path` or `patch`.
    fn patch_documents(&mut self, spec: &Spec, entry: &Node, at: &At<'_>) -> Option<Vec<Node>> {
        let given = |key: &str| entry.get(key).filter(|node| !edit::is_null(node));
        let documents = match (given("path"), given("patch")) {
            (Some(node), None) if generate::is_text(node) => {
                let at = At::of(&spec.file, node, "path");
                let path = self.locate_file(&spec.folder, node.text().unwrap_or_default(), &at)?;
                self.documents(&path)
            }
            (None, Some(node)) if generate::is_text(node) => {
                let at = At { value: None, ..At::of(&spec.file, node, "patch") };
                self.inline(node.text().unwrap_or_default(), &at)
            }
            _ => {
                self.refuse(at, "a patch is given by one of `path` and `patch`, as a text", "give one of the two");
                return None;
            }
        };
        if documents.is_empty() {
            self.refuse(at, "the patch is empty", "take it out");
            return None;
        }
        let raw = match (given("path"), given("patch")) {
            (Some(_), _) => {
                documents.first().and_then(|first| first.file.clone()).and_then(|file| self.tree.file(&file))
            }
            (None, node) => node.and_then(Node::text).map(str::as_bytes),
        };
        let is_json = |raw: &[u8]| serde_json::from_slice::<serde_json::Value>(raw).is_ok();
        if raw.is_some_and(|raw| raw.starts_with(b"[") && !is_json(raw)) {
            self.refuse(
                at,
                "the patch begins as JSON and is none, so kubectl refuses it",
                "write it as YAML or as JSON",
            );
            return None;
        }
        Some(documents)
    }

    fn leave(&mut self, spec: &Spec, entry: &Node) -> Leave {
        let Some(options) = entry.get("options") else { return Leave::default() };
        self.only(spec, options, "patches.options", &["allowNameChange", "allowKindChange"]);
        Leave { name: self.flag(spec, options, "allowNameChange"), kind: self.flag(spec, options, "allowKindChange") }
    }

    /// Lays a patch over the object that it names itself.
    fn merge_by_id(&mut self, resources: &mut Resources, patch: &Node, leave: Leave, at: &At<'_>) {
        let wanted = id_of(patch);
        let meant = |resource: &Resource| resource.ids().any(|id| id == wanted);
        match resources.iter().filter(|resource| meant(resource)).count() {
            1 => self.patch_selected(resources, patch, &meant, leave, at),
            found => {
                let at = At { value: None, ..At::of(&at.file, patch, "patches") };
                self.refuse(
                    &at,
                    format!(
                        "the patch is for one object, and {found} are called {} `{}` of {} {}",
                        wanted.kind, wanted.name, wanted.group, wanted.version
                    ),
                    "correct the patch's `apiVersion`, `kind`, `metadata.name` and `metadata.namespace`",
                );
            }
        }
    }

    fn patch_selected(
        &mut self,
        resources: &mut Resources,
        patch: &Node,
        selects: &dyn Fn(&Resource) -> bool,
        leave: Leave,
        at: &At<'_>,
    ) {
        let json = json_patch::is_json_patch(patch);
        if !json && !matches!(patch.value, Value::Mapping(_)) {
            self.refuse(at, "the patch is neither an object nor a list of operations", "write one of the two");
            return;
        }
        let named = patch.get("kind").and_then(Node::text).is_some_and(|kind| !kind.ends_with("List"))
            && patch.at(&["metadata", "name"]).and_then(Node::text).is_some();
        if !json && !named {
            self.refuse(
                at,
                "a patch that is merged has a `kind` and a `metadata.name`, whatever its target says: kubectl refuses it",
                "write both into the patch",
            );
            return;
        }
        let cost = edit::size(patch);
        let mut kept = Vec::new();
        for mut resource in std::mem::take(resources) {
            let goes_on = self.affords(1, at);
            let (own, each) = (edit::size(&resource.node), cost);
            // Fields are looked up one after the other: a wide patch of a wide object costs both.
            let work = own.saturating_add(each).saturating_add(own.saturating_mul(each) / 64);
            if !goes_on || !selects(&resource) || !self.affords(work, at) {
                kept.push(resource);
                continue;
            }
            let result = if json {
                resource.remember();
                json_patch::apply(&mut resource.node, patch)
                    .map(|()| true)
                    .map_err(|error| (error.line, error.to_string()))
            } else {
                lay_over(&mut resource, patch, leave).map_err(|error| (error.line(), error.to_string()))
            };
            match result {
                Ok(true) => kept.push(resource),
                Ok(false) => {}
                Err((line, problem)) => {
                    let id = resource.id();
                    let file = patch.file.clone().unwrap_or_else(|| Arc::clone(&at.file));
                    let at = At { file, line, field: Some("patches"), value: None };
                    self.refuse(
                        &at,
                        format!("the patch of {} `{}` cannot be carried out: {problem}", id.kind, id.name),
                        "write the values into the object itself, or correct the patch",
                    );
                    kept.push(resource);
                }
            }
        }
        *resources = kept;
    }
}

/// Lays a strategic merge patch over an object; false: nothing is left of it.
fn lay_over(resource: &mut Resource, patch: &Node, leave: Leave) -> Result<bool, merge::MergeError> {
    let id = resource.id();
    if leave.name || leave.kind {
        resource.remember();
    }
    let before = resource.node.clone();
    let Some(mut merged) = merge(before.clone(), patch.clone(), shape_of(&id))? else { return Ok(false) };
    if let Some(line) = merge::left_over(&merged) {
        return Err(merge::MergeError::Directive { directive: "$patch, where it stands".to_owned(), line });
    }
    if !leave.kind {
        restore(&mut merged, &before, &["apiVersion"]);
        restore(&mut merged, &before, &["kind"]);
    }
    if !leave.name {
        restore(&mut merged, &before, &["metadata", "name"]);
    }
    restore(&mut merged, &before, &["metadata", "namespace"]);
    resource.node = merged;
    Ok(true)
}

/// Puts back what a patch may not change.
fn restore(merged: &mut Node, before: &Node, path: &[&str]) {
    let Some((key, parents)) = path.split_last() else { return };
    let place = Place { file: before.file.clone().unwrap_or_else(|| Arc::from("")), line: before.line };
    let Some(parent) = edit::at_or_made(merged, parents, &place) else { return };
    match before.at(path) {
        Some(value) => {
            edit::set(parent, key, value.clone());
        }
        None => {
            edit::remove(parent, key);
        }
    }
}
