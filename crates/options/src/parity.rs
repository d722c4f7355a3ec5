//! The forward price that calls and puts agree on: call less put is the discounted difference of forward and strike.
//!
//! H. R. Stoll, *The relationship between put and call option prices*, Journal of Finance 24 (1969).

/// Call and put of one strike and expiry, both with a two-sided quote.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The strike in dollars.
    pub strike: f64,
    /// The call's mid price in dollars.
    pub call: f64,
    /// The put's mid price in dollars.
    pub put: f64,
}

/// A forward price and the strike it was read from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImpliedForward {
    /// The strike whose call and put were nearest to each other.
    pub strike: f64,
    /// The forward price in dollars.
    pub forward: f64,
}

impl Pair {
    /// The forward price in dollars that this pair implies under a discount factor.
    #[must_use]
    pub fn forward(&self, discount: f64) -> f64 {
        self.strike + (self.call - self.put) / discount
    }

    fn is_finite(&self) -> bool {
        self.strike.is_finite() && self.call.is_finite() && self.put.is_finite()
    }
}

/// One expiry's forward: the median over the three pairs whose strikes are nearest to `spot`, which one wild quote cannot
/// move. With two pairs it is their mean, with one that pair's; of two strikes equally near, the one that comes first in
/// `pairs` counts as nearer. `None` without a pair.
#[must_use]
pub fn forward(pairs: &[Pair], spot: f64, discount: f64) -> Option<f64> {
    let mut nearest: [Option<Pair>; 3] = [None; 3];
    for pair in pairs.iter().filter(|pair| pair.is_finite()) {
        let mut moving = Some(*pair);
        for slot in &mut nearest {
            let closer = match (&moving, &*slot) {
                (Some(new), Some(old)) => (new.strike - spot).abs() < (old.strike - spot).abs(),
                (Some(_), None) => true,
                (None, _) => false,
            };
            if closer {
                std::mem::swap(slot, &mut moving);
            }
        }
    }
    match nearest.map(|pair| pair.map(|pair| pair.forward(discount))) {
        [Some(a), Some(b), Some(c)] => Some(a.min(b).max(a.max(b).min(c))),
        [Some(a), Some(b), None] => Some(0.5 * (a + b)),
        [first, ..] => first,
    }
}

/// The forward of an underlying that has no price of its own: read at the strike where call and put differ least, which
/// is where both are liquid and the discount matters least. The first in `pairs` wins a tie. `None` without a pair.
#[must_use]
pub fn implied_forward(pairs: &[Pair], discount: f64) -> Option<ImpliedForward> {
    let mut best: Option<&Pair> = None;
    for pair in pairs.iter().filter(|pair| pair.is_finite()) {
        if best.is_none_or(|best| (pair.call - pair.put).abs() < (best.call - best.put).abs()) {
            best = Some(pair);
        }
    }
    best.map(|pair| ImpliedForward { strike: pair.strike, forward: pair.forward(discount) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(strike: f64, forward: f64, discount: f64) -> Pair {
        let put = 5.0;
        Pair { strike, call: put + discount * (forward - strike), put }
    }

    #[test]
    fn one_wild_pair_of_three_does_not_move_the_forward() {
        let pairs =
            [pair(99.0, 100.4, 0.99), pair(100.0, 170.0, 0.99), pair(101.0, 100.5, 0.99), pair(150.0, 1.0, 0.99)];
        assert!((forward(&pairs, 100.0, 0.99).unwrap() - 100.5).abs() < 1e-12);
    }

    #[test]
    fn only_the_three_nearest_strikes_count() {
        let pairs = [
            pair(90.0, 1.0, 1.0),
            pair(110.0, 2.0, 1.0),
            pair(100.0, 100.0, 1.0),
            pair(101.0, 101.0, 1.0),
            pair(99.0, 99.0, 1.0),
        ];
        assert!((forward(&pairs, 100.0, 1.0).unwrap() - 100.0).abs() < 1e-12);
    }

    #[test]
    fn fewer_than_three_pairs_still_answer_and_none_does_not() {
        let two = [pair(99.0, 100.0, 1.0), pair(100.0, 102.0, 1.0)];
        assert!((forward(&two, 100.0, 1.0).unwrap() - 101.0).abs() < 1e-12);
        assert!((forward(&two[..1], 100.0, 1.0).unwrap() - 100.0).abs() < 1e-12);
        assert_eq!(forward(&[], 100.0, 1.0), None);
        assert_eq!(forward(&[Pair { strike: 1.0, call: f64::NAN, put: 1.0 }], 100.0, 1.0), None);
    }

    #[test]
    fn an_index_without_a_feed_takes_the_strike_of_least_difference() {
        let pairs =
            [pair(95.0, 101.0, 0.98), pair(100.0, 101.0, 0.98), pair(102.0, 101.5, 0.98), pair(105.0, 101.0, 0.98)];
        let found = implied_forward(&pairs, 0.98).unwrap();
        assert_eq!(found.strike, 102.0);
        assert!((found.forward - 101.5).abs() < 1e-12);
        assert_eq!(implied_forward(&[], 1.0), None);
    }
}
