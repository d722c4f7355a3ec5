//! Quotes: the stream's `q` and REST's latest quotes.

use crate::wire::Listing;
use crate::wire::letters::{Conditions, Letters, letter, tape};
use crate::wire::number::{dollars, size};
use agenttrader_core::event;
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::price::Price;
use agenttrader_core::time::UnixNanos;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Best bid and ask. A price of zero means that side is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// When.
    pub t: UnixNanos,
    /// Exchange of the bid.
    #[serde(with = "letter", default = "blank")]
    pub bx: u8,
    /// Bid, dollars.
    #[serde(with = "dollars")]
    pub bp: Price,
    /// Shares or contracts at the bid.
    #[serde(with = "size")]
    pub bs: u32,
    /// Exchange of the ask.
    #[serde(with = "letter", default = "blank")]
    pub ax: u8,
    /// Ask, dollars.
    #[serde(with = "dollars")]
    pub ap: Price,
    /// Shares or contracts at the ask.
    #[serde(rename = "as", with = "size")]
    pub as_: u32,
    /// Conditions.
    #[serde(default = "none")]
    pub c: Conditions,
    /// Tape; options have none.
    #[serde(with = "tape", default, skip_serializing_if = "Option::is_none")]
    pub z: Option<u8>,
}

pub(crate) const fn blank() -> u8 {
    b' '
}

pub(crate) const fn none() -> Conditions {
    Conditions::Stock(Letters::BLANK)
}

impl Quote {
    /// As it goes over the wire.
    pub fn of(quote: &event::Quote, listing: Listing) -> Self {
        let letters = Letters([quote.condition, b' ', b' ', b' ']);
        Self {
            t: quote.exchange_time,
            bx: quote.bid_exchange,
            bp: quote.bid,
            bs: quote.bid_size,
            ax: quote.ask_exchange,
            ap: quote.ask,
            as_: quote.ask_size,
            c: match listing {
                Listing::Stock { .. } => Conditions::Stock(letters),
                Listing::Option => Conditions::Option(letters),
            },
            z: listing.tape(),
        }
    }

    /// As an event of that instrument.
    pub const fn event(&self, instrument: InstrumentId) -> event::Quote {
        let [condition, ..] = self.c.letters();
        event::Quote {
            instrument,
            exchange_time: self.t,
            bid: self.bp,
            ask: self.ap,
            bid_size: self.bs,
            ask_size: self.as_,
            bid_exchange: self.bx,
            ask_exchange: self.ax,
            condition,
        }
    }
}

/// Body of `…/quotes/latest?symbols=`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatestQuotes {
    /// By symbol.
    pub quotes: BTreeMap<String, Quote>,
}

/// Body of `/v2/stocks/{symbol}/quotes/latest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatestQuote {
    /// Whose.
    pub symbol: String,
    /// Its quote.
    pub quote: Quote,
}

/// One page of past quotes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotesPage {
    /// By symbol, in order of time.
    pub quotes: BTreeMap<String, Vec<Quote>>,
    /// Where the next page begins; null on the last.
    #[serde(default)]
    pub next_page_token: Option<String>,
}
