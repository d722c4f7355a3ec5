//! What an auditor works with: where logs are, packs of them, and the story of one proposal.
//!
//! This crate reads what agents wrote. It never writes to an agent's log, and holds no key. Start at [`place`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod committed;
pub mod cosigned;
pub mod keyring;
pub mod pack;
pub mod place;
pub mod remote;
pub mod trace;
