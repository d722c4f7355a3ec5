//! One row of a LEAN file to one market event, or the reason why not.
//!
//! Times are milliseconds since midnight in New York, prices dollars × 10,000 (an index level: dollars). A bar becomes an event at its
//! *end*; of a quote bar the closing bid and ask count. A side that a row leaves blank keeps its last value, unless the other side has
//! since moved through it.

use super::Timed;
use super::names::{Class, DataFile, Kind};
use super::report::Tally;
use agenttrader_core::calendar::{self, Session};
use agenttrader_core::decimal;
use agenttrader_core::event::{Bar, MarketEvent, OpenInterest, Quote, Trade};
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::price::Price;
use agenttrader_core::time::{Span, UnixNanos};
use jiff::civil::Date;

/// How the rows of a file are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    class: Class,
    kind: Kind,
    /// Length of a bar; `None` for ticks.
    interval: Option<Span>,
}

impl Format {
    pub(super) fn of(file: &DataFile) -> Self {
        Self { class: file.class, kind: file.kind, interval: file.resolution.interval() }
    }

    pub(super) const fn kind(self) -> Kind {
        self.kind
    }

    pub(super) const fn is_ticks(self) -> bool {
        self.interval.is_none()
    }
}

/// Which part of the day is imported.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    date: Date,
    midnight: UnixNanos,
    /// The first instant.
    pub(super) open: UnixNanos,
    /// The last instant: ticks are before it, bars end at it at the latest.
    pub(super) close: UnixNanos,
}

impl Window {
    pub(super) fn of(session: &Session, extended: bool) -> Self {
        let at = |hour| calendar::new_york(session.date, hour, 0);
        let (open, close) = if extended { (at(4), at(20)) } else { (session.open, session.close) };
        Self { date: session.date, midnight: at(0), open, close }
    }

    fn holds_tick(&self, at: UnixNanos) -> bool {
        self.open <= at && at < self.close
    }

    fn holds_bar(&self, start: UnixNanos, end: UnixNanos) -> bool {
        self.open <= start && end <= self.close
    }
}

/// Why a row became no event. What is named first is found first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Unparsable,
    Terms,
    Suspicious,
    OutOfOrder,
    NoSide,
    OutsideWindow,
    NegativePrice,
    Crossed,
    NotTraded,
    OwnRange,
}

impl Reason {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Unparsable => "not a row of this kind",
            Self::Terms => "contract terms that no option symbol holds",
            Self::Suspicious => "marked suspicious by the vendor",
            Self::OutOfOrder => "earlier than the row kept before it",
            Self::NoSide => "a quote that states neither side",
            Self::OutsideWindow => "outside the hours imported",
            Self::NegativePrice => "a negative price",
            Self::Crossed => "a bid above the ask",
            Self::NotTraded => "a print or bar without price or size",
            Self::OwnRange => "a bar whose prices lie outside its own range",
        }
    }
}

/// The side was stated earlier, and the other side has moved through it since.
const WITHDRAWN: &str = "a side carried on from an earlier row taken away: the other side moved through it";

/// One side of a quote as last stated.
#[derive(Clone, Copy, Debug)]
struct Side {
    price: Price,
    size: u32,
    exchange: u8,
}

const NO_SIDE: Side = Side { price: Price::ZERO, size: 0, exchange: b' ' };

/// Reads the rows of one instrument in one file, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parser {
    format: Format,
    window: Window,
    instrument: InstrumentId,
    last: UnixNanos,
    bid: Side,
    ask: Side,
}

impl Parser {
    pub(super) fn new(format: Format, window: Window, instrument: InstrumentId) -> Self {
        Self { format, window, instrument, last: window.midnight, bid: NO_SIDE, ask: NO_SIDE }
    }

    /// The event of a row; counts the row either way.
    pub(super) fn take(&mut self, row: &[u8], tally: &mut Tally) -> Option<Timed> {
        tally.row();
        let event =
            std::str::from_utf8(row).map_err(|_| Reason::Unparsable).and_then(|text| self.event(text, row, tally));
        match event {
            Ok((at, event)) => {
                tally.taken(&event);
                Some((at, event))
            }
            Err(reason) => {
                tally.drop_row(reason.as_str(), row);
                None
            }
        }
    }

