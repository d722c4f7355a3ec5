//! The sequence: every input in one order, numbered and recorded before it is handled.
//!
//! This crate never interprets an input. A recording *is* the sequence.

pub mod input;
