//! Mission control: the view (a fold over records), the poller of the agents, the witness of their logs, the read-only API.
//!
//! This crate never has a route that changes anything. Start at [`view`], then [`api`].

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

pub mod access;
pub mod api;
pub mod body;
pub mod hub;
pub mod inventory;
pub mod item;
pub mod journals;
pub mod poll;
mod polled;
pub mod reading;
mod story;
pub mod view;
pub mod witness;
