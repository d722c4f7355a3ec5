//! Stream messages from market events, in both codecs: the server's end.
//!
//! [`message`] appends one object; a [`Frame`] puts objects into the array that goes out. An object encoded once can go
//! into the frames of many connections.

use crate::wire::bar::Bar;
use crate::wire::letters::{Conditions, Letters, as_text};
use crate::wire::msgpack::{
    append_array, append_float, append_map, append_nil, append_text, append_time, append_unsigned,
};
use crate::wire::quote::Quote;
use crate::wire::status::{Luld, TradingStatus};
use crate::wire::trade::{Cancel, Correction, Trade};
use crate::wire::{Codec, Listing};
use agenttrader_core::event::MarketEvent;
use agenttrader_core::price::Price;
use agenttrader_core::time::UnixNanos;
use serde::Serialize;

/// Which of the three bar messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarKind {
    /// `b`: a minute that ended.
    Minute,
    /// `u`: a minute that late prints changed.
    Updated,
    /// `d`: the day so far.
    Daily,
}

/// What a stream can say about a symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// `q`.
    Quote(Quote),
    /// `t`.
    Trade(Trade),
    /// `b`, `u`, `d`.
    Bar(BarKind, Bar),
    /// `s`.
    Status(TradingStatus),
    /// `l`.
    Luld(Luld),
    /// `c`.
    Correction(Correction),
    /// `x`.
    Cancel(Cancel),
}

impl Message {
    /// The message for an event; `None` for open interest, which no stream carries. Bars go out as minute bars without a
    /// volume-weighted price, cancels without their exchange, which Alpaca's own client refuses: fill in what is known.
    pub fn of(event: &MarketEvent, listing: Listing) -> Option<Self> {
        Some(match event {
            MarketEvent::Quote(quote) => Self::Quote(Quote::of(quote, listing)),
            MarketEvent::Trade(trade) => Self::Trade(Trade::of(trade, listing)),
            MarketEvent::Bar(bar) => Self::Bar(BarKind::Minute, Bar::of(bar, None)),
            MarketEvent::OpenInterest(_) => return None,
            MarketEvent::Status(status) => Self::Status(TradingStatus::of(status, listing)),
            MarketEvent::Cancel(cancel) => Self::Cancel(Cancel::of(cancel, b' ', listing)),
            MarketEvent::Correction(correction) => Self::Correction(Correction::of(correction, listing)),
        })
    }

    /// The value of `T`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Quote(_) => "q",
            Self::Trade(_) => "t",
            Self::Bar(BarKind::Minute, _) => "b",
            Self::Bar(BarKind::Updated, _) => "u",
            Self::Bar(BarKind::Daily, _) => "d",
            Self::Status(_) => "s",
            Self::Luld(_) => "l",
            Self::Correction(_) => "c",
            Self::Cancel(_) => "x",
        }
    }
}

/// Appends one object to `out`: `T` first, then `S`, then the rest.
pub fn message(out: &mut Vec<u8>, codec: Codec, symbol: &str, message: &Message) {
    match codec {
        Codec::Json => json(out, symbol, message),
        Codec::MessagePack => {
            let mut pack = Pack(out);
            match message {
                Message::Quote(quote) => pack.quote(symbol, quote),
                Message::Trade(trade) => pack.trade(symbol, trade),
                Message::Bar(_, bar) => pack.bar(message.kind(), symbol, bar),
                Message::Status(status) => pack.status(symbol, status),
                Message::Luld(luld) => pack.luld(symbol, luld),
                Message::Correction(correction) => pack.correction(symbol, correction),
                Message::Cancel(cancel) => pack.cancel(symbol, cancel),
            }
        }
    }
}

fn json(out: &mut Vec<u8>, symbol: &str, message: &Message) {
    #[derive(Serialize)]
    struct Tagged<'a, Body> {
        #[serde(rename = "T")]
        kind: &'a str,
        #[serde(rename = "S")]
        symbol: &'a str,
        #[serde(flatten)]
        body: &'a Body,
    }
    fn write<Body: Serialize>(out: &mut Vec<u8>, kind: &str, symbol: &str, body: &Body) {
        // Texts, numbers and lists of them into a vector: nothing can fail.
        let _ = serde_json::to_writer(out, &Tagged { kind, symbol, body });
    }
    let kind = message.kind();
    match message {
        Message::Quote(body) => write(out, kind, symbol, body),
        Message::Trade(body) => write(out, kind, symbol, body),
        Message::Bar(_, body) => write(out, kind, symbol, body),
        Message::Status(body) => write(out, kind, symbol, body),
        Message::Luld(body) => write(out, kind, symbol, body),
        Message::Correction(body) => write(out, kind, symbol, body),
        Message::Cancel(body) => write(out, kind, symbol, body),
    }
}

/// Writes the fields of MessagePack objects.
struct Pack<'a>(&'a mut Vec<u8>);

