//! `agenttrader readiness`, `report` and `lkg`: evidence, written and recorded.

mod lkg;
mod readiness;
mod report;

pub use lkg::run as lkg;
pub use readiness::run as readiness;
pub use report::run as report;

use crate::commands::lock::recorded::recorded;
use crate::output::{Exit, Failure};
use crate::settings::Settings;
use agenttrader_agent::clock;
use agenttrader_audit::record::IntentType;
use agenttrader_core::identity::Build;
use agenttrader_core::time::UnixNanos;
use agenttrader_governance::artefacts::{self, Artefact};
use agenttrader_governance::cluster::kubectl::{Kubectl, KubectlError};
use agenttrader_governance::cluster::saved::Saved;
use agenttrader_governance::cluster::{Cluster, saved};
use agenttrader_governance::deploy_report::Source;
use serde_json::Value;
use std::ffi::OsStr;
use std::path::Path;

/// Objects that were saved, or those of the cluster that kubectl reaches, with where they come from.
fn objects(settings: &Settings, from: Option<&Path>) -> Result<(Saved, Source), Failure> {
    if let Some(from) = from {
        return Ok((Saved::read(from).map_err(|error| Failure::of(Exit::CouldNot, &error))?, Source::Saved));
    }
    let path = settings.environment.get("PATH").map(OsStr::new);
    let kubectl = Kubectl::find(path)
        .map_err(|error| Failure::of(Exit::Unavailable, &error).hint("or give saved objects with --from"))?;
    let saved = kubectl.get().map_err(|error: KubectlError| {
        Failure::of(Exit::Unavailable, &error)
            .hint("does `kubectl get pods` work here? or give saved objects with --from")
    })?;
    Ok((saved, Source::Kubectl))
}

/// When what is reported was seen: now, or when its objects were saved.
fn seen(at: Option<&str>) -> Result<UnixNanos, Failure> {
    let now = clock::wall();
    let Some(text) = at else { return Ok(now) };
    let at = UnixNanos::parse(text)
        .map_err(|error| Failure::of(Exit::CouldNot, &error).hint("--at takes UTC, as 2026-12-01T21:00:00Z"))?;
    if at > now {
        return Err(Failure::new(Exit::CouldNot, format!("--at {at} is not yet: it is {now}")));
    }
    Ok(at)
}

fn parsed(saved: &Saved) -> Result<saved::Parsed<'_>, Failure> {
    saved.parsed().map_err(|error| Failure::of(Exit::CouldNot, &error))
}

fn cluster<'a>(parsed: &'a saved::Parsed<'a>) -> Result<Cluster<'a>, Failure> {
    Cluster::of(parsed).map_err(|error| Failure::of(Exit::CouldNot, &error))
}

/// Writes files while the log of commands is held, and records that it did.
fn written(
    settings: &Settings,
    build: &Build,
    command: &str,
    out: &Path,
    files: &[(&'static str, Vec<u8>)],
    about: Value,
) -> Result<Vec<Artefact>, Failure> {
    let act = || artefacts::write(out, files).map_err(|error| Failure::of(Exit::CouldNot, &error));
    let tell = |written: &Vec<Artefact>| {
        (format!("{command}: {} files written", written.len()), artefacts::payload(command, written, about))
    };
    recorded(settings, build, IntentType::ReportGenerated, act, tell)
}