    fn event(&mut self, text: &str, row: &[u8], tally: &mut Tally) -> Result<Timed, Reason> {
        let mut fields = [""; MOST_FIELDS];
        let mut count: usize = 0;
        for field in text.split(',') {
            *fields.get_mut(count).ok_or(Reason::Unparsable)? = field.trim_ascii();
            count = count.saturating_add(1);
        }
        let fields = fields.get(..count).unwrap_or_default();
        let start = self.window.midnight.plus(since_midnight(fields.first().copied().unwrap_or_default())?);
        // Only what counts moves the time on: a dropped row's says nothing about the rows after it.
        let last = self.last;
        let in_order = || if start < last { Err(Reason::OutOfOrder) } else { Ok(()) };
        let event = match (self.format.kind, self.format.interval) {
            (Kind::OpenInterest, _) => {
                let [_, contracts] = fields else { return Err(Reason::Unparsable) };
                let contracts = whole(contracts)?;
                in_order()?;
                if start >= self.window.close {
                    return Err(Reason::OutsideWindow);
                }
                let interest = OpenInterest { instrument: self.instrument, contracts, date: self.window.date };
                // Published before the session: known when it begins.
                Ok((start.max(self.window.open), MarketEvent::OpenInterest(interest)))
            }
            (Kind::Trade, Some(interval)) => {
                let bar = self.trade_bar(fields, start, interval)?;
                in_order()?;
                self.sound_bar(&bar).map(|()| (bar.end(), MarketEvent::Bar(bar)))
            }
            (Kind::Quote, Some(_)) => {
                let [_, _, _, _, bid, bid_size, _, _, _, ask, ask_size] = fields else {
                    return Err(Reason::Unparsable);
                };
                let bid = self.stated(bid, bid_size, b' ')?;
                let ask = self.stated(ask, ask_size, b' ')?;
                in_order()?;
                self.quote(bid, ask, start, row, tally)
            }
            (Kind::Trade, None) => {
                let trade = self.tick_trade(fields, start)?;
                in_order()?;
                if !self.window.holds_tick(start) {
                    return Err(Reason::OutsideWindow);
                }
                sound_trade(&trade).map(|()| (start, MarketEvent::Trade(trade)))
            }
            (Kind::Quote, None) => {
                let [_, bid, bid_size, ask, ask_size, more @ ..] = fields else { return Err(Reason::Unparsable) };
                let exchange = more.first().map_or(b' ', |text| letter(text));
                let suspicious = match (self.format.class.is_option(), more) {
                    (true, [_, flag]) | (false, [_, _, flag]) => *flag,
                    (_, [] | [_]) | (false, [_, _]) => "",
                    _ => return Err(Reason::Unparsable),
                };
                // In ticks a price of zero says nothing about its side.
                let heard = |side: Option<Side>| side.filter(|side| side.price != Price::ZERO);
                let bid = heard(self.stated(bid, bid_size, exchange)?);
                let ask = heard(self.stated(ask, ask_size, exchange)?);
                flagged(suspicious)?;
                in_order()?;
                self.quote(bid, ask, start, row, tally)
            }
        };
        if event.is_ok() {
            self.last = start;
        }
        event
    }

    /// A side of a quote, `None` where it is blank.
    fn stated(&self, price: &str, size: &str, exchange: u8) -> Result<Option<Side>, Reason> {
        let size = match size {
            "" => 0,
            size => u32::try_from(whole(size)?).map_err(|_| Reason::Unparsable)?,
        };
        Ok(self.price(price)?.map(|price| Side { price, size, exchange }))
    }

    fn price(&self, text: &str) -> Result<Option<Price>, Reason> {
        match text {
            "" => Ok(None),
            text => price(text, self.format.class != Class::Index).map(Some),
        }
    }

    /// The quote after a row that states `bid`, `ask` or both. A row whose sides are carried on counts in the order of the file, also
    /// where it becomes no event itself.
    fn quote(
        &mut self,
        bid: Option<Side>,
        ask: Option<Side>,
        start: UnixNanos,
        row: &[u8],
        tally: &mut Tally,
    ) -> Result<Timed, Reason> {
        let (at, inside) = match self.format.interval {
            Some(interval) => (start.plus(interval), self.window.holds_bar(start, start.plus(interval))),
            None => (start, self.window.holds_tick(start)),
        };
        // After the hours imported nothing is left to carry a side on to.
        if !inside && start >= self.window.open {
            return Err(Reason::OutsideWindow);
        }
        let negative = |side: &Option<Side>| side.is_some_and(|side| side.price < Price::ZERO);
        let crossed =
            |bid: Side, ask: Side| bid.price > Price::ZERO && ask.price > Price::ZERO && bid.price > ask.price;
        let nonsense = if bid.is_none() && ask.is_none() {
            Some(Reason::NoSide)
        } else if negative(&bid) || negative(&ask) {
            Some(Reason::NegativePrice)
        } else {
            bid.zip(ask).filter(|(bid, ask)| crossed(*bid, *ask)).map(|_| Reason::Crossed)
        };
        if let Some(reason) = nonsense {
            return Err(if inside { reason } else { Reason::OutsideWindow });
        }
        self.last = start;
        let carried_bid = bid.is_none();
        self.bid = bid.unwrap_or(self.bid);
        self.ask = ask.unwrap_or(self.ask);
        if crossed(self.bid, self.ask) {
            *(if carried_bid { &mut self.bid } else { &mut self.ask }) = NO_SIDE;
            if inside {
                tally.adjust(WITHDRAWN, row);
            }
        }
        if !inside {
            return Err(Reason::OutsideWindow);
        }
        if self.bid.price == Price::ZERO && self.ask.price == Price::ZERO {
            return Err(Reason::NoSide);
        }
        let quote = Quote {
            instrument: self.instrument,
            exchange_time: at,
            bid: self.bid.price,
            ask: self.ask.price,
            bid_size: self.bid.size,
            ask_size: self.ask.size,
            bid_exchange: self.bid.exchange,
            ask_exchange: self.ask.exchange,
            condition: b' ',
        };
        Ok((at, MarketEvent::Quote(quote)))
    }

