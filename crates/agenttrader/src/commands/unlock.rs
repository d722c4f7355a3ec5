//! `agenttrader unlock …`: locked files changed by people, step by step.

mod grant;
mod judge;
mod revoke;

use super::lock::recorded::recorded;
use super::lock::report::{show, summary};
use super::lock::{repository, signer, unwritten};
use crate::cli::lock::SignArgs;
use crate::cli::unlock::{EvidenceArgs, OpenArgs, UnlockCommand};
use crate::output::{Done, Exit, Failure, counted, data, json, talk};
use crate::settings::Settings;
use agenttrader_agent::clock;
use agenttrader_audit::record::IntentType;
use agenttrader_core::canonical_json;
use agenttrader_core::identity::Build;
use agenttrader_floor::plain::plain;
use agenttrader_governance::artefacts::{Indexed, Producers, recorded as recorded_file};
use agenttrader_governance::bounded_file;
use agenttrader_governance::scope::Scope;
use agenttrader_governance::unlock::apply::{Applied, apply};
use agenttrader_governance::unlock::approve::{Approval, approve, prepare};
use agenttrader_governance::unlock::evidence::{COMMAND, Gathered, Output, Sources, evidence};
use agenttrader_governance::unlock::open::{Asking, Opened, open};
use agenttrader_governance::unlock::request;
use agenttrader_policy::finding::{Finding, Verdict};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::path::Path;
use std::process::{Command, Stdio};

/// Largest file of arguments that is read.
const FILE_BYTES_MOST: usize = 1024 * 1024;

/// Runs the command.
pub fn run(settings: &Settings, command: UnlockCommand, build: &Build) -> Done {
    match command {
        UnlockCommand::Open(arguments) => opened(settings, &arguments, build),
        UnlockCommand::Evidence(arguments) => gathered(settings, &arguments, build),
        UnlockCommand::Approve(arguments) => approved(settings, &arguments, build),
        UnlockCommand::Apply(arguments) => applied(settings, &arguments, build),
        UnlockCommand::Verify(arguments) => judge::verified(settings, &arguments),
        UnlockCommand::Status(arguments) => judge::told(settings, &arguments),
        UnlockCommand::Grant(arguments) => grant::run(settings, &arguments, build),
        UnlockCommand::Revoke(arguments) => revoke::run(settings, &arguments, build),
    }
}

/// What a file of JSON says.
fn from_file<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let wrong = |why: String| Failure::new(Exit::CouldNot, format!("cannot read {}: {why}", path.display()));
    let bytes = bounded_file::read(path, FILE_BYTES_MOST as u64).map_err(|error| wrong(error.to_string()))?;
    let value = canonical_json::parse_within(&bytes, FILE_BYTES_MOST).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_value(value).map_err(|error| wrong(error.to_string()))
}

fn opened(settings: &Settings, arguments: &OpenArgs, build: &Build) -> Done {
    let repository = repository(settings)?;
    let waives = arguments.waives.as_deref().map(from_file).transpose()?.unwrap_or_default();
    let scope = match arguments.scope.as_slice() {
        [] => None,
        patterns => Some(Scope::parse(patterns).map_err(|error| Failure::of(Exit::CouldNot, &error))?),
    };
    let asking = Asking {
        change: &arguments.change,
        reason: &arguments.reason,
        unlock_id: arguments.id.as_deref(),
        grants_live: arguments.live,
        waives,
        scope,
    };
    let act = || open(&repository, &asking, clock::wall()).map_err(unwritten);
    let tell = |opened: &Opened| {
        let request = Indexed::of(request::path(&opened.request.unlock_id), &opened.request.bytes(), None);
        let files = [recorded_file(&request.path, request.size, request.sha256)];
        let payload =
            json!({"report": "unlock_open", "files": files, "request": opened.request, "commit": opened.commit});
        (format!("unlock {} opened", opened.request.unlock_id), payload)
    };
    let opened = recorded(settings, build, IntentType::ReportGenerated, act, tell)?;
    let id = &opened.request.unlock_id;
    if arguments.json {
        json(&json!({
            "unlock_id": id, "commit": opened.commit, "changes": opened.changes,
            "needs": {"operators": opened.required.operator, "reviewers": opened.required.reviewer},
            "findings": opened.findings,
        }));
        return Ok(Exit::Good);
    }
    data(&format!("unlock     {id}, on branch unlock/{id}"));
    data(&format!("request    commit {}", opened.commit));
    data(&format!("changes    {}", counted(opened.changes.len(), "locked file")));
    opened.changes.iter().for_each(|path| data(&format!("           {}", plain(path))));
    let (operators, reviewers) = (opened.required.operator.into(), opened.required.reviewer.into());
    data(&format!("needs      {}, {}", counted(operators, "operator"), counted(reviewers, "reviewer")));
    after(&opened.findings);
    talk("next: agenttrader readiness, agenttrader report deploy, then agenttrader unlock evidence");
    Ok(Exit::Good)
}

