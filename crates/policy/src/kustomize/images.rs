//! `images` and `replicas`.

use regex_lite::Regex;

use crate::yaml::node::{Node, Scalar, Value};

use super::build::{At, Build, Resources, Spec};
use super::edit::{self, Place};

/// One entry of `images`.
struct Image {
    named: Regex,
    new_name: Option<String>,
    new_tag: Option<String>,
    digest: Option<String>,
    suffix: Option<String>,
    place: Place,
}

impl Build<'_> {
    /// Carries out `images` (and `imageTags`, as it was called).
    pub(super) fn name_images(&mut self, spec: &Spec, resources: &mut Resources) {
        for field in ["images", "imageTags"] {
            for entry in spec.list(self, field) {
                let Some(image) = self.image(spec, entry, field) else { continue };
                let at = At { value: None, ..At::of(&spec.file, entry, field) };
                for resource in resources.iter_mut() {
                    if !self.affords(edit::size(&resource.node), &at) {
                        return;
                    }
                    if resource.id().kind != "CustomResourceDefinition" {
                        image.rename(&mut resource.node);
                    }
                }
            }
        }
    }

    fn image(&mut self, spec: &Spec, entry: &Node, field: &str) -> Option<Image> {
        self.only(spec, entry, field, &["name", "newName", "newTag", "digest", "tagSuffix"]);
        let at = At { value: None, ..At::of(&spec.file, entry, field) };
        let part = Spec { node: entry.clone(), ..spec.clone() };
        let mut text = |key: &str| part.text(self, key).filter(|text| !text.is_empty());
        let (new_name, new_tag) = (text("newName"), text("newTag"));
        let (digest, suffix) = (text("digest"), text("tagSuffix"));
        let Some(name) = text("name") else {
            self.refuse(&at, "an image has no `name`", "name the image that is to be renamed");
            return None;
        };
        // The name is a pattern to kustomize, not a text.
        let tail = "(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?";
        let Ok(named) = Regex::new(&format!("^{name}{tail}$")) else {
            self.refuse(&at, format!("`{name}` is no image name that can be read"), "name the image plainly");
            return None;
        };
        Some(Image { named, new_name, new_tag, digest, suffix, place: Place::of(entry, &spec.file) })
    }

    /// Carries out `replicas`.
    pub(super) fn count_replicas(&mut self, spec: &Spec, resources: &mut Resources) {
        const KINDS: [&str; 4] = ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"];
        for entry in spec.list(self, "replicas") {
            self.only(spec, entry, "replicas", &["name", "count"]);
            let at = At { value: None, ..At::of(&spec.file, entry, "replicas") };
            let part = Spec { node: entry.clone(), ..spec.clone() };
            let name = part.text(self, "name").unwrap_or_default();
            let is_count = |scalar: &&Scalar| scalar.plain && scalar.text.parse::<i64>().is_ok();
            let Some(count) = entry.get("count").and_then(Node::scalar).filter(is_count) else {
                self.refuse(&at, "`count` is no whole number", "write a number, without quotes");
                continue;
            };
            if !self.affords(resources.len(), &at) {
                return;
            }
            let place =
                entry.get("count").map_or_else(|| Place::of(entry, &spec.file), |node| Place::of(node, &spec.file));
            let mut found = false;
            for resource in resources.iter_mut() {
                let meant = resource.ids().any(|id| id.name == name && KINDS.contains(&id.kind.as_str()));
                if !meant {
                    continue;
                }
                found = true;
                if let Some(of) = edit::at_or_made(&mut resource.node, &["spec"], &place) {
                    edit::set(of, "replicas", place.plain(count.text.clone()));
                }
            }
            if !found {
                self.refuse(&at, format!("no workload is called `{name}`"), "correct the name, or take the entry out");
            }
        }
    }
}

impl Image {
    /// Renames the image in every list of containers, wherever it stands.
    fn rename(&self, node: &mut Node) {
        match &mut node.value {
            Value::Scalar(_) => {}
            Value::Sequence(items) => items.iter_mut().for_each(|item| self.rename(item)),
            Value::Mapping(entries) => {
                for (key, value) in entries {
                    if matches!(key.text(), Some("containers" | "initContainers"))
                        && let Value::Sequence(containers) = &mut value.value
                    {
                        containers.iter_mut().for_each(|container| self.rename_one(container));
                    }
                    self.rename(value);
                }
            }
        }
    }

    fn rename_one(&self, container: &mut Node) {
        let Some(held) = edit::child_mut(container, "image") else { return };
        let Some(reference) = held.text().filter(|reference| self.named.is_match(reference)) else { return };
        let (mut name, mut tag, mut digest) = split(reference);
        if let Some(new) = &self.new_name {
            name.clone_from(new);
        }
        match (&self.new_tag, &self.digest, &self.suffix) {
            (Some(new), Some(sum), _) => {
                tag.clone_from(new);
                digest.clone_from(sum);
            }
            (Some(new), None, _) => {
                tag.clone_from(new);
                digest.clear();
            }
            (None, Some(sum), _) => {
                tag.clear();
                digest.clone_from(sum);
            }
            (None, None, Some(suffix)) => {
                tag.push_str(suffix);
                digest.clear();
            }
            (None, None, None) => {}
        }
        let tag = if tag.is_empty() { tag } else { format!(":{tag}") };
        let digest = if digest.is_empty() { digest } else { format!("@{digest}") };
        *held = self.place.text(format!("{name}{tag}{digest}"));
    }
}

/// A reference's name, tag and digest. A colon before the first slash is a port's.
fn split(reference: &str) -> (String, String, String) {
    let (named, digest) = reference.split_once('@').unwrap_or((reference, ""));
    let from = named.find('/').unwrap_or(0);
    let (host, rest) = named.split_at(from);
    let (path, tag) = rest.split_once(':').unwrap_or((rest, ""));
    (format!("{host}{path}"), tag.to_owned(), digest.to_owned())
}
