//! The baseline branch of a locked repository moves to the commit of the next lock where its unlock was completed and a person whom the
//! standing lock lists tagged it, and to nothing else. The refs are those of the repository: what git would have told the hook is said here.

use crate::floor::{Floor, ID, commit_signed, floor, relock};
use crate::repo::{Repo, asked, later};
use agenttrader_governance::actors::push::judge;
use agenttrader_governance::actors::update::Update;
use agenttrader_governance::git::id::Id;
use agenttrader_governance::lock::later::tag;
use agenttrader_governance::lock::validate::Asked;

const MAIN: &str = "refs/heads/main";

/// What is refused of a push of the baseline branch, with a tag or without.
fn pushed(repo: &Repo, old: Id, new: Id, tag: Option<(&str, Id)>) -> Vec<String> {
    let mut updates = vec![Update { name: MAIN.to_owned(), old: Some(old), new: Some(new) }];
    updates.extend(tag.map(|(name, id)| Update { name: name.to_owned(), old: None, new: Some(id) }));
    let judged = judge(&repo.open(), "refs/heads/main", "olga@example", &updates).unwrap();
    assert_eq!(judged.actor.name.as_deref(), Some("olga"));
    assert_eq!(judged.rules, old, "the rules are those of the branch as it stands");
    let told = |offence: agenttrader_governance::actors::offence::Offence| {
        format!("{}: {}", offence.path.or(offence.reference).unwrap_or_default(), offence.what)
    };
    judged.offences.into_iter().map(told).collect()
}

/// That a push is refused because of the lock or its tag, and of locked paths besides.
#[track_caller]
fn is_refused(repo: &Repo, old: Id, new: Id, tag: Option<(&str, Id)>, says: &str) {
    let found = pushed(repo, old, new, tag);
    assert!(found.iter().any(|line| line.contains(says)), "no `{says}` in {found:#?}");
    assert!(found.iter().any(|line| line.ends_with("it is locked on the baseline branch")), "{found:#?}");
}

/// The second lock, on the unlock's branch; the baseline branch still stands at the first.
fn locked_again(floor: &Floor) -> Id {
    relock(&floor.repo, later(300)).0
}

/// A tag that is pushed and stands nowhere here: its ref is taken away, its object stays.
fn tagged(floor: &Floor, name: &str) -> (String, Id) {
    let repository = floor.repo.open();
    let tagged = tag(&repository, &floor.repo.signer(name), &Asked { now: later(310), ..asked() }).unwrap();
    let reference = format!("refs/tags/{}", tagged.name);
    floor.repo.git(&["update-ref", "-d", &reference]);
    (reference, tagged.id)
}

/// A tag of HEAD that stock git makes with somebody's key, whatever the commands would say to it.
fn forced(repo: &Repo, name: &str) -> (&'static str, Id) {
    const TAG: &str = "v2-lock-20261130-1705";
    let key = format!("user.signingKey={}", repo.key(name).display());
    repo.git(&["-c", "gpg.format=ssh", "-c", &key, "tag", "--sign", "--message=m", TAG]);
    let id = Id::parse(&repo.git(&["rev-parse", &format!("refs/tags/{TAG}")])).unwrap();
    repo.git(&["tag", "--delete", TAG]);
    ("refs/tags/v2-lock-20261130-1705", id)
}

#[test]
fn it_moves_to_a_second_lock_with_its_unlock_and_its_tag_and_the_second_lock_holds_from_there_on() {
    let Some(floor) = floor() else { return };
    let (repo, first) = (&floor.repo, floor.lock);
    let second = locked_again(&floor);
    let (name, tag) = tagged(&floor, "rolf");
    is_refused(repo, first, second, None, "it is locked on the baseline branch");
    assert_eq!(pushed(repo, first, second, Some((&name, tag))), Vec::<String>::new());
    // The tag may have been pushed before.
    repo.git(&["update-ref", &name, &tag.to_string()]);
    assert_eq!(pushed(repo, first, second, None), Vec::<String>::new());
    // Not a commit further, where anything locked differs on the way.
    repo.put("README.md", "After the lock.\n");
    let further = repo.commit_all("not locked");
    is_refused(repo, first, further, None, "it is locked on the baseline branch");

    repo.git(&["branch", "--force", "main", &second.to_string()]);
    assert_eq!(pushed(repo, second, further, None), Vec::<String>::new());
    repo.append("docs/SAFETY.md", "And more.\n");
    let locked_path = repo.commit_all("locked");
    is_refused(repo, second, locked_path, None, "docs/SAFETY.md");
    assert!(pushed(repo, second, first, None)[0].contains("not moved by force"));
}

#[test]
fn it_does_not_move_to_a_lock_whose_unlock_nobody_asked_for_or_too_few_approved() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.by_olga);
    floor.take_change();
    commit_signed(&floor.repo, "anna");
    let half = locked_again(&floor);
    is_refused(&floor.repo, floor.lock, half, Some(forced(&floor.repo, "rolf")), "TOO_FEW_APPROVERS");

    let floor = floor.at(|floor| floor.lock);
    for report in ["readiness_report.json", "deploy_report.json"] {
        let text = std::fs::read_to_string(floor.repo.root().join("ops/unlock/genesis").join(report)).unwrap();
        floor.repo.put(&format!("ops/unlock/{ID}/{report}"), &text);
    }
    floor.take_change();
    commit_signed(&floor.repo, "anna");
    let alone = locked_again(&floor);
    is_refused(&floor.repo, floor.lock, alone, Some(forced(&floor.repo, "rolf")), "REQUEST_MISSING");
}

#[test]
fn it_does_not_move_to_a_lock_whose_unlock_was_squashed_or_changed_after_it_was_approved() {
    let Some(floor) = floor() else { return };
    let repo = &floor.repo;
    let whole = locked_again(&floor);
    repo.git(&["reset", "--quiet", "--hard", &floor.lock.to_string()]);
    repo.git(&["checkout", "--quiet", &floor.applied.to_string(), "--", "."]);
    commit_signed(repo, "anna");
    let squashed = locked_again(&floor);
    assert_ne!(squashed, whole);
    is_refused(repo, floor.lock, squashed, Some(forced(repo, "rolf")), "the tag");

    repo.git(&["reset", "--quiet", "--hard", &floor.applied.to_string()]);
    repo.append("docs/SAFETY.md", "And more.\n");
    commit_signed(repo, "anna");
    let more = locked_again(&floor);
    is_refused(repo, floor.lock, more, Some(forced(repo, "rolf")), "the tag");
}

#[test]
fn it_does_not_move_to_a_good_lock_that_a_stranger_tagged() {
    let Some(floor) = floor() else { return };
    let second = locked_again(&floor);
    let by_stranger = forced(&floor.repo, "stranger");
    is_refused(&floor.repo, floor.lock, second, Some(by_stranger), "signature does not count");
    assert_eq!(pushed(&floor.repo, floor.lock, second, Some(forced(&floor.repo, "rolf"))), Vec::<String>::new());
}
