//! What ties the spot price to one expiry: forward, discount and the time between.

use crate::time_to_expiry::TimeToExpiry;

/// The underlying as seen from one expiry. Made once per expiry and spot, used for every strike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Carry {
    spot: f64,
    forward: f64,
    discount: f64,
    time: TimeToExpiry,
    years: f64,
    sqrt_years: f64,
    rate: f64,
    drift: f64,
}

/// Why no [`Carry`] can be made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum CarryError {
    /// The spot price is not a positive finite number.
    #[error("spot price {spot} is not a positive number")]
    Spot {
        /// The price given.
        spot: f64,
    },
    /// The forward price is not a positive finite number.
    #[error("forward price {forward} is not a positive number")]
    Forward {
        /// The price given, or the one that rate and yield lead to.
        forward: f64,
    },
    /// The discount factor is not a positive finite number.
    #[error("discount factor {discount} is not a positive number")]
    Discount {
        /// The factor given, or the one that the rate leads to.
        discount: f64,
    },
}

impl Carry {
    /// From a continuously compounded interest rate and dividend yield per year.
    ///
    /// # Errors
    /// When spot, or the forward or discount that follow, is not a positive finite number.
    pub fn from_rates(spot: f64, rate: f64, dividend_yield: f64, time: TimeToExpiry) -> Result<Self, CarryError> {
        let years = time.years();
        let drift = rate - dividend_yield;
        let forward = spot * libm::exp(drift * years);
        let discount = libm::exp(-rate * years);
        Self::checked(Self { spot, forward, discount, time, years, sqrt_years: years.sqrt(), rate, drift })
    }

    /// From a forward price known otherwise, such as the one of put-call parity, and the discount factor to expiry.
    ///
    /// # Errors
    /// When spot, forward or discount is not a positive finite number.
    pub fn from_forward(spot: f64, forward: f64, discount: f64, time: TimeToExpiry) -> Result<Self, CarryError> {
        let years = time.years();
        let per_year = |growth: f64| if years > 0.0 { libm::log(growth) / years } else { 0.0 };
        let (rate, drift) = (-per_year(discount), per_year(forward / spot));
        Self::checked(Self { spot, forward, discount, time, years, sqrt_years: years.sqrt(), rate, drift })
    }

    fn checked(carry: Self) -> Result<Self, CarryError> {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let Self { spot, forward, discount, .. } = carry;
        if !positive(spot) {
            return Err(CarryError::Spot { spot });
        }
        if !positive(forward) {
            return Err(CarryError::Forward { forward });
        }
        if !positive(discount) {
            return Err(CarryError::Discount { discount });
        }
        Ok(carry)
    }

    /// The underlying's price now, in dollars.
    #[must_use]
    pub fn spot(&self) -> f64 {
        self.spot
    }

    /// The price agreed today for delivery at expiry, in dollars.
    #[must_use]
    pub fn forward(&self) -> f64 {
        self.forward
    }

    /// Today's value of a dollar at expiry.
    #[must_use]
    pub fn discount(&self) -> f64 {
        self.discount
    }

    /// The time left.
    #[must_use]
    pub fn time(&self) -> TimeToExpiry {
        self.time
    }

    /// The time left, in years of 365 days.
    #[must_use]
    pub fn years(&self) -> f64 {
        self.years
    }

    /// The square root of [`Self::years`].
    #[must_use]
    pub fn sqrt_years(&self) -> f64 {
        self.sqrt_years
    }

    /// The interest rate per year, continuously compounded.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Interest rate less dividend yield per year: the growth of the forward over the spot.
    #[must_use]
    pub fn drift(&self) -> f64 {
        self.drift
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time_to_expiry::YEAR_NANOS;

    #[test]
    fn rates_and_forward_tell_the_same_carry() {
        let time = TimeToExpiry::from_nanos(YEAR_NANOS / 2);
        let a = Carry::from_rates(100.0, 0.04, 0.013, time).unwrap();
        let b = Carry::from_forward(100.0, a.forward(), a.discount(), time).unwrap();
        assert!((a.rate() - b.rate()).abs() < 1e-14);
        assert!((a.drift() - b.drift()).abs() < 1e-14);
    }

    #[test]
    fn numbers_that_are_no_prices_are_refused_by_name() {
        let time = TimeToExpiry::from_nanos(YEAR_NANOS);
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(Carry::from_rates(bad, 0.0, 0.0, time), Err(CarryError::Spot { .. })));
            assert!(matches!(Carry::from_forward(1.0, bad, 1.0, time), Err(CarryError::Forward { .. })));
            assert!(matches!(Carry::from_forward(1.0, 1.0, bad, time), Err(CarryError::Discount { .. })));
        }
        assert!(Carry::from_rates(1.0, f64::NAN, 0.0, time).is_err());
        assert!(Carry::from_rates(1.0, 1e9, 0.0, time).is_err());
    }
}
