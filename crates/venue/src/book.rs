//! What the venue remembers of a session: latest quotes and prints, bars, open interest. REST answers from here.

use crate::history::{History, PastBar};
use agenttrader_core::event::{Bar, MarketEvent, Quote, Trade};
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::price::Price;
use agenttrader_core::time::{Span, UnixNanos};
use jiff::civil::Date;
use std::collections::VecDeque;

const MINUTE: Span = Span::from_minutes(1);

/// After the minute a bar that late prints changed is sent again this much later.
const UPDATE_AFTER: Span = Span::from_seconds(30);

/// Prints remembered of each instrument: a minute of a stock, hours of most contracts.
const PRINTS_KEPT: usize = 200;

/// A bar that grows.
#[derive(Clone, Copy, Debug)]
pub struct Growing {
    start: UnixNanos,
    interval: Span,
    prices: Option<[Price; 4]>,
    volume: u64,
    trades: u32,
    /// Price times size, in billionths of a dollar.
    turnover: i128,
}

/// What is remembered of one instrument.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Last quote.
    pub quote: Option<Quote>,
    /// Last print that sets a price.
    pub trade: Option<Trade>,
    /// The last prints, oldest first.
    pub prints: VecDeque<Trade>,
    /// Finished minutes, of earlier sessions too, in order.
    pub minutes: Vec<PastBar>,
    /// Whole days that are known as such, in order.
    pub days: Vec<PastBar>,
    /// Contracts open, and the day that counts for.
    pub open_interest: Option<(u64, Date)>,
    forming: Option<Growing>,
    today: Option<Growing>,
    changed: bool,
}

/// A bar that is due on the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A minute that ended.
    Minute,
    /// The minute before, changed by late prints.
    Updated,
    /// The day so far.
    Daily,
}

/// All that is remembered of a session.
#[derive(Debug, Default)]
pub struct Book {
    entries: Vec<Entry>,
    session_start: UnixNanos,
    rolled_to: UnixNanos,
    told: Vec<(Due, PastBar)>,
}

impl Growing {
    fn new(start: UnixNanos, interval: Span) -> Self {
        Self { start, interval, prices: None, volume: 0, trades: 0, turnover: 0 }
    }

    fn add(&mut self, trade: &Trade, sets_price: bool) {
        if sets_price {
            let prices = self.prices.get_or_insert([trade.price; 4]);
            let [_, high, low, close] = prices;
            *high = (*high).max(trade.price);
            *low = (*low).min(trade.price);
            *close = trade.price;
        }
        self.volume = self.volume.saturating_add(u64::from(trade.size));
        self.trades = self.trades.saturating_add(u32::from(trade.size > 0));
        let turnover = i128::from(trade.price.nanos()).saturating_mul(i128::from(trade.size));
        self.turnover = self.turnover.saturating_add(turnover);
    }

    fn absorb(&mut self, past: &PastBar) {
        let bar = &past.bar;
        let prices = self.prices.get_or_insert([bar.open, bar.high, bar.low, bar.close]);
        let [_, high, low, close] = prices;
        *high = (*high).max(bar.high);
        *low = (*low).min(bar.low);
        *close = bar.close;
        self.volume = self.volume.saturating_add(bar.volume);
        self.trades = self.trades.saturating_add(bar.trade_count);
        let turnover = i128::from(past.volume_weighted.nanos()).saturating_mul(i128::from(bar.volume));
        self.turnover = self.turnover.saturating_add(turnover);
    }

    /// As a bar; `None` while no print set a price.
    fn bar(&self, instrument: InstrumentId) -> Option<PastBar> {
        let [open, high, low, close] = self.prices?;
        let average = self.turnover.checked_div(i128::from(self.volume)).and_then(|nanos| i64::try_from(nanos).ok());
        let bar = Bar {
            instrument,
            start: self.start,
            interval: self.interval,
            open,
            high,
            low,
            close,
            volume: self.volume,
            trade_count: self.trades,
            backfill: false,
        };
        Some(PastBar { bar, volume_weighted: average.map_or(close, Price::from_nanos) })
    }
}

/// Bars merged into longer ones: consecutive ones for which `start_of` gives the same start become one.
pub fn merged<'a>(
    bars: impl Iterator<Item = &'a PastBar>,
    interval: Span,
    start_of: impl Fn(UnixNanos) -> UnixNanos,
) -> Vec<PastBar> {
    let mut out: Vec<(InstrumentId, Growing)> = Vec::new();
    for past in bars {
        let start = start_of(past.bar.start);
        match out.last_mut().filter(|(_, growing)| growing.start == start) {
            Some((_, growing)) => growing.absorb(past),
            None => {
                let mut growing = Growing::new(start, interval);
                growing.absorb(past);
                out.push((past.bar.instrument, growing));
            }
        }
    }
    out.iter().filter_map(|(instrument, growing)| growing.bar(*instrument)).collect()
}

