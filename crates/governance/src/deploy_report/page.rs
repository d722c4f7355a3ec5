//! The deploy report as a page: what a person must act on first, then every workload.

use super::{DeployReport, Source};
use crate::words::cell;
use crate::workload::{Container, Workload};
use std::collections::BTreeSet;
use std::fmt::Write as _;

pub(super) fn page(report: &DeployReport) -> String {
    let mut out = String::from("# Deploy report\n\n");
    let (at, sha) = (report.at_utc, cell(&report.git_sha));
    let _ = match report.source {
        Source::Kubectl => writeln!(out, "Made {at} by build `{sha}`, from kubectl.\n"),
        Source::Saved => writeln!(out, "Made {at} by build `{sha}`, from saved objects.\n"),
        Source::Manifests => writeln!(
            out,
            "Made {at}, from the manifests of commit `{sha}`. No cluster was asked: what runs is not known, and stands as `?`.\n"
        ),
    };
    let _ = writeln!(out, "Kill switch: **{}**. {}.\n", report.kill_switch.word(), cell(&report.kill_switch.evidence));
    let _ = writeln!(out, "{}.\n", report.summary());
    let forbidden: Vec<&Workload> = report.workloads.iter().filter(|it| !it.allowed_to_run).collect();
    if !forbidden.is_empty() || !report.would_start.is_empty() {
        out.push_str("## Not allowed\n\n");
        for workload in forbidden {
            let _ = writeln!(out, "- **{}** {}", cell(&workload.workload), cell(&workload.why));
        }
        for starter in &report.would_start {
            let _ = writeln!(out, "- **{}** starts execution: {}", cell(&starter.object), cell(&starter.why));
        }
        out.push('\n');
    }
    if report.workloads.iter().any(|it| !it.problems.is_empty()) {
        out.push_str("## Problems\n\n");
        for workload in &report.workloads {
            for problem in &workload.problems {
                let _ = writeln!(out, "- {}: {}", cell(&workload.workload), cell(&problem.what));
            }
        }
        out.push('\n');
    }
    out.push_str(
        "## Workloads\n\n| workload | agent | ready | restarts | nodes | may run |\n|---|---|---|---|---|---|\n",
    );
    for it in &report.workloads {
        let nodes = it.nodes.as_ref().map_or_else(|| "?".to_owned(), listed);
        let may = if it.allowed_to_run { "yes" } else { "NO" };
        let _ = writeln!(
            out,
            "| {} | {} | {} of {} | {} | {nodes} | {may}: {} |",
            cell(&it.workload),
            cell(it.agent_name.as_deref().unwrap_or("-")),
            number(it.replicas_ready),
            number(it.replicas_wanted),
            number(it.restarts),
            cell(&it.why),
        );
    }
    out.push_str("\n## Images and probes\n\n| workload | container | image | digests that run | probes |\n|---|---|---|---|---|\n");
    for it in &report.workloads {
        for container in &it.containers {
            let _ = writeln!(out, "| {} | {} |", cell(&it.workload), of_container(container));
        }
    }
    out
}

/// A number, or that nobody knows it.
pub fn number(number: Option<u64>) -> String {
    number.map_or_else(|| "?".to_owned(), |number| number.to_string())
}

fn listed(texts: &BTreeSet<String>) -> String {
    texts.iter().map(|text| cell(text)).collect::<Vec<_>>().join(", ")
}

fn of_container(container: &Container) -> String {
    let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    let digests = container.digests.as_ref().map_or_else(|| "?".to_owned(), |digests| or_none(listed(digests)));
    let probes: Vec<String> = container.probes.iter().map(|(name, asked)| format!("{name} {}", cell(asked))).collect();
    let position = if container.position == "main" { String::new() } else { format!(" ({})", container.position) };
    let image = cell(container.image.as_deref().unwrap_or("none"));
    format!("{}{position} | {image} | {digests} | {}", cell(&container.name), or_none(probes.join(", ")))
}
