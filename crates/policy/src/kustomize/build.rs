//! A render under way: what was read, what it cost, and where in a kustomization something stands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::finding::{Finding, Rule, Verdict};
use crate::tree::Tree;
use crate::yaml::node::{Node, Scalar, Value};

use super::edit;
use super::resource::Resource;

/// How many nodes one root may make. A floor's whole tree has some thousands.
const NODES: usize = 2_000_000;

/// A render under way.
pub(super) struct Build<'tree> {
    pub(super) tree: &'tree Tree,
    /// Documents of the files read so far.
    pub(super) read: BTreeMap<String, Vec<Node>>,
    /// The files whose objects were taken in.
    pub(super) taken: BTreeSet<String>,
    /// The kustomizations that are being rendered, outermost first.
    pub(super) open: Vec<String>,
    /// How many kustomizations were read.
    pub(super) kustomizations: usize,
    /// How many nodes were made.
    pub(super) nodes: usize,
    pub(super) findings: Vec<Finding>,
}

impl<'tree> Build<'tree> {
    pub(super) const fn new(tree: &'tree Tree) -> Self {
        Self {
            tree,
            read: BTreeMap::new(),
            taken: BTreeSet::new(),
            open: Vec::new(),
            kustomizations: 0,
            nodes: 0,
            findings: Vec::new(),
        }
    }

    /// Says what is not rendered, and why.
    pub(super) fn refuse(&mut self, at: &At<'_>, message: impl Into<String>, remedy: &str) {
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
    pub(super) fn affords(&mut self, nodes: usize, at: &At<'_>) -> bool {
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
pub(super) struct At<'a> {
    pub(super) file: Arc<str>,
    pub(super) line: u32,
    pub(super) field: Option<&'a str>,
    pub(super) value: Option<&'a str>,
}

impl<'a> At<'a> {
    /// A value of a field.
    pub(super) fn of(file: &Arc<str>, node: &'a Node, field: &'a str) -> Self {
        let file = node.file.clone().unwrap_or_else(|| Arc::clone(file));
        Self { file, line: node.line, field: Some(field), value: node.text() }
    }
}

/// A kustomization's fields, with the file they stand in.
#[derive(Clone)]
pub(super) struct Spec {
    pub(super) file: Arc<str>,
    pub(super) folder: String,
    pub(super) node: Node,
}

impl Spec {
    pub(super) fn get(&self, field: &str) -> Option<&Node> {
        self.node.get(field).filter(|node| !edit::is_null(node))
    }

    /// The items of a list; a finding where it is something else.
    pub(super) fn list<'a>(&'a self, build: &mut Build<'_>, field: &'a str) -> &'a [Node] {
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
    pub(super) fn texts<'a>(&'a self, build: &mut Build<'_>, field: &'a str) -> Vec<(&'a Node, String)> {
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
    pub(super) fn text(&self, build: &mut Build<'_>, field: &str) -> Option<String> {
        let node = self.get(field)?;
        let text = node.scalar().filter(|scalar| scalar.is_string());
        if text.is_none() {
            build.refuse(&At::of(&self.file, node, field), format!("`{field}` is no text"), "write a text, in quotes");
        }
        text.map(|scalar| scalar.text.clone())
    }

    /// The pairs of a mapping of texts; a finding for each value that is none.
    pub(super) fn pairs(&self, build: &mut Build<'_>, node: Option<&Node>, field: &str) -> Vec<(String, Node)> {
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
pub(super) fn is_typed(text: &str) -> bool {
    !Scalar { text: text.to_owned(), plain: true }.is_string()
}

/// Objects in the order in which they were added.
pub(super) type Resources = Vec<Resource>;
