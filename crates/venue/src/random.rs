//! Random numbers that follow from a seed: xoshiro256++, keyed through SplitMix64.
//!
//! D. Blackman, S. Vigna, *Scrambled linear pseudorandom number generators*, ACM TOMS 47 (2021). Written out here, in forty
//! lines, because what the market of a seed looks like must not change with a library's version.

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

/// SplitMix64: advances `state` and mixes it.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

impl Random {
    /// The stream that seed and key select. Different keys give streams that have nothing to do with one another.
    pub fn keyed(seed: u64, key: &[u64]) -> Self {
        let mut mix = seed;
        for part in key {
            mix = split_mix(&mut mix) ^ *part;
        }
        Self { state: std::array::from_fn(|_| split_mix(&mut mix)) }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let out = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        out
    }

    /// Uniform in 0 to 1, 1 excluded.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform between the two.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform among `0..count`; 0 when there is none.
    pub fn below(&mut self, count: u32) -> u32 {
        ((self.bits() >> 32).wrapping_mul(u64::from(count)) >> 32) as u32
    }

    /// True with that probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of these letters; a blank when there is none.
    pub fn letter(&mut self, letters: &[u8]) -> u8 {
        let at = self.below(letters.len() as u32) as usize;
        letters.get(at).copied().unwrap_or(b' ')
    }

    /// Student's t with four degrees of freedom, scaled to variance one: heavy tails, as returns have them.
    /// R. W. Bailey's polar method (*Mathematics of Computation* 62, 1994), which for four degrees needs roots alone.
    pub fn student(&mut self) -> f64 {
        loop {
            let (u, v) = (self.between(-1.0, 1.0), self.between(-1.0, 1.0));
            let w = u * u + v * v;
            if w > 1e-12 && w <= 1.0 {
                // sqrt(4 (1/sqrt(w) - 1) / w), over the standard deviation sqrt(2).
                return u * (2.0 * (1.0 / w.sqrt() - 1.0) / w).sqrt();
            }
        }
    }

    /// Standard normal, by Marsaglia's polar method.
    pub fn normal(&mut self) -> f64 {
        loop {
            let (u, v) = (self.between(-1.0, 1.0), self.between(-1.0, 1.0));
            let w = u * u + v * v;
            if w > 1e-12 && w <= 1.0 {
                return u * (-2.0 * libm::log(w) / w).sqrt();
            }
        }
    }

    /// Exponential with that mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut random = Random::keyed(7, &[1, 2]);
        let count = 200_000;
        let moments = |draws: Vec<f64>| {
            let mean = draws.iter().sum::<f64>() / draws.len() as f64;
            (mean, draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / draws.len() as f64)
        };
        let (mean, variance) = moments((0..count).map(|_| random.unit()).collect());
        assert!((mean - 0.5).abs() < 0.003 && (variance - 1.0 / 12.0).abs() < 0.002);
        let (mean, variance) = moments((0..count).map(|_| random.normal()).collect());
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02);
        let draws: Vec<f64> = (0..count).map(|_| random.student()).collect();
        let beyond_five = draws.iter().filter(|x| x.abs() > 5.0).count();
        let (mean, variance) = moments(draws);
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.2, "{mean} {variance}");
        assert!(beyond_five > 100, "a normal has none: {beyond_five}");
        let (mean, _) = moments((0..count).map(|_| random.exponential(3.0)).collect());
        assert!((mean - 3.0).abs() < 0.05);
    }

    #[test]
    fn keys_select_different_streams_and_the_same_key_the_same() {
        let draw = |seed, key: &[u64]| Random::keyed(seed, key).bits();
        assert_eq!(draw(1, &[1]), draw(1, &[1]));
        assert_ne!(draw(1, &[1]), draw(1, &[2]));
        assert_ne!(draw(1, &[1]), draw(2, &[1]));
        assert_ne!(draw(1, &[1, 2]), draw(1, &[2, 1]));
    }
}
