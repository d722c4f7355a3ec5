//! Stream frames to market events.
//!
//! The MessagePack path allocates nothing for quotes, prints and bars. Whatever is wrong with a message is said with its
//! reason and does not spoil the other messages of its frame, as long as it can be told where it ends.

use crate::wire::Codec;
use crate::wire::bar::Bar;
use crate::wire::control::Control;
use crate::wire::letters::{Conditions, Letters, printable};
use crate::wire::msgpack::{self, Item, Reader};
use crate::wire::number::{price_from_f64, whole_from_f64};
use crate::wire::quote::Quote;
use crate::wire::status::{Luld, TradingStatus};
use crate::wire::trade::{Cancel, Correction, Trade};
use agenttrader_core::event::MarketEvent;
use agenttrader_core::instrument::{InstrumentId, Instruments};
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Longest frame read, in bytes. A thousand quotes take 100 KiB.
pub const FRAME_MAX: usize = 1 << 20;
/// Most bad messages named in one frame; the rest of it is given up. A frame of a million nothings must not become a
/// million records.
pub const BAD_MAX: u32 = 100;
/// The span of the stream's bars.
const MINUTE: Span = Span::from_minutes(1);
/// Tickers have at most this many characters, contracts more.
const TICKER_MAX: usize = 8;

/// What one message of a frame came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// An event.
    Market(MarketEvent),
    /// About the connection. In a box, so that events stay small to hand on.
    Control(Box<Control>),
    /// Understood, and no event: price bands, imbalances, the day so far, a status that says nothing about halting.
    Passed {
        /// Its `T`.
        kind: Letters,
    },
    /// Of a type nobody knows here.
    Unknown {
        /// Its `T`, the first four letters.
        kind: Letters,
    },
    /// Not usable.
    Bad(Bad),
}

/// What is wrong with a frame or a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    /// The whole frame is refused unread.
    #[error("frame of {bytes} bytes is longer than {FRAME_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The frame is not the JSON it should be.
    #[error("frame is not JSON: {why}")]
    NotJson {
        /// Where and why.
        why: String,
    },
    /// The frame is no array of messages.
    #[error("frame is not an array")]
    NotArray,
    /// The frame ends within a message.
    #[error("frame ends within a message")]
    Truncated,
    /// Bytes follow the array.
    #[error("{bytes} bytes follow the array")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// A message that is no object.
    #[error("message is not an object")]
    NotObject,
    /// A message without a `T` that is a text.
    #[error("message has no type")]
    NoType,
    /// A message with a field that is missing or unusable.
    #[error("message `{}`: field `{field}` {why}", kind.as_str())]
    Field {
        /// Its `T`.
        kind: Letters,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A message that does not read as its type.
    #[error("message `{}`: {why}", kind.as_str())]
    Malformed {
        /// Its `T`.
        kind: Letters,
        /// What is wrong, cut to 160 characters.
        why: String,
    },
    /// A message about a symbol that is not among the instruments.
    #[error("message `{}`: symbol `{symbol}` is not known", kind.as_str())]
    Symbol {
        /// Its `T`.
        kind: Letters,
        /// The symbol, cut to 32 characters.
        symbol: String,
    },
    /// Too many bad messages in one frame.
    #[error("more than {BAD_MAX} bad messages in a frame; the rest of it is not read")]
    TooMany,
}

/// How many messages came to what, since the decoder was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events.
    pub market: u64,
    /// Control messages.
    pub control: u64,
    /// Understood, no event.
    pub passed: u64,
    /// Types nobody knows.
    pub unknown: u64,
    /// Bad frames and messages.
    pub bad: u64,
}

/// Reads frames. Keeps nothing between them but counts.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    counts: Counts,
}

