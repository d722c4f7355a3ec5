//! Strategies: the trait, the step that asks them in order, and the built-in ones.
//!
//! This crate never calls a broker, reads a clock or knows how its proposals are judged. Start at [`step`]: it makes the
//! seats from the configuration and asks one at an input. What holds for every strategy stands in [`guard`].

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

pub mod builtin;
pub mod closing;
pub mod config;
pub mod draft;
pub mod guard;
pub mod moment;
pub mod realised;
pub mod step;
pub mod strategy;
