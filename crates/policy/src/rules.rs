//! The rules: each a function of the world, in a file of its name.

use crate::finding::{Finding, Rule, Verdict};
use crate::world::World;
use std::collections::BTreeSet;

mod exec_scale;
mod hardening;
mod identity;
mod kill_switch;
mod network;
mod no_execute;
mod no_latest;
mod parse;
mod probes;
mod rbac;
mod schema;
mod switch_read;
mod unresolved;
mod workload;

/// A rule's judgement: what does not hold, or is not applicable; nothing where it holds.
pub type Judge = fn(&World<'_>) -> Vec<Finding>;

/// The rules that are judged here.
pub const JUDGES: &[(Rule, Judge)] = &[
    (Rule::ExecScale, exec_scale::judge),
    (Rule::NoExecute, no_execute::judge),
    (Rule::KillSwitch, kill_switch::judge),
    (Rule::SwitchRead, switch_read::judge),
    (Rule::NoLatest, no_latest::judge),
    (Rule::Parse, parse::judge),
    (Rule::Rbac, rbac::judge),
    (Rule::Identity, identity::judge),
    (Rule::Probes, probes::judge),
    (Rule::Hardening, hardening::judge),
    (Rule::Network, network::judge),
    (Rule::Schema, schema::judge),
    (Rule::Unresolved, unresolved::judge),
];

/// Whether a rule is judged whatever is asked for: what does not parse, or is left open, blinds the others.
pub const fn always(rule: Rule) -> bool {
    matches!(rule, Rule::Parse | Rule::Unresolved)
}

/// What the rules say, in the order of [`Rule::ALL`], each rule at least once; the same thing once.
pub fn judge(world: &World<'_>, only: Option<&[Rule]>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for &(rule, judge) in JUDGES {
        if only.is_some_and(|only| !only.contains(&rule)) && !always(rule) {
            continue;
        }
        let mut own = judge(world);
        once(&mut own);
        if !own.iter().any(|finding| finding.verdict != Verdict::Warn) {
            own.push(holds(rule));
        }
        findings.append(&mut own);
    }
    findings.sort_by_key(|finding| Rule::ALL.iter().position(|rule| *rule == finding.rule));
    findings
}

fn holds(rule: Rule) -> Finding {
    Finding { verdict: Verdict::Pass, ..Finding::fail(rule, "", "nothing found that breaks it", "") }
}

/// Says the same of the same place once: a rendered object repeats what its file says, a list what its items say.
fn once(findings: &mut Vec<Finding>) {
    let plain = |finding: &Finding| finding.message.split(" (as ").next().unwrap_or("").to_owned();
    findings.sort_by_cached_key(|finding| (finding.message.len(), finding.clone()));
    let mut seen = BTreeSet::new();
    findings.retain(|finding| {
        seen.insert((finding.verdict, finding.path.clone(), finding.line, finding.value.clone(), plain(finding)))
    });
    findings.sort();
}
