//! Tags of locks. Nothing is believed because a tag says it.

use crate::repo::{Repo, asked, later};
use agenttrader_governance::lock::later::tag;
use agenttrader_governance::lock::validate::Asked;

#[test]
fn a_lock_is_tagged_once_by_a_listed_person_and_stock_git_verifies_it() {
    let Some(repo) = Repo::locked() else { return };
    let repository = repo.open();
    let tagged = tag(&repository, &repo.signer("rolf"), &asked()).unwrap();
    assert_eq!((&*tagged.name, tagged.commit), ("v2-lock-20261130-1700", repo.head()));
    let allowed = format!("gpg.ssh.allowedSignersFile={}", repo.root().join("ops/trust/allowed_signers").display());
    repo.git(&["-c", "gpg.format=ssh", "-c", &allowed, "verify-tag", &tagged.name]);
    assert!(tag(&repository, &repo.signer("olga"), &asked()).unwrap_err().to_string().contains("tagged already"));
}

#[test]
fn a_name_that_another_commit_has_gets_a_number_and_a_branch_of_that_name_is_no_matter() {
    let Some(repo) = Repo::locked() else { return };
    let repository = repo.open();
    repo.git(&["tag", "v2-lock-20261130-1700", "HEAD^"]);
    repo.git(&["branch", "v2-lock-20261130-1700-2", "HEAD^"]);
    let tagged = tag(&repository, &repo.signer("olga"), &asked()).unwrap();
    assert_eq!((&*tagged.name, tagged.commit), ("v2-lock-20261130-1700-2", repo.head()));
    assert_eq!(repo.failures(), Vec::<String>::new());
}

#[test]
fn a_tag_that_was_moved_moves_no_lock() {
    let Some(repo) = Repo::locked() else { return };
    let lock = repo.head();
    tag(&repo.open(), &repo.signer("olga"), &asked()).unwrap();
    repo.put("README.md", "later\n");
    repo.commit_all("later");
    repo.git(&["tag", "--force", "v2-lock-20261130-1700", "HEAD"]);
    let agenttrader_governance::lock::validate::Standing::Locked(placed) = repo.judge().unwrap().standing else {
        panic!("not locked")
    };
    assert_eq!(placed.commit, lock);
    let status = agenttrader_governance::lock::status::status(&repo.open()).unwrap().1;
    let agenttrader_governance::lock::status::Status::Locked(status) = status else { panic!("not locked") };
    assert_eq!(status.tags.good, Vec::<String>::new(), "a moved tag names no lock");
    let [(name, why)] = &status.tags.odd[..] else { panic!("{:?}", status.tags) };
    assert!(name == "v2-lock-20261130-1700" && why.contains("which is no lock's commit"), "{why}");
}

#[test]
fn status_tells_tags_that_count_from_those_that_do_not() {
    let Some(repo) = Repo::locked() else { return };
    let tags = || match agenttrader_governance::lock::status::status(&repo.open()).unwrap().1 {
        agenttrader_governance::lock::status::Status::Locked(status) => status.tags,
        other => panic!("{other:?}"),
    };
    tag(&repo.open(), &repo.signer("olga"), &asked()).unwrap();
    assert_eq!((tags().good, tags().odd), (vec!["v2-lock-20261130-1700".to_owned()], Vec::new()));
    repo.git(&["tag", "light"]);
    let key = format!("user.signingKey={}", repo.key("stranger").display());
    let forged = ["-c", "gpg.format=ssh", "-c", &key, "tag", "--sign", "--message", "x", "v2-lock-forged"];
    repo.git(&forged);
    let good = repo.git(&["rev-parse", "v2-lock-20261130-1700"]);
    repo.git(&["update-ref", "refs/tags/v2-lock-again", good.trim()]);
    repo.git(&["branch", "v2-lock-20261130-1700", "HEAD^"]);
    let found = tags();
    assert_eq!(found.good, ["v2-lock-20261130-1700"]);
    for (name, says) in [
        ("light", "nobody signed it"),
        ("v2-lock-forged", "its signature does not count"),
        ("v2-lock-again", "it was made for the name v2-lock-20261130-1700"),
        ("v2-lock-20261130-1700", "a branch has its name too"),
    ] {
        assert!(found.odd.iter().any(|(odd, why)| odd == name && why.contains(says)), "{name}: {:?}", found.odd);
    }
    assert_eq!(found.odd.len(), 4, "{:?}", found.odd);
}

#[test]
fn a_name_that_a_branch_and_a_tag_have_means_no_commit() {
    let Some(repo) = Repo::locked() else { return };
    repo.git(&["branch", "twice"]);
    repo.git(&["tag", "twice", "HEAD^"]);
    for name in ["twice", "twice^", "twice~1"] {
        let why = repo.open().resolve(name).unwrap_err().to_string();
        assert_eq!(why, "`twice` names a branch and a tag: say refs/heads/twice or refs/tags/twice");
    }
    assert_eq!(repo.open().resolve("refs/heads/twice").unwrap(), repo.head());
}

#[test]
fn nothing_is_tagged_that_fails_is_old_is_not_heads_or_is_signed_by_a_stranger() {
    let Some(repo) = Repo::locked() else { return };
    let repository = repo.open();
    let why = |signer: &str, asked: &Asked<'_>| tag(&repository, &repo.signer(signer), asked).unwrap_err().to_string();
    assert!(why("olga", &Asked { now: later(3601), ..asked() }).contains("within the hour"));
    assert!(why("olga", &Asked { now: later(-1), ..asked() }).contains("within the hour"));
    let lock = repo.head();
    repo.put("README.md", "later\n");
    repo.commit_all("later");
    assert!(why("olga", &asked()).contains("not the lock's commit"));
    repo.git(&["reset", "--quiet", "--hard", &lock.to_string()]);
    repo.put("k8s/more.yaml", "");
    assert!(why("olga", &asked()).contains("failures"));
    repo.git(&["clean", "--quiet", "--force", "-d"]);
    assert_eq!(repo.git(&["tag"]), "");
    assert!(why("stranger", &asked()).contains("no tag is made"));
    assert_eq!(repo.git(&["tag"]), "");
}
