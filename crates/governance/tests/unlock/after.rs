//! What the rules find in the tree that would be locked, before anybody signs.

use crate::floor::{ID, asking, begin, gather, locked, say_yes};
use crate::repo::{Repo, later};
use agenttrader_core::digest::Digest;
use agenttrader_core::time::UnixNanos;
use agenttrader_governance::git::id::{Id, Kind};
use agenttrader_governance::lock::model::Waiver;
use agenttrader_governance::lock::write_error::WriteError;
use agenttrader_governance::unlock::completed::completed;
use agenttrader_governance::unlock::open::{Asking, Opened, open};
use agenttrader_policy::finding::{Finding, Rule, Verdict};
use std::fs;

const EXECUTION: &str = "k8s/execution-agent.yaml";

/// A development commit that changes files, and `main` again.
fn develop(repo: &Repo, change: impl FnOnce(&Repo)) {
    repo.git(&["checkout", "--quiet", "-B", "dev", "main"]);
    change(repo);
    repo.commit_all("development");
    repo.git(&["checkout", "--quiet", "main"]);
}

fn replace(repo: &Repo, path: &str, old: &str, new: &str) {
    let text = fs::read_to_string(repo.root().join(path)).unwrap();
    assert!(text.contains(old), "{path} without `{old}`");
    repo.put(path, &text.replace(old, new));
}

/// One execution agent, where none may be.
fn starts(repo: &Repo) {
    replace(repo, EXECUTION, "replicas: 0", "replicas: 1");
}

fn ask(repo: &Repo, waives: Vec<Waiver>) -> Result<Opened, WriteError> {
    open(&repo.open(), &Asking { waives, ..asking() }, later(60))
}

/// `VERDICT rule path` of what an unlock is refused for.
#[track_caller]
fn refused(asked: Result<Opened, WriteError>) -> Vec<Finding> {
    match asked.unwrap_err() {
        WriteError::Unlockable { findings, .. } => findings,
        other => panic!("{other}"),
    }
}

fn waiver(found: &Finding, expires: UnixNanos) -> Waiver {
    let Finding { rule, path, object, field, value, .. } = found.clone();
    Waiver { rule, path, object, field, value, expires }
}

#[test]
fn a_change_after_which_a_rule_fails_is_not_opened_and_the_rule_and_the_place_are_told() {
    let Some(repo) = locked(|_| {}) else { return };
    type Change = fn(&Repo);
    let cases: [(Rule, &str, bool, Change); 6] = [
        (Rule::ExecScale, EXECUTION, true, starts),
        (Rule::NoExecute, "k8s/gamma-strategy.yaml", true, |repo| {
            replace(repo, "k8s/gamma-strategy.yaml", "\"OBSERVE\"", "\"EXECUTE\"");
        }),
        // A lock asks for digests, where a draft is told of their absence alone.
        (Rule::NoLatest, "k8s/gamma-strategy.yaml", true, |repo| {
            let text = fs::read_to_string(repo.root().join("k8s/gamma-strategy.yaml")).unwrap();
            let (name, rest) = text.split_once("@sha256:").unwrap();
            repo.put("k8s/gamma-strategy.yaml", &format!("{name}{}", rest.get(64..).unwrap()));
        }),
        (Rule::Parse, "k8s/twice.yaml", true, |repo| repo.put("k8s/twice.yaml", "kind: ConfigMap\nkind: Pod\n")),
        (Rule::Docs, "docs/KILL_SWITCH.md", false, |repo| {
            fs::remove_file(repo.root().join("docs/KILL_SWITCH.md")).unwrap();
        }),
        (Rule::Parse, "k8s/large.yaml", false, |repo| repo.put("k8s/large.yaml", &"#".repeat(16 * 1024 * 1024 + 1))),
    ];
    for (rule, path, has_line, change) in cases {
        develop(&repo, change);
        let found = refused(ask(&repo, Vec::new()));
        let is_it = |it: &&Finding| it.rule == rule && it.path == path && it.verdict == Verdict::Fail;
        let it = found.iter().find(is_it).unwrap_or_else(|| panic!("no {} {path} in {found:#?}", rule.id()));
        assert!(it.line.is_some() == has_line && !it.remedy.is_empty(), "{it:?}");
        assert_eq!(repo.git(&["branch", "--list", "unlock/*"]), "", "nothing was begun");
    }
}

#[test]
fn what_the_judged_folders_take_from_elsewhere_in_the_commit_is_read_there() {
    let Some(repo) = locked(|_| {}) else { return };
    develop(&repo, |repo| {
        replace(repo, "k8s/kustomization.yaml", "resources:\n", "resources:\n  - ../crates/map.yaml\n");
        repo.put(
            "crates/map.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: fees\n  namespace: trading-floor\ndata: {}\n",
        );
    });
    ask(&repo, Vec::new()).unwrap();
}

