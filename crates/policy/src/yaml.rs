//! YAML and JSON, read in the one way that all readers agree on, with the line of every value.

mod build;
pub(crate) mod bytes;
pub mod node;
pub mod read;
pub mod scalar;
