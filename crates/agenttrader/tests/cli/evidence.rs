//! `readiness`, `report`, `lkg` and `audit index`: evidence, written and recorded.

use crate::screen::Home;
use serde_json::Value;
use std::path::{Path, PathBuf};

pub fn clusters(name: &str) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../governance/tests/clusters").join(name);
    folder.to_string_lossy().into_owned()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn reports_are_written_recorded_and_indexed_with_who_made_them() {
    let home = Home::new();
    let healthy = clusters("healthy");
    let ready = home.run(&["readiness", "--from", &healthy]).exits(0);
    assert!(ready.stdout().ends_with("READY\n"), "{}", ready.screen());
    let report = home.run(&["report", "deploy", "--from", &healthy, "--json"]).exits(0);
    assert_eq!(report.stdout(), std::fs::read_to_string(home.path("audit_artifacts/deploy_report.json")).unwrap());
    home.write("audit_artifacts/claims.txt", "made by hand");
    let index = json(&home.run(&["audit", "index", "audit_artifacts", "--json"]).exits(0).stdout());
    let lines: Vec<_> = index["artefacts"].as_array().unwrap().iter().collect();
    let by = |name: &str| lines.iter().find(|it| it["path"] == name).unwrap()["producer"].clone();
    assert_eq!(by("readiness_report.json")["command"], "readiness");
    assert_eq!(by("deploy_report.md")["command"], "report deploy");
    assert_eq!(by("claims.txt"), Value::Null);
    let tail = home.run(&["audit", "tail", "--agent", "governance-cli"]).exits(0).stdout();
    assert!(tail.contains("readiness: 3 files written") && tail.contains("report deploy: 2 files written"), "{tail}");
}

#[test]
fn the_same_objects_of_the_same_time_give_the_same_bytes() {
    let made = || {
        let home = Home::new();
        let (degraded, healthy) = (clusters("degraded"), clusters("healthy"));
        let at = ["--at", "2020-01-06T21:00:00Z"];
        home.run(&[&["readiness", "--from", &degraded], &at[..]].concat()).exits(1);
        home.run(&[&["report", "deploy", "--from", &degraded], &at[..]].concat()).exits(0);
        home.run(&[&["lkg", "capture", "--from", &healthy], &at[..]].concat()).exits(0);
        let files = ["readiness_report", "deploy_report"]
            .map(|name| [".json", ".md"].map(|end| format!("audit_artifacts/{name}{end}")));
        let lkg = ["ops/lkg/lkg_manifest.yaml", "ops/lkg/lkg_metadata.json"].map(str::to_owned);
        let all = files.concat().into_iter().chain(lkg);
        all.map(|path| std::fs::read_to_string(home.path(&path)).unwrap()).collect::<Vec<_>>()
    };
    let first = made();
    assert!(first[0].contains("\"2020-01-06T21:00:00Z\""), "{}", first[0]);
    assert_eq!(first, made());
    let home = Home::new();
    let healthy = clusters("healthy");
    for at in ["2999-01-01T00:00:00Z", "yesterday"] {
        home.run(&["report", "deploy", "--from", &healthy, "--at", at]).exits(2);
    }
    home.run(&["readiness", "--at", "2020-01-06T21:00:00Z"]).exits(2);
    assert!(!home.path("audit_artifacts").exists());
}

#[test]
fn an_alarming_cluster_ends_with_failure_and_is_reported_all_the_same() {
    let home = Home::new();
    let alarming = clusters("alarming");
    let ready = home.run(&["readiness", "--from", &alarming]).exits(1);
    assert!(ready.stdout().contains("FAIL     kill-switch") && ready.stdout().ends_with("NOT READY\n"));
    let report = home.run(&["report", "deploy", "--from", &alarming]).exits(1);
    let told = report.stdout();
    let line = |begin: &str| told.lines().find(|line| line.starts_with(begin)).unwrap_or_default();
    assert!(line("RELEASED  ConfigMap").ends_with("EXECUTION_HALTED is `0`"), "{told}");
    assert!(line("Deployment/trading-floor/execution-agent ").contains(" 1 of 1 ready  NOT ALLOWED: "), "{told}");
    assert!(
        told.contains("7 workloads: 2 not allowed to run as they do, 1 with a problem, 2 that can place orders\n"),
        "{told}"
    );
    home.run(&["lkg", "capture", "--from", &alarming]).exits(1);
    assert!(!home.path("ops/lkg").exists() && home.path("audit_artifacts/readiness.json").exists());
}

