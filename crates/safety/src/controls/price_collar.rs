//! PRICE_COLLAR: the order's price against a reference that is live and old enough not to be our own doing.

use crate::asked::{Asked, Class};
use crate::limits::AssetLimits;
use crate::measure::{at_most, excuse};
use crate::notional::band;
use crate::quotes;
use agenttrader_core::decision::LimitMeasure;
use agenttrader_core::order::OrderType;
use agenttrader_core::price::Price;
use agenttrader_core::reason::Reason;

/// How far the limit, or a market order's far side, lies from the reference: the reference quote's mid, or for a reducing order the far touch
/// of the latest quote, so that closing into a wide market stays possible.
pub(crate) fn distance(asked: Option<&Asked<'_>>, class: Class<'_>) -> LimitMeasure {
    let reference = asked.and_then(reference);
    let distance = asked.and_then(|asked| price(asked)?.checked_sub(reference?)).map(Price::abs);
    let bound = reference.zip(class.limits).map(|(reference, limits)| band(reference, limits));
    at_most(Reason::PriceCollar, "USD from the reference", bound, distance)
}

/// How wide the reference quote is. For a reducing order it is measured and does not refuse.
pub(crate) fn spread(asked: Option<&Asked<'_>>, class: Class<'_>) -> LimitMeasure {
    let spread = asked.and_then(|asked| quotes::reference_spread(asked.order, asked.seen));
    let mid = asked.and_then(|asked| quotes::reference_mid(asked.order, asked.seen));
    let bound = mid.zip(class.limits).map(|(mid, limits)| widest(mid, limits));
    let measure = at_most(Reason::PriceCollar, "USD of spread", bound, spread);
    excuse(measure, asked.is_some_and(|asked| asked.reducing))
}

/// Only a spread over both bounds refuses.
fn widest(mid: Price, limits: &AssetLimits) -> Price {
    mid.abs().basis_points(limits.spread_bp).max(limits.spread_usd)
}

fn reference(asked: &Asked<'_>) -> Option<Price> {
    let Asked { order, seen, reducing, .. } = asked;
    if *reducing { quotes::far_side(order, seen) } else { quotes::reference_mid(order, seen) }
}

fn price(asked: &Asked<'_>) -> Option<Price> {
    match asked.order.order_type {
        OrderType::Limit(limit) => Some(limit),
        OrderType::Market => quotes::far_side(asked.order, asked.seen),
    }
}
