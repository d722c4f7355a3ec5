//! YAML and JSON, read in the one way that all readers agree on, with the line of every value.

pub mod node;
