//! What follows from quotes: forwards, volatilities, greeks, gamma exposure.

use super::{Book, Underlying};
use crate::chain::{Analytics, StrikePair, expiry_instant};
use crate::rates::CarrySource;
use agenttrader_core::instrument::{InstrumentId, OptionContract, Right};
use agenttrader_core::price::Price;
use agenttrader_core::time::UnixNanos;
use agenttrader_options::carry::Carry;
use agenttrader_options::gamma_exposure::{self, OpenContract, Profile};
use agenttrader_options::greeks;
use agenttrader_options::implied_volatility::{NoVolatility, implied_volatility};
use agenttrader_options::parity::{self, Pair};
use agenttrader_options::regime::Regime;
use agenttrader_options::time_to_expiry::TimeToExpiry;
use std::cmp::Ordering;

/// An ask up to this part of spot on an out-of-the-money contract nobody bids for says that it is worth nothing.
const WORTHLESS_ASK: f64 = 0.001;

impl Book {
    /// Spot, forward and discount of an underlying for an expiry instant.
    pub fn carry(&self, underlying: &Underlying, instant: UnixNanos) -> Option<Carry> {
        let spot_price = self.price_of(underlying)?;
        let spot = spot_price.as_f64();
        let time = TimeToExpiry::between(self.now.nanos(), instant.nanos());
        let rates = &self.settings.rates;
        let rate = rates.rate(time.years());
        if rates.carry == CarrySource::Parity {
            let discount = libm::exp(-rate * time.years());
            let pairs = self.pairs(underlying, instant, Some(spot_price), 3);
            if let Some(forward) = parity::forward(&pairs, spot, discount) {
                return Carry::from_forward(spot, forward, discount, time).ok();
            }
        }
        Carry::from_rates(spot, rate, rates.dividend_yield(underlying.symbol), time).ok()
    }

    /// What a contract's quote says: the mid of its last sides, the volatility it implies and the greeks at it.
    pub fn analytics(&self, id: InstrumentId) -> Option<Analytics> {
        let option: &OptionContract = self.instruments.get(id)?.option()?;
        let underlying = self.underlying_at(id)?;
        let carry = self.carry(underlying, expiry_instant(option))?;
        let mid = self.latest.get(id.index())?.sides().mid().ok();
        let (right, strike) = (option.right(), option.strike().as_f64());
        let volatility: Result<f64, NoVolatility> = implied_volatility(right, strike, mid, &carry);
        let greeks = volatility.as_ref().ok().and_then(|volatility| greeks::greeks(right, strike, *volatility, &carry));
        Some(Analytics { mid, volatility, greeks })
    }

    /// The delta of a contract; `None` where nothing says it. The gate's limits and the strategies' hedges ask this one, so that
    /// what is a hedge to one is a hedge to the other.
    ///
    /// What its own quote says; where that fails, what the other right's at the same strike does, moved by one (put-call
    /// parity); else, priced under its intrinsic value, that of the underlying: no time is left in it.
    pub fn delta(&self, id: InstrumentId) -> Option<f64> {
        let option = self.instruments.get(id)?.option()?;
        let underlying = self.underlying_at(id)?;
        let by_parity = || {
            let other = underlying.chain.pair(option)?.of(option.right().other())?;
            let moved = self.own_delta(other)? + if option.right() == Right::Call { 1.0 } else { -1.0 };
            Some(moved.clamp(-1.0, 1.0))
        };
        let by_intrinsic = || {
            let spent = matches!(self.analytics(id)?.volatility, Err(NoVolatility::BelowIntrinsic { .. }));
            spent.then(|| Self::moneyness(option, self.price_of(underlying))).flatten()
        };
        self.own_delta(id).or_else(by_parity).or_else(by_intrinsic)
    }

