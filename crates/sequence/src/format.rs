//! The bytes of one input, both ways. `docs/RECORDING.md` describes them field by field.

use crate::input::{Fact, Input};
use agenttrader_core::canonical_json;
use agenttrader_core::event::{
    Bar, MarketEvent, OpenInterest, Quote, Trade, TradeCancel, TradeCorrection, TradingStatus,
};
use agenttrader_core::instrument::{Instrument, InstrumentId};
use agenttrader_core::price::Price;
use agenttrader_core::time::{Span, UnixNanos};
use jiff::civil::Date;
use serde::de::DeserializeOwned;

/// The first eight bytes of a recording: not text, and broken by a transfer that rewrites line ends.
pub(crate) const MAGIC: [u8; 8] = *b"\x89ATREC\r\n";

/// Magic, version, and the head's length.
pub(crate) const PREAMBLE: usize = 16;
/// Bytes of a checksum.
pub(crate) const CHECKSUM: usize = 4;
/// Kind and time.
pub(crate) const LEAD: usize = 9;
/// Bytes of the length of a record that is not fixed in size.
pub(crate) const LENGTH: usize = 4;

/// Most bytes of one fact or instrument: a configuration with its files fits many times over.
pub(crate) const MAX_PAYLOAD: usize = 16 * 1024 * 1024;
/// Most bytes of one record.
pub(crate) const MAX_RECORD: usize = LEAD + LENGTH + MAX_PAYLOAD + CHECKSUM;
/// Most bytes of a record that is fixed in size: what the writer keeps room for so that none allocates.
pub(crate) const MAX_FIXED: usize = LEAD + CORRECTION + CHECKSUM;

/// The first byte of a record.
mod kind {
    pub(super) const QUOTE: u8 = b'Q';
    pub(super) const TRADE: u8 = b'T';
    pub(super) const BAR: u8 = b'B';
    pub(super) const OPEN_INTEREST: u8 = b'O';
    pub(super) const STATUS: u8 = b'H';
    pub(super) const CANCEL: u8 = b'X';
    pub(super) const CORRECTION: u8 = b'C';
    pub(super) const INSTRUMENT: u8 = b'I';
    pub(super) const FACT: u8 = b'F';
}

// Bytes between the lead and the checksum.
const QUOTE: usize = 39;
const TRADE: usize = 37;
const BAR: usize = 65;
const OPEN_INTEREST: usize = 16;
const STATUS: usize = 18;
const CANCEL: usize = 32;
const CORRECTION: usize = CANCEL + TRADE;

/// How many bytes the record that begins with this one has between lead and checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// That many.
    Fixed(usize),
    /// As the four bytes after the lead say.
    Prefixed,
}

/// The size of a record by its first byte; `None` for a byte that begins none.
pub(crate) const fn size_of_kind(first: u8) -> Option<Size> {
    Some(match first {
        kind::QUOTE => Size::Fixed(QUOTE),
        kind::TRADE => Size::Fixed(TRADE),
        kind::BAR => Size::Fixed(BAR),
        kind::OPEN_INTEREST => Size::Fixed(OPEN_INTEREST),
        kind::STATUS => Size::Fixed(STATUS),
        kind::CANCEL => Size::Fixed(CANCEL),
        kind::CORRECTION => Size::Fixed(CORRECTION),
        kind::INSTRUMENT | kind::FACT => Size::Prefixed,
        _ => return None,
    })
}

/// Appends the record of one input. On an error `out` is as it was.
pub(crate) fn encode(at: UnixNanos, input: &Input, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let from = out.len();
    let done = match input {
        Input::Market(event) => {
            encode_market(at, event, out);
            Ok(())
        }
        Input::Instrument { id, instrument } => canonical_json::of(instrument)
            .map_err(EncodeError::from)
            .and_then(|json| prefixed(kind::INSTRUMENT, at, &[&id.0.to_le_bytes(), json.as_bytes()], out)),
        Input::Fact(fact) => canonical_json::of(fact)
            .map_err(EncodeError::from)
            .and_then(|json| prefixed(kind::FACT, at, &[json.as_bytes()], out)),
    };
    if done.is_err() {
        out.truncate(from);
        return done;
    }
    let sum = crc32fast::hash(out.get(from..).unwrap_or_default());
    out.extend_from_slice(&sum.to_le_bytes());
    Ok(())
}

