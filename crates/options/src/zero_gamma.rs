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

    fn at(&self, log_spot: f64) -> f64 {
        let d1 = (log_spot - self.centre) * self.per_stdev + 0.5 * self.stdev;
        let square = d1 * d1;
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
    let steps = (REACH / (0.25 * narrowest).clamp(FINEST_STEP, COARSEST_STEP)).ceil();
    let here = net(bells, spot);
    let mut up = Walk { last: (spot, here), bells };
    let mut down = Walk { last: (spot, here), bells };
    let mut step = 1.0;
    while step <= steps {
        let distance = spot * REACH * step / steps;
        let found = [up.advance(spot + distance), down.advance(spot - distance)];
        if here == 0.0 && up.last.1 != 0.0 && down.last.1 != 0.0 && up.last.1.signum() != down.last.1.signum() {
            return Some(spot);
        }
        match found {
            [Some(above), Some(below)] => return Some(if above - spot <= spot - below { above } else { below }),
            [Some(one), None] | [None, Some(one)] => return Some(one),
            [None, None] => step += 1.0,
        }
    }
    None
}

/// A walk away from the spot, remembering the last place where the net was not zero.
struct Walk<'a> {
    last: (f64, f64),
    bells: &'a [Bell],
}

impl Walk<'_> {
    /// The crossing between the last place and this one, if the sign differs.
    fn advance(&mut self, to: f64) -> Option<f64> {
        let value = net(self.bells, to);
        if value == 0.0 {
            return None;
        }
        let (from, before) = std::mem::replace(&mut self.last, (to, value));
        (before != 0.0 && before.signum() != value.signum()).then(|| self.refine(from, before, to))
    }

    fn refine(&self, mut from: f64, before: f64, mut to: f64) -> f64 {
        // The width halves each time: a tenth of any price is under a thousandth of a dollar long before this many.
        for _ in 0..64 {
            if (to - from).abs() <= WIDTH {
                break;
            }
            let middle = 0.5 * (from + to);
            if net(self.bells, middle).signum() == before.signum() {
                from = middle;
            } else {
                to = middle;
            }
        }
        0.5 * (from + to)
    }
}
