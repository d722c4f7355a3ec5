//! Prints: the stream's `t`, `c` (correction) and `x` (cancel), and REST's trades.

use crate::wire::Listing;
use crate::wire::letters::{Conditions, Letters, letter, tape};
use crate::wire::number::{dollars, size};
use crate::wire::quote::{blank, none};
use agenttrader_core::event;
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::price::Price;
use agenttrader_core::time::UnixNanos;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// When.
    pub t: UnixNanos,
    /// The feed's id; options have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<u64>,
    /// Exchange.
    #[serde(with = "letter", default = "blank")]
    pub x: u8,
    /// Price, dollars.
    #[serde(with = "dollars")]
    pub p: Price,
    /// Shares or contracts.
    #[serde(with = "size")]
    pub s: u32,
    /// Sale conditions.
    #[serde(default = "none")]
    pub c: Conditions,
    /// Tape; options have none.
    #[serde(with = "tape", default, skip_serializing_if = "Option::is_none")]
    pub z: Option<u8>,
}

impl Trade {
    /// As it goes over the wire.
    pub fn of(trade: &event::Trade, listing: Listing) -> Self {
        let letters = Letters(trade.conditions);
        let (i, c) = match listing {
            Listing::Stock { .. } => (Some(trade.trade_id), Conditions::Stock(letters)),
            Listing::Option => (None, Conditions::Option(letters)),
        };
        Self { t: trade.exchange_time, i, x: trade.exchange, p: trade.price, s: trade.size, c, z: listing.tape() }
    }

    /// As an event of that instrument.
    pub fn event(&self, instrument: InstrumentId) -> event::Trade {
        event::Trade {
            instrument,
            exchange_time: self.t,
            price: self.p,
            size: self.s,
            exchange: self.x,
            conditions: self.c.letters(),
            trade_id: self.i.unwrap_or(0),
        }
    }
}

/// A print withdrawn, as the stream says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// When.
    pub t: UnixNanos,
    /// Id of the print.
    pub i: u64,
    /// Exchange.
    #[serde(with = "letter", default = "blank")]
    pub x: u8,
    /// Its price, dollars.
    #[serde(with = "dollars")]
    pub p: Price,
    /// Its size.
    #[serde(with = "size")]
    pub s: u32,
    /// `C` canceled, `E` in error.
    #[serde(with = "letter", default = "blank")]
    pub a: u8,
    /// Tape.
    #[serde(with = "tape", default)]
    pub z: Option<u8>,
}

impl Cancel {
    /// As it goes over the wire. The event knows no exchange: the exchange of the print is the caller's to say.
    pub const fn of(cancel: &event::TradeCancel, exchange: u8, listing: Listing) -> Self {
        Self {
            t: cancel.exchange_time,
            i: cancel.trade_id,
            x: exchange,
            p: cancel.price,
            s: cancel.size,
            a: b'C',
            z: listing.tape(),
        }
    }

    /// As an event of that instrument.
    pub const fn event(&self, instrument: InstrumentId) -> event::TradeCancel {
        event::TradeCancel { instrument, exchange_time: self.t, trade_id: self.i, price: self.p, size: self.s }
    }
}

/// A print replaced by another, as the stream says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// When.
    pub t: UnixNanos,
    /// Exchange.
    #[serde(with = "letter", default = "blank")]
    pub x: u8,
    /// Id of the print withdrawn.
    pub oi: u64,
    /// Its price, dollars.
    #[serde(with = "dollars")]
    pub op: Price,
    /// Its size.
    #[serde(with = "size")]
    pub os: u32,
    /// Its conditions.
    #[serde(default = "none")]
    pub oc: Conditions,
    /// Id of the print in its place.
    pub ci: u64,
    /// Its price, dollars.
    #[serde(with = "dollars")]
    pub cp: Price,
    /// Its size.
    #[serde(with = "size")]
    pub cs: u32,
    /// Its conditions.
    #[serde(default = "none")]
    pub cc: Conditions,
    /// Tape.
    #[serde(with = "tape", default)]
    pub z: Option<u8>,
}

impl Correction {
    /// As it goes over the wire. The event does not keep the first print's conditions; they are written blank.
    pub const fn of(correction: &event::TradeCorrection, listing: Listing) -> Self {
        let (original, corrected) = (&correction.original, &correction.corrected);
        Self {
            t: corrected.exchange_time,
            x: corrected.exchange,
            oi: original.trade_id,
            op: original.price,
            os: original.size,
            oc: Conditions::Stock(Letters::BLANK),
            ci: corrected.trade_id,
            cp: corrected.price,
            cs: corrected.size,
            cc: Conditions::Stock(Letters(corrected.conditions)),
            z: listing.tape(),
        }
    }

    /// As an event of that instrument. The wire has one stamp: both prints carry it.
    pub const fn event(&self, instrument: InstrumentId) -> event::TradeCorrection {
        event::TradeCorrection {
            original: event::TradeCancel {
                instrument,
                exchange_time: self.t,
                trade_id: self.oi,
                price: self.op,
                size: self.os,
            },
            corrected: event::Trade {
                instrument,
                exchange_time: self.t,
                price: self.cp,
                size: self.cs,
                exchange: self.x,
                conditions: self.cc.letters(),
                trade_id: self.ci,
            },
        }
    }
}

/// Body of `…/trades/latest?symbols=`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatestTrades {
    /// By symbol.
    pub trades: BTreeMap<String, Trade>,
}

/// Body of `/v2/stocks/{symbol}/trades/latest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatestTrade {
    /// Whose.
    pub symbol: String,
    /// Its print.
    pub trade: Trade,
}

/// One page of past prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradesPage {
    /// By symbol, in order of time.
    pub trades: BTreeMap<String, Vec<Trade>>,
    /// Where the next page begins; null on the last.
    #[serde(default)]
    pub next_page_token: Option<String>,
}
