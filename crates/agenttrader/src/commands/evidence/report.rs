//! `agenttrader report deploy`: what runs, as what, and whether it may.

use super::{cluster, objects, parsed, seen, written};
use crate::cli::evidence::{ReportArgs, ReportCommand};
use crate::output::{Done, Exit, data, raw, talk};
use crate::settings::Settings;
use agenttrader_core::identity::Build;
use agenttrader_floor::plain::plain;
use agenttrader_governance::deploy_report::{DeployReport, Made, number};
use agenttrader_governance::workload::Workload;
use serde_json::json;

/// Runs the command.
pub fn run(settings: &Settings, command: ReportCommand, build: &Build) -> Done {
    let ReportCommand::Deploy(arguments) = command;
    deploy(settings, &arguments, build)
}

fn deploy(settings: &Settings, arguments: &ReportArgs, build: &Build) -> Done {
    let (saved, source) = objects(settings, arguments.from.as_deref())?;
    let parsed = parsed(&saved)?;
    let made = Made { at: seen(arguments.at.as_deref())?, git_sha: &build.git_sha, source };
    let report = DeployReport::of(&cluster(&parsed)?, made);
    let about = json!({"kill_switch": report.kill_switch, "not_allowed": report.not_allowed});
    let files = written(settings, build, "report deploy", &arguments.out, &report.files(), about)?;
    if arguments.json {
        raw(&report.json());
    } else {
        data(&format!("{}  {}", report.kill_switch.word(), plain(&report.kill_switch.evidence)));
        let width = report.workloads.iter().map(|it| it.workload.chars().count()).max().unwrap_or(0);
        report.workloads.iter().for_each(|workload| show(workload, width));
        for starter in &report.would_start {
            data(&plain(&format!("{}  NOT ALLOWED, starts execution: {}", starter.object, starter.why)));
        }
        data(&report.summary());
        if report.workloads.is_empty() {
            talk("no workload is among the objects: `agenttrader report deploy --help` shows which kinds to save");
        }
        files.iter().for_each(|file| talk(&format!("written: {}", file.path.display())));
    }
    Ok(if report.is_allowed() { Exit::Good } else { Exit::Bad })
}

fn show(workload: &Workload, width: usize) {
    let (ready, wanted) = (number(workload.replicas_ready), number(workload.replicas_wanted));
    let may = if workload.allowed_to_run { "allowed" } else { "NOT ALLOWED" };
    let line = format!("{:width$}  {ready} of {wanted} ready  {may}: {}", workload.workload, workload.why);
    data(&plain(&line));
    workload.problems.iter().for_each(|problem| data(&format!("{:width$}  {}", "", plain(&problem.what))));
}
