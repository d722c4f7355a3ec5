//! The floor: wires the agents live and in replay.
//!
//! This crate never holds business logic: [`engine`] calls book, desk and strategies in order, [`live`] is the sequence's
//! thread, [`replay`] the same step over a recording, `run` what starts and ends a floor.

pub mod alone;
mod begin;
pub mod bodies;
pub mod configuration;
mod counters;
pub mod engine;
pub mod error;
pub mod inlet;
pub mod live;
pub mod market;
pub mod plain;
pub mod ports;
mod printer;
pub mod readings;
pub mod records;
pub mod replay;
pub mod run;
pub mod seated;
mod secrets;
pub mod signed_watch;
pub mod status;
pub mod summary;
pub mod switch_watch;
pub mod terminal;
pub mod venue_clock;
pub mod writer;

pub use secrets::redactor;
