//! The lock contract, rule `parse`: files that can be read in one way only.

use crate::finding::{Finding, Rule};
use crate::world::World;

/// What reading refused.
pub fn judge(world: &World<'_>) -> Vec<Finding> {
    world.findings.iter().filter(|finding| finding.rule == Rule::Parse).cloned().collect()
}
