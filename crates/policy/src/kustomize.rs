//! Our own reading of kustomize: what `kubectl kustomize --load-restrictor LoadRestrictionsNone` makes of a folder.
//!
//! The production lock judges rendered trees besides the raw documents. Nothing is run: the kustomization's fields are carried
//! out here, over the tree alone. What is not rendered faithfully (plug-ins, charts, remote bases, files that are not in the tree)
//! is a finding of the rule `unresolved`, and the rest is rendered all the same, so that the other rules can still judge it.
//! Every node of a rendered document names the file and line that brought it.

mod accumulate;
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

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::finding::{Finding, Rule, Verdict};
use crate::tree::Tree;
use crate::yaml::node::{Node, Scalar, Value};

use self::resource::Resource;

pub use self::file::is_known as is_field;
pub use self::load::NAMES;

/// How deep kustomizations may name one another.
const DEPTH: usize = 32;

/// How many kustomizations one root may read, each as often as it is named.
const KUSTOMIZATIONS: usize = 512;

/// How many nodes one root may make. A floor's whole tree has some thousands.
const NODES: usize = 2_000_000;

/// What a kustomization renders to.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The kustomization's file.
    pub root: String,
    /// The objects.
    pub documents: Vec<Node>,
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
    Rendered { root: path.to_owned(), documents, findings: build.findings }
}

/// A render under way.
struct Build<'tree> {
    tree: &'tree Tree,
    /// Documents of the files read so far.
    read: BTreeMap<String, Vec<Node>>,
    /// The kustomizations that are being rendered, outermost first.
    open: Vec<String>,
    /// How many kustomizations were read.
    kustomizations: usize,
    /// How many nodes were made.
    nodes: usize,
    findings: Vec<Finding>,
}

impl<'tree> Build<'tree> {
    const fn new(tree: &'tree Tree) -> Self {
        Self { tree, read: BTreeMap::new(), open: Vec::new(), kustomizations: 0, nodes: 0, findings: Vec::new() }
    }

    /// Says what is not rendered, and why.
    fn refuse(&mut self, at: &At<'_>, message: impl Into<String>, remedy: &str) {
        self.findings.push(Finding {
            rule: Rule::Unresolved,
            verdict: Verdict::Fail,
            path: at.file.to_string(),
            line: Some(at.line).filter(|line| *line > 0),
            object: None,
            field: at.field.map(str::to_owned),
            value: at.value.map(|value| value.chars().take(200).collect()),
            message: message.into(),
            remedy: remedy.to_owned(),
        });
    }

    /// Whether nodes of this number may still be made; says so once where not.
    fn affords(&mut self, nodes: usize, at: &At<'_>) -> bool {
        let before = self.nodes;
        self.nodes = before.saturating_add(nodes);
        if self.nodes <= NODES {
            return true;
        }
        if before <= NODES {
            self.refuse(
                at,
                format!("the kustomization renders to more than {NODES} values"),
                "split it into several kustomizations, or leave out what it does not need",
            );
        }
        false
    }
}

/// Where in a kustomization something stands.
#[derive(Clone)]
struct At<'a> {
    file: Arc<str>,
    line: u32,
    field: Option<&'a str>,
    value: Option<&'a str>,
}

impl<'a> At<'a> {
    /// A value of a field.
    fn of(file: &Arc<str>, node: &'a Node, field: &'a str) -> Self {
        let file = node.file.clone().unwrap_or_else(|| Arc::clone(file));
        Self { file, line: node.line, field: Some(field), value: node.text() }
    }
}

/// A kustomization's fields, with the file they stand in.
#[derive(Clone)]
struct Spec {
    file: Arc<str>,
    folder: String,
    node: Node,
}

impl Spec {
    fn get(&self, field: &str) -> Option<&Node> {
        self.node.get(field).filter(|node| !edit::is_null(node))
    }

    /// The items of a list; a finding where it is something else.
    fn list<'a>(&'a self, build: &mut Build<'_>, field: &'a str) -> &'a [Node] {
        match self.get(field) {
            None => &[],
            Some(Node { value: Value::Sequence(items), .. }) => items,
            Some(node) => {
                build.refuse(&At::of(&self.file, node, field), format!("`{field}` is no list"), "make it a list");
                &[]
            }
        }
    }

    /// The texts of a list; a finding for each item that is none.
    fn texts<'a>(&'a self, build: &mut Build<'_>, field: &'a str) -> Vec<(&'a Node, String)> {
        let mut texts = Vec::new();
        for item in self.list(build, field) {
            match item.text() {
                Some(text) => texts.push((item, text.to_owned())),
                None => {
                    build.refuse(
                        &At::of(&self.file, item, field),
                        format!("an item of `{field}` is no text"),
                        "name a path",
                    );
                }
            }
        }
        texts
    }

    /// The text of a field; a finding where it is something else.
    fn text(&self, build: &mut Build<'_>, field: &str) -> Option<String> {
        let node = self.get(field)?;
        let text = node.scalar().filter(|scalar| scalar.is_string());
        if text.is_none() {
            build.refuse(&At::of(&self.file, node, field), format!("`{field}` is no text"), "write a text, in quotes");
        }
        text.map(|scalar| scalar.text.clone())
    }

    /// The pairs of a mapping of texts; a finding for each value that is none.
    fn pairs(&self, build: &mut Build<'_>, node: Option<&Node>, field: &str) -> Vec<(String, Node)> {
        let mut pairs = Vec::new();
        let Some(node) = node.filter(|node| !edit::is_null(node)) else { return pairs };
        if !matches!(node.value, Value::Mapping(_)) {
            build.refuse(
                &At::of(&self.file, node, field),
                format!("`{field}` is no mapping"),
                "make it a mapping of texts",
            );
        }
        for (key, value) in node.entries() {
            match (key.text(), value.scalar()) {
                (Some(key), Some(scalar)) if scalar.is_string() => {
                    pairs.push((key.to_owned(), edit::Place::of(value, &self.file).text(scalar.text.clone())));
                }
                _ => build.refuse(
                    &At::of(&self.file, value, field),
                    format!("a value of `{field}` is no text"),
                    "write the value in quotes",
                ),
            }
        }
        pairs
    }
}

/// Whether a plain scalar of this text is something else than a text to some reader.
fn is_typed(text: &str) -> bool {
    !Scalar { text: text.to_owned(), plain: true }.is_string()
}

/// Objects in the order in which they were added.
type Resources = Vec<Resource>;
