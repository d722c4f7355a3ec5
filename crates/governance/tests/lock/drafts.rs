//! A repository that was never locked.

use crate::repo::{Repo, asked};
use agenttrader_governance::lock::later;
use agenttrader_governance::lock::model::LOCK_PATH;
use agenttrader_governance::lock::rules::docs::REQUIRED;
use agenttrader_governance::lock::validate::{Asked, JudgeError, Standing, baseline, statically};
use agenttrader_policy::finding::{Rule, Verdict};
use std::fs;

#[test]
fn a_draft_holds_with_nothing_to_say_of_digests_and_evidence() {
    let Some(repo) = Repo::draft() else { return };
    let judged = repo.judge().unwrap();
    assert_eq!(repo.failures(), Vec::<String>::new());
    assert_eq!(judged.standing, Standing::Draft);
    for rule in [Rule::Tree, Rule::Scope, Rule::Evidence] {
        let na =
            judged.findings.iter().any(|finding| finding.rule == rule && finding.verdict == Verdict::NotApplicable);
        assert!(na, "{}", rule.id());
    }
    for rule in [Rule::Tree, Rule::Docs, Rule::Scope, Rule::Evidence, Rule::Parse, Rule::Unresolved, Rule::ExecScale] {
        assert!(judged.findings.iter().any(|finding| finding.rule == rule), "{} says nothing", rule.id());
    }
}

#[test]
fn a_draft_fails_where_a_first_lock_is_pinned() {
    let Some(repo) = Repo::draft() else { return };
    let root = Some(agenttrader_core::digest::Digest::of(b"a lock that somebody kept"));
    let judged = baseline(&repo.open(), &Asked { root, ..asked() }).unwrap();
    let found = crate::repo::failures(&judged.findings);
    assert!(found.iter().any(|line| line.contains("is pinned, and this history holds no lock")), "{found:#?}");
}

#[test]
fn a_draft_is_not_tagged_and_has_no_base() {
    let Some(repo) = Repo::draft() else { return };
    let repository = repo.open();
    assert!(later::base(&repository).unwrap_err().to_string().contains("nothing can be unlocked"));
    assert!(later::tag(&repository, &repo.signer("olga"), &asked()).unwrap_err().to_string().starts_with("DRAFT"));
    assert_eq!(repo.git(&["tag"]), "");
}

#[test]
fn judging_writes_nothing() {
    let Some(repo) = Repo::draft() else { return };
    let before = listing(repo.root());
    repo.judge().unwrap();
    assert_eq!(listing(repo.root()), before);
}

/// Every file and folder with size and time of change, git's own too.
fn listing(root: &std::path::Path) -> Vec<(std::path::PathBuf, u64, std::time::SystemTime)> {
    let mut all = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let is = fs::symlink_metadata(&path).unwrap();
            if is.is_dir() {
                folders.push(path.clone());
            }
            all.push((path, is.len(), is.modified().unwrap()));
        }
    }
    all.sort();
    all
}

#[test]
fn a_missing_or_misspelt_lock_fails_rule_tree() {
    let Some(repo) = Repo::draft() else { return };
    let good = fs::read_to_string(repo.root().join(LOCK_PATH)).unwrap();
    repo.put(LOCK_PATH, &good.replace("  \"version\": 1", "  \"version\": 1 "));
    repo.commit_all("a blank more");
    repo.fails(Rule::Tree, LOCK_PATH, "not spelled");
    repo.git(&["rm", "--quiet", LOCK_PATH]);
    repo.commit_all("no lock");
    repo.fails(Rule::Tree, LOCK_PATH, "there is no lock");
}

#[test]
fn documents_that_are_gone_or_say_something_else_fail_statically_without_git() {
    let Some(repo) = Repo::draft() else { return };
    repo.append("ops/PRODUCTION_LOCK.md", "All is allowed.\n");
    fs::remove_file(repo.root().join("docs/SAFETY.md")).unwrap();
    fs::rename(repo.root().join(".git"), repo.beside("git")).unwrap();
    let found = crate::repo::failures(&statically(repo.root(), None).unwrap());
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("docs docs/SAFETY.md") || found[1].starts_with("docs docs/SAFETY.md"), "{found:#?}");
}

#[test]
fn each_required_document_that_is_gone_or_empty_fails_with_its_own_path_and_a_remedy() {
    let Some(repo) = Repo::draft() else { return };
    for path in REQUIRED {
        let at = repo.root().join(path);
        let good = fs::read(&at).unwrap();
        for spoil in [Some("\n \t\n"), None] {
            match spoil {
                Some(blank) => fs::write(&at, blank).unwrap(),
                None => fs::remove_file(&at).unwrap(),
            }
            let findings = statically(repo.root(), None).unwrap();
            let failing: Vec<_> = findings.iter().filter(|finding| finding.verdict == Verdict::Fail).collect();
            let [one] = failing.as_slice() else { panic!("{path}: {failing:#?}") };
            assert_eq!((one.rule, one.path.as_str()), (Rule::Docs, path));
            assert!(!one.remedy.is_empty());
        }
        fs::write(&at, good).unwrap();
    }
    assert_eq!(crate::repo::failures(&statically(repo.root(), None).unwrap()), Vec::<String>::new());
}

#[test]
fn a_shallow_clone_is_not_judged() {
    let Some(repo) = Repo::draft() else { return };
    repo.put("README.md", "again\n");
    repo.commit_all("again");
    let clone = repo.beside("clone");
    let from = format!("file://{}", repo.root().display());
    repo.git_in(repo.root(), &["clone", "--quiet", "--depth=1", &from, &clone.display().to_string()]);
    let repository =
        agenttrader_governance::git::repository::Repository::find(&clone, crate::repo::programs()).unwrap();
    assert!(matches!(baseline(&repository, &asked()), Err(JudgeError::Shallow)));
}

#[test]
fn a_linked_work_tree_is_judged_like_any_other() {
    let Some(repo) = Repo::draft() else { return };
    let linked = repo.beside("linked");
    repo.git(&["worktree", "add", "--quiet", "--detach", &linked.display().to_string()]);
    let repository =
        agenttrader_governance::git::repository::Repository::find(&linked, crate::repo::programs()).unwrap();
    assert_eq!(crate::repo::failures(&baseline(&repository, &asked()).unwrap().findings), Vec::<String>::new());
    fs::write(linked.join("k8s/more.yaml"), "").unwrap();
    let found = crate::repo::failures(&baseline(&repository, &asked()).unwrap().findings);
    assert!(found.iter().any(|line| line.starts_with("tree k8s/more.yaml")), "{found:#?}");
}
