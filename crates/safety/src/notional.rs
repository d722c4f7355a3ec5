//! What an order is worth: the number its limits, the day's count and buying power are about.

use crate::class::Class;
use crate::limits::AssetLimits;
use crate::quotes;
use crate::seen::Seen;
use agenttrader_core::instrument::CONTRACT_MULTIPLIER;
use agenttrader_core::money::Money;
use agenttrader_core::order::{Order, OrderType};
use agenttrader_core::price::Price;

/// The order's notional in dollars: its limit, or for a market order the far side plus the collar's band, times quantity and multiplier; of
/// several legs the net's size. `None` where the far side or the band is not known.
pub fn order_notional(order: &Order, seen: &Seen) -> Option<Money> {
    let price = match order.order_type {
        OrderType::Limit(limit) => limit,
        OrderType::Market => {
            let far = quotes::far_side(order, seen)?;
            far.checked_add(band(far, Class::of_order(order, &seen.limits).limits?))?
        }
    };
    let multiplier = if order.has_options() { CONTRACT_MULTIPLIER } else { 1 };
    Some(price.notional(order.quantity.get(), multiplier).abs())
}

/// Half-width of the collar around a reference.
pub(crate) fn band(reference: Price, limits: &AssetLimits) -> Price {
    reference.abs().basis_points(limits.collar_bp).max(limits.collar_usd)
}
