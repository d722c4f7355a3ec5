//! The execution desk: takes every input in, judges proposals, fills shadow orders, keeps the shadow account.
//!
//! This crate never makes its own permit, and nothing in it reads a clock or a file. Start at [`desk`].

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

pub mod broker;
pub mod counters;
pub mod delta;
pub mod desk;
pub mod desk_settings;
pub mod expiry;
pub mod fees;
pub mod ledger;
pub mod losses;
pub mod marks;
pub mod output;
mod people;
pub mod readings;
pub mod risk;
pub mod seat;
mod seeing;
pub mod shadow;
