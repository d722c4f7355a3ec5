//! Prices: what one share, or one share's worth of an option, costs.

use crate::as_text::as_text;
use crate::decimal;
use crate::money::Money;
use std::fmt;

/// A price in billionths of a US dollar, signed: a net price may be a credit. JSON: a decimal string.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Price(i64);

/// Which way a price is moved onto a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Towards minus infinity.
    Down,
    /// Towards plus infinity.
    Up,
}

/// Why a text or number is no price.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PriceError {
    /// Not `[-]digits[.digits]` with at most nine places.
    #[error("`{text}` is not a decimal with at most nine places")]
    NotDecimal {
        /// The text as it came, cut to 64 characters.
        text: String,
    },
    /// Outside what 64 bits of billionths hold.
    #[error("price {text} is outside {min} to {max}", min = Price::MIN, max = Price::MAX)]
    OutOfRange {
        /// The text as it came, cut to 64 characters.
        text: String,
    },
}

impl Price {
    /// No price, or an even net.
    pub const ZERO: Self = Self(0);
    /// About −9.2 billion dollars.
    pub const MIN: Self = Self(i64::MIN);
    /// About 9.2 billion dollars.
    pub const MAX: Self = Self(i64::MAX);
    /// One cent.
    pub const CENT: Self = Self(10_000_000);
    /// Five cents.
    pub const NICKEL: Self = Self(50_000_000);
    /// One dollar.
    pub const DOLLAR: Self = Self(1_000_000_000);

    /// A price of that many billionths of a dollar.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Billionths of a dollar.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The price nearest to a feed's floating-point dollars; `None` if it is not finite or does not fit.
    pub fn from_f64(dollars: f64) -> Option<Self> {
        let nanos = (dollars * 1e9).round();
        // 9.2e18 is inside i64 by more than the spacing of doubles there.
        (nanos.is_finite() && nanos.abs() < 9.2e18).then_some(Self(nanos as i64))
    }

    /// Dollars as a float, for analytics. Never used for an order.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Reads a decimal string.
    ///
    /// # Errors
    /// [`PriceError`], naming the text.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let shown = || text.chars().take(64).collect();
        let nanos = decimal::parse_billionths(text).ok_or_else(|| PriceError::NotDecimal { text: shown() })?;
        i64::try_from(nanos).map(Self).map_err(|_| PriceError::OutOfRange { text: shown() })
    }

    /// Sum; `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// Difference; `None` on overflow.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// This price that many times; `None` on overflow.
    pub const fn checked_mul(self, times: i64) -> Option<Self> {
        match self.0.checked_mul(times) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// The price without its sign; saturates.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// Halfway between the two, rounded down to a billionth.
    #[must_use]
    pub fn midpoint(self, other: Self) -> Self {
        let sum = i128::from(self.0).saturating_add(i128::from(other.0));
        // The mean of two i64 is an i64.
        Self(i64::try_from(sum.div_euclid(2)).unwrap_or(i64::MAX))
    }

    /// What `quantity` (signed) of this price times `multiplier` comes to. 128 bits wide inside, so it cannot overflow.
    pub fn notional(self, quantity: i64, multiplier: u32) -> Money {
        let product = i128::from(self.0).saturating_mul(i128::from(quantity)).saturating_mul(i128::from(multiplier));
        Money::from_nanos(product)
    }

    /// The fraction `basis_points / 10,000` of this price, rounded down.
    #[must_use]
    pub fn basis_points(self, basis_points: u32) -> Self {
        let scaled = i128::from(self.0).saturating_mul(i128::from(basis_points)).div_euclid(10_000);
        Self(i64::try_from(scaled).unwrap_or(if self.0 < 0 { i64::MIN } else { i64::MAX }))
    }

    /// Whether this is a whole number of ticks. A tick that is not positive fits nothing.
    pub const fn is_on_tick(self, tick: Self) -> bool {
        tick.0 > 0 && matches!(self.0.checked_rem_euclid(tick.0), Some(0))
    }

    /// The nearest whole number of ticks in that direction; saturates. A tick that is not positive changes nothing.
    #[must_use]
    pub const fn round_to(self, tick: Self, rounding: Rounding) -> Self {
        if tick.0 <= 0 {
            return self;
        }
        match self.0.checked_rem_euclid(tick.0) {
            None | Some(0) => self,
            Some(rest) => {
                let down = self.0.saturating_sub(rest);
                match rounding {
                    Rounding::Down => Self(down),
                    Rounding::Up => Self(down.saturating_add(tick.0)),
                }
            }
        }
    }
}

impl fmt::Display for Price {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal::write_billionths(i128::from(self.0), out)
    }
}

as_text!(Price);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn feeds_floats_land_on_the_decimal_they_mean() {
        assert_eq!(Price::from_f64(189.37), Some(Price::parse("189.37").unwrap()));
        assert_eq!(Price::from_f64(f64::NAN), None);
        assert_eq!(Price::from_f64(1e11), None);
    }

    #[test]
    fn a_price_too_large_names_the_limits() {
        let error = Price::parse("10000000000").unwrap_err();
        assert_eq!(error.to_string(), "price 10000000000 is outside -9223372036.854775808 to 9223372036.854775807");
    }

    #[test]
    fn rounding_goes_the_way_asked_below_zero_too() {
        let net = Price::parse("-0.123").unwrap();
        assert_eq!(net.round_to(Price::CENT, Rounding::Down).to_string(), "-0.13");
        assert_eq!(net.round_to(Price::CENT, Rounding::Up).to_string(), "-0.12");
        assert!(!net.is_on_tick(Price::CENT) && net.round_to(Price::CENT, Rounding::Up).is_on_tick(Price::CENT));
    }

    proptest! {
        #[test]
        fn notional_never_overflows(nanos in any::<i64>(), quantity in any::<i64>(), multiplier in any::<u32>()) {
            let exact = i128::from(nanos).checked_mul(i128::from(quantity)).and_then(|value| value.checked_mul(i128::from(multiplier)));
            let got = Price::from_nanos(nanos).notional(quantity, multiplier);
            prop_assert!(exact.is_none_or(|value| got == Money::from_nanos(value)));
        }

        #[test]
        fn the_midpoint_lies_between(a in any::<i64>(), b in any::<i64>()) {
            let mid = Price::from_nanos(a).midpoint(Price::from_nanos(b)).nanos();
            prop_assert!(a.min(b) <= mid && mid <= a.max(b));
        }
    }
}
