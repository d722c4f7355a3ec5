//! The price of a European option: Black's formula on a forward, which with [`Carry::from_rates`] is
//! Black-Scholes-Merton with a continuous dividend yield.
//!
//! F. Black, *The pricing of commodity contracts*, Journal of Financial Economics 3 (1976).

use std::f64::consts::FRAC_1_SQRT_2;

use crate::{Right, carry::Carry};

/// One over the square root of two pi: the height of the normal density at zero.
pub(crate) const INV_SQRT_TAU: f64 = 0.398_942_280_401_432_7;

/// The chance that a standard normal variable is below `x`. Relative accuracy holds deep into the left tail, where
/// `1 + erf` would have rounded to nothing.
#[must_use]
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// The density of a standard normal variable at `x`.
#[must_use]
pub fn normal_pdf(x: f64) -> f64 {
    INV_SQRT_TAU * libm::exp(-0.5 * x * x)
}

/// What exercising now would bring: the larger of zero and spot against strike, in dollars.
#[must_use]
pub fn intrinsic(right: Right, spot: f64, strike: f64) -> f64 {
    let gain = match right {
        Right::Call => spot - strike,
        Right::Put => strike - spot,
    };
    if gain < 0.0 { 0.0 } else { gain }
}

/// Black's formula: the value in dollars of an option on `forward`, where `stdev` is volatility times the square root of
/// the time in years and `discount` is today's value of a dollar at expiry.
///
/// A `stdev` of zero or less gives the discounted intrinsic value of the forward; NaN in gives NaN out.
#[must_use]
pub fn black(right: Right, forward: f64, strike: f64, stdev: f64, discount: f64) -> f64 {
    if stdev <= 0.0 {
        return discount * intrinsic(right, forward, strike);
    }
    let d1 = libm::log(forward / strike) / stdev + 0.5 * stdev;
    let d2 = d1 - stdev;
    let undiscounted = match right {
        Right::Call => forward * normal_cdf(d1) - strike * normal_cdf(d2),
        Right::Put => strike * normal_cdf(-d2) - forward * normal_cdf(-d1),
    };
    // Far out of the money the two terms may round to a difference just under zero.
    if undiscounted < 0.0 { 0.0 } else { discount * undiscounted }
}

/// The value in dollars per share of one option at a volatility per year. Under 60 s to expiry it is the intrinsic value.
#[must_use]
pub fn price(right: Right, strike: f64, volatility: f64, carry: &Carry) -> f64 {
    if !carry.time().is_priced() {
        return intrinsic(right, carry.spot(), strike);
    }
    black(right, carry.forward(), strike, volatility * carry.sqrt_years(), carry.discount())
}
