//! Controlled unlocks over real repositories, made with stock git and stock ssh-keygen in temporary folders.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test may")]

mod after;
mod floor;
mod grants;
mod histories;
mod life;
mod people;
mod pushes;
#[path = "../lock/repo.rs"]
#[allow(dead_code, reason = "shared with the tests of locks")]
mod repo;
mod scopes;
mod thresholds;
