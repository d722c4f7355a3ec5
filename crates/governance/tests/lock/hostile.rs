//! What a repository's own configuration names is never run, and what it shows is never believed.

use crate::repo::{Repo, asked, programs};
use agenttrader_governance::git::error::GitError;
use agenttrader_governance::git::repository::Repository;
use agenttrader_governance::git::write::NewCommit;
use agenttrader_governance::lock::later;
use agenttrader_policy::finding::Rule;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn nothing_that_a_repository_configures_is_run_by_judging_or_by_tagging() {
    let Some(repo) = Repo::locked() else { return };
    let (trap, mark) = repo.trap();
    let trap = trap.display().to_string();
    for setting in [
        "core.fsmonitor",
        "gpg.ssh.program",
        "gpg.program",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "diff.external",
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "credential.helper",
        "core.gitProxy",
        "core.askPass",
        "trailer.x.command",
        "core.alternateRefsCommand",
        "uploadpack.packObjectsHook",
    ] {
        repo.git(&["config", setting, &trap]);
    }
    repo.git(&["config", "core.hooksPath", &repo.root().join(".git/hooks").display().to_string()]);
    repo.git(&["config", "tag.gpgSign", "true"]);
    fs::create_dir_all(repo.root().join(".git/hooks")).unwrap();
    for hook in [
        "pre-commit",
        "post-checkout",
        "post-index-change",
        "reference-transaction",
        "fsmonitor-watchman",
        "post-commit",
    ] {
        let at = repo.root().join(".git/hooks").join(hook);
        fs::copy(repo.beside("trap"), &at).unwrap();
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::create_dir_all(repo.root().join(".git/info")).unwrap();
    fs::write(repo.root().join(".git/info/attributes"), "* filter=x diff=x ident\n").unwrap();
    // Touched, so that git would have to look, and to ask the filter.
    repo.put("README.md", "A floor.\n");
    assert_eq!(repo.failures(), Vec::<String>::new());
    let repository = repo.open();
    later::tag(&repository, &repo.signer("olga"), &asked()).unwrap();
    let (head, files) = (repo.head(), repository.files(repo.head()).unwrap());
    let new = NewCommit {
        files: &files,
        parents: &[head],
        message: "m\n",
        signer: Some(&repo.signer("olga")),
        at: crate::repo::now(),
    };
    let commit = repository.write_commit(&new).unwrap();
    repository.move_ref("refs/heads/main", Some(head), commit).unwrap();
    repository.set_index(commit).unwrap();
    assert!(!mark.exists(), "something ran");
}

#[test]
fn an_object_that_is_not_here_is_not_fetched() {
    let Some(repo) = Repo::draft() else { return };
    let (trap, mark) = repo.trap();
    for (setting, value) in [
        ("core.repositoryFormatVersion", "1".to_owned()),
        ("extensions.partialClone", "origin".to_owned()),
        ("remote.origin.promisor", "true".to_owned()),
        ("remote.origin.url", format!("ext::{} %S", trap.display())),
        ("protocol.allow", "always".to_owned()),
        ("protocol.ext.allow", "always".to_owned()),
    ] {
        repo.git(&["config", setting, &value]);
    }
    let blob = repo.git(&["rev-parse", "HEAD:README.md"]);
    let (folder, rest) = blob.split_at(2);
    fs::remove_file(repo.root().join(".git/objects").join(folder).join(rest)).unwrap();
    repo.put("README.md", "other bytes, so that the blob is asked for\n");
    assert!(matches!(
        repo.judge(),
        Err(agenttrader_governance::lock::validate::JudgeError::Git(GitError::Missing { .. }))
    ));
    assert!(!mark.exists(), "a transport ran");
}

#[test]
fn a_work_tree_that_the_configuration_moves_elsewhere_stays_where_it_is() {
    let Some(repo) = Repo::draft() else { return };
    let elsewhere = repo.beside("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    repo.git(&["config", "core.worktree", &elsewhere.display().to_string()]);
    fs::write(repo.root().join("k8s/more.yaml"), "").unwrap();
    repo.fails(Rule::Tree, "k8s/more.yaml", "not in HEAD");
}

#[test]
fn replaced_objects_and_grafts_are_told_and_change_nothing_of_what_is_read() {
    let Some(repo) = Repo::draft() else { return };
    let first = repo.head();
    repo.put("k8s/evil.yaml", "kind: Pod\n");
    let second = repo.commit_all("evil");
    repo.git(&["replace", &second.to_string(), &first.to_string()]);
    repo.git(&["reset", "--quiet", "--hard", &second.to_string()]);
    assert!(!repo.root().join("k8s/evil.yaml").exists(), "git shows the other commit");
    repo.fails(Rule::Tree, "", "is replaced");
    repo.fails(Rule::Tree, "k8s/evil.yaml", "in HEAD and not on disk");
    repo.git(&["replace", "--delete", &second.to_string()]);
    repo.git(&["reset", "--quiet", "--hard", &second.to_string()]);
    fs::create_dir_all(repo.root().join(".git/info")).unwrap();
    fs::write(repo.root().join(".git/info/grafts"), format!("{second}\n")).unwrap();
    repo.fails(Rule::Tree, "", "grafts");
    assert_eq!(repo.open().history(second).unwrap().len(), 2);
}

#[test]
fn bytes_under_the_name_of_another_object_are_not_read() {
    let Some(repo) = Repo::draft() else { return };
    let place = |id: &str| repo.root().join(".git/objects").join(&id[..2]).join(&id[2..]);
    let (good, evil) = (repo.git(&["rev-parse", "HEAD:README.md"]), repo.beside("evil"));
    fs::write(&evil, "another\n").unwrap();
    let other = repo.git(&["hash-object", "-w", &evil.display().to_string()]);
    fs::remove_file(place(&good)).unwrap();
    fs::copy(place(&other), place(&good)).unwrap();
    let repository = repo.open();
    let id = agenttrader_governance::git::id::Id::parse(&good).unwrap();
    assert!(matches!(
        repository.blob(id),
        Err(GitError::Altered { .. } | GitError::Answer { .. } | GitError::Missing { .. } | GitError::Malformed { .. })
    ));
}

#[test]
fn a_repository_that_names_its_objects_in_another_way_is_not_judged() {
    let Some(repo) = Repo::draft() else { return };
    let other = repo.beside("other");
    fs::create_dir(&other).unwrap();
    repo.git_in(&other, &["init", "--quiet", "--object-format=sha256"]);
    assert!(matches!(Repository::find(&other, programs()), Err(GitError::Format { .. })));
}

#[test]
fn outside_a_repository_there_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let Some(_git) = agenttrader_outside::command("git") else { return };
    let Some(_keygen) = agenttrader_outside::command("ssh-keygen") else { return };
    assert!(matches!(Repository::find(dir.path(), programs()), Err(GitError::NoRepository { .. })));
}
