//! What the seats and the built-in strategies hold to, each claim a test, over books made by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common_rules;
mod configuration;
mod gamma_rules;
mod gamma_session;
mod naive_flow_trend;
mod support;
mod well_formed;
mod whale_rules;
