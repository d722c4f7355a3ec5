//! What an order does to what is held: reduces it, hedges it, or neither.

use crate::exposure::{Exposure, Range};
use crate::seen::{Holding, Seen, WorkingOrder};
use agenttrader_core::decimal;
use agenttrader_core::order::{Order, OrderLeg, Tradable};

/// Whether the order reduces: in each instrument it trades, on every path of fills of this and all working orders, each of its fills makes the
/// position smaller and never changes its sign. What works the same way comes off the position first; what works the other way only makes it
/// larger and does not count.
pub fn is_reducing(order: &Order, holdings: &[Holding], working: &[WorkingOrder]) -> bool {
    !order.legs.is_empty() && order.legs.iter().all(|leg| leg_reduces(leg, order, holdings, working))
}

fn leg_reduces(leg: &OrderLeg, order: &Order, holdings: &[Holding], working: &[WorkingOrder]) -> bool {
    let sign = i128::from(leg.side.sign());
    let held: i128 = held(leg.tradable, holdings);
    let promised =
        working.iter().map(|other| same_way(&other.legs, leg, other.remaining.get())).fold(0, i128::saturating_add);
    let asked = same_way(&order.legs, leg, order.quantity.get());
    // A buy reduces a short: the position, counted against the leg's side, must cover all of it.
    held.saturating_mul(sign).saturating_neg() >= promised.saturating_add(asked)
}

/// Units that some legs trade of a leg's instrument on its side.
fn same_way(legs: &[OrderLeg], as_leg: &OrderLeg, quantity: i64) -> i128 {
    let same = legs.iter().filter(|leg| leg.tradable == as_leg.tradable && leg.side == as_leg.side);
    same.map(|leg| i128::from(leg.ratio.get()).saturating_mul(i128::from(quantity))).fold(0, i128::saturating_add)
}

/// Signed units held of one instrument.
fn held(tradable: Tradable, holdings: &[Holding]) -> i128 {
    let same = holdings.iter().filter(|holding| holding.tradable == tradable);
    same.map(|holding| i128::from(holding.quantity)).fold(0, i128::saturating_add)
}

