//! Strategies: the trait, the step that asks them in order, and the built-in ones.
//!
//! This crate never calls a broker, reads a clock or knows how its proposals are judged.

pub mod draft;
pub mod strategy;
