//! Who approves, and who does not.

use crate::floor::{
    Floor, ID, asking, begin, commit_signed, develop, floor, force_yes, gather, is_refused, locked, relock, say_yes,
    verdict,
};
use crate::repo::{Repo, asked, failures, later};
use agenttrader_authority::namespace::Namespace::{UnlockOperator, UnlockReviewer};
use agenttrader_governance::git::id::Id;
use agenttrader_governance::lock::model::{LOCK_PATH, Lock, PAGE_PATH};
use agenttrader_governance::lock::validate::{Asked, baseline};
use agenttrader_governance::scope::{Scope, USUAL};
use agenttrader_governance::unlock::apply::apply;
use agenttrader_governance::unlock::approve::{approve, prepare};
use agenttrader_governance::unlock::open::{Asking, open};
use agenttrader_governance::unlock::refused::Reason;
use agenttrader_governance::unlock::to_approve::Steps;
use agenttrader_policy::finding::Rule;
use std::fs;

fn refused(error: &impl ToString, reason: Reason) {
    let text = error.to_string();
    assert!(text.starts_with(reason.word()), "{text}");
}

fn take(repo: &Repo, change: Id) {
    repo.git(&["checkout", "--quiet", &change.to_string(), "--", "docs", "scripts"]);
}

#[test]
fn one_approver_is_too_few_for_the_command_for_the_judge_and_for_the_lock() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.by_olga);
    refused(&apply(&floor.repo.open(), &floor.repo.signer("anna"), later(240)).unwrap_err(), Reason::TooFewApprovers);
    floor.take_change();
    commit_signed(&floor.repo, "anna");
    floor.is_refused(Reason::TooFewApprovers);
    relock(&floor.repo, later(300));
    let judged = baseline(&floor.repo.open(), &Asked { now: later(300), ..asked() }).unwrap();
    let found = failures(&judged.findings);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains(": TOO_FEW_APPROVERS: "), "{found:#?}");
}

#[test]
fn two_operators_are_no_operator_and_reviewer_and_nobody_signs_twice() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.by_olga);
    refused(&say_yes(&floor.repo, "olga", later(200)).unwrap_err(), Reason::SignedTwice);
    for name in ["anna", "stranger"] {
        refused(&say_yes(&floor.repo, name, later(200)).unwrap_err(), Reason::SignatureInvalid);
    }
    let repository = floor.repo.open();
    let prepared = prepare(&repository, later(200)).unwrap();
    let mut false_rolf = floor.repo.signer("olga");
    false_rolf.principal = "rolf".to_owned();
    let why = approve(&repository, &prepared, &false_rolf, later(200));
    refused(&why.unwrap_err(), Reason::SignatureInvalid);
    assert_eq!(floor.repo.head(), floor.by_olga);
}

#[test]
fn one_key_under_two_names_is_one_person() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.by_olga);
    let path = |name: &str| format!("ops/unlock/{ID}/approval.json.{name}.sig");
    let olgas = fs::read_to_string(floor.repo.root().join(path("olga"))).unwrap();
    floor.repo.put(&path("rolf"), &olgas);
    floor.repo.commit_all("as if by rolf");
    take_and_sign(&floor);
    floor.is_refused(Reason::SignedTwice);
}