    fn trade_bar(&self, fields: &[&str], start: UnixNanos, interval: Span) -> Result<Bar, Reason> {
        let [_, open, high, low, close, volume] = fields else { return Err(Reason::Unparsable) };
        let stated = |text: &str| self.price(text)?.ok_or(Reason::Unparsable);
        Ok(Bar {
            instrument: self.instrument,
            start,
            interval,
            open: stated(open)?,
            high: stated(high)?,
            low: stated(low)?,
            close: stated(close)?,
            volume: whole(volume)?,
            trade_count: 0,
            backfill: false,
        })
    }

    fn sound_bar(&self, bar: &Bar) -> Result<(), Reason> {
        let prices = [bar.open, bar.high, bar.low, bar.close];
        if !self.window.holds_bar(bar.start, bar.end()) {
            return Err(Reason::OutsideWindow);
        }
        if prices.iter().any(|price| *price < Price::ZERO) {
            return Err(Reason::NegativePrice);
        }
        // An index trades nothing: its bars have levels alone.
        if prices.contains(&Price::ZERO) || (bar.volume == 0 && self.format.class != Class::Index) {
            return Err(Reason::NotTraded);
        }
        if prices.iter().any(|price| *price < bar.low || *price > bar.high) {
            return Err(Reason::OwnRange);
        }
        Ok(())
    }

    fn tick_trade(&self, fields: &[&str], at: UnixNanos) -> Result<Trade, Reason> {
        let [_, paid, size, more @ ..] = fields else { return Err(Reason::Unparsable) };
        let (exchange, condition, suspicious) = match more {
            [] => ("", "", ""),
            [exchange] => (*exchange, "", ""),
            [exchange, condition] => (*exchange, *condition, ""),
            [exchange, condition, suspicious] => (*exchange, *condition, *suspicious),
            _ => return Err(Reason::Unparsable),
        };
        let price = self.price(paid)?.ok_or(Reason::Unparsable)?;
        let size = u32::try_from(whole(size)?).map_err(|_| Reason::Unparsable)?;
        flagged(suspicious)?;
        let conditions = match self.format.class {
            Class::Equity => equity_conditions(condition),
            Class::Index | Class::Option | Class::IndexOption => letters(condition),
        };
        // An index level is no print; one unit keeps it from being taken for nonsense.
        let size = if self.format.class == Class::Index { size.max(1) } else { size };
        let exchange = letter(exchange);
        Ok(Trade { instrument: self.instrument, exchange_time: at, price, size, exchange, conditions, trade_id: 0 })
    }
}

/// Fields of the longest row: a quote bar.
const MOST_FIELDS: usize = 11;

fn sound_trade(trade: &Trade) -> Result<(), Reason> {
    if trade.price < Price::ZERO {
        return Err(Reason::NegativePrice);
    }
    if trade.price == Price::ZERO || trade.size == 0 {
        return Err(Reason::NotTraded);
    }
    Ok(())
}

fn flagged(suspicious: &str) -> Result<(), Reason> {
    match suspicious {
        "" | "0" => Ok(()),
        "1" => Err(Reason::Suspicious),
        _ => Err(Reason::Unparsable),
    }
}

/// Milliseconds since midnight, with a fraction where a vendor has one.
fn since_midnight(text: &str) -> Result<Span, Reason> {
    const DAY_MS: i128 = 86_400_000;
    let millionths = decimal::parse_billionths(text).ok_or(Reason::Unparsable)?;
    let billionth: i128 = decimal::SCALE;
    if !(0..DAY_MS.saturating_mul(billionth)).contains(&millionths) {
        return Err(Reason::Unparsable);
    }
    // Billionths of a millisecond to nanoseconds.
    i64::try_from(millionths.div_euclid(1000)).map(Span::from_nanos).map_err(|_| Reason::Unparsable)
}

