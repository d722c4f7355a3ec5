//! What traded before the simulated market's first event: bars of earlier sessions and of today, day volumes of contracts.

use crate::chain::Listed;
use crate::paths::{DayPath, key, liveliness, minutes};
use crate::profile::{PROFILES, Profile};
use crate::quoting::{Quoting, tick};
use crate::random::Random;
use crate::stock::{Stock, minute_volume};
use crate::surface::Slice;
use agenttrader_core::calendar::Session;
use agenttrader_core::event::Bar;
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::price::{Price, Rounding};
use agenttrader_core::time::Span;

/// Bars that are already there. Each is a minute's, except the earlier sessions' of options, of which there are only days.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Minutes of earlier sessions and of today, by instrument and in order of time.
    pub minutes: Vec<PastBar>,
    /// Whole earlier sessions of options, one a contract that was listed then.
    pub days: Vec<PastBar>,
}

/// A bar and what it cost on average.
#[derive(Clone, Copy, Debug)]
pub struct PastBar {
    /// The bar.
    pub bar: Bar,
    /// Volume-weighted average price.
    pub volume_weighted: Price,
}

impl History {
    /// Bars of `earlier` days (`[day][underlying]`) and of today's first `minute` minutes.
    pub fn new(
        seed: u64,
        earlier: &[Vec<DayPath>],
        stocks: &[Stock],
        listed: &Listed,
        quoting: &Quoting,
        minute: usize,
    ) -> Self {
        let mut history = Self::default();
        for (who, (stock, profile)) in stocks.iter().zip(&PROFILES).enumerate() {
            let id = InstrumentId(who as u32);
            let past = earlier.iter().filter_map(|day| day.get(who)).map(|path| (path, usize::MAX));
            for (path, until) in past.chain([(stock.path(), minute)]) {
                history.stock_day(
                    Random::keyed(seed, &[key(&path.session), 5, who as u64]),
                    (id, profile),
                    path,
                    until,
                );
            }
        }
        history.options(seed, earlier, stocks, listed, quoting, minute);
        history
    }

    fn stock_day(&mut self, mut random: Random, (id, profile): (InstrumentId, &Profile), path: &DayPath, until: usize) {
        let count = minutes(&path.session);
        let marks = path.marks.windows(2).zip(&path.minute_deviation).enumerate().take(until);
        for (minute, (pair, deviation)) in marks {
            let [open, close] = [pair.first(), pair.last()].map(|mark| mark.copied().unwrap_or(1.0));
            let (up, down) = (random.student().abs(), random.student().abs());
            let swing = 0.5 * deviation * open;
            let (high, low) = (open.max(close) + swing * up, open.min(close) - swing * down);
            let volume = minute_volume(profile, liveliness(minute, count)) * libm::exp(0.35 * random.normal());
            let bar = Bar {
                instrument: id,
                start: path.session.open.plus(Span::from_minutes(minute as i64)),
                interval: Span::from_minutes(1),
                open: cents(open),
                high: cents(high),
                low: cents(low),
                close: cents(close),
                volume: volume as u64,
                trade_count: (profile.prints * 60.0 * liveliness(minute, count)) as u32,
                backfill: false,
            };
            self.minutes.push(PastBar { bar, volume_weighted: cents((high + low + open + close) / 4.0) });
        }
    }

    /// A contract's trading so far today, as one bar in one of the minutes, and its last session before.
    fn options(
        &mut self,
        seed: u64,
        earlier: &[Vec<DayPath>],
        stocks: &[Stock],
        listed: &Listed,
        quoting: &Quoting,
        minute: usize,
    ) {
        let Some(today) = stocks.first().map(|stock| stock.path().session) else { return };
        let yesterday = earlier.last();
        let mut random = Random::keyed(seed, &[key(&today), 6]);
        for contract in &listed.contracts {
            let Some(expiry) = listed.expiries.get(contract.expiry) else { continue };
            let Some(stock) = stocks.get(expiry.underlying) else { continue };
            let volatility = quoting.volatility(expiry.underlying, stock);
            let interest = contract.open_interest as f64;
            let traded = |share: f64| (interest * share) as u64;
            let (share_before, share_today) = (random.between(0.1, 0.9), random.between(0.02, 0.14));
            let at_minute = random.below(minute as u32) as usize;
            if let Some(path) = yesterday.and_then(|day| day.get(expiry.underlying)) {
                let mut then = expiry.clone();
                then.later_sessions = then.later_sessions.saturating_add(1);
                let slice = Slice::new(&then, &path.session, path.session.close, path.close(), volatility);
                let span = path.session.close.since(path.session.open);
                if let Some(past) = slice.and_then(|slice| {
                    flat(
                        contract.id,
                        (path.session, 0, span),
                        slice.value(contract.right, contract.strike, 1.0).price,
                        traded(share_before),
                    )
                }) {
                    self.days.push(past);
                }
            }
            let spot = stock.path().marks.get(at_minute).copied().unwrap_or_else(|| stock.fair());
            let then = today.open.plus(Span::from_minutes(at_minute as i64));
            let slice = Slice::new(expiry, &today, then, spot, volatility).filter(|_| minute > 0);
            if let Some(past) = slice.and_then(|slice| {
                let value = slice.value(contract.right, contract.strike, 1.0).price;
                flat(contract.id, (today, at_minute, Span::from_minutes(1)), value, traded(share_today))
            }) {
                self.minutes.push(past);
            }
        }
    }
}

/// A bar in which everything traded at one price; `None` when nothing did.
fn flat(
    id: InstrumentId,
    (session, minute, interval): (Session, usize, Span),
    value: f64,
    volume: u64,
) -> Option<PastBar> {
    let price = Price::from_f64(value)?;
    let price = price.round_to(tick(price), Rounding::Up).max(Price::CENT);
    let start = session.open.plus(Span::from_minutes(minute as i64));
    let trade_count = u32::try_from(volume / 5 + 1).unwrap_or(u32::MAX);
    let (open, high, low, close) = (price, price, price, price);
    let bar = Bar { instrument: id, start, interval, open, high, low, close, volume, trade_count, backfill: false };
    (volume > 0).then_some(PastBar { bar, volume_weighted: price })
}

fn cents(dollars: f64) -> Price {
    Price::from_nanos((dollars * 100.0).round() as i64 * Price::CENT.nanos())
}
