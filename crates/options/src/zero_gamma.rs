//! The spot price at which dealers' net gamma changes sign.

use crate::carry::Carry;

/// How far from the spot the crossing is looked for, as a share of it.
pub const REACH: f64 = 0.10;

/// The refinement stops at this width in dollars, well inside the cent that is promised.
const WIDTH: f64 = 0.001;

/// Grid steps as a share of the spot. A contract's gamma is a bell as wide as its standard deviation; a quarter of the
/// narrowest sees every bell, and the bounds keep the work between 40 and 400 evaluations.
const FINEST_STEP: f64 = 0.0005;
const COARSEST_STEP: f64 = 0.005;

/// One contract's gamma exposure as a function of the spot, its volatility and time held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bell {
    /// Logarithm of the spot at which forward and strike meet.
    centre: f64,
    stdev: f64,
    per_stdev: f64,
    weight: f64,
}

impl Bell {
    /// The bell of a position of `contracts` (negative: dealers short) at a volatility per year. `None` where there is no
    /// gamma: no time, no volatility, no position.
    #[must_use]
    pub fn new(strike: f64, volatility: f64, contracts: f64, carry: &Carry) -> Option<Self> {
        let stdev = volatility * carry.sqrt_years();
        let per_spot = carry.forward() / carry.spot();
        let centre = libm::log(strike / per_spot);
        let weight = contracts * carry.discount() * per_spot / stdev;
        let real = centre.is_finite() && weight.is_finite() && weight != 0.0 && stdev > 0.0;
        (real && carry.time().is_priced()).then(|| Self { centre, stdev, per_stdev: 1.0 / stdev, weight })
    }

    fn d1(&self, log_spot: f64) -> f64 {
        (log_spot - self.centre) * self.per_stdev + 0.5 * self.stdev
    }

    fn at(&self, log_spot: f64) -> f64 {
        let square = self.d1(log_spot) * self.d1(log_spot);
        // exp underflows to zero from here on: most short-dated contracts at most grid points.
        if square > 1500.0 { 0.0 } else { self.weight * libm::exp(-0.5 * square) }
    }
}

/// Net gamma times spot of all bells at a spot price, up to a positive constant: its sign is what matters.
fn net(bells: &[Bell], spot: f64) -> f64 {
    let log_spot = libm::log(spot);
    bells.iter().map(|bell| bell.at(log_spot)).sum()
}

/// The crossing nearest to `spot` within [`REACH`] on either side, within 0.01 dollars; of two equally near ones the
/// upper. `None` where the net never changes sign.
#[must_use]
pub fn zero_gamma(bells: &[Bell], spot: f64) -> Option<f64> {
    if bells.is_empty() || !spot.is_finite() || spot <= 0.0 {
        return None;
    }
    let narrowest = bells.iter().fold(f64::INFINITY, |least, bell| least.min(bell.stdev));
    let step = (0.25 * narrowest).clamp(FINEST_STEP, COARSEST_STEP);
    let mut up = Walk::new(bells, spot, spot * (1.0 + REACH), step);
    let mut down = Walk::new(bells, spot, spot * (1.0 - REACH), step);
    if up.before == 0.0 && up.sign_beyond() * down.sign_beyond() < 0.0 {
        return Some(spot);
    }
    let mut nearest: Option<f64> = None;
    // Each walk has an end, so this ends; the one that has seen less goes on.
    loop {
        let next = if up.seen <= down.seen { &mut up } else { &mut down };
        let seen = next.seen;
        if seen == f64::INFINITY || nearest.is_some_and(|found| (found - spot).abs() <= seen) {
            return nearest;
        }
        if let Some(found) = next.advance()
            && nearest.is_none_or(|other| (found - spot).abs() < (other - spot).abs())
        {
            nearest = Some(found);
        }
    }
}

/// A walk away from the spot in even steps of the logarithm.
struct Walk<'a> {
    bells: &'a [Bell],
    moving: Vec<Moving>,
    spot: f64,
    log_spot: f64,
    /// Signed, of the logarithm.
    step: f64,
    taken: f64,
    steps: f64,
    /// The last two places where the net was not zero, and the net there; at the start the spot, and the first place on
    /// the walk that goes the other way.
    earlier: (f64, f64),
    from: f64,
    before: f64,
    /// The distance from the spot up to which there is no crossing on this side; infinite at the walk's end.
    seen: f64,
}

/// A bell on a walk. In even steps a Gaussian is a product: each value is the one before times a ratio that itself
/// shrinks by a constant factor, so that a step costs two multiplications and no exponential.
struct Moving {
    value: f64,
    ratio: f64,
    decay: f64,
}

/// Below this a product loses digits to underflow, and what it stands for is nothing beside any other bell.
const VANISHING: f64 = 1e-280;

impl Moving {
    fn start(bell: &Bell, log_spot: f64, step: f64) -> Self {
        let (d1, stride) = (bell.d1(log_spot), step * bell.per_stdev);
        Self {
            value: bell.at(log_spot),
            ratio: libm::exp(-stride * (d1 + 0.5 * stride)),
            decay: libm::exp(-stride * stride),
        }
    }
}

