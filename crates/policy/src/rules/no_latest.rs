//! The lock contract, rule `no-latest`: no image by a name that moves.
//!
//! Judged is every container position of every object (any list of mappings with `image`, an image volume's `reference`, what a
//! custom kind calls its image), the images of kustomizations, and what the readers of Dockerfiles, scripts, compose files and
//! configuration found.

use crate::finding::{Finding, Rule, Verdict};
use crate::found::Said;
use crate::image::{self, Fixed, ImageError};
use crate::object::Object;
use crate::place::Place;
use crate::world::World;
use crate::yaml::node::{Node, Value};

/// Keys of custom kinds whose mapping is a container.
const CONTAINERS: [&str; 2] = ["container", "script"];

const REMEDY: &str = "name the image by a tag that is never moved, better with `@sha256:` and its digest";

/// What each image reference is fixed by.
pub fn judge(world: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for object in world.objects() {
        if object.kind != "CustomResourceDefinition" {
            walk(*object, object.node, "", &mut findings);
        }
    }
    for text in &world.texts {
        for found in &text.found.images {
            let place = Place { field: Some(found.place.clone()), ..text.at(found.line) };
            match &found.reference {
                Said::Known(reference) => judge_reference(&place, reference, &mut findings),
                Said::Unknown(why) => {
                    let message = format!("which image is meant is open: {why}");
                    findings.push(place.fail(Rule::NoLatest, "", message, REMEDY));
                }
            }
        }
    }
    for file in world.files.iter().filter(|file| file.is_kustomization()) {
        for document in file.documents.iter().chain(&file.alternatives) {
            for field in ["images", "imageTags"] {
                for entry in document.get(field).map(Node::items).unwrap_or_default() {
                    judge_entry(file.path, entry, field, &mut findings);
                }
            }
        }
    }
    findings
}

fn judge_reference(place: &Place<'_>, reference: &str, findings: &mut Vec<Finding>) {
    match image::check(reference) {
        Ok(Fixed::Digest) => {}
        Ok(Fixed::Tag) => {
            let message = "the image has a tag and no digest: whoever may push can move it";
            let finding = place.fail(Rule::NoLatest, reference, message, "add `@sha256:` and the digest of the image");
            findings.push(Finding { verdict: Verdict::Warn, ..finding });
        }
        Err(error) => findings.push(place.fail(Rule::NoLatest, reference, error.to_string(), REMEDY)),
    }
}

/// Every image below a node of an object.
fn walk<'a>(object: Object<'a>, node: &'a Node, field: &str, findings: &mut Vec<Finding>) {
    for (index, item) in node.items().iter().enumerate() {
        let field = format!("{field}[{index}]");
        // No image at all is what the rule `schema` is for; one that is null is an empty one where a process is started.
        let image = item.get("image").and_then(|image| Some((image, image.scalar()?)));
        if let Some((image, scalar)) = image.filter(|(_, scalar)| !scalar.is_null() || field.contains("ontainers[")) {
            let text = if scalar.is_null() { "" } else { &scalar.text };
            judge_reference(&Place::of_object(object, image, format!("{field}.image")), text, findings);
        }
        walk(object, item, &field, findings);
    }
    let runs = CONTAINERS.contains(&field.rsplit('.').next().unwrap_or_default());
    for (key, value) in node.entries().iter().filter(|(key, _)| !object.is_pattern(key)) {
        let key = key.text().unwrap_or_default();
        let field = if field.is_empty() { key.to_owned() } else { format!("{field}.{key}") };
        if let Some((at, reference)) = single(node, value, runs).filter(|_| key == "image") {
            judge_reference(&Place::of_object(object, at, field.clone()), &reference, findings);
        }
        walk(object, value, &field, findings);
    }
}

/// An image outside a list of containers: an image volume's reference; the container of a custom kind; a repository and its tag.
///
/// A text alone may be any kind of image, so it counts where something that only a process has stands beside it, where the holder is
/// named as a container (`runs`), or where it says `latest`.
fn single<'a>(holder: &Node, value: &'a Node, runs: bool) -> Option<(&'a Node, String)> {
    const BESIDE: [&str; 9] =
        ["command", "args", "env", "envFrom", "volumeMounts", "ports", "resources", "script", "source"];
    if let Some(reference) = value.get("reference").filter(|reference| reference.scalar().is_some()) {
        return reference.scalar().map(|scalar| (reference, scalar.text.clone()));
    }
    if matches!(value.value, Value::Mapping(_)) {
        let tag = value.get("tag").filter(|tag| tag.text().is_some())?;
        let repository = value.get("repository").or_else(|| value.get("name")).and_then(Node::text).unwrap_or("image");
        let digest = value.get("digest").and_then(Node::text).map(|digest| format!("@{digest}")).unwrap_or_default();
        return Some((tag, format!("{repository}:{}{digest}", tag.text().unwrap_or_default())));
    }
    let text = value.text()?;
    let runs = runs || BESIDE.iter().any(|key| holder.get(key).is_some());
    (runs || image::check(text) == Err(ImageError::Latest)).then(|| (value, text.to_owned()))
}

/// An entry of a kustomization's `images`: what it puts in.
fn judge_entry(path: &str, entry: &Node, field: &str, findings: &mut Vec<Finding>) {
    let part = |key: &str| entry.get(key).filter(|node| node.scalar().is_some_and(|scalar| !scalar.is_null()));
    let text = |node: &Node| node.scalar().map(|scalar| scalar.text.clone()).unwrap_or_default();
    let mut check = |key: &str, check: &dyn Fn(&str) -> Result<(), ImageError>| {
        let Some(node) = part(key) else { return };
        let held = text(node);
        let result = match () {
            () if held.is_empty() => Ok(()),
            () if held.chars().any(char::is_whitespace) => Err(ImageError::Space),
            () if image::is_template(&held) => Err(ImageError::Placeholder),
            () => check(&held),
        };
        if let Err(error) = result {
            let place = Place { field: Some(format!("{field}.{key}")), ..Place::of_file(node.file(path), node.line) };
            findings.push(place.fail(Rule::NoLatest, &held, error.to_string(), REMEDY));
        }
    };
    // With a tag of its own the name must not have one; judged as a reference, a placeholder tag is seen too.
    check("newTag", &|tag| image::check(&format!("image:{tag}")).map(drop));
    check("digest", &image::check_digest);
    check("newName", &|name| match image::check(name) {
        Err(ImageError::Bare) | Ok(_) => Ok(()),
        Err(error) => Err(error),
    });
}
