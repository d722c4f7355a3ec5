//! `agenttrader audit pack`: all logs in one file, for somebody who trusts neither us nor the operator.

use crate::cli::audit::PackArgs;
use crate::output::{Done, Exit, Failure, Progress, data, json, talk};
use crate::settings::Settings;
use agenttrader_agent::clock;
use agenttrader_audit::record::{Entry, IntentType, Outcome};
use agenttrader_core::identity::Build;
use agenttrader_governance::own_log::{GOVERNANCE_CLI, OwnLog, OwnLogError};
use agenttrader_governance::pack::PackError;
use agenttrader_governance::pack::write::{Packing, Written, write};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Packs, and records that it did. Nothing is packed that could not be recorded.
pub fn run(settings: &Settings, arguments: &PackArgs, build: &Build) -> Done {
    let data_dir = &settings.data_dir;
    if !data_dir.join("audit").is_dir() {
        return Err(Failure::new(Exit::CouldNot, format!("{} holds no logs", data_dir.display()))
            .hint("nothing ran here yet; name another data directory with --data-dir DIR"));
    }
    let own_log = OwnLog::open(data_dir, build).map_err(|error| unrecorded(&error))?;
    let mut progress = Progress::new();
    let repository = Path::new(".").canonicalize().ok().and_then(|here| repository(&here));
    let packing = Packing { data_dir, repository: repository.as_deref(), out: arguments.out.as_deref(), build };
    let written = write(&packing, &mut |done, total| progress.at("packing", done, total));
    progress.end();
    let written = written.map_err(|error| unwritten(&error))?;
    let recorded = own_log.record(report(&written));
    written.remarks.iter().for_each(|remark| talk(&format!("warning: {remark}")));
    let receipt = recorded.map_err(|error| {
        let failure = unrecorded(&error);
        let message = format!("{} is written, and no record of it: {}", written.path.display(), failure.message);
        Failure { message, ..failure }
    })?;
    if arguments.json {
        json(&json!({
            "path": written.path,
            "sha256": written.sha256,
            "bytes": written.bytes,
            "files": written.files,
            "about": written.about,
            "remarks": written.remarks,
            "recorded": {"origin": receipt.origin(), "index": receipt.index()},
        }));
    } else {
        show(&written);
        data(&format!("recorded   {} entry {}", receipt.origin(), receipt.index()));
        talk(&format!("check it: agenttrader audit verify {}", written.path.display()));
    }
    Ok(Exit::Good)
}

/// The folder upwards that holds a repository, if any does.
fn repository(here: &Path) -> Option<PathBuf> {
    here.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

fn report(written: &Written) -> Entry {
    let name = written.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let payload = json!({
        "report": "audit_pack",
        "file": name,
        "sha256": written.sha256,
        "bytes": written.bytes,
        "logs": written.about.logs,
    });
    let summary = format!("audit pack {name}");
    Entry::new(clock::wall(), IntentType::ReportGenerated, Outcome::Success, summary, payload)
}

fn show(written: &Written) {
    data(&format!("pack       {}", written.path.display()));
    data(&format!("SHA-256    {}, {} bytes, {} files", written.sha256, written.bytes, written.files));
    for log in &written.about.logs {
        data(&format!("log        {}: {} entries, root {}", log.agent_name, log.size, log.root));
    }
    if !written.about.without_checkpoint.is_empty() {
        data(&format!("left out   {}: no checkpoint yet", written.about.without_checkpoint.join(", ")));
    }
}

fn unrecorded(error: &OwnLogError) -> Failure {
    if error.may_pass() {
        Failure::of(Exit::TryAgain, error).hint("another command may be at it: try again in a moment")
    } else {
        Failure::of(Exit::CouldNot, error).hint(format!("every report is recorded in the log of {GOVERNANCE_CLI}"))
    }
}

fn unwritten(error: &PackError) -> Failure {
    match error {
        PackError::Log { .. } => Failure::of(Exit::Bad, error),
        _ => Failure::of(Exit::CouldNot, error),
    }
}
