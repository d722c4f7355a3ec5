//! What a user of the exposure profile relies on: signs, sums, walls, coverage and regime.
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use agenttrader_options::{
    Carry, NoVolatility, Regime, Right, TimeToExpiry,
    gamma_exposure::{OpenContract, per_percent, profile},
    greeks::gamma,
    quote_use::{LastSides, QuoteUse, Unusable},
    regime::Coverage,
};

const SPOT: f64 = 500.0;
const DAY: i64 = 86_400_000_000_000;
const FAILED: Result<f64, NoVolatility> = Err(NoVolatility::NotConverged { price: 1.0 });

fn carry(days: i64) -> Carry {
    Carry::from_rates(SPOT, 0.04, 0.013, TimeToExpiry::from_nanos(days * DAY / 4)).unwrap()
}

/// A two-sided contract with a volatility, expiring after so many quarters of a day.
fn open(right: Right, strike: f64, expiry: i64, open_interest: u64) -> OpenContract {
    let sides = LastSides { bid: Some(1.0), ask: Some(1.1) };
    OpenContract {
        right,
        strike,
        expiry,
        same_day: expiry == 1,
        open_interest,
        sides,
        volatility: Ok(0.2),
        carry: carry(expiry),
    }
}

fn share(of: &OpenContract) -> f64 {
    gamma(of.strike, 0.2, &of.carry) * of.open_interest as f64 * 100.0 * SPOT
}

#[test]
fn calls_add_and_puts_subtract_by_strike_and_by_expiry_with_the_same_day_apart() {
    let contracts = [
        open(Right::Put, 495.0, 1, 700),
        open(Right::Call, 505.0, 1, 900),
        open(Right::Call, 505.0, 28, 300),
        open(Right::Put, 505.0, 28, 200),
        open(Right::Call, 510.0, 28, 100),
    ];
    let [put, call, later_call, later_put, last] = contracts.each_ref().map(share);
    let p = profile(SPOT, &contracts, Regime::Unknown);
    let near = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9 * b.abs(), "{a} {b}");

    near(p.net(), call + later_call + last - put - later_put);
    near(p.gross, call + later_call + last + put + later_put);
    near(p.net_per_percent(), p.net() * SPOT * 0.01);
    near(per_percent(2.0, 500.0), 10.0);
    near(p.same_day.net(), call - put);
    assert_eq!(p.by_strike.iter().map(|row| row.strike).collect::<Vec<_>>(), [495.0, 505.0, 510.0]);
    near(p.by_strike[1].same_day.call, call);
    near(p.by_strike[1].later.call, later_call);
    near(p.by_strike[1].later.put, -later_put);
    near(p.by_strike[1].total().net(), call + later_call - later_put);
    assert_eq!(p.by_expiry.iter().map(|row| (row.expiry, row.same_day)).collect::<Vec<_>>(), [(1, true), (28, false)]);
    near(p.by_expiry[1].exposure.net(), later_call + last - later_put);
    assert_eq!(p.cells.len(), 4);
    assert_eq!((p.call_wall, p.put_wall), (Some(505.0), Some(495.0)));
    assert_eq!(p.coverage, Coverage { usable: 2200, total: 2200 });
}

#[test]
fn the_order_of_contracts_changes_no_bit() {
    let mut contracts: Vec<OpenContract> = (0..40)
        .map(|i| {
            let right = if i % 2 == 0 { Right::Call } else { Right::Put };
            open(right, 480.0 + f64::from(i / 4) * 4.0, if i % 4 < 2 { 1 } else { 28 }, 100 + i as u64 * 37 % 211)
        })
        .collect();
    let one = profile(SPOT, &contracts, Regime::Unknown);
    contracts.reverse();
    assert_eq!(profile(SPOT, &contracts, Regime::Unknown), one);
    contracts.rotate_left(13);
    assert_eq!(profile(SPOT, &contracts, Regime::Unknown), one);
}

#[test]
fn an_in_the_money_contract_without_a_volatility_takes_the_other_rights() {
    let failed = OpenContract { volatility: FAILED, ..open(Right::Call, 490.0, 1, 100) };
    let p = profile(SPOT, &[failed, open(Right::Put, 490.0, 1, 50)], Regime::Unknown);
    assert_eq!(p.contracts[0].quote_use, QuoteUse::OtherVolatility(0.2));
    assert_eq!(p.contracts[0].gamma, p.contracts[1].gamma);
    assert_eq!(p.coverage, Coverage { usable: 150, total: 150 });

    let other_expiry = profile(SPOT, &[failed, open(Right::Put, 490.0, 28, 50)], Regime::Unknown);
    assert!(!other_expiry.contracts[0].quote_use.is_usable(), "another expiry's volatility is another volatility");
    assert_eq!(other_expiry.coverage, Coverage { usable: 50, total: 150 });
}

