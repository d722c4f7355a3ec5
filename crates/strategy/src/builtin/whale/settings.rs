//! The flow follower's file.

use crate::config::{self, Common, ConfigError};
use agenttrader_core::money::Money;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::Span;
use agenttrader_sequence::input::Configuration;
use serde::Deserialize;

const FILE: &str = "strategies/whale.toml";

/// As it stands in the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    underlyings: Vec<Symbol>,
    score_enter: f64,
    score_exit: f64,
    convinced_events: u32,
    conviction_min: f64,
    premium_min_usd: Money,
    quantity: u32,
    delta_target: f64,
    delta_min: f64,
    delta_max: f64,
    take_profit_bp: u32,
    stop_loss_bp: u32,
    exit_before_close_minutes: u32,
    entries_per_day: u32,
    cool_down_seconds: u32,
}

/// The settings, checked.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) score_enter: f64,
    pub(super) score_exit: f64,
    pub(super) convinced_events: u32,
    pub(super) conviction_min: f64,
    pub(super) premium_min: f64,
    pub(super) quantity: u32,
    pub(super) delta_target: f64,
    pub(super) delta_min: f64,
    pub(super) delta_max: f64,
    pub(super) take_profit_bp: u32,
    pub(super) stop_loss_bp: u32,
    pub(super) exit_before_close: Span,
}

impl Settings {
    pub(super) fn read(configuration: &Configuration) -> Result<(Self, Common), ConfigError> {
        let file: File = config::read(configuration, FILE)?;
        check(&file)?;
        let common =
            config::common(configuration, FILE, &file.underlyings, file.entries_per_day, file.cool_down_seconds)?;
        let settings = Self {
            score_enter: file.score_enter,
            score_exit: file.score_exit,
            convinced_events: file.convinced_events,
            conviction_min: file.conviction_min,
            premium_min: file.premium_min_usd.as_f64(),
            quantity: file.quantity,
            delta_target: file.delta_target,
            delta_min: file.delta_min,
            delta_max: file.delta_max,
            take_profit_bp: file.take_profit_bp,
            stop_loss_bp: file.stop_loss_bp,
            exit_before_close: Span::from_minutes(i64::from(file.exit_before_close_minutes)),
        };
        Ok((settings, common))
    }
}

fn check(file: &File) -> Result<(), ConfigError> {
    let part = |value: f64| value.is_finite() && (0.0..=1.0).contains(&value);
    let one = "must be a number from 0 to 1";
    config::check(
        FILE,
        "score_enter",
        part(file.score_enter) && file.score_enter > 0.0,
        "must be a number above 0, at most 1",
    )?;
    config::check(FILE, "score_exit", part(file.score_exit), one)?;
    config::check(FILE, "conviction_min", part(file.conviction_min), one)?;
    config::check(FILE, "premium_min_usd", file.premium_min_usd >= Money::ZERO, "must not be negative")?;
    config::check(FILE, "quantity", (1..=1_000).contains(&file.quantity), "must be 1 to 1000")?;
    config::check(FILE, "delta_min", part(file.delta_min), one)?;
    config::check(
        FILE,
        "delta_max",
        part(file.delta_max) && file.delta_max >= file.delta_min,
        "must be delta_min to 1",
    )?;
    let target = (file.delta_min..=file.delta_max).contains(&file.delta_target);
    config::check(FILE, "delta_target", target, "must be delta_min to delta_max")?;
    config::check(FILE, "take_profit_bp", file.take_profit_bp > 0, "must be above 0")?;
    config::check(FILE, "stop_loss_bp", (1..=10_000).contains(&file.stop_loss_bp), "must be 1 to 10000")?;
    let ends = (1..=390).contains(&file.exit_before_close_minutes);
    config::check(FILE, "exit_before_close_minutes", ends, "must be 1 to 390")
}
