//! Our rendering of kustomizations is that of kubectl: the same objects with the same values.
//!
//! Each file of `tests/kustomize` is a tree in one text: lines of words that begin with `#`, then `expect:` lines, then sections
//! `-- path --`. `expect: same` (the default) wants what kubectl renders; `expect: refused TEXT` wants a finding whose message
//! holds the text, whatever kubectl does.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use agenttrader_policy::kustomize::{Rendered, render};
use agenttrader_policy::tree::{Entry, Tree};
use agenttrader_policy::yaml::node::{Node, Scalar, Value};
use agenttrader_policy::yaml::read::read;

struct Case {
    name: String,
    root: String,
    refused: Vec<String>,
    files: BTreeMap<String, Vec<u8>>,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kustomize");
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        cases.push(parse(name, &std::fs::read_to_string(path).unwrap()));
    }
    cases.sort_by(|left, right| left.name.cmp(&right.name));
    cases
}

fn parse(name: String, text: &str) -> Case {
    let mut case = Case { name, root: String::new(), refused: Vec::new(), files: BTreeMap::new() };
    let mut file: Option<String> = None;
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("-- ").and_then(|line| line.strip_suffix(" --")) {
            file = Some(path.to_owned());
            case.files.insert(path.to_owned(), Vec::new());
        } else if let Some(path) = &file {
            let bytes = case.files.get_mut(path).unwrap();
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
        } else if let Some(text) = line.strip_prefix("expect: refused ") {
            case.refused.push(text.to_owned());
        } else if let Some(root) = line.strip_prefix("root: ") {
            root.clone_into(&mut case.root);
        } else {
            assert!(line.starts_with('#') || line == "expect: same" || line.is_empty(), "{}: {line}", case.name);
        }
    }
    case
}

fn rendered(case: &Case) -> Rendered {
    let mut tree = Tree::new();
    for (path, bytes) in &case.files {
        tree.insert(path.clone(), Entry::File(bytes.clone()));
    }
    let folder = if case.root.is_empty() { String::new() } else { format!("{}/", case.root) };
    let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
    let path = names.map(|name| format!("{folder}{name}")).into_iter().find(|path| tree.get(path).is_some()).unwrap();
    render(&tree, &path)
}

/// What kubectl makes of it, or what it says.
fn by_kubectl(kubectl: &Path, case: &Case) -> Result<Vec<Node>, String> {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in &case.files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let output = Command::new(kubectl)
        .args(["kustomize", "--load-restrictor", "LoadRestrictionsNone"])
        .arg(folder.path().join(&case.root))
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let read = read("out.yaml", &output.stdout);
    assert!(read.findings.is_empty(), "{}: {:?}", case.name, read.findings);
    Ok(read.documents)
}

/// Objects as text, keys in order, so that they compare whatever their order.
fn shown(documents: &[Node]) -> Vec<String> {
    let mut shown: Vec<String> = documents.iter().map(show).collect();
    shown.sort();
    shown
}

fn show(node: &Node) -> String {
    match &node.value {
        Value::Scalar(scalar) if scalar.is_string() => format!("{:?}", scalar.text),
        Value::Scalar(scalar) => typed(scalar),
        Value::Sequence(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(",")),
        Value::Mapping(entries) => {
            let pair = |(key, value): &(Node, Node)| {
                let key = key.text().unwrap_or_default().to_owned();
                // Ports are a set: in which order kubectl leaves merged ones means nothing.
                let value = if key == "ports" { shown(value.items()).join(",") } else { show(value) };
                (key, value)
            };
            let pairs: BTreeMap<String, String> = entries.iter().map(pair).collect();
            format!("{{{}}}", pairs.iter().map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>().join(","))
        }
    }
}

fn typed(scalar: &Scalar) -> String {
    if scalar.is_null() { "null".to_owned() } else { scalar.text.to_ascii_lowercase() }
}

fn check(kubectl: &Path, case: &Case) -> Result<(), String> {
    let ours = rendered(case);
    let theirs = by_kubectl(kubectl, case);
    if !case.refused.is_empty() {
        for text in &case.refused {
            if !ours.findings.iter().any(|finding| finding.message.contains(text)) {
                return Err(format!("no finding with `{text}` in {:#?}", ours.findings));
            }
        }
        return Ok(());
    }
    match theirs {
        Err(error) if ours.findings.is_empty() => Err(format!("kubectl refuses what we render: {error}")),
        Err(_) => Ok(()),
        Ok(_) if !ours.findings.is_empty() => Err(format!("we refuse what kubectl renders: {:#?}", ours.findings)),
        Ok(theirs) => {
            let (ours, theirs) = (shown(&ours.documents), shown(&theirs));
            let only = |one: &[String], other: &[String]| -> String {
                one.iter().filter(|object| !other.contains(object)).map(|object| format!("{object}\n")).collect()
            };
            if ours == theirs {
                return Ok(());
            }
            Err(format!("ours\n{}theirs\n{}", only(&ours, &theirs), only(&theirs, &ours)))
        }
    }
}

#[test]
fn every_kustomization_of_the_folder_renders_as_by_kubectl() {
    let Some(kubectl) = agenttrader_outside::manifests::kubectl() else { return };
    let cases = cases();
    assert!(cases.len() >= 40, "{}", cases.len());
    let failed: Vec<String> = cases
        .iter()
        .filter_map(|case| check(&kubectl, case).err().map(|error| format!("== {}\n{error}", case.name)))
        .collect();
    assert!(failed.is_empty(), "{} of {}\n{}", failed.len(), cases.len(), failed.join("\n"));
}
