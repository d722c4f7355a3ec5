//! The proposal itself: PROPOSAL_EXPIRED, PROPOSAL_DUPLICATE, ORDER_DUPLICATE.

use crate::asked::Asked;
use crate::facts::Answer;
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
