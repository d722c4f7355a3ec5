//! The judged files as they were read: documents by file, before any of them is taken for an object.

use crate::finding::{Finding, Rule};
use crate::judged::{self, Form};
use crate::kustomize::{self, Rendered};
use crate::object::is_object;
use crate::tree::{Entry, Tree};
use crate::yaml::bytes;
use crate::yaml::node::{Node, Value};
use crate::yaml::read::{Read, read};
use std::collections::BTreeSet;

/// What a file is, by its path and bytes; none where it is not read.
pub type FormOf = fn(&str, &[u8]) -> Option<Form>;

/// A judged file.
#[derive(Clone, Debug)]
pub struct File<'t> {
    /// Its path.
    pub path: &'t str,
    /// Its bytes.
    pub bytes: &'t [u8],
    /// What it is.
    pub form: Form,
    /// Its documents, where it is documents or a compose file, or where its content is objects.
    pub documents: Vec<Node>,
    /// Its documents as another reader takes them, where readers differ.
    pub alternatives: Vec<Node>,
    /// Whether a kustomization names it, otherwise than as a resource.
    pub named: bool,
    /// Whether a kustomization names it as a change to other objects, and none as a resource.
    pub patch: bool,
}

/// Every judged file of a tree, and what is wrong with how it is written.
#[derive(Clone, Debug, Default)]
pub struct Sources<'t> {
    /// By path in byte order.
    pub files: Vec<File<'t>>,
    /// What each kustomization renders to, by the path of its file.
    pub rendered: Vec<Rendered>,
    /// Findings of the rules `parse` and `unresolved`.
    pub findings: Vec<Finding>,
}

impl<'t> Sources<'t> {
    /// Reads what is judged of a tree.
    pub fn read(tree: &'t Tree) -> Self {
        Self::read_as(tree, judged::form)
    }

    /// Reads the files that have a form.
    pub fn read_as(tree: &'t Tree, form: FormOf) -> Self {
        let mut sources = Self::default();
        for (path, entry) in tree.iter() {
            match entry {
                Entry::File(bytes) => sources.file(path, bytes, form),
                Entry::Symlink(target) => {
                    sources.refuse(path, format!("a symbolic link, to `{target}`"), "put the file itself there")
                }
                Entry::Unreadable(why) => {
                    sources.refuse(path, format!("it cannot be read: {why}"), "let it be read, or remove it")
                }
            }
        }
        sources.names();
        sources.strangers();
        sources.render(tree);
        sources
    }

    /// Renders each kustomization. A component is none by itself: it is rendered within those that name it.
    fn render(&mut self, tree: &Tree) {
        for file in self.files.iter().filter(|file| kustomize::is_kustomization_name(file.path)) {
            if file.documents.iter().any(|document| document.get("kind").and_then(Node::text) == Some("Component")) {
                continue;
            }
            let rendered = kustomize::render(tree, file.path);
            self.findings.extend(rendered.findings.iter().cloned());
            self.rendered.push(rendered);
        }
    }

    fn refuse(&mut self, path: &'t str, what: String, remedy: &str) {
        // A link may be a whole folder, so its own name does not tell.
        let inside = format!("{path}/x");
        if judged::form(path, b"").is_some()
            || judged::form(&inside, b"").is_some()
            || path.ends_with(".md") && judged::form(&inside, b"").is_some()
        {
            self.findings.push(Finding::fail(Rule::Parse, path, what, remedy));
        }
    }

    fn file(&mut self, path: &'t str, bytes: &'t [u8], form: FormOf) {
        let Some(form) = form(path, bytes) else { return };
        let documents = match form {
            Form::Documents | Form::Compose => read(path, bytes),
            Form::Other => objects_alone(path, bytes),
            // What lies beside scripts and is none by its name may be an image or a program.
            Form::Script if !judged::is_script_by_name(path, bytes) => Read::default(),
            Form::Settings | Form::Script | Form::Dockerfile => {
                Read { findings: bytes::refused(path, bytes).into_iter().collect(), ..Read::default() }
            }
        };
        let Read { documents, alternatives, findings } = documents;
        let template = bytes.windows(2).any(|two| two == b"{{") && bytes.windows(2).any(|two| two == b"}}");
        if let Some(first) = findings.first().filter(|_| template) {
            let what =
                "a template: it does not parse before something is put in, and what that is the tree does not say";
            let finding =
                Finding::fail(Rule::Unresolved, path, what, "render it, and put what comes out into the tree");
            self.findings.push(Finding { line: first.line, ..finding });
        }
        self.findings.extend(findings);
        self.files.push(File { path, bytes, form, documents, alternatives, named: false, patch: false });
    }

    /// Marks the files that a kustomization names.
    fn names(&mut self) {
        let (mut resources, mut patches, mut others) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for file in self.files.iter().filter(|file| file.is_kustomization()) {
            let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            for (key, value) in file.documents.iter().chain(&file.alternatives).flat_map(Node::entries) {
                let named = match key.text() {
                    Some("resources" | "bases" | "components" | "crds") => &mut resources,
                    Some("patches" | "patchesStrategicMerge" | "patchesJson6902") => &mut patches,
                    _ => &mut others,
                };
                paths(folder, value, named);
            }
        }
        for file in &mut self.files {
            let patch = patches.contains(file.path);
            file.named = patch || others.contains(file.path);
            file.patch = patch && !resources.contains(file.path);
        }
    }