/// Whether the order is a hedge: shares alone, which lower the underlying's |net delta| of what the proposing strategy itself holds and do not
/// change its sign, on every path of fills of its working orders. False where a delta is not known.
///
/// The strategy's own, not the account's: a straddle's hedge stays one while another strategy leans the other way, and buying into what another
/// holds is none.
pub fn is_hedge(order: &Order, seen: &Seen) -> bool {
    let [leg] = order.legs.as_slice() else { return false };
    if leg.tradable.is_option() {
        return false;
    }
    let shares = i128::from(leg.signed_units(order.quantity)).saturating_mul(decimal::SCALE);
    match (Exposure { seen, order: None }).net_of_strategy(order.underlying) {
        Some(Range { low, .. }) if shares < 0 => low.saturating_add(shares) >= 0,
        Some(Range { high, .. }) => high.saturating_add(shares) <= 0,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixture::{World, contract, price, spy, symbol};
    use agenttrader_core::instrument::Right;
    use agenttrader_core::order::{OrderType, Side};
    use proptest::prelude::*;

    fn reduces(world: &World) -> bool {
        let account = &world.seen.account;
        is_reducing(&world.proposal.order().unwrap(), &account.holdings, &account.working)
    }

    fn hedges(world: &World) -> bool {
        is_hedge(&world.proposal.order().unwrap(), &world.seen)
    }

    fn limit() -> OrderType {
        OrderType::Limit(price("500"))
    }

    #[test]
    fn a_position_shrinks_to_nothing_and_never_past_it() {
        let selling = World::shares().selling();
        assert!(reduces(&selling.clone().holding(spy(), 100)));
        assert!(!reduces(&selling.clone().holding(spy(), 99)));
        assert!(!reduces(&selling));
        assert!(!reduces(&World::shares().holding(spy(), 100)));
        assert!(reduces(&World::shares().holding(spy(), -100)));
        assert!(!reduces(&World::shares().holding(spy(), -99)));
        assert!(!reduces(&World::shares().holding(Tradable::Equity { symbol: symbol("QQQ") }, -100)));
    }

    #[test]
    fn two_closes_at_work_must_fit_the_position_together() {
        let world = |held| World::shares().selling().holding(spy(), held).working(&[(spy(), Side::Sell)], 50, limit());
        assert!(reduces(&world(150)) && !reduces(&world(149)));
        // An order that may enlarge the position does not make it shrink less.
        let growing = World::shares().selling().holding(spy(), 100).working(&[(spy(), Side::Buy)], 50, limit());
        assert!(reduces(&growing));
        // Nor does it make room before it fills.
        let hoping = World::shares().selling().holding(spy(), 60).working(&[(spy(), Side::Buy)], 50, limit());
        assert!(!reduces(&hoping));
    }

    #[test]
    fn every_leg_must_reduce() {
        let (call, put) = (contract(Right::Call), contract(Right::Put));
        let closing = World::straddle().selling().of(2);
        assert!(reduces(&closing.clone().holding(call, 2).holding(put, 2)));
        assert!(!reduces(&closing.clone().holding(call, 2).holding(put, 1)));
        assert!(!reduces(&closing.clone().holding(call, 2)));
        let half_promised = closing.holding(call, 2).holding(put, 2).working(&[(put, Side::Sell)], 1, limit());
        assert!(!reduces(&half_promised));
    }

    #[test]
    fn a_hedge_lowers_the_net_and_does_not_flip_it() {
        let call = contract(Right::Call);
        let selling = World::shares().selling();
        assert!(hedges(&selling.clone().holding(call, 2)));
        assert!(!hedges(&selling.clone().holding(call, 1)));
        assert!(!hedges(&selling));
        assert!(!hedges(&World::shares().holding(call, 5)));
        assert!(hedges(&World::shares().holding(contract(Right::Put), 2)));
        assert!(!hedges(&World::call().holding(contract(Right::Put), 5)));
        let mut unknown = selling.holding(call, 5);
        unknown.instrument(call).delta = None;
        assert!(!hedges(&unknown));
    }

    #[test]
    fn a_hedge_hedges_what_its_own_strategy_holds() {
        let (call, put) = (contract(Right::Call), contract(Right::Put));
        let selling = World::shares().selling();
        // Another strategy leans the other way: for the account the sale adds to the net, for the strategy it is its hedge.
        assert!(hedges(&selling.clone().holding(call, 2).held_by_another(put, 9)));
        // And what another holds is not there to be hedged.
        assert!(!hedges(&selling.clone().held_by_another(call, 9)));
        assert!(!hedges(&selling.clone().holding(put, 1).held_by_another(call, 9)));
        let others = [(spy(), Side::Sell)];
        assert!(hedges(&selling.holding(call, 2).working_for("whale", &others, 300, limit())));
    }

    #[test]
    fn a_hedge_counts_what_works() {
        let call = contract(Right::Call);
        let world = |side| World::shares().selling().holding(call, 3).working(&[(spy(), side)], 50, limit());
        assert!(hedges(&world(Side::Sell)) && hedges(&world(Side::Buy)));
        let more = World::shares().selling().holding(call, 3).working(&[(spy(), Side::Sell)], 51, limit());
        assert!(!hedges(&more));
    }

    proptest! {
        /// Against every path of fills, tried one by one.
        #[test]
        fn reducing_means_that_no_path_of_fills_grows_or_flips(
            held in -6_i64..7,
            buy in any::<bool>(),
            count in 1_i64..4,
            others in proptest::collection::vec((any::<bool>(), 1_i64..4), 0..3),
        ) {
            let mut world = World::shares().of(count).holding(spy(), held);
            if !buy { world = world.selling(); }
            for (buys, units) in &others {
                let side = if *buys { Side::Buy } else { Side::Sell };
                world = world.working(&[(spy(), side)], *units, limit());
            }
            let sign = if buy { 1 } else { -1 };
            let mut all_paths = true;
            // Each working order is filled before ours, after ours, or not at all.
            for path in 0..3_usize.pow(others.len() as u32) {
                let mut before = held;
                let mut after = 0;
                for (index, (buys, units)) in others.iter().enumerate() {
                    let signed = if *buys { *units } else { -*units };
                    match path / 3_usize.pow(index as u32) % 3 {
                        0 => before += signed,
                        // What works the other way may grow the position; that is not our doing.
                        1 if signed.signum() == sign => after += signed,
                        _ => {}
                    }
                }
                let at = before + sign * count;
                let shrinks = before * sign < 0 && at * sign <= 0 && (at + after) * sign <= 0;
                all_paths &= shrinks;
            }
            prop_assert_eq!(reduces(&world), all_paths);
        }
    }
}
