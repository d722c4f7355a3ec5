//! The manifest policy of the production lock: a tree of files in, findings with rule, path and line out.
//!
//! Judged is what the manifests mean, never the text of a line. This crate reads no file, no repository, no clock and
//! no environment: the caller brings the bytes. What it cannot resolve it fails.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod compose;
pub mod dockerfile;
pub mod environment;
pub mod finding;
pub mod found;
pub mod hole;
pub mod image;
pub mod judged;
pub mod keyed;
pub mod kustomize;
pub mod object;
pub mod place;
pub mod placing;
pub mod pod;
mod resolve;
mod rules;
pub mod scan;
pub mod script;
pub mod settings;
pub mod shell;
pub mod sources;
pub mod switch;
pub mod texts;
pub mod tree;
pub mod values;
pub mod world;
pub mod yaml;

use finding::{Finding, Rule};
use sources::Sources;
use tree::Tree;
use world::World;

/// Judges a tree by the manifest rules, or by some of them; `parse` and `unresolved` are judged always.
///
/// Every rule judged has at least one finding, so that a report lists what held besides what did not.
pub fn judge(tree: &Tree, only: Option<&[Rule]>) -> Vec<Finding> {
    let sources = Sources::read(tree);
    judge_world(&World::new(tree, &sources), only)
}

/// The same, of a world that is made already.
pub fn judge_world(world: &World<'_>, only: Option<&[Rule]>) -> Vec<Finding> {
    rules::judge(world, only)
}
