//! The production lock over real repositories, made with stock git and stock ssh-keygen in temporary folders.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test may")]

mod baseline;
mod changes;
mod drafts;
mod genesis;
mod hidden;
mod history;
mod hostile;
mod own;
mod repo;
mod tags;
