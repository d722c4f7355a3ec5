//! What the rules judge: the objects as they are written, and as each kustomization renders them.

use crate::finding::Finding;
use crate::object::{Object, Origin, objects};
use crate::placing::marks;
use crate::pod::{Container, Pod, pods};
use crate::resolve::{Find, data, environment};
use crate::settings::{self, Setting};
use crate::sources::{File, Sources};
use crate::texts::{self, Text};
use crate::tree::Tree;
use crate::yaml::node::Node;
use std::collections::{BTreeMap, BTreeSet};

/// How long the digest is that kustomize puts behind a generated name.
const DIGEST: usize = 10;

/// Objects that would stand in a cluster together.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// The kustomization that rendered them; none of the raw documents.
    pub root: Option<&'a str>,
    /// The files that a kustomization took objects from; of the raw documents none.
    pub taken: Option<&'a BTreeSet<String>>,
    /// The objects.
    pub objects: Vec<Object<'a>>,
    /// The pods of these objects.
    pub pods: Vec<Pod<'a>>,
    /// Where objects stand in the list, by kind and name; of what was rendered also by the name without a digest behind it.
    named: BTreeMap<(&'a str, &'a str), Vec<usize>>,
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
    /// Every place that gives a watched key a value.
    pub settings: Vec<Setting<'a>>,
    /// Every text in which something may be set or run.
    pub texts: Vec<Text<'a>>,
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
                raw.extend(objects(Origin { path: file.path, root: None, alternative, patch: file.patch }, node));
            }
        }
        let mut scopes = vec![Scope::new(None, None, raw)];
        for rendered in &sources.rendered {
            let root = rendered.root.as_str();
            let origin = Origin { path: root, root: Some(root), alternative: false, patch: false };
            scopes.push(Scope::new(
                Some(root),
                Some(&rendered.taken),
                rendered.documents.iter().flat_map(|node| objects(origin, node)).collect(),
            ));
        }
        let made: Vec<Vec<Pod<'a>>> = scopes.iter().map(|scope| completed(scope, &scopes)).collect();
        for (scope, pods) in scopes.iter_mut().zip(made) {
            scope.pods = pods;
        }
        let mut texts: Vec<Text<'a>> = sources.files.iter().flat_map(texts::of_file).collect();
        texts.extend(texts::of_compose_files(tree, &sources.files, &texts));
        texts.extend(texts::of_env_files(tree, &sources.files, &texts));
        texts.extend(scopes.iter().flat_map(|scope| texts::of_objects(&scope.objects, &scope.pods)));
        let mut settings: Vec<Setting<'a>> = texts.iter().flat_map(settings::of_text).collect();
        settings.extend(scopes.iter().flat_map(|scope| settings::of_objects(&scope.objects, &scope.pods)));
        Self { tree, files: &sources.files, scopes, settings, texts, findings: sources.findings.clone() }
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

/// The pods of a scope with their environments and marks.
fn completed<'a>(scope: &Scope<'a>, scopes: &[Scope<'a>]) -> Vec<Pod<'a>> {
    let find = |kind: &str, namespace: Option<&str>, name: &str| find(scope, scopes, kind, namespace, name);
    let complete = |pod: &Pod<'a>| {
        let mut pod = pod.clone();
        let made: Vec<_> = pod.containers.iter().map(|each| environment(&find, &pod, each.node, &each.field)).collect();
        for (container, environment) in pod.containers.iter_mut().zip(made) {
            container.environment = environment;
        }
        pod.orders = marks(&pod, &|container| mounted_files(&find, &pod, container));
        pod
    };
    scope.pods.iter().map(complete).collect()
}

/// The objects that a reference may mean: those of its own scope; else what another scope has of that name, or has generated from
/// it with a digest behind.
fn find<'a>(own: &Scope<'a>, scopes: &[Scope<'a>], kind: &str, namespace: Option<&str>, name: &str) -> Vec<Object<'a>> {
    let exact: Vec<_> = own.named(kind, namespace, name).copied().collect();
    if !exact.is_empty() {
        return exact;
    }
    let others = scopes.iter().filter(|scope| scope.root != own.root);
    others.flat_map(|scope| scope.known_as(kind, namespace, name)).copied().collect()
}

/// The texts of the ConfigMaps that are mounted into a container, with the volume that brings each.
fn mounted_files<'a>(find: Find<'_, 'a>, pod: &Pod<'a>, container: &Container<'a>) -> Vec<(&'a Node, String)> {
    let mounts = container.node.get("volumeMounts").map(Node::items).unwrap_or_default();
    let mut found = Vec::new();
    for volume in pod.volumes() {
        let name = volume.get("name").and_then(Node::text);
        if !mounts.iter().any(|mount| mount.get("name").and_then(Node::text) == name) {
            continue;
        }
        let projected = volume.at(&["projected", "sources"]).map(Node::items).unwrap_or_default();
        for source in std::iter::once(volume).chain(projected) {
            let Some(name) = source.at(&["configMap", "name"]).and_then(Node::text) else { continue };
            for object in find("ConfigMap", pod.object.namespace, name) {
                let texts = data(object).into_iter().flat_map(|(_, values)| values.known);
                found.extend(texts.map(|text| (volume, text)));
            }
        }
    }
    found
}

impl<'a> Scope<'a> {
    fn new(root: Option<&'a str>, taken: Option<&'a BTreeSet<String>>, objects: Vec<Object<'a>>) -> Self {
        let pods = objects.iter().flat_map(|object| pods(*object)).collect();
        let mut named: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, object) in objects.iter().enumerate().filter(|(_, object)| !object.patch) {
            named.entry((object.kind, object.name)).or_default().push(index);
            let stem = object.name.rsplit_once('-').filter(|(_, digest)| root.is_some() && digest.len() == DIGEST);
            if let Some((stem, _)) = stem {
                named.entry((object.kind, stem)).or_default().push(index);
            }
        }
        Self { root, taken, objects, pods, named }
    }

    /// Whether a kustomization took in the file that an object stands in.
    pub fn took(&self, object: &Object<'_>) -> bool {
        self.taken.is_some_and(|files| files.contains(object.path))
    }

    /// The objects that a reference of this name from a namespace may mean.
    pub fn named<'s>(
        &'s self,
        kind: &'s str,
        namespace: Option<&'s str>,
        name: &'s str,
    ) -> impl Iterator<Item = &'s Object<'a>> {
        self.known_as(kind, namespace, name).filter(move |object| object.name == name)
    }

    /// Those, and what a kustomization has generated under this name with a digest behind it.
    fn known_as<'s>(
        &'s self,
        kind: &'s str,
        namespace: Option<&'s str>,
        name: &'s str,
    ) -> impl Iterator<Item = &'s Object<'a>> {
        let indexes = self.named.get(&(kind, name)).map(Vec::as_slice).unwrap_or_default();
        let objects = indexes.iter().filter_map(|index| self.objects.get(*index));
        objects.filter(move |object| object.is_in(namespace))
    }
}
