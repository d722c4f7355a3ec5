//! What a user of the log relies on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod appending;
mod checkpoints;
mod crashes;
mod given;
mod reading;
