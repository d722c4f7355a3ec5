//! The words of the field: instruments, prices, times, the exchange calendar, market events, proposals, decisions.
//!
//! This crate never does I/O and never reads a clock; every other crate speaks in its types.

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

mod as_text;
pub mod calendar;
pub mod canonical_json;
pub mod cut_off;
pub mod decimal;
pub mod decision;
pub mod digest;
pub mod error_chain;
pub mod event;
pub mod identity;
pub mod instrument;
pub mod money;
pub mod occ_symbol;
pub mod order;
pub mod position;
pub mod price;
pub mod proposal;
pub mod quantity;
pub mod reason;
pub mod right;
pub mod secret;
pub mod symbol;
pub mod time;
