//! Alpaca's wire protocols: the types both ends share, and the client's end.
//!
//! [`wire`] holds what goes over the wire as plain values, for client and simulator alike. [`decode`] turns stream
//! frames into market events without allocating; [`stream`] keeps a connection alive; [`data_rest`] and
//! [`trading_rest`] ask the REST services.
//!
//! This crate never decides anything: no order, no freshness, no reading of a clock.

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

pub mod back_off;
pub mod credentials;
pub mod data_rest;
pub mod decode;
pub mod handshake;
pub mod rest;
pub mod stream;
pub mod tls;
pub mod trading_rest;
pub mod wire;
