//! Bars: the stream's `b`, `u` and `d`, and REST's bars.

use crate::wire::number::{count, dollars, dollars_or_null};
use agenttrader_core::event;
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::price::Price;
use agenttrader_core::time::{Span, UnixNanos};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Open, high, low, close of a span. `n` and `vw` are always written: Alpaca's own client refuses a bar without the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// First instant of the span.
    pub t: UnixNanos,
    /// First price, dollars.
    #[serde(with = "dollars")]
    pub o: Price,
    /// Highest.
    #[serde(with = "dollars")]
    pub h: Price,
    /// Lowest.
    #[serde(with = "dollars")]
    pub l: Price,
    /// Last.
    #[serde(with = "dollars")]
    pub c: Price,
    /// Shares or contracts traded.
    #[serde(with = "count")]
    pub v: u64,
    /// Prints.
    #[serde(default)]
    pub n: Option<u64>,
    /// Volume-weighted average price, dollars.
    #[serde(with = "dollars_or_null", default)]
    pub vw: Option<Price>,
}

impl Bar {
    /// As it goes over the wire. The event knows no volume-weighted price: it is the caller's to say.
    pub fn of(bar: &event::Bar, volume_weighted: Option<Price>) -> Self {
        Self {
            t: bar.start,
            o: bar.open,
            h: bar.high,
            l: bar.low,
            c: bar.close,
            v: bar.volume,
            n: Some(u64::from(bar.trade_count)),
            vw: volume_weighted,
        }
    }

    /// As an event of that instrument. A count of prints beyond 32 bits is written as the largest.
    pub fn event(&self, instrument: InstrumentId, interval: Span, backfill: bool) -> event::Bar {
        event::Bar {
            instrument,
            start: self.t,
            interval,
            open: self.o,
            high: self.h,
            low: self.l,
            close: self.c,
            volume: self.v,
            trade_count: u32::try_from(self.n.unwrap_or(0)).unwrap_or(u32::MAX),
            backfill,
        }
    }
}

/// Body of `/v2/stocks/bars/latest?symbols=`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatestBars {
    /// By symbol.
    pub bars: BTreeMap<String, Bar>,
}

/// Body of `/v2/stocks/{symbol}/bars/latest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatestBar {
    /// Whose.
    pub symbol: String,
    /// Its bar.
    pub bar: Bar,
}

/// One page of past bars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BarsPage {
    /// By symbol, in order of time.
    pub bars: BTreeMap<String, Vec<Bar>>,
    /// Where the next page begins; null on the last.
    #[serde(default)]
    pub next_page_token: Option<String>,
}
