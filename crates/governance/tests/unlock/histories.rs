//! Shortcuts through history, each refused for its own cause.

use crate::floor::{ID, asking, commit_signed, floor, force_yes, is_refused, relock, verdict};
use crate::repo::{Repo, asked, failures, later};
use agenttrader_authority::namespace::Namespace::{UnlockOperator, UnlockReviewer};
use agenttrader_governance::lock::validate::{Asked, baseline};
use agenttrader_governance::unlock::open::{Asking, open};
use agenttrader_governance::unlock::refused::Reason;
use agenttrader_governance::unlock::to_approve::Steps;

const TWO: [(&str, agenttrader_authority::namespace::Namespace); 2] =
    [("olga", UnlockOperator), ("rolf", UnlockReviewer)];

#[test]
fn evidence_that_was_skipped() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.opened);
    let approval = format!("ops/unlock/{ID}/approval.json");
    floor.repo.git(&["checkout", "--quiet", &floor.approved.to_string(), "--", &approval]);
    floor.repo.commit_all("approved, without evidence");
    floor.take_change();
    commit_signed(&floor.repo, "anna");
    floor.is_refused(Reason::EvidenceMissing);
}

#[test]
fn evidence_of_which_a_part_is_missing() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.evidence);
    floor.repo.git(&["rm", "--quiet", &format!("ops/unlock/{ID}/deploy_report.json")]);
    floor.repo.git(&["commit", "--quiet", "--amend", "--no-edit"]);
    assert!(
        crate::floor::say_yes(&floor.repo, "olga", later(180)).unwrap_err().to_string().contains("EVIDENCE_MISSING")
    );
}

#[test]
fn a_change_that_nobody_approved() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.evidence);
    floor.take_change();
    commit_signed(&floor.repo, "anna");
    floor.is_refused(Reason::ApprovalMissing);
    let Some(repo) = Repo::locked() else { return };
    is_refused(&repo, Reason::RequestMissing);
}

#[test]
fn a_change_made_before_its_evidence() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.opened);
    floor.take_change();
    commit_signed(&floor.repo, "anna");
    floor.repo.git(&["checkout", "--quiet", &floor.evidence.to_string(), "--", "ops/unlock"]);
    let evidence = floor.repo.commit_all("evidence, too late");
    force_yes(&floor.repo, Steps { request: floor.opened, evidence }, &TWO);
    floor.is_refused(Reason::ChangeBeforeEvidence);
}

#[test]
fn a_change_made_before_its_approval() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.evidence);
    floor.take_change();
    commit_signed(&floor.repo, "anna");
    force_yes(&floor.repo, Steps { request: floor.opened, evidence: floor.evidence }, &TWO);
    floor.is_refused(Reason::ChangeBeforeApproval);
}

#[test]
fn a_change_made_between_two_approvals() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.by_olga);
    floor.take_change();
    commit_signed(&floor.repo, "anna");
    floor.repo.git(&["checkout", "--quiet", &floor.approved.to_string(), "--", "ops/unlock"]);
    floor.repo.commit_all("approved, too late");
    floor.is_refused(Reason::ChangeBeforeApproval);
}

#[test]
fn a_change_amended_after_it_was_approved() {
    let Some(floor) = floor() else { return };
    floor.repo.append("docs/SAFETY.md", "And more.\n");
    floor.repo.git(&["add", "--all"]);
    floor.repo.git(&["commit", "--quiet", "--amend", "--no-edit"]);
    floor.is_refused(Reason::ChangeDiffers);
}

#[test]
fn a_change_in_another_mode_or_under_another_name() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.approved);
    floor.take_change();
    floor.repo.git(&["add", "--all"]);
    floor.repo.git(&["update-index", "--chmod=+x", "scripts/report.sh"]);
    floor.repo.git(&["commit", "--quiet", "--message", "a program"]);
    floor.is_refused(Reason::ChangeDiffers);
    let floor = floor.at(|floor| floor.approved);
    floor.take_change();
    floor.repo.git(&["mv", "scripts/report.sh", "scripts/another.sh"]);
    commit_signed(&floor.repo, "anna");
    floor.is_refused(Reason::ChangeDiffers);
}

#[test]
fn a_second_change_after_the_approved_one() {
    let Some(floor) = floor() else { return };
    floor.repo.append("docs/SAFETY.md", "And more.\n");
    commit_signed(&floor.repo, "anna");
    floor.is_refused(Reason::SeveralChanges);
    floor.repo.git(&["revert", "--no-edit", "HEAD"]);
    floor.is_refused(Reason::SeveralChanges);
}

#[test]
fn an_approval_used_for_another_change() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.approved);
    floor.repo.append("docs/KILL_SWITCH.md", "Another change.\n");
    commit_signed(&floor.repo, "anna");
    floor.is_refused(Reason::ChangeDiffers);
}

#[test]
fn an_approval_used_for_another_unlock() {
    let Some(floor) = floor() else { return };
    let repo = &floor.repo;
    repo.git(&["checkout", "--quiet", "main"]);
    open(&repo.open(), &Asking { unlock_id: Some("other"), ..asking() }, later(60)).unwrap();
    repo.git(&["checkout", "--quiet", &floor.approved.to_string(), "--", "ops/unlock"]);
    for name in ["approval.json", "APPROVAL.md", "audit-index.json", "approval.json.olga.sig", "approval.json.rolf.sig"]
    {
        repo.git(&["mv", &format!("ops/unlock/{ID}/{name}"), &format!("ops/unlock/other/{name}")]);
    }
    repo.commit_all("another unlock, approved as this one");
    assert_eq!(verdict(repo, "other", later(300)).unwrap_err().reason, Reason::Replayed);
}