impl<'a> Walk<'a> {
    fn new(bells: &'a [Bell], spot: f64, end: f64, step: f64) -> Self {
        let (log_spot, whole) = (libm::log(spot), libm::log(end / spot));
        let steps = (whole.abs() / step).ceil();
        let step = whole / steps;
        let moving: Vec<Moving> = bells.iter().map(|bell| Moving::start(bell, log_spot, step)).collect();
        let before = moving.iter().map(|moving| moving.value).sum();
        let behind = spot * libm::exp(-step);
        let earlier = (behind, net(bells, behind));
        Self { bells, moving, spot, log_spot, step, taken: 0.0, steps, earlier, from: spot, before, seen: 0.0 }
    }

    /// The sign of the net just beyond the spot.
    fn sign_beyond(&self) -> f64 {
        let value = net(self.bells, self.spot * libm::exp(self.step));
        if value == 0.0 { 0.0 } else { value.signum() }
    }

    /// One step: the crossing it passes, if any, which is also the walk's end.
    fn advance(&mut self) -> Option<f64> {
        if self.taken >= self.steps {
            self.seen = f64::INFINITY;
            return None;
        }
        self.taken += 1.0;
        let log_spot = self.log_spot + self.step * self.taken;
        let mut value = 0.0;
        for (moving, bell) in self.moving.iter_mut().zip(self.bells) {
            moving.value *= moving.ratio;
            moving.ratio *= moving.decay;
            // Too far away to be a product so far: look whether it has come near.
            if moving.value.abs() < VANISHING {
                let d1 = bell.d1(log_spot);
                moving.value = 0.0;
                if d1 * d1 < 1200.0 {
                    *moving = Moving::start(bell, log_spot, self.step);
                }
            }
            value += moving.value;
        }
        if value == 0.0 {
            return None;
        }
        let to = libm::exp(log_spot);
        let (earlier, from, before) = (self.earlier, self.from, self.before);
        (self.earlier, self.from, self.before) = ((from, before), to, value);
        // One step behind: a dip is recognised only from beyond it.
        self.seen = (from - self.spot).abs();
        let passed = if before != 0.0 && before.signum() != value.signum() {
            Some((from, before, to))
        } else {
            dip(self.bells, earlier, (from, before), (to, value)).map(|inside| (earlier.0, earlier.1, inside))
        };
        passed.map(|(from, before, to)| {
            self.seen = f64::INFINITY;
            refine(self.bells, from, before, to)
        })
    }
}

/// A place between the outer two of three where the net has the other sign, if it dips so far there.
fn dip(bells: &[Bell], a: (f64, f64), b: (f64, f64), c: (f64, f64)) -> Option<f64> {
    let sign = b.1.signum();
    let (left, middle, right) = (a.1 * sign, b.1 * sign, c.1 * sign);
    if !(left >= middle && right >= middle && left + right > 2.0 * middle) {
        return None;
    }
    // The parabola through the three tells whether zero is anywhere near.
    if middle - (left - right) * (left - right) / (8.0 * (left + right - 2.0 * middle)) > 0.5 * middle {
        return None;
    }
    let (mut low, mut high) = (a.0, c.0);
    for _ in 0..40 {
        let (one, two) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        let (at_one, at_two) = (net(bells, one) * sign, net(bells, two) * sign);
        if at_one < 0.0 {
            return Some(one);
        }
        if at_two < 0.0 {
            return Some(two);
        }
        if at_one < at_two {
            high = two;
        } else {
            low = one;
        }
        if (high - low).abs() <= WIDTH {
            return None;
        }
    }
    None
}

