//! The volatility at which Black's formula gives back a quoted price.
//!
//! The price is first turned into the normalised out-of-the-money option of the same strike, where nothing is lost to
//! intrinsic value: `b(x, s)` with `x = -|ln(forward / strike)|` and `s` the standard deviation. The search iterates on
//! `1 / ln b` below the inflection point, on `b` around it and on the distance to the upper bound above: near-straight
//! lines in each region, so that third-order steps converge in two or three. The choice of these three functions follows
//! P. Jäckel, *Let's be rational*, Wilmott 75 (2015); starting points and safeguard are our own. A bracket is kept
//! throughout, and a step that leaves it becomes a bisection.

use std::f64::consts::FRAC_1_SQRT_2;

use crate::{Right, black_scholes::INV_SQRT_TAU, carry::Carry};

/// A volatility is returned only if it reprices its quote this closely, in dollars: a tenth of what is promised outside,
/// which leaves room for rounding in the caller's own repricing.
pub const REPRICES_WITHIN: f64 = 1e-9;

/// Steps before giving up. Bisection alone needs about sixty to exhaust a double; the usual case takes three.
const MOST_STEPS: u32 = 100;

/// Relative size of a last step: steps are of third order, so what remains after it is far below a double's rounding.
const LAST_STEP: f64 = 1e-6;

/// Why there is no volatility.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum NoVolatility {
    /// There is no price to explain.
    #[error("no quote")]
    NoQuote,
    /// Strike or price is not a number an option can have.
    #[error("strike {strike} or price {price} is not a positive number")]
    Malformed {
        /// The strike given.
        strike: f64,
        /// The price given.
        price: f64,
    },
    /// Less than 60 s are left: the value is the intrinsic value.
    #[error("less than 60 s to expiry")]
    TooCloseToExpiry,
    /// The price is at or below what the option is worth without any volatility, or above it by less than rounding.
    #[error("price {price} is at or below the intrinsic value {bound}")]
    BelowIntrinsic {
        /// The price given.
        price: f64,
        /// The discounted intrinsic value of the forward.
        bound: f64,
    },
    /// The price is at or above what the option is worth at infinite volatility.
    #[error("price {price} is at or above the upper bound {bound}")]
    AboveBound {
        /// The price given.
        price: f64,
        /// The discounted forward for a call, the discounted strike for a put.
        bound: f64,
    },
    /// No volatility was found that reprices closely enough.
    #[error("no volatility reprices {price} closely enough")]
    NotConverged {
        /// The price given.
        price: f64,
    },
}

/// The volatility per year at which the option is worth `quote` dollars, to within [`REPRICES_WITHIN`].
///
/// # Errors
/// The reason there is none; see [`NoVolatility`].
pub fn implied_volatility(right: Right, strike: f64, quote: Option<f64>, carry: &Carry) -> Result<f64, NoVolatility> {
    let price = quote.ok_or(NoVolatility::NoQuote)?;
    if !(strike.is_finite() && strike > 0.0 && price.is_finite() && price >= 0.0) {
        return Err(NoVolatility::Malformed { strike, price });
    }
    if !carry.time().is_priced() {
        return Err(NoVolatility::TooCloseToExpiry);
    }
    let (forward, discount) = (carry.forward(), carry.discount());
    let (parity, bound) = match right {
        Right::Call => (discount * (forward - strike), discount * forward),
        Right::Put => (discount * (strike - forward), discount * strike),
    };
    if price >= bound {
        return Err(NoVolatility::AboveBound { price, bound });
    }
    // A time value below the formula's own rounding cannot be told from none.
    let intrinsic = if parity > 0.0 { parity } else { 0.0 };
    let rounding = 4.0 * f64::EPSILON * bound;
    let out_of_the_money = price - intrinsic;
    if out_of_the_money <= rounding {
        return Err(NoVolatility::BelowIntrinsic { price, bound: intrinsic });
    }
    let scale = discount * (forward * strike).sqrt();
    let ratio = if forward < strike { forward / strike } else { strike / forward };
    Search::new(libm::log(ratio), ratio, out_of_the_money / scale, scale)
        .run()
        .map(|stdev| stdev / carry.sqrt_years())
        .ok_or(NoVolatility::NotConverged { price })
}

