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

/// What stands between ```` ```yaml ```` and its end in the page for people who hold a grant.
fn execution_template() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/execution_deployment.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, template) = page.split_once("\n```yaml\n").unwrap();
    template.split_once("\n```\n").unwrap().0.to_owned()
}

/// The rules that fail where this stands beside this repository's manifests.
fn failing_with(template: &str) -> Vec<String> {
    let mut tree = own();
    tree.insert("k8s/50-execution-agent.yaml", Entry::File(template.as_bytes().to_vec()));
    let findings = judge(&tree, None);
    let failing = findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
    failing.map(|finding| format!("{} {:?} {}", finding.rule.id(), finding.line, finding.message)).collect()
}

#[test]
fn the_template_of_the_execution_agent_breaks_no_rule_and_each_step_to_more_does() {
    let template = execution_template();
    assert_eq!(failing_with(&template), Vec::<String>::new());
    for (rule, from, to) in [
        ("exec-scale", "replicas: 0", "replicas: 1"),
        ("no-execute", "value: \"OFF\"", "value: \"EXECUTE\""),
        ("switch-read", "mountPath: /etc/agenttrader/kill-switch", "mountPath: /etc/agenttrader/switch"),
        ("kill-switch", "name: agenttrader-kill-switch", "name: another-switch"),
        ("no-latest", "agenttrader/agenttrader:0.1.0", "agenttrader/agenttrader:latest"),
    ] {
        assert!(template.contains(from), "{from}");
        let failing = failing_with(&template.replace(from, to));
        assert!(failing.iter().any(|one| one.starts_with(rule)), "{rule}: {failing:?}");
    }
}
