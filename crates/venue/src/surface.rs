//! The volatility surface that option chains are quoted from.
//!
//! Variance accrues while the market trades, and a little overnight; Black-Scholes counts calendar time. So the same-day
//! expiry shows a higher volatility in the morning than the next week's does, as it does in the real market.

use crate::chain::Expiry;
use crate::paths::YEAR_SESSIONS;
use agenttrader_core::calendar::Session;
use agenttrader_core::right::Right;
use agenttrader_core::time::UnixNanos;
use agenttrader_options::{Carry, TimeToExpiry, black_scholes, greeks};

/// Interest rate a year that chains are priced with; dividends are none.
pub const RATE: f64 = 0.04;

/// Seconds of a whole session.
const FULL_SECONDS: f64 = 23_400.0;

/// Variance of a night in terms of a session's.
const NIGHT: f64 = 0.25;

/// Beyond this many deviations the smile is flat: steeper would be arbitrage.
const FLAT_BEYOND: f64 = 5.0;

/// One expiry seen from one instant and spot.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    carry: Carry,
    deviation: f64,
}

/// An option's value and how it moves with the spot.
#[derive(Clone, Copy, Debug)]
pub struct Value {
    /// Dollars a share.
    pub price: f64,
    /// Dollars a dollar of spot.
    pub delta: f64,
}

/// Time from `now` to the expiry instant: the close of the expiry's session.
pub fn time_to(expiry: &Session, now: UnixNanos) -> TimeToExpiry {
    TimeToExpiry::between(now.nanos(), expiry.close.nanos())
}

impl Slice {
    /// The slice of `expiry` at `now`, during `today`'s session, for a spot in dollars and a volatility a year of trading
    /// time. `None` if the spot is no price.
    pub fn new(expiry: &Expiry, today: &Session, now: UnixNanos, spot: f64, volatility: f64) -> Option<Self> {
        let carry = Carry::from_rates(spot, RATE, 0.0, time_to(&expiry.session, now)).ok()?;
        let rest_of_today = today.close.since(now).as_seconds_f64().max(0.0) / FULL_SECONDS;
        let sessions = rest_of_today + f64::from(expiry.later_sessions) * (1.0 + NIGHT);
        Some(Self { carry, deviation: volatility * (sessions / YEAR_SESSIONS).sqrt() })
    }

    /// Black-Scholes volatility a year at this strike: a skew to the puts and a smile.
    pub fn volatility(&self, strike: f64) -> f64 {
        let years = self.carry.sqrt_years();
        if years <= 0.0 || self.deviation <= 0.0 {
            return 0.0;
        }
        let moneyness = libm::log(strike / self.carry.forward()) / self.deviation;
        let x = moneyness.clamp(-FLAT_BEYOND, FLAT_BEYOND);
        self.deviation / years * (1.0 - 0.05 * x + 0.015 * x * x)
    }

    /// What a contract is worth, its volatility moved by the factor `noise`.
    pub fn value(&self, of: Right, strike: f64, noise: f64) -> Value {
        if let Some(greeks) = greeks::greeks(of, strike, self.volatility(strike) * noise, &self.carry) {
            return Value { price: greeks.price, delta: greeks.delta };
        }
        let price = black_scholes::intrinsic(of, self.carry.spot(), strike);
        let sign = if of == Right::Call { 1.0 } else { -1.0 };
        Value { price, delta: if price > 0.0 { sign } else { 0.0 } }
    }
}
