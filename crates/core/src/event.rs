//! Market events: what a feed says. Fixed in size, so that the hot path copies and never allocates.

use crate::instrument::InstrumentId;
use crate::price::Price;
use crate::time::{Span, UnixNanos};
use jiff::civil::Date;

/// Best bid and ask of an instrument. A price of zero or less means that side is empty (Alpaca's convention).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Which instrument.
    pub instrument: InstrumentId,
    /// The exchange's stamp.
    pub exchange_time: UnixNanos,
    /// Best bid, dollars; zero: none.
    pub bid: Price,
    /// Best ask, dollars; zero: none.
    pub ask: Price,
    /// Shares or contracts at the bid.
    pub bid_size: u32,
    /// Shares or contracts at the ask.
    pub ask_size: u32,
    /// Exchange letter of the bid; a blank if unknown.
    pub bid_exchange: u8,
    /// Exchange letter of the ask; a blank if unknown.
    pub ask_exchange: u8,
    /// Condition letter; a blank if none.
    pub condition: u8,
}

impl Quote {
    /// The bid, if there is one.
    pub fn bid(&self) -> Option<Price> {
        (self.bid > Price::ZERO).then_some(self.bid)
    }

    /// The ask, if there is one.
    pub fn ask(&self) -> Option<Price> {
        (self.ask > Price::ZERO).then_some(self.ask)
    }

    /// Bid and ask if both stand and the bid is below the ask: neither locked nor crossed.
    pub fn two_sided(&self) -> Option<(Price, Price)> {
        self.bid().zip(self.ask()).filter(|(bid, ask)| bid < ask)
    }

    /// Halfway between bid and ask of a two-sided quote.
    pub fn mid(&self) -> Option<Price> {
        self.two_sided().map(|(bid, ask)| bid.midpoint(ask))
    }
}

/// One print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Which instrument.
    pub instrument: InstrumentId,
    /// The exchange's stamp.
    pub exchange_time: UnixNanos,
    /// Price, dollars.
    pub price: Price,
    /// Shares or contracts.
    pub size: u32,
    /// Exchange letter; a blank if unknown.
    pub exchange: u8,
    /// Sale-condition letters as the feed gives them, padded with blanks.
    pub conditions: [u8; 4],
    /// The feed's id of the print; zero where the feed has none (options).
    pub trade_id: u64,
}

/// Open, high, low, close of a span. An event at its *end*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Which instrument.
    pub instrument: InstrumentId,
    /// First instant of the span.
    pub start: UnixNanos,
    /// Length of the span.
    pub interval: Span,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Shares or contracts traded.
    pub volume: u64,
    /// Prints; zero where the source does not say.
    pub trade_count: u32,
    /// Filled in afterwards over REST: feeds candles and day volume, never freshness, flow or a proposal.
    pub backfill: bool,
}

impl Bar {
    /// The instant at which the bar is known: the end of its span.
    pub const fn end(&self) -> UnixNanos {
        self.start.plus(self.interval)
    }
}

/// Open interest of an option contract, as published before the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenInterest {
    /// Which contract.
    pub instrument: InstrumentId,
    /// Contracts open.
    pub contracts: u64,
    /// The day it counts for.
    pub date: Date,
}

/// A halt or resumption of one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradingStatus {
    /// Which instrument.
    pub instrument: InstrumentId,
    /// The exchange's stamp.
    pub exchange_time: UnixNanos,
    /// Whether trading is halted or paused from now on.
    pub halted: bool,
    /// The status code letter as the feed gives it.
    pub code: u8,
    /// The reason code as the feed gives it, padded with blanks.
    pub reason: [u8; 4],
}

/// A print that is withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeCancel {
    /// Which instrument.
    pub instrument: InstrumentId,
    /// The exchange's stamp.
    pub exchange_time: UnixNanos,
    /// Id of the print.
    pub trade_id: u64,
    /// Its price.
    pub price: Price,
    /// Its size.
    pub size: u32,
}

/// A print that is replaced by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeCorrection {
    /// The print withdrawn.
    pub original: TradeCancel,
    /// The print that stands in its place.
    pub corrected: Trade,
}

/// Whatever a market feed says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarketEvent {
    /// Best bid and ask.
    Quote(Quote),
    /// A print.
    Trade(Trade),
    /// A bar.
    Bar(Bar),
    /// Open interest.
    OpenInterest(OpenInterest),
    /// A halt or resumption.
    Status(TradingStatus),
    /// A print withdrawn.
    Cancel(TradeCancel),
    /// A print replaced.
    Correction(TradeCorrection),
}

impl MarketEvent {
    /// The exchange's stamp; a bar's is its end, open interest has none.
    pub const fn exchange_time(&self) -> Option<UnixNanos> {
        match self {
            Self::Quote(quote) => Some(quote.exchange_time),
            Self::Trade(trade) => Some(trade.exchange_time),
            Self::Bar(bar) => Some(bar.end()),
            Self::OpenInterest(_) => None,
            Self::Status(status) => Some(status.exchange_time),
            Self::Cancel(cancel) => Some(cancel.exchange_time),
            Self::Correction(correction) => Some(correction.corrected.exchange_time),
        }
    }

    /// Which instrument it is about.
    pub const fn instrument(&self) -> InstrumentId {
        match self {
            Self::Quote(quote) => quote.instrument,
            Self::Trade(trade) => trade.instrument,
            Self::Bar(bar) => bar.instrument,
            Self::OpenInterest(interest) => interest.instrument,
            Self::Status(status) => status.instrument,
            Self::Cancel(cancel) => cancel.instrument,
            Self::Correction(correction) => correction.corrected.instrument,
        }
    }
}
