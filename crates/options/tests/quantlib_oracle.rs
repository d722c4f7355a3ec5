//! Price, greeks and implied volatility against QuantLib's Black calculator, over 2,000 points from a minute to two years.
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use agenttrader_options::{
    Carry, NoVolatility, Right, TimeToExpiry, black_scholes::price, greeks::greeks, implied_volatility,
    time_to_expiry::YEAR_NANOS,
};

const POINTS: usize = 2_000;

struct Point {
    right: Right,
    strike: f64,
    volatility: f64,
    carry: Carry,
}

/// Knuth's MMIX generator: the same points in each run.
struct Numbers(u64);

impl Numbers {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + (high - low) * (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn points() -> Vec<Point> {
    let mut numbers = Numbers(20_251_224);
    (0..POINTS)
        .map(|i| {
            let (shortest, longest) = (60e9_f64, 2.0 * YEAR_NANOS as f64);
            // The ends themselves first, then everything between, evenly in the logarithm.
            let nanos = match i {
                0..20 => 60_000_000_000,
                20..40 => 2 * YEAR_NANOS,
                _ => (shortest * libm::exp(numbers.between(0.0, libm::log(longest / shortest)))) as i64,
            };
            let spot = numbers.between(5.0, 6_000.0);
            let (rate, dividend_yield) = (numbers.between(-0.01, 0.08), numbers.between(0.0, 0.05));
            let time = TimeToExpiry::from_nanos(nanos);
            let by_rates = Carry::from_rates(spot, rate, dividend_yield, time).unwrap();
            // Fed what QuantLib is fed: a forward a minute ahead holds the rates only to nine digits, and theta shows it.
            let carry = Carry::from_forward(spot, by_rates.forward(), by_rates.discount(), time).unwrap();
            let volatility = numbers.between(0.04, 1.5);
            // From five standard deviations in to five out of the money, by at most half and double the price.
            let away = (numbers.between(-5.0, 5.0) * volatility * carry.sqrt_years()).clamp(-0.7, 0.7);
            let strike = carry.forward() * libm::exp(away);
            let right = if i % 2 == 0 { Right::Call } else { Right::Put };
            Point { right, strike, volatility, carry }
        })
        .collect()
}

fn ask(python: &Path, points: &[Point]) -> Vec<Vec<f64>> {
    let mut questions = String::new();
    for Point { right, strike, volatility, carry } in points {
        let letter = if *right == Right::Call { 'C' } else { 'P' };
        let stdev = volatility * carry.sqrt_years();
        let (forward, discount, spot, years) = (carry.forward(), carry.discount(), carry.spot(), carry.years());
        questions += &format!("{letter} {forward:?} {strike:?} {stdev:?} {discount:?} {spot:?} {years:?}\n");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/quantlib_oracle.py");
    let mut child = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(questions.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split(' ').map(|number| number.parse().unwrap()).collect()).collect()
}

#[test]
fn price_and_greeks_agree_with_quantlib_and_implied_volatility_reprices() {
    let Some(python) = agenttrader_outside::python("QuantLib") else { return };
    let points = points();
    let answers = ask(&python, &points);
    assert_eq!(answers.len(), POINTS);

    let names = ["price", "delta", "gamma", "theta", "vega", "rho"];
    let mut worst = [0.0_f64; 6];
    for (i, (point, theirs)) in points.iter().zip(&answers).enumerate() {
        let g = greeks(point.right, point.strike, point.volatility, &point.carry).unwrap();
        let alone = price(point.right, point.strike, point.volatility, &point.carry);
        assert!((alone - g.price).abs() <= 1e-11, "{alone} alone, {} among the greeks", g.price);
        for (j, (ours, theirs)) in [g.price, g.delta, g.gamma, g.theta, g.vega, g.rho].iter().zip(theirs).enumerate() {
            let error = (ours - theirs).abs() / theirs.abs().max(1.0);
            worst[j] = worst[j].max(error);
            let (strike, years, volatility) = (point.strike, point.carry.years(), point.volatility);
            assert!(
                error <= 1e-10,
                "{}: ours {ours}, theirs {theirs} at point {i}: {strike} {years} {volatility}",
                names[j]
            );
        }
    }
    println!("largest error, absolute or relative: {names:?} {worst:?}");

    let mut reasons = 0;
    let mut found = Vec::new();
    let mut quotes = Vec::new();
    for (point, theirs) in points.iter().zip(&answers) {
        let quote = theirs[0];
        match implied_volatility(point.right, point.strike, Some(quote), &point.carry) {
            Ok(volatility) => {
                found.push(Point { volatility, ..*point });
                quotes.push(quote);
            }
            // So deep in the money that the time value is less than the price's own rounding.
            Err(NoVolatility::BelowIntrinsic { bound, .. }) => {
                assert!(quote - bound <= 1e-10, "{quote} {bound}");
                reasons += 1;
            }
            Err(reason) => panic!("{reason}"),
        }
    }
    let repriced = ask(&python, &found);
    let worst = repriced.iter().zip(&quotes).map(|(repriced, quote)| (repriced[0] - quote).abs()).fold(0.0, f64::max);
    println!("implied volatility: {} found, {reasons} at intrinsic value, repriced within {worst:e}", found.len());
    assert!(worst <= 1e-8, "{worst}");
    assert!(reasons < POINTS / 50, "{reasons}");
}
