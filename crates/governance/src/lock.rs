//! The production lock: what it says, where it stands in history, and the rules that judge it.
//!
//! Start at [`model`] for what a lock is, at [`validate`] for how a commit is judged.

pub mod agents;
pub mod build;
pub mod chain;
pub mod commit;
pub mod findings;
pub mod genesis;
pub mod later;
pub mod manifests;
pub mod model;
pub mod page;
pub mod people;
pub mod pin;
pub mod rules;
pub mod status;
pub mod tags;
pub mod unlocked;
pub mod validate;
pub mod write_error;
