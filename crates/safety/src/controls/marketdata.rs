//! The market's state: MARKETDATA_MISSING, MARKETDATA_STALE, MARKET_CLOSED.

use crate::answer::Answer;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixture::World;
    use agenttrader_core::reason::Reason;
    use agenttrader_core::time::Span;

    fn aged(age: Span) -> Freshness {
        Freshness::Age { age, limit: Span::from_seconds(30) }
    }

    #[test]
    fn a_feed_or_an_underlying_that_never_spoke_is_missing_and_not_stale_besides() {
        World::shares().with(|seen| seen.market.feed = Freshness::Missing).refused_for(Reason::MarketdataMissing);
        let dead = World::call().with(|seen| seen.market.underlying = Freshness::Missing);
        dead.refused_for(Reason::MarketdataMissing);
        assert_eq!(dead.answer(Reason::MarketdataStale), Answer::Unknown);
    }

    #[test]
    fn the_limit_itself_is_fresh_and_a_nanosecond_more_is_stale() {
        let limit = Span::from_seconds(30);
        let over = aged(Span::from_nanos(limit.nanos() + 1));
        World::shares().with(|seen| seen.market.feed = aged(limit)).passes();
        World::shares().with(|seen| seen.market.feed = over).refused_for(Reason::MarketdataStale);
        World::shares().with(|seen| seen.market.underlying = over).refused_for(Reason::MarketdataStale);
    }

    #[test]
    fn what_says_nothing_of_now_and_what_is_delayed_is_stale() {
        let unknown = Freshness::Unknown { limit: Span::from_seconds(30) };
        World::shares().with(|seen| seen.market.feed = unknown).unknown(Reason::MarketdataStale);
        World::shares().with(|seen| seen.market.underlying = unknown).unknown(Reason::MarketdataStale);
        World::shares().with(|seen| seen.market.delayed = true).refused_for(Reason::MarketdataStale);
    }

    #[test]
    fn nothing_trades_while_the_market_is_closed() {
        World::shares().with(|seen| seen.market.open = false).refused_for(Reason::MarketClosed);
    }
}