#[test]
fn what_is_waived_is_told_as_waived_beside_what_is_refused_and_to_those_who_sign() {
    let Some(repo) = locked(|_| {}) else { return };
    let missing = "docs/KILL_SWITCH.md";
    let text = fs::read_to_string(repo.root().join(missing)).unwrap();
    develop(&repo, |repo| {
        starts(repo);
        repo.put(missing, "");
    });
    let found = refused(ask(&repo, Vec::new()));
    let waives: Vec<_> =
        found.iter().filter(|it| it.rule == Rule::ExecScale).map(|it| waiver(it, later(24 * 3600))).collect();
    assert!(!waives.is_empty());
    let verdicts = |findings: &[Finding], rule| -> Vec<Verdict> {
        findings.iter().filter(|it| it.rule == rule).map(|it| it.verdict).collect()
    };
    let found = refused(ask(&repo, waives.clone()));
    assert_eq!(verdicts(&found, Rule::ExecScale), vec![Verdict::Waived; waives.len()]);
    assert_eq!(verdicts(&found, Rule::Docs), [Verdict::Fail]);

    develop(&repo, |repo| {
        starts(repo);
        repo.put(missing, &text);
    });
    let opened = ask(&repo, waives.clone()).unwrap();
    assert_eq!(verdicts(&opened.findings, Rule::ExecScale), vec![Verdict::Waived; waives.len()]);
    gather(&repo, later(120)).unwrap();
    let path = format!("ops/unlock/{ID}/change_validate.json");
    let evidence = fs::read(repo.root().join(&path)).unwrap();
    gather(&repo, later(150)).unwrap();
    assert_eq!(fs::read(repo.root().join(&path)).unwrap(), evidence, "the same change gives the same bytes");
    say_yes(&repo, "olga", later(180)).unwrap();
    let form = fs::read_to_string(repo.root().join(format!("ops/unlock/{ID}/APPROVAL.md"))).unwrap();
    let row = format!("| exec-scale {EXECUTION}:{} | WAIVED | ", found.iter().find_map(|it| it.line).unwrap());
    assert!(form.contains(&row), "no `{row}` in {form}");
    // Once the waiver has ended nobody signs what no lock could hold.
    let why = say_yes(&repo, "rolf", later(24 * 3600)).unwrap_err().to_string();
    assert!(why.starts_with("CHANGE_UNLOCKABLE: ") && why.contains("ends at"), "{why}");
}

#[test]
fn a_waiver_that_no_lock_could_list_is_refused_as_soon_as_that_can_be_told() {
    let Some(repo) = locked(|_| {}) else { return };
    develop(&repo, starts);
    let found = refused(ask(&repo, Vec::new()));
    let until = |seconds| found.iter().map(|it| waiver(it, later(seconds))).collect::<Vec<_>>();
    let why = ask(&repo, until(60)).unwrap_err().to_string();
    assert!(why.contains("ends at"), "it ended already: {why}");
    // 7 days after the last lock that evidence of that second allows, and one second more.
    let week = 7 * 24 * 3600;
    ask(&repo, until(120 + 24 * 3600 + week + 1)).unwrap();
    let why = gather(&repo, later(120)).unwrap_err().to_string();
    assert!(why.contains("ends at"), "{why}");
    gather(&repo, later(121)).unwrap();
}

#[test]
fn a_request_by_hand_for_what_no_lock_could_hold_gets_no_evidence() {
    let Some(repo) = locked(|_| {}) else { return };
    develop(&repo, |repo| repo.append("docs/SAFETY.md", "More.\n"));
    begin(&repo, &asking());
    repo.git(&["checkout", "--quiet", "-B", "dev", "main"]);
    starts(&repo);
    let bad = repo.commit_all("worse");
    repo.git(&["checkout", "--quiet", &format!("unlock/{ID}")]);
    let path = format!("ops/unlock/{ID}/request.json");
    let text = fs::read_to_string(repo.root().join(&path)).unwrap();
    let field = "\"change_commit\": \"";
    let (before, after) = text.split_once(field).unwrap();
    repo.put(&path, &format!("{before}{field}{bad}{}", after.get(40..).unwrap()));
    repo.commit_all("asked by hand");
    let why = gather(&repo, later(120)).unwrap_err();
    assert!(matches!(&why, WriteError::Unlockable { findings, .. } if !findings.is_empty()), "{why}");
}

#[test]
fn evidence_that_says_another_thing_of_the_change_than_the_signer_finds_is_not_signed() {
    let Some(repo) = locked(|_| {}) else { return };
    develop(&repo, |repo| repo.append("docs/SAFETY.md", "More.\n"));
    begin(&repo, &asking());
    gather(&repo, later(120)).unwrap();
    let folder = format!("ops/unlock/{ID}");
    let (found, index) = (format!("{folder}/change_validate.json"), format!("{folder}/audit-index.json"));
    let old = fs::read_to_string(repo.root().join(&found)).unwrap();
    let new = old.replacen("\"rule\": \"docs\"", "\"rule\": \"rbac\"", 1);
    assert!(old != new && old.len() == new.len());
    repo.put(&found, &new);
    let digest = |text: &str| Digest::of(text.as_bytes()).to_string();
    replace(&repo, &index, &digest(&old), &digest(&new));
    let blob = |text: &str| Id::of(Kind::Blob, text.as_bytes()).to_string();
    replace(&repo, &index, &blob(&old), &blob(&new));
    repo.commit_all("evidence by hand");
    let why = say_yes(&repo, "olga", later(180)).unwrap_err().to_string();
    assert!(why.starts_with("EVIDENCE_MISSING: it does not say of the change"), "{why}");
}

#[test]
fn a_lock_is_not_made_while_a_waiver_lasts_longer_than_a_lock_may_list() {
    let Some(repo) = locked(|_| {}) else { return };
    develop(&repo, starts);
    let found = refused(ask(&repo, Vec::new()));
    let waives: Vec<_> = found.iter().map(|it| waiver(it, later(7 * 24 * 3600 + 300))).collect();
    ask(&repo, waives.clone()).unwrap();
    gather(&repo, later(120)).unwrap();
    say_yes(&repo, "olga", later(180)).unwrap();
    say_yes(&repo, "rolf", later(180)).unwrap();
    agenttrader_governance::unlock::apply::apply(&repo.open(), &repo.signer("anna"), later(240)).unwrap();
    let why = completed(&repo.open(), ID, None, later(299)).unwrap_err().to_string();
    assert!(why.contains("ends at"), "{why}");
    assert_eq!(completed(&repo.open(), ID, None, later(300)).unwrap().waives, waives);
}
