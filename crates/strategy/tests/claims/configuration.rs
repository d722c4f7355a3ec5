//! Configurations that give seats, and those that are refused with file and field named.

use crate::support::{changed, configuration, symbol};
use agenttrader_sequence::input::Configuration;
use agenttrader_strategy::builtin::{self, NAMES};
use agenttrader_strategy::config::ConfigError;
use agenttrader_strategy::step::seats;

fn refusal(configuration: &Configuration) -> String {
    seats(configuration).unwrap_err().to_string()
}

#[test]
fn every_strategy_reads_its_shipped_file() {
    for name in NAMES {
        let seats = seats(&configuration(name, &["SPY", "AAPL"])).unwrap();
        assert_eq!(seats.len(), 1);
        assert_eq!(seats[0].author().strategy_name, name);
        assert!(!seats[0].author().strategy_version.is_empty());
    }
}

#[test]
fn a_run_without_the_configured_underlyings_gives_its_own() {
    let underlyings = |strategy: &str, symbols: &[&str]| {
        let (_, common) = builtin::strategy(strategy, &configuration(strategy, symbols)).unwrap();
        common.underlyings
    };
    assert_eq!(underlyings("gamma", &["AAPL", "SPY"]), [symbol("SPY")]);
    assert_eq!(underlyings("gamma", &["GOOG"]), [symbol("GOOG")]);
    assert_eq!(underlyings("whale", &["AAPL", "SPY"]), [symbol("AAPL"), symbol("SPY")]);
    assert!(underlyings("whale", &[]).is_empty());
}

#[test]
fn a_missing_file_an_unknown_field_a_wrong_type_and_an_unknown_strategy_are_refused_by_name() {
    let mut without = configuration("gamma", &["SPY"]);
    without.files.retain(|file| file.name != "strategies/gamma.toml");
    assert!(refusal(&without).contains("configs/strategies/gamma.toml is missing"));
    without.files.retain(|file| file.name != "risk.toml");
    assert!(refusal(&without).contains("configs/risk.toml is missing"));
    for (from, to, named) in [
        ("base_quantity = 2", "base_quantity = 2\nleverage = 3", "leverage"),
        ("base_quantity = 2", "", "base_quantity"),
        ("base_quantity = 2", "base_quantity = \"two\"", "two"),
    ] {
        let text = refusal(&changed(configuration("gamma", &["SPY"]), "strategies/gamma.toml", from, to));
        assert!(text.contains("configs/strategies/gamma.toml") && text.contains(named), "{text}");
    }
    let text = refusal(&configuration("martingale", &["SPY"]));
    assert!(text.contains("martingale") && text.contains("naive_flow_trend"), "{text}");
}

#[test]
fn values_that_make_no_sense_name_their_field() {
    for (strategy, from, to, field) in [
        ("gamma", "base_quantity = 2", "base_quantity = 0", "base_quantity"),
        ("gamma", "size_short_gamma = 1.5", "size_short_gamma = nan", "size_short_gamma"),
        ("gamma", "size_long_gamma = 0.5", "size_long_gamma = -0.5", "size_long_gamma"),
        ("gamma", "short_gamma = 0.15\n", "short_gamma = 0.0\n", "hedge_band.short_gamma"),
        ("gamma", "entries_per_day = 3", "entries_per_day = 0", "entries_per_day"),
        ("gamma", "hedge_interval_seconds = 15", "hedge_interval_seconds = 0", "hedge_interval_seconds"),
        ("gamma", "underlyings = [\"SPY\"]", "underlyings = [\"SPY\", \"SPY\"]", "underlyings"),
        ("whale", "score_enter = 0.30", "score_enter = 0.0", "score_enter"),
        ("whale", "delta_target = 0.40", "delta_target = 0.50", "delta_target"),
        ("whale", "stop_loss_bp = 3000", "stop_loss_bp = 20000", "stop_loss_bp"),
        ("whale", "premium_min_usd = \"250000\"", "premium_min_usd = \"-1\"", "premium_min_usd"),
        ("naive_flow_trend", "closes = 20", "closes = 1", "closes"),
    ] {
        let file = format!("strategies/{strategy}.toml");
        let refused = seats(&changed(configuration(strategy, &["SPY"]), &file, from, to)).unwrap_err();
        assert!(matches!(&refused, ConfigError::Field { field: named, .. } if *named == field), "{refused}");
    }
}