/// Why an input cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodeError {
    /// No canonical JSON form: a number no JSON reader holds exactly.
    #[error(transparent)]
    Canonical(#[from] canonical_json::CanonicalError),
    /// Too many bytes.
    #[error("{bytes} bytes; at most {MAX_PAYLOAD} are allowed")]
    TooLong { bytes: usize },
}

fn prefixed(kind: u8, at: UnixNanos, parts: &[&[u8]], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let bytes: usize = parts.iter().map(|part| part.len()).sum();
    let length = u32::try_from(bytes).ok().filter(|_| bytes <= MAX_PAYLOAD).ok_or(EncodeError::TooLong { bytes })?;
    lead(kind, at, out);
    out.extend_from_slice(&length.to_le_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
    Ok(())
}

fn lead(kind: u8, at: UnixNanos, out: &mut Vec<u8>) {
    out.push(kind);
    put_time(at, out);
}

fn encode_market(at: UnixNanos, event: &MarketEvent, out: &mut Vec<u8>) {
    match event {
        MarketEvent::Quote(quote) => {
            lead(kind::QUOTE, at, out);
            put_id(quote.instrument, out);
            put_time(quote.exchange_time, out);
            put_price(quote.bid, out);
            put_price(quote.ask, out);
            out.extend_from_slice(&quote.bid_size.to_le_bytes());
            out.extend_from_slice(&quote.ask_size.to_le_bytes());
            out.extend_from_slice(&[quote.bid_exchange, quote.ask_exchange, quote.condition]);
        }
        MarketEvent::Trade(trade) => {
            lead(kind::TRADE, at, out);
            put_trade(trade, out);
        }
        MarketEvent::Bar(bar) => {
            lead(kind::BAR, at, out);
            put_id(bar.instrument, out);
            put_time(bar.start, out);
            out.extend_from_slice(&bar.interval.nanos().to_le_bytes());
            for price in [bar.open, bar.high, bar.low, bar.close] {
                put_price(price, out);
            }
            out.extend_from_slice(&bar.volume.to_le_bytes());
            out.extend_from_slice(&bar.trade_count.to_le_bytes());
            out.push(u8::from(bar.backfill));
        }
        MarketEvent::OpenInterest(interest) => {
            lead(kind::OPEN_INTEREST, at, out);
            put_id(interest.instrument, out);
            out.extend_from_slice(&interest.contracts.to_le_bytes());
            out.extend_from_slice(&interest.date.year().to_le_bytes());
            out.extend_from_slice(&interest.date.month().to_le_bytes());
            out.extend_from_slice(&interest.date.day().to_le_bytes());
        }
        MarketEvent::Status(status) => {
            lead(kind::STATUS, at, out);
            put_id(status.instrument, out);
            put_time(status.exchange_time, out);
            out.extend_from_slice(&[u8::from(status.halted), status.code]);
            out.extend_from_slice(&status.reason);
        }
        MarketEvent::Cancel(cancel) => {
            lead(kind::CANCEL, at, out);
            put_cancel(cancel, out);
        }
        MarketEvent::Correction(correction) => {
            lead(kind::CORRECTION, at, out);
            put_cancel(&correction.original, out);
            put_trade(&correction.corrected, out);
        }
    }
}

fn put_id(id: InstrumentId, out: &mut Vec<u8>) {
    out.extend_from_slice(&id.0.to_le_bytes());
}

fn put_time(time: UnixNanos, out: &mut Vec<u8>) {
    out.extend_from_slice(&time.nanos().to_le_bytes());
}

fn put_price(price: Price, out: &mut Vec<u8>) {
    out.extend_from_slice(&price.nanos().to_le_bytes());
}

fn put_trade(trade: &Trade, out: &mut Vec<u8>) {
    put_id(trade.instrument, out);
    put_time(trade.exchange_time, out);
    put_price(trade.price, out);
    out.extend_from_slice(&trade.size.to_le_bytes());
    out.push(trade.exchange);
    out.extend_from_slice(&trade.conditions);
    out.extend_from_slice(&trade.trade_id.to_le_bytes());
}

fn put_cancel(cancel: &TradeCancel, out: &mut Vec<u8>) {
    put_id(cancel.instrument, out);
    put_time(cancel.exchange_time, out);
    out.extend_from_slice(&cancel.trade_id.to_le_bytes());
    put_price(cancel.price, out);
    out.extend_from_slice(&cancel.size.to_le_bytes());
}

/// A whole record at the beginning of some bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    kind: u8,
    at: UnixNanos,
    payload: &'a [u8],
    /// Bytes of the whole record.
    pub(crate) len: usize,
}

