//! The sequence: every input in one order, numbered and recorded before it is handled.
//!
//! This crate never interprets an input. A recording *is* the sequence: [`record::Recorder`] writes it, [`read::Recording`] reads it
//! back, [`info::Info`] sums it up, and [`import`] makes one of a real market's files. The bytes are described in `docs/RECORDING.md`.

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

pub mod head;
pub mod import;
pub mod info;
pub mod input;
pub mod read;
pub mod record;

mod format;
