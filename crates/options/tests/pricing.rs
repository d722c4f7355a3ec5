//! What a user of the pricing functions relies on: textbook values, parity, monotonicity, and volatilities that reprice.
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use agenttrader_options::{
    Carry, NoVolatility, Right, TimeToExpiry,
    black_scholes::{black, intrinsic, normal_cdf, price},
    greeks::{gamma, greeks},
    implied_volatility,
    time_to_expiry::{SHORTEST_PRICED_NANOS, YEAR_NANOS},
};
use proptest::{prelude::*, test_runner::FileFailurePersistence};

fn carry(spot: f64, rate: f64, dividend_yield: f64, years: f64) -> Carry {
    Carry::from_rates(spot, rate, dividend_yield, TimeToExpiry::from_nanos((years * YEAR_NANOS as f64) as i64)).unwrap()
}

fn near(ours: f64, book: f64, within: f64) {
    assert!((ours - book).abs() <= within, "{ours} is not {book}");
}

/// J. C. Hull, *Options, Futures, and Other Derivatives*, the running example of the chapter on Black-Scholes-Merton.
#[test]
fn a_textbook_stock_option_has_its_value() {
    let carry = carry(42.0, 0.10, 0.0, 0.5);
    near(price(Right::Call, 40.0, 0.20, &carry), 4.76, 0.005);
    near(price(Right::Put, 40.0, 0.20, &carry), 0.81, 0.005);
}

/// Hull, the running example of the chapter on the Greek letters: 100,000 shares at 49 against 50, 20 weeks.
#[test]
fn a_textbook_option_has_its_greeks() {
    let carry = carry(49.0, 0.05, 0.0, 0.3846);
    let g = greeks(Right::Call, 50.0, 0.20, &carry).unwrap();
    near(g.price, 2.40, 0.005);
    near(g.delta, 0.522, 0.0005);
    near(g.gamma, 0.066, 0.0005);
    near(g.theta * 365.0, -4.31, 0.005);
    near(g.vega, 12.1, 0.05);
    near(g.rho, 8.91, 0.005);
}

/// Hull, the chapter on options on stock indices: a European call on an index with a 3 percent yield.
#[test]
fn a_textbook_index_option_with_a_yield_has_its_value() {
    near(price(Right::Call, 900.0, 0.20, &carry(930.0, 0.08, 0.03, 2.0 / 12.0)), 51.83, 0.005);
}

#[test]
fn the_normal_distribution_keeps_its_digits_in_the_tail() {
    near(normal_cdf(0.0), 0.5, 0.0);
    near(normal_cdf(1.959_963_984_540_054), 0.975, 1e-15);
    // Tabulated to full precision: the left tail at ten and at thirty-seven standard deviations.
    near(normal_cdf(-10.0) / 7.619_853_024_160_526e-24, 1.0, 1e-13);
    near(normal_cdf(-37.0) / 5.725_571_222_524_577e-300, 1.0, 1e-12);
}

#[test]
fn under_a_minute_there_is_intrinsic_value_and_nothing_else() {
    let at = |nanos| Carry::from_rates(100.0, 0.04, 0.0, TimeToExpiry::from_nanos(nanos)).unwrap();
    let (minute, less) = (at(SHORTEST_PRICED_NANOS), at(SHORTEST_PRICED_NANOS - 1));
    assert!(greeks(Right::Call, 100.0, 0.2, &minute).is_some());
    assert!(price(Right::Call, 100.0, 0.2, &minute) > 0.0);
    assert!(implied_volatility(Right::Call, 100.0, Some(0.05), &minute).is_ok());

    assert_eq!(greeks(Right::Call, 100.0, 0.2, &less), None);
    assert_eq!(gamma(100.0, 0.2, &less), 0.0);
    assert_eq!(price(Right::Call, 100.0, 0.2, &less), 0.0);
    assert_eq!(price(Right::Put, 103.0, 0.2, &less), 3.0);
    assert_eq!(implied_volatility(Right::Call, 100.0, Some(0.05), &less), Err(NoVolatility::TooCloseToExpiry));
}

