//! Deltas in fixed point: analytics end here, what limits measure begins.

use agenttrader_core::decimal;
use serde::{Serialize, Serializer};
use std::fmt;

/// Delta of one share's worth of an instrument, in billionths: 1 for a share, −1 to 1 for an option. JSON: decimal string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delta(i64);

impl Delta {
    /// A share's own.
    pub const ONE: Self = Self(1_000_000_000);
    /// None.
    pub const ZERO: Self = Self(0);

    /// The delta nearest to a float; `None` unless it lies in −1.000001 to 1.000001.
    pub fn from_f64(delta: f64) -> Option<Self> {
        (delta.abs() <= 1.000_001).then(|| Self((delta * 1e9).round() as i64))
    }

    /// Billionths.
    pub const fn nanos(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Delta {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal::write_billionths(i128::from(self.0), out)
    }
}

impl Serialize for Delta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