    /// Refuses documents that are no objects where only objects belong.
    fn strangers(&mut self) {
        for file in
            self.files.iter().filter(|file| file.form == Form::Documents && judged::holds_objects_alone(file.path))
        {
            if file.named || file.is_kustomization() {
                continue;
            }
            for document in file.documents.iter().filter(|document| !is_object(document)) {
                let what = "a document without `kind`: no object, so nobody can say what it does here";
                let remedy = "make it an object, or keep it under config/";
                self.findings.push(Finding::fail(Rule::Parse, file.path, what, remedy).line(document.line));
            }
        }
    }
}

impl File<'_> {
    /// Whether it is a kustomization, by its name or its content.
    pub fn is_kustomization(&self) -> bool {
        judged::is_kustomization(self.path)
            || self.documents.iter().any(|document| {
                let group = document.get("apiVersion").and_then(Node::text).unwrap_or("");
                group.starts_with("kustomize.config.k8s.io/")
            })
    }
}

/// The objects of a file whose name promises none; nothing where its content holds none.
fn objects_alone(path: &str, bytes: &[u8]) -> Read {
    let mentions = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    if !mentions(b"kind") && !mentions(b"k\0i\0n\0d") {
        return Read::default();
    }
    let read = read(path, bytes);
    let any = read.documents.iter().chain(&read.alternatives).any(is_object);
    // A template of objects that does not parse as it is cannot be judged.
    let template = judged::is_template(path) && !read.findings.is_empty();
    if any || template { read } else { Read::default() }
}

/// Every path, from the tree's root, that a text of a node may name from a folder; of `key=path` the path.
fn paths(folder: &str, node: &Node, found: &mut BTreeSet<String>) {
    match &node.value {
        Value::Scalar(scalar) => {
            let texts = [Some(scalar.text.as_str()), scalar.text.split_once('=').map(|(_, path)| path)];
            found.extend(texts.into_iter().flatten().filter_map(|text| join(folder, text)));
        }
        Value::Sequence(items) => items.iter().for_each(|item| paths(folder, item, found)),
        Value::Mapping(entries) => entries.iter().for_each(|(_, value)| paths(folder, value, found)),
    }
}

/// A path from a folder; none where it leads out of the tree.
pub fn join(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(files: &[(&str, &str)]) -> (Vec<(String, usize, bool)>, Vec<String>) {
        let mut tree = Tree::new();
        for (path, text) in files {
            tree.insert(*path, Entry::File(text.as_bytes().to_vec()));
        }
        let sources = Sources::read(&tree);
        let files = sources.files.iter().map(|file| (file.path.to_owned(), file.documents.len(), file.named)).collect();
        (files, sources.findings.iter().map(|finding| finding.path.clone()).collect())
    }

    #[test]
    fn an_object_is_one_whatever_its_file_is_called() {
        let (files, findings) =
            sources(&[("k8s/a.txt", "kind: Pod\n"), ("k8s/b.txt", "nothing: [\n"), ("k8s/c", "kind of: prose")]);
        assert_eq!(files[0].1, 1);
        assert_eq!((files[1].1, files[2].1), (0, 0));
        assert!(findings.is_empty());
    }

    #[test]
    fn a_document_that_is_no_object_is_refused_where_objects_belong() {
        let text = "agentMode: OBSERVE\n";
        for (path, expected) in
            [("k8s/values.yaml", 1), ("infra/cloudrun/jobs/a.yaml", 1), ("config/values.yaml", 0), ("infra/x.yaml", 0)]
        {
            assert_eq!(sources(&[(path, text)]).1.len(), expected, "{path}");
        }
    }

    #[test]
    fn what_a_kustomization_names_as_a_change_is_no_stranger() {
        let (files, findings) = sources(&[
            (
                "k8s/kustomization.yaml",
                "patches:\n- path: ops.yaml\n  target: {kind: Pod}\nconfigMapGenerator:\n- name: a\n  files: [x=sub/../v.yaml]\n",
            ),
            ("k8s/ops.yaml", "- {op: remove, path: /a}\n"),
            ("k8s/v.yaml", "a: b\n"),
        ]);
        assert!(findings.is_empty(), "{findings:?}");
        assert!(files[1].2 && files[2].2 && !files[0].2);
    }

    #[test]
    fn links_and_what_cannot_be_read_are_refused_where_files_are_judged() {
        let mut tree = Tree::new();
        for path in ["k8s/a.yaml", "k8s/folder", "configs", "scripts/x.sh", "docs/a.yaml", "k8s/a.md"] {
            tree.insert(path, Entry::Symlink("elsewhere".to_owned()));
        }
        tree.insert("k8s/b.yaml", Entry::Unreadable("permission denied".to_owned()));
        let found: Vec<_> = Sources::read(&tree).findings.into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["configs", "k8s/a.md", "k8s/a.yaml", "k8s/b.yaml", "k8s/folder", "scripts/x.sh"]);
    }
}