#[test]
fn one_person_with_two_keys_is_one_person() {
    // Two lines of olga's, as only an unlock can write them: an operator's and a reviewer's.
    let Some(repo) = locked(|_| {}) else { return };
    repo.git(&["checkout", "--quiet", "-b", "dev"]);
    let key = fs::read_to_string(repo.key("olgas-other").with_extension("pub")).unwrap();
    let key = key.rsplit_once(' ').unwrap().0;
    let line = format!("olga namespaces=\"{},execution-grant@agenttrader,git\" {key}\n", UnlockReviewer.as_str());
    repo.append("ops/trust/allowed_signers", &line);
    repo.commit_all("olga's second key");
    repo.git(&["checkout", "--quiet", "main"]);
    begin(&repo, &asking());
    gather(&repo, later(120)).unwrap();
    for name in ["olga", "rolf", "rita"] {
        say_yes(&repo, name, later(180)).unwrap();
    }
    apply(&repo.open(), &repo.signer("anna"), later(240)).unwrap();
    relock(&repo, later(300));
    let judged = baseline(&repo.open(), &Asked { now: later(310), ..asked() }).unwrap();
    assert_eq!(failures(&judged.findings), Vec::<String>::new());

    repo.git(&["checkout", "--quiet", "-b", "more"]);
    repo.append("docs/SAFETY.md", "More.\n");
    let change = repo.commit_all("development");
    repo.git(&["checkout", "--quiet", "-"]);
    let more = Asking { change: "more", unlock_id: Some("more"), ..asking() };
    open(&repo.open(), &more, later(400)).unwrap();
    gather(&repo, later(420)).unwrap();
    say_yes(&repo, "olga", later(440)).unwrap();
    let mut second = repo.signer("olgas-other");
    second.principal = "olga".to_owned();
    let repository = repo.open();
    let prepared = prepare(&repository, later(450)).unwrap();
    refused(&approve(&repository, &prepared, &second, later(450)).unwrap_err(), Reason::SignedTwice);
    // By hand, in a file of another name, the second key is still olga's.
    let path = "ops/unlock/more/approval.json";
    let text = fs::read(repo.root().join(path)).unwrap();
    let signature = second.sign(&crate::repo::programs(), UnlockReviewer.as_str(), &text).unwrap();
    repo.put(&format!("{path}.olgas-other.sig"), &signature);
    repo.commit_all("as if by another");
    repo.git(&["checkout", "--quiet", &change.to_string(), "--", "docs"]);
    commit_signed(&repo, "anna");
    assert_eq!(verdict(&repo, "more", later(500)).unwrap_err().reason, Reason::SignatureInvalid);
}

fn take_and_sign(floor: &Floor) {
    floor.take_change();
    commit_signed(&floor.repo, "anna");
}

#[test]
fn a_signature_by_a_stranger_in_another_role_or_of_other_bytes_spoils_the_approval() {
    let Some(floor) = floor() else { return };
    let mut floor = floor;
    for people in [
        [("olga", UnlockOperator), ("stranger", UnlockReviewer)],
        [("olga", UnlockReviewer), ("rolf", UnlockReviewer)],
        [("olga", UnlockOperator), ("anna", UnlockReviewer)],
    ] {
        floor = floor.at(|floor| floor.evidence);
        force_yes(&floor.repo, Steps { request: floor.opened, evidence: floor.evidence }, &people);
        take_and_sign(&floor);
        floor.is_refused(Reason::SignatureInvalid);
    }
    // The first signs, somebody edits what was signed, the second signs that.
    let floor = floor.at(|floor| floor.by_olga);
    let path = format!("ops/unlock/{ID}/approval.json");
    let old = fs::read_to_string(floor.repo.root().join(&path)).unwrap();
    floor.repo.put(&path, &old.replace(r#""rollback":"the lock's"#, r#""rollback":"no lock's"#));
    let text = fs::read(floor.repo.root().join(&path)).unwrap();
    assert_ne!(text, old.as_bytes());
    let signature = floor.repo.signer("rolf").sign(&crate::repo::programs(), UnlockReviewer.as_str(), &text).unwrap();
    floor.repo.put(&format!("{path}.rolf.sig"), &signature);
    floor.repo.commit_all("edited and approved");
    take_and_sign(&floor);
    floor.is_refused(Reason::SignatureInvalid);
}

/// A floor whose development commit is by this person, with evidence.
fn made_by(sign: bool, name: &str) -> Option<(Repo, Steps, Id)> {
    let repo = locked(|_| {})?;
    let mut change = develop(&repo, if sign { "somebody" } else { name });
    if sign {
        repo.git(&["checkout", "--quiet", "dev"]);
        repo.append("docs/SAFETY.md", "Signed.\n");
        change = commit_signed(&repo, name);
        repo.git(&["checkout", "--quiet", "main"]);
    }
    let request = begin(&repo, &asking());
    let evidence = gather(&repo, later(120)).unwrap();
    Some((repo, Steps { request, evidence }, change))
}

#[test]
fn whoever_made_a_part_of_the_change_does_not_review_it() {
    for sign in [false, true] {
        let Some((repo, steps, change)) = made_by(sign, "rolf") else { return };
        refused(&say_yes(&repo, "rolf", later(180)).unwrap_err(), Reason::SelfApproval);
        force_yes(&repo, steps, &[("olga", UnlockOperator), ("rolf", UnlockReviewer)]);
        take(&repo, change);
        commit_signed(&repo, "anna");
        is_refused(&repo, Reason::SelfApproval);
        // An operator may have: two people see the change all the same.
        repo.git(&["reset", "--quiet", "--hard", &steps.evidence.to_string()]);
        say_yes(&repo, "olga", later(180)).unwrap();
        say_yes(&repo, "rita", later(180)).unwrap();
        apply(&repo.open(), &repo.signer("anna"), later(240)).unwrap();
    }
}

#[test]
fn a_reviewer_does_not_apply_what_they_reviewed() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.approved);
    refused(&apply(&floor.repo.open(), &floor.repo.signer("rolf"), later(240)).unwrap_err(), Reason::SelfApproval);
    floor.take_change();
    commit_signed(&floor.repo, "rolf");
    floor.is_refused(Reason::SelfApproval);
}

