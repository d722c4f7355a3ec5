//! A whole life: draft, first lock, tag, unlock, second lock, tag.

use crate::floor::{ID, asking, begin, develop, floor, gather, gather_from, locked, relock, say_yes};
use crate::repo::{asked, failures, later};
use agenttrader_authority::namespace::Namespace;
use agenttrader_core::time::Span;
use agenttrader_governance::lock::later::tag;
use agenttrader_governance::lock::validate::{Asked, Standing, baseline};
use agenttrader_governance::unlock::apply::apply;
use agenttrader_governance::unlock::completed::completed;
use agenttrader_governance::unlock::open::{Asking, open};
use agenttrader_governance::unlock::people_signed::{approval_path, signature_path};
use agenttrader_governance::unlock::status::status;
use std::fs;
use std::process::{Command, Stdio};

#[test]
fn an_unlock_that_people_approve_step_by_step_ends_in_a_lock_that_holds() {
    let Some(floor) = floor() else { return };
    let repo = &floor.repo;
    let first = repo.first_lock();
    let completed = floor.verdict(later(300)).unwrap();
    assert_eq!(completed.change, Some(floor.applied));
    assert_eq!(completed.approved.approval.operators, ["olga"]);
    assert_eq!(completed.approved.approval.reviewers, ["rolf"]);
    relock(repo, later(300));
    let judged = baseline(&repo.open(), &Asked { root: Some(first), now: later(310), ..asked() }).unwrap();
    assert_eq!(failures(&judged.findings), Vec::<String>::new());
    let Standing::Locked(lock) = judged.standing else { panic!("not locked") };
    assert_eq!(lock.lock.locked().unwrap().previous, Some(first));
    let tagged = tag(&repo.open(), &repo.signer("rolf"), &Asked { now: later(320), ..asked() }).unwrap();
    let signers = repo.root().join("ops/trust/allowed_signers");
    let allowed = format!("gpg.ssh.allowedSignersFile={}", signers.display());
    repo.git(&["-c", "gpg.format=ssh", "-c", &allowed, "verify-tag", &tagged.name]);
    repo.git(&["-c", "gpg.format=ssh", "-c", &allowed, "verify-commit", &floor.applied.to_string()]);
    repo.git(&["fsck", "--strict", "--no-dangling"]);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert_eq!(fs::read_to_string(repo.root().join("README.md")).unwrap(), "Another floor.\n");
}

#[test]
fn reports_approvals_and_lock_of_one_second_are_in_order() {
    let Some(repo) = locked(|_| {}) else { return };
    let first = repo.first_lock();
    develop(&repo, "somebody");
    begin(&repo, &asking());
    let within = |millis| later(120).plus(Span::from_millis(millis));
    let reports = repo.beside("reports");
    fs::create_dir(&reports).unwrap();
    for name in ["readiness_report", "deploy_report"] {
        let genesis = repo.root().join("ops/unlock/genesis").join(name);
        fs::copy(genesis.with_extension("md"), reports.join(name).with_extension("md")).unwrap();
        let mut report: serde_json::Value =
            serde_json::from_slice(&fs::read(genesis.with_extension("json")).unwrap()).unwrap();
        report["at_utc"] = within(500).to_string().into();
        fs::write(reports.join(name).with_extension("json"), report.to_string()).unwrap();
    }
    gather_from(&repo, &reports, within(600)).unwrap();
    say_yes(&repo, "olga", within(700)).unwrap();
    say_yes(&repo, "rolf", within(750)).unwrap();
    apply(&repo.open(), &repo.signer("anna"), within(800)).unwrap();
    relock(&repo, within(900));
    let judged = baseline(&repo.open(), &Asked { root: Some(first), now: within(950), ..asked() }).unwrap();
    assert_eq!(failures(&judged.findings), Vec::<String>::new());
    let Standing::Locked(lock) = judged.standing else { panic!("not locked") };
    assert_eq!(lock.lock.locked().unwrap().timestamp, within(0));
}

#[test]
fn stock_ssh_keygen_accepts_both_approvals_each_in_its_own_role_alone() {
    let Some(floor) = floor() else { return };
    let root = floor.repo.root();
    let approval = root.join(approval_path(ID));
    let verifies = |name: &str, namespace: Namespace| {
        let verified = Command::new("ssh-keygen")
            .args(["-Y", "verify", "-I", name, "-n", namespace.as_str(), "-f"])
            .arg(root.join("ops/trust/allowed_signers"))
            .arg("-s")
            .arg(root.join(signature_path(&approval_path(ID), name)))
            .stdin(Stdio::from(fs::File::open(&approval).unwrap()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        verified.unwrap().success()
    };
    assert!(verifies("olga", Namespace::UnlockOperator) && verifies("rolf", Namespace::UnlockReviewer));
    assert!(!verifies("rolf", Namespace::UnlockOperator) && !verifies("olga", Namespace::UnlockReviewer));
}

#[test]
fn the_manifest_that_is_evidence_has_the_digest_that_is_approved_and_the_form_says_it() {
    let Some(floor) = floor() else { return };
    let folder = floor.repo.root().join("ops/unlock").join(ID);
    let manifest = fs::read(folder.join("change-manifest")).unwrap();
    let digest = agenttrader_core::digest::Digest::of(&manifest).to_string();
    let statement: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("approval.json")).unwrap()).unwrap();
    assert_eq!(statement["subject"][0]["digest"]["sha256"], digest.as_str());
    let form = fs::read_to_string(folder.join("APPROVAL.md")).unwrap();
    assert!(
        form.contains(&digest) && form.contains("fees changed") && form.contains("| docs/SAFETY.md | changed |"),
        "{form}"
    );
    assert!(!form.contains("{{"), "{form}");
    assert!(!String::from_utf8(manifest).unwrap().contains("README.md"), "README.md is not locked");
}

