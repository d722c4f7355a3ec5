//! Rendering ends, whatever a kustomization asks for: circles, copies of copies, depth, and any bytes at all.

use std::fmt::Write as _;

use agenttrader_policy::finding::Rule;
use agenttrader_policy::kustomize::{Rendered, render};
use agenttrader_policy::tree::{Entry, Tree};
use agenttrader_policy::yaml::node::Node;
use proptest::prelude::*;

const OBJECT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {x: \"1\"}}\ndata: {k: v}\n";

fn rendered(files: &[(&str, String)]) -> Rendered {
    let mut tree = Tree::new();
    for (path, text) in files {
        tree.insert(*path, Entry::File(text.clone().into_bytes()));
    }
    render(&tree, "kustomization.yaml")
}

fn refused(rendered: &Rendered, text: &str) -> bool {
    rendered.findings.iter().any(|finding| finding.rule == Rule::Unresolved && finding.message.contains(text))
}

fn patched(operations: &str) -> Rendered {
    let kustomization = "resources: [a.yaml]\npatches: [{path: p.yaml, target: {kind: ConfigMap}}]\n".to_owned();
    rendered(&[("kustomization.yaml", kustomization), ("a.yaml", OBJECT.to_owned()), ("p.yaml", operations.to_owned())])
}

#[test]
fn copies_of_copies_are_bounded() {
    let mut operations = String::new();
    for index in 0..60 {
        _ = writeln!(operations, "- {{op: copy, from: /metadata, path: /copy{index}}}");
        _ = writeln!(operations, "- {{op: move, from: /copy{index}, path: /metadata/copy{index}}}");
    }
    assert!(refused(&patched(&operations), "cannot be carried out"));
}

#[test]
fn depth_that_grows_step_by_step_is_bounded() {
    let mut operations = String::new();
    for index in 1..2000 {
        _ = writeln!(operations, "- {{op: add, path: \"/data{}\", value: {{}}}}", "/d".repeat(index));
    }
    assert!(refused(&patched(&operations), "levels deep"));
}

#[test]
fn replacements_that_grow_what_they_copy_are_bounded() {
    let mut kustomization = "resources: [a.yaml]\nreplacements:\n".to_owned();
    for index in 0..40 {
        _ = writeln!(
            kustomization,
            "- {{source: {{kind: ConfigMap, fieldPath: data}}, targets: [{{select: {{kind: ConfigMap}}, \
             fieldPaths: [data.c{index}], options: {{create: true}}}}]}}"
        );
    }
    let path = format!("data{}", ".d".repeat(5000));
    _ = writeln!(
        kustomization,
        "- {{source: {{kind: ConfigMap}}, targets: [{{select: {{kind: ConfigMap}}, fieldPaths: [{path}], options: {{create: true}}}}]}}"
    );
    let rendered = rendered(&[("kustomization.yaml", kustomization), ("a.yaml", OBJECT.to_owned())]);
    assert!(!rendered.findings.is_empty());
}

#[test]
fn bases_that_name_two_bases_each_are_bounded() {
    let mut files = vec![("kustomization.yaml".to_owned(), "resources: [0/l, 0/r]\n".to_owned())];
    for level in 0..20 {
        let next = level + 1;
        for side in ["l", "r"] {
            let text = if level == 19 {
                "resources: [../../a.yaml]\n".to_owned()
            } else {
                format!("namePrefix: {side}\nresources: [../../{next}/l, ../../{next}/r]\n")
            };
            files.push((format!("{level}/{side}/kustomization.yaml"), text));
        }
    }
    files.push(("a.yaml".to_owned(), OBJECT.to_owned()));
    let files: Vec<(&str, String)> = files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    assert!(refused(&rendered(&files), "in all"));
}

#[test]
fn a_value_names_the_file_and_the_line_that_brought_it() {
    let kustomization = "resources: [sub]\nnamespace: floor\npatches:\n- target: {kind: ConfigMap}\n  patch: |\n    - op: add\n      \
                         path: /data/two\n      value: there\n";
    let rendered = rendered(&[
        ("kustomization.yaml", kustomization.to_owned()),
        ("sub/kustomization.yaml", "resources: [a.yaml]\n".to_owned()),
        ("sub/a.yaml", OBJECT.to_owned()),
    ]);
    assert!(rendered.findings.is_empty(), "{:?}", rendered.findings);
    let place = |path: &[&str]| {
        let node: Option<&Node> = rendered.documents.first().and_then(|document| document.at(path));
        node.map(|node| (node.file("?").to_owned(), node.line))
    };
    assert_eq!(place(&["data", "k"]), Some(("sub/a.yaml".to_owned(), 4)));
    assert_eq!(place(&["data", "two"]), Some(("kustomization.yaml".to_owned(), 8)));
    assert_eq!(place(&["metadata", "namespace"]), Some(("kustomization.yaml".to_owned(), 2)));
}

/// Parts that kustomizations are made of, right and wrong ones.
fn part() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "resources",
        "patches",
        "images",
        "replicas",
        "labels",
        "configMapGenerator",
        "replacements",
        "components",
        "path",
        "patch",
        "target",
        "kind",
        "name",
        "ConfigMap",
        "a.yaml",
        "..",
        ".",
        "a",
        "1",
        "null",
        "\"\"",
        "|",
        "- ",
        ": ",
        "\n",
        "  ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "$patch",
        "delete",
        "&x ",
        "*x",
        "!!str ",
        "source",
        "targets",
        "select",
        "fieldPaths",
        "options",
        "create",
        "true",
        "literals",
        "files",
        "k=v",
        "namespace",
        "namePrefix",
        "pairs",
        "op",
        "add",
        "/data/k",
        "\u{1F600}",
    ]);
    prop::collection::vec(words, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn rendering_answers_whatever_the_files_hold(kustomization in part(), other in part(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let start = format!("resources: [a.yaml]\n{kustomization}");
        for text in [kustomization, start] {
            let mut tree = Tree::new();
            tree.insert("kustomization.yaml", Entry::File(text.into_bytes()));
            tree.insert("a.yaml", Entry::File(format!("{OBJECT}---\n{other}").into_bytes()));
            tree.insert("a", Entry::File(bytes.clone()));
            let rendered = render(&tree, "kustomization.yaml");
            prop_assert!(rendered.findings.iter().all(|finding| !finding.message.is_empty() && !finding.remedy.is_empty()));
        }
    }
}
