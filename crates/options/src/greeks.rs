//! How an option's value moves: with the spot, with time, with volatility, with the interest rate.

use crate::{
    Right,
    black_scholes::{INV_SQRT_TAU, normal_cdf},
    carry::Carry,
    time_to_expiry::YEAR_DAYS,
};

/// Value and sensitivities of one option, per share (a contract is 100 of them).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Greeks {
    /// The value in dollars.
    pub price: f64,
    /// Dollars of value per dollar of spot, dividends and rate held.
    pub delta: f64,
    /// Delta per dollar of spot.
    pub gamma: f64,
    /// Dollars of value per calendar day that passes: theta per year over 365.
    pub theta: f64,
    /// Dollars of value per 1.00 of volatility (a hundred volatility points).
    pub vega: f64,
    /// Dollars of value per 1.00 of interest rate, dividend yield held.
    pub rho: f64,
}

/// The greeks of one option at a volatility per year.
///
/// `None` under 60 s to expiry, and where strike or volatility is not a positive finite number.
#[must_use]
pub fn greeks(right: Right, strike: f64, volatility: f64, carry: &Carry) -> Option<Greeks> {
    let positive = |x: f64| x.is_finite() && x > 0.0;
    if !carry.time().is_priced() || !positive(strike) || !positive(volatility) {
        return None;
    }
    let (spot, forward, discount) = (carry.spot(), carry.forward(), carry.discount());
    let stdev = volatility * carry.sqrt_years();
    let d1 = libm::log(forward / strike) / stdev + 0.5 * stdev;
    let d2 = d1 - stdev;
    let (sign, n1, n2) = match right {
        Right::Call => (1.0, normal_cdf(d1), normal_cdf(d2)),
        Right::Put => (-1.0, normal_cdf(-d1), normal_cdf(-d2)),
    };
    let density = INV_SQRT_TAU * libm::exp(-0.5 * d1 * d1);
    let forward_per_spot = forward / spot;
    let discounted_strike = discount * strike;

    let value = sign * (discount * forward * n1 - discounted_strike * n2);
    let price = if value < 0.0 { 0.0 } else { value };
    let delta = sign * discount * forward_per_spot * n1;
    let gamma = discount * forward_per_spot * density / (spot * stdev);
    let vega = discount * forward * density * carry.sqrt_years();
    let rho = sign * discounted_strike * carry.years() * n2;
    // The Black-Scholes equation itself: what time takes is what gamma and the carry of the hedge leave.
    let theta_per_year =
        carry.rate() * price - carry.drift() * spot * delta - 0.5 * volatility * volatility * spot * spot * gamma;
    Some(Greeks { price, delta, gamma, theta: theta_per_year / YEAR_DAYS, vega, rho })
}

/// Gamma alone, with one exponential: what an exposure profile needs. Zero where [`greeks`] gives none.
#[must_use]
pub fn gamma(strike: f64, volatility: f64, carry: &Carry) -> f64 {
    let positive = |x: f64| x.is_finite() && x > 0.0;
    if !carry.time().is_priced() || !positive(strike) || !positive(volatility) {
        return 0.0;
    }
    let stdev = volatility * carry.sqrt_years();
    let d1 = libm::log(carry.forward() / strike) / stdev + 0.5 * stdev;
    let density = INV_SQRT_TAU * libm::exp(-0.5 * d1 * d1);
    carry.discount() * carry.forward() / carry.spot() * density / (carry.spot() * stdev)
}
