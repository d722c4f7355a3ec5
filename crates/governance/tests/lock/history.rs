//! A lock and the commits after it.

use crate::repo::{Repo, asked, later};
use agenttrader_governance::lock::later::generate;
use agenttrader_governance::lock::model::{LOCK_PATH, Lock, PAGE_PATH, State};
use agenttrader_governance::lock::page::page;
use agenttrader_governance::lock::rules::scope::locked_files;
use agenttrader_governance::lock::status::{Status, status};
use agenttrader_governance::lock::validate::{Asked, baseline};
use agenttrader_policy::finding::Rule;

#[test]
fn a_locked_file_that_was_changed_added_or_removed_fails_and_status_lists_it() {
    let Some(repo) = Repo::locked() else { return };
    repo.append("docs/SAFETY.md", "more\n");
    repo.put("scripts/new.sh", "#!/bin/sh\n");
    repo.git(&["rm", "--quiet", "configs/agents/agents.yaml"]);
    repo.put("README.md", "not locked\n");
    repo.commit_all("a day's work");
    repo.fails(Rule::Scope, "docs/SAFETY.md", "other bytes");
    repo.fails(Rule::Scope, "scripts/new.sh", "does not hold it");
    repo.fails(Rule::Scope, "configs/agents/agents.yaml", "is gone");
    let (_, Status::Locked(status)) = status(&repo.open()).unwrap() else { panic!("not locked") };
    let since: Vec<_> = status.since.changes.iter().map(|change| change.path.to_string()).collect();
    assert_eq!(since, ["configs/agents/agents.yaml", "docs/SAFETY.md", "scripts/new.sh"]);
}

#[test]
fn commits_after_a_lock_that_touch_nothing_locked_hold() {
    let Some(repo) = Repo::locked() else { return };
    repo.put("README.md", "another floor\n");
    repo.commit_all("readme");
    repo.git(&["checkout", "--quiet", "-b", "side", "HEAD^"]);
    repo.put("NOTES.md", "side\n");
    repo.commit_all("side");
    repo.git(&["merge", "--quiet", "--no-edit", "main"]);
    assert_eq!(repo.failures(), Vec::<String>::new());
}

/// The lock of HEAD with digests made anew, as somebody would forge it.
fn regenerated(repo: &Repo, change: impl Fn(&mut agenttrader_governance::lock::model::Locked)) -> Lock {
    let repository = repo.open();
    let bytes = repository.file_at(repo.head(), LOCK_PATH).unwrap().unwrap();
    let lock = Lock::parse(&bytes).unwrap();
    let mut locked = lock.locked().unwrap().clone();
    locked.files = locked_files(&repository, &repository.files(repo.head()).unwrap(), &lock.terms.scope).unwrap();
    locked.git_sha = repo.head();
    change(&mut locked);
    Lock { terms: lock.terms, state: State::Locked(Box::new(locked)) }
}

fn put(repo: &Repo, lock: &Lock) {
    repo.put(LOCK_PATH, &String::from_utf8(lock.bytes()).unwrap());
    repo.put(PAGE_PATH, &page(lock));
}

#[test]
fn digests_made_anew_without_an_unlock_fail() {
    let Some(repo) = Repo::locked() else { return };
    let first = repo.first_lock();
    repo.append("docs/SAFETY.md", "more\n");
    repo.commit_all("a change");
    put(&repo, &regenerated(&repo, |_| {}));
    repo.commit_all("a lock made anew, as if it were the first");
    repo.fails(Rule::Scope, LOCK_PATH, &first.to_string());
    repo.fails(Rule::Scope, "ops/unlock/genesis/production-lock.json.olga.sig", "");
}

#[test]
fn a_lock_after_an_unlock_that_nobody_approved_fails() {
    let Some(repo) = Repo::locked() else { return };
    repo.append("docs/SAFETY.md", "more\n");
    for report in ["readiness_report.json", "deploy_report.json"] {
        repo.put(&format!("ops/unlock/alone/{report}"), "{\"at_utc\":\"2026-11-30T17:00:00Z\"}\n");
    }
    repo.commit_all("a change");
    let repository = repo.open();
    assert!(generate(&repository, "genesis", None, "test", &repo.signer("olga"), later(60)).is_err());
    assert!(generate(&repository, "alone", None, "test", &repo.signer("stranger"), later(60)).is_err());
    generate(&repository, "alone", None, "test", &repo.signer("olga"), later(60)).unwrap();
    let judged = baseline(&repository, &Asked { now: later(60), ..asked() }).unwrap();
    let found = crate::repo::failures(&judged.findings);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("no unlock alone was asked for"), "{found:#?}");
}

