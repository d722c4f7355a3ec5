//! What an option is worth and what the options market is doing: price, implied volatility, greeks, parity forwards,
//! dealers' gamma exposure, and the classification of prints.
//!
//! Plain numbers in, plain values out. Prices and strikes are dollars per share in `f64`, instants are UTC nanoseconds in
//! `i64`, volatilities and rates are per year as fractions (0.20 is twenty percent).
//!
//! American options are priced as European ones: no early exercise premium. For short-dated options on index funds the
//! difference is below the quoted spread; deep in the money with a dividend ahead it is not.
//!
//! This crate never knows an order, reads a clock, or does I/O. Every transcendental function comes from `libm`, compiled
//! with the program, so that the same inputs give the same bytes on every machine. Start at [`carry`] and [`black_scholes`].

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod black_scholes;
pub mod carry;
pub mod flow;
mod flow_event;
pub mod gamma_exposure;
pub mod greeks;
pub mod implied_volatility;
pub mod parity;
pub mod quote_trail;
pub mod quote_use;
pub mod regime;
pub mod sweep;
pub mod time_to_expiry;
pub mod zero_gamma;

pub use agenttrader_core::right::Right;
pub use carry::{Carry, CarryError};
pub use greeks::Greeks;
pub use implied_volatility::{NoVolatility, implied_volatility};
pub use regime::Regime;
pub use time_to_expiry::TimeToExpiry;