/// Whether a print sets last price and bar prices: not odd lots, late or averaged prints, nor the close price by itself.
pub fn sets_price(trade: &Trade) -> bool {
    !trade.conditions.iter().any(|letter| {
        matches!(letter, b'I' | b'Z' | b'U' | b'T' | b'C' | b'N' | b'R' | b'W' | b'4' | b'7' | b'M' | b'Q')
    })
}

impl Entry {
    /// The minute that is still going on, as far as it got.
    pub fn forming(&self, instrument: InstrumentId) -> Option<PastBar> {
        self.forming.and_then(|growing| growing.bar(instrument))
    }

    /// Today so far.
    pub fn today(&self, instrument: InstrumentId) -> Option<PastBar> {
        self.today.and_then(|growing| growing.bar(instrument))
    }
}

impl Book {
    /// A book of so many instruments with what traded before; the session opened at `session_start`.
    pub fn new(instruments: usize, session_start: UnixNanos, history: Option<&History>) -> Self {
        let mut book = Self { entries: vec![Entry::default(); instruments], session_start, ..Self::default() };
        book.rolled_to = session_start;
        for past in history.into_iter().flat_map(|history| &history.minutes) {
            let Some(entry) = book.entries.get_mut(past.bar.instrument.index()) else { continue };
            entry.minutes.push(*past);
            if past.bar.start >= session_start {
                entry.today.get_or_insert(Growing::new(session_start, DAY)).absorb(past);
            }
        }
        for past in history.into_iter().flat_map(|history| &history.days) {
            if let Some(entry) = book.entries.get_mut(past.bar.instrument.index()) {
                entry.days.push(*past);
            }
        }
        book
    }

    /// Sets the open interest that is known before the session.
    pub fn set_open_interest(&mut self, instrument: InstrumentId, contracts: u64, date: Date) {
        if let Some(entry) = self.entries.get_mut(instrument.index()) {
            entry.open_interest = Some((contracts, date));
        }
    }

    /// What is remembered of an instrument.
    pub fn entry(&self, instrument: InstrumentId) -> Option<&Entry> {
        self.entries.get(instrument.index())
    }

    /// Takes what the market says.
    pub fn apply(&mut self, event: &MarketEvent) {
        let session_start = self.session_start;
        let Some(entry) = self.entries.get_mut(event.instrument().index()) else { return };
        match event {
            MarketEvent::Quote(quote) => entry.quote = Some(*quote),
            MarketEvent::Trade(trade) => take_trade(entry, trade, session_start),
            MarketEvent::Bar(bar) => {
                if let Some(minute) = take_bar(entry, bar, session_start) {
                    self.told.push((Due::Minute, minute));
                    self.told.extend(entry.today(bar.instrument).map(|today| (Due::Daily, today)));
                }
            }
            MarketEvent::OpenInterest(interest) => entry.open_interest = Some((interest.contracts, interest.date)),
            MarketEvent::Cancel(cancel) => entry.prints.retain(|print| print.trade_id != cancel.trade_id),
            MarketEvent::Correction(correction) => {
                let standing = entry.prints.iter_mut().find(|print| print.trade_id == correction.original.trade_id);
                if let Some(standing) = standing {
                    *standing = correction.corrected;
                }
            }
            MarketEvent::Status(_) => {}
        }
    }

    /// Ends the minutes that are over at `now` and gives the bars that are due, for the streams: first those that a recording
    /// told itself.
    pub fn roll(&mut self, now: UnixNanos, due: &mut Vec<(Due, PastBar)>) {
        due.append(&mut self.told);
        let half = UPDATE_AFTER;
        if now.floor_to(half) <= self.rolled_to {
            return;
        }
        self.rolled_to = now.floor_to(half);
        for (index, entry) in self.entries.iter_mut().enumerate() {
            let instrument = InstrumentId(u32::try_from(index).unwrap_or(u32::MAX));
            if let Some(growing) = entry.forming.take_if(|growing| growing.start.plus(MINUTE) <= now)
                && let Some(past) = growing.bar(instrument)
            {
                entry.minutes.push(past);
                due.push((Due::Minute, past));
                due.extend(entry.today.and_then(|today| today.bar(instrument)).map(|today| (Due::Daily, today)));
            }
            if entry.changed
                && let Some(last) = entry.minutes.last()
                && last.bar.end().plus(half) <= now
            {
                due.push((Due::Updated, *last));
                entry.changed = false;
            }
        }
    }
}

/// Length of a daily bar, as far as anybody needs one.
pub const DAY: Span = Span::from_seconds(86_400);

