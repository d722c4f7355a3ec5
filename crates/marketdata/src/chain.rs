//! Option chains: which contracts there are, and what their quotes say.

use agenttrader_core::calendar::{Session, new_york};
use agenttrader_core::instrument::{InstrumentId, OptionContract, Right};
use agenttrader_core::price::Price;
use agenttrader_core::time::UnixNanos;
use agenttrader_options::greeks::Greeks;
use agenttrader_options::implied_volatility::NoVolatility;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;

/// Roots of index options that settle on the opening prices of their last day.
const AM_SETTLED: &[&str] = &["SPX", "NDX", "RUT", "VIX", "DJX", "XSP", "OEX"];

/// Call and put of one strike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StrikePair {
    /// The call, if it is listed.
    pub call: Option<InstrumentId>,
    /// The put, if it is listed.
    pub put: Option<InstrumentId>,
}

impl StrikePair {
    /// The contract of a right.
    pub const fn of(&self, right: Right) -> Option<InstrumentId> {
        match right {
            Right::Call => self.call,
            Right::Put => self.put,
        }
    }
}

/// Contracts of one underlying that expire at one instant.
#[derive(Clone, Debug, Default)]
pub struct Expiry {
    strikes: BTreeMap<Price, StrikePair>,
}

impl Expiry {
    /// Strikes with their contracts, lowest first.
    pub fn strikes(&self) -> impl DoubleEndedIterator<Item = (Price, &StrikePair)> {
        self.strikes.iter().map(|(strike, pair)| (*strike, pair))
    }

    /// Strikes around `price`, nearest first; of two equally near the lower one first.
    pub fn nearest(&self, price: Price) -> impl Iterator<Item = (Price, &StrikePair)> {
        let mut below = self.strikes.range(..=price).rev().peekable();
        let mut above = self.strikes.range((std::ops::Bound::Excluded(price), std::ops::Bound::Unbounded)).peekable();
        std::iter::from_fn(move || {
            let distance =
                |entry: Option<&(&Price, &StrikePair)>| entry.map(|(strike, _)| strike.nanos().abs_diff(price.nanos()));
            let lower = match (distance(below.peek()), distance(above.peek())) {
                (Some(lower), Some(upper)) => lower <= upper,
                (Some(_), None) => true,
                (None, _) => false,
            };
            let entry = if lower { below.next() } else { above.next() };
            entry.map(|(strike, pair)| (*strike, pair))
        })
    }

    /// The pair of a strike.
    pub fn pair(&self, strike: Price) -> Option<&StrikePair> {
        self.strikes.get(&strike)
    }
}

/// Every standard contract of one underlying, by expiry instant. Adjusted contracts stay out: they are restricted.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    expiries: BTreeMap<(Date, UnixNanos), Expiry>,
}

impl Chain {
    pub(crate) fn define(&mut self, id: InstrumentId, option: &OptionContract) {
        if option.contract.is_adjusted_root() {
            return;
        }
        let key = (option.expiration(), expiry_instant(option));
        let pair = self.expiries.entry(key).or_default().strikes.entry(option.strike()).or_default();
        match option.right() {
            Right::Call => pair.call = Some(id),
            Right::Put => pair.put = Some(id),
        }
    }

    /// Expiries, soonest first, with their last day and expiry instant.
    pub fn expiries(&self) -> impl Iterator<Item = (Date, UnixNanos, &Expiry)> {
        self.expiries.iter().map(|((date, instant), expiry)| (*date, *instant, expiry))
    }

    /// The pair of a contract's expiry and strike.
    pub fn pair(&self, option: &OptionContract) -> Option<&StrikePair> {
        self.expiries.get(&(option.expiration(), expiry_instant(option)))?.pair(option.strike())
    }

    /// Whether no standard contract is listed.
    pub fn is_empty(&self) -> bool {
        self.expiries.is_empty()
    }
}

/// The instant a contract expires: 09:30 New York of its last day for index roots that settle in the morning, else that
/// session's close (16:00 when the day has no session).
pub fn expiry_instant(option: &OptionContract) -> UnixNanos {
    let date = option.expiration();
    if option.european && AM_SETTLED.contains(&option.contract.root()) {
        return new_york(date, 9, 30);
    }
    Session::on(date).map_or_else(|| new_york(date, 16, 0), |session| session.close)
}

/// What one contract's quote says.
#[derive(Clone, Debug, PartialEq)]
pub struct Analytics {
    /// Mid of a quote with two sides that is not crossed, dollars.
    pub mid: Option<f64>,
    /// Volatility a year, or why there is none.
    pub volatility: Result<f64, NoVolatility>,
    /// Greeks at that volatility.
    pub greeks: Option<Greeks>,
}

/// Where spot and forward of a chain come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpotSource {
    /// The underlying's own quotes, prints or bars.
    Quoted,
    /// Put-call parity of its options: it has no feed.
    Implied,
}
