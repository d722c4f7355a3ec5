//! What this crate promises, in one binary: linking costs more than running.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod approvals;
mod common;
mod git;
mod grants;
mod roots;
mod signatures;
mod signers;
mod unlocks;
