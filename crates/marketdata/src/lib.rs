//! Feed to book: latest quotes and trades, candles, option chains with volatility and greeks, gamma exposure, flow,
//! freshness.
//!
//! This crate never places or approves an order. [`book::Book`] is a plain fold over the sequence; the `feed` module
//! is the one part that talks.

pub mod book;
pub mod candle;
pub mod chain;
pub mod feed;
pub mod feed_age;
pub mod flow_window;
pub mod latest;
pub mod rates;