/// Which function of `b` the steps act on.
#[derive(Clone, Copy)]
enum Region {
    /// Below the inflection point: `1 / ln b` is nearly straight in the variance.
    Lower,
    /// Around it: `b` is nearly straight.
    Middle,
    /// Towards the bound: the logarithm of the distance to it.
    Upper,
}

/// One search for the standard deviation of a normalised out-of-the-money option.
struct Search {
    x: f64,
    /// `exp(x / 2)`, also the upper bound of `b`.
    bound: f64,
    target: f64,
    log_target: f64,
    /// Dollars per unit of `b`.
    scale: f64,
    region: Region,
    low: f64,
    high: f64,
    start: f64,
}

impl Search {
    fn new(x: f64, ratio: f64, target: f64, scale: f64) -> Self {
        let bound = ratio.sqrt();
        // b is convex below the standard deviation sqrt(2 |x|) and concave above it.
        let inflection = (-2.0 * x).sqrt();
        let nearly_normal = start_nearly_normal(x, bound, target);
        if nearly_normal < 1.0 {
            let region = if nearly_normal < inflection { Region::Lower } else { Region::Middle };
            return Self::begin(x, bound, target, scale, region, (0.0, f64::INFINITY), nearly_normal);
        }
        // At the inflection d1 is zero.
        let at_inflection = 0.5 * bound - 0.5 * libm::erfc(inflection * FRAC_1_SQRT_2) / bound;
        let slope = INV_SQRT_TAU * bound;
        if target < at_inflection {
            let start = start_below(x, libm::log(target), inflection, at_inflection, slope);
            return Self::begin(x, bound, target, scale, Region::Lower, (0.0, inflection), start);
        }
        let room = bound - at_inflection;
        let part = (target - at_inflection) / room;
        let region = if part < 0.5 { Region::Middle } else { Region::Upper };
        // Exact for x = 0, where b is an error function; elsewhere the same curve with b's slope and room.
        let start = inflection + inverse_erf(part) * 2.0 * room / (slope * 1.772_453_850_905_516);
        Self::begin(x, bound, target, scale, region, (inflection, f64::INFINITY), start)
    }

    fn begin(x: f64, bound: f64, target: f64, scale: f64, region: Region, (low, high): (f64, f64), start: f64) -> Self {
        let log_target = if matches!(region, Region::Lower) { libm::log(target) } else { 0.0 };
        Self { x, bound, target, log_target, scale, region, low, high, start }
    }

    fn run(mut self) -> Option<f64> {
        let mut s = if self.start > self.low && self.start < self.high { self.start } else { self.halfway(self.start) };
        for _ in 0..MOST_STEPS {
            let h = self.x / s;
            let t = 0.5 * s;
            let b = 0.5
                * (self.bound * libm::erfc(-(h + t) * FRAC_1_SQRT_2)
                    - libm::erfc((t - h) * FRAC_1_SQRT_2) / self.bound);
            if b < self.target {
                self.low = s;
            } else {
                self.high = s;
            }
            let step = self.step(s, h, t, b);
            let close = (b - self.target).abs() * self.scale <= REPRICES_WITHIN;
            if close && step.abs() <= LAST_STEP * s {
                return Some(s + step);
            }
            let next = s + step;
            if next > self.low && next < self.high {
                s = next;
                continue;
            }
            let halfway = self.halfway(s);
            // Nothing lies between the ends any more, or the step is noise: as near as doubles come.
            if !(halfway > self.low && halfway < self.high) || step.abs() <= 1e-12 * s {
                return close.then_some(s);
            }
            s = halfway;
        }
        None
    }

    /// A point inside the bracket when no step can be trusted.
    fn halfway(&self, s: f64) -> f64 {
        if self.high == f64::INFINITY {
            return if s > self.low { 2.0 * s } else { 2.0 * self.low + 1.0 };
        }
        0.5 * (self.low + self.high)
    }