impl Decoder {
    /// What came so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Reads one frame and hands over what each message came to, in order.
    pub fn decode(&mut self, frame: &[u8], codec: Codec, instruments: &Instruments, out: &mut impl FnMut(Decoded)) {
        let counts = &mut self.counts;
        let mut bad_in_frame = 0_u32;
        // Says whether to go on.
        let mut emit = |decoded: Decoded| {
            let count = match &decoded {
                Decoded::Market(_) => &mut counts.market,
                Decoded::Control(_) => &mut counts.control,
                Decoded::Passed { .. } => &mut counts.passed,
                Decoded::Unknown { .. } => &mut counts.unknown,
                Decoded::Bad(_) => {
                    bad_in_frame = bad_in_frame.saturating_add(1);
                    &mut counts.bad
                }
            };
            *count = count.saturating_add(1);
            out(decoded);
            if bad_in_frame == BAD_MAX {
                out(Decoded::Bad(Bad::TooMany));
            }
            bad_in_frame < BAD_MAX
        };
        if frame.len() > FRAME_MAX {
            emit(Decoded::Bad(Bad::TooLong { bytes: frame.len() }));
            return;
        }
        match codec {
            Codec::Json => json_frame(frame, instruments, &mut emit),
            Codec::MessagePack => msgpack_frame(frame, instruments, &mut emit),
        }
    }
}

/// The instrument of a symbol as feeds write it: a ticker or a contract without padding.
pub fn resolve(symbol: &str, instruments: &Instruments) -> Option<InstrumentId> {
    if symbol.len() > TICKER_MAX {
        instruments.by_contract(&OccSymbol::parse(symbol).ok()?)
    } else {
        instruments.by_symbol(Symbol::parse(symbol).ok()?)
    }
}

fn json_frame(frame: &[u8], instruments: &Instruments, emit: &mut impl FnMut(Decoded) -> bool) {
    let messages = match serde_json::from_slice(frame) {
        Ok(Value::Array(messages)) => messages,
        Ok(_) => {
            emit(Decoded::Bad(Bad::NotArray));
            return;
        }
        Err(error) => {
            emit(Decoded::Bad(Bad::NotJson { why: cut(&error.to_string()) }));
            return;
        }
    };
    for message in messages {
        if !emit(value(message, instruments).unwrap_or_else(Decoded::Bad)) {
            return;
        }
    }
}

fn msgpack_frame(frame: &[u8], instruments: &Instruments, emit: &mut impl FnMut(Decoded) -> bool) {
    let mut reader = Reader::new(frame);
    let Some(Item::Array(count)) = reader.item() else {
        emit(Decoded::Bad(Bad::NotArray));
        return;
    };
    for _ in 0..count {
        let mut attempt = reader.clone();
        match object(&mut attempt, instruments) {
            Ok(decoded) => {
                reader = attempt;
                if !emit(decoded) {
                    return;
                }
            }
            Err(bad) => {
                // Past the bad message by its own structure; where that is broken too, the rest is lost.
                let delimited = reader.skip().is_some();
                let bad = if delimited { bad } else { Bad::Truncated };
                if !emit(Decoded::Bad(bad)) || !delimited {
                    return;
                }
            }
        }
    }
    if !reader.rest().is_empty() {
        emit(Decoded::Bad(Bad::Trailing { bytes: reader.rest().len() }));
    }
}

/// One message of a MessagePack frame.
fn object(reader: &mut Reader<'_>, instruments: &Instruments) -> Result<Decoded, Bad> {
    let start = reader.clone();
    let pairs = match reader.item() {
        Some(Item::Map(pairs)) => pairs,
        Some(_) => return Err(Bad::NotObject),
        None => return Err(Bad::Truncated),
    };
    let kind = kind(reader.clone(), pairs)?;
    let letters = Letters::cut(kind);
    let mut fields = Fields { reader, pairs, kind: letters };
    match kind {
        b"q" => {
            let (symbol, quote) = fields.quote()?;
            Ok(Decoded::Market(MarketEvent::Quote(quote.event(find(letters, symbol, instruments)?))))
        }
        b"t" => {
            let (symbol, trade) = fields.trade()?;
            let instrument = find(letters, symbol, instruments)?;
            trade_event(letters, &trade, instrument)
        }
        b"b" | b"u" => {
            let (symbol, bar) = fields.bar()?;
            let instrument = find(letters, symbol, instruments)?;
            bar_event(letters, &bar, instrument)
        }
        // Rare: by way of a value, the same as JSON.
        b"success" | b"error" | b"subscription" | b"s" | b"l" | b"c" | b"x" => {
            *reader = start;
            let message = msgpack::read_value(reader, 0)
                .ok_or(Bad::Malformed { kind: letters, why: "not a plain object".to_owned() })?;
            value(message, instruments)
        }
        _ => {
            *reader = start;
            reader.skip().ok_or(Bad::Truncated)?;
            Ok(no_event(letters, kind))
        }
    }
}

