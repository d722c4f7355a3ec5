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

/// Parts of an overlay over the base below; a case takes some of them, in any order of features, with values of its own.
const PARTS: [&str; 17] = [
    "namespace: N\n",
    "namePrefix: A-\n",
    "nameSuffix: -A\n",
    "labels: [{pairs: {L: V}, includeSelectors: true}]\n",
    "labels: [{pairs: {L: V}, includeTemplates: true}, {pairs: {M: V}}]\n",
    "commonAnnotations: {L: V}\n",
    "images: [{name: img, newTag: V}, {name: other, newName: x/A}]\n",
    "replicas: [{name: d, count: 7}]\n",
    "configMapGenerator: [{name: made, behavior: merge, literals: [K=V, L=V]}, {name: own, literals: [K=V]}]\n",
    "secretGenerator: [{name: s, literals: [K=V], options: {disableNameSuffixHash: true}}]\n",
    "components: [../part]\n",
    "replacements: [{source: {kind: ConfigMap, name: plain, fieldPath: data.K}, targets: [{select: {kind: Deployment}, \
     fieldPaths: ['spec.template.spec.containers.[name=C].env.[name=E].value']}]}]\n",
    "patches: [{target: {kind: Deployment}, patch: '- {op: OP, path: /spec/template/spec/containers/0/F, value: V}'}]\n",
    "patches: [{target: {kind: ConfigMap, name: 'p.*'}, patch: \"- {op: add, path: /data/L, value: V}\\n- {op: test, path: /data/K, value: one}\"}]\n",
    "patches: [{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {template: {spec: {containers: [{name: C, \
     env: [{name: E, value: V}], ports: [{containerPort: 9, name: V}], F: V}], volumes: [{name: v, $patch: W}]}}}}'}]\n",
    "patches: [{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, labels: {$patch: W, L: V}}, \
     spec: {replicas: Z, template: {spec: {containers: [{name: C, $patch: W, image: \"new:V\"}], nodeSelector: {L: V, M: null}}}}}'}]\n",
    "patches: [{patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: plain}, data: {K: null, L: V, M: \"\"}}'}]\n",
];

const BASE: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: d, labels: {app: d}}
spec:
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec:
      serviceAccountName: account
      containers:
        - {name: one, image: 'img:1', env: [{name: E, value: '1'}, {name: G, value: '2'}], envFrom: [{configMapRef: {name: made}}]}
        - {name: two, image: other, ports: [{containerPort: 9}], command: [a, b]}
      volumes: [{name: v, configMap: {name: plain}}, {name: w, secret: {secretName: s}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: plain}
data: {K: one, M: two}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: account}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: account}, {kind: ServiceAccount, name: account, namespace: n1}]
";

const PART: &str = "apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
namePrefix: c-
patches: [{target: {kind: Deployment}, patch: '- {op: add, path: /metadata/labels/c, value: yes-it-is}'}]
";

/// A generator of numbers that gives the same ones every time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn of<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.next(from.len())]
    }
}

/// An overlay of some parts; a field that two parts set is set by the last of them.
fn overlay(numbers: &mut Numbers) -> String {
    let mut fields: BTreeMap<&str, String> = BTreeMap::new();
    for _ in 0..=numbers.next(5) {
        let part = PARTS[numbers.next(PARTS.len())];
        let (field, rest) = part.split_once(": ").unwrap();
        let mut text = String::new();
        for piece in rest.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric()) {
            let (word, end) = match piece.char_indices().last() {
                Some((at, last)) if !last.is_ascii_alphanumeric() => piece.split_at(at),
                _ => (piece, ""),
            };
            // A dollar sign before `patch` and the like are kept; single capitals are places to be filled.
            let filled = match word {
                "N" => numbers.of(&["n1", "n2"]),
                "A" => numbers.of(&["a", "b"]),
                "L" => numbers.of(&["l", "app", "K"]),
                "V" => numbers.of(&["val", "img", "x1"]),
                "C" => numbers.of(&["one", "two", "three"]),
                "E" => numbers.of(&["E", "G", "H"]),
                "F" => numbers.of(&["image", "workingDir", "imagePullPolicy"]),
                "W" => numbers.of(&["delete", "merge"]),
                "Z" => numbers.of(&["0", "3", "null"]),
                "OP" => numbers.of(&["add", "replace", "remove"]),
                other => other,
            };
            text.push_str(filled);
            text.push_str(end);
        }
        fields.insert(field, text);
    }
    fields.iter().map(|(field, value)| format!("{field}: {value}")).collect()
}

#[test]
fn generated_overlays_render_as_by_kubectl() {
    let Some(kubectl) = agenttrader_outside::manifests::kubectl() else { return };
    let mut numbers = Numbers(20_261_130);
    let (mut same, mut failed) = (0, Vec::new());
    let count: u32 = std::env::var("OVERLAYS").ok().and_then(|count| count.parse().ok()).unwrap_or(24);
    for number in 0..count {
        let upper = format!("resources: [../middle]\n{}", overlay(&mut numbers));
        let middle = format!("resources: [../base]\n{}", overlay(&mut numbers));
        let base = "resources: [all.yaml]\nconfigMapGenerator: [{name: made, literals: [K=V]}]\n";
        let files = [
            ("top/kustomization.yaml", upper.as_str()),
            ("middle/kustomization.yaml", middle.as_str()),
            ("base/kustomization.yaml", base),
            ("base/all.yaml", BASE),
            ("part/kustomization.yaml", PART),
        ];
        let case = Case {
            name: format!("generated {number}\n{upper}--\n{middle}"),
            root: "top".to_owned(),
            refused: Vec::new(),
            files: files.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect(),
        };
        let refused = !rendered(&case).findings.is_empty();
        match check(&kubectl, &case) {
            Ok(()) => same += u32::from(!refused),
            // What we refuse though kubectl renders it is no difference, only a loss.
            Err(_) if refused => {}
            Err(error) => failed.push(format!("== {}\n{error}", case.name)),
        }
    }
    assert!(failed.is_empty(), "{} of {count}\n{}", failed.len(), failed.join("\n"));
    assert!(same * 3 > count, "only {same} of {count} were rendered at all");
}
