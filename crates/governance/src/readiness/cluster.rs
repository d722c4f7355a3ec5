//! What a cluster decides, by its objects: the switch, what can place orders, the workloads, the images.

use super::Check;
use crate::cluster::Cluster;
use crate::cluster::switch::State;
use crate::words::some;
use crate::workload::{Trouble, Workload};
use agenttrader_policy::finding::{Finding, Rule};
use agenttrader_policy::image;
use std::collections::BTreeSet;
use std::fmt::Display;

/// Things of one check that are quoted.
const QUOTED: usize = 8;

/// The checks, in their order.
pub fn checks(cluster: &Cluster<'_>) -> Vec<Check> {
    let workloads = cluster.workloads();
    vec![
        kill_switch(cluster),
        execution_at_zero(cluster, &workloads),
        no_execute(cluster),
        well("workloads", &workloads, Trouble::NotReady, "ready as wanted"),
        well("crash-loops", &workloads, Trouble::CrashLoop, "none crashes in a loop"),
        images(&workloads),
    ]
}

fn kill_switch(cluster: &Cluster<'_>) -> Check {
    const NAME: &str = "kill-switch";
    let switch = cluster.switch();
    let failures = said(&cluster.failures(&[Rule::KillSwitch, Rule::SwitchRead]));
    match switch.state {
        State::Released => Check::fail(NAME, format!("RELEASED: {}", switch.evidence)),
        State::Unknown => Check::unknown(NAME, switch.evidence),
        State::Halted if failures.is_empty() => Check::pass(NAME, switch.evidence),
        State::Halted => Check::fail(NAME, some(&failures, QUOTED)),
    }
}

/// What can place orders runs nowhere, and nothing is set up to start it.
fn execution_at_zero(cluster: &Cluster<'_>, workloads: &[Workload]) -> Check {
    const NAME: &str = "execution-at-zero";
    let forbidden = workloads.iter().filter(|it| !it.allowed_to_run).map(|it| format!("{} {}", it.workload, it.why));
    let mut wrong: Vec<String> = forbidden.collect();
    wrong.extend(cluster.would_start(workloads).into_iter().flat_map(|finding| said(&[finding])));
    match () {
        () if !wrong.is_empty() => Check::fail(NAME, some(&wrong, QUOTED)),
        () if workloads.is_empty() => Check::unknown(NAME, "no workload among the objects"),
        () => {
            let held: Vec<String> =
                workloads.iter().filter(|it| it.can_place_orders()).map(|it| it.workload.clone()).collect();
            match held.is_empty() {
                true => Check::pass(NAME, format!("none of {} workloads can place orders", workloads.len())),
                false => Check::pass(NAME, format!("at zero: {}", some(&held, QUOTED))),
            }
        }
    }
}

fn no_execute(cluster: &Cluster<'_>) -> Check {
    const NAME: &str = "no-execute";
    let failures = said(&cluster.failures(&[Rule::NoExecute]));
    match failures.is_empty() {
        true => Check::pass(NAME, "AGENT_MODE is EXECUTE nowhere"),
        false => Check::fail(NAME, some(&failures, QUOTED)),
    }
}

/// No workload has a trouble; where something is unclear about one, nobody can say so.
fn well(name: &'static str, workloads: &[Workload], trouble: Trouble, good: impl Display) -> Check {
    let of = |trouble: Trouble| -> Vec<String> {
        let told = workloads.iter().flat_map(|it| it.problems.iter().map(move |problem| (it, problem)));
        told.filter(|(_, problem)| problem.trouble == trouble)
            .map(|(it, problem)| format!("{}: {}", it.workload, problem.what))
            .collect()
    };
    let (wrong, unclear) = (of(trouble), of(Trouble::Unclear));
    match () {
        () if !wrong.is_empty() => Check::fail(name, some(&wrong, QUOTED)),
        () if workloads.is_empty() => Check::unknown(name, "no workload among the objects"),
        () if !unclear.is_empty() => Check::unknown(name, some(&unclear, QUOTED)),
        () => Check::pass(name, format!("{} workloads, {good}", workloads.len())),
    }
}

/// Every image has a name that stays, and what runs is known by its digest.
fn images(workloads: &[Workload]) -> Check {
    const NAME: &str = "images";
    let (mut wrong, mut unclear, mut known) = (Vec::new(), Vec::new(), 0_u32);
    for it in workloads {
        wrong.extend(
            it.problems
                .iter()
                .filter(|problem| problem.trouble == Trouble::ImagePull)
                .map(|problem| format!("{}: {}", it.workload, problem.what)),
        );
        for container in &it.containers {
            let place = format!("{}, container {}", it.workload, container.name);
            let reference = container.image.as_deref().unwrap_or("");
            if let Err(error) = image::check(reference) {
                wrong.push(format!("{place}: {error}"));
            }
            match container.digests.as_ref().map_or(0, BTreeSet::len) {
                _ if it.pods == Some(0) => {}
                0 => unclear.push(format!("{place}: no digest is seen running")),
                1 => known = known.saturating_add(1),
                several => unclear.push(format!("{place}: {several} digests run at once")),
            }
        }
    }
    match () {
        () if !wrong.is_empty() => Check::fail(NAME, some(&wrong, QUOTED)),
        () if !unclear.is_empty() => Check::unknown(NAME, some(&unclear, QUOTED)),
        () if known == 0 => Check::unknown(NAME, "nothing runs whose digest could be seen"),
        () => Check::pass(NAME, format!("{known} containers run, each by one digest")),
    }
}

fn said(findings: &[Finding]) -> Vec<String> {
    let mut said: Vec<String> = findings
        .iter()
        .map(|finding| {
            format!("{} {}: {}", finding.rule.id(), finding.object.as_deref().unwrap_or("-"), finding.message)
        })
        .collect();
    said.dedup();
    said
}