#[test]
fn judging_and_telling_write_nothing() {
    let Some(floor) = floor() else { return };
    let repo = &floor.repo;
    let all = || {
        (repo.git(&["for-each-ref"]), repo.git(&["status", "--porcelain", "--ignored"]), repo.git(&["count-objects"]))
    };
    let before = all();
    floor.verdict(later(300)).unwrap();
    let told = status(&repo.open(), later(300)).unwrap();
    assert_eq!(all(), before);
    let unlock = told.unlock.unwrap();
    assert!(!unlock.is_locked && unlock.refused.is_none());
    assert_eq!((unlock.unlock_id.as_str(), unlock.approvals), (ID, vec!["olga".to_owned(), "rolf".to_owned()]));
}

#[test]
fn evidence_made_anew_takes_approvals_of_the_old_away() {
    let Some(floor) = floor() else { return };
    let floor = floor.at(|floor| floor.approved);
    gather(&floor.repo, later(220)).unwrap();
    assert!(!floor.repo.root().join(approval_path(ID)).exists());
    say_yes(&floor.repo, "olga", later(230)).unwrap();
    say_yes(&floor.repo, "rita", later(230)).unwrap();
    apply(&floor.repo.open(), &floor.repo.signer("anna"), later(240)).unwrap();
    assert_eq!(floor.verdict(later(300)).unwrap().approved.approval.reviewers, ["rita"]);
}

#[test]
fn nothing_of_anybody_is_written_over_and_a_draft_unlocks_nothing() {
    let Some(floor) = floor() else { return };
    let repo = &floor.repo;
    repo.git(&["checkout", "--quiet", "main"]);
    let again = Asking { unlock_id: Some("again"), ..asking() };
    repo.append("README.md", "mine\n");
    let why = open(&repo.open(), &again, later(60)).unwrap_err().to_string();
    assert!(why.contains("README.md has changes that are not committed"), "{why}");
    assert!(open(&repo.open(), &asking(), later(60)).unwrap_err().to_string().contains("is there already"));
    let Some(draft) = crate::repo::Repo::draft() else { return };
    let why = open(&draft.open(), &Asking { change: "HEAD", ..asking() }, later(60)).unwrap_err().to_string();
    assert!(why.contains("nothing can be unlocked"), "{why}");
}

#[test]
fn no_lock_follows_an_unlock_that_is_not_completed() {
    let Some(floor) = floor() else { return };
    let repo = &floor.repo;
    let asked = |id: &str, at| completed(&repo.open(), id, None, at).map_err(|error| error.to_string());
    assert_eq!(asked(ID, later(300)).map(|request| request.unlock_id), Ok(ID.to_owned()));
    assert!(asked("other", later(300)).unwrap_err().starts_with("REQUEST_MISSING: "));
    assert!(asked("../x", later(300)).unwrap_err().contains("names no unlock"));
    assert!(asked(ID, later(2 * 24 * 3600)).unwrap_err().starts_with("EXPIRED: "));
    // What a rule says against the tree is told before there is a lock, and not after.
    repo.put("k8s/again.yaml", "kind: Deployment\n");
    assert!(asked(ID, later(300)).unwrap_err().contains("findings are failures"));
    repo.git(&["clean", "--quiet", "--force", "-d"]);
    for (step, word) in [
        (floor.approved, "NOT_APPLIED: "),
        (floor.by_olga, "TOO_FEW_APPROVERS: "),
        (floor.evidence, "APPROVAL_MISSING: "),
        (floor.opened, "EVIDENCE_MISSING: "),
    ] {
        repo.git(&["reset", "--quiet", "--hard", &step.to_string()]);
        let why = asked(ID, later(300)).unwrap_err();
        assert!(why.starts_with(word), "{why}");
    }
    repo.git(&["reset", "--quiet", "--hard", &floor.applied.to_string()]);
    relock(repo, later(300));
    assert!(asked(ID, later(310)).unwrap_err().starts_with("REPLAYED: "), "one lock an unlock");
}
