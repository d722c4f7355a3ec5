//! Venue time from wall time: shifted by the offset, and scaled by the speed, that the venue's clock gives.

use agenttrader_core::time::{Span, UnixNanos};

/// Further back than this is a step of the venue's clock, not the jitter of asking it.
const STEP: Span = Span::from_seconds(1);

/// One reading of the venue's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockReading {
    /// Wall time of the reading.
    pub wall: UnixNanos,
    /// What the venue's clock said.
    pub venue: UnixNanos,
    /// Venue seconds that pass in a wall second.
    pub speed: f64,
}

/// Tells venue time. Small corrections never set it back; a step back of more than a second is taken and told.
#[derive(Clone, Copy, Debug, Default)]
pub struct VenueClock {
    reading: Option<ClockReading>,
    last: UnixNanos,
}

impl VenueClock {
    /// Takes a reading in. Tells how far the clock stepped back, if it did.
    pub fn take(&mut self, reading: ClockReading) -> Option<Span> {
        self.reading = Some(reading);
        let back = self.last.since(reading.venue);
        if self.last != UnixNanos::EPOCH && back > STEP {
            self.last = reading.venue;
            return Some(Span::from_nanos(back.nanos().saturating_neg()));
        }
        None
    }

    /// Venue time at that wall time; `None` before the first reading. Never less than it told before, except after a step.
    pub fn at(&mut self, wall: UnixNanos) -> Option<UnixNanos> {
        let reading = self.reading?;
        let passed = wall.since(reading.wall).nanos();
        let scaled = if reading.speed == 1.0 { passed } else { (passed as f64 * reading.speed) as i64 };
        self.last = self.last.max(reading.venue.plus(Span::from_nanos(scaled)));
        Some(self.last)
    }

    /// Venue seconds that pass in a wall second; 1 before the first reading.
    pub fn speed(&self) -> f64 {
        self.reading.map_or(1.0, |reading| reading.speed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(wall: i64, venue: i64, speed: f64) -> ClockReading {
        ClockReading { wall: UnixNanos::from_seconds(wall), venue: UnixNanos::from_seconds(venue), speed }
    }

    #[test]
    fn time_is_shifted_and_scaled() {
        let mut clock = VenueClock::default();
        assert_eq!(clock.at(UnixNanos::from_seconds(1)), None);
        clock.take(reading(1_000, 5_000, 60.0));
        assert_eq!(clock.at(UnixNanos::from_seconds(1_002)), Some(UnixNanos::from_seconds(5_120)));
    }

    #[test]
    fn jitter_never_sets_it_back_and_a_step_does_and_is_told() {
        let mut clock = VenueClock::default();
        clock.take(reading(1_000, 5_000, 1.0));
        assert_eq!(clock.at(UnixNanos::from_seconds(1_010)), Some(UnixNanos::from_seconds(5_010)));
        assert_eq!(clock.take(reading(1_010, 5_009, 1.0)), None);
        assert_eq!(clock.at(UnixNanos::from_seconds(1_010)), Some(UnixNanos::from_seconds(5_010)));
        assert_eq!(clock.take(reading(1_011, 4_000, 1.0)), Some(Span::from_seconds(-1_010)));
        assert_eq!(clock.at(UnixNanos::from_seconds(1_011)), Some(UnixNanos::from_seconds(4_000)));
    }
}
