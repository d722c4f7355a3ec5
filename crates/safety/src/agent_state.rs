//! States of the execution state machine.

use serde::{Deserialize, Serialize};

/// Where the execution agent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExecutionState {
    /// Started, not reconciled yet.
    Init,
    /// Every input is good and reconciliation has completed.
    Ready,
    /// Only reducing orders pass.
    ReduceOnly,
    /// Market data is stale or the log cannot be written.
    Degraded,
    /// The kill switch halts.
    Halted,
    /// Something unexpected happened.
    Error,
}
