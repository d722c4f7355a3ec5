//! The audit log: append, wait for the receipt, read back; and redaction. Entries bring their own time.
//!
//! Files and threads, no async. This crate never decides anything, reads a clock or opens a socket. Start at [`log`].

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

mod ahead;
mod answer;
mod batch;
mod blobs;
pub mod checkpoint;
mod disk;
mod encode;
mod error;
#[cfg(test)]
mod faults;
mod frame;
mod head;
mod health;
mod integrator;
mod journal;
mod locked;
pub mod log;
pub mod merkle;
pub mod note;
mod options;
pub mod proof;
pub mod prove;
mod queue;
pub mod read;
pub mod receipt;
pub mod record;
pub mod redact;
mod replay;
pub mod source;
mod start;
pub mod tile;
mod tile_files;
mod tree;
pub mod verify;
mod watch;
pub mod witness;
pub mod witnessed;
mod writer;

pub use log::{Health, Log, LogError, OpenError, Opened, Options, Ticket, Torn};
pub use receipt::{Receipt, payload_digest};
pub use record::{Entry, IntentType, Outcome, Record};
pub use redact::Redactor;