#[test]
fn a_draft_after_a_lock_fails() {
    let Some(repo) = Repo::locked() else { return };
    let lock = Lock { terms: crate::repo::terms(), state: State::Draft };
    put(&repo, &lock);
    repo.commit_all("open again");
    repo.fails(Rule::Tree, LOCK_PATH, "a draft follows the lock");
    assert!(matches!(status(&repo.open()).unwrap().1, Status::Unclear(_)));
    repo.git(&["rm", "--quiet", LOCK_PATH]);
    repo.commit_all("no lock at all");
    let findings = repo.judge().unwrap().findings;
    let gone = findings.iter().find(|finding| finding.message.starts_with("there is no lock")).unwrap();
    assert!(gone.remedy.starts_with("bring back the lock"), "{}", gone.remedy);
}

#[test]
fn a_lock_that_two_commits_bring_in_fails() {
    let Some(repo) = Repo::locked() else { return };
    let locked = repo.head();
    repo.git(&["checkout", "--quiet", &format!("{locked}^")]);
    repo.git(&["checkout", "--quiet", &locked.to_string(), "--", "."]);
    repo.commit_all("the same lock again");
    repo.git(&["merge", "--quiet", "--strategy=ours", "--no-edit", &locked.to_string()]);
    repo.fails(Rule::Tree, LOCK_PATH, "brought in by 2 commits");
}

#[test]
fn a_lock_whose_commit_has_another_parent_fails() {
    let Some(repo) = Repo::locked() else { return };
    let lock = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let before = repo.git(&["rev-parse", "HEAD^^"]);
    let moved = repo.git(&["commit-tree", &lock, "-p", &before, "-m", "elsewhere"]);
    repo.git(&["reset", "--quiet", "--hard", &moved]);
    repo.fails(Rule::Tree, LOCK_PATH, "has the parent");
}

#[test]
fn a_lock_committed_amid_other_changes_of_locked_files_fails() {
    let Some(repo) = Repo::locked() else { return };
    repo.append("docs/SAFETY.md", "more\n");
    repo.git(&["add", "--all"]);
    repo.git(&["commit", "--quiet", "--amend", "--no-edit"]);
    repo.fails(Rule::Scope, "docs/SAFETY.md", "other bytes");
}

#[test]
fn a_locks_bytes_in_a_commit_with_other_files_fail_though_head_holds_the_listed_ones_and_the_root_is_pinned() {
    let Some(repo) = Repo::locked() else { return };
    let root = Some(repo.first_lock());
    let signers = "ops/trust/allowed_signers";
    let good = std::fs::read_to_string(repo.root().join(signers)).unwrap();
    let stranger = std::fs::read_to_string(repo.key("stranger").with_extension("pub")).unwrap();
    repo.append(signers, &format!("stranger namespaces=\"execution-grant@agenttrader\" {stranger}"));
    repo.git(&["add", "--all"]);
    repo.git(&["commit", "--quiet", "--amend", "--no-edit"]);
    repo.put(signers, &good);
    repo.commit_all("as the lock lists it");
    let judged = baseline(&repo.open(), &Asked { root, ..asked() }).unwrap();
    let found = crate::repo::failures(&judged.findings);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("allowed_signers") && found[0].contains("its own commit"), "{found:#?}");
}

#[test]
fn a_later_lock_with_a_smaller_scope_fails() {
    let Some(repo) = Repo::locked() else { return };
    let first = repo.first_lock();
    for report in ["readiness_report.json", "deploy_report.json"] {
        repo.put(&format!("ops/unlock/alone/{report}"), "{\"at_utc\":\"2026-11-30T17:00:00Z\"}\n");
    }
    repo.commit_all("reports");
    let mut lock = regenerated(&repo, |locked| {
        locked.timestamp = later(60);
        locked.previous = Some(first);
        locked.unlock_id = Some("alone".to_owned());
    });
    lock.terms.scope = agenttrader_governance::scope::Scope::parse(&["k8s/**"]).unwrap();
    if let State::Locked(locked) = &mut lock.state {
        let repository = repo.open();
        locked.files = locked_files(&repository, &repository.files(repo.head()).unwrap(), &lock.terms.scope).unwrap();
    }
    put(&repo, &lock);
    repo.commit_all("a smaller lock");
    repo.fails(Rule::Scope, LOCK_PATH, "scope or terms are others");
}
