//! The change manifest: what people approve.

use crate::repo::Repo;
use agenttrader_core::digest::Digest;
use agenttrader_governance::change::manifest;
use agenttrader_governance::git::id::Id;
use agenttrader_governance::scope::Scope;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

fn sha256(text: &str) -> String {
    Digest::of(text.as_bytes()).to_string()
}

fn refused(repo: &Repo, base: Id) -> Vec<(String, String)> {
    let found = manifest(&repo.open(), &Scope::usual().unwrap(), base, repo.head()).unwrap().refused;
    found.into_iter().map(|refusal| (refusal.path.to_string(), refusal.why)).collect()
}

#[test]
fn it_lists_each_locked_file_that_was_added_changed_removed_or_made_a_program() {
    let Some(repo) = Repo::draft() else { return };
    repo.put("scripts/run.sh", "run\n");
    repo.put("scripts/gone.sh", "gone\n");
    let base = repo.commit_all("base");
    repo.put("docs/SAFETY.md", "more\n");
    repo.put("docs/a new one", "new\n");
    fs::remove_file(repo.root().join("scripts/gone.sh")).unwrap();
    fs::set_permissions(repo.root().join("scripts/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    for free in ["README.md", "ops/unlock/x/y", "ops/production-lock.json", "ops/PRODUCTION_LOCK.md"] {
        repo.put(free, "free\n");
    }
    let head = repo.commit_all("head");
    let made = manifest(&repo.open(), &Scope::usual().unwrap(), base, head).unwrap();
    let zeros = "0".repeat(64);
    let (old, new, run, gone) = (sha256("What is safe.\n"), sha256("more\n"), sha256("run\n"), sha256("gone\n"));
    let wanted = [
        format!("100644 100644 {old} {new} docs/SAFETY.md\0"),
        format!("000000 100644 {zeros} {} docs/a new one\0", sha256("new\n")),
        format!("100644 000000 {gone} {zeros} scripts/gone.sh\0"),
        format!("100644 100755 {run} {run} scripts/run.sh\0"),
    ];
    assert_eq!(String::from_utf8(made.bytes()).unwrap(), wanted.concat());
    assert_eq!(made.digest().to_string(), sha256(&wanted.concat()));
    assert_eq!(made.refused, []);
    let nothing = manifest(&repo.open(), &Scope::usual().unwrap(), head, head).unwrap();
    assert_eq!(nothing.bytes(), b"");
}

#[test]
fn message_author_and_detours_of_a_change_are_no_part_of_it() {
    let Some(repo) = Repo::draft() else { return };
    let base = repo.head();
    repo.put("docs/SAFETY.md", "more\n");
    let one = repo.commit_all("at once");
    repo.git(&["reset", "--quiet", "--hard", &base.to_string()]);
    repo.put("docs/SAFETY.md", "something else\n");
    repo.commit_all("first");
    repo.put("docs/SAFETY.md", "more\n");
    let other = repo.commit_all("then");
    let digest = |head| manifest(&repo.open(), &Scope::usual().unwrap(), base, head).unwrap().digest();
    assert_eq!(digest(one), digest(other));
}

#[test]
fn a_gitlink_that_is_told_to_be_ignored_is_in_it_and_refused() {
    let Some(repo) = Repo::draft() else { return };
    let base = repo.head();
    repo.put(".gitmodules", "[submodule \"m\"]\n\tpath = k8s/m\n\turl = ./m\n\tignore = all\n");
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{base},k8s/m")]);
    repo.git(&["add", ".gitmodules"]);
    repo.git(&["commit", "--quiet", "--message", "a gitlink"]);
    let listed = manifest(&repo.open(), &Scope::usual().unwrap(), base, repo.head()).unwrap();
    assert!(String::from_utf8(listed.bytes()).unwrap().contains("000000 160000"));
    assert!(refused(&repo, base).iter().any(|(path, _)| path == "k8s/m"));
}

#[test]
fn what_no_lock_can_hold_is_refused() {
    let Some(repo) = Repo::draft() else { return };
    let base = repo.head();
    repo.put("k8s/pointer.yaml", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
    repo.put("k8s/.gitattributes", "*.yaml eol=crlf\n");
    repo.put("docs/A.md", "1\n");
    repo.put("docs/a.md", "2\n");
    repo.put("docs/e\u{301}.md", "3\n");
    repo.put("K8S/x", "4\n");
    symlink("SAFETY.md", repo.root().join("docs/link.md")).unwrap();
    repo.git(&["config", "core.precomposeUnicode", "false"]);
    repo.commit_all("what no lock can hold");
    let found = refused(&repo, base);
    for (path, why) in [
        ("k8s/pointer.yaml", "LFS"),
        ("k8s/pointer.yaml", "eol=crlf"),
        ("docs/a.md", "the same as docs/A.md"),
        ("docs/e\u{301}.md", "NFC"),
        ("K8S/x", "which is locked"),
        ("docs/link.md", "symbolic link"),
    ] {
        assert!(found.iter().any(|(at, says)| at == path && says.contains(why)), "{path} {why}: {found:#?}");
    }
    assert!(!found.iter().any(|(path, _)| path == "docs/SAFETY.md"), "{found:#?}");
}
