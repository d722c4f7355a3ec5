//! The lock contract, rule `parse`: files that can be read in one way only.

use crate::finding::{Finding, Rule};
use crate::world::World;

/// What reading refused, and what readers of YAML 1.1 and 1.2 take differently where it matters.
pub fn judge(world: &World<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        world.findings.iter().filter(|finding| finding.rule == Rule::Parse).cloned().collect();
    for setting in world.settings.iter().filter(|setting| setting.ambiguous) {
        let what =
            format!("half of all readers take the value of {} for something else than a text", setting.key.name());
        let value = setting.values.said();
        findings.push(setting.place.fail(Rule::Parse, value.trim_matches('`'), what, "put it in quotes"));
    }
    for text in &world.texts {
        for (what, line) in &text.found.unreadable {
            let remedy = "write it so that it can be read, or take it out";
            findings.push(text.at(*line).fail(Rule::Parse, "", what.clone(), remedy));
        }
    }
    findings
}
