//! The gamma scalper's file.

use crate::config::{self, Common, ConfigError};
use crate::moment::Moment;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::Span;
use agenttrader_options::regime::Regime;
use agenttrader_sequence::input::Configuration;
use serde::Deserialize;

const FILE: &str = "strategies/gamma.toml";

/// As it stands in the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    underlyings: Vec<Symbol>,
    base_quantity: u32,
    size_short_gamma: f64,
    size_long_gamma: f64,
    size_neutral: f64,
    strike_distance_max_bp: u32,
    entry_from_open_minutes: u32,
    entry_until_close_minutes: u32,
    entries_per_day: u32,
    cool_down_seconds: u32,
    hedge_interval_seconds: u32,
    exit_before_cut_off_minutes: u32,
    exit_before_close_minutes: u32,
    hedge_band: HedgeBand,
    max_iv_over_rv: Option<f64>,
    index: Option<IndexHedge>,
}

/// How far net delta may stand from zero, contract-equivalents per straddle held, by regime.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HedgeBand {
    short_gamma: f64,
    long_gamma: f64,
    neutral: f64,
    unknown: f64,
}

/// What an index is hedged with.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexHedge {
    hedge_symbol: Symbol,
    hedge_ratio: f64,
}

/// The share that hedges, and how many of it stand for one unit of the underlying.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hedge {
    pub(super) symbol: Symbol,
    pub(super) ratio: f64,
}

/// The settings, checked.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    base_quantity: u32,
    size_short_gamma: f64,
    size_long_gamma: f64,
    size_neutral: f64,
    pub(super) strike_distance_max_bp: u32,
    pub(super) entry_from_open: Span,
    pub(super) entry_until_close: Span,
    pub(super) hedge_interval: Span,
    pub(super) exit_before_cut_off: Span,
    pub(super) exit_before_close: Span,
    hedge_band: HedgeBand,
    pub(super) max_iv_over_rv: Option<f64>,
    index: Option<IndexHedge>,
}

fn minutes(count: u32) -> Span {
    Span::from_minutes(i64::from(count))
}

impl Settings {
    pub(super) fn read(configuration: &Configuration) -> Result<(Self, Common), ConfigError> {
        let file: File = config::read(configuration, FILE)?;
        let common =
            config::common(configuration, FILE, &file.underlyings, file.entries_per_day, file.cool_down_seconds)?;
        check(&file, &common)?;
        let settings = Self {
            base_quantity: file.base_quantity,
            size_short_gamma: file.size_short_gamma,
            size_long_gamma: file.size_long_gamma,
            size_neutral: file.size_neutral,
            strike_distance_max_bp: file.strike_distance_max_bp,
            entry_from_open: minutes(file.entry_from_open_minutes),
            entry_until_close: minutes(file.entry_until_close_minutes),
            hedge_interval: Span::from_seconds(i64::from(file.hedge_interval_seconds)),
            exit_before_cut_off: minutes(file.exit_before_cut_off_minutes),
            exit_before_close: minutes(file.exit_before_close_minutes),
            hedge_band: file.hedge_band,
            max_iv_over_rv: file.max_iv_over_rv,
            index: file.index,
        };
        Ok((settings, common))
    }

    /// Straddles to buy in a regime, before limits: base times the regime's factor, rounded half up, at least one.
    pub(super) fn size(&self, regime: Regime) -> i64 {
        let factor = match regime {
            Regime::ShortGamma => self.size_short_gamma,
            Regime::LongGamma => self.size_long_gamma,
            Regime::Neutral | Regime::Unknown => self.size_neutral,
        };
        let size = (f64::from(self.base_quantity) * factor + 0.5).floor();
        // Base and factor are each at most 100: the product is a small whole number.
        (size as i64).max(1)
    }

    /// The band of a regime.
    pub(super) const fn band(&self, regime: Regime) -> f64 {
        match regime {
            Regime::ShortGamma => self.hedge_band.short_gamma,
            Regime::LongGamma => self.hedge_band.long_gamma,
            Regime::Neutral => self.hedge_band.neutral,
            Regime::Unknown => self.hedge_band.unknown,
        }
    }

    /// What hedges this underlying: its own shares; for an index, or options alone, the configured share if it is there.
    pub(super) fn hedge(&self, moment: &Moment<'_>) -> Option<Hedge> {
        if moment.share_instrument().is_some() {
            return Some(Hedge { symbol: moment.symbol, ratio: 1.0 });
        }
        let index = self.index?;
        moment.book.underlying(index.hedge_symbol)?.instrument()?;
        Some(Hedge { symbol: index.hedge_symbol, ratio: index.hedge_ratio })
    }
}

fn check(file: &File, common: &Common) -> Result<(), ConfigError> {
    let within = |value: f64, most: f64| value.is_finite() && (0.0..=most).contains(&value);
    let size = "must be a number from 0 to 100";
    config::check(FILE, "base_quantity", (1..=100).contains(&file.base_quantity), "must be 1 to 100")?;
    config::check(FILE, "size_short_gamma", within(file.size_short_gamma, 100.0), size)?;
    config::check(FILE, "size_long_gamma", within(file.size_long_gamma, 100.0), size)?;
    config::check(FILE, "size_neutral", within(file.size_neutral, 100.0), size)?;
    let distance = (1..=1_000).contains(&file.strike_distance_max_bp);
    config::check(FILE, "strike_distance_max_bp", distance, "must be 1 to 1000")?;
    let session = "must be at most 390, a session";
    config::check(FILE, "entry_from_open_minutes", file.entry_from_open_minutes <= 390, session)?;
    config::check(FILE, "entry_until_close_minutes", file.entry_until_close_minutes <= 390, session)?;
    config::check(FILE, "exit_before_cut_off_minutes", file.exit_before_cut_off_minutes <= 390, session)?;
    let ends = (1..=390).contains(&file.exit_before_close_minutes);
    config::check(FILE, "exit_before_close_minutes", ends, "must be 1 to 390")?;
    config::check(
        FILE,
        "hedge_interval_seconds",
        (1..=3_600).contains(&file.hedge_interval_seconds),
        "must be 1 to 3600",
    )?;
    let band = "must be a number above 0, at most 1";
    let is_band = |value: f64| within(value, 1.0) && value > 0.0;
    config::check(FILE, "hedge_band.short_gamma", is_band(file.hedge_band.short_gamma), band)?;
    config::check(FILE, "hedge_band.long_gamma", is_band(file.hedge_band.long_gamma), band)?;
    config::check(FILE, "hedge_band.neutral", is_band(file.hedge_band.neutral), band)?;
    config::check(FILE, "hedge_band.unknown", is_band(file.hedge_band.unknown), band)?;
    let most = file.max_iv_over_rv.is_none_or(|value| within(value, 100.0) && value > 0.0);
    config::check(FILE, "max_iv_over_rv", most, "must be a number above 0, at most 100")?;
    if let Some(index) = file.index {
        let ratio = within(index.hedge_ratio, 1_000.0) && index.hedge_ratio > 0.0;
        config::check(FILE, "index.hedge_ratio", ratio, "must be a number above 0, at most 1000")?;
        // One position cannot hedge two underlyings: each would undo what the other does.
        let apart = !file.underlyings.contains(&index.hedge_symbol) || common.underlyings.len() == 1;
        config::check(FILE, "index.hedge_symbol", apart, "is an underlying itself")?;
    }
    Ok(())
}
