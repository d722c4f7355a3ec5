//! The command line as a person meets it: whole screens of the binary, compared with files that a person has read.
//!
//! `UPDATE_SCREENS=1 cargo test -p agenttrader --test cli` writes them anew; read the difference before it is committed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod agents;
mod audit;
mod audit_outside;
mod completions;
mod configuration;
mod documents;
mod evidence;
mod faults;
mod floor;
mod halt;
mod help;
mod lock;
mod logs;
mod manifests;
mod pushes;
mod recordings;
mod screen;
mod secrets;
mod stories;
mod trust;
mod unlock;
