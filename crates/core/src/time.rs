//! Instants and spans in UTC nanoseconds. No clock is read here: a time is always a value that somebody brings.

use crate::as_text::as_text;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Nanoseconds in a second.
const SECOND: i64 = 1_000_000_000;

/// An instant, in nanoseconds since 1970-01-01T00:00:00Z. JSON: RFC 3339 with `Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixNanos(i64);

/// A signed span of time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(i64);

/// Why a text is no instant.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not an RFC 3339 time with `Z` between 1678 and 2262")]
pub struct TimeError {
    /// The text as it came, cut to 64 characters.
    pub text: String,
}

impl UnixNanos {
    /// The latest instant that fits.
    pub const MAX: Self = Self(i64::MAX);
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The instant that many nanoseconds after the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The instant that many whole seconds after the epoch; saturates.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// Seconds since the epoch as a float, for JSON fields that are defined so.
    pub fn as_seconds_f64(self) -> f64 {
        Span(self.0).as_seconds_f64()
    }

    /// This instant moved by `span`; saturates at the ends of what fits.
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// This instant moved back by `span`; saturates.
    #[must_use]
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// How long after `earlier` this instant is; negative if it is before. Saturates.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// The latest multiple of `step` at or before this instant. A `step` that is not positive leaves it as it is.
    #[must_use]
    pub const fn floor_to(self, step: Span) -> Self {
        match self.0.checked_rem_euclid(step.0) {
            Some(rest) if step.0 > 0 => Self(self.0.saturating_sub(rest)),
            _ => self,
        }
    }

    /// Reads RFC 3339 with `Z`, up to nine fractional digits.
    ///
    /// # Errors
    /// [`TimeError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let refused = || TimeError { text: text.chars().take(64).collect() };
        if !text.ends_with('Z') {
            return Err(refused());
        }
        let stamp: jiff::Timestamp = text.parse().map_err(|_| refused())?;
        i64::try_from(stamp.as_nanosecond()).map(Self).map_err(|_| refused())
    }
}

impl Span {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// A span of nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// A span of milliseconds; saturates.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// A span of seconds; saturates.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// A span of minutes; saturates.
    pub const fn from_minutes(minutes: i64) -> Self {
        Self::from_seconds(minutes.saturating_mul(60))
    }

    /// Nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole milliseconds, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Whole seconds, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// Seconds as a float.
    pub fn as_seconds_f64(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }

    /// The longer of the two.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// Twice this span; saturates.
    #[must_use]
    pub const fn doubled(self) -> Self {
        Self(self.0.saturating_mul(2))
    }
}

impl fmt::Display for UnixNanos {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(stamp) => write!(out, "{stamp}"),
            Err(_) => write!(out, "{}ns", self.0),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} s", self.as_seconds_f64())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

as_text!(UnixNanos);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_utc_with_z_is_read() {
        for bad in [
            "2026-01-05T14:30:00",
            "2026-01-05T14:30:00+00:00",
            "2026-01-05",
            "now",
            "2026-13-05T14:30:00Z",
            "3000-01-01T00:00:00Z",
        ] {
            assert!(UnixNanos::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(UnixNanos::parse("1970-01-01T00:00:01.000000001Z").unwrap(), UnixNanos::from_nanos(1_000_000_001));
    }

    #[test]
    fn flooring_goes_down_before_the_epoch_too() {
        assert_eq!(UnixNanos::from_nanos(-1).floor_to(Span::from_seconds(1)), UnixNanos::from_seconds(-1));
        assert_eq!(UnixNanos::from_nanos(7).floor_to(Span::ZERO), UnixNanos::from_nanos(7));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nanos in any::<i64>()) {
            let time = UnixNanos::from_nanos(nanos);
            prop_assert_eq!(UnixNanos::parse(&time.to_string()).unwrap(), time);
        }
    }
}
