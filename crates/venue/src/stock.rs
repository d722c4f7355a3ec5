//! One stock as the tape shows it: a fair price that moves on the path of its day, quotes around it, prints at the quotes.

use crate::paths::{DayPath, liveliness};
use crate::profile::Profile;
use crate::random::Random;
use agenttrader_core::event::{MarketEvent, Quote, Trade, TradeCancel, TradeCorrection};
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::price::Price;
use agenttrader_core::time::{Span, UnixNanos};
use std::collections::VecDeque;

/// Steps of a minute.
pub const MINUTE_STEPS: usize = 600;

/// Length of a step.
pub const STEP: Span = Span::from_millis(100);

const STEP_NANOS: f64 = 100_000_000.0;

/// Exchanges that quote and print stocks. D is the trade reporting facility: off-exchange prints.
const QUOTING: &[u8] = b"PQZKVNJYXBU";
const PRINTING: &[u8] = b"DDDDPQZKVNJYXBUH";

/// Steps between the prices remembered for late prints, and how many there are.
const REMEMBER_EVERY: usize = 10;
const REMEMBERED: usize = 20;

/// Where in the session a step lies.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Its first instant.
    pub start: UnixNanos,
    /// Minutes since the open.
    pub minute: usize,
    /// Steps since the minute.
    pub within: usize,
}

impl Step {
    /// An instant this far (0 to 1) into the step.
    pub fn at(&self, share: f64) -> UnixNanos {
        self.start.plus(Span::from_nanos((share * STEP_NANOS) as i64))
    }
}

/// One simulated stock.
#[derive(Clone, Debug)]
pub struct Stock {
    id: InstrumentId,
    profile: &'static Profile,
    path: DayPath,
    random: Random,
    fair: f64,
    bid_cents: i64,
    ask_cents: i64,
    next_trade: u64,
    last: Option<Trade>,
    earlier: VecDeque<f64>,
}

impl Stock {
    /// A stock that stands at its path's mark of that minute.
    pub fn new(id: InstrumentId, profile: &'static Profile, path: DayPath, minute: usize, random: Random) -> Self {
        let fair = path.marks.get(minute).copied().unwrap_or_else(|| path.open());
        Self {
            id,
            profile,
            path,
            random,
            fair,
            bid_cents: 0,
            ask_cents: 0,
            next_trade: 1,
            last: None,
            earlier: VecDeque::new(),
        }
    }

    /// The fair price, dollars.
    pub fn fair(&self) -> f64 {
        self.fair
    }

    /// The day's path.
    pub fn path(&self) -> &DayPath {
        &self.path
    }

    /// Moves the fair price one step towards the next minute mark, which it meets exactly.
    pub fn step(&mut self, step: &Step, market: f64) {
        let Some(target) = self.path.marks.get(step.minute + 1) else { return };
        let left = (MINUTE_STEPS - step.within.min(MINUTE_STEPS - 1)) as f64;
        let correlation = self.profile.correlation;
        let draw = correlation * market + (1.0 - correlation * correlation).sqrt() * self.random.student();
        let minute = self.path.minute_deviation.get(step.minute).copied().unwrap_or(0.0);
        let deviation = self.fair * minute * ((left - 1.0) / (left * MINUTE_STEPS as f64)).sqrt();
        self.fair += (target - self.fair) / left + deviation * draw;
        if step.within.is_multiple_of(REMEMBER_EVERY) {
            self.earlier.push_back(self.fair);
            if self.earlier.len() > REMEMBERED {
                self.earlier.pop_front();
            }
        }
    }

    /// Quotes and prints of one step.
    pub fn trade(&mut self, step: &Step, out: &mut Vec<(UnixNanos, MarketEvent)>) {
        let cents = self.fair * 100.0;
        let outside = cents < self.bid_cents as f64 || cents > self.ask_cents as f64;
        if self.ask_cents == 0 || self.random.chance(if outside { 0.7 } else { 0.3 }) {
            self.quote(step, cents, out);
        }
        let minutes = self.path.marks.len().saturating_sub(1);
        let expected = self.profile.prints * liveliness(step.minute, minutes) / 10.0;
        // At most a few a step: each has the chance that makes the expected number.
        for _ in 0..4 {
            if self.random.chance(expected / 4.0) {
                self.print(step, out);
            }
        }
    }

    /// The official close: the closing auction's print and the listing exchange's close price.
    pub fn close(&mut self, at: UnixNanos, out: &mut Vec<(UnixNanos, MarketEvent)>) {
        let price = Price::from_nanos(((self.fair * 100.0).round() as i64) * Price::CENT.nanos());
        let size = 20_000 + self.random.below(80_000);
        let regular = self.regular();
        for (conditions, size) in [([regular, b'6', b' ', b' '], size), ([regular, b'M', b' ', b' '], 0)] {
            let trade = self.next(at, price, size, self.profile.primary, conditions);
            self.last = None;
            out.push((at, MarketEvent::Trade(trade)));
        }
    }

