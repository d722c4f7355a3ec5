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

pub mod finding;
pub mod tree;
pub mod yaml;
