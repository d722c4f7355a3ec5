//! How old market data is, against how old it may be.

use agenttrader_core::time::{Span, UnixNanos};
use serde::{Serialize, Serializer};
use std::fmt;

/// Furthest ahead of venue time an event may lie and still count as new.
pub const AHEAD_MAX: Span = Span::from_seconds(1);

/// Age of a feed or an underlying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Freshness {
    /// Nothing has arrived yet.
    Missing,
    /// Something has arrived that says nothing of now: from the future, or the clock went back.
    Unknown {
        /// Oldest it may be.
        #[serde(rename = "limit_seconds", serialize_with = "decimal_seconds")]
        limit: Span,
    },
    /// The age of the latest.
    Age {
        /// How old it is.
        #[serde(rename = "age_seconds", serialize_with = "decimal_seconds")]
        age: Span,
        /// Oldest it may be.
        #[serde(rename = "limit_seconds", serialize_with = "decimal_seconds")]
        limit: Span,
    },
}

impl Freshness {
    /// Oldest it may be; null while nothing has arrived.
    pub const fn limit(&self) -> Option<Span> {
        match self {
            Self::Missing => None,
            Self::Unknown { limit } | Self::Age { limit, .. } => Some(*limit),
        }
    }

    /// Whether it is fresh: known and not older than its limit.
    pub fn is_fresh(&self) -> bool {
        matches!(self, Self::Age { age, limit } if age <= limit)
    }
}

/// The age of what was received at `received` and stamped `stamped`, at venue time `now`: the larger of both, so that
/// neither a silent feed nor one that repeats old data passes for fresh. `None` when it lies more than [`AHEAD_MAX`]
/// ahead of venue time, or was received after `now`: such an event says nothing of now.
pub fn age(now: UnixNanos, received: UnixNanos, stamped: UnixNanos) -> Option<Span> {
    let since_receipt = now.since(received);
    let since_stamp = now.since(stamped);
    if since_receipt < Span::ZERO || since_stamp.nanos() < AHEAD_MAX.nanos().saturating_neg() {
        return None;
    }
    Some(since_receipt.max(since_stamp).max(Span::ZERO))
}

/// Writes a span as seconds in a decimal string: a recording of years ago, played now, is older than an exact JSON integer holds.
pub(crate) fn decimal_seconds<S: Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
    struct Seconds(i64);
    impl fmt::Display for Seconds {
        fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            agenttrader_core::decimal::write_billionths(i128::from(self.0), out)
        }
    }
    serializer.collect_str(&Seconds(span.nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> UnixNanos {
        UnixNanos::EPOCH.plus(Span::from_millis(millis))
    }

    #[test]
    fn the_age_is_the_larger_of_silence_and_staleness() {
        assert_eq!(age(at(10_000), at(9_000), at(4_000)), Some(Span::from_seconds(6)));
        assert_eq!(age(at(10_000), at(4_000), at(9_000)), Some(Span::from_seconds(6)));
    }

    #[test]
    fn up_to_a_second_ahead_is_new_and_further_says_nothing() {
        assert_eq!(age(at(10_000), at(10_000), at(11_000)), Some(Span::ZERO));
        assert_eq!(age(at(10_000), at(10_000), at(11_001)), None);
    }

    #[test]
    fn a_clock_that_steps_back_makes_nothing_fresh() {
        assert_eq!(age(at(9_000), at(10_000), at(9_000)), None);
    }

    #[test]
    fn the_limit_itself_is_fresh() {
        let limit = Span::from_seconds(30);
        assert!(Freshness::Age { age: limit, limit }.is_fresh());
        assert!(!Freshness::Age { age: limit.plus_nano(), limit }.is_fresh());
        assert!(!Freshness::Missing.is_fresh() && !Freshness::Unknown { limit }.is_fresh());
    }

    #[test]
    fn an_age_of_years_is_written_exactly() {
        let age = Freshness::Age { age: Span::from_nanos(i64::MAX), limit: Span::from_millis(1_500) };
        let text = serde_json::to_string(&age).unwrap();
        assert_eq!(text, r#"{"state":"age","age_seconds":"9223372036.854775807","limit_seconds":"1.5"}"#);
    }

    trait PlusNano {
        fn plus_nano(self) -> Span;
    }
    impl PlusNano for Span {
        fn plus_nano(self) -> Span {
            Span::from_nanos(self.nanos() + 1)
        }
    }
}
