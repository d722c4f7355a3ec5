//! Paths, files and the kustomization's own file.

use std::sync::Arc;

use crate::finding::Verdict;
use crate::tree::Entry;
use crate::yaml::node::Node;
use crate::yaml::read::read;

use super::build::{At, Build};
use super::edit;

/// The names that a kustomization's file can have.
pub const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// What a path names.
pub enum Named {
    /// A file, by its path in the tree.
    File(String),
    /// A folder, by its path in the tree.
    Folder(String),
}

/// The folder a file lies in; empty for the tree's own.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A path as seen from a folder, or None where it leaves the tree or is absolute.
pub fn resolve(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether it names something on another machine.
fn is_remote(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    lower.contains("://")
        || lower.contains("?ref=")
        || lower.starts_with("git@")
        || lower.starts_with("git::")
        || lower.starts_with("github.com")
        || lower.contains(".git//")
}

impl Build<'_> {
    /// What a path names, seen from a folder; a finding where that is nothing in the tree.
    pub(super) fn locate(&mut self, folder: &str, path: &str, at: &At<'_>) -> Option<Named> {
        let resolved = resolve(folder, path);
        let problem = match resolved.as_deref() {
            Some(resolved) => match self.tree.get(resolved) {
                Some(Entry::File(_)) => return Some(Named::File(resolved.to_owned())),
                Some(Entry::Symlink(_)) => "is a symbolic link",
                Some(Entry::Unreadable(_)) => "cannot be read",
                None if resolved.is_empty() || self.tree.under(resolved).next().is_some() => {
                    return Some(Named::Folder(resolved.to_owned()));
                }
                None if is_remote(path) => "lies on another machine",
                None => "is not in the tree",
            },
            None if is_remote(path) => "lies on another machine",
            None => "lies outside the tree",
        };
        self.refuse(
            at,
            format!("`{path}` {problem}: what it brings cannot be judged"),
            "put it into the tree as a regular file, and name it by its relative path",
        );
        None
    }

    /// A file that a kustomization names.
    pub(super) fn locate_file(&mut self, folder: &str, path: &str, at: &At<'_>) -> Option<String> {
        match self.locate(folder, path, at)? {
            Named::File(path) => Some(path),
            Named::Folder(_) => {
                self.refuse(at, format!("`{path}` is a folder, where a file is asked for"), "name the file");
                None
            }
        }
    }

    /// The kustomization's file in a folder; a finding where there is none, or more than one.
    pub(super) fn kustomization_in(&mut self, folder: &str, at: &At<'_>) -> Option<String> {
        let path = |name: &&str| if folder.is_empty() { (*name).to_owned() } else { format!("{folder}/{name}") };
        let found: Vec<String> = NAMES.iter().map(path).filter(|path| self.tree.get(path).is_some()).collect();
        match found.as_slice() {
            [only] => Some(only.clone()),
            [] => {
                self.refuse(
                    at,
                    format!("the folder `{folder}` has no kustomization"),
                    "name the files in it one by one",
                );
                None
            }
            _ => {
                self.refuse(
                    at,
                    format!("the folder `{folder}` has more than one kustomization: {}", found.join(", ")),
                    "keep one of them",
                );
                None
            }
        }
    }

    /// The documents of a file, each node marked with it. What does not parse becomes findings.
    pub(super) fn documents(&mut self, path: &str) -> Vec<Node> {
        if let Some((documents, size)) = self.read.get(path).map(|documents| (documents, sizes(documents))) {
            let documents = documents.clone();
            let at = At { file: Arc::from(path), line: 0, field: None, value: None };
            return if self.affords(size, &at) { documents } else { Vec::new() };
        }
        let bytes = self.tree.file(path).unwrap_or_default();
        let mut read = read(path, bytes);
        let file: Arc<str> = Arc::from(path);
        read.documents.iter_mut().for_each(|document| edit::mark(document, &file));
        read.documents.retain(|document| !edit::is_null(document));
        self.findings.extend(read.findings.into_iter().filter(|finding| finding.verdict == Verdict::Fail));
        self.read.insert(path.to_owned(), read.documents.clone());
        read.documents
    }

    /// The documents of a text that stands in a kustomization; lines are those of its file.
    pub(super) fn inline(&mut self, text: &str, at: &At<'_>) -> Vec<Node> {
        let mut read = read(&at.file, text.as_bytes());
        // A text's line is that of its first own line, of a block too.
        let above = at.line.saturating_sub(1);
        for document in &mut read.documents {
            document.each_line(&mut |line| line.saturating_add(above));
            edit::mark(document, &at.file);
        }
        read.documents.retain(|document| !edit::is_null(document));
        for mut finding in read.findings.into_iter().filter(|finding| finding.verdict == Verdict::Fail) {
            finding.line = finding.line.map(|line| line.saturating_add(above)).or(Some(at.line));
            self.findings.push(finding);
        }
        read.documents
    }
}

fn sizes(documents: &[Node]) -> usize {
    documents.iter().map(edit::size).sum()
}
