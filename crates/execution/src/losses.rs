//! The two limits on losses: of a day, and from the highest equity seen.

use agenttrader_core::money::Money;
use agenttrader_core::reason::Reason;
use agenttrader_safety::limits::Limits;
use agenttrader_safety::seen::Tripped;

/// Watches equity. Two consecutive good readings must agree before anything moves: one bad mark is a bad print, not a loss, and no
/// gain either.
#[derive(Clone, Copy, Debug)]
pub struct Losses {
    day_start: Money,
    high_water: Money,
    last_good: Option<Money>,
    tripped: Tripped,
}

/// A limit that has just tripped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trip {
    /// Which.
    pub limit: Reason,
    /// Largest loss allowed, dollars.
    pub bound: Money,
    /// The loss of the second reading, dollars.
    pub measured: Money,
}

impl Losses {
    /// Of an account that starts with `equity`.
    pub const fn new(equity: Money) -> Self {
        Self {
            day_start: equity,
            high_water: equity,
            last_good: None,
            tripped: Tripped { daily_loss: false, drawdown: false },
        }
    }

    /// Begins a new day. What has tripped stays so.
    pub const fn new_day(&mut self, equity: Money) {
        self.day_start = equity;
        self.last_good = None;
    }

    /// Takes a good reading in: one for which every mark was fresh. Returns what it trips. A reading that is not good is not given
    /// here: it trips nothing and releases nothing.
    pub fn on_good_reading(&mut self, equity: Money, limits: &Limits) -> [Option<Trip>; 2] {
        let previous = self.last_good.replace(equity);
        let Some(previous) = previous else { return [None, None] };
        self.high_water = self.high_water.max(previous.min(equity));
        let both = previous.max(equity);
        let daily = over(Reason::DailyLoss, self.day_start, both, equity, limits.daily_loss_bp);
        let drawdown = over(Reason::Drawdown, self.high_water, both, equity, limits.drawdown_bp);
        [
            daily.filter(|_| !std::mem::replace(&mut self.tripped.daily_loss, true)),
            drawdown.filter(|_| !std::mem::replace(&mut self.tripped.drawdown, true)),
        ]
    }

    /// Equity when the day began.
    pub const fn day_start(&self) -> Money {
        self.day_start
    }

    /// Highest equity that two consecutive good readings reached.
    pub const fn high_water(&self) -> Money {
        self.high_water
    }

    /// What has tripped.
    pub const fn tripped(&self) -> Tripped {
        self.tripped
    }
}

/// The trip of a limit if even the better of two readings lies below `from` by more than its part of it.
fn over(limit: Reason, from: Money, better: Money, equity: Money, basis_points: u32) -> Option<Trip> {
    let bound = from.basis_points(basis_points);
    (from.minus(better) > bound).then(|| Trip { limit, bound, measured: from.minus(equity) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::risk::Risk;

    fn check(readings: &[i64], trips: &[(usize, Reason)]) -> Losses {
        let limits = Risk::parse(include_str!("../../../configs/risk.toml"), 900).unwrap().limits;
        let mut losses = Losses::new(Money::from_dollars(1_000_000));
        let mut seen = Vec::new();
        for (index, equity) in readings.iter().enumerate() {
            let tripped = losses.on_good_reading(Money::from_dollars(*equity), &limits);
            seen.extend(tripped.into_iter().flatten().map(|trip| (index, trip.limit)));
        }
        assert_eq!(seen, trips, "{readings:?}");
        losses
    }

    #[test]
    fn a_loss_trips_at_the_second_of_two_consecutive_readings_once() {
        check(&[979_999, 979_998, 979_999], &[(1, Reason::DailyLoss)]);
        check(&[979_999, 980_001, 979_999, 980_000, 979_999], &[]);
        check(&[980_000, 980_000, 980_000], &[]);
    }

    #[test]
    fn a_drawdown_is_measured_from_a_height_two_readings_reached() {
        let losses = check(&[1_100_000, 1_000_000, 1_000_000], &[]);
        assert_eq!(losses.high_water(), Money::from_dollars(1_000_000), "one good print is no height");
        check(&[1_100_000, 1_100_000, 1_045_000, 1_045_000, 1_044_999, 1_044_999], &[(5, Reason::Drawdown)]);
    }

    #[test]
    fn what_has_tripped_stays_so_over_a_recovery_and_a_new_day() {
        let mut losses = check(&[970_000, 970_000, 1_000_000, 1_000_000], &[(1, Reason::DailyLoss)]);
        losses.new_day(Money::from_dollars(1_000_000));
        assert!(losses.tripped().daily_loss && !losses.tripped().drawdown);
    }
}
