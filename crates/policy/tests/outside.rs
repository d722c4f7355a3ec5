//! The manifests of this repository are valid by validators that we did not write.

#![allow(clippy::unwrap_used, clippy::panic)]

use agenttrader_outside::manifests::validate;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn manifests(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| match path.is_dir() {
            true => manifests(&path),
            false => usize::from(path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")),
        })
        .sum()
}

#[test]
fn every_manifest_is_valid_by_the_schemas_of_kubernetes_and_cloud_run() {
    let folders = ["k8s", "infra"].map(|folder| root().join(folder));
    let Some((well, lines)) = validate(&folders) else { return };
    assert!(well, "{}", lines.join("\n"));
    let files: usize = folders.iter().map(|folder| manifests(folder)).sum();
    assert!(files > 0 && lines.len() >= files, "{files} files, {} objects", lines.len());
}

#[test]
fn the_validator_refuses_what_our_rule_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndatas: {}\n",
        "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: \"80\"}]}\n",
        "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: x}\nspec: {}\n",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: x}\nsubjects: []\n",
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: x}\nspec: {template: {spec: {containers: [{envs: []}]}}}\n",
    ];
    for (index, text) in wrong.into_iter().enumerate() {
        let folder = folder.path().join(index.to_string());
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("x.yaml"), text).unwrap();
        let Some((well, lines)) = validate(std::slice::from_ref(&folder)) else { return };
        assert!(!well, "{text}{}", lines.join("\n"));
        let mut tree = agenttrader_policy::tree::Tree::new();
        tree.insert("k8s/x.yaml", agenttrader_policy::tree::Entry::File(text.as_bytes().to_vec()));
        let rules = [agenttrader_policy::finding::Rule::Schema];
        let findings = agenttrader_policy::judge(&tree, Some(&rules));
        let refused = findings
            .iter()
            .any(|finding| finding.rule == rules[0] && finding.verdict == agenttrader_policy::finding::Verdict::Fail);
        assert!(refused, "{text}{findings:#?}");
    }
}