/// What stands at the beginning of some bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Framed<'a> {
    /// A record whose checksum agrees.
    Whole(Frame<'a>),
    /// Fewer bytes than the record needs: so many, as far as can be said.
    Short { needs: usize },
    /// No record begins with this byte.
    Kind(u8),
    /// The length is absurd.
    Length(u32),
    /// The record's checksum differs.
    Checksum { len: usize, found: u32, computed: u32 },
}

/// Finds the record at the beginning of `bytes`.
pub(crate) fn frame(bytes: &[u8]) -> Framed<'_> {
    let Some(first) = bytes.first() else { return Framed::Short { needs: LEAD } };
    let (skip, payload) = match size_of_kind(*first) {
        None => return Framed::Kind(*first),
        Some(Size::Fixed(size)) => (LEAD, size),
        Some(Size::Prefixed) => {
            let Some(length) = bytes.get(LEAD..).and_then(|rest| rest.first_chunk::<LENGTH>()) else {
                return Framed::Short { needs: LEAD + LENGTH };
            };
            let length = u32::from_le_bytes(*length);
            match usize::try_from(length).ok().filter(|length| *length <= MAX_PAYLOAD) {
                Some(length) => (LEAD + LENGTH, length),
                None => return Framed::Length(length),
            }
        }
    };
    let end = skip.saturating_add(payload);
    let len = end.saturating_add(CHECKSUM);
    let parts = bytes.split_at_checked(end).and_then(|(body, rest)| Some((body, rest.first_chunk::<CHECKSUM>()?)));
    let Some((body, sum)) = parts else { return Framed::Short { needs: len } };
    let (found, computed) = (u32::from_le_bytes(*sum), crc32fast::hash(body));
    if found != computed {
        return Framed::Checksum { len, found, computed };
    }
    let at = bytes.get(1..).and_then(|rest| rest.first_chunk::<8>()).copied().unwrap_or_default();
    let payload = body.get(skip..).unwrap_or_default();
    Framed::Whole(Frame { kind: *first, at: UnixNanos::from_nanos(i64::from_le_bytes(at)), payload, len })
}

