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
    let promised = working.iter().map(|other| same_way(&other.legs, leg, other.remaining.get())).fold(0, i128::saturating_add);
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

/// Whether the order is a hedge: shares alone, which lower the underlying's |net delta| and do not change its sign, on every path of fills
/// of the working orders. False where a delta is not known.
pub fn is_hedge(order: &Order, seen: &Seen) -> bool {
    let [leg] = order.legs.as_slice() else { return false };
    if leg.tradable.is_option() {
        return false;
    }
    let shares = i128::from(leg.signed_units(order.quantity)).saturating_mul(decimal::SCALE);
    match (Exposure { seen, order: None }).net(order.underlying) {
        Some(Range { low, .. }) if shares < 0 => low.saturating_add(shares) >= 0,
        Some(Range { high, .. }) => high.saturating_add(shares) <= 0,
        None => false,
    }
}
