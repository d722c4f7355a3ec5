//! Files that git hides from its own comparisons.

use crate::repo::Repo;
use agenttrader_policy::finding::{Rule, Verdict};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

const MANIFEST: &str = "k8s/01-kill-switch.yaml";

/// A manifest of the benign floor.
fn manifest(repo: &Repo) -> String {
    let listed = repo.git(&["ls-files", "k8s"]);
    listed.lines().next().unwrap_or(MANIFEST).to_owned()
}

#[test]
fn edits_behind_flags_of_the_index_are_seen() {
    for (flag, word) in [("--assume-unchanged", "assume-unchanged"), ("--skip-worktree", "skip-worktree")] {
        let Some(repo) = Repo::draft() else { return };
        let path = manifest(&repo);
        repo.git(&["update-index", flag, &path]);
        repo.append(&path, "# another\n");
        assert_eq!(repo.git(&["status", "--porcelain"]), "", "git does not see it");
        repo.fails(Rule::Tree, &path, word);
    }
}

#[test]
fn ignored_and_untracked_files_in_judged_folders_are_seen_and_elsewhere_only_untracked_ones() {
    let Some(repo) = Repo::draft() else { return };
    for path in ["k8s/a.ignored", "infra/.hidden/b.ignored", "crates/c.ignored", "notes.ignored", "target/d"] {
        repo.put(path, "x: 1\n");
    }
    assert_eq!(repo.git(&["status", "--porcelain"]), "", "git ignores them");
    for path in ["k8s/a.ignored", "infra/.hidden/b.ignored", "crates/c.ignored"] {
        repo.fails(Rule::Tree, path, "on disk and not in HEAD");
    }
    repo.put("notes", "mine\n");
    repo.fails(Rule::Tree, "notes", "untracked");
    fs::create_dir(repo.root().join("other")).unwrap();
    repo.git_in(&repo.root().join("other"), &["init", "--quiet"]);
    repo.put("other/file", "x\n");
    repo.fails(Rule::Tree, "other/", "untracked repository");
    let found = repo.failures();
    assert!(!found.iter().any(|line| line.contains("notes.ignored") || line.contains("target/")), "{found:#?}");
}

#[test]
fn bytes_that_attributes_would_let_differ_are_compared_as_they_are() {
    let Some(repo) = Repo::draft() else { return };
    let path = manifest(&repo);
    repo.put(".gitattributes", "*.yaml text eol=crlf\n");
    repo.commit_all("line ends");
    let text = fs::read_to_string(repo.root().join(&path)).unwrap();
    repo.put(&path, &text.replace('\n', "\r\n"));
    repo.git(&["add", "--renormalize", "."]);
    assert_eq!(repo.git(&["status", "--porcelain"]), "", "git takes it for clean");
    repo.fails(Rule::Tree, &path, "other bytes on disk");
}

#[test]
fn an_index_a_mode_and_a_link_that_differ_are_seen() {
    let Some(repo) = Repo::draft() else { return };
    let path = manifest(&repo);
    let at = repo.root().join(&path);
    let good = fs::read_to_string(&at).unwrap();
    repo.append(&path, "# staged\n");
    repo.git(&["add", &path]);
    repo.put(&path, &good);
    repo.fails(Rule::Tree, &path, "the index has other bytes");
    repo.git(&["reset", "--quiet"]);
    repo.git(&["config", "core.fileMode", "false"]);
    fs::set_permissions(&at, fs::Permissions::from_mode(0o755)).unwrap();
    repo.fails(Rule::Tree, &path, "another mode on disk");
    fs::rename(&at, repo.beside("moved")).unwrap();
    symlink(repo.beside("moved"), &at).unwrap();
    repo.fails(Rule::Tree, &path, "symbolic link");
    fs::remove_file(&at).unwrap();
    repo.fails(Rule::Tree, &path, "not on disk");
}

#[test]
fn a_repository_hidden_in_the_repository_is_seen() {
    let Some(repo) = Repo::draft() else { return };
    let inner = repo.root().join("k8s/inner");
    fs::create_dir_all(&inner).unwrap();
    repo.git_in(&inner, &["init", "--quiet"]);
    repo.git_in(&inner, &["commit", "--quiet", "--allow-empty", "--message", "inner"]);
    repo.put(".gitmodules", "[submodule \"inner\"]\n\tpath = k8s/inner\n\turl = ./inner\n\tignore = all\n");
    repo.git(&["-c", "advice.addEmbeddedRepo=false", "add", "--force", "k8s/inner", ".gitmodules"]);
    repo.commit_all("a repository of its own");
    repo.put("k8s/inner/evil.yaml", "kind: Pod\n");
    repo.git_in(&inner, &["add", "--all"]);
    repo.git_in(&inner, &["commit", "--quiet", "--message", "evil"]);
    assert_eq!(repo.git(&["status", "--porcelain"]), "", "git is told to ignore it");
    repo.fails(Rule::Tree, "k8s/inner", "a repository of its own");
    repo.fails(Rule::Tree, "k8s/inner/evil.yaml", "not in HEAD");
}

#[test]
fn a_repository_left_in_a_judged_folder_is_told_once_and_its_files_one_by_one() {
    let Some(repo) = Repo::draft() else { return };
    for folder in ["k8s/inner", "k8s/worktree"] {
        fs::create_dir_all(repo.root().join(folder)).unwrap();
    }
    repo.git_in(&repo.root().join("k8s/inner"), &["init", "--quiet"]);
    repo.put("k8s/inner/a.yaml", "");
    for number in 0..300 {
        repo.put(&format!("k8s/inner/.git/objects/{number}"), "x");
    }
    repo.put("k8s/worktree/.git", "gitdir: elsewhere\n");
    let judged = repo.judge().unwrap();
    let found: Vec<_> =
        judged.findings.iter().filter(|it| it.rule == Rule::Tree && it.verdict == Verdict::Fail).collect();
    let paths: Vec<_> = found.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["k8s/inner", "k8s/inner/a.yaml", "k8s/worktree"]);
    assert!(found[0].message.contains("a repository of its own") && found[0].remedy.contains("`.git`"), "{found:#?}");
}
