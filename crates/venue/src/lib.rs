//! A venue to trade against without one: stocks and option chains behind Alpaca's wire protocols.
//!
//! The pure half makes a market from seed and date: [`simulation`] is its clockwork, [`profile`] its underlyings,
//! [`paths`] where prices go, [`chain`] what is listed, [`surface`] what options are worth, [`quoting`] and [`flow`] what
//! the tape shows. The other half serves it, or a recording's events, over websockets and REST.
//!
//! Production never needs this crate.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod chain;
pub mod flow;
pub mod history;
pub mod paths;
pub mod profile;
pub mod quoting;
pub mod random;
pub mod simulation;
pub mod stock;
pub mod surface;

pub use simulation::{Market, MarketError, Scenario};
