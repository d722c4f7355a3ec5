//! The latest of one instrument: quote, trade, open interest, halt, day volume.

use agenttrader_core::event::{Quote, Trade};
use agenttrader_core::price::Price;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_options::quote_use::LastSides;
use agenttrader_safety::freshness;

/// Youngest a quote may be to serve as a price collar's reference: a burst of our own making cannot move it.
pub const REFERENCE_AGE: Span = Span::from_millis(250);

/// Quotes kept for the reference stand at least this far apart, so that [`TRAIL`] of them cover [`REFERENCE_AGE`]: the
/// reference is the freshest old enough to within this span.
const TRAIL_STEP: Span = Span::from_millis(40);

/// Quotes kept for the reference: 8 × 40 ms reach back 320 ms.
const TRAIL: usize = 8;

/// A quote with the venue time at which it was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// The quote.
    pub quote: Quote,
    /// When it was taken in.
    pub received: UnixNanos,
}

impl Quoted {
    /// Its age at `now`; `None` when it says nothing of now.
    pub fn age(&self, now: UnixNanos) -> Option<Span> {
        freshness::age(now, self.received, self.quote.exchange_time)
    }
}

/// What is known of one instrument. Fixed in size.
#[derive(Clone, Debug, Default)]
pub struct Latest {
    quote: Option<Quoted>,
    trail: [Option<Quoted>; TRAIL],
    next: usize,
    sides: LastSides,
    trade: Option<(Trade, UnixNanos)>,
    close: Option<(Price, UnixNanos)>,
    open_interest: Option<u64>,
    halted: bool,
    day_volume: u64,
}

impl Latest {
    /// Takes a quote in.
    pub(crate) fn on_quote(&mut self, quote: Quote, received: UnixNanos) {
        if let Some(previous) = self.quote {
            let newest = self.trail.get(self.next.wrapping_add(TRAIL - 1) % TRAIL).copied().flatten();
            if newest.is_none_or(|kept| previous.received.since(kept.received) >= TRAIL_STEP) {
                if let Some(slot) = self.trail.get_mut(self.next) {
                    *slot = Some(previous);
                }
                self.next = self.next.wrapping_add(1) % TRAIL;
            }
        }
        if quote.bid().is_some() || quote.ask().is_some() {
            self.sides.bid = quote.bid().map(Price::as_f64).or(self.sides.bid.map(|_| 0.0));
            if let Some(ask) = quote.ask() {
                self.sides.ask = Some(ask.as_f64());
            }
        }
        self.quote = Some(Quoted { quote, received });
    }

    /// Takes a print in.
    pub(crate) fn on_trade(&mut self, trade: Trade, received: UnixNanos) {
        self.day_volume = self.day_volume.saturating_add(u64::from(trade.size));
        let newer = self.trade.is_none_or(|(last, _)| last.exchange_time <= trade.exchange_time);
        if newer {
            self.trade = Some((trade, received));
        }
    }

    /// Takes a bar's close and volume in.
    pub(crate) fn on_bar(&mut self, close: Price, end: UnixNanos, volume: u64, counts_today: bool) {
        if counts_today {
            self.day_volume = self.day_volume.saturating_add(volume);
        }
        if self.close.is_none_or(|(_, last)| last <= end) {
            self.close = Some((close, end));
        }
    }

    pub(crate) fn on_cancel(&mut self, size: u32) {
        self.day_volume = self.day_volume.saturating_sub(u64::from(size));
    }

    pub(crate) fn on_open_interest(&mut self, contracts: u64) {
        self.open_interest = Some(contracts);
    }

    pub(crate) fn on_status(&mut self, halted: bool) {
        self.halted = halted;
    }

    /// Forgets what belongs to a session that is over.
    pub(crate) fn new_session(&mut self) {
        self.sides = LastSides::default();
        self.day_volume = 0;
        self.trail = [None; TRAIL];
        self.quote = None;
        self.halted = false;
    }

    /// The latest quote of this session.
    pub const fn quote(&self) -> Option<&Quoted> {
        self.quote.as_ref()
    }

