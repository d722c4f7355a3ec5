//! What an auditor relies on when a log is verified.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod built;
mod data_dir;
mod keys;
mod killed;
mod live;
mod proofs;
mod whole;
