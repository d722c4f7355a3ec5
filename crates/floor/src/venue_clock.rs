//! Venue time from wall time: shifted by the offset, and scaled by the speed, that the venue's clock gives.

use agenttrader_core::time::{Span, UnixNanos};

/// Further back than this is a step of the venue's clock, not the jitter of asking it. Of a clock that runs faster the jitter
/// is as many times as large.
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

/// A span of wall time in venue time.
fn scaled(wall: Span, speed: f64) -> Span {
    if speed == 1.0 { wall } else { Span::from_nanos((wall.nanos() as f64 * speed) as i64) }
}

impl ClockReading {
    /// Venue time at that wall time, by this reading.
    fn at(&self, wall: UnixNanos) -> UnixNanos {
        self.venue.plus(scaled(wall.since(self.wall), self.speed))
    }
}

/// Tells venue time. Small corrections never set it back; a step back of more than a second is taken and told.
#[derive(Clone, Copy, Debug, Default)]
pub struct VenueClock {
    reading: Option<ClockReading>,
    last: UnixNanos,
}

impl VenueClock {
    /// Takes a reading in, at that wall time, which may be later than the reading's own. Tells how far the clock stepped
    /// back, if it did.
    pub fn take(&mut self, reading: ClockReading, wall: UnixNanos) -> Option<Span> {
        self.reading = Some(reading);
        let now = reading.at(wall);
        let back = self.last.since(now);
        if self.last != UnixNanos::EPOCH && back > scaled(STEP, reading.speed.max(1.0)) {
            self.last = now;
            return Some(Span::from_nanos(back.nanos().saturating_neg()));
        }
        None
    }

    /// Venue time at that wall time; `None` before the first reading. Never less than it told before, except after a step.
    pub fn at(&mut self, wall: UnixNanos) -> Option<UnixNanos> {
        let reading = self.reading?;
        self.last = self.last.max(reading.at(wall));
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
        clock.take(reading(1_000, 5_000, 60.0), UnixNanos::from_seconds(1_000));
        assert_eq!(clock.at(UnixNanos::from_seconds(1_002)), Some(UnixNanos::from_seconds(5_120)));
    }

    #[test]
    fn jitter_never_sets_it_back_and_a_step_does_and_is_told() {
        let mut clock = VenueClock::default();
        clock.take(reading(1_000, 5_000, 1.0), UnixNanos::from_seconds(1_000));
        assert_eq!(clock.at(UnixNanos::from_seconds(1_010)), Some(UnixNanos::from_seconds(5_010)));
        assert_eq!(clock.take(reading(1_010, 5_009, 1.0), UnixNanos::from_seconds(1_010)), None);
        assert_eq!(clock.at(UnixNanos::from_seconds(1_010)), Some(UnixNanos::from_seconds(5_010)));
        let stepped = clock.take(reading(1_011, 4_000, 1.0), UnixNanos::from_seconds(1_011));
        assert_eq!(stepped, Some(Span::from_seconds(-1_010)));
        assert_eq!(clock.at(UnixNanos::from_seconds(1_011)), Some(UnixNanos::from_seconds(4_000)));
    }

    #[test]
    fn a_reading_that_waited_in_the_queue_is_no_step() {
        let mut clock = VenueClock::default();
        clock.take(reading(1_000, 5_000, 60.0), UnixNanos::from_seconds(1_000));
        assert_eq!(clock.at(UnixNanos::from_seconds(1_010)), Some(UnixNanos::from_seconds(5_600)));
        // Taken at 1,005, when the venue's clock had lost half a second of the wall's, and handled five seconds later.
        assert_eq!(clock.take(reading(1_005, 5_270, 60.0), UnixNanos::from_seconds(1_010)), None);
        assert_eq!(clock.at(UnixNanos::from_seconds(1_010)), Some(UnixNanos::from_seconds(5_600)));
    }
}
