//! SELF_TRADE: the order could cross one of our own. At least as strict as Alpaca's matrix of wash trades: opposite sides of one instrument are
//! refused if either is a market order, and of two limits if the buy is at or above the sell.

use crate::asked::Asked;
use crate::facts::Answer;
use crate::seen::WorkingOrder;
use agenttrader_core::order::{Order, OrderType, Side};

/// SELF_TRADE.
pub(crate) fn self_trade(asked: &Asked<'_>) -> Answer {
    Answer::of(asked.seen.account.working.iter().any(|working| could_cross(asked.order, working)))
}

fn could_cross(order: &Order, working: &WorkingOrder) -> bool {
    let opposed = order.legs.iter().find(|leg| {
        working.legs.iter().any(|other| other.tradable == leg.tradable && other.side == leg.side.opposite())
    });
    let Some(leg) = opposed else { return false };
    // The price of a leg among several is not known: it could be any.
    if order.is_multi_leg() || working.legs.len() > 1 {
        return true;
    }
    match (order.order_type, working.order_type) {
        (OrderType::Market, _) | (_, OrderType::Market) => true,
        (OrderType::Limit(ours), OrderType::Limit(theirs)) => match leg.side {
            Side::Buy => ours >= theirs,
            Side::Sell => theirs >= ours,
        },
    }
}
