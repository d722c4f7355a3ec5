//! A lock whose scope is another than its predecessor's: an unlock of what leaves it and of what enters it.

use crate::floor::{ID, asking, begin, commit_signed, develop, gather, is_refused, locked, relock, say_yes, verdict};
use crate::repo::{Repo, asked, failures, later};
use agenttrader_governance::lock::build::{Making, lock_of, write_files};
use agenttrader_governance::lock::later::base;
use agenttrader_governance::lock::model::{LOCK_PATH, Lock, Terms};
use agenttrader_governance::lock::validate::{Asked, baseline};
use agenttrader_governance::scope::{Scope, USUAL};
use agenttrader_governance::unlock::apply::apply;
use agenttrader_governance::unlock::open::{Asking, open};
use agenttrader_governance::unlock::refused::Reason;
use std::fs;

/// The usual scope without `docs/**`.
fn smaller() -> Scope {
    let patterns: Vec<&str> = USUAL.into_iter().filter(|pattern| *pattern != "docs/**").collect();
    Scope::parse(&patterns).unwrap()
}

/// The usual scope and `README.md`.
fn larger() -> Scope {
    Scope::parse(&[&USUAL[..], &["README.md"]].concat()).unwrap()
}

/// A locked repository with a development commit, and an unlock of it that two people approved.
fn approved(scope: Option<Scope>) -> Option<Repo> {
    let repo = locked(|_| {})?;
    develop(&repo, "somebody");
    begin(&repo, &Asking { scope, ..asking() });
    gather(&repo, later(120)).unwrap();
    say_yes(&repo, "olga", later(180)).unwrap();
    say_yes(&repo, "rolf", later(200)).unwrap();
    Some(repo)
}

fn form(repo: &Repo) -> String {
    fs::read_to_string(repo.root().join(format!("ops/unlock/{ID}/APPROVAL.md"))).unwrap()
}

fn judged(repo: &Repo) -> Vec<String> {
    failures(&baseline(&repo.open(), &Asked { now: later(310), ..asked() }).unwrap().findings)
}

fn lock(repo: &Repo) -> Lock {
    Lock::parse(&fs::read(repo.root().join(LOCK_PATH)).unwrap()).unwrap()
}

fn paths(repo: &Repo) -> Vec<String> {
    lock(repo).locked().unwrap().files.iter().map(|file| file.path.clone()).collect()
}

/// The lock of HEAD after the unlock, with terms of somebody's own.
fn forge(repo: &Repo, change: impl Fn(&mut Terms)) {
    let repository = repo.open();
    let before = base(&repository).unwrap();
    let mut terms = before.lock.terms.clone();
    change(&mut terms);
    let after = Some((before.sha256, ID.to_owned()));
    let making = Making { terms, timestamp: later(300), build_id: "test".to_owned(), after, waives: Vec::new() };
    write_files(&repository, &lock_of(&repository, repo.head(), making).unwrap()).unwrap();
    repo.commit_all("a lock by hand");
}

#[test]
fn what_leaves_the_scope_is_approved_file_by_file_and_is_free_from_the_next_lock_on() {
    let Some(repo) = approved(Some(smaller())) else { return };
    let form = form(&repo);
    assert!(form.contains("It loses `docs/**`; it gains nothing."), "{form}");
    assert!(form.contains("| docs/SAFETY.md | leaves the lock |"), "{form}");
    assert!(form.contains("| docs/UNLOCK.md | leaves the lock |"), "also a file whose bytes stay: {form}");
    assert!(form.contains("| scripts/report.sh | added |"), "{form}");
    apply(&repo.open(), &repo.signer("anna"), later(240)).unwrap();
    relock(&repo, later(300));
    assert_eq!(judged(&repo), Vec::<String>::new());
    assert_eq!(lock(&repo).terms.scope, smaller());
    assert!(!paths(&repo).iter().any(|path| path.starts_with("docs/")));
    repo.append("docs/SAFETY.md", "Free.\n");
    repo.commit_all("free");
    assert_eq!(judged(&repo), Vec::<String>::new());
}

#[test]
fn what_enters_the_scope_is_approved_file_by_file_and_is_changed_by_nobody_on_the_way() {
    let Some(repo) = approved(Some(larger())) else { return };
    assert!(form(&repo).contains("| README.md | enters the lock |"), "{}", form(&repo));
    let before = repo.head();
    repo.put("README.md", "Another floor altogether.\n");
    commit_signed(&repo, "anna");
    is_refused(&repo, Reason::ChangeDiffers);
    repo.git(&["reset", "--quiet", "--hard", &before.to_string()]);
    apply(&repo.open(), &repo.signer("anna"), later(240)).unwrap();
    relock(&repo, later(300));
    assert_eq!(judged(&repo), Vec::<String>::new());
    assert!(paths(&repo).contains(&"README.md".to_owned()));
    repo.append("README.md", "More.\n");
    repo.commit_all("no longer free");
    let found = judged(&repo);
    assert!(found.len() == 1 && found[0].starts_with("scope README.md"), "{found:#?}");
}

#[test]
fn a_scope_alone_is_an_unlock_and_the_same_scope_is_none() {
    let Some(repo) = locked(|_| {}) else { return };
    let alone = |scope: Scope| Asking { change: "HEAD", scope: Some(scope), ..asking() };
    let why = open(&repo.open(), &alone(Scope::usual().unwrap()), later(60)).unwrap_err().to_string();
    assert!(why.contains("no locked file differs"), "{why}");
    begin(&repo, &alone(smaller()));
    gather(&repo, later(120)).unwrap();
    say_yes(&repo, "olga", later(180)).unwrap();
    say_yes(&repo, "rolf", later(200)).unwrap();
    assert!(verdict(&repo, ID, later(300)).unwrap().change.is_none());
    relock(&repo, later(300));
    assert_eq!(judged(&repo), Vec::<String>::new());
    assert_eq!(lock(&repo).terms.scope, smaller());
}

#[test]
fn a_lock_has_the_scope_that_was_approved_and_no_other_terms_than_the_one_before() {
    for asked_for in [None, Some(smaller())] {
        let Some(repo) = approved(asked_for.clone()) else { return };
        apply(&repo.open(), &repo.signer("anna"), later(240)).unwrap();
        let applied = repo.head().to_string();
        let forged: [&dyn Fn(&mut Terms); 4] = [
            &|terms| terms.scope = if asked_for.is_some() { Scope::usual().unwrap() } else { smaller() },
            &|terms| terms.scope = Scope::parse(&["k8s/**"]).unwrap(),
            &|terms| terms.clusters.push("another".to_owned()),
            &|terms| terms.require_sk = !terms.require_sk,
        ];
        for change in forged {
            repo.git(&["reset", "--quiet", "--hard", &applied]);
            forge(&repo, change);
            let found = judged(&repo);
            assert!(found.len() == 1 && found[0].contains("TERMS_DIFFER"), "{found:#?}");
        }
    }
}

#[test]
fn a_scope_that_was_edited_after_it_was_approved_is_refused() {
    let Some(repo) = approved(Some(smaller())) else { return };
    apply(&repo.open(), &repo.signer("anna"), later(240)).unwrap();
    let path = format!("ops/unlock/{ID}/request.json");
    let text = fs::read_to_string(repo.root().join(&path)).unwrap();
    repo.put(&path, &text.replace("    \"k8s/**\",\n", ""));
    repo.commit_all("smaller still");
    is_refused(&repo, Reason::Edited);
}
