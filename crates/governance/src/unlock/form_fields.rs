//! What stands in the places of a form, by the names that `docs/approval_template.md` explains, and the form with it.

use crate::unlock::form::{fill, plain};
use crate::unlock::refused::Refused;
use crate::unlock::to_approve::{Chosen, ToApprove};
use agenttrader_authority::change_manifest::{ChangedFile, FileState};
use agenttrader_authority::unlock_approval::Trigger;
use std::collections::BTreeSet;

impl ToApprove {
    /// The filled form.
    ///
    /// # Errors
    /// [`Refused`] where the template asks for what there is not.
    pub fn form(&self, chosen: &Chosen) -> Result<String, Refused> {
        fill(&self.template, &fields(self, chosen))
    }
}

/// All of them.
fn fields(to_approve: &ToApprove, chosen: &Chosen) -> Vec<(&'static str, String)> {
    let ToApprove { request, evidence, change, triggers, .. } = to_approve;
    vec![
        ("unlock_id", request.unlock_id.clone()),
        ("trigger", list(triggers.iter().map(|trigger| word(*trigger)))),
        ("repo_id", plain(&to_approve.repo_id)),
        ("base_commit", to_approve.base_commit.to_string()),
        ("base_lock_sha256", to_approve.base_lock_sha256.to_string()),
        ("change_commit", request.change_commit.clone()),
        ("change_sha256", change.manifest_sha256.to_string()),
        ("change_files", format!("{}{}", scope(to_approve), files(&change.files, to_approve))),
        ("request_commit", to_approve.request_commit.to_string()),
        ("evidence_commit", to_approve.evidence_commit.to_string()),
        ("audit_index_sha256", evidence.index_sha256.to_string()),
        ("readiness", format!("{}, SHA-256 {}", plain(&evidence.readiness), evidence.readiness_sha256)),
        ("deploy_report", format!("SHA-256 {}", evidence.deploy_sha256)),
        ("checks", checks(&evidence.not_passing)),
        ("waives", waives(to_approve)),
        ("reviewers_required", reviewers(to_approve)),
        ("reason", format!("> {}", plain(&request.reason))),
        ("rollback", to_approve.rollback.clone()),
        ("not_before", chosen.not_before.to_string()),
        ("expires", chosen.expires.to_string()),
        ("signers", signers(to_approve)),
    ]
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

const fn word(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Execute => "execute",
        Trigger::KillSwitch => "kill-switch default",
        Trigger::Workload => "workload",
        Trigger::LockedFile => "locked file",
        Trigger::Signers => "signers",
    }
}

/// What is said first where the lock after holds other paths.
fn scope(to_approve: &ToApprove) -> String {
    let Some(rescoped) = &to_approve.rescoped else { return String::new() };
    let quoted = |patterns: &[String]| match patterns {
        [] => "nothing".to_owned(),
        patterns => patterns.iter().map(|pattern| format!("`{pattern}`")).collect::<Vec<_>>().join(", "),
    };
    let (without, with) = (quoted(&rescoped.without), quoted(&rescoped.with));
    format!("The scope of the lock becomes another. It loses {without}; it gains {with}.\n\n")
}

fn files(files: &[ChangedFile], to_approve: &ToApprove) -> String {
    if files.is_empty() {
        return "No locked file changes.".to_owned();
    }
    let state = |state: Option<FileState>| {
        state.map_or("-".to_owned(), |state| format!("{} {}", state.mode.as_str(), state.sha256))
    };
    let mut out = "| file | what | before | after |\n|---|---|---|---|".to_owned();
    for file in files {
        let stays = to_approve.rescoped.as_ref().is_some_and(|rescoped| rescoped.kept.contains(&file.path));
        let what = match (file.old, file.new) {
            (None, _) if stays => "enters the lock",
            (_, None) if stays => "leaves the lock",
            (None, _) => "added",
            (_, None) => "removed",
            (Some(_), Some(_)) => "changed",
        };
        out.push_str(&format!("\n| {} | {what} | {} | {} |", plain(&file.path), state(file.old), state(file.new)));
    }
    out
}

fn checks(not_passing: &[[String; 3]]) -> String {
    if not_passing.is_empty() {
        return "none".to_owned();
    }
    let mut out = "| check | result | evidence |\n|---|---|---|".to_owned();
    for [check, result, evidence] in not_passing {
        out.push_str(&format!("\n| {} | {} | {} |", plain(check), plain(result), plain(evidence)));
    }
    out
}

fn waives(to_approve: &ToApprove) -> String {
    if to_approve.request.waives.is_empty() {
        return "none".to_owned();
    }
    let mut out = "| rule | file | object | field | value | until |\n|---|---|---|---|---|---|".to_owned();
    for waiver in &to_approve.request.waives {
        let of = |text: &Option<String>| text.as_deref().map(plain).unwrap_or_default();
        let (object, field, value) = (of(&waiver.object), of(&waiver.field), of(&waiver.value));
        let (rule, path, until) = (waiver.rule.id(), plain(&waiver.path), waiver.expires);
        out.push_str(&format!("\n| {rule} | {path} | {object} | {field} | {value} | {until} |"));
    }
    out
}

fn reviewers(to_approve: &ToApprove) -> String {
    let request = &to_approve.request;
    let why = [
        (request.waives_kill_switch(), "the kill switch is waived"),
        (request.grants_live, "a grant for live will be asked for"),
        (to_approve.triggers.contains(&Trigger::Signers), "who may sign changes"),
    ];
    let why: Vec<_> = why.into_iter().filter(|(holds, _)| *holds).map(|(_, why)| why).collect();
    match to_approve.required.reviewer {
        1 => "1 reviewer".to_owned(),
        many => format!("{many} reviewers: {}", why.join(", ")),
    }
}

fn signers(to_approve: &ToApprove) -> String {
    let names = |names: &BTreeSet<String>| list(names.iter().map(String::as_str));
    let free: BTreeSet<String> = to_approve.reviewers.difference(&to_approve.makers).cloned().collect();
    let made = list(to_approve.makers.iter().map(String::as_str));
    format!(
        "- as operator, one of: {}\n- as reviewer, of: {}\n- made the change, of those listed: {made}",
        names(&to_approve.operators),
        names(&free),
    )
}
