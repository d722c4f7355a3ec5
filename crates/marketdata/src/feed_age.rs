//! How fresh a feed or an underlying is: the newest event that says something of now.

use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_safety::freshness::{self, Freshness};

/// The newest event taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedAge {
    newest: Option<Seen>,
    from_the_future: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    received: UnixNanos,
    stamped: UnixNanos,
}

impl FeedAge {
    /// Takes note of an event stamped `stamped` and taken in at `received`. One that lies further ahead of venue time
    /// than a second is counted and refreshes nothing.
    pub(crate) fn on_event(&mut self, received: UnixNanos, stamped: UnixNanos) {
        if freshness::age(received, received, stamped).is_none() {
            self.from_the_future = self.from_the_future.saturating_add(1);
            return;
        }
        let stamped = self.newest.map_or(stamped, |newest| newest.stamped.max(stamped));
        self.newest = Some(Seen { received, stamped });
    }

    /// Events that lay too far ahead.
    pub const fn from_the_future(&self) -> u64 {
        self.from_the_future
    }

    /// Exchange time of the newest event.
    pub fn last(&self) -> Option<UnixNanos> {
        self.newest.map(|seen| seen.stamped)
    }

    /// How fresh it is at `now` against `limit`.
    pub fn freshness(&self, now: UnixNanos, limit: Span) -> Freshness {
        match self.newest {
            None => Freshness::Missing,
            Some(seen) => match freshness::age(now, seen.received, seen.stamped) {
                Some(age) => Freshness::Age { age, limit },
                None => Freshness::Unknown { limit },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> UnixNanos {
        UnixNanos::from_seconds(seconds)
    }

    #[test]
    fn old_data_repeated_does_not_pass_for_fresh() {
        let limit = Span::from_seconds(30);
        let mut age = FeedAge::default();
        assert_eq!(age.freshness(at(0), limit), Freshness::Missing);
        age.on_event(at(100), at(100));
        age.on_event(at(150), at(100));
        assert!(!age.freshness(at(150), limit).is_fresh());
        age.on_event(at(151), at(151));
        assert!(age.freshness(at(181), limit).is_fresh());
        assert!(!age.freshness(at(182), limit).is_fresh());
    }

    #[test]
    fn an_event_from_the_future_refreshes_nothing() {
        let mut age = FeedAge::default();
        age.on_event(at(100), at(200));
        assert_eq!((age.freshness(at(100), Span::ZERO), age.from_the_future()), (Freshness::Missing, 1));
    }

    #[test]
    fn a_clock_set_back_makes_everything_unknown_until_time_has_passed() {
        let limit = Span::from_seconds(30);
        let mut age = FeedAge::default();
        age.on_event(at(100), at(100));
        assert_eq!(age.freshness(at(90), limit), Freshness::Unknown { limit });
        assert!(age.freshness(at(100), limit).is_fresh());
    }
}