#[test]
fn worthless_contracts_are_covered_without_gamma_and_crossed_ones_are_not_covered() {
    let worthless = OpenContract {
        sides: LastSides { bid: None, ask: Some(0.01) },
        volatility: FAILED,
        ..open(Right::Call, 540.0, 1, 10)
    };
    let crossed =
        OpenContract { sides: LastSides { bid: Some(1.2), ask: Some(1.1) }, ..open(Right::Call, 510.0, 1, 5) };
    let p = profile(SPOT, &[worthless, crossed], Regime::Unknown);
    assert_eq!(p.contracts[0].quote_use, QuoteUse::Unusable(Unusable::Crossed { bid: 1.2, ask: 1.1 }));
    assert_eq!(p.contracts[1].quote_use, QuoteUse::Worthless);
    assert_eq!((p.gross, p.coverage), (0.0, Coverage { usable: 10, total: 15 }));
}

#[test]
fn coverage_makes_and_loses_the_regime_and_the_sign_names_it() {
    let crossed = |open_interest| OpenContract {
        sides: LastSides { bid: Some(1.2), ask: Some(1.1) },
        ..open(Right::Call, 510.0, 1, open_interest)
    };
    let after = |previous, right, lost| profile(SPOT, &[open(right, 500.0, 1, 1000), crossed(lost)], previous).regime;
    assert_eq!(after(Regime::Unknown, Right::Call, 250), Regime::LongGamma);
    assert_eq!(after(Regime::Unknown, Right::Call, 251), Regime::Unknown);
    assert_eq!(after(Regime::LongGamma, Right::Put, 428), Regime::ShortGamma);
    assert_eq!(after(Regime::LongGamma, Right::Put, 429), Regime::Unknown);
    let balanced = [open(Right::Call, 500.0, 1, 1000), open(Right::Put, 500.0, 1, 985)];
    assert_eq!(profile(SPOT, &balanced, Regime::ShortGamma).regime, Regime::Neutral);
}

#[test]
fn nothing_open_is_an_unknown_regime_without_walls() {
    let p = profile(SPOT, &[], Regime::LongGamma);
    assert_eq!((p.regime, p.call_wall, p.put_wall, p.zero_gamma, p.net()), (Regime::Unknown, None, None, None, 0.0));
    let p = profile(SPOT, &[open(Right::Call, 500.0, 1, 0)], Regime::LongGamma);
    assert_eq!((p.regime, p.call_wall, p.zero_gamma), (Regime::Unknown, None, None));
}

#[test]
fn the_larger_wall_wins_and_of_equals_the_lower_strike() {
    let twice = [open(Right::Put, 490.0, 1, 100), open(Right::Put, 495.0, 1, 100), open(Right::Put, 495.0, 28, 100)];
    assert_eq!(profile(SPOT, &twice, Regime::Unknown).put_wall, Some(495.0));
    let equal = [open(Right::Call, 500.0, 1, 100), OpenContract { strike: 501.0, ..open(Right::Call, 501.0, 1, 0) }];
    assert_eq!(profile(SPOT, &equal, Regime::Unknown).call_wall, Some(500.0));
}

#[test]
fn zero_gamma_is_where_measuring_again_gives_no_net() {
    let contracts =
        [open(Right::Call, 510.0, 28, 1000), open(Right::Put, 490.0, 28, 1000), open(Right::Put, 505.0, 1, 30)];
    let found = profile(SPOT, &contracts, Regime::Unknown).zero_gamma.unwrap();
    let net = |spot: f64| {
        let moved = contracts.map(|c| {
            let carry = Carry::from_rates(spot, 0.04, 0.013, c.carry.time()).unwrap();
            OpenContract { carry, ..c }
        });
        profile(spot, &moved, Regime::Unknown).net()
    };
    assert!(net(found - 0.01) * net(found + 0.01) < 0.0, "{found}");
    assert!(contracts.iter().all(|c| c.volatility == Ok(0.2)));
}