/// The text of `T`, wherever in the map it stands.
fn kind(mut reader: Reader<'_>, pairs: u32) -> Result<&[u8], Bad> {
    for _ in 0..pairs {
        match (reader.item(), reader.clone().item()) {
            (Some(Item::Text(b"T")), Some(Item::Text(kind))) => return Ok(kind),
            (Some(Item::Text(b"T")), Some(_)) => return Err(Bad::NoType),
            (Some(Item::Text(_)), _) => reader.skip().ok_or(Bad::Truncated)?,
            (Some(_), _) => return Err(Bad::NoType),
            (None, _) => return Err(Bad::Truncated),
        }
    }
    Err(Bad::NoType)
}

/// The types that carry no event for us, apart from those nobody knows.
fn no_event(letters: Letters, kind: &[u8]) -> Decoded {
    match kind {
        b"d" | b"i" => Decoded::Passed { kind: letters },
        _ => Decoded::Unknown { kind: letters },
    }
}

fn find(kind: Letters, symbol: &str, instruments: &Instruments) -> Result<InstrumentId, Bad> {
    resolve(symbol, instruments).ok_or_else(|| Bad::Symbol { kind, symbol: symbol.chars().take(32).collect() })
}

fn trade_event(kind: Letters, trade: &Trade, instrument: InstrumentId) -> Result<Decoded, Bad> {
    positive(kind, "p", trade.p)?;
    Ok(Decoded::Market(MarketEvent::Trade(trade.event(instrument))))
}

fn bar_event(kind: Letters, bar: &Bar, instrument: InstrumentId) -> Result<Decoded, Bad> {
    for (field, price) in [("o", bar.o), ("h", bar.h), ("l", bar.l), ("c", bar.c)] {
        positive(kind, field, price)?;
    }
    Ok(Decoded::Market(MarketEvent::Bar(bar.event(instrument, MINUTE, false))))
}

/// Nothing trades for nothing; a quote alone says an empty side with a zero.
fn positive(kind: Letters, field: &'static str, price: Price) -> Result<(), Bad> {
    if price > Price::ZERO { Ok(()) } else { Err(Bad::Field { kind, field, why: "is not above zero" }) }
}

/// One message as a JSON value.
fn value(message: Value, instruments: &Instruments) -> Result<Decoded, Bad> {
    let Value::Object(map) = &message else { return Err(Bad::NotObject) };
    let kind = map.get("T").and_then(Value::as_str).ok_or(Bad::NoType)?.to_owned();
    let letters = Letters::cut(kind.as_bytes());
    if matches!(kind.as_str(), "success" | "error" | "subscription") {
        return read(letters, message).map(|control| Decoded::Control(Box::new(control)));
    }
    let symbol = match map.get("S") {
        Some(Value::String(symbol)) => symbol.clone(),
        // Told apart below: an unknown type need not have a symbol.
        _ => String::new(),
    };
    let instrument = || match symbol.as_str() {
        "" => Err(Bad::Field { kind: letters, field: "S", why: "is not a symbol" }),
        symbol => find(letters, symbol, instruments),
    };
    match kind.as_str() {
        "q" => {
            let quote: Quote = read(letters, message)?;
            Ok(Decoded::Market(MarketEvent::Quote(quote.event(instrument()?))))
        }
        "t" => trade_event(letters, &read(letters, message)?, instrument()?),
        "b" | "u" => bar_event(letters, &read(letters, message)?, instrument()?),
        "s" => {
            let status: TradingStatus = read(letters, message)?;
            let event = status.event(instrument()?).map(MarketEvent::Status);
            Ok(event.map_or(Decoded::Passed { kind: letters }, Decoded::Market))
        }
        "l" => {
            let _: Luld = read(letters, message)?;
            Ok(Decoded::Passed { kind: letters })
        }
        "c" => {
            let correction: Correction = read(letters, message)?;
            positive(letters, "cp", correction.cp)?;
            Ok(Decoded::Market(MarketEvent::Correction(correction.event(instrument()?))))
        }
        "x" => {
            let cancel: Cancel = read(letters, message)?;
            Ok(Decoded::Market(MarketEvent::Cancel(cancel.event(instrument()?))))
        }
        kind => Ok(no_event(letters, kind.as_bytes())),
    }
}