    /// The third-order Householder step on the region's function; NaN where `b` has underflowed.
    fn step(&self, s: f64, h: f64, t: f64, b: f64) -> f64 {
        let slope = INV_SQRT_TAU * libm::exp(-0.5 * (h * h + t * t));
        // Second and third derivative of b over the first.
        let second = h * h / s - 0.25 * s;
        let third = second * second - 3.0 * (h / s) * (h / s) - 0.25;
        let (newton, second, third) = match self.region {
            Region::Lower => {
                let log_b = libm::log(b);
                let p = slope / b;
                let q = 1.0 / log_b;
                let newton = (self.log_target - log_b) * log_b / self.log_target / p;
                (
                    newton,
                    second - p * (1.0 + 2.0 * q),
                    third + 2.0 * p * p * (1.0 + 3.0 * q * (1.0 + q)) - 3.0 * second * p * (1.0 + 2.0 * q),
                )
            }
            Region::Middle => ((self.target - b) / slope, second, third),
            Region::Upper => {
                let room = self.bound - b;
                let p = slope / room;
                let newton = libm::log(room / (self.bound - self.target)) / p;
                (newton, second + p, third + p * (2.0 * p + 3.0 * second))
            }
        };
        newton * (1.0 + 0.5 * second * newton) / (1.0 + newton * (second + third * newton / 6.0))
    }
}

/// A start for the standard deviations that real chains have, to about one in ten thousand below 0.3.
///
/// Over a short time lognormal prices are nearly normal, and the normal model's price over the distance to the strike is a
/// function of that distance over the standard deviation alone: `g(h) = pdf(h) / h - cdf(-h)`. Its inverse is written as
/// `h = p / sqrt(q(p))` with `p = ln(1 + 1 / g)`, and `q` a rational function fitted to within 1.3e-4 for h up to 10; its
/// value at zero is exact and its growth near that of the limit. What remains between the two models is their known ratio
/// to second order (P. Hagan and others, *Managing smile risk*, Wilmott (2002), the normal volatility for beta one).
fn start_nearly_normal(x: f64, bound: f64, target: f64) -> f64 {
    let distance = 1.0 / bound - bound;
    let p = libm::log1p(distance / target);
    // At the money the ratio of distance to p tends to the price.
    let distance_over_p = if p > 0.0 { distance / p } else { target };
    let above = std::f64::consts::TAU
        + p * (1.041_893_373_759_198_7 + p * (0.174_010_647_385_032_39 + p * 0.010_633_108_596_447_586));
    let below = 1.0 + p * (0.165_364_240_906_373_2 + p * 0.021_014_951_351_650_95);
    let normal = distance_over_p * (above / below).sqrt();
    normal * (1.0 + normal * normal / 24.0) / (1.0 + x * x / 24.0)
}

/// A start below the inflection point: the variance as a monotone rational function of `y = 1 / ln b`, through zero with
/// the slope of b's asymptote (`ln b ~ -x^2 / 2 s^2`) and through the inflection point with b's own slope.
fn start_below(x: f64, log_target: f64, inflection: f64, at_inflection: f64, slope: f64) -> f64 {
    let log_there = libm::log(at_inflection);
    let part = log_there / log_target;
    let rest = part * (1.0 - part);
    let variance = inflection * inflection;
    // All three slopes are per unit of `part`, whose whole is 1 / ln b at the inflection point.
    let chord = variance;
    let at_zero = -0.5 * x * x / log_there;
    let at_end = -2.0 * inflection * at_inflection * log_there / slope;
    let along = (chord * part * part + at_zero * rest) / (chord + (at_zero + at_end - 2.0 * chord) * rest);
    (variance * along).sqrt()
}

/// The inverse of the error function on 0..1, to about two in a thousand: a starting point.
///
/// S. Winitzki, *A handy approximation for the error function and its inverse* (2008); its series near zero.
fn inverse_erf(y: f64) -> f64 {
    if y < 0.4 {
        let z = std::f64::consts::PI * y * y;
        return 0.886_226_925_452_758 * y * (1.0 + z * (1.0 / 12.0 + z * (7.0 / 480.0 + z * (127.0 / 40_320.0))));
    }
    let log = libm::log((1.0 - y) * (1.0 + y));
    let half = 4.330_746_750_799_873 + 0.5 * log;
    ((half * half - log / 0.147).sqrt() - half).sqrt()
}
