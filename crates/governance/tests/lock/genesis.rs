//! The first lock.

use crate::repo::{Repo, asked, later, now, people, sign};
use agenttrader_governance::lock::genesis::{Role, init, sign_this, to_sign};
use agenttrader_governance::lock::model::LOCK_PATH;
use agenttrader_governance::lock::status::{Draft, Status, status};
use agenttrader_governance::lock::validate::{Asked, Standing, baseline};
use agenttrader_policy::finding::Rule;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn all_sign_and_then_it_is_committed_and_holds() {
    let Some(repo) = Repo::draft() else { return };
    let repository = repo.open();
    let begun = init(&repository, &people(&repo), "test", &asked()).unwrap();
    assert_eq!(begun.signers.iter().collect::<Vec<_>>(), ["olga", "rolf"]);
    let first = sign(&repository, &repo.signer("olga"), now()).unwrap();
    assert_eq!((first.commit, first.missing), (None, BTreeSet::from(["rolf".to_owned()])));
    let last = sign(&repository, &repo.signer("rolf"), later(60)).unwrap();
    let commit = last.commit.unwrap();
    assert_eq!(commit, repo.head());
    assert_eq!(repo.failures(), Vec::<String>::new());
    let Standing::Locked(placed) = repo.judge().unwrap().standing else { panic!("not locked") };
    assert_eq!((placed.commit, placed.sha256), (commit, repo.first_lock()));
    assert_eq!(placed.lock.locked().unwrap().git_sha, begun.reports);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn its_reports_have_the_form_of_all_reports_and_say_what_nobody_knows_yet() {
    let Some(repo) = Repo::draft() else { return };
    init(&repo.open(), &people(&repo), "test", &asked()).unwrap();
    let committed = |name: &str| repo.git(&["show", &format!("HEAD:ops/unlock/genesis/{name}")]);
    let golden = |name: &str| {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clusters/golden/healthy").join(name))
            .unwrap()
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    for name in ["readiness_report.json", "deploy_report.json", "readiness.json"] {
        assert_eq!(keys(&json(&committed(name))), keys(&json(&golden(name))), "{name}");
    }
    let readiness = json(&committed("readiness_report.json"));
    assert_eq!((&readiness["scope"], &readiness["result"]), (&json!("repository"), &json!("READY")), "{readiness}");
    assert_eq!(readiness["git_sha"], repo.git(&["rev-parse", "HEAD^"]), "of the commit that names the people");
    let deploy = json(&committed("deploy_report.json"));
    assert_eq!((&deploy["source"], &deploy["kill_switch"]["state"]), (&json!("manifests"), &json!("HALTED")));
    let workloads = deploy["workloads"].as_array().unwrap();
    for it in workloads {
        let mut form = keys(&json(&golden("deploy_report.json"))["workloads"][0]);
        form.insert("path".to_owned());
        assert_eq!(keys(it), form);
        let unknown = ["nodes", "replicas_ready", "pods", "restarts"];
        assert!(unknown.iter().all(|key| it[*key].is_null()) && it["containers"][0]["digests"].is_null(), "{it}");
    }
    let placing = workloads.iter().find(|it| it["orders"] != json!([])).unwrap();
    assert_eq!((&placing["allowed_to_run"], &placing["replicas_wanted"]), (&json!(true), &json!(0)), "{placing}");
    assert!(placing["why"].as_str().unwrap().starts_with("is at zero; it can place orders: "), "{placing}");
    assert!(committed("deploy_report.md").contains("No cluster was asked"));
}

#[test]
fn stock_ssh_keygen_and_stock_git_agree_with_us() {
    let Some(repo) = Repo::locked() else { return };
    let root = repo.root();
    let signers = root.join("ops/trust/allowed_signers");
    let verified = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-I", "rolf", "-n", "lock-genesis@agenttrader", "-f"])
        .arg(&signers)
        .arg("-s")
        .arg(root.join("ops/unlock/genesis/production-lock.json.rolf.sig"))
        .stdin(Stdio::from(fs::File::open(root.join(LOCK_PATH)).unwrap()))
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let allowed = format!("gpg.ssh.allowedSignersFile={}", signers.display());
    repo.git(&["-c", "gpg.format=ssh", "-c", &allowed, "verify-commit", "HEAD"]);
    repo.git(&["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn a_pinned_root_is_this_first_lock_or_it_fails() {
    let Some(repo) = Repo::locked() else { return };
    let judge = |root| baseline(&repo.open(), &Asked { root: Some(root), ..asked() }).unwrap();
    let good = judge(repo.first_lock());
    assert!(good.root_pinned && crate::repo::failures(&good.findings).is_empty());
    let other = judge(agenttrader_core::digest::Digest::of(b"another"));
    assert!(crate::repo::failures(&other.findings).iter().any(|line| line.contains("not the pinned root")));
}

#[test]
fn the_wrong_people_and_the_wrong_keys_begin_nothing() {
    let Some(repo) = Repo::draft() else { return };
    let repository = repo.open();
    let head = repo.head();
    let (operator, reviewer) = (repo.named("olga", Role::Operator), repo.named("rolf", Role::Reviewer));
    let twice = agenttrader_governance::lock::genesis::Named {
        principal: "rita".to_owned(),
        role: Role::Reviewer,
        ..operator.clone()
    };
    let mut agent = reviewer.clone();
    agent.principal = "gamma-strategy".to_owned();
    let mut star = reviewer.clone();
    star.principal = "*".to_owned();
    for (people, says) in [
        (vec![operator.clone()], "a lock needs an operator and a reviewer"),
        (vec![reviewer.clone()], "a lock needs an operator and a reviewer"),
        (vec![operator.clone(), twice], "the people named are refused: allowed_signers:3: the key stands in line 2"),
        (vec![operator.clone(), repo.named("olga", Role::Reviewer)], "olga is named twice"),
        (vec![operator.clone(), agent], "lets the agent `gamma-strategy` sign"),
        (
            vec![operator.clone(), star],
            "the people named are refused: allowed_signers:3: a principal is one exact name",
        ),
    ] {
        let why = init(&repository, &people, "test", &asked()).unwrap_err().to_string();
        assert!(why.contains(says), "{why}");
        assert_eq!((repo.head(), repo.git(&["status", "--porcelain"])), (head, String::new()));
    }
}

#[test]
fn an_agents_key_under_a_persons_name_begins_nothing_and_does_not_pass_as_a_draft() {
    let Some(repo) = Repo::draft() else { return };
    repo.give_key_to_agent("anna");
    let head = repo.commit_all("the agent's key");
    let says = "lists under `anna` a key that configs/agents/keys.json lists as an agent's";
    let why = init(&repo.open(), &crate::repo::people(&repo), "test", &asked()).unwrap_err().to_string();
    assert!(why.contains(says), "{why}");
    assert_eq!((repo.head(), repo.git(&["status", "--porcelain"])), (head, String::new()));
    let key = fs::read_to_string(repo.key("anna").with_extension("pub")).unwrap();
    repo.put("ops/trust/allowed_signers", &format!("anna namespaces=\"git\" {key}"));
    repo.commit_all("listed by hand");
    repo.fails(Rule::Tree, "ops/trust/allowed_signers", says);
    repo.put("configs/agents/keys.json", "{");
    repo.commit_all("nobody knows the keys");
    repo.fails(Rule::Tree, "ops/trust/allowed_signers", "configs/agents/keys.json of commit");
}

#[test]
fn status_says_who_has_not_signed_and_what_they_sign_names_everybody() {
    let Some(repo) = Repo::draft() else { return };
    let repository = repo.open();
    let draft = || match status(&repository).unwrap().1 {
        Status::Draft(draft) => draft,
        other => panic!("{other:?}"),
    };
    assert_eq!(draft(), Draft::Unbegun);
    let begun = init(&repository, &people(&repo), "test", &asked()).unwrap();
    let all = || begun.signers.iter().cloned();
    assert_eq!(draft(), Draft::Unsigned(all().collect()));
    let (lock, text) = to_sign(&repository).unwrap();
    assert_eq!(lock, begun.lock);
    for line in repo.git(&["show", "HEAD:ops/trust/allowed_signers"]).lines() {
        assert!(text.contains(line), "{line}");
    }
    sign(&repository, &repo.signer("olga"), now()).unwrap();
    assert_eq!(draft(), Draft::Unsigned(all().filter(|name| name != "olga").collect()));
    let mut other = lock.clone();
    other.terms.require_sk = true;
    assert!(sign_this(&repository, &other, &repo.signer("rolf"), now()).is_err(), "another one than was shown");
    repo.git(&["checkout", "--quiet", "--", LOCK_PATH]);
    assert!(matches!(draft(), Draft::Stuck(_)));
}

#[test]
fn nothing_is_begun_over_manifests_that_a_locked_repository_could_not_have() {
    let Some(repo) = Repo::draft() else { return };
    let listed = repo.git(&["grep", "--name-only", "@sha256:", "--", "k8s"]);
    let path = listed.lines().next().unwrap();
    let text = fs::read_to_string(repo.root().join(path)).unwrap();
    let (before, after) = text.split_once("@sha256:").unwrap();
    repo.put(path, &format!("{before}{}", &after[64..]));
    let head = repo.commit_all("a tag alone");
    assert_eq!(repo.failures(), Vec::<String>::new(), "a draft may");
    assert!(init(&repo.open(), &people(&repo), "test", &asked()).is_err());
    assert_eq!(repo.head(), head);
}

#[test]
fn nobody_signs_with_another_key_or_a_lock_that_is_not_heads() {
    let Some(repo) = Repo::draft() else { return };
    let repository = repo.open();
    assert!(sign(&repository, &repo.signer("olga"), now()).is_err(), "nothing waits");
    init(&repository, &people(&repo), "test", &asked()).unwrap();
    let mut false_olga = repo.signer("rolf");
    false_olga.principal = "olga".to_owned();
    for signer in [false_olga, repo.signer("anna"), repo.signer("stranger")] {
        assert!(sign(&repository, &signer, now()).is_err(), "{}", signer.principal);
    }
    let good = fs::read_to_string(repo.root().join(LOCK_PATH)).unwrap();
    repo.put(LOCK_PATH, &good.replace("\"build_id\": \"test\"", "\"build_id\": \"evil\""));
    assert!(sign(&repository, &repo.signer("olga"), now()).is_err(), "the page is another lock's");
}

#[test]
fn a_second_first_lock_is_refused_and_fails_where_somebody_forced_it() {
    let Some(repo) = Repo::locked() else { return };
    let repository = repo.open();
    assert!(init(&repository, &people(&repo), "test", &asked()).is_err());
    let first = repo.first_lock();
    // Somebody takes the lock away, begins anew with other people, and commits what comes out after the first one.
    let locked = repo.head();
    repo.git(&["checkout", "--quiet", "--orphan", "anew", &repo.git(&["rev-list", "--max-parents=0", "HEAD"])]);
    repo.git(&["commit", "--quiet", "--message", "anew"]);
    let repository = repo.open();
    init(&repository, &people(&repo), "other", &Asked { now: later(600), ..asked() }).unwrap();
    for name in ["olga", "rolf"] {
        sign(&repository, &repo.signer(name), later(600)).unwrap();
    }
    assert_eq!(repo.failures(), Vec::<String>::new(), "alone it holds, which is why a root is pinned");
    repo.git(&[
        "merge",
        "--quiet",
        "--strategy=ours",
        "--allow-unrelated-histories",
        "--message",
        "over the first",
        &locked.to_string(),
    ]);
    repo.fails(Rule::Scope, LOCK_PATH, &first.to_string());
}

#[test]
fn a_signature_that_is_taken_away_or_of_other_bytes_fails() {
    let Some(repo) = Repo::draft() else { return };
    let repository = repo.open();
    init(&repository, &people(&repo), "test", &asked()).unwrap();
    sign(&repository, &repo.signer("olga"), now()).unwrap();
    repo.commit_all("committed by hand, without the reviewer");
    repo.fails(Rule::Scope, "ops/unlock/genesis/production-lock.json.rolf.sig", "rolf has not signed");
}

#[test]
fn reports_that_were_altered_or_are_too_old_fail() {
    let Some(repo) = Repo::draft() else { return };
    let repository = repo.open();
    let within_the_second = now().plus(agenttrader_core::time::Span::from_millis(999));
    init(&repository, &people(&repo), "test", &Asked { now: within_the_second, ..asked() }).unwrap();
    let good = fs::read_to_string(repo.root().join(LOCK_PATH)).unwrap();
    repo.commit_all("in the same second");
    let found = repo.failures();
    assert!(!found.iter().any(|line| line.starts_with("evidence")), "{found:#?}");
    repo.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    let early = good.replace("2026-11-30T17:00:00Z", "2026-11-30T16:59:59Z");
    repo.put(LOCK_PATH, &early);
    repo.commit_all("a second earlier");
    repo.fails(Rule::Evidence, "ops/unlock/genesis/readiness_report.json", "after the lock's timestamp");
    repo.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    let stale = good.replace("2026-11-30T17:00:00Z", "2026-12-01T17:00:01Z");
    repo.put(LOCK_PATH, &stale);
    repo.commit_all("a day and a second later");
    repo.fails(Rule::Evidence, "ops/unlock/genesis/readiness_report.json", "more than 24 hours");
    repo.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    repo.put(LOCK_PATH, &good);
    repo.append("ops/unlock/genesis/deploy_report.json", " ");
    repo.commit_all("another report");
    repo.fails(Rule::Evidence, "ops/unlock/genesis/deploy_report.json", "other bytes");
}