/// Dollars × 10,000 if scaled, else dollars.
fn price(text: &str, scaled: bool) -> Result<Price, Reason> {
    let billionths = decimal::parse_billionths(text).ok_or(Reason::Unparsable)?;
    let nanos = if scaled { billionths.div_euclid(10_000) } else { billionths };
    i64::try_from(nanos).map(Price::from_nanos).map_err(|_| Reason::Unparsable)
}

/// A count, whole also where it is written with a fraction of zero.
fn whole(text: &str) -> Result<u64, Reason> {
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|byte| byte == b'0') => digits,
        Some(_) => return Err(Reason::Unparsable),
        None => text,
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Reason::Unparsable);
    }
    digits.parse().map_err(|_| Reason::Unparsable)
}

/// An exchange's letter; a blank where the vendor writes a name or nothing.
fn letter(text: &str) -> u8 {
    match text.as_bytes() {
        [letter] if letter.is_ascii_alphanumeric() => *letter,
        _ => b' ',
    }
}

/// Conditions that are letters already.
fn letters(text: &str) -> [u8; 4] {
    let mut conditions = [b' '; 4];
    if text.len() <= conditions.len() && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'@') {
        for (slot, byte) in conditions.iter_mut().zip(text.bytes()) {
            *slot = byte;
        }
    }
    conditions
}

/// The sale conditions of a stock print: LEAN writes a set of flags in hexadecimal (`TradeConditionFlags`), the tape letters. Those that
/// keep a print from setting a price come first, since a print has room for four letters. Bits 14 and 11 are the tape's `Z` and `L`, 29
/// (exempt from the trade-through rule) and 30 (undocumented) have no letter of their own.
fn equity_conditions(text: &str) -> [u8; 4] {
    const FLAGS: [(u32, u8); 29] = [
        (20, b'W'),
        (31, b'I'),
        (9, b'4'),
        (22, b'H'),
        (25, b'P'),
        (18, b'V'),
        (1, b'C'),
        (2, b'N'),
        (3, b'R'),
        (17, b'B'),
        (14, b'Z'),
        (11, b'L'),
        (24, b'M'),
        (26, b'Q'),
        (6, b'O'),
        (7, b'6'),
        (8, b'5'),
        (5, b'F'),
        (21, b'X'),
        (10, b'T'),
        (13, b'T'),
        (12, b'1'),
        (4, b'Y'),
        (15, b'S'),
        (16, b'A'),
        (19, b'D'),
        (23, b'K'),
        (28, b'E'),
        (0, b'@'),
    ];
    let Ok(flags) = u32::from_str_radix(text, 16) else { return letters(text) };
    let mut conditions = [b' '; 4];
    let mut slots = conditions.iter_mut();
    let mut before = b' ';
    for (bit, letter) in FLAGS {
        // Two flags share a letter; it is written once.
        if flags.checked_shr(bit).unwrap_or(0) & 1 == 0 || letter == before {
            continue;
        }
        let Some(slot) = slots.next() else { break };
        (*slot, before) = (letter, letter);
    }
    conditions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_conditions_become_the_tapes_letters() {
        for (flags, letters) in [
            ("1", b"@   "),
            ("20", b"F   "),
            ("20000020", b"F   "),
            ("20100200", b"W4  "),
            ("20100000", b"W   "),
            ("4800", b"ZL  "),
            ("2400", b"T   "),
            ("80000021", b"IF@ "),
            ("FFFFFFFF", b"WI4H"),
            ("0", b"    "),
            ("", b"    "),
            ("@F", b"@F  "),
            ("neither", b"    "),
        ] {
            assert_eq!(&equity_conditions(flags), letters, "{flags}");
        }
    }

    #[test]
    fn numbers_are_read_exactly_or_not_at_all() {
        assert_eq!(price("1674100", true), Ok(Price::parse("167.41").unwrap()));
        assert_eq!(price("1674100.5", true), Ok(Price::parse("167.41005").unwrap()));
        assert_eq!(price("3756.07", false), Ok(Price::parse("3756.07").unwrap()));
        assert_eq!(price("-1", true).unwrap().nanos(), -100_000);
        for bad in ["", "1e5", "NaN", "0x1", "1 2", "99999999999999999999999999"] {
            assert_eq!(price(bad, true), Err(Reason::Unparsable), "{bad}");
            assert_eq!(since_midnight(bad), Err(Reason::Unparsable), "{bad}");
        }
        assert_eq!(since_midnight("-1"), Err(Reason::Unparsable));
        assert_eq!(since_midnight("86400000"), Err(Reason::Unparsable));
        assert_eq!(since_midnight("86399999.9"), Ok(Span::from_nanos(86_399_999_900_000)));
        assert_eq!(whole("100.0"), Ok(100));
        for bad in ["", "-1", "1.5", "+1", "99999999999999999999"] {
            assert_eq!(whole(bad), Err(Reason::Unparsable), "{bad}");
        }
    }
}
