//! What prints in one contract say: who was the aggressor, how big, how convinced.

pub use crate::flow_event::{FlowEvent, Kind, Outcome, Sentiment};
use crate::{
    Right,
    gamma_exposure::SHARES_PER_CONTRACT,
    quote_trail::{Quote, QuoteTrail, Side},
    quote_use::is_out_of_the_money,
    sweep::SweepDetector,
};

/// A single print of at least this many contracts is a block.
pub const BLOCK_CONTRACTS: u32 = 200;

/// One print of one contract.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Print {
    /// The exchange's event time, UTC nanoseconds.
    pub at: i64,
    /// Dollars per share.
    pub price: f64,
    /// Contracts.
    pub size: u32,
    /// The exchange's code.
    pub exchange: u8,
    /// What its condition codes make of it.
    pub condition: Condition,
}

/// Whether a print's conditions let it count as flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// An ordinary print.
    Regular,
    /// Part of a multi-leg trade, late, out of sequence or cancelled: its price says nothing about the quote it meets.
    LeftOut,
}

/// What is known of the contract when a print or bar arrives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surroundings {
    /// The underlying's price in dollars, if there is one.
    pub spot: Option<f64>,
    /// Contracts traded this session, this print or bar included.
    pub day_volume: u64,
    /// Contracts open, if known.
    pub open_interest: Option<u64>,
}

/// Dollars paid for `size` contracts.
#[must_use]
pub fn premium(price: f64, size: u64) -> f64 {
    price * size as f64 * SHARES_PER_CONTRACT
}

/// How convinced an event is, 0 to 1: 0.8 for a sweep, 0.5 for a block, else 0.3; a tenth more out of the money; a tenth
/// more when the day's volume is over 1.2 times the open interest. What is not known adds nothing.
#[must_use]
pub fn conviction(kind: Kind, right: Right, strike: f64, around: &Surroundings) -> f64 {
    let out_of_the_money = around.spot.is_some_and(|spot| is_out_of_the_money(right, strike, spot));
    let busy = around
        .open_interest
        .is_some_and(|open| u128::from(around.day_volume).saturating_mul(10) > u128::from(open).saturating_mul(12));
    // In whole tenths, so that 0.5 + 0.1 + 0.1 is the same double as 0.7.
    let tenths = kind.tenths().saturating_add(u32::from(out_of_the_money)).saturating_add(u32::from(busy));
    f64::from(tenths.min(10)) / 10.0
}

/// The flow of one contract: quotes and prints in, events out. Bounded memory.
#[derive(Clone, Debug)]
pub struct ContractFlow {
    right: Right,
    strike: f64,
    quotes: QuoteTrail,
    sweeps: SweepDetector,
}

impl ContractFlow {
    /// For one contract, its strike in dollars.
    #[must_use]
    pub fn new(right: Right, strike: f64) -> Self {
        Self { right, strike, quotes: QuoteTrail::default(), sweeps: SweepDetector::default() }
    }

    /// Takes a quote. Does not allocate.
    pub fn quote(&mut self, quote: Quote) {
        self.quotes.push(quote);
    }

    /// Takes a print. A print with a side is held back until it is part of a sweep or can no longer become part of one,
    /// so that no print is told of twice; `emit` gets the events that are certain now.
    pub fn print(&mut self, print: Print, around: &Surroundings, emit: &mut impl FnMut(FlowEvent)) -> Outcome {
        let sensible = print.price.is_finite() && print.price >= 0.0 && print.size > 0;
        if print.condition == Condition::LeftOut || !sensible {
            return Outcome::LeftOut;
        }
        self.settle(print.at, emit);
        let side = Side::of(print.price, print.at, self.quotes.in_force(print.at));
        let kind = if print.size >= BLOCK_CONTRACTS { Kind::Block } else { Kind::Print };
        let size = u64::from(print.size);
        let event = FlowEvent {
            kind,
            side,
            sentiment: Sentiment::of(self.right, side),
            at: print.at,
            first_at: print.at,
            price: print.price,
            size,
            premium: premium(print.price, size),
            conviction: conviction(kind, self.right, self.strike, around),
            prints: 1,
            exchanges: 1,
        };
        let as_sweep = conviction(Kind::Sweep, self.right, self.strike, around);
        self.sweeps.take(event, print.exchange, as_sweep, emit)
    }

    /// Takes a bar: an event of kind `AGGREGATED`, without a side. `None` for a bar without volume or price. `at` is the
    /// bar's end.
    #[must_use]
    pub fn bar(&self, at: i64, close: f64, volume: u64, around: &Surroundings) -> Option<FlowEvent> {
        if volume == 0 || !close.is_finite() || close < 0.0 {
            return None;
        }
        Some(FlowEvent {
            kind: Kind::Aggregated,
            side: Side::Unknown,
            sentiment: Sentiment::Neutral,
            at,
            first_at: at,
            price: close,
            size: volume,
            premium: premium(close, volume),
            conviction: conviction(Kind::Aggregated, self.right, self.strike, around),
            prints: 0,
            exchanges: 0,
        })
    }

    /// Lets go of prints that can no longer become part of a sweep at `now`; call it with each timer.
    pub fn settle(&mut self, now: i64, emit: &mut impl FnMut(FlowEvent)) {
        self.sweeps.settle(now, emit);
    }

    /// Whether a print is held back: only then does [`Self::settle`] do anything.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.sweeps.is_holding()
    }
}