fn read<Body: DeserializeOwned>(kind: Letters, message: Value) -> Result<Body, Bad> {
    serde_json::from_value(message).map_err(|error| Bad::Malformed { kind, why: cut(&error.to_string()) })
}

fn cut(text: &str) -> String {
    text.chars().take(160).collect()
}

/// Reads the pairs of one object.
struct Fields<'r, 'a> {
    reader: &'r mut Reader<'a>,
    pairs: u32,
    kind: Letters,
}

impl<'a> Fields<'_, 'a> {
    fn quote(&mut self) -> Result<(&'a str, Quote), Bad> {
        let (mut symbol, mut time, mut bid, mut bid_size, mut ask, mut ask_size) = (None, None, None, None, None, None);
        let (mut bid_exchange, mut ask_exchange, mut conditions) = (b' ', b' ', Conditions::Stock(Letters::BLANK));
        for _ in 0..self.pairs {
            match self.key()? {
                b"S" => symbol = Some(self.text("S")?),
                b"t" => time = Some(self.time("t")?),
                b"bx" => bid_exchange = self.letter("bx")?,
                b"bp" => bid = Some(self.price("bp")?),
                b"bs" => bid_size = Some(self.size("bs")?),
                b"ax" => ask_exchange = self.letter("ax")?,
                b"ap" => ask = Some(self.price("ap")?),
                b"as" => ask_size = Some(self.size("as")?),
                b"c" => conditions = self.conditions("c")?,
                _ => self.skip()?,
            }
        }
        let quote = Quote {
            t: self.found("t", time)?,
            bx: bid_exchange,
            bp: self.found("bp", bid)?,
            bs: self.found("bs", bid_size)?,
            ax: ask_exchange,
            ap: self.found("ap", ask)?,
            as_: self.found("as", ask_size)?,
            c: conditions,
            z: None,
        };
        Ok((self.found("S", symbol)?, quote))
    }

    fn trade(&mut self) -> Result<(&'a str, Trade), Bad> {
        let (mut symbol, mut time, mut id, mut price, mut size) = (None, None, None, None, None);
        let (mut exchange, mut conditions) = (b' ', Conditions::Stock(Letters::BLANK));
        for _ in 0..self.pairs {
            match self.key()? {
                b"S" => symbol = Some(self.text("S")?),
                b"t" => time = Some(self.time("t")?),
                b"i" => id = self.count_or_null("i")?,
                b"x" => exchange = self.letter("x")?,
                b"p" => price = Some(self.price("p")?),
                b"s" => size = Some(self.size("s")?),
                b"c" => conditions = self.conditions("c")?,
                _ => self.skip()?,
            }
        }
        let trade = Trade {
            t: self.found("t", time)?,
            i: id,
            x: exchange,
            p: self.found("p", price)?,
            s: self.found("s", size)?,
            c: conditions,
            z: None,
        };
        Ok((self.found("S", symbol)?, trade))
    }

    fn bar(&mut self) -> Result<(&'a str, Bar), Bad> {
        let (mut symbol, mut time, mut open, mut high, mut low, mut close) = (None, None, None, None, None, None);
        let (mut volume, mut count) = (None, None);
        for _ in 0..self.pairs {
            match self.key()? {
                b"S" => symbol = Some(self.text("S")?),
                b"t" => time = Some(self.time("t")?),
                b"o" => open = Some(self.price("o")?),
                b"h" => high = Some(self.price("h")?),
                b"l" => low = Some(self.price("l")?),
                b"c" => close = Some(self.price("c")?),
                b"v" => volume = self.count_or_null("v")?,
                b"n" => count = self.count_or_null("n")?,
                _ => self.skip()?,
            }
        }
        let bar = Bar {
            t: self.found("t", time)?,
            o: self.found("o", open)?,
            h: self.found("h", high)?,
            l: self.found("l", low)?,
            c: self.found("c", close)?,
            v: self.found("v", volume)?,
            n: count,
            vw: None,
        };
        Ok((self.found("S", symbol)?, bar))
    }

    fn item(&mut self) -> Result<Item<'a>, Bad> {
        self.reader.item().ok_or(Bad::Truncated)
    }

    fn key(&mut self) -> Result<&'a [u8], Bad> {
        match self.item()? {
            Item::Text(key) => Ok(key),
            _ => Err(Bad::Malformed { kind: self.kind, why: "a key is not a text".to_owned() }),
        }
    }

    fn skip(&mut self) -> Result<(), Bad> {
        self.reader.skip().ok_or(Bad::Truncated)
    }

    fn wrong(&self, field: &'static str, why: &'static str) -> Bad {
        Bad::Field { kind: self.kind, field, why }
    }

    fn found<Read>(&self, field: &'static str, read: Option<Read>) -> Result<Read, Bad> {
        read.ok_or_else(|| self.wrong(field, "is missing"))
    }

    fn text(&mut self, field: &'static str) -> Result<&'a str, Bad> {
        match self.item()? {
            Item::Text(text) => std::str::from_utf8(text).map_err(|_| self.wrong(field, "is not UTF-8")),
            _ => Err(self.wrong(field, "is not a text")),
        }
    }

    fn letter(&mut self, field: &'static str) -> Result<u8, Bad> {
        match self.item()? {
            Item::Text(text) => Ok(text.first().copied().map_or(b' ', printable)),
            Item::Nil => Ok(b' '),
            _ => Err(self.wrong(field, "is not a text")),
        }
    }

    fn time(&mut self, field: &'static str) -> Result<UnixNanos, Bad> {
        self.item()?.timestamp().ok_or_else(|| self.wrong(field, "is not a timestamp between 1678 and 2262"))
    }

    fn price(&mut self, field: &'static str) -> Result<Price, Bad> {
        let dollars = match self.item()? {
            Item::Float(dollars) => dollars,
            Item::Unsigned(dollars) => dollars as f64,
            _ => return Err(self.wrong(field, "is not a number from zero")),
        };
        price_from_f64(dollars).ok_or_else(|| self.wrong(field, "is not 0 to 9.2 billion dollars"))
    }

    fn count_or_null(&mut self, field: &'static str) -> Result<Option<u64>, Bad> {
        match self.item()? {
            Item::Unsigned(count) => Ok(Some(count)),
            Item::Nil => Ok(None),
            Item::Float(count) => {
                whole_from_f64(count).map(Some).ok_or_else(|| self.wrong(field, "is not a whole number from zero"))
            }
            _ => Err(self.wrong(field, "is not a whole number from zero")),
        }
    }

    fn size(&mut self, field: &'static str) -> Result<u32, Bad> {
        let count = self.count_or_null(field)?;
        let count = count.ok_or_else(|| self.wrong(field, "is null"))?;
        u32::try_from(count).map_err(|_| self.wrong(field, "is above 4294967295"))
    }

    fn conditions(&mut self, field: &'static str) -> Result<Conditions, Bad> {
        match self.item()? {
            Item::Text(text) => Ok(Conditions::Option(Letters::cut(text))),
            Item::Nil => Ok(Conditions::Stock(Letters::BLANK)),
            Item::Array(count) => {
                let mut letters = [b' '; 4];
                let mut slots = letters.iter_mut();
                for _ in 0..count {
                    let letter = self.letter(field)?;
                    if let Some(slot) = slots.next() {
                        *slot = letter;
                    }
                }
                Ok(Conditions::Stock(Letters(letters)))
            }
            _ => Err(self.wrong(field, "is neither a text nor an array")),
        }
    }
}
