//! What an auditor works with: where logs are, packs of them, and the story of one proposal.
//!
//! This crate reads what agents wrote. It never writes to a log but that of its own commands, and holds no key but theirs. Start at [`place`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod actors;
pub mod artefacts;
pub mod attributes;
pub mod bounded_file;
pub mod change;
pub mod cluster;
pub mod committed;
pub mod cosigned;
pub mod deploy_report;
pub mod disk;
pub mod git;
mod json_file;
pub mod kept;
pub mod keyring;
pub mod lkg;
pub mod lock;
pub mod own_log;
pub mod pack;
pub mod place;
mod policy_tree;
pub mod readiness;
pub mod records;
pub mod refusal;
pub mod remote;
pub mod scope;
pub mod trace;
pub mod unlock;
mod words;
pub mod workload;
