//! What every agent process has: who it is, its keys, its clock and tasks, its health endpoints and their types, its metrics, its end.
//!
//! This crate never holds business logic: it shows what others found out. Start at [`status`] and [`health`].

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

pub mod clock;
pub mod entropy;
pub mod guard;
pub mod health;
pub mod keys;
pub mod marketdata_health;
pub mod metrics;
pub mod served_log;
pub mod service_kind;
pub mod shutdown;
pub mod snapshot;
pub mod start;
pub mod state;
pub mod status;
pub mod tasks;
pub mod unwritable;