    fn quote(&mut self, step: &Step, cents: f64, out: &mut Vec<(UnixNanos, MarketEvent)>) {
        let spread = 1 + i64::from(self.random.below(self.profile.widest_cents));
        self.bid_cents = ((cents - (spread - 1) as f64 / 2.0).floor() as i64).max(1);
        self.ask_cents = self.bid_cents + spread;
        let at = step.at(0.4 * self.random.unit());
        let dollars = |cents: i64| Price::from_nanos(cents * Price::CENT.nanos());
        out.push((
            at,
            MarketEvent::Quote(Quote {
                instrument: self.id,
                exchange_time: at,
                bid: dollars(self.bid_cents),
                ask: dollars(self.ask_cents),
                bid_size: 100 * (1 + self.random.below(9)),
                ask_size: 100 * (1 + self.random.below(9)),
                bid_exchange: self.random.letter(QUOTING),
                ask_exchange: self.random.letter(QUOTING),
                condition: b'R',
            }),
        ));
    }

    fn print(&mut self, step: &Step, out: &mut Vec<(UnixNanos, MarketEvent)>) {
        if self.ask_cents == 0 {
            return;
        }
        let at = step.at(0.45 + 0.5 * self.random.unit());
        let buys = self.random.chance(0.5);
        let mut nanos = if buys { self.ask_cents } else { self.bid_cents } * Price::CENT.nanos();
        let exchange = self.random.letter(PRINTING);
        if exchange == b'D' && self.random.chance(0.5) {
            // Off-exchange prints often improve the price by a fraction of a cent.
            let better = i64::from(1 + self.random.below(20)) * 100_000;
            nanos += if buys { -better } else { better };
        }
        let odd_lot = self.random.chance(0.55);
        let size = if odd_lot { 1 + self.random.below(99) } else { 100 * (1 + self.random.exponential(1.6) as u32) };
        let sweep = exchange != b'D' && self.random.chance(0.3);
        let mut letters = [self.regular(), b' ', b' ', b' '];
        let marks = [sweep.then_some(b'F'), odd_lot.then_some(b'I')];
        for (slot, mark) in letters.iter_mut().skip(1).zip(marks.into_iter().flatten()) {
            *slot = mark;
        }
        let fate = self.random.unit();
        let late = self.earlier.front().copied().filter(|_| fate < 0.004);
        let trade = match late {
            Some(price) => {
                // Reported out of sequence, with the price and the stamp of some twenty seconds ago.
                let cents = (price * 100.0).round() as i64;
                let stamp = step.start.minus(Span::from_seconds(18));
                self.next(
                    stamp,
                    Price::from_nanos(cents * Price::CENT.nanos()),
                    size,
                    exchange,
                    [self.regular(), b'Z', b' ', b' '],
                )
            }
            None => self.next(at, Price::from_nanos(nanos), size, exchange, letters),
        };
        if fate > 0.9995
            && let Some(last) = self.last.take()
        {
            self.amend(at, last, fate > 0.9998, out);
        }
        if late.is_none() {
            self.last = Some(trade);
        }
        out.push((at, MarketEvent::Trade(trade)));
    }

    /// Takes back the print before: withdrawn, or put right by a cent.
    fn amend(&mut self, at: UnixNanos, last: Trade, withdraw: bool, out: &mut Vec<(UnixNanos, MarketEvent)>) {
        let original = TradeCancel {
            instrument: self.id,
            exchange_time: at,
            trade_id: last.trade_id,
            price: last.price,
            size: last.size,
        };
        if withdraw {
            out.push((at, MarketEvent::Cancel(original)));
        } else {
            let price = Price::from_nanos(last.price.nanos() + Price::CENT.nanos());
            let corrected = self.next(at, price, last.size, last.exchange, last.conditions);
            out.push((at, MarketEvent::Correction(TradeCorrection { original, corrected })));
        }
    }

    fn next(&mut self, exchange_time: UnixNanos, price: Price, size: u32, exchange: u8, conditions: [u8; 4]) -> Trade {
        let trade_id = self.next_trade;
        self.next_trade += 1;
        Trade { instrument: self.id, exchange_time, price, size, exchange, conditions, trade_id }
    }

    /// The letter of a regular sale on its tape.
    fn regular(&self) -> u8 {
        if self.profile.tape == b'C' { b'@' } else { b' ' }
    }
}

/// Shares printed in a minute of that liveliness, on average.
pub fn minute_volume(profile: &Profile, liveliness: f64) -> f64 {
    // Odd lots average 50 shares; the others 100 and the whole part of an exponential of mean 1.6 hundreds more.
    let mean_size = 0.55 * 50.0 + 0.45 * 100.0 * (1.0 + 1.0 / (libm::exp(1.0 / 1.6) - 1.0));
    profile.prints * 60.0 * liveliness * mean_size
}
