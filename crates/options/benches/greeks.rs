//! Greeks and implied volatilities per second on one core, beside the bare limit: the transcendental functions that one
//! evaluation cannot do without, timed alone in the same run.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark reads the clock and may stop"
)]

use std::{hint::black_box, time::Instant};

use agenttrader_options::{
    Carry, Regime, Right, TimeToExpiry,
    black_scholes::price,
    gamma_exposure::{OpenContract, profile},
    greeks::greeks,
    implied_volatility,
    quote_use::LastSides,
};

const DAY: i64 = 86_400_000_000_000;

struct Case {
    right: Right,
    strike: f64,
    volatility: f64,
    price: f64,
    carry: Carry,
}

/// A chain as the book sees it: four expiries, twenty strikes around the spot, both rights, a smile.
fn chain() -> Vec<Case> {
    let mut cases = Vec::new();
    for days in [0.2, 1.0, 7.0, 30.0] {
        let carry =
            Carry::from_rates(500.0, 0.04, 0.013, TimeToExpiry::from_nanos((days * DAY as f64) as i64)).unwrap();
        let width = 0.18 * 500.0 * carry.sqrt_years();
        for i in 0..20 {
            let strike = (500.0 + width * (f64::from(i) - 9.5) * 0.3).round();
            let volatility =
                0.16 + 0.3 * (strike / 500.0 - 1.0) * (strike / 500.0 - 1.0) - 0.2 * (strike / 500.0 - 1.0);
            for right in [Right::Call, Right::Put] {
                cases.push(Case { right, strike, volatility, price: price(right, strike, volatility, &carry), carry });
            }
        }
    }
    cases
}

/// Nanoseconds per call: the best of several passes, so that a neighbour on the machine does not count.
fn nanos_per_call(calls_per_pass: usize, mut pass: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..12 {
        let start = Instant::now();
        for _ in 0..500 {
            pass();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / (500.0 * calls_per_pass as f64));
    }
    best
}

fn main() {
    let cases = chain();
    let n = cases.len();
    let x: Vec<f64> = (0..n).map(|i| (i as f64 / n as f64 - 0.5) * 4.0).collect();
    // Value and greeks need two normal distributions, one density and one logarithm.
    let limit = nanos_per_call(n, || {
        for x in &x {
            let x = black_box(*x);
            black_box(libm::erfc(x) + libm::erfc(x - 0.1) + libm::exp(-x * x) + libm::log(3.0 + x));
        }
    });
    let greeks_each = nanos_per_call(n, || {
        for c in &cases {
            black_box(greeks(black_box(c.right), black_box(c.strike), black_box(c.volatility), &c.carry));
        }
    });
    let implied_each = nanos_per_call(n, || {
        for c in &cases {
            let _ = black_box(implied_volatility(
                black_box(c.right),
                black_box(c.strike),
                Some(black_box(c.price)),
                &c.carry,
            ));
        }
    });
    println!("{:<28}{:>14}{:>10}{:>16}{:>8}", "options, one core", "per second", "ns each", "limit ns each", "ratio");
    for (name, each, limit) in [("greeks", greeks_each, limit), ("implied volatility", implied_each, limit)] {
        println!("{name:<28}{:>14.0}{each:>10.1}{limit:>16.1}{:>8.2}", 1e9 / each, each / limit);
    }
    let contracts: Vec<OpenContract> = cases
        .iter()
        .enumerate()
        .map(|(i, c)| OpenContract {
            right: c.right,
            strike: c.strike,
            expiry: c.carry.time().nanos(),
            same_day: c.carry.time().nanos() < DAY,
            // Calls above the spot and puts below it are the popular ones, as in a real chain.
            open_interest: 100
                + (i as u64 * 7919) % 2000
                + if (c.right == Right::Call) == (c.strike > 500.0) { 4000 } else { 0 },
            sides: LastSides { bid: Some(c.price * 0.99), ask: Some(c.price * 1.01) },
            volatility: Ok(c.volatility),
            carry: c.carry,
        })
        .collect();
    // A profile needs at least one exponential and one logarithm a contract.
    let bare = nanos_per_call(1, || {
        for x in &x {
            let x = black_box(*x);
            black_box(libm::exp(-x * x) + libm::log(3.0 + x));
        }
    });
    let profiles = nanos_per_call(1, || {
        black_box(profile(500.0, black_box(&contracts), Regime::Unknown));
    });
    assert!(profile(500.0, &contracts, Regime::Unknown).zero_gamma.is_some());
    let puts_only: Vec<OpenContract> = contracts.iter().filter(|c| c.right == Right::Put).copied().collect();
    let no_crossing = nanos_per_call(1, || {
        black_box(profile(500.0, black_box(&puts_only), Regime::Unknown));
    });
    assert_eq!(profile(500.0, &puts_only, Regime::Unknown).zero_gamma, None);
    for (name, each) in [("profile of 160, crossing", profiles), ("profile of 80, no crossing", no_crossing)] {
        println!("{name:<28}{:>14.0}{each:>10.0}{bare:>16.0}{:>8.2}", 1e9 / each, each / bare);
    }
}
