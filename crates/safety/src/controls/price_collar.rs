//! PRICE_COLLAR: the order's price against a reference that is live and old enough not to be our own doing.

use crate::asked::Asked;
use crate::class::Class;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;
    use crate::tests::fixture::{World, contract, price, quote, spy};
    use agenttrader_core::instrument::Right;
    use agenttrader_core::order::Tradable;

    fn referring(world: World, tradable: Tradable, bid: &str, ask: &str, age_ms: i64) -> World {
        let mut world = world;
        world.instrument(tradable).reference = quote(bid, ask, age_ms);
        world
    }

    #[test]
    fn the_band_itself_passes_and_a_tick_further_does_not() {
        for (limit, passes) in [("510", true), ("510.01", false), ("490", true), ("489.99", false)] {
            for world in [World::shares().limit(limit), World::shares().limit(limit).selling()] {
                assert_eq!(world.answer(Reason::PriceCollar) == Answer::DoesNotHold, passes, "{limit}");
            }
        }
        World::shares().limit("510.01").refused_for(Reason::PriceCollar);
    }

    #[test]
    fn an_options_band_is_ten_per_cent_or_ten_cents() {
        for (limit, passes) in [("2.2", true), ("2.21", false), ("1.8", true), ("1.79", false)] {
            assert_eq!(World::call().limit(limit).other_reasons().is_empty(), passes, "{limit}");
        }
        for (limit, passes) in [("0.2", true), ("0.21", false)] {
            let cheap = referring(World::call().limit(limit), contract(Right::Call), "0.05", "0.15", 300);
            assert_eq!(cheap.other_reasons().is_empty(), passes, "{limit}");
        }
    }

    #[test]
    fn several_legs_are_held_against_their_net() {
        for (limit, passes) in [("4.4", true), ("4.41", false), ("3.6", true), ("3.59", false)] {
            assert_eq!(World::straddle().limit(limit).other_reasons().is_empty(), passes, "{limit}");
        }
        World::straddle().selling().passes();
        World::straddle().selling().limit("4").refused_for(Reason::PriceCollar);
        // A spread whose net is nothing has ten cents.
        let mut spread = World::straddle();
        spread.proposal.legs[1].side = agenttrader_core::order::Side::Sell;
        spread.clone().limit("0.1").passes();
        spread.clone().limit("-0.1").passes();
        spread.limit("0.11").refused_for(Reason::PriceCollar);
    }

    #[test]
    fn without_a_good_reference_nothing_passes() {
        let bad = [
            ("499.99", "500.01", 249),
            ("499.99", "500.01", 30_001),
            ("0", "500.01", 300),
            ("499.99", "0", 300),
            ("500.02", "500.01", 300),
            ("-1", "500.01", 300),
        ];
        for (bid, ask, age) in bad {
            referring(World::shares(), spy(), bid, ask, age).unknown(Reason::PriceCollar);
        }
        let mut none = World::straddle();
        none.instrument(contract(Right::Put)).reference = None;
        none.unknown(Reason::PriceCollar);
        let half = crate::seen::QuoteSeen { bid: None, ask: Some(price("2")), age: crate::quotes::REFERENCE_AGE_MIN };
        none.instrument(contract(Right::Put)).reference = Some(half);
        none.unknown(Reason::PriceCollar);
    }

    #[test]
    fn an_options_own_quote_past_its_age_is_no_reference() {
        referring(World::call(), contract(Right::Call), "1.95", "2.05", 900_000).passes();
        referring(World::call(), contract(Right::Call), "1.95", "2.05", 900_001).unknown(Reason::PriceCollar);
    }

    #[test]
    fn a_wide_reference_is_none_to_go_by() {
        referring(World::shares(), spy(), "495", "505", 300).passes();
        referring(World::shares(), spy(), "494.99", "505.01", 300).refused_for(Reason::PriceCollar);
        // Options: over 50 % and over 50 cents.
        let call = |bid, ask, limit| referring(World::call().limit(limit), contract(Right::Call), bid, ask, 300);
        call("1.5", "2.5", "2").passes();
        call("1.49", "2.51", "2").refused_for(Reason::PriceCollar);
        call("0.05", "0.55", "0.3").passes();
        call("0.05", "0.56", "0.3").refused_for(Reason::PriceCollar);
    }

    #[test]
    fn a_market_order_is_held_by_its_far_side() {
        World::shares().at_market().passes();
        referring(World::shares().at_market(), spy(), "490", "492", 300).passes();
        referring(World::shares().at_market(), spy(), "489", "491", 300).refused_for(Reason::PriceCollar);
    }

    #[test]
    fn a_reducing_order_goes_by_the_far_touch_and_minds_no_spread() {
        let mut world = World::call().selling().holding(contract(Right::Call), 1).limit("0.5");
        world.instrument(contract(Right::Call)).quote = quote("0.5", "3.5", 100);
        world.instrument(contract(Right::Call)).reference = quote("0.5", "3.5", 300);
        world.passes();
        world.clone().limit("0.6").passes();
        world.clone().limit("0.61").refused_for(Reason::PriceCollar);
        let market = world.clone().at_market();
        market.passes();
        world.instrument(contract(Right::Call)).quote = quote("0.5", "3.5", 900_001);
        world.unknown(Reason::PriceCollar);
        world.instrument(contract(Right::Call)).quote = quote("0", "3.5", 100);
        world.unknown(Reason::PriceCollar);
    }
}
