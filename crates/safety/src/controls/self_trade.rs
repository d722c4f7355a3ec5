//! SELF_TRADE: the order could cross one of our own. At least as strict as Alpaca's matrix of wash trades: opposite sides of one instrument are
//! refused if either is a market order, and of two limits if the buy is at or above the sell.

use crate::answer::Answer;
use crate::asked::Asked;
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

#[cfg(test)]
mod tests {
    use crate::answer::Answer;
    use crate::tests::fixture::{World, contract, price, spy, symbol};
    use agenttrader_core::instrument::Right;
    use agenttrader_core::order::{OrderType, Side, Tradable};
    use agenttrader_core::reason::Reason;

    fn limit(text: &str) -> OrderType {
        OrderType::Limit(price(text))
    }

    fn crosses(world: &World) -> bool {
        world.answer(Reason::SelfTrade) == Answer::Holds
    }

    #[test]
    fn every_row_of_the_matrix() {
        for (working, crossing) in
            [(OrderType::Market, true), (limit("500"), true), (limit("499.99"), true), (limit("500.01"), false)]
        {
            assert_eq!(crosses(&World::shares().working(&[(spy(), Side::Sell)], 1, working)), crossing, "{working:?}");
            assert!(crosses(&World::shares().at_market().working(&[(spy(), Side::Sell)], 1, working)));
        }
        for (working, crossing) in
            [(OrderType::Market, true), (limit("500"), true), (limit("500.01"), true), (limit("499.99"), false)]
        {
            assert_eq!(crosses(&World::shares().selling().working(&[(spy(), Side::Buy)], 1, working)), crossing);
            assert!(crosses(&World::shares().selling().at_market().working(&[(spy(), Side::Buy)], 1, working)));
        }
        World::shares().working(&[(spy(), Side::Sell)], 1, limit("500")).refused_for(Reason::SelfTrade);
    }

    #[test]
    fn the_same_side_and_other_instruments_never_cross() {
        let qqq = Tradable::Equity { symbol: symbol("QQQ") };
        assert!(!crosses(&World::shares().working(&[(spy(), Side::Buy)], 1, OrderType::Market)));
        assert!(!crosses(&World::shares().working(&[(qqq, Side::Sell)], 1, OrderType::Market)));
        assert!(!crosses(&World::call().working(&[(contract(Right::Put), Side::Sell)], 1, OrderType::Market)));
    }

    #[test]
    fn a_leg_among_several_could_trade_at_any_price() {
        let (call, put) = (contract(Right::Call), contract(Right::Put));
        let straddle = [(call, Side::Sell), (put, Side::Sell)];
        assert!(crosses(&World::call().limit("0.01").working(&straddle, 1, limit("-9"))));
        assert!(crosses(&World::straddle().limit("0.01").working(&[(put, Side::Sell)], 1, limit("9"))));
        assert!(crosses(&World::straddle().working(&straddle, 1, limit("-9"))));
        assert!(!crosses(&World::straddle().selling().working(&straddle, 1, limit("-9"))));
    }

    #[test]
    fn a_reducing_order_does_not_trade_with_ourselves_either() {
        let closing =
            World::shares().selling().holding(spy(), 100).working(&[(spy(), Side::Buy)], 1, OrderType::Market);
        closing.refused_for(Reason::SelfTrade);
    }
}
