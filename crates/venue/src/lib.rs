//! A venue to trade against without one: stocks and option chains behind Alpaca's wire protocols.
//!
//! The pure half makes a market from seed and date: [`simulation`] is its clockwork, [`profile`] its underlyings,
//! [`paths`] where prices go, [`chain`] what is listed, [`surface`] what options are worth, [`quoting`] and [`flow`] what
//! the tape shows, [`history`] what went before. The other half serves it, or a recording ([`playback`]): [`server`] moves
//! the market on with its [`clock`] and keeps its place ([`session`]), [`book`] remembers, [`hub`] hands out, [`protocol`]
//! answers over websockets and REST.
//!
//! Production never needs this crate.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod book;
pub mod chain;
pub mod clock;
pub mod directory;
pub mod flow;
pub mod history;
pub mod hub;
pub mod paths;
pub mod plan;
pub mod playback;
pub mod profile;
pub mod protocol;
pub mod quoting;
pub mod random;
pub mod scenario;
pub mod server;
pub mod session;
pub mod simulation;
pub mod stock;
pub mod surface;

pub use plan::Plan;
pub use playback::Playback;
pub use scenario::Scenario;
pub use server::{Source, Venue, VenueConfig, VenueError, serve};
pub use session::Simulation;
pub use simulation::{Market, MarketError};
