//! What the rules judge: the objects as they are written, and as each kustomization renders them.

use crate::finding::Finding;
use crate::object::{Object, Origin, objects};
use crate::pod::{Pod, pods};
use crate::sources::{File, Sources};
use crate::tree::Tree;
use crate::yaml::node::Node;

/// Objects that would stand in a cluster together.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// The kustomization that rendered them; none of the raw documents.
    pub root: Option<&'a str>,
    /// The objects.
    pub objects: Vec<Object<'a>>,
    /// The pods of these objects.
    pub pods: Vec<Pod<'a>>,
}

/// Everything judged.
#[derive(Clone, Debug)]
pub struct World<'a> {
    /// All files.
    pub tree: &'a Tree,
    /// The judged ones.
    pub files: &'a [File<'a>],
    /// The raw documents first, then every rendered kustomization.
    pub scopes: Vec<Scope<'a>>,
    /// What reading found: of the rules `parse` and `unresolved`.
    pub findings: Vec<Finding>,
}

impl<'a> World<'a> {
    /// The world of a tree.
    pub fn new(tree: &'a Tree, sources: &'a Sources<'a>) -> Self {
        let mut raw = Vec::new();
        for file in &sources.files {
            let documents = [(&file.documents, false), (&file.alternatives, true)];
            for (node, alternative) in
                documents.into_iter().flat_map(|(list, alternative)| list.iter().map(move |node| (node, alternative)))
            {
                raw.extend(objects(Origin { path: file.path, root: None, alternative, patch: file.named }, node));
            }
        }
        Self { tree, files: &sources.files, scopes: vec![Scope::new(None, raw)], findings: sources.findings.clone() }
    }

    /// The objects as they are written.
    pub fn raw(&self) -> &[Object<'a>] {
        self.scopes.first().map(|scope| scope.objects.as_slice()).unwrap_or_default()
    }

    /// Every object of every scope.
    pub fn objects(&self) -> impl Iterator<Item = &Object<'a>> {
        self.scopes.iter().flat_map(|scope| &scope.objects)
    }

    /// The documents that are no objects, with their files.
    pub fn documents(&self) -> impl Iterator<Item = (&'a File<'a>, &'a Node)> {
        let all = self
            .files
            .iter()
            .flat_map(|file| file.documents.iter().chain(&file.alternatives).map(move |node| (file, node)));
        all.filter(|(_, node)| !crate::object::is_object(node))
    }
}

impl<'a> Scope<'a> {
    fn new(root: Option<&'a str>, objects: Vec<Object<'a>>) -> Self {
        let pods = objects.iter().flat_map(|object| pods(*object)).collect();
        Self { root, objects, pods }
    }

    /// The objects that a reference of this name from a namespace may mean.
    pub fn named(&self, kind: &str, namespace: Option<&str>, name: &str) -> impl Iterator<Item = &Object<'a>> {
        self.objects.iter().filter(move |object| object.is_named(kind, namespace, name) && !object.patch)
    }
}
