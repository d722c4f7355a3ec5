//! What dealers' hedging does to the market, in one word.

/// Open interest in contracts: all of it, and the part whose gamma is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Open interest of the contracts with a usable quote.
    pub usable: u64,
    /// Open interest of all contracts.
    pub total: u64,
}

/// A regime becomes known at this share of usable open interest, in percent.
pub const KNOWN_FROM_PERCENT: u64 = 80;

/// A known regime is lost under this share, in percent. Lower than the way in, so that one contract that comes and goes
/// does not make the regime flicker.
pub const LOST_UNDER_PERCENT: u64 = 70;

/// Up to this share of the sum of absolute exposures the net counts as none.
pub const NEUTRAL_SHARE: f64 = 0.01;

/// The sign of dealers' gamma, long calls and short puts assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Regime {
    /// Too little of the open interest can be measured.
    Unknown,
    /// Calls and puts cancel.
    Neutral,
    /// Dealers sell rallies and buy dips.
    LongGamma,
    /// Dealers buy rallies and sell dips.
    ShortGamma,
}

impl Regime {
    /// Every regime, in the order in which they are tried.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Neutral, Self::LongGamma, Self::ShortGamma];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Neutral => "NEUTRAL",
            Self::LongGamma => "LONG_GAMMA",
            Self::ShortGamma => "SHORT_GAMMA",
        }
    }

    /// The regime after `previous`, from coverage, net exposure and the sum of the contracts' absolute exposures. At the
    /// start of a session `previous` is [`Regime::Unknown`].
    #[must_use]
    pub fn next(previous: Self, coverage: Coverage, net: f64, gross: f64) -> Self {
        let needed = if previous == Self::Unknown { KNOWN_FROM_PERCENT } else { LOST_UNDER_PERCENT };
        if !coverage.reaches(needed) || !net.is_finite() || !gross.is_finite() {
            Self::Unknown
        } else if net.abs() <= NEUTRAL_SHARE * gross {
            Self::Neutral
        } else if net > 0.0 {
            Self::LongGamma
        } else {
            Self::ShortGamma
        }
    }
}

impl Coverage {
    /// The usable share, 0 to 1; `None` without open interest.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.total > 0).then(|| self.usable as f64 / self.total as f64)
    }

    fn reaches(self, percent: u64) -> bool {
        let (usable, total) = (u128::from(self.usable), u128::from(self.total));
        self.total > 0 && usable.saturating_mul(100) >= total.saturating_mul(u128::from(percent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(previous: Regime, usable: u64, net: f64) -> Regime {
        Regime::next(previous, Coverage { usable, total: 1000 }, net, 100.0)
    }

    #[test]
    fn eighty_percent_make_a_regime_known_and_less_does_not() {
        assert_eq!(next(Regime::Unknown, 800, 50.0), Regime::LongGamma);
        assert_eq!(next(Regime::Unknown, 799, 50.0), Regime::Unknown);
    }

    #[test]
    fn a_known_regime_lasts_down_to_seventy_percent() {
        for known in [Regime::Neutral, Regime::LongGamma, Regime::ShortGamma] {
            assert_eq!(next(known, 700, -50.0), Regime::ShortGamma);
            assert_eq!(next(known, 699, -50.0), Regime::Unknown);
        }
    }

    #[test]
    fn one_percent_of_the_gross_is_neutral_and_more_is_not() {
        assert_eq!(next(Regime::Unknown, 1000, 1.0), Regime::Neutral);
        assert_eq!(next(Regime::Unknown, 1000, -1.0), Regime::Neutral);
        assert_eq!(next(Regime::Unknown, 1000, 1.000_001), Regime::LongGamma);
        assert_eq!(next(Regime::Unknown, 1000, -1.000_001), Regime::ShortGamma);
    }

    #[test]
    fn unknown_comes_before_neutral_and_no_open_interest_is_unknown() {
        assert_eq!(next(Regime::Unknown, 10, 0.0), Regime::Unknown);
        assert_eq!(Regime::next(Regime::LongGamma, Coverage::default(), 0.0, 0.0), Regime::Unknown);
        assert_eq!(next(Regime::LongGamma, 1000, f64::NAN), Regime::Unknown);
        assert_eq!(Coverage::default().share(), None);
    }
}
