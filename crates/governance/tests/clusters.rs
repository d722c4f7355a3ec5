//! Reports over saved clusters: a healthy one, a degraded one, and one in which execution might be enabled.
//!
//! `tests/clusters/golden/` holds what each report says, for people to review; `UPDATE_REPORTS=1` writes it anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use agenttrader_core::time::UnixNanos;
use agenttrader_governance::cluster::Cluster;
use agenttrader_governance::cluster::saved::Saved;
use agenttrader_governance::cluster::switch::State;
use agenttrader_governance::deploy_report::{DeployReport, Made, Source};
use agenttrader_governance::readiness::{self, Outcome, Report, Scope};
use agenttrader_governance::workload::Trouble;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[path = "clusters/change.rs"]
mod change;
#[path = "clusters/deploy.rs"]
mod deploy;
#[path = "clusters/diff.rs"]
mod diff;
#[path = "clusters/lkg.rs"]
mod lkg;
use change::changed;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clusters").join(name)
}

fn saved(name: &str) -> Saved {
    Saved::read(&folder(name)).unwrap()
}

fn at() -> UnixNanos {
    UnixNanos::parse("2026-11-30T14:35:00Z").unwrap()
}

fn deploy(saved: &Saved) -> DeployReport {
    let parsed = saved.parsed().unwrap();
    let made = Made { at: at(), git_sha: "0123456789abcdef0123456789abcdef01234567", source: Source::Saved };
    DeployReport::of(&Cluster::of(&parsed).unwrap(), made)
}

fn ready(saved: &Saved) -> Report {
    let parsed = saved.parsed().unwrap();
    let checks = readiness::cluster::checks(&Cluster::of(&parsed).unwrap());
    Report::new(Scope::Cluster, at(), "0123456789abcdef0123456789abcdef01234567", checks)
}

fn not_passed(report: &Report) -> Vec<(&'static str, Outcome)> {
    report.checks.iter().filter(|it| it.result != Outcome::Pass).map(|it| (it.check, it.result)).collect()
}

/// Compares with the file of that name.
fn golden(name: &str, bytes: &[u8]) {
    let path = folder("golden").join(name);
    if std::env::var_os("UPDATE_REPORTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        return;
    }
    let wanted = std::fs::read(&path).unwrap_or_default();
    let text = String::from_utf8_lossy(bytes);
    assert!(wanted == bytes, "{} differs; UPDATE_REPORTS=1 writes it anew; now it would be\n{text}", path.display());
}

#[test]
fn reports_of_the_three_clusters_are_as_a_person_has_read_them() {
    for name in ["healthy", "degraded", "alarming"] {
        let saved = saved(name);
        for (file, bytes) in deploy(&saved).files().into_iter().chain(ready(&saved).files()) {
            golden(&format!("{name}/{file}"), &bytes);
        }
    }
}

/// The objects of a cluster, a file each, in the opposite order.
fn shuffled(name: &str) -> Saved {
    let mut texts: Vec<String> = Vec::new();
    for file in ["workloads.json", "pods.json", "rest.json"] {
        let text = std::fs::read_to_string(folder(name).join(file)).unwrap();
        let list: serde_json::Value = serde_json::from_str(&text).unwrap();
        texts.extend(list["items"].as_array().unwrap().iter().map(ToString::to_string));
    }
    let mut other = Saved::default();
    for (number, text) in texts.iter().enumerate().rev() {
        other.insert(&format!("{:03}", texts.len() - number), text.clone().into_bytes());
    }
    other
}

#[test]
fn the_same_objects_in_other_files_and_another_order_give_the_same_bytes() {
    for name in ["healthy", "degraded", "alarming"] {
        let (one, other) = (saved(name), shuffled(name));
        assert_eq!(deploy(&one).files(), deploy(&other).files());
        assert_eq!(ready(&one).files(), ready(&other).files());
    }
}

#[test]
fn a_healthy_cluster_is_ready_with_execution_at_zero() {
    let (report, deploy) = (ready(&saved("healthy")), deploy(&saved("healthy")));
    assert!(report.is_ready(), "{}", report.markdown());
    assert!(deploy.is_allowed() && deploy.workloads.iter().all(|it| it.problems.is_empty()));
    let execution = deploy.workloads.iter().find(|it| it.name == "execution-agent").unwrap();
    assert!(execution.can_place_orders() && execution.allowed_to_run && execution.replicas_wanted == Some(0));
    assert_eq!(deploy.workloads.iter().filter(|it| it.can_place_orders()).count(), 1);
}

#[test]
fn a_degraded_cluster_says_what_is_wrong_and_raises_no_alarm_about_execution() {
    let (report, deploy) = (ready(&saved("degraded")), deploy(&saved("degraded")));
    assert!(deploy.is_allowed() && deploy.kill_switch.state == State::Halted);
    let of = |name: &str| deploy.workloads.iter().find(|it| it.name == name).unwrap();
    assert!(of("whale-strategy").has(Trouble::CrashLoop) && of("whale-strategy").restarts == Some(7));
    assert!(of("marketdata-mcp-server").has(Trouble::ImagePull));
    assert!(of("venue-simulator").has(Trouble::NotReady));
    assert!(of("mission-control").has(Trouble::Unclear));
    assert!(of("gamma-strategy").problems.is_empty());
    use Outcome::Fail;
    assert_eq!(not_passed(&report), [("workloads", Fail), ("crash-loops", Fail), ("images", Fail)]);
}

