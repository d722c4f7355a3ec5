//! The branch that moves from lock to lock, as pushes to it are judged. The refs are those of the repository itself: what git would
//! have told the hook is said here.

use crate::repo::{Repo, asked};
use agenttrader_governance::actors::error::PolicyError;
use agenttrader_governance::actors::push::{Judged, judge};
use agenttrader_governance::actors::update::Update;
use agenttrader_governance::git::id::Id;
use agenttrader_governance::lock::later::tag;
use agenttrader_governance::lock::model::LOCK_PATH;

const MAIN: &str = "refs/heads/main";

/// `REF: what` of everything that is refused to a person who pushes.
fn pushed(repo: &Repo, base: &str, updates: &[(&str, Option<Id>, Option<Id>)]) -> Vec<String> {
    let judged = try_pushed(repo, base, updates).unwrap();
    assert_eq!(judged.actor.name.as_deref(), Some("olga"));
    let place = |path: Option<String>, name: Option<String>| path.or(name).unwrap_or_default();
    judged.offences.into_iter().map(|found| format!("{}: {}", place(found.path, found.reference), found.what)).collect()
}

fn try_pushed(repo: &Repo, base: &str, updates: &[(&str, Option<Id>, Option<Id>)]) -> Result<Judged, PolicyError> {
    let update =
        |(name, old, new): &(&str, Option<Id>, Option<Id>)| Update { name: (*name).to_owned(), old: *old, new: *new };
    judge(&repo.open(), base, "olga@example", &updates.iter().map(update).collect::<Vec<_>>())
}

fn id(repo: &Repo, name: &str) -> Id {
    Id::parse(&repo.git(&["rev-parse", name])).unwrap()
}

/// Locked, with olga as a person whom the lock lists.
fn locked() -> Option<Repo> {
    let repo = Repo::draft()?;
    repo.put("ops/trust/actors.toml", "[[actor]]\nname = \"olga\"\nkind = \"person\"\npushers = [\"olga@example\"]\n");
    repo.commit_all("actors");
    repo.lock();
    Some(repo)
}

/// A commit on top of the lock that no ref names, made by this.
fn on_top(repo: &Repo, make: impl Fn()) -> (Id, Id) {
    let lock = repo.head();
    repo.git(&["switch", "--quiet", "--detach"]);
    make();
    let new = repo.commit_all("on top");
    repo.git(&["switch", "--quiet", "main"]);
    (lock, new)
}

#[test]
fn people_push_no_locked_path_to_the_baseline_branch_and_anything_elsewhere() {
    let Some(repo) = locked() else { return };
    let (lock, free) = on_top(&repo, || repo.put("README.md", "Not locked.\n"));
    assert_eq!(pushed(&repo, "HEAD", &[(MAIN, Some(lock), Some(free))]), Vec::<String>::new());
    let (_, bad) = on_top(&repo, || repo.append("k8s/gamma-strategy.yaml", "# more\n"));
    let found = pushed(&repo, "HEAD", &[(MAIN, Some(lock), Some(bad))]);
    assert_eq!(found, ["k8s/gamma-strategy.yaml: it is locked on the baseline branch"]);
    assert_eq!(pushed(&repo, "HEAD", &[("refs/heads/dev", None, Some(bad))]), Vec::<String>::new());
    // The lock's own file is held by no scope, and moves with a lock alone.
    let (_, lock_file) = on_top(&repo, || repo.append(LOCK_PATH, "\n"));
    let found = pushed(&repo, "HEAD", &[(MAIN, Some(lock), Some(lock_file))]);
    assert_eq!(found, [format!("{LOCK_PATH}: it is locked on the baseline branch")]);
    let (_, listed) = on_top(&repo, || repo.append("ops/trust/actors.toml", "# more\n"));
    assert_eq!(pushed(&repo, "HEAD", &[(MAIN, Some(lock), Some(listed))]).len(), 1);
}

#[test]
fn a_locked_path_that_a_later_commit_puts_back_was_pushed_all_the_same() {
    let Some(repo) = locked() else { return };
    let (lock, there_and_back) = on_top(&repo, || {
        repo.append("k8s/gamma-strategy.yaml", "# more\n");
        repo.commit_all("there");
        repo.git(&["checkout", "--quiet", "HEAD^", "k8s"]);
    });
    assert_eq!(pushed(&repo, "HEAD", &[(MAIN, Some(lock), Some(there_and_back))]).len(), 1);
}

