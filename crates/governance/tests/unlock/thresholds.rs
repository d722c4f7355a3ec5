//! How many must sign, and what a lock may waive: computed from what is asked, never declared.

use crate::floor::{ID, asking, begin, develop, gather, locked, say_yes, verdict};
use crate::repo::{Repo, asked, failures, later};
use agenttrader_governance::lock::later::generate;
use agenttrader_governance::lock::model::{LOCK_PATH, Lock, Waiver};
use agenttrader_governance::lock::validate::{Asked, baseline};
use agenttrader_governance::unlock::apply::apply;
use agenttrader_governance::unlock::open::{Asking, open};
use agenttrader_governance::unlock::refused::Reason;
use agenttrader_governance::unlock::request::{self, Request};
use agenttrader_policy::finding::Rule;

fn waiver() -> Waiver {
    Waiver {
        rule: Rule::KillSwitch,
        path: "k8s/kill-switch.yaml".to_owned(),
        object: None,
        field: None,
        value: Some("0".to_owned()),
        expires: later(24 * 3600),
    }
}

/// That an operator and one reviewer are too few for what is asked, and two reviewers enough.
#[track_caller]
fn two_reviewers(repo: &Repo, asking: &Asking<'_>) {
    begin(repo, asking);
    gather(repo, later(120)).unwrap();
    say_yes(repo, "rolf", later(180)).unwrap();
    say_yes(repo, "olga", later(180)).unwrap();
    let why = apply(&repo.open(), &repo.signer("anna"), later(240)).unwrap_err().to_string();
    assert!(why.starts_with("TOO_FEW_APPROVERS: 1 reviewers signed, 2 must"), "{why}");
    say_yes(repo, "rita", later(200)).unwrap();
    apply(&repo.open(), &repo.signer("anna"), later(240)).unwrap();
    assert_eq!(verdict(repo, ID, later(300)).unwrap().approved.approval.reviewers, ["rita", "rolf"]);
}

#[test]
fn two_reviewers_where_a_grant_for_live_is_asked_for() {
    let Some(repo) = locked(|_| {}) else { return };
    develop(&repo, "somebody");
    two_reviewers(&repo, &Asking { grants_live: true, ..asking() });
}

#[test]
fn two_reviewers_where_who_may_sign_changes() {
    let Some(repo) = locked(|_| {}) else { return };
    repo.git(&["checkout", "--quiet", "-b", "dev"]);
    repo.append("ops/trust/allowed_signers", "# One more line.\n");
    repo.commit_all("development");
    repo.git(&["checkout", "--quiet", "main"]);
    two_reviewers(&repo, &asking());
}

#[test]
fn two_reviewers_where_the_kill_switch_is_waived_and_the_lock_waives_just_that() {
    let Some(repo) = locked(|_| {}) else { return };
    develop(&repo, "somebody");
    two_reviewers(&repo, &Asking { waives: vec![waiver()], ..asking() });
    let applied = repo.head();
    let asked_for = request::at(&repo.open(), repo.head(), ID).unwrap();
    let lock = |waives| {
        let request = Request { waives, ..asked_for.clone() };
        generate(&repo.open(), ID, Some(&request), "test", &repo.signer("anna"), later(300)).unwrap()
    };
    lock(vec![waiver()]);
    let judged = || failures(&baseline(&repo.open(), &Asked { now: later(310), ..asked() }).unwrap().findings);
    assert_eq!(judged(), Vec::<String>::new());
    for waives in [Vec::new(), vec![Waiver { value: Some("off".to_owned()), ..waiver() }], vec![waiver(), waiver()]] {
        repo.git(&["reset", "--quiet", "--hard", &applied.to_string()]);
        lock(waives);
        let found = judged();
        assert!(found.len() == 1 && found[0].contains(": WAIVERS_DIFFER: "), "{found:#?}");
    }
}

#[test]
fn the_mode_is_never_waived() {
    let Some(repo) = locked(|_| {}) else { return };
    develop(&repo, "somebody");
    let waives = vec![Waiver { rule: Rule::NoExecute, ..waiver() }];
    let why = open(&repo.open(), &Asking { waives, ..asking() }, later(60)).unwrap_err().to_string();
    assert!(why.contains("no-execute cannot be waived"), "{why}");
}