#[test]
fn a_price_no_volatility_explains_has_its_reason() {
    let carry = carry(100.0, 0.04, 0.0, 0.25);
    let implied = |right, strike, quote| implied_volatility(right, strike, quote, &carry);
    assert_eq!(implied(Right::Call, 100.0, None), Err(NoVolatility::NoQuote));
    let bound = carry.discount() * (carry.forward() - 90.0);
    assert!(matches!(implied(Right::Call, 90.0, Some(bound)), Err(NoVolatility::BelowIntrinsic { .. })));
    assert!(matches!(implied(Right::Call, 90.0, Some(bound - 1.0)), Err(NoVolatility::BelowIntrinsic { .. })));
    assert!(implied(Right::Call, 90.0, Some(bound + 1e-6)).is_ok());
    assert!(matches!(implied(Right::Call, 110.0, Some(0.0)), Err(NoVolatility::BelowIntrinsic { .. })));
    let most = carry.discount() * carry.forward();
    assert!(matches!(implied(Right::Call, 110.0, Some(most)), Err(NoVolatility::AboveBound { .. })));
    assert!(implied(Right::Call, 110.0, Some(most - 1e-3)).is_ok());
    let most = carry.discount() * 90.0;
    assert!(matches!(implied(Right::Put, 90.0, Some(most)), Err(NoVolatility::AboveBound { .. })));
    assert!(implied(Right::Put, 90.0, Some(most - 1e-3)).is_ok());
    for (strike, quote) in
        [(0.0, 1.0), (-1.0, 1.0), (f64::NAN, 1.0), (100.0, f64::NAN), (100.0, -0.01), (f64::INFINITY, 1.0)]
    {
        assert!(matches!(implied(Right::Call, strike, Some(quote)), Err(NoVolatility::Malformed { .. })));
    }
}

#[test]
fn the_gamma_alone_is_the_gamma_among_the_greeks() {
    let carry = carry(100.0, 0.04, 0.01, 0.1);
    let of_all = greeks(Right::Put, 97.0, 0.3, &carry).unwrap().gamma;
    near(gamma(97.0, 0.3, &carry), of_all, 1e-15);
}

/// Every function here comes from one library compiled with us: whoever sees another number has another library, another
/// rounding or a fused multiplication, and would not replay a recording to the byte.
#[test]
fn every_machine_computes_the_same_bits() {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for i in 0..500_i64 {
        let x = i as f64 / 500.0;
        let time = TimeToExpiry::from_nanos(SHORTEST_PRICED_NANOS * (1 + i * i));
        let carry = Carry::from_rates(500.0, 0.04 * x, 0.01, time).unwrap();
        let strike = 500.0 * (1.0 + (x - 0.5) * carry.sqrt_years());
        let right = if i % 2 == 0 { Right::Call } else { Right::Put };
        let g = greeks(right, strike, 0.1 + x, &carry).unwrap();
        let implied = implied_volatility(right, strike, Some(g.price), &carry).unwrap();
        for number in [g.price, g.delta, g.gamma, g.theta, g.vega, g.rho, implied] {
            hash = (hash ^ number.to_bits()).wrapping_mul(0x0100_0000_01b3);
        }
    }
    assert_eq!(format!("{hash:016x}"), "55f17a46d49e870f");
}

prop_compose! {
    /// Any option one may meet, from a minute to two years, from five standard deviations in to five out of the money.
    fn options()(
        spot in 1.0..6_000.0_f64, rate in -0.02..0.10_f64, dividend_yield in 0.0..0.08_f64,
        log_years in -13.1..0.69_f64, volatility in 0.03..2.5_f64, away in -5.0..5.0_f64, call: bool,
    ) -> (Right, f64, f64, Carry) {
        let years = libm::exp(log_years).max(61.0 / 31_536_000.0);
        let carry = carry(spot, rate, dividend_yield, years);
        let strike = carry.forward() * libm::exp((away * volatility * carry.sqrt_years()).clamp(-2.0, 2.0));
        (if call { Right::Call } else { Right::Put }, strike, volatility, carry)
    }
}