    /// The freshest quote that is at least [`REFERENCE_AGE`] old at `now`.
    pub fn reference(&self, now: UnixNanos) -> Option<&Quoted> {
        let old_enough = |quoted: &&Quoted| now.since(quoted.received) >= REFERENCE_AGE;
        let kept = self.trail.iter().flatten();
        self.quote.iter().chain(kept).filter(old_enough).max_by_key(|quoted| quoted.received)
    }

    /// The last value of each side within the session.
    pub const fn sides(&self) -> LastSides {
        self.sides
    }

    /// The latest print by exchange time, and when it was taken in.
    pub const fn trade(&self) -> Option<&(Trade, UnixNanos)> {
        self.trade.as_ref()
    }

    /// The latest bar's close and end.
    pub const fn bar_close(&self) -> Option<(Price, UnixNanos)> {
        self.close
    }

    /// Contracts open, as published before the session.
    pub const fn open_interest(&self) -> Option<u64> {
        self.open_interest
    }

    /// Whether trading is halted.
    pub const fn halted(&self) -> bool {
        self.halted
    }

    /// Shares or contracts traded this session.
    pub const fn day_volume(&self) -> u64 {
        self.day_volume
    }

    /// The price of a share or index: mid of a two-sided quote, else the later of last print and bar close.
    pub fn price(&self) -> Option<Price> {
        self.quote.and_then(|quoted| quoted.quote.mid()).or_else(|| self.last_price())
    }

    fn last_price(&self) -> Option<Price> {
        let trade = self.trade.map(|(trade, _)| (trade.price, trade.exchange_time));
        match (trade, self.close) {
            (Some(trade), Some(bar)) => Some(if trade.1 >= bar.1 { trade.0 } else { bar.0 }),
            (Some((price, _)), None) | (None, Some((price, _))) => Some(price),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_core::instrument::InstrumentId;

    fn quote(cents: i64, millis: i64) -> (Quote, UnixNanos) {
        let at = UnixNanos::EPOCH.plus(Span::from_millis(millis));
        let bid = Price::from_nanos(cents * 10_000_000);
        let ask = bid.checked_add(Price::CENT).unwrap();
        let instrument = InstrumentId(0);
        let blank = b' ';
        let quote = Quote {
            instrument,
            exchange_time: at,
            bid,
            ask,
            bid_size: 1,
            ask_size: 1,
            bid_exchange: blank,
            ask_exchange: blank,
            condition: blank,
        };
        (quote, at)
    }

    #[test]
    fn the_reference_is_old_enough_even_in_a_burst() {
        let mut latest = Latest::default();
        for step in 0..200 {
            let (quote, at) = quote(10_000 + step, step * 5);
            latest.on_quote(quote, at);
            if let Some(reference) = latest.reference(at) {
                let age = at.since(reference.received);
                assert!(age >= REFERENCE_AGE && age.millis() <= 250 + 2 * 40 + 5, "{age}");
            } else {
                assert!(step * 5 < 250 + 45, "no reference after {} ms", step * 5);
            }
        }
    }

    #[test]
    fn a_quiet_quote_becomes_its_own_reference() {
        let mut latest = Latest::default();
        let (first, at) = quote(100, 0);
        latest.on_quote(first, at);
        assert!(latest.reference(at).is_none());
        assert_eq!(latest.reference(at.plus(REFERENCE_AGE)).unwrap().quote, first);
    }

    #[test]
    fn a_bid_that_goes_away_is_zero_and_an_ask_keeps_its_last_value() {
        let mut latest = Latest::default();
        let (mut quote, at) = quote(100, 0);
        latest.on_quote(quote, at);
        quote.bid = Price::ZERO;
        latest.on_quote(quote, at);
        assert_eq!(latest.sides().bid, Some(0.0));
        let ask = latest.sides().ask;
        quote.ask = Price::ZERO;
        latest.on_quote(quote, at);
        assert_eq!(latest.sides().ask, ask);
    }
}