/// The crossing between two places with different signs, by bisection.
fn refine(bells: &[Bell], mut from: f64, before: f64, mut to: f64) -> f64 {
    // The width halves each time: a tenth of any price is under a thousandth of a dollar long before this many.
    for _ in 0..64 {
        if (to - from).abs() <= WIDTH {
            break;
        }
        let middle = 0.5 * (from + to);
        let value = net(bells, middle);
        if value == 0.0 {
            return middle;
        }
        if value.signum() == before.signum() {
            from = middle;
        } else {
            to = middle;
        }
    }
    0.5 * (from + to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time_to_expiry::{TimeToExpiry, YEAR_NANOS};

    const SPOT: f64 = 500.0;

    fn carry(days: f64) -> Carry {
        let time = TimeToExpiry::from_nanos((days / 365.0 * YEAR_NANOS as f64) as i64);
        Carry::from_rates(SPOT, 0.04, 0.013, time).unwrap()
    }

    fn bells(list: &[(f64, f64, f64, f64)]) -> Vec<Bell> {
        list.iter()
            .filter_map(|(strike, volatility, contracts, days)| {
                Bell::new(*strike, *volatility, *contracts, &carry(*days))
            })
            .collect()
    }

    /// Every crossing on a grid of a hundredth of a dollar, by the plain sum.
    fn slow(bells: &[Bell]) -> Option<f64> {
        let mut best: Option<f64> = None;
        for direction in [0.01, -0.01] {
            let mut last = (SPOT, net(bells, SPOT));
            for i in 1..=5000 {
                let to = SPOT + direction * f64::from(i);
                let value = net(bells, to);
                if value != 0.0 && last.1 != 0.0 && value.signum() != last.1.signum() {
                    if best.is_none_or(|best| (to - SPOT).abs() < (best - SPOT).abs()) {
                        best = Some(to);
                    }
                    break;
                }
                if value != 0.0 {
                    last = (to, value);
                }
            }
        }
        best
    }

    #[test]
    fn the_nearest_crossing_is_found_to_a_cent() {
        let cases: [&[(f64, f64, f64, f64)]; 5] = [
            &[(510.0, 0.2, 100.0, 1.0), (490.0, 0.2, -100.0, 1.0)],
            &[(510.0, 0.2, 100.0, 30.0), (490.0, 0.2, -130.0, 30.0)],
            &[(540.0, 0.2, -1000.0, 0.1), (495.0, 0.2, 100.0, 7.0), (500.0, 0.2, 90.0, 1.0)],
            &[(455.0, 0.2, -5000.0, 0.02), (505.0, 0.2, 100.0, 7.0), (545.0, 0.15, -300.0, 0.02)],
            &[(501.0, 0.1, -10.0, 0.001), (499.0, 0.1, 11.0, 0.001), (500.0, 0.3, -1.0, 60.0)],
        ];
        for case in cases {
            let bells = bells(case);
            let found = zero_gamma(&bells, SPOT);
            let expected = slow(&bells);
            let near = match (found, expected) {
                (Some(found), Some(expected)) => (found - expected).abs() <= 0.011,
                (None, None) => true,
                _ => false,
            };
            assert!(near, "{found:?} {expected:?} for {case:?}");
        }
    }

    #[test]
    fn one_sign_everywhere_has_no_crossing() {
        assert_eq!(zero_gamma(&bells(&[(510.0, 0.2, 100.0, 1.0), (490.0, 0.2, 100.0, 30.0)]), SPOT), None);
        assert_eq!(zero_gamma(&[], SPOT), None);
        assert_eq!(zero_gamma(&bells(&[(510.0, 0.2, 100.0, 1.0)]), f64::NAN), None);
    }

    #[test]
    fn a_crossing_beyond_ten_percent_does_not_count() {
        // Equal and opposite bells cross half-way between their centres in the logarithm.
        let flat = Carry::from_rates(SPOT, 0.0, 0.0, TimeToExpiry::from_nanos(YEAR_NANOS / 12)).unwrap();
        let crossing_at = |middle: f64| {
            let pair = [(middle * 1.02, 50.0), (middle / 1.02, -50.0)];
            let bells: Vec<Bell> = pair.iter().filter_map(|(strike, n)| Bell::new(*strike, 0.2, *n, &flat)).collect();
            let shift = libm::exp(-0.5 * bells[0].stdev * bells[0].stdev);
            (zero_gamma(&bells, SPOT), middle * shift)
        };
        let (found, expected) = crossing_at(548.0);
        assert!((found.unwrap() - expected).abs() < 0.01);
        assert_eq!(crossing_at(553.0).0, None);
        let (found, expected) = crossing_at(453.0);
        assert!((found.unwrap() - expected).abs() < 0.01);
        assert_eq!(crossing_at(450.0).0, None);
    }

    #[test]
    fn a_bell_without_time_volatility_or_position_is_none() {
        assert_eq!(Bell::new(500.0, 0.2, 0.0, &carry(1.0)), None);
        assert_eq!(Bell::new(500.0, 0.0, 1.0, &carry(1.0)), None);
        assert_eq!(Bell::new(500.0, 0.2, 1.0, &carry(0.0001)), None);
    }

    proptest::proptest! {
            #[test]
            fn fast_and_slow_search_agree(
                list in proptest::collection::vec((455.0..545.0_f64, 0.1..0.5_f64, -1000.0..1000.0_f64, 0.05..40.0_f64), 1..12)
            ) {
                let bells = bells(&list);
                let (found, expected) = (zero_gamma(&bells, SPOT), slow(&bells));
                match (found, expected) {
                    (Some(found), Some(expected)) => {
                        // Two crossings may be equally near, one on each side: the distance is what must agree.
                        let apart = (found - SPOT).abs() - (expected - SPOT).abs();
                        proptest::prop_assert!(apart.abs() <= 0.011, "{found} {expected}");
                        proptest::prop_assert!(net(&bells, found - 0.005) * net(&bells, found + 0.005) <= 0.0, "{found}");
                    }
    // A crossing within a cent of the edge may fall on either side of it.
                    (Some(one), None) | (None, Some(one)) => proptest::prop_assert!(((one - SPOT).abs() - 50.0).abs() <= 0.011, "{one}"),
                    (None, None) => {}
                }
            }
        }
}
