//! The venue's clock: the only place here that reads the machine's.

use agenttrader_core::time::{Span, UnixNanos};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The machine's wall time.
pub fn wall_now() -> UnixNanos {
    #[expect(
        clippy::disallowed_methods,
        reason = "the simulator's own clock; everything else takes the time from here"
    )]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixNanos::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Venue time: wall time moved by an offset and scaled by a speed. It runs evenly even when the machine's clock is set.
#[derive(Clone, Copy, Debug)]
pub struct VenueClock {
    began: Instant,
    venue: UnixNanos,
    speed: f64,
}

impl VenueClock {
    /// A clock that shows `venue` now and runs `speed` times as fast as the machine's.
    pub fn starting_at(venue: UnixNanos, speed: f64) -> Self {
        Self { began: Instant::now(), venue, speed }
    }

    /// Venue time now.
    pub fn now(&self) -> UnixNanos {
        self.venue.plus(scaled(self.began.elapsed().as_nanos() as f64, self.speed))
    }

    /// How many times as fast as wall time it runs.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Shows `venue` from now on.
    pub fn set(&mut self, venue: UnixNanos) {
        *self = Self::starting_at(venue, self.speed);
    }
}

/// That many nanoseconds of wall time as venue time.
fn scaled(nanos: f64, speed: f64) -> Span {
    Span::from_nanos((nanos * speed) as i64)
}

/// The venue time that passes at `speed` in a span of wall time.
pub fn venue_span(wall: Span, speed: f64) -> Span {
    scaled(wall.nanos() as f64, speed)
}
