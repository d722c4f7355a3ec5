//! The words of the field: instruments, prices, times, the exchange calendar, market events, proposals, decisions.
//!
//! This crate never does I/O and never reads a clock; every other crate speaks in its types.

pub mod calendar;
pub mod canonical_json;
pub mod occ_symbol;
