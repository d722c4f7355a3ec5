//! Candles of one second, one minute and five minutes, from prints and bars.
//!
//! The rules, each tested below:
//! 1. A print belongs to the candle in which its exchange time lies.
//! 2. A late print of a candle that is still kept revises it: volume, high and low always, open and close only if it is
//!    the earliest or latest print of that candle by exchange time.
//! 3. A print older than every kept candle, or more than a second ahead of venue time, is counted and left out.
//! 4. A print whose conditions do not set a price (odd lots, derivatively priced, average price) adds volume alone.
//! 5. A one-minute bar is taken where no print has fed that minute; five-minute candles fold one-minute bars. A bar
//!    that is filled in afterwards replaces a candle only where prints have not begun it.
//! 6. A cancelled print takes its volume back; prices stay, since other prints may have touched them.

use agenttrader_core::event::{Bar, Trade};
use agenttrader_core::price::Price;
use agenttrader_core::time::{Span, UnixNanos};
use std::collections::VecDeque;

/// Width of a candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interval {
    /// One second.
    Second,
    /// One minute.
    Minute,
    /// Five minutes.
    FiveMinutes,
}

impl Interval {
    /// Every width.
    pub const ALL: [Self; 3] = [Self::Second, Self::Minute, Self::FiveMinutes];

    /// The width as a span.
    pub const fn span(self) -> Span {
        match self {
            Self::Second => Span::from_seconds(1),
            Self::Minute => Span::from_minutes(1),
            Self::FiveMinutes => Span::from_minutes(5),
        }
    }

    /// Candles kept: ten minutes of seconds, two sessions of minutes, a week of five minutes.
    const fn kept(self) -> usize {
        match self {
            Self::Second => 600,
            Self::Minute => 780,
            Self::FiveMinutes => 400,
        }
    }
}

/// Open, high, low, close and volume of one width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candle {
    /// First instant.
    pub start: UnixNanos,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Shares or contracts.
    pub volume: u64,
    /// Volume at the ask less volume at the bid, of prints; of a bar its volume by the sign of close − open.
    pub signed_volume: i64,
    /// Prints in it; zero where it was made from bars.
    pub prints: u32,
    first: UnixNanos,
    last: UnixNanos,
}

/// Candles of one instrument.
#[derive(Clone, Debug)]
pub struct Candles {
    second: VecDeque<Candle>,
    minute: VecDeque<Candle>,
    five_minutes: VecDeque<Candle>,
    left_out: u64,
}

/// Condition letters of prints that do not set a price (CTA and UTP plans): average price, cash sale, price variation,
/// odd lot, next day, prior reference, seller, contingent, derivatively priced, extended hours out of sequence, qualified
/// contingent.
const NO_PRICE: &[u8] = b"BCHINPRVWU47";

/// Whether a stock print's conditions let it set a price.
pub fn sets_price(conditions: &[u8; 4]) -> bool {
    !conditions.iter().any(|letter| NO_PRICE.contains(letter))
}

impl Default for Candles {
    fn default() -> Self {
        let room = |interval: Interval| VecDeque::with_capacity(interval.kept());
        Self {
            second: room(Interval::Second),
            minute: room(Interval::Minute),
            five_minutes: room(Interval::FiveMinutes),
            left_out: 0,
        }
    }
}

impl Candles {
    /// The candles of a width, oldest first, the last one possibly unfinished.
    pub const fn of(&self, interval: Interval) -> &VecDeque<Candle> {
        match interval {
            Interval::Second => &self.second,
            Interval::Minute => &self.minute,
            Interval::FiveMinutes => &self.five_minutes,
        }
    }

    /// Finished candles of a width at `now`, newest first.
    pub fn finished(&self, interval: Interval, now: UnixNanos) -> impl Iterator<Item = &Candle> {
        let span = interval.span();
        self.of(interval).iter().rev().skip_while(move |candle| candle.start.plus(span) > now)
    }

