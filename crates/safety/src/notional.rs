//! What an order is worth: the number its limits, the day's count and buying power are about.

use crate::seen::Seen;
use agenttrader_core::money::Money;
use agenttrader_core::order::Order;

/// The order's notional in dollars: its limit, or for a market order the far side plus the collar's band, times quantity and multiplier; of
/// several legs the net's size. `None` where the far side is not known.
pub fn order_notional(order: &Order, seen: &Seen) -> Option<Money> {
    let _ = (order, seen);
    None
}