fn gathered(settings: &Settings, arguments: &EvidenceArgs, build: &Build) -> Done {
    let repository = repository(settings)?;
    let producers = Producers::of(&settings.data_dir);
    // Before the log is held: each of the two looks at everything as anybody would.
    let sources = Sources {
        reports: &arguments.reports,
        lock_validate: output(settings, &["lock", "validate", "--json"])?,
        audit_verify: output(settings, &["audit", "verify", "--json"])?,
        producers: &producers,
        build,
    };
    let act = || evidence(&repository, &sources, clock::wall()).map_err(unwritten);
    let tell = |gathered: &Gathered| {
        let made = gathered.made();
        let files: Vec<_> = made.iter().map(|(path, size, sha256)| recorded_file(path, *size, *sha256)).collect();
        let payload = json!({"report": COMMAND, "files": files, "index": gathered.index, "commit": gathered.commit});
        (format!("evidence of unlock {}", gathered.unlock_id), payload)
    };
    let gathered = recorded(settings, build, IntentType::ReportGenerated, act, tell)?;
    if arguments.json {
        json(&json!({
            "unlock_id": gathered.unlock_id, "commit": gathered.commit, "index": gathered.index,
            "findings": gathered.findings,
        }));
        return Ok(Exit::Good);
    }
    for artefact in &gathered.index.artefacts {
        data(&format!("{}  {}", artefact.sha256, artefact.path));
    }
    data(&format!("evidence   commit {}", gathered.commit));
    after(&gathered.findings);
    talk("next: an operator and a reviewer run agenttrader unlock approve --principal NAME --key KEY");
    Ok(Exit::Good)
}

/// What the rules say of the tree that would be locked: how many of each, and those that people should know of.
fn after(findings: &[Finding]) {
    data(&format!("as locked  {}", summary(findings)));
    let told = findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Warn | Verdict::Waived));
    show(&told.cloned().collect::<Vec<_>>());
}

/// What a command of this program says here, and how it ends.
fn output(settings: &Settings, arguments: &[&str]) -> Result<Output, Failure> {
    let broken =
        |error: std::io::Error| Failure::new(Exit::CouldNot, format!("cannot run {}: {error}", arguments.join(" ")));
    let mut ours = Command::new(std::env::current_exe().map_err(broken)?);
    ours.arg("--data-dir").arg(&settings.data_dir).args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    let ended = ours.output().map_err(broken)?;
    let command = format!("agenttrader {}", arguments.join(" "));
    Ok(Output { command, exit_code: ended.status.code(), stdout: ended.stdout })
}

fn approved(settings: &Settings, arguments: &SignArgs, build: &Build) -> Done {
    let repository = repository(settings)?;
    let signer = signer(settings, arguments)?;
    let prepared = prepare(&repository, clock::wall()).map_err(unwritten)?;
    talk("what you sign, from its own bytes:");
    prepared.form.lines().for_each(|line| talk(&plain(line)));
    let act = || approve(&repository, &prepared, &signer, clock::wall()).map_err(unwritten);
    let tell = |approval: &Approval| {
        let payload = json!({
            "report": "unlock_approve", "unlock_id": approval.unlock_id, "principal": signer.principal,
            "namespace": approval.namespace, "path": approval.path, "commit": approval.commit,
        });
        (format!("unlock {} approved by {}", approval.unlock_id, signer.principal), payload)
    };
    let approval = recorded(settings, build, IntentType::Approval, act, tell)?;
    let (operators, reviewers) = approval.missing;
    if arguments.json {
        json(&json!({
            "unlock_id": approval.unlock_id, "path": approval.path, "namespace": approval.namespace,
            "commit": approval.commit, "missing": {"operators": operators, "reviewers": reviewers},
        }));
        return Ok(Exit::Good);
    }
    data(&format!("signed     {} as {}", approval.path, approval.namespace));
    let wanted = [(operators, "operator"), (reviewers, "reviewer")];
    let wanted: Vec<_> =
        wanted.into_iter().filter(|(many, _)| *many > 0).map(|(many, role)| counted(many, role)).collect();
    if wanted.is_empty() {
        data("missing    nobody");
        talk("next: agenttrader unlock apply --principal NAME --key KEY");
    } else {
        data(&format!("missing    {}", wanted.join(", ")));
    }
    Ok(Exit::Good)
}

fn applied(settings: &Settings, arguments: &SignArgs, build: &Build) -> Done {
    let repository = repository(settings)?;
    let signer = signer(settings, arguments)?;
    let act = || apply(&repository, &signer, clock::wall()).map_err(unwritten);
    let tell = |applied: &Applied| {
        let payload = json!({
            "report": "unlock_apply", "unlock_id": applied.unlock_id, "principal": signer.principal,
            "commit": applied.commit, "manifest_sha256": applied.manifest_sha256,
        });
        (format!("unlock {} applied", applied.unlock_id), payload)
    };
    let applied = recorded(settings, build, IntentType::ReportGenerated, act, tell)?;
    if arguments.json {
        json(&json!({
            "unlock_id": applied.unlock_id, "commit": applied.commit,
            "manifest_sha256": applied.manifest_sha256, "files": applied.files,
        }));
        return Ok(Exit::Good);
    }
    data(&format!("applied    commit {}, {}", applied.commit, counted(applied.files, "locked file")));
    data(&format!("manifest   {}, as approved", applied.manifest_sha256));
    talk(&format!("next: agenttrader lock generate --unlock {} --principal NAME --key KEY", applied.unlock_id));
    Ok(Exit::Good)
}
