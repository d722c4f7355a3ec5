//! The reports that a first lock is made with: what can be decided from the repository alone, before anything runs anywhere.

use crate::disk::Disk;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::lock::manifests::Judged;
use crate::lock::rules::evidence::MADE_AT;
use crate::lock::validate::{Asked, JudgeError};
use agenttrader_core::time::UnixNanos;
use agenttrader_policy::finding::{Finding, Rule, Verdict};
use agenttrader_policy::pod::Pod;
use agenttrader_policy::sources::Sources;
use agenttrader_policy::world::World;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// One rule as a check of the readiness report.
struct Check {
    rule: Rule,
    result: &'static str,
    evidence: String,
}

/// Readiness and deploy report of a commit, by the names of their files.
///
/// # Errors
/// [`JudgeError`].
pub fn of_repository(
    repository: &Repository,
    commit: Id,
    findings: &[Finding],
    asked: &Asked<'_>,
) -> Result<Vec<(&'static str, Vec<u8>)>, JudgeError> {
    let checks: Vec<_> = Rule::ALL.into_iter().filter_map(|rule| check(rule, findings)).collect();
    let disk = Disk::walk(repository.root(), asked.data_dir)?;
    let judged = Judged::new()?;
    let tree = disk.tree(|path| judged.is(path))?;
    let sources = Sources::read(&tree);
    let world = World::new(&tree, &sources);
    let pods: Vec<&Pod<'_>> =
        world.scopes.iter().filter(|scope| scope.root.is_none()).flat_map(|scope| &scope.pods).collect();
    let workloads: Vec<Value> = pods.iter().map(|pod| workload(pod)).collect();
    let at = asked.now;
    Ok(vec![
        ("readiness_report.json", pretty(&readiness(commit, at, &checks))),
        ("readiness_report.md", readiness_page(commit, at, &checks).into_bytes()),
        (
            "deploy_report.json",
            pretty(
                &json!({"report": "deploy", MADE_AT: at, "git_sha": commit, "source": "manifests", "workloads": workloads}),
            ),
        ),
        ("deploy_report.md", deploy_page(commit, at, &workloads).into_bytes()),
    ])
}

fn pretty(value: &Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// A rule that judged something; what a draft has not is no check of it.
fn check(rule: Rule, findings: &[Finding]) -> Option<Check> {
    let of: Vec<_> =
        findings.iter().filter(|finding| finding.rule == rule && finding.verdict != Verdict::NotApplicable).collect();
    let failure = of.iter().find(|finding| finding.verdict == Verdict::Fail);
    let shown = failure.or_else(|| of.first())?;
    let result = if failure.is_some() { "FAIL" } else { "PASS" };
    Some(Check { rule, result, evidence: shown.message.clone() })
}

fn result(checks: &[Check]) -> &'static str {
    if !checks.is_empty() && checks.iter().all(|check| check.result == "PASS") { "READY" } else { "NOT READY" }
}

fn readiness(commit: Id, at: UnixNanos, checks: &[Check]) -> Value {
    let listed: Vec<_> = checks
        .iter()
        .map(|check| json!({"check": check.rule.id(), "result": check.result, "evidence": check.evidence}))
        .collect();
    json!({"report": "readiness", MADE_AT: at, "git_sha": commit, "scope": "repository", "result": result(checks), "checks": listed})
}

fn readiness_page(commit: Id, at: UnixNanos, checks: &[Check]) -> String {
    let mut out = format!("# Readiness: {}\n\nOf the repository at commit `{commit}`, {at}.\n\n", result(checks));
    out.push_str("| check | result | evidence |\n|---|---|---|\n");
    for check in checks {
        let _ = writeln!(out, "| {} | {} | {} |", check.rule.id(), check.result, cell(&check.evidence));
    }
    out
}

/// One workload, as its manifest says it.
fn workload(pod: &Pod<'_>) -> Value {
    let containers: Vec<_> = pod
        .containers
        .iter()
        .map(|container| {
            let text = |key: &str| container.node.get(key).and_then(|node| node.text().map(str::to_owned));
            let image = text("image");
            let digest = image.as_deref().and_then(|image| image.split_once('@')).map(|(_, digest)| digest.to_owned());
            json!({"name": text("name"), "image": image, "digest": digest})
        })
        .collect();
    let replicas = pod.object.at(&["spec", "replicas"]).and_then(|node| node.text().map(str::to_owned));
    let may_run = !pod.can_place_orders();
    let why = if may_run { "cannot place orders".to_owned() } else { format!("can place orders: {}", pod.why()) };
    json!({
        "workload": pod.object.label(), "path": pod.object.path, "replicas_wanted": replicas, "replicas_ready": Value::Null,
        "containers": containers, "allowed_to_run": may_run, "why": why,
    })
}

fn deploy_page(commit: Id, at: UnixNanos, workloads: &[Value]) -> String {
    let mut out = format!(
        "# Deploy report\n\nFrom the manifests of commit `{commit}`, {at}. Nothing was asked of a cluster.\n\n"
    );
    out.push_str("| workload | path | replicas wanted | allowed to run |\n|---|---|---|---|\n");
    for workload in workloads {
        let text = |key: &str| cell(workload.get(key).and_then(Value::as_str).unwrap_or("not said"));
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            text("workload"),
            text("path"),
            text("replicas_wanted"),
            text("why")
        );
    }
    if workloads.is_empty() {
        out.push_str("\nThe manifests hold no workload.\n");
    }
    out
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
