//! How long to wait before the next try.

use std::time::Duration;

/// Doubling waits with equal jitter: half of each is fixed, half is drawn, so that clients cut off together do not come
/// back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl BackOff {
    /// Alpaca's own client: from one second, doubling to thirty.
    pub const STREAM: Self = Self::new(Duration::from_secs(1), Duration::from_secs(30));

    /// From `first`, doubling to `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// The next wait, from half to all of the current step. `draw` is any random number.
    pub fn wait(&mut self, draw: u64) -> Duration {
        let step = self.next.min(self.longest);
        self.next = step.saturating_mul(2).min(self.longest);
        let half = u64::try_from(step.as_micros() / 2).unwrap_or(u64::MAX);
        let drawn = draw.checked_rem(half.saturating_add(1)).unwrap_or(0);
        Duration::from_micros(half.saturating_add(drawn))
    }

    /// Begins anew. Only after real data: a server that greets and hangs up must not be hammered.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn waits_lie_between_half_and_all_of_a_doubling_step(draws in proptest::collection::vec(any::<u64>(), 0..12)) {
            let mut back_off = BackOff::STREAM;
            let mut step = Duration::from_secs(1);
            for draw in draws {
                let wait = back_off.wait(draw);
                prop_assert!(step / 2 <= wait && wait <= step, "{wait:?} for {step:?}");
                step = (step * 2).min(Duration::from_secs(30));
            }
            back_off.reset();
            prop_assert!(back_off.wait(u64::MAX) <= Duration::from_secs(1));
        }
    }
}