    /// Prints left out for their time.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Takes a print in. `sign` is +1 at the ask, −1 at the bid, else 0.
    pub(crate) fn on_trade(&mut self, trade: &Trade, sign: i64, now: UnixNanos) {
        if trade.exchange_time.since(now) > Span::from_seconds(1) {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let mut taken = true;
        for interval in Interval::ALL {
            taken &= on_print(self.of_mut(interval), interval, trade, sign);
        }
        if !taken {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// Takes a bar in. Bars of other widths than a minute or a second feed nothing.
    pub(crate) fn on_bar(&mut self, bar: &Bar) {
        if bar.interval == Interval::Minute.span() {
            let fresh = on_bar(&mut self.minute, Interval::Minute, bar);
            if fresh {
                fold_bar(&mut self.five_minutes, Interval::FiveMinutes, bar);
            }
        } else if bar.interval == Interval::Second.span() {
            let fresh = on_bar(&mut self.second, Interval::Second, bar);
            if fresh {
                fold_bar(&mut self.minute, Interval::Minute, bar);
                fold_bar(&mut self.five_minutes, Interval::FiveMinutes, bar);
            }
        }
    }

    /// Takes a cancelled print's volume back.
    pub(crate) fn on_cancel(&mut self, at: UnixNanos, size: u32) {
        for interval in Interval::ALL {
            let start = at.floor_to(interval.span());
            if let Some(candle) = self.of_mut(interval).iter_mut().rev().find(|candle| candle.start == start) {
                candle.volume = candle.volume.saturating_sub(u64::from(size));
            }
        }
    }

    const fn of_mut(&mut self, interval: Interval) -> &mut VecDeque<Candle> {
        match interval {
            Interval::Second => &mut self.second,
            Interval::Minute => &mut self.minute,
            Interval::FiveMinutes => &mut self.five_minutes,
        }
    }
}

impl Candle {
    fn at(start: UnixNanos, price: Price, at: UnixNanos) -> Self {
        Self {
            start,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: 0,
            signed_volume: 0,
            prints: 0,
            first: at,
            last: at,
        }
    }

    fn touch(&mut self, price: Price, at: UnixNanos) {
        self.high = self.high.max(price);
        self.low = self.low.min(price);
        if at < self.first {
            (self.open, self.first) = (price, at);
        }
        if at >= self.last {
            (self.close, self.last) = (price, at);
        }
    }

    fn add(&mut self, volume: u64, signed: i64) {
        self.volume = self.volume.saturating_add(volume);
        self.signed_volume = self.signed_volume.saturating_add(signed);
    }
}

/// Finds the candle of `start`, or makes room for it where it belongs. `None` when it is older than all that is kept.
fn slot(kept: &mut VecDeque<Candle>, interval: Interval, fresh: Candle) -> Option<&mut Candle> {
    let after = kept.iter().rev().take_while(|candle| candle.start > fresh.start).count();
    let place = kept.len().saturating_sub(after);
    let stands =
        place.checked_sub(1).and_then(|index| kept.get(index)).is_some_and(|candle| candle.start == fresh.start);
    if stands {
        return kept.get_mut(place.saturating_sub(1));
    }
    if kept.len() < interval.kept() {
        kept.insert(place, fresh);
        return kept.get_mut(place);
    }
    // Full: the oldest goes, unless the new one would be the oldest itself.
    let place = place.checked_sub(1)?;
    kept.pop_front();
    kept.insert(place, fresh);
    kept.get_mut(place)
}

fn on_print(kept: &mut VecDeque<Candle>, interval: Interval, trade: &Trade, sign: i64) -> bool {
    let start = trade.exchange_time.floor_to(interval.span());
    let size = u64::from(trade.size);
    let signed = sign.saturating_mul(i64::from(trade.size));
    if !sets_price(&trade.conditions) {
        if let Some(candle) = kept.iter_mut().rev().find(|candle| candle.start == start) {
            candle.add(size, signed);
        }
        return true;
    }
    let Some(candle) = slot(kept, interval, Candle::at(start, trade.price, trade.exchange_time)) else {
        return false;
    };
    candle.touch(trade.price, trade.exchange_time);
    candle.add(size, signed);
    candle.prints = candle.prints.saturating_add(1);
    true
}

fn bar_signed_volume(bar: &Bar) -> i64 {
    let volume = i64::try_from(bar.volume).unwrap_or(i64::MAX);
    match bar.close.cmp(&bar.open) {
        std::cmp::Ordering::Greater => volume,
        std::cmp::Ordering::Less => volume.saturating_neg(),
        std::cmp::Ordering::Equal => 0,
    }
}

/// Whether the bar was taken: not where prints have fed that span.
fn on_bar(kept: &mut VecDeque<Candle>, interval: Interval, bar: &Bar) -> bool {
    let start = bar.start.floor_to(interval.span());
    let Some(candle) = slot(kept, interval, Candle::at(start, bar.open, bar.start)) else {
        return false;
    };
    if candle.prints > 0 || candle.volume > 0 {
        return false;
    }
    *candle = Candle::at(start, bar.open, bar.start);
    candle.high = bar.high;
    candle.low = bar.low;
    (candle.close, candle.last) = (bar.close, bar.end());
    candle.add(bar.volume, bar_signed_volume(bar));
    true
}

fn fold_bar(kept: &mut VecDeque<Candle>, interval: Interval, bar: &Bar) {
    let start = bar.start.floor_to(interval.span());
    let Some(candle) = slot(kept, interval, Candle::at(start, bar.open, bar.start)) else {
        return;
    };
    if candle.prints > 0 {
        return;
    }
    candle.touch(bar.open, bar.start);
    candle.high = candle.high.max(bar.high);
    candle.low = candle.low.min(bar.low);
    candle.touch(bar.close, bar.end());
    candle.add(bar.volume, bar_signed_volume(bar));
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_core::instrument::InstrumentId;

    fn at(millis: i64) -> UnixNanos {
        UnixNanos::from_seconds(1_700_000_040 / 300 * 300).plus(Span::from_millis(millis))
    }

    fn trade(millis: i64, cents: i64, size: u32, conditions: &[u8; 4]) -> Trade {
        let price = Price::from_nanos(cents * 10_000_000);
        Trade {
            instrument: InstrumentId(0),
            exchange_time: at(millis),
            price,
            size,
            exchange: b'Q',
            conditions: *conditions,
            trade_id: 1,
        }
    }

    fn shown(candle: &Candle) -> (i64, i64, i64, i64, u64) {
        let cents = |price: Price| price.nanos() / 10_000_000;
        (cents(candle.open), cents(candle.high), cents(candle.low), cents(candle.close), candle.volume)
    }

    #[test]
    fn a_late_print_revises_its_candle_but_not_its_close() {
        let mut candles = Candles::default();
        candles.on_trade(&trade(10_000, 100, 5, b"@   "), 1, at(10_000));
        candles.on_trade(&trade(50_000, 110, 5, b"@   "), 1, at(50_000));
        candles.on_trade(&trade(61_000, 105, 5, b"@   "), 1, at(61_000));
        candles.on_trade(&trade(20_000, 120, 7, b"@   "), -1, at(61_500));
        candles.on_trade(&trade(5_000, 90, 1, b"@   "), 0, at(62_000));
        let minute = candles.of(Interval::Minute);
        assert_eq!(shown(&minute[0]), (90, 120, 90, 110, 18));
        assert_eq!(minute[0].signed_volume, 3);
        assert_eq!(shown(&minute[1]), (105, 105, 105, 105, 5));
        assert_eq!(shown(&candles.of(Interval::FiveMinutes)[0]), (90, 120, 90, 105, 23));
    }

    #[test]
    fn odd_lots_add_volume_and_no_price() {
        let mut candles = Candles::default();
        candles.on_trade(&trade(0, 100, 5, b"@   "), 0, at(0));
        candles.on_trade(&trade(1, 999, 5, b"@I  "), 0, at(1));
        assert_eq!(shown(&candles.of(Interval::Minute)[0]), (100, 100, 100, 100, 10));
    }

    #[test]
    fn prints_from_the_future_are_counted_and_left_out() {
        let mut candles = Candles::default();
        candles.on_trade(&trade(1_001, 100, 5, b"@   "), 0, at(0));
        assert_eq!((candles.left_out(), candles.of(Interval::Second).len()), (1, 0));
    }

    #[test]
    fn prints_older_than_what_is_kept_are_counted_and_left_out() {
        let mut candles = Candles::default();
        for second in 1..=600 {
            candles.on_trade(&trade(second * 1_000, 100, 1, b"@   "), 0, at(second * 1_000));
        }
        candles.on_trade(&trade(0, 100, 1, b"@   "), 0, at(600_000));
        assert_eq!((candles.left_out(), candles.of(Interval::Second).len()), (1, 600));
        assert_eq!(candles.of(Interval::Second)[0].start, at(1_000));
    }

    #[test]
    fn bars_feed_minutes_that_no_print_has_fed_and_fold_into_five() {
        let mut candles = Candles::default();
        let bar = |minute: i64, open: i64, close: i64| Bar {
            instrument: InstrumentId(0),
            start: at(minute * 60_000),
            interval: Span::from_minutes(1),
            open: Price::from_nanos(open * 10_000_000),
            high: Price::from_nanos(open.max(close) * 10_000_000),
            low: Price::from_nanos(open.min(close) * 10_000_000),
            close: Price::from_nanos(close * 10_000_000),
            volume: 10,
            trade_count: 3,
            backfill: false,
        };
        candles.on_bar(&bar(0, 100, 105));
        candles.on_bar(&bar(1, 105, 95));
        candles.on_bar(&bar(1, 1, 1));
        candles.on_trade(&trade(120_000, 99, 5, b"@   "), 0, at(120_000));
        candles.on_bar(&bar(2, 1, 1));
        let minute = candles.of(Interval::Minute);
        assert_eq!((shown(&minute[0]), minute[0].signed_volume), ((100, 105, 100, 105, 10), 10));
        assert_eq!((shown(&minute[1]), minute[1].signed_volume), ((105, 105, 95, 95, 10), -10));
        assert_eq!(shown(&minute[2]), (99, 99, 99, 99, 5));
        assert_eq!(shown(&candles.of(Interval::FiveMinutes)[0]), (100, 105, 95, 99, 25));
    }

    #[test]
    fn finished_candles_come_newest_first_without_the_running_one() {
        let mut candles = Candles::default();
        for minute in 0..3 {
            candles.on_trade(&trade(minute * 60_000, 100 + minute, 1, b"@   "), 0, at(minute * 60_000));
        }
        let closes: Vec<_> = candles.finished(Interval::Minute, at(150_000)).map(|candle| shown(candle).3).collect();
        assert_eq!(closes, [101, 100]);
        assert_eq!(candles.finished(Interval::Minute, at(180_000)).count(), 3);
    }
}
