//! The text keeps the rules of Prometheus' exposition format 0.0.4.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use agenttrader_agent::metrics::{MetricError, Metrics};

#[test]
fn families_stand_together_with_help_and_type_before_their_samples() {
    let metrics = Metrics::new();
    let spy =
        metrics.counter("agenttrader_ticks_total", "Ticks taken in.", &[("symbol", "SPY"), ("feed", "sip")]).unwrap();
    metrics.gauge("agenttrader_market_age_seconds", "Age of the last tick.", &[]).unwrap().set(1.25);
    metrics
        .counter("agenttrader_ticks_total", "Ticks taken in.", &[("symbol", "A\"\\\nB"), ("feed", "sip")])
        .unwrap()
        .increment();
    spy.add(41);
    // The same labels in another order are the same sample.
    metrics.counter("agenttrader_ticks_total", "", &[("feed", "sip"), ("symbol", "SPY")]).unwrap().increment();
    assert_eq!(spy.get(), 42);
    assert_eq!(
        metrics.text(),
        concat!(
            "# HELP agenttrader_market_age_seconds Age of the last tick.\n",
            "# TYPE agenttrader_market_age_seconds gauge\n",
            "agenttrader_market_age_seconds 1.25\n",
            "# HELP agenttrader_ticks_total Ticks taken in.\n",
            "# TYPE agenttrader_ticks_total counter\n",
            "agenttrader_ticks_total{feed=\"sip\",symbol=\"A\\\"\\\\\\nB\"} 1\n",
            "agenttrader_ticks_total{feed=\"sip\",symbol=\"SPY\"} 42\n",
        )
    );
}

#[test]
fn numbers_that_are_none_are_spelt_as_the_format_has_them() {
    let metrics = Metrics::new();
    let gauge = metrics.gauge("agenttrader_x_seconds", "A \\ and a\nbreak.", &[]).unwrap();
    for (value, text) in [
        (f64::NAN, "NaN"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (0.0, "0"),
        (1e21, "1000000000000000000000"),
    ] {
        gauge.set(value);
        assert!(metrics.text().ends_with(&format!("\nagenttrader_x_seconds {text}\n")), "{}", metrics.text());
    }
    assert!(metrics.text().starts_with("# HELP agenttrader_x_seconds A \\\\ and a\\nbreak.\n"));
    assert_eq!(Metrics::new().text(), "");
}

#[test]
fn names_that_break_the_conventions_are_refused() {
    let metrics = Metrics::new();
    for bad in [
        "ticks_total",
        "agenttrader_ticks",
        "agenttrader_Ticks_total",
        "agenttrader_a-b_total",
        "agenttrader_é_total",
        "",
    ] {
        assert!(matches!(metrics.counter(bad, "", &[]), Err(MetricError::Name { .. })), "{bad}");
    }
    assert!(matches!(metrics.gauge("agenttrader_ticks_total", "", &[]), Err(MetricError::Name { .. })));
    for label in ["", "1", "a-b", "Symbol", "__name__"] {
        assert!(metrics.gauge("agenttrader_age_seconds", "", &[(label, "x")]).is_err(), "{label}");
    }
    metrics.gauge("agenttrader_age_seconds", "", &[]).unwrap();
    assert_eq!(metrics.text().lines().count(), 3);
}
