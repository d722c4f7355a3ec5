//! The manifests of this repository hold the rules that they are shipped with.

#![allow(clippy::unwrap_used, clippy::panic)]

use agenttrader_policy::finding::Verdict;
use agenttrader_policy::judge;
use agenttrader_policy::tree::{Entry, Tree};
use std::fs;
use std::path::{Path, PathBuf};

fn files(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    fs::read_dir(path).unwrap().flat_map(|entry| files(&entry.unwrap().path())).collect()
}

/// The tree of this repository, as far as it is judged.
fn own() -> Tree {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut tree = Tree::new();
    for entry in fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let judged = ["k8s", "infra", "config", "configs", "scripts"].contains(&name.as_str());
        if judged || path.is_file() && (name.starts_with("Dockerfile") || name.starts_with("compose")) {
            for file in files(&path) {
                let name = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                tree.insert(name, Entry::File(fs::read(&file).unwrap()));
            }
        }
    }
    tree
}

#[test]
fn this_repository_breaks_no_rule() {
    let findings = judge(&own(), None);
    let bad: Vec<String> = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Fail)
        .map(|finding| {
            let (path, line, rule) = (&finding.path, finding.line.unwrap_or(0), finding.rule.id());
            format!("{rule} {path}:{line} {:?} {:?} {}", finding.object, finding.field, finding.message)
        })
        .collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