impl Pack<'_> {
    /// The head of an object with `T`, `S`, `t`, so many other fields, and the tape if there is one.
    fn open(&mut self, kind: &str, symbol: &str, time: UnixNanos, others: usize, tape: Option<u8>) {
        append_map(others.saturating_add(if tape.is_some() { 4 } else { 3 }), self.0);
        self.text("T", kind);
        self.text("S", symbol);
        append_text("t", self.0);
        append_time(time, self.0);
        if let Some(tape) = tape {
            self.letter("z", tape);
        }
    }

    fn text(&mut self, key: &str, text: &str) {
        append_text(key, self.0);
        append_text(text, self.0);
    }

    fn letter(&mut self, key: &str, letter: u8) {
        self.text(key, as_text(&letter));
    }

    fn number(&mut self, key: &str, value: u64) {
        append_text(key, self.0);
        append_unsigned(value, self.0);
    }

    fn price(&mut self, key: &str, price: Price) {
        append_text(key, self.0);
        append_float(price.as_f64(), self.0);
    }

    fn conditions(&mut self, key: &str, conditions: Conditions) {
        append_text(key, self.0);
        match conditions {
            Conditions::Stock(Letters(letters)) => {
                let count = Conditions::count(&letters);
                append_array(count, self.0);
                for letter in letters.iter().take(count) {
                    append_text(as_text(letter), self.0);
                }
            }
            Conditions::Option(letters) if letters == Letters::BLANK => append_text(" ", self.0),
            Conditions::Option(letters) => append_text(letters.as_str(), self.0),
        }
    }

    fn quote(&mut self, symbol: &str, quote: &Quote) {
        self.open("q", symbol, quote.t, 7, quote.z);
        self.letter("bx", quote.bx);
        self.price("bp", quote.bp);
        self.number("bs", quote.bs.into());
        self.letter("ax", quote.ax);
        self.price("ap", quote.ap);
        self.number("as", quote.as_.into());
        self.conditions("c", quote.c);
    }

    fn trade(&mut self, symbol: &str, trade: &Trade) {
        self.open("t", symbol, trade.t, if trade.i.is_some() { 5 } else { 4 }, trade.z);
        if let Some(id) = trade.i {
            self.number("i", id);
        }
        self.letter("x", trade.x);
        self.price("p", trade.p);
        self.number("s", trade.s.into());
        self.conditions("c", trade.c);
    }

    fn bar(&mut self, kind: &str, symbol: &str, bar: &Bar) {
        self.open(kind, symbol, bar.t, 7, None);
        self.price("o", bar.o);
        self.price("h", bar.h);
        self.price("l", bar.l);
        self.price("c", bar.c);
        self.number("v", bar.v);
        append_text("n", self.0);
        match bar.n {
            Some(count) => append_unsigned(count, self.0),
            None => append_nil(self.0),
        }
        append_text("vw", self.0);
        match bar.vw {
            Some(price) => append_float(price.as_f64(), self.0),
            None => append_nil(self.0),
        }
    }

    fn status(&mut self, symbol: &str, status: &TradingStatus) {
        self.open("s", symbol, status.t, 4, status.z);
        self.letter("sc", status.sc);
        self.text("sm", &status.sm);
        self.text("rc", status.rc.as_str());
        self.text("rm", &status.rm);
    }

    fn luld(&mut self, symbol: &str, luld: &Luld) {
        self.open("l", symbol, luld.t, 3, luld.z);
        self.price("u", luld.u);
        self.price("d", luld.d);
        self.letter("i", luld.i);
    }

    fn correction(&mut self, symbol: &str, correction: &Correction) {
        self.open("c", symbol, correction.t, 9, correction.z);
        self.letter("x", correction.x);
        self.number("oi", correction.oi);
        self.price("op", correction.op);
        self.number("os", correction.os.into());
        self.conditions("oc", correction.oc);
        self.number("ci", correction.ci);
        self.price("cp", correction.cp);
        self.number("cs", correction.cs.into());
        self.conditions("cc", correction.cc);
    }

    fn cancel(&mut self, symbol: &str, cancel: &Cancel) {
        self.open("x", symbol, cancel.t, 5, cancel.z);
        self.number("i", cancel.i);
        self.letter("x", cancel.x);
        self.price("p", cancel.p);
        self.number("s", cancel.s.into());
        self.letter("a", cancel.a);
    }
}

/// One array of objects, appended to a buffer of the caller's.
#[derive(Debug)]
pub struct Frame<'a> {
    out: &'a mut Vec<u8>,
    codec: Codec,
    start: usize,
    objects: u32,
}

impl<'a> Frame<'a> {
    /// Begins a frame at the end of `out`.
    pub fn open(out: &'a mut Vec<u8>, codec: Codec) -> Self {
        let start = out.len();
        match codec {
            Codec::Json => out.push(b'['),
            // The wide form of an array's head leaves room for a number that is not known yet.
            Codec::MessagePack => out.extend_from_slice(&[0xdd, 0, 0, 0, 0]),
        }
        Self { out, codec, start, objects: 0 }
    }

    /// Adds a message.
    pub fn push(&mut self, symbol: &str, body: &Message) {
        self.separate();
        message(self.out, self.codec, symbol, body);
    }

    /// Adds an object that [`message`] has encoded in this frame's codec.
    pub fn push_encoded(&mut self, object: &[u8]) {
        self.separate();
        self.out.extend_from_slice(object);
    }

    /// Objects so far.
    pub const fn len(&self) -> u32 {
        self.objects
    }

    /// Whether nothing was added yet.
    pub const fn is_empty(&self) -> bool {
        self.objects == 0
    }

    /// Ends the frame.
    pub fn close(self) {
        match self.codec {
            Codec::Json => self.out.push(b']'),
            Codec::MessagePack => {
                let room = self.out.get_mut(self.start.saturating_add(1)..self.start.saturating_add(5));
                if let Some(room) = room {
                    room.copy_from_slice(&self.objects.to_be_bytes());
                }
            }
        }
    }

    fn separate(&mut self) {
        if self.codec == Codec::Json && self.objects > 0 {
            self.out.push(b',');
        }
        self.objects = self.objects.saturating_add(1);
    }
}