fn take_trade(entry: &mut Entry, trade: &Trade, session_start: UnixNanos) {
    let sets = sets_price(trade);
    if sets {
        entry.trade = Some(*trade);
    }
    if entry.prints.len() >= PRINTS_KEPT {
        entry.prints.pop_front();
    }
    entry.prints.push_back(*trade);
    entry.today.get_or_insert(Growing::new(session_start, DAY)).add(trade, sets);
    let start = trade.exchange_time.floor_to(MINUTE);
    if let Some(late) = entry.minutes.iter_mut().rev().take(5).find(|past| past.bar.start == start) {
        // Its minute is over: only volume and count can still change, for a late print sets no price.
        late.bar.volume = late.bar.volume.saturating_add(u64::from(trade.size));
        late.bar.trade_count = late.bar.trade_count.saturating_add(1);
        entry.changed = true;
        return;
    }
    match &mut entry.forming {
        Some(growing) if growing.start >= start => growing.add(trade, sets),
        forming => {
            // A minute that ended between two rolls.
            if let Some(past) = forming.take().and_then(|growing| growing.bar(trade.instrument)) {
                entry.minutes.push(past);
            }
            forming.insert(Growing::new(start, MINUTE)).add(trade, sets);
        }
    }
}

/// A bar of a recording: a minute as it is, unless prints or shorter bars made it already; less goes into its minute; a day
/// stays a day; any other length adds to its day alone. Returns the minute that is now to be told.
fn take_bar(entry: &mut Entry, bar: &Bar, session_start: UnixNanos) -> Option<PastBar> {
    let past = PastBar { bar: Bar { backfill: false, ..*bar }, volume_weighted: bar.close };
    if bar.interval >= DAY {
        entry.days.push(past);
        return None;
    }
    let start = bar.start.floor_to(MINUTE);
    let is_known = entry.minutes.iter().rev().take(5).any(|known| known.bar.start == start)
        || entry.forming.is_some_and(|growing| growing.start == start && growing.prices.is_some());
    if bar.interval == MINUTE && is_known {
        return None;
    }
    if bar.start >= session_start {
        entry.today.get_or_insert(Growing::new(session_start, DAY)).absorb(&past);
    }
    if bar.interval == MINUTE {
        entry.minutes.push(past);
        return (!bar.backfill).then_some(past);
    }
    if bar.interval > MINUTE {
        return None;
    }
    match &mut entry.forming {
        Some(growing) if growing.start >= start => growing.absorb(&past),
        forming => {
            if let Some(past) = forming.take().and_then(|growing| growing.bar(bar.instrument)) {
                entry.minutes.push(past);
            }
            forming.insert(Growing::new(start, MINUTE)).absorb(&past);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: InstrumentId = InstrumentId(0);

    fn trade(millis: i64, cents: i64, size: u32, conditions: [u8; 4]) -> MarketEvent {
        MarketEvent::Trade(Trade {
            instrument: ID,
            exchange_time: UnixNanos::EPOCH.plus(Span::from_millis(millis)),
            price: Price::from_nanos(cents * Price::CENT.nanos()),
            size,
            exchange: b'Q',
            conditions,
            trade_id: millis.unsigned_abs(),
        })
    }

    #[test]
    fn a_minute_is_told_when_it_is_over_and_again_when_a_late_print_changed_it() {
        let mut book = Book::new(1, UnixNanos::EPOCH, None);
        let mut due = Vec::new();
        for event in [
            trade(1_000, 1_000, 100, *b"@   "),
            trade(2_000, 1_010, 200, *b"@   "),
            trade(3_000, 2_000, 7, *b"@I  "),
            trade(59_000, 990, 100, *b"@F  "),
        ] {
            book.apply(&event);
        }
        book.roll(UnixNanos::from_seconds(59), &mut due);
        assert!(due.is_empty());
        book.roll(UnixNanos::from_seconds(60), &mut due);
        let [(Due::Minute, minute), (Due::Daily, day)] = due[..] else { panic!("{due:?}") };
        let shape = |bar: &Bar| (bar.open, bar.high, bar.low, bar.close).map_cents();
        assert_eq!((shape(&minute.bar), minute.bar.volume, minute.bar.trade_count), ([1_000, 1_010, 990, 990], 407, 4));
        assert_eq!(shape(&day.bar), shape(&minute.bar));
        assert_eq!(book.entry(ID).unwrap().trade.unwrap().price.nanos(), 990 * Price::CENT.nanos());
        due.clear();
        book.apply(&trade(30_000, 1_500, 50, *b"@Z  "));
        book.apply(&trade(61_000, 1_000, 100, *b"@   "));
        book.roll(UnixNanos::from_seconds(89), &mut due);
        assert!(due.is_empty());
        book.roll(UnixNanos::from_seconds(90), &mut due);
        let [(Due::Updated, again)] = due[..] else { panic!("{due:?}") };
        assert_eq!((shape(&again.bar), again.bar.volume), ([1_000, 1_010, 990, 990], 457));
    }

    trait Cents {
        fn map_cents(self) -> [i64; 4];
    }

    impl Cents for (Price, Price, Price, Price) {
        fn map_cents(self) -> [i64; 4] {
            let (a, b, c, d) = self;
            [a, b, c, d].map(|price| price.nanos() / Price::CENT.nanos())
        }
    }

    fn bar(start: i64, interval: Span, cents: i64, volume: u64, backfill: bool) -> MarketEvent {
        let price = Price::from_nanos(cents * Price::CENT.nanos());
        MarketEvent::Bar(Bar {
            instrument: ID,
            start: UnixNanos::from_seconds(start),
            interval,
            open: price,
            high: price,
            low: price,
            close: price,
            volume,
            trade_count: 1,
            backfill,
        })
    }

    #[test]
    fn a_recorded_minute_is_told_at_its_end_unless_prints_made_it() {
        let mut book = Book::new(1, UnixNanos::EPOCH, None);
        let mut due = Vec::new();
        book.apply(&bar(0, MINUTE, 1_000, 10, false));
        book.roll(UnixNanos::from_seconds(60), &mut due);
        let [(Due::Minute, minute), (Due::Daily, day)] = due[..] else { panic!("{due:?}") };
        assert_eq!((minute.bar.start, minute.bar.volume, day.bar.volume), (UnixNanos::EPOCH, 10, 10));
        due.clear();
        // Prints of the next minute, then the bar that was made of them.
        book.apply(&trade(61_000, 1_010, 7, *b"@   "));
        book.apply(&bar(60, MINUTE, 1_010, 7, false));
        book.roll(UnixNanos::from_seconds(120), &mut due);
        book.apply(&bar(60, MINUTE, 1_010, 7, false));
        book.roll(UnixNanos::from_seconds(121), &mut due);
        let minutes: Vec<u64> =
            due.iter().filter(|(kind, _)| *kind == Due::Minute).map(|(_, past)| past.bar.volume).collect();
        assert_eq!(minutes, [7]);
        assert_eq!(book.entry(ID).unwrap().today(ID).unwrap().bar.volume, 17);
    }

    #[test]
    fn filled_in_bars_are_remembered_and_never_told() {
        let open = UnixNanos::from_seconds(600);
        let mut book = Book::new(1, open, None);
        let mut due = Vec::new();
        book.apply(&bar(0, MINUTE, 1_000, 10, true));
        book.apply(&bar(600, MINUTE, 1_000, 20, true));
        book.apply(&bar(600, Span::from_minutes(30), 1_000, 300, true));
        book.roll(UnixNanos::from_seconds(2_400), &mut due);
        assert!(due.is_empty(), "{due:?}");
        let entry = book.entry(ID).unwrap();
        assert_eq!((entry.minutes.len(), entry.today(ID).unwrap().bar.volume), (2, 320));
    }

    #[test]
    fn seconds_fold_into_their_minute() {
        let mut book = Book::new(1, UnixNanos::EPOCH, None);
        let mut due = Vec::new();
        for second in 0..60 {
            book.apply(&bar(second, Span::from_seconds(1), 1_000 + second, 2, false));
        }
        book.roll(UnixNanos::from_seconds(60), &mut due);
        let [(Due::Minute, minute), (Due::Daily, _)] = due[..] else { panic!("{due:?}") };
        assert_eq!((minute.bar.volume, minute.bar.close.nanos()), (120, 1_059 * Price::CENT.nanos()));
    }

    #[test]
    fn shorter_bars_merge_into_longer_ones() {
        let mut book = Book::new(1, UnixNanos::EPOCH, None);
        for minute in 0..10 {
            book.apply(&trade(minute * 60_000, 1_000 + minute, 10, *b"@   "));
        }
        book.roll(UnixNanos::from_seconds(600), &mut Vec::new());
        let entry = book.entry(ID).unwrap();
        assert_eq!(entry.minutes.len(), 10);
        let five = merged(entry.minutes.iter(), Span::from_minutes(5), |at| at.floor_to(Span::from_minutes(5)));
        let shown: Vec<_> =
            five.iter().map(|past| (past.bar.start.seconds(), past.bar.volume, past.bar.trade_count)).collect();
        assert_eq!(shown, [(0, 50, 5), (300, 50, 5)]);
        assert_eq!(five[1].bar.close.nanos(), 1_009 * Price::CENT.nanos());
    }
}
