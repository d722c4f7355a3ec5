//! The rules: each a function of the world, in a file of its name.

use crate::finding::{Finding, Rule, Verdict};
use crate::world::World;

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
        own.sort();
        own.dedup_by(|one, other| is_same(one, other));
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

/// Whether two findings say the same of the same place: a rendered object repeats what its file says.
fn is_same(one: &Finding, other: &Finding) -> bool {
    let said = |finding: &Finding| finding.message.split(" (as ").next().map(str::to_owned);
    (one.rule, one.verdict, &one.path, one.line, &one.value)
        == (other.rule, other.verdict, &other.path, other.line, &other.value)
        && said(one) == said(other)
}
