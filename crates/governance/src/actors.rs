//! What an agent may change and push, and what nobody may push: `policy check`. The contract on what agents may do.
//!
//! A change is judged by what it means: [`facts`] is what a tree says, read by the readers of the manifest policy, and [`compare`] tells
//! what one tree says that another does not. Lines are shown and never judged. [`change`] judges commits, [`push`] every ref of a push, and
//! [`baseline`] the branch that moves from lock to lock. Rules come from the base, never from what is pushed.

pub mod actor;
pub mod baseline;
pub mod change;
mod commands;
mod compare;
pub mod error;
mod facts;
pub mod offence;
mod paths;
pub mod push;
mod trees;
pub mod update;
