//! How large one order is: ORDER_QTY, ORDER_NOTIONAL, VOLATILITY_GUARD.

use crate::answer::Answer;
use crate::asked::Asked;
use crate::class::Class;
use crate::measure::{at_most, excuse};
use crate::seen::{Seen, Vix};
use agenttrader_core::decision::LimitMeasure;
use agenttrader_core::money::Money;
use agenttrader_core::reason::Reason;

/// ORDER_QTY: shares, or contracts of all legs. A class without limits may have none.
pub(crate) fn quantity(asked: Option<&Asked<'_>>, class: Class<'_>) -> LimitMeasure {
    let bound = class.limits.map_or(0, |limits| u64::from(limits.order_quantity));
    at_most(Reason::OrderQty, class.unit, Some(bound), asked.map(Asked::units))
}

/// ORDER_NOTIONAL.
pub(crate) fn notional(asked: Option<&Asked<'_>>, class: Class<'_>) -> LimitMeasure {
    let bound = class.limits.map_or(Money::ZERO, |limits| limits.order_notional_usd);
    let measure = at_most(Reason::OrderNotional, "USD", Some(bound), asked.and_then(|asked| asked.notional));
    excuse(measure, asked.is_some_and(|asked| asked.reducing))
}

/// VOLATILITY_GUARD: above its level of the VIX the order must be within half its limits. No measure where no feed of it is configured.
pub(crate) fn volatility_guard(
    asked: Option<&Asked<'_>>,
    seen: &Seen,
    class: Class<'_>,
) -> (Answer, Option<LimitMeasure>) {
    let level = match seen.market.vix {
        Vix::NotConfigured => return (Answer::of(false), None),
        Vix::Unknown => None,
        Vix::Level(level) => Some(level),
    };
    let guard = seen.limits.vix_guard;
    let reducing = asked.is_some_and(|asked| asked.reducing);
    let passed = match (asked, level) {
        (None, _) | (_, None) => None,
        (Some(_), Some(level)) if level <= guard => Some(false),
        (Some(asked), Some(_)) => passes_half(asked, class),
    };
    let mut measure = at_most(Reason::VolatilityGuard, "VIX points", Some(guard), level);
    measure.holds = passed == Some(false);
    let answer = if reducing { Answer::DoesNotHold } else { Answer::known(passed) };
    (answer, Some(excuse(measure, reducing)))
}