#[test]
fn the_baseline_branch_is_neither_deleted_nor_moved_by_force() {
    let Some(repo) = locked() else { return };
    let lock = repo.head();
    let before = id(&repo, "HEAD^");
    assert!(pushed(&repo, "HEAD", &[(MAIN, Some(lock), None)])[0].contains("not deleted"));
    assert!(pushed(&repo, "HEAD", &[(MAIN, Some(lock), Some(before))])[0].contains("by force"));
    // What it names now is not what the push says.
    assert!(pushed(&repo, "HEAD", &[(MAIN, Some(before), Some(lock))])[0].contains("names now"));
}

#[test]
fn the_branch_moves_to_the_commit_of_a_lock_that_a_listed_person_tagged() {
    let Some(repo) = locked() else { return };
    let lock = repo.head();
    let before = id(&repo, "HEAD^");
    let tagged = tag(&repo.open(), &repo.signer("rolf"), &asked()).unwrap();
    let name = format!("refs/tags/{}", tagged.name);
    let object = id(&repo, &name);
    repo.git(&["update-ref", "-d", &name]);
    repo.git(&["switch", "--quiet", "--detach"]);
    // The branch stands one commit before the lock, whose rules hold.
    repo.git(&["branch", "--force", "main", "HEAD^"]);
    repo.git(&["branch", "rules", &lock.to_string()]);
    let judged = try_pushed(&repo, "rules", &[(MAIN, Some(before), Some(lock)), (&name, None, Some(object))]).unwrap();
    assert_eq!((judged.rules, judged.offences), (before, Vec::new()), "a draft's branch holds no lock");
    repo.git(&["branch", "--force", "main", &lock.to_string()]);
    assert_eq!(pushed(&repo, "HEAD", &[(&name, None, Some(object))]), Vec::<String>::new());
    // By another name, by another's signature, unsigned, plain, moved, deleted.
    let other = pushed(&repo, "HEAD", &[("refs/tags/v2-lock-20991231-0000", None, Some(object))]);
    assert!(other[0].contains("made for the name"), "{other:?}");
    repo.git(&["tag", "--annotate", "--message=m", "v2-lock-20261201-0000"]);
    let unsigned = id(&repo, "refs/tags/v2-lock-20261201-0000");
    repo.git(&["tag", "--delete", "v2-lock-20261201-0000"]);
    for (new, says) in [(unsigned, "not signed"), (lock, "no annotated tag")] {
        let found = pushed(&repo, "HEAD", &[("refs/tags/v2-lock-20261201-0000", None, Some(new))]);
        assert!(found[0].contains(says), "{found:?}");
    }
    repo.git(&["update-ref", &name, &object.to_string()]);
    assert!(pushed(&repo, "HEAD", &[(&name, Some(object), None)])[0].contains("never deleted"));
    assert!(pushed(&repo, "HEAD", &[(&name, Some(object), Some(unsigned))])[0].contains("never moved"));
}

#[test]
fn a_tag_of_what_is_no_lock_of_this_chain_moves_nothing() {
    let Some(repo) = locked() else { return };
    let (lock, bad) = on_top(&repo, || repo.append("k8s/gamma-strategy.yaml", "# more\n"));
    let key = format!("user.signingKey={}", repo.key("olga").display());
    let name = "v2-lock-20261201-0000";
    repo.git(&["-c", "gpg.format=ssh", "-c", &key, "tag", "--sign", "--message=m", name, &bad.to_string()]);
    let object = id(&repo, &format!("refs/tags/{name}"));
    let found = pushed(&repo, "HEAD", &[(MAIN, Some(lock), Some(bad))]);
    assert!(found[0].starts_with("k8s/gamma-strategy.yaml"), "{found:?}");
    assert!(found[1].contains("is not the lock's own commit"), "{found:?}");
    repo.git(&["tag", "--delete", name]);
    let found = pushed(&repo, "HEAD", &[(&format!("refs/tags/{name}"), None, Some(object))]);
    assert!(found[0].contains("is not the lock's own commit"), "{found:?}");
}

#[test]
fn what_has_no_lock_or_a_draft_behind_a_lock_is_not_judged() {
    let Some(repo) = locked() else { return };
    let (lock, dropped) = on_top(&repo, || std::fs::remove_file(repo.root().join(LOCK_PATH)).unwrap());
    repo.git(&["branch", "--force", "dropped", &dropped.to_string()]);
    let push = |base: &str| try_pushed(&repo, base, &[("refs/heads/x", None, Some(lock))]);
    assert!(push("HEAD").is_ok());
    assert!(matches!(push("dropped"), Err(PolicyError::NoLock { .. })));
    assert!(matches!(push("nowhere"), Err(PolicyError::Git(_))));
    repo.git(&["reset", "--quiet", "--hard", "HEAD"]);
    repo.git(&["checkout", "--quiet", "HEAD^", "--", LOCK_PATH]);
    repo.commit_all("a draft again");
    assert!(matches!(push("HEAD"), Err(PolicyError::Unfollowed { .. })));
}
