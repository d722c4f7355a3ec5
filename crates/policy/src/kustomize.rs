//! Our own reading of kustomize: what `kubectl kustomize --load-restrictor LoadRestrictionsNone` makes of a folder.
//!
//! The production lock judges rendered trees besides the raw documents. Nothing is run: the kustomization's fields are carried
//! out here, over the tree alone. What is not rendered faithfully (plug-ins, charts, remote bases, files that are not in the tree)
//! is a finding of the rule `unresolved`, and the rest is rendered all the same, so that the other rules can still judge it.
//! Every node of a rendered document names the file and line that brought it.

mod accumulate;
mod build;
mod edit;
mod file;
mod generate;
mod images;
mod json_patch;
mod labels;
mod load;
mod merge;
mod merge_keys;
mod names;
mod patches;
mod references;
mod replacements;
mod resource;
mod select;

use crate::finding::Finding;
use crate::tree::Tree;
use crate::yaml::node::Node;
use std::collections::BTreeSet;

use self::build::Build;

pub use self::file::is_known as is_field;
pub use self::load::NAMES;

/// What a kustomization renders to.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The kustomization's file.
    pub root: String,
    /// The objects.
    pub documents: Vec<Node>,
    /// The files whose objects it took in, whether or not it puts them out again.
    pub taken: BTreeSet<String>,
    /// What could not be rendered, and what does not parse among the files it names.
    pub findings: Vec<Finding>,
}

/// Whether a file of this name is a kustomization wherever it lies, whatever its documents say.
pub fn is_kustomization_name(path: &str) -> bool {
    NAMES.contains(&path.rsplit('/').next().unwrap_or(path))
}

/// Renders the kustomization whose file is `path`.
pub fn render(tree: &Tree, path: &str) -> Rendered {
    let mut build = Build::new(tree);
    let mut resources = build.kustomization(path, Vec::new(), None);
    build.finish(&mut resources);
    let documents = resources.into_iter().map(|resource| resource.node).collect();
    build.findings.sort();
    build.findings.dedup();
    Rendered { root: path.to_owned(), documents, taken: build.taken, findings: build.findings }
}
