//! The controls: one file a control or a small family, each with its tests.
//!
//! A control takes what it may look at and answers; none sees another's answer. What takes an `Asked` reads the proposal.

pub(crate) mod account;
pub(crate) mod activity;
pub mod approval;
pub(crate) mod buying_power;
pub(crate) mod delegation;
pub(crate) mod loss;
pub(crate) mod marketdata;
pub(crate) mod order_size;
pub(crate) mod position;
pub(crate) mod posture;
pub(crate) mod price_collar;
pub(crate) mod proposal;
pub(crate) mod self_trade;
pub(crate) mod sender;
pub(crate) mod symbol;
pub mod unlock;
