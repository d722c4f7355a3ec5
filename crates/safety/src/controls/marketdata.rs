//! The market's state: MARKETDATA_MISSING, MARKETDATA_STALE, MARKET_CLOSED.

use crate::facts::Answer;
use crate::freshness::Freshness;
use crate::seen::Market;

/// MARKETDATA_MISSING: nothing has come yet, on the feed or of the underlying.
pub(crate) fn missing(market: &Market) -> Answer {
    Answer::of([market.feed, market.underlying].contains(&Freshness::Missing))
}

/// MARKETDATA_STALE: the feed or the underlying is older than its limit, or the feed declares a delay.
pub(crate) fn stale(market: &Market) -> Answer {
    Answer::of(market.delayed).or(too_old(market.feed)).or(too_old(market.underlying))
}

fn too_old(freshness: Freshness) -> Answer {
    match freshness {
        Freshness::Age { age, limit } => Answer::of(age > limit),
        Freshness::Missing | Freshness::Unknown { .. } => Answer::Unknown,
    }
}

/// MARKET_CLOSED.
pub(crate) fn closed(market: &Market) -> Answer {
    Answer::of(!market.open)
}