#[test]
fn what_was_kept_is_compared_and_planned_and_nothing_is_run() {
    let home = Home::new();
    let (healthy, alarming) = (clusters("healthy"), clusters("alarming"));
    home.run(&["lkg", "restore", "--plan"]).exits(2);
    home.run(&["lkg", "capture", "--from", &healthy, "--context", "floor"]).exits(0);
    home.run(&["lkg", "restore"]).exits(2);
    let plan = home.run(&["lkg", "restore", "--plan"]).exits(0);
    assert!(plan.stdout().starts_with("# A plan for a person.") && plan.stderr().contains("nothing was run"));
    home.run(&["lkg", "diff", "--from", &healthy]).exits(0);
    let differs = home.run(&["lkg", "diff", "--from", &alarming]).exits(1);
    assert!(differs.stdout().contains("data.EXECUTION_HALTED: kept \"1\", now \"0\""), "{}", differs.screen());
}

#[test]
fn what_cannot_be_decided_is_not_ready_and_what_cannot_be_read_is_no_report() {
    let home = Home::new();
    let floor = home.run(&["readiness", "--scope", "floor", "--port-base", "1"]).exits(1).stdout();
    assert_eq!(floor.lines().filter(|line| line.starts_with("UNKNOWN")).count(), 6, "{floor}");
    let repository = home.run(&["readiness"]).exits(1).stdout();
    assert!(repository.contains("UNKNOWN  lock") && repository.contains("FAIL     documents"), "{repository}");
    home.run(&["readiness", "--scope", "floor", "--from", "x"]).exits(2);
    home.run(&["report", "deploy", "--from", "nowhere", "--out", "none"]).exits(2);
    assert!(!home.path("none").exists());
}

/// What stands in a command that starts what can place orders, or lets it trade.
const STARTS: [&str; 24] = [
    "kubectl scale",
    "kubectl patch",
    "kubectl edit",
    "kubectl set",
    "kubectl run",
    "kubectl create",
    "kubectl replace",
    "kubectl autoscale",
    "kubectl label",
    "kubectl annotate",
    "kubectl delete",
    "rollout restart",
    "rollout resume",
    "rollout undo",
    "--replicas",
    "gcloud ",
    "docker ",
    "agenttrader execution",
    "agenttrader resume",
    "agenttrader approve",
    "agenttrader unlock",
    "AGENT_MODE=",
    "EXECUTION_HALTED=",
    "_ENABLED=",
];

#[test]
fn nothing_that_these_commands_print_or_write_starts_execution() {
    let home = Home::new();
    home.run(&["lkg", "capture", "--from", &clusters("healthy"), "--context", "floor"]).exits(0);
    let plan: &[&str] = &["lkg", "restore", "--plan"];
    let mut texts = vec![];
    for name in ["healthy", "degraded", "alarming"] {
        let from = clusters(name);
        for command in [&["readiness"][..], &["report", "deploy"], &["lkg", "capture"], &["lkg", "diff"]] {
            for json in [&[][..], &["--json"]] {
                let ran = home.run(&[command, &["--from", &from], json].concat());
                texts.push((format!("{command:?} {json:?} of {name}"), format!("{}\n{}", ran.stdout(), ran.stderr())));
            }
        }
        let ran = home.run(plan);
        texts.push((format!("{plan:?} after {name}"), format!("{}\n{}", ran.stdout(), ran.stderr())));
        for folder in ["audit_artifacts", "ops/lkg"] {
            for entry in std::fs::read_dir(home.path(folder)).unwrap() {
                let path = entry.unwrap().path();
                texts.push((format!("{} of {name}", path.display()), std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert_eq!(texts.len(), 3 * (4 * 2 + 1 + 5 + 2));
    for (whose, text) in &texts {
        for line in text.lines() {
            let starting = STARTS.iter().find(|word| line.contains(*word));
            assert_eq!(starting, None, "{whose}: {line}");
            // What is applied is what was kept, and the switch before it: both hold the lock's rules.
            let is_planned =
                ["kubectl apply -f - <<'END'", "kubectl apply -f ops/lkg/lkg_manifest.yaml"].contains(&line);
            assert!(is_planned && whose.contains("--plan") || !line.contains("kubectl apply"), "{whose}: {line}");
        }
    }
    let planned =
        texts.iter().filter(|(whose, text)| whose.contains("--plan") && text.contains("kubectl apply")).count();
    assert_eq!(planned, 3);
}