#[test]
fn keys_in_files_are_too_little_where_the_lock_asks_for_security_keys() {
    let touch = |repo: &Repo| {
        let mut lock = Lock::parse(&std::fs::read(repo.root().join(LOCK_PATH)).unwrap()).unwrap();
        lock.terms.require_sk = true;
        repo.put(LOCK_PATH, &String::from_utf8(lock.bytes()).unwrap());
        let page = agenttrader_governance::lock::page::page(&lock);
        repo.put("ops/PRODUCTION_LOCK.md", &page);
    };
    let Some(repo) = locked(touch) else { return };
    let change = develop(&repo, "somebody");
    let request = begin(&repo, &asking());
    let evidence = gather(&repo, later(120)).unwrap();
    assert!(say_yes(&repo, "olga", later(180)).unwrap_err().to_string().starts_with(Reason::KeyNotTouched.word()));
    let steps = agenttrader_governance::unlock::to_approve::Steps { request, evidence };
    let people = [
        ("olga", agenttrader_authority::namespace::Namespace::UnlockOperator),
        ("rolf", agenttrader_authority::namespace::Namespace::UnlockReviewer),
    ];
    crate::floor::force_yes(&repo, steps, &people);
    repo.git(&["checkout", "--quiet", &change.to_string(), "--", "docs", "scripts"]);
    crate::floor::commit_signed(&repo, "anna");
    crate::floor::is_refused(&repo, Reason::KeyNotTouched);
}

#[test]
fn a_change_that_no_lock_can_hold_is_not_opened() {
    let Some(repo) = locked(|_| {}) else { return };
    repo.git(&["checkout", "--quiet", "-b", "dev"]);
    std::os::unix::fs::symlink("SAFETY.md", repo.root().join("docs/link.md")).unwrap();
    repo.commit_all("a link");
    repo.git(&["checkout", "--quiet", "main"]);
    let why = open(&repo.open(), &asking(), later(60)).unwrap_err().to_string();
    assert!(why.contains("docs/link.md: it is a symbolic link"), "{why}");
}

#[test]
fn a_change_after_which_nobody_could_unlock_is_neither_opened_nor_locked() {
    let Some(repo) = locked(|_| {}) else { return };
    repo.git(&["checkout", "--quiet", "-b", "dev"]);
    let list = "ops/trust/allowed_signers";
    let good = std::fs::read_to_string(repo.root().join(list)).unwrap();
    let key = |name: &str| {
        let words = std::fs::read_to_string(repo.key(name).with_extension("pub")).unwrap();
        words.split(' ').take(2).collect::<Vec<_>>().join(" ")
    };
    let (stranger, rolf) = (key("stranger"), key("rolf"));
    let git = "namespaces=\"git\"";
    for (text, says) in [
        (format!("{good}* {git} {stranger}\n"), "a principal is one exact name"),
        (format!("{good}eve namespaces=\"unlock-*\" {stranger}\n"), "namespace"),
        (format!("{good}eve {stranger}\n"), "namespaces"),
        (format!("{good}eve {git} {rolf}\n"), "the key stands in line"),
        (format!("{good}eve cert-authority,{git} {stranger}\n"), "cert-authority"),
        (
            format!("{good}gamma-strategy namespaces=\"unlock-reviewer@agenttrader\" {stranger}\n"),
            "lets the agent `gamma-strategy` sign",
        ),
        (good.replace("unlock-reviewer@agenttrader,", ""), "it lets nobody sign for `unlock-reviewer@agenttrader`"),
        ("# Nobody.\n".to_owned(), "it lets nobody sign for `unlock-operator@agenttrader`"),
    ] {
        repo.put(list, &text);
        repo.commit_all("who may sign");
        repo.git(&["checkout", "--quiet", "main"]);
        let why = open(&repo.open(), &asking(), later(60)).unwrap_err().to_string();
        assert!(why.starts_with("CHANGE_UNLOCKABLE: ") && why.contains(says), "{why}");
        repo.git(&["checkout", "--quiet", "dev"]);
    }
    repo.put(list, &good);
    repo.give_key_to_agent("rolf");
    repo.commit_all("an agent with a person's key");
    let why = open(&repo.open(), &asking(), later(60)).unwrap_err().to_string();
    assert!(why.starts_with("CHANGE_UNLOCKABLE: ") && why.contains("under `rolf` a key that"), "{why}");
}