/// So many cases; one that fails is kept beside this file.
fn cases(cases: u32) -> ProptestConfig {
    let kept = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { cases, failure_persistence: Some(Box::new(kept)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn call_less_put_is_the_discounted_difference((_, strike, volatility, carry) in options()) {
        let apart = price(Right::Call, strike, volatility, &carry) - price(Right::Put, strike, volatility, &carry);
        let expected = carry.discount() * (carry.forward() - strike);
        prop_assert!((apart - expected).abs() <= 1e-14 * (strike + carry.forward()) * 4.0);
        let (call, put) = (greeks(Right::Call, strike, volatility, &carry).unwrap(), greeks(Right::Put, strike, volatility, &carry).unwrap());
        prop_assert!((call.delta - put.delta - carry.discount() * carry.forward() / carry.spot()).abs() < 1e-12);
        prop_assert_eq!(call.gamma, put.gamma);
        prop_assert_eq!(call.vega, put.vega);
    }

    #[test]
    fn a_price_stays_within_its_bounds_and_grows_with_volatility((right, strike, volatility, carry) in options()) {
        let value = price(right, strike, volatility, &carry);
        let least = carry.discount() * intrinsic(right, carry.forward(), strike);
        let most = carry.discount() * if right == Right::Call { carry.forward() } else { strike };
        let rounding = 1e-14 * (strike + carry.forward());
        prop_assert!(value >= least - rounding && value <= most + rounding);
        prop_assert!(price(right, strike, volatility * 1.01, &carry) >= value - rounding);
    }

    #[test]
    fn a_call_falls_and_a_put_rises_with_the_strike((right, strike, volatility, carry) in options()) {
        let change = price(right, strike * 1.001, volatility, &carry) - price(right, strike, volatility, &carry);
        let rounding = 1e-14 * (strike + carry.forward());
        match right {
            Right::Call => prop_assert!(change <= rounding),
            Right::Put => prop_assert!(change >= -rounding),
        }
    }

    #[test]
    fn the_volatility_of_a_price_reprices_within_a_hundred_millionth_or_says_why((right, strike, volatility, carry) in options()) {
        let quote = price(right, strike, volatility, &carry);
        match implied_volatility(right, strike, Some(quote), &carry) {
            Ok(implied) => {
                let repriced = price(right, strike, implied, &carry);
                prop_assert!((repriced - quote).abs() <= 1e-8, "{} {} {}", implied, repriced, quote);
                // Where the price says anything about volatility, it is that one.
                let vega = greeks(right, strike, volatility, &carry).unwrap().vega;
                if vega > 1e-3 * carry.spot() * carry.sqrt_years() {
                    prop_assert!((implied - volatility).abs() <= 1e-8 * (1.0 + volatility) , "{implied} {volatility}");
                }
            }
            Err(NoVolatility::BelowIntrinsic { price, bound }) => prop_assert!(price - bound <= 1e-10 * bound.max(1.0)),
            Err(reason) => prop_assert!(false, "{reason}"),
        }
    }

    #[test]
    fn any_quote_whatever_is_repriced_or_refused(
        (right, strike, _, carry) in options(), quote in prop_oneof![0.0..1.0_f64, 0.0..10_000.0_f64, Just(0.01), Just(5e-324), any::<f64>()],
    ) {
        if let Ok(implied) = implied_volatility(right, strike, Some(quote), &carry) {
            prop_assert!(implied.is_finite() && implied > 0.0);
            let repriced = black(right, carry.forward(), strike, implied * carry.sqrt_years(), carry.discount());
            prop_assert!((repriced - quote).abs() <= 1e-8, "{} {} {}", implied, repriced, quote);
        } else {
            let reason = implied_volatility(right, strike, Some(quote), &carry).unwrap_err();
            let converged = !matches!(reason, NoVolatility::NotConverged { .. });
            prop_assert!(converged, "{reason} {strike} {carry:?}");
        }
    }
}