impl Frame<'_> {
    /// Venue time of the input.
    pub(crate) const fn at(&self) -> UnixNanos {
        self.at
    }

    /// The input inside.
    ///
    /// # Errors
    /// What is wrong with its content, though its checksum agrees.
    pub(crate) fn input(&self) -> Result<Input, String> {
        let mut fields = Fields { rest: self.payload };
        let input = match self.kind {
            kind::INSTRUMENT => {
                let id = fields.id().ok_or("an instrument without a number")?;
                let instrument: Instrument = json(fields.rest)?;
                return Ok(Input::Instrument { id, instrument });
            }
            kind::FACT => return json::<Fact>(fields.rest).map(Input::Fact),
            kind::QUOTE => fields.quote().map(MarketEvent::Quote),
            kind::TRADE => fields.trade().map(MarketEvent::Trade),
            kind::BAR => fields.bar().map(MarketEvent::Bar),
            kind::OPEN_INTEREST => fields.open_interest().map(MarketEvent::OpenInterest),
            kind::STATUS => fields.status().map(MarketEvent::Status),
            kind::CANCEL => fields.cancel().map(MarketEvent::Cancel),
            kind::CORRECTION => fields.correction().map(MarketEvent::Correction),
            _ => None,
        };
        input.map(Input::Market).ok_or_else(|| "a field holds what no such field can".to_owned())
    }
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let value = canonical_json::parse_within(bytes, MAX_PAYLOAD).map_err(|error| error.to_string())?;
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// Fields of a record of fixed size, taken off one by one.
struct Fields<'a> {
    rest: &'a [u8],
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*field)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn id(&mut self) -> Option<InstrumentId> {
        self.u32().map(InstrumentId)
    }

    fn time(&mut self) -> Option<UnixNanos> {
        self.take().map(|bytes| UnixNanos::from_nanos(i64::from_le_bytes(bytes)))
    }

    fn price(&mut self) -> Option<Price> {
        self.take().map(|bytes| Price::from_nanos(i64::from_le_bytes(bytes)))
    }

    fn quote(&mut self) -> Option<Quote> {
        Some(Quote {
            instrument: self.id()?,
            exchange_time: self.time()?,
            bid: self.price()?,
            ask: self.price()?,
            bid_size: self.u32()?,
            ask_size: self.u32()?,
            bid_exchange: self.byte()?,
            ask_exchange: self.byte()?,
            condition: self.byte()?,
        })
    }

    fn trade(&mut self) -> Option<Trade> {
        Some(Trade {
            instrument: self.id()?,
            exchange_time: self.time()?,
            price: self.price()?,
            size: self.u32()?,
            exchange: self.byte()?,
            conditions: self.take()?,
            trade_id: self.u64()?,
        })
    }

    fn bar(&mut self) -> Option<Bar> {
        Some(Bar {
            instrument: self.id()?,
            start: self.time()?,
            interval: self.take().map(|bytes| Span::from_nanos(i64::from_le_bytes(bytes)))?,
            open: self.price()?,
            high: self.price()?,
            low: self.price()?,
            close: self.price()?,
            volume: self.u64()?,
            trade_count: self.u32()?,
            backfill: self.flag()?,
        })
    }

    fn open_interest(&mut self) -> Option<OpenInterest> {
        let (instrument, contracts) = (self.id()?, self.u64()?);
        let year = self.take().map(i16::from_le_bytes)?;
        let month = self.take().map(i8::from_le_bytes)?;
        let day = self.take().map(i8::from_le_bytes)?;
        Some(OpenInterest { instrument, contracts, date: Date::new(year, month, day).ok()? })
    }

    fn status(&mut self) -> Option<TradingStatus> {
        Some(TradingStatus {
            instrument: self.id()?,
            exchange_time: self.time()?,
            halted: self.flag()?,
            code: self.byte()?,
            reason: self.take()?,
        })
    }

    fn cancel(&mut self) -> Option<TradeCancel> {
        Some(TradeCancel {
            instrument: self.id()?,
            exchange_time: self.time()?,
            trade_id: self.u64()?,
            price: self.price()?,
            size: self.u32()?,
        })
    }

    fn correction(&mut self) -> Option<TradeCorrection> {
        Some(TradeCorrection { original: self.cancel()?, corrected: self.trade()? })
    }
}

/// Which instruments are defined so far: an event may bear only a number that was given before it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Defined(u32);

impl Defined {
    /// Takes note of an input.
    ///
    /// # Errors
    /// What is wrong, if a number is given out of order or used before it is given.
    pub(crate) fn admit(&mut self, input: &Input) -> Result<(), String> {
        match input {
            Input::Market(event) => {
                let lowest_number_free = self.0;
                let second = match event {
                    MarketEvent::Correction(correction) => correction.original.instrument,
                    _ => event.instrument(),
                };
                let id = event.instrument().max(second);
                if id.0 < lowest_number_free {
                    return Ok(());
                }
                Err(format!("an event bears instrument number {}, but only {lowest_number_free} are defined", id.0))
            }
            Input::Instrument { id, .. } => {
                let within = (self.0 as usize) < agenttrader_core::instrument::Instruments::MAX;
                if id.0 != self.0 || !within {
                    return Err(format!("an instrument gets number {} where {} comes next", id.0, self.0));
                }
                self.0 = self.0.saturating_add(1);
                Ok(())
            }
            Input::Fact(_) => Ok(()),
        }
    }
}
