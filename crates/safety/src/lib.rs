//! The safety core: kill switch, freshness, limits, the gate and its permit.
//!
//! This crate never talks to a broker and has no cargo features. Start at `gate`: it asks every control about one
//! proposal; `permit` is the only maker of an execution permit.

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

pub mod agent_state;
pub mod answer;
mod asked;
mod class;
pub mod controls;
pub mod delta;
pub mod effect;
mod exposure;
pub mod facts;
pub mod freshness;
pub mod gate;
pub mod interlock;
pub mod kill_switch;
pub mod limits;
mod measure;
pub mod notional;
pub mod permit;
pub mod quotes;
pub mod seen;
mod snapshot;

#[cfg(test)]
mod tests {
    pub(crate) mod fixture;
}
