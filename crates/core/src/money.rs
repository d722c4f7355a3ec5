//! Sums of money: notionals, fees, profit and loss, equity.

use crate::as_text::as_text;
use crate::decimal;
use std::fmt;
use std::iter::Sum;

/// An amount in billionths of a US dollar, signed, 128 bits wide. JSON: a decimal string. Arithmetic saturates: no sum
/// of this system comes near the ends (1.7e29 dollars).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i128);

/// Why a text is no amount.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not an amount: a decimal with at most nine places")]
pub struct MoneyError {
    /// The text as it came, cut to 64 characters.
    pub text: String,
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of that many billionths of a dollar.
    pub const fn from_nanos(nanos: i128) -> Self {
        Self(nanos)
    }

    /// Whole dollars.
    pub fn from_dollars(dollars: i64) -> Self {
        Self(i128::from(dollars).saturating_mul(decimal::SCALE))
    }

    /// Billionths of a dollar.
    pub const fn nanos(self) -> i128 {
        self.0
    }

    /// Dollars as a float, for analytics and display.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The amount nearest to floating-point dollars; `None` if it is not finite or beyond 1e20 dollars.
    pub fn from_f64(dollars: f64) -> Option<Self> {
        (dollars.is_finite() && dollars.abs() < 1e20).then(|| Self((dollars * 1e9).round() as i128))
    }

    /// Reads a decimal string.
    ///
    /// # Errors
    /// [`MoneyError`], naming the text.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        decimal::parse_billionths(text).map(Self).ok_or_else(|| MoneyError { text: text.chars().take(64).collect() })
    }

    /// Sum.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Difference.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The amount without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// The amount with the other sign.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self(self.0.saturating_neg())
    }

    /// That many times the amount.
    #[must_use]
    pub fn times(self, times: i64) -> Self {
        Self(self.0.saturating_mul(i128::from(times)))
    }

    /// The fraction `basis_points / 10,000`, rounded down.
    #[must_use]
    pub fn basis_points(self, basis_points: u32) -> Self {
        Self(self.0.saturating_mul(i128::from(basis_points)).div_euclid(10_000))
    }

    /// Rounded up to the next cent, as fees are charged.
    #[must_use]
    pub fn up_to_cent(self) -> Self {
        let cent: i128 = 10_000_000;
        match self.0.checked_rem_euclid(cent) {
            None | Some(0) => self,
            Some(rest) => Self(self.0.saturating_sub(rest).saturating_add(cent)),
        }
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::ZERO, Self::plus)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal::write_billionths(self.0, out)
    }
}

as_text!(Money);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_rounded_up_to_the_cent() {
        assert_eq!(Money::parse("0.0101").unwrap().up_to_cent().to_string(), "0.02");
        assert_eq!(Money::parse("0.01").unwrap().up_to_cent().to_string(), "0.01");
    }
}