#[test]
fn an_alarming_cluster_fails_every_check_about_execution() {
    let (report, deploy) = (ready(&saved("alarming")), deploy(&saved("alarming")));
    assert_eq!(deploy.kill_switch.state, State::Released);
    assert_eq!(deploy.not_allowed, ["Deployment/trading-floor/execution-agent", "Job/trading-floor/close-positions"]);
    let names: Vec<_> =
        not_passed(&report).into_iter().filter(|(_, it)| *it == Outcome::Fail).map(|(it, _)| it).collect();
    assert_eq!(names, ["kill-switch", "execution-at-zero", "no-execute", "workloads", "crash-loops", "images"]);
    let evidence = &report.checks[1].evidence;
    assert!(evidence.contains("HorizontalPodAutoscaler"), "{evidence}");
}

#[test]
fn each_check_of_a_cluster_can_fail_and_what_is_missing_is_unknown() {
    use Outcome::{Fail, Unknown};
    let switch = ("ConfigMap", "agenttrader-kill-switch");
    let mut failed = BTreeSet::new();
    for (object, pointer, value, expected) in [
        (switch, "/data/EXECUTION_HALTED", "\"0\"", vec![("kill-switch", Fail)]),
        (switch, "/data/EXECUTION_HALTED", "\"0\\n\"", vec![("kill-switch", Fail)]),
        (switch, "/data/EXECUTION_HALTED", "\"yes\"", vec![("kill-switch", Unknown)]),
        (switch, "/data/EXECUTION_HALTED", "1", vec![("kill-switch", Unknown)]),
        (switch, "/data", "{}", vec![("kill-switch", Unknown)]),
        (switch, "/metadata/name", "\"other\"", vec![("kill-switch", Unknown)]),
        (
            ("Deployment", "execution-agent"),
            "/spec/replicas",
            "1",
            vec![("execution-at-zero", Fail), ("workloads", Fail)],
        ),
        (("Deployment", "execution-agent"), "/status", "{\"replicas\": 1}", vec![("execution-at-zero", Fail)]),
        (("ReplicaSet", "execution-agent"), "/spec/replicas", "1", vec![("execution-at-zero", Fail)]),
        (
            ("Pod", "gamma-strategy-0"),
            "/metadata/labels/app.kubernetes.io~1name",
            "\"execution-agent\"",
            vec![("kill-switch", Fail), ("execution-at-zero", Fail)],
        ),
        (
            ("StatefulSet", "gamma-strategy"),
            "/spec/template/spec/containers/0/env/3/value",
            "\"EXECUTE\"",
            vec![("no-execute", Fail)],
        ),
        (("StatefulSet", "gamma-strategy"), "/status/readyReplicas", "0", vec![("workloads", Fail)]),
        (
            ("StatefulSet", "gamma-strategy"),
            "/status/observedGeneration",
            "0",
            vec![("workloads", Unknown), ("crash-loops", Unknown)],
        ),
        (("Pod", "gamma-strategy-0"), "/status/phase", "\"Unknown\"", vec![("workloads", Fail)]),
        (
            ("Pod", "gamma-strategy-0"),
            "/status/containerStatuses/0/state",
            "{\"waiting\": {\"reason\": \"CrashLoopBackOff\"}}",
            vec![("crash-loops", Fail)],
        ),
        (
            ("Pod", "gamma-strategy-0"),
            "/status/containerStatuses/0/state",
            "{\"waiting\": {\"reason\": \"ErrImagePull\"}}",
            vec![("images", Fail)],
        ),
        (("Pod", "gamma-strategy-0"), "/status/containerStatuses/0/imageID", "\"\"", vec![("images", Unknown)]),
        (
            ("StatefulSet", "gamma-strategy"),
            "/spec/template/spec/containers/0/image",
            "\"a:latest\"",
            vec![("images", Fail)],
        ),
    ] {
        let saved = changed(&folder("healthy"), &[(object, pointer, value)]);
        assert_eq!(not_passed(&ready(&saved)), expected, "{object:?} {pointer} {value}: {}", ready(&saved).markdown());
        failed.extend(expected.iter().filter(|(_, outcome)| *outcome == Fail).map(|(check, _)| *check));
    }
    let all: BTreeSet<&str> = ready(&saved("healthy")).checks.iter().map(|it| it.check).collect();
    assert_eq!(failed, all, "a check that nothing here makes fail");
}

#[test]
fn an_empty_answer_is_ready_in_nothing_and_nothing_in_it_is_allowed() {
    let mut saved = Saved::default();
    saved.insert("all.json", br#"{"kind": "List", "apiVersion": "v1", "items": []}"#.to_vec());
    assert!(!deploy(&saved).is_allowed());
    let report = ready(&saved);
    assert!(!report.is_ready());
    assert!(report.checks.iter().all(|it| it.result != Outcome::Pass || it.check == "no-execute"), "{report:?}");
}

#[test]
fn what_was_saved_twice_is_not_reported() {
    let mut saved = saved("healthy");
    saved.insert("again.json", std::fs::read(folder("healthy/pods.json")).unwrap());
    let parsed = saved.parsed().unwrap();
    assert!(Cluster::of(&parsed).unwrap_err().to_string().contains("was saved twice"));
}

#[test]
fn without_replica_sets_a_pod_is_still_its_deployments() {
    let healthy = deploy(&saved("healthy"));
    let text = std::fs::read_to_string(folder("healthy/workloads.json")).unwrap();
    let mut list: serde_json::Value = serde_json::from_str(&text).unwrap();
    list["items"].as_array_mut().unwrap().retain(|it| it["kind"] != "ReplicaSet");
    let mut other = saved("healthy");
    other.insert("workloads.json", list.to_string().into_bytes());
    assert_eq!(deploy(&other), healthy);
}