    /// What a contract's own quote says of its delta: that of the volatility it implies; in its last minute, when time is too
    /// short for one, one or none by whether it is in the money; out of the money with an empty bid and an ask next to
    /// nothing, none.
    fn own_delta(&self, id: InstrumentId) -> Option<f64> {
        let option = self.instruments.get(id)?.option()?;
        let analytics = self.analytics(id)?;
        if let Some(greeks) = analytics.greeks {
            return Some(greeks.delta);
        }
        let spot = self.price_of(self.underlying_at(id)?)?;
        let whole = Self::moneyness(option, Some(spot))?;
        if matches!(analytics.volatility, Err(NoVolatility::TooCloseToExpiry)) {
            return Some(whole);
        }
        let sides = self.latest.get(id.index())?.sides();
        let unbid = sides.bid.is_none_or(|bid| bid <= 0.0);
        let worthless = whole == 0.0 && unbid && sides.ask.is_some_and(|ask| ask <= spot.as_f64() * WORTHLESS_ASK);
        worthless.then_some(0.0)
    }

    /// The delta of a contract without time: one or none, by whether it is in the money.
    fn moneyness(option: &OptionContract, spot: Option<Price>) -> Option<f64> {
        Some(match (option.right(), spot?.cmp(&option.strike())) {
            (Right::Call, Ordering::Greater) => 1.0,
            (Right::Put, Ordering::Less) => -1.0,
            (Right::Call | Right::Put, _) => 0.0,
        })
    }

    /// Measures anew what has `moved`, or `all`.
    pub(super) fn measure_exposures(&mut self, all: bool) {
        for index in 0..self.underlyings.len() {
            if !all && self.underlyings.get(index).is_none_or(|underlying| !underlying.moved) {
                continue;
            }
            let measured = self.underlyings.get(index).and_then(|underlying| self.measure(underlying));
            if let Some(underlying) = self.underlyings.get_mut(index) {
                underlying.regime = measured.as_ref().map_or(Regime::Unknown, |profile| profile.regime);
                underlying.profile = measured;
                underlying.moved = false;
            }
        }
    }

    fn measure(&self, underlying: &Underlying) -> Option<Profile> {
        let spot = self.price_of(underlying)?.as_f64();
        let mut contracts = Vec::new();
        for (date, instant, expiry) in underlying.chain.expiries() {
            if instant <= self.now {
                continue;
            }
            let Some(carry) = self.carry(underlying, instant) else { continue };
            for (strike, pair) in expiry.strikes() {
                for right in [Right::Call, Right::Put] {
                    let Some(latest) = pair.of(right).and_then(|id| self.latest.get(id.index())) else { continue };
                    let Some(open_interest) = latest.open_interest().filter(|contracts| *contracts > 0) else {
                        continue;
                    };
                    let (strike, sides) = (strike.as_f64(), latest.sides());
                    let volatility = implied_volatility(right, strike, sides.mid().ok(), &carry);
                    contracts.push(OpenContract {
                        right,
                        strike,
                        expiry: instant.nanos(),
                        same_day: Some(date) == self.date,
                        open_interest,
                        sides,
                        volatility,
                        carry,
                    });
                }
            }
        }
        (!contracts.is_empty()).then(|| gamma_exposure::profile(spot, &contracts, underlying.regime))
    }

    fn pairs(&self, underlying: &Underlying, instant: UnixNanos, around: Option<Price>, most: usize) -> Vec<Pair> {
        let Some((_, _, expiry)) = underlying.chain.expiries().find(|(_, at, _)| *at == instant) else {
            return Vec::new();
        };
        let mid = |id: Option<InstrumentId>| self.latest.get(id?.index())?.sides().mid().ok();
        let pair = |(strike, pair): (Price, &StrikePair)| {
            Some(Pair { strike: strike.as_f64(), call: mid(pair.call)?, put: mid(pair.put)? })
        };
        match around {
            Some(price) => expiry.nearest(price).filter_map(pair).take(most).collect(),
            None => expiry.strikes().filter_map(pair).take(most).collect(),
        }
    }

    pub(super) fn implied_spot(&self, underlying: &Underlying) -> Option<Price> {
        let (_, instant, _) = underlying.chain.expiries().find(|(_, instant, _)| *instant > self.now)?;
        let years = TimeToExpiry::between(self.now.nanos(), instant.nanos()).years();
        let discount = libm::exp(-self.settings.rates.rate(years) * years);
        let pairs = self.pairs(underlying, instant, None, usize::MAX);
        Price::from_f64(parity::implied_forward(&pairs, discount)?.forward)
    }
}
