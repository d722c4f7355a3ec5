//! A teaching example: one share with the trend of the last closes and the last minute's signed volume.

use crate::config::{self, Common, ConfigError};
use crate::draft::{Draft, Out, figures};
use crate::moment::Moment;
use crate::strategy::Strategy;
use agenttrader_core::order::{Intent, Side};
use agenttrader_core::price::{Price, Rounding};
use agenttrader_core::proposal::Risk;
use agenttrader_core::quantity::Quantity;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_marketdata::candle::{Candle, Interval};
use agenttrader_sequence::input::Configuration;
use serde::Deserialize;
use std::collections::BTreeMap;

const FILE: &str = "strategies/naive_flow_trend.toml";

/// Its file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    underlyings: Vec<Symbol>,
    closes: usize,
    entries_per_day: u32,
    cool_down_seconds: u32,
}

/// The strategy. Buys one share when the last one-minute close stands above the average of the last closes and the
/// minute's signed volume is positive; sells it when both are the other way round.
#[derive(Clone, Debug)]
pub struct NaiveFlowTrend {
    closes: usize,
    /// The minute that was looked at last, by underlying.
    looked_at: BTreeMap<Symbol, UnixNanos>,
}

/// What the minutes say.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Reading {
    minute: UnixNanos,
    close: Price,
    average: f64,
    signed_volume: i64,
}

impl NaiveFlowTrend {
    /// Makes it from its file.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field.
    pub fn configured(configuration: &Configuration) -> Result<(Box<dyn Strategy>, Common), ConfigError> {
        let file: File = config::read(configuration, FILE)?;
        config::check(FILE, "closes", (2..=390).contains(&file.closes), "must be 2 to 390")?;
        let common =
            config::common(configuration, FILE, &file.underlyings, file.entries_per_day, file.cool_down_seconds)?;
        Ok((Box::new(Self { closes: file.closes, looked_at: BTreeMap::new() }), common))
    }

    fn read(&self, moment: &Moment<'_>) -> Option<Reading> {
        let mut sum = 0.0;
        let mut seen = 0_usize;
        let today = |candle: &&Candle| candle.start >= moment.session.open;
        let mut minutes =
            moment.underlying.candles().finished(Interval::Minute, moment.at).take_while(today).peekable();
        let last = **minutes.peek()?;
        for candle in minutes.take(self.closes) {
            sum += candle.close.as_f64();
            seen = seen.saturating_add(1);
        }
        // A minute that ended long ago says nothing of the trend now.
        let ended = last.start.plus(Interval::Minute.span());
        let recent = moment.at.since(ended) < Span::from_minutes(1).max(moment.book.cadence().doubled());
        let enough = seen == self.closes && recent;
        let average = sum / self.closes as f64;
        enough.then_some(Reading { minute: last.start, close: last.close, average, signed_volume: last.signed_volume })
    }
}

/// The far touch, or the last close where a share has prints or bars but no quote.
fn limit(moment: &Moment<'_>, side: Side, close: Price) -> Option<Price> {
    let (touch, rounding) = match (moment.share_quote(moment.symbol).and_then(|quote| quote.two_sided()), side) {
        (Some((_, ask)), Side::Buy) => (ask, Rounding::Up),
        (Some((bid, _)), Side::Sell) => (bid, Rounding::Down),
        (None, Side::Buy) => (close, Rounding::Up),
        (None, Side::Sell) => (close, Rounding::Down),
    };
    Some(touch.round_to(Price::CENT, rounding)).filter(|price| *price > Price::ZERO)
}

impl Strategy for NaiveFlowTrend {
    fn name(&self) -> &'static str {
        "naive_flow_trend"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn nothing_to_do(&self, moment: &Moment<'_>) -> Option<&'static str> {
        moment.share_instrument().is_none().then_some("it has no shares to trade, only an index level or options")
    }

    fn evaluate(&mut self, moment: &Moment<'_>, out: &mut Out) {
        if moment.share_instrument().is_none() || moment.working(moment.symbol).next().is_some() {
            return;
        }
        let Some(reading) = self.read(moment) else { return };
        let held = moment.shares(moment.symbol);
        let above = reading.close.as_f64() > reading.average;
        let below = reading.close.as_f64() < reading.average;
        let (intent, side, words) = if held == 0 && above && reading.signed_volume > 0 {
            // One look a minute: the same minute does not buy again after a close.
            if self.looked_at.get(&moment.symbol) == Some(&reading.minute) || !moment.may_open {
                return;
            }
            (Intent::Open, Side::Buy, "above")
        } else if held > 0 && below && reading.signed_volume < 0 {
            (Intent::Close, Side::Sell, "below")
        } else {
            return;
        };
        let Some(limit) = limit(moment, side, reading.close) else { return };
        let wanted = if intent == Intent::Open { 1 } else { held };
        let Ok(quantity) = Quantity::new(moment.cut_shares(wanted, limit)) else { return };
        self.looked_at.insert(moment.symbol, reading.minute);
        let short_reason = format!(
            "Last minute closed at {}, {words} its average of {:.2} over {} closes, with {} shares net {}.",
            reading.close,
            reading.average,
            self.closes,
            reading.signed_volume.unsigned_abs(),
            if side == Side::Buy { "bought" } else { "sold" },
        );
        let indicators = figures(&[
            ("average", reading.average),
            ("close", reading.close.as_f64()),
            ("signed_volume", reading.signed_volume as f64),
        ]);
        out.drafts.push(Draft {
            short_reason,
            indicators,
            risk: Risk::default(),
            ..Draft::shares(intent, moment.symbol, side, quantity, limit, moment.valid_until(intent))
        });
    }
}