/// Gives the draft a scope without the file of agents' keys, which then may change while people approve.
fn without_keys(repo: &Repo) {
    let mut lock = Lock::parse(&fs::read(repo.root().join(LOCK_PATH)).unwrap()).unwrap();
    let patterns: Vec<&str> = USUAL.into_iter().filter(|pattern| *pattern != "configs/**").collect();
    lock.terms.scope = Scope::parse(&patterns).unwrap();
    repo.put(LOCK_PATH, &String::from_utf8(lock.bytes()).unwrap());
    repo.put(PAGE_PATH, &agenttrader_governance::lock::page::page(&lock));
}

#[test]
fn an_agent_approves_nothing_by_its_name_or_with_its_key() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.evidence);
    let steps = Steps { request: floor.opened, evidence: floor.evidence };
    force_yes(&floor.repo, steps, &[("olga", UnlockOperator), ("gamma-strategy", UnlockReviewer)]);
    take_and_sign(&floor);
    floor.is_refused(Reason::AgentSigned);

    let Some(repo) = locked(without_keys) else { return };
    let change = develop(&repo, "somebody");
    let request = begin(&repo, &asking());
    repo.give_key_to_agent("rolf");
    repo.commit_all("the agent's key becomes known");
    let evidence = gather(&repo, later(120)).unwrap();
    refused(&say_yes(&repo, "rolf", later(180)).unwrap_err(), Reason::AgentSigned);
    force_yes(&repo, Steps { request, evidence }, &[("olga", UnlockOperator), ("rolf", UnlockReviewer)]);
    take(&repo, change);
    commit_signed(&repo, "anna");
    is_refused(&repo, Reason::AgentSigned);
}

#[test]
fn a_persons_key_that_becomes_an_agents_fails_the_baseline_though_the_lock_holds_no_file_of_keys() {
    let Some(repo) = locked(without_keys) else { return };
    assert_eq!(repo.failures(), Vec::<String>::new());
    repo.give_key_to_agent("rolf");
    repo.commit_all("the agent's key becomes known");
    repo.fails(
        Rule::Scope,
        "ops/trust/allowed_signers",
        "lists under `rolf` a key that configs/agents/keys.json lists",
    );
}
