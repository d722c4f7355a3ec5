//! The time an option has left, and when that is too little to price.

/// Nanoseconds of a year of 365 days: 31,536,000 s, the year every volatility, rate and theta of this crate refers to.
pub const YEAR_NANOS: i64 = 31_536_000_000_000_000;

/// Days of that year: theta per day is theta per year over this.
pub const YEAR_DAYS: f64 = 365.0;

/// Under one minute a mid price says nothing about volatility and gamma is a spike: no volatility, no greeks.
pub const SHORTEST_PRICED_NANOS: i64 = 60_000_000_000;

/// What remains until an option's expiry instant, in nanoseconds, never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeToExpiry {
    nanos: i64,
}

impl TimeToExpiry {
    /// From the event's instant to the expiry instant, both UTC nanoseconds; zero once expiry has passed.
    #[must_use]
    pub fn between(at: i64, expiry: i64) -> Self {
        Self::from_nanos(expiry.saturating_sub(at))
    }

    /// From a length in nanoseconds; a negative one is zero.
    #[must_use]
    pub fn from_nanos(nanos: i64) -> Self {
        Self { nanos: nanos.max(0) }
    }

    /// The length in nanoseconds.
    #[must_use]
    pub fn nanos(self) -> i64 {
        self.nanos
    }

    /// The length in years of 365 days.
    #[must_use]
    pub fn years(self) -> f64 {
        self.nanos as f64 / YEAR_NANOS as f64
    }

    /// Whether a volatility and greeks exist: 60 s or more are left. Below that an option is worth its intrinsic value.
    #[must_use]
    pub fn is_priced(self) -> bool {
        self.nanos >= SHORTEST_PRICED_NANOS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_365_days() {
        assert_eq!(TimeToExpiry::from_nanos(YEAR_NANOS).years(), 1.0);
        assert_eq!(YEAR_NANOS, 365 * 24 * 3600 * 1_000_000_000);
    }

    #[test]
    fn sixty_seconds_are_priced_and_a_nanosecond_less_is_not() {
        assert!(TimeToExpiry::between(1_000, 1_000 + SHORTEST_PRICED_NANOS).is_priced());
        assert!(!TimeToExpiry::between(1_001, 1_000 + SHORTEST_PRICED_NANOS).is_priced());
    }

    #[test]
    fn time_past_expiry_is_zero_and_extremes_do_not_overflow() {
        assert_eq!(TimeToExpiry::between(10, 5).nanos(), 0);
        assert_eq!(TimeToExpiry::between(i64::MIN, i64::MAX).nanos(), i64::MAX);
        assert_eq!(TimeToExpiry::between(i64::MAX, i64::MIN).nanos(), 0);
    }
}
