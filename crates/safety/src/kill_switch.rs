//! The kill switch: read at its source each time, never remembered.

use serde::{Deserialize, Serialize};

/// One reading of the switch. Halted unless every source says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Whether execution is halted.
    pub halted: bool,
    /// Which source halts and why, or which source releases: `file kill-switch/EXECUTION_HALTED: contains 1`.
    pub source: String,
}
