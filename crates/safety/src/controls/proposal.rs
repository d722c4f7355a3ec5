//! The proposal itself: PROPOSAL_EXPIRED, PROPOSAL_DUPLICATE, ORDER_DUPLICATE.

use crate::answer::Answer;
use crate::asked::Asked;
use crate::freshness::AHEAD_MAX;
use crate::measure::at_most;
use crate::seen::{OrderLikeness, Seen};
use agenttrader_core::decision::LimitMeasure;
use agenttrader_core::proposal::Proposal;
use agenttrader_core::reason::Reason;

/// PROPOSAL_EXPIRED. Of one made in the future it cannot be known: its validity would not be counted from now.
pub(crate) fn expired(proposal: &Proposal, seen: &Seen) -> Answer {
    let late = seen.at >= proposal.constraints.valid_until_utc;
    let from_the_future = proposal.created_at_utc > seen.at.plus(AHEAD_MAX);
    Answer::of(late).or(if from_the_future { Answer::Unknown } else { Answer::DoesNotHold })
}

/// PROPOSAL_DUPLICATE.
pub(crate) fn duplicate(seen: &Seen) -> Answer {
    Answer::of(seen.judged_before)
}

/// ORDER_DUPLICATE: how many like orders were taken within the window.
pub(crate) fn order_duplicate(asked: Option<&Asked<'_>>) -> LimitMeasure {
    let like = asked.map(|asked| {
        let likeness = OrderLikeness::of(asked.order);
        asked.seen.account.counters.recent_orders.iter().filter(|recent| **recent == likeness).count()
    });
    at_most(Reason::OrderDuplicate, "like orders in the window", Some(0), like)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixture::{World, now, quantity, symbol};
    use agenttrader_core::time::{Span, UnixNanos};

    #[test]
    fn it_expires_at_the_instant_it_names() {
        let valid_until = now().plus(Span::from_seconds(60));
        let judged_at = |at: UnixNanos| World::shares().with(|seen| seen.at = at);
        judged_at(UnixNanos::from_nanos(valid_until.nanos() - 1)).passes();
        judged_at(valid_until).refused_for(Reason::ProposalExpired);
    }

    #[test]
    fn one_from_the_future_cannot_be_judged() {
        let created = |ahead: Span| {
            World::shares().proposing(|proposal| {
                proposal.created_at_utc = now().plus(ahead);
                proposal.constraints.valid_until_utc = now().plus(Span::from_minutes(10));
            })
        };
        created(AHEAD_MAX).passes();
        created(Span::from_nanos(AHEAD_MAX.nanos() + 1)).unknown(Reason::ProposalExpired);
    }

    #[test]
    fn one_is_judged_once() {
        World::shares().with(|seen| seen.judged_before = true).refused_for(Reason::ProposalDuplicate);
    }

    #[test]
    fn a_malformed_one_has_one_code() {
        let malformed = World::shares().proposing(|proposal| proposal.limit_price = None);
        malformed.refused_for(Reason::ProposalMalformed);
        let far = World::shares().proposing(|proposal| proposal.repo_id.clear());
        far.refused_for(Reason::ProposalMalformed);
    }

    #[test]
    fn the_same_order_twice_in_the_window_is_one_too_many() {
        let likeness = |world: &World| OrderLikeness::of(&world.proposal.order().unwrap());
        let first = World::straddle();
        let after = |recent: &World| {
            let recent = likeness(recent);
            World::straddle().with(|seen| seen.account.counters.recent_orders = vec![recent])
        };
        after(&first).refused_for(Reason::OrderDuplicate);
        let mut turned = World::straddle();
        turned.proposal.legs.reverse();
        turned.proposal.proposal_id = uuid::Uuid::from_u128(99);
        after(&turned).refused_for(Reason::OrderDuplicate);
        for other in
            [World::straddle().of(2), World::straddle().limit("3.99"), World::straddle().selling(), World::call()]
        {
            after(&other).passes();
        }
        let mut other_symbol = World::shares().of(100);
        other_symbol.proposal.symbol = symbol("QQQ");
        assert_ne!(likeness(&other_symbol), likeness(&World::shares()));
        assert_eq!(quantity(100), World::shares().proposal.quantity);
    }
}