#[test]
fn an_approval_used_again_after_a_later_lock() {
    let Some(floor) = floor() else { return };
    let repo = &floor.repo;
    relock(repo, later(300));
    is_refused(repo, Reason::Replayed);
    repo.append("docs/SAFETY.md", "And more.\n");
    commit_signed(repo, "anna");
    relock(repo, later(400));
    let judged = baseline(&repo.open(), &Asked { now: later(400), ..asked() }).unwrap();
    let found = failures(&judged.findings);
    assert!(found.iter().any(|line| line.starts_with("scope ") && line.contains(": REPLAYED: ")), "{found:#?}");
}

#[test]
fn a_branch_that_was_squashed_rebased_or_merged() {
    let Some(floor) = floor() else { return };
    let (repo, lock) = (&floor.repo, floor.lock.to_string());
    repo.git(&["rebase", "--quiet", "--force-rebase", &lock]);
    floor.is_refused(Reason::HistoryRewritten);
    repo.git(&["reset", "--quiet", "--soft", &lock]);
    commit_signed(repo, "anna");
    floor.is_refused(Reason::HistoryRewritten);
    let floor = floor.at(|floor| floor.approved);
    floor.repo.git(&["merge", "--quiet", "--no-ff", "--no-edit", "dev"]);
    floor.is_refused(Reason::HistoryMerged);
    let floor = floor.at(|floor| floor.applied);
    floor.repo.git(&["checkout", "--quiet", "--orphan", "nowhere"]);
    commit_signed(&floor.repo, "anna");
    // The lock then stands in another commit, whose parent it does not name.
    assert!(agenttrader_governance::lock::later::base(&floor.repo.open()).is_err());
}

#[test]
fn what_was_edited_after_it_was_committed() {
    let Some(floor) = floor() else { return };
    let mut floor = floor;
    for name in [
        "request.json",
        "readiness_report.json",
        "change-manifest",
        "audit-index.json",
        "APPROVAL.md",
        "approval.json.rolf.sig",
    ] {
        floor = floor.at(|floor| floor.applied);
        let path = format!("ops/unlock/{ID}/{name}");
        let old = std::fs::read_to_string(floor.repo.root().join(&path)).unwrap();
        // The request stays one, of another reason: what is no request is told as such.
        floor.repo.put(&path, &if name == "request.json" { old.replace("fees", "cheap") } else { format!("{old}\n") });
        floor.repo.commit_all("edited");
        let refused = floor.verdict(later(300)).unwrap_err();
        let wanted = if name == "request.json" { Reason::Replayed } else { Reason::Edited };
        assert_eq!(refused.reason, wanted, "{name}: {}", refused.line());
    }
    let floor = floor.at(|floor| floor.applied);
    let path = format!("ops/unlock/{ID}/request.json");
    let old = std::fs::read_to_string(floor.repo.root().join(&path)).unwrap();
    floor.repo.put(&path, &old.replace("fees changed", "nothing changed"));
    floor.repo.commit_all("asked otherwise");
    floor.is_refused(Reason::Edited);
}

#[test]
fn an_approval_that_is_too_old_or_not_valid_yet() {
    let Some(floor) = floor() else { return };
    let day = 24 * 3600;
    assert!(floor.verdict(later(day - 1)).is_ok());
    assert_eq!(floor.verdict(later(day)).unwrap_err().reason, Reason::Expired);
    assert_eq!(floor.verdict(later(100)).unwrap_err().reason, Reason::NotYetValid);
    relock(&floor.repo, later(day + 60));
    let judged = baseline(&floor.repo.open(), &Asked { now: later(day + 60), ..asked() }).unwrap();
    assert!(failures(&judged.findings).iter().any(|line| line.contains(": EXPIRED: ")));
}

#[test]
fn a_change_that_is_not_signed_by_its_author_or_not_made_yet() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.approved);
    floor.is_refused(Reason::NotApplied);
    floor.take_change();
    let unsigned = floor.repo.commit_all("by hand");
    floor.is_refused(Reason::ChangeUnsigned);
    floor.repo.git(&["reset", "--quiet", "--soft", &format!("{unsigned}^")]);
    commit_signed(&floor.repo, "stranger");
    floor.is_refused(Reason::ChangeUnsigned);
}

#[test]
fn a_development_commit_that_is_not_there_is_not_taken_on_trust() {
    let Some(floor) = floor() else { return };
    let (from, to) = (format!("file://{}", floor.repo.root().display()), floor.repo.beside("clone"));
    let branch = format!("unlock/{ID}");
    floor.repo.git(&["clone", "--quiet", "--single-branch", "--branch", &branch, &from, to.to_str().unwrap()]);
    let repository = agenttrader_governance::git::repository::Repository::find(&to, crate::repo::programs()).unwrap();
    let base = agenttrader_governance::lock::later::base(&repository).unwrap();
    let asked = agenttrader_governance::unlock::verify::Asked {
        repository: &repository,
        base: &base,
        head: floor.applied,
        unlock_id: ID,
        lock: None,
        at: later(300),
    };
    let judged = agenttrader_governance::unlock::verify::verify(&asked).unwrap();
    assert_eq!(judged.unwrap_err().reason, Reason::RevisionMissing);
}