/// Whether the order is over half of a limit; a class without limits has none to halve.
fn passes_half(asked: &Asked<'_>, class: Class<'_>) -> Option<bool> {
    let Some(limits) = class.limits else { return Some(true) };
    let quantity = asked.units().saturating_mul(2) > u64::from(limits.order_quantity);
    if quantity {
        return Some(true);
    }
    asked.notional.map(|notional| notional.times(2) > limits.order_notional_usd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixture::{World, contract, money, price, quote, spy};
    use agenttrader_core::instrument::Right;
    use agenttrader_core::order::Side;
    use agenttrader_core::price::Price;

    #[test]
    fn the_largest_order_passes_and_one_more_does_not() {
        World::shares().of(300).passes();
        World::shares().of(301).refused_for(Reason::OrderQty);
        // Ten calls at the money are a quarter of the account: another limit's affair.
        let alone = |world: World| world.with(|seen| seen.limits.concentration_bp = 10_000);
        alone(World::call().of(10)).passes();
        alone(World::call().of(11)).refused_for(Reason::OrderQty);
    }

    #[test]
    fn the_contracts_of_all_legs_count() {
        World::straddle().of(5).passes();
        let six = World::straddle().of(6);
        six.refused_for(Reason::OrderQty);
        assert_eq!(six.measure(Reason::OrderQty).measured.as_deref(), Some("12"));
        let mut uneven = World::straddle().of(3);
        uneven.proposal.legs[1].ratio = crate::tests::fixture::quantity(3);
        assert_eq!(uneven.answer(Reason::OrderQty), Answer::Holds);
    }

    #[test]
    fn a_class_without_limits_cannot_trade() {
        for world in [World::shares(), World::shares().selling().holding(spy(), 100)] {
            assert_eq!(world.with(|seen| seen.limits.shares = None).answer(Reason::OrderQty), Answer::Holds);
        }
        assert_eq!(World::straddle().with(|seen| seen.limits.options = None).answer(Reason::OrderQty), Answer::Holds);
    }

    #[test]
    fn notional_is_price_times_quantity_times_multiplier() {
        let bound = |world: World, bound: &str| {
            let bound = money(bound);
            world.with(|seen| {
                seen.limits.shares.as_mut().unwrap().order_notional_usd = bound;
                seen.limits.options.as_mut().unwrap().order_notional_usd = bound;
            })
        };
        bound(World::shares(), "50000").passes();
        bound(World::shares(), "49999.999999999").refused_for(Reason::OrderNotional);
        bound(World::call().of(3), "600").passes();
        bound(World::call().of(3), "599.999999999").refused_for(Reason::OrderNotional);
        // A credit counts by its size.
        bound(World::straddle().selling(), "400").passes();
        bound(World::straddle().selling(), "399.999999999").refused_for(Reason::OrderNotional);
        // Reducing orders are measured and not refused.
        let closing = bound(World::shares().selling().holding(spy(), 100), "1");
        closing.passes();
        let measure = closing.measure(Reason::OrderNotional);
        assert_eq!((measure.measured.as_deref(), measure.holds, measure.refuses), (Some("50000"), false, false));
    }

    #[test]
    fn a_market_order_counts_at_the_far_side_and_the_band() {
        // 500.01 and 2 % of it, a hundred times.
        let bought = World::shares().at_market().measure(Reason::OrderNotional);
        assert_eq!(bought.measured.as_deref(), Some("51001.02"));
        let sold = World::call().at_market().selling().measure(Reason::OrderNotional);
        assert_eq!(sold.measured.as_deref(), Some("214.5"));
    }

    #[test]
    fn without_a_far_side_a_market_order_has_no_notional() {
        let unknown = |bad| {
            let mut world = World::shares().at_market();
            world.instrument(spy()).quote = bad;
            assert_eq!(world.answer(Reason::OrderNotional), Answer::Unknown);
            assert_eq!(world.measure(Reason::OrderNotional).measured, None);
            let counted = [Reason::OrderNotional, Reason::PriceCollar, Reason::DailyNotional];
            assert_eq!(world.other_reasons(), counted);
        };
        unknown(None);
        unknown(quote("499.99", "0", 0));
        unknown(quote("500.02", "500.01", 0));
        unknown(quote("499.99", "500.01", 30_001));
    }

    #[test]
    fn no_quantity_and_no_price_overflows() {
        let mut largest = World::shares().of(i64::from(agenttrader_core::quantity::Quantity::MAX));
        largest.proposal.limit_price = Some(Price::MAX.round_to(Price::CENT, agenttrader_core::price::Rounding::Down));
        assert_eq!(largest.answer(Reason::OrderNotional), Answer::Holds);
        assert_eq!(largest.answer(Reason::OrderQty), Answer::Holds);
    }

    fn at_vix(world: World, vix: &str) -> World {
        world.with(|seen| seen.market.vix = Vix::Level(price(vix)))
    }

    #[test]
    fn while_volatility_is_high_half_the_order_limits_bind() {
        at_vix(World::shares().of(300), "30").passes();
        at_vix(World::shares().of(150), "30.01").passes();
        at_vix(World::shares().of(151), "30.01").refused_for(Reason::VolatilityGuard);
        let half_notional = |bound| {
            let bound = money(bound);
            at_vix(World::shares(), "31").with(|seen| seen.limits.shares.as_mut().unwrap().order_notional_usd = bound)
        };
        half_notional("100000").passes();
        half_notional("99999.999999999").refused_for(Reason::VolatilityGuard);
        at_vix(World::call().of(5), "80").passes();
        at_vix(World::call().of(6), "80").refused_for(Reason::VolatilityGuard);
        at_vix(World::shares().of(300).selling().holding(spy(), 300), "80").passes();
    }

    #[test]
    fn a_volatility_that_is_not_known_refuses_where_a_feed_is_configured() {
        World::shares().with(|seen| seen.market.vix = Vix::Unknown).unknown(Reason::VolatilityGuard);
        World::shares().selling().holding(spy(), 100).with(|seen| seen.market.vix = Vix::Unknown).passes();
        let mut unmeasured = at_vix(World::call().at_market(), "31");
        unmeasured.instrument(contract(Right::Call)).quote = None;
        assert_eq!(unmeasured.answer(Reason::VolatilityGuard), Answer::Unknown);
        assert!(World::shares().facts().limits.iter().all(|limit| limit.name != Reason::VolatilityGuard));
        assert_eq!(World::shares().proposal.side, Side::Buy);
    }
}
