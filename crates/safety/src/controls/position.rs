//! What would be held: POSITION_LIMIT, CONCENTRATION, GROSS_EXPOSURE. All count the order as filled and working orders on their worse side.

use crate::asked::Asked;
use crate::exposure::{Exposure, Shares};
use crate::limits::Limits;
use crate::measure::{Percent, at_most, excuse};
use agenttrader_core::decision::LimitMeasure;
use agenttrader_core::money::Money;
use agenttrader_core::reason::Reason;

/// POSITION_LIMIT.
pub(crate) fn limit(asked: Option<&Asked<'_>>, limits: &Limits) -> LimitMeasure {
    let position = asked.and_then(|asked| exposure(asked).position(asked.order.underlying));
    let bound = Some(Shares::whole(limits.position_shares));
    excused(asked, at_most(Reason::PositionLimit, "shares-equivalent", bound, position))
}

/// CONCENTRATION.
pub(crate) fn concentration(asked: Option<&Asked<'_>>, limits: &Limits) -> LimitMeasure {
    let dollars = |asked: &Asked<'_>| exposure(asked).dollars(asked.order.underlying);
    of_equity(asked, Reason::Concentration, limits.concentration_bp, dollars)
}

/// GROSS_EXPOSURE.
pub(crate) fn gross(asked: Option<&Asked<'_>>, limits: &Limits) -> LimitMeasure {
    of_equity(asked, Reason::GrossExposure, limits.gross_exposure_bp, |asked| exposure(asked).gross())
}

fn of_equity(
    asked: Option<&Asked<'_>>,
    name: Reason,
    bound_bp: u32,
    dollars: impl Fn(&Asked<'_>) -> Option<Money>,
) -> LimitMeasure {
    let percent = asked.and_then(|asked| Percent::of(dollars(asked)?, asked.seen.account.equity?));
    excused(asked, at_most(name, "% of equity", Some(Percent::of_basis_points(bound_bp)), percent))
}

fn exposure<'a>(asked: &Asked<'a>) -> Exposure<'a> {
    Exposure { seen: asked.seen, order: Some(asked.order) }
}

fn excused(asked: Option<&Asked<'_>>, measure: LimitMeasure) -> LimitMeasure {
    excuse(measure, asked.is_some_and(|asked| asked.reducing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;
    use crate::tests::fixture::{World, contract, money, price, spy, symbol};
    use agenttrader_core::instrument::Right;
    use agenttrader_core::order::{OrderType, Side, Tradable};

    fn roomy(world: World) -> World {
        world.with(|seen| {
            let equity = money("1000000000");
            seen.account.equity = Some(equity);
            (seen.account.day_start_equity, seen.account.high_water) = (equity, equity);
        })
    }

    fn position(world: &World) -> Option<String> {
        world.measure(Reason::PositionLimit).measured
    }

    #[test]
    fn the_limit_itself_passes_and_a_share_more_does_not() {
        roomy(World::shares().holding(spy(), 9_900)).passes();
        roomy(World::shares().holding(spy(), 9_901)).refused_for(Reason::PositionLimit);
        roomy(World::shares().selling().holding(spy(), -9_900)).passes();
        roomy(World::shares().selling().holding(spy(), -9_901)).refused_for(Reason::PositionLimit);
    }

    #[test]
    fn options_count_by_delta_and_offset_shares() {
        let call = contract(Right::Call);
        assert_eq!(position(&World::shares().holding(call, 3)).as_deref(), Some("250"));
        assert_eq!(position(&World::shares().holding(contract(Right::Put), 3)).as_deref(), Some("50"));
        assert_eq!(position(&World::straddle().of(5)).as_deref(), Some("0"));
    }

    #[test]
    fn working_orders_count_on_their_worse_side() {
        let working = |side| {
            roomy(World::shares().holding(spy(), 9_000)).working(&[(spy(), side)], 900, OrderType::Limit(price("1")))
        };
        working(Side::Buy).passes();
        assert_eq!(position(&working(Side::Buy)).as_deref(), Some("10000"));
        // What may sell does not make room.
        let selling = working(Side::Sell).proposing(|proposal| proposal.limit_price = Some(price("500")));
        assert_eq!(position(&selling).as_deref(), Some("9100"));
        let flip = World::shares().working(&[(spy(), Side::Sell)], 5_000, OrderType::Limit(price("501")));
        assert_eq!(position(&flip).as_deref(), Some("4900"));
    }

    #[test]
    fn an_order_that_brings_a_position_back_under_its_limit_passes() {
        let over = roomy(World::shares().holding(contract(Right::Put), -201).of(50).selling());
        assert_eq!(position(&over).as_deref(), Some("10000"));
        over.passes();
    }

    #[test]
    fn what_is_not_known_of_a_part_is_not_known_of_the_whole() {
        let call = contract(Right::Call);
        let mut no_delta = World::shares().holding(call, 1);
        no_delta.instrument(call).delta = None;
        for reason in [Reason::PositionLimit, Reason::Concentration, Reason::GrossExposure] {
            assert_eq!(no_delta.answer(reason), Answer::Unknown);
        }
        let mut no_mark = World::shares().holding(call, 1);
        no_mark.instrument(call).mark = None;
        assert_eq!(no_mark.other_reasons(), [Reason::Concentration, Reason::GrossExposure]);
        let no_spot = World::shares().with(|seen| seen.market.spots.clear());
        assert_eq!(no_spot.other_reasons(), [Reason::Concentration, Reason::GrossExposure, Reason::BuyingPower]);
        let working = World::shares().working(&[(call, Side::Buy)], 1, OrderType::Limit(price("2")));
        let unseen = working.with(|seen| seen.market.instruments.retain(|seen| seen.tradable != call));
        assert_eq!(unseen.answer(Reason::PositionLimit), Answer::Unknown);
        // A position that was closed needs no delta.
        let mut closed = World::shares().holding(call, 0);
        closed.instrument(call).delta = None;
        closed.passes();
    }

    #[test]
    fn one_underlying_is_a_fifth_of_equity_at_most() {
        let equity = |world: World, equity: &str| {
            let equity = money(equity);
            world.with(|seen| {
                seen.account.equity = Some(equity);
                (seen.account.day_start_equity, seen.account.high_water) = (equity, equity);
            })
        };
        equity(World::shares(), "250000").passes();
        equity(World::shares(), "249999.999999999").refused_for(Reason::Concentration);
        // 50 shares-equivalent at 500 and the premium of 200.
        let call = equity(World::call(), "126000");
        call.passes();
        assert_eq!(call.measure(Reason::Concentration).measured.as_deref(), Some("20"));
        equity(World::call(), "125999.999999999").refused_for(Reason::Concentration);
    }

    #[test]
    fn gross_sums_what_does_not_offset() {
        let qqq = Tradable::Equity { symbol: symbol("QQQ") };
        let world = |held| World::shares().holding(qqq, held);
        world(-2_375).passes();
        assert_eq!(world(-2_375).measure(Reason::GrossExposure).measured.as_deref(), Some("100"));
        world(-2_376).refused_for(Reason::GrossExposure);
    }

    #[test]
    fn without_equity_nothing_is_a_part_of_it() {
        let limits =
            [Reason::Concentration, Reason::GrossExposure, Reason::DailyLoss, Reason::Drawdown, Reason::BuyingPower];
        assert_eq!(World::shares().with(|seen| seen.account.equity = None).other_reasons(), limits);
        let ruined = World::shares().with(|seen| seen.account.equity = Some(money("0")));
        assert_eq!(ruined.answer(Reason::Concentration), Answer::Unknown);
    }

    #[test]
    fn a_reducing_order_over_every_limit_is_measured_and_passes() {
        let over = World::shares().selling().holding(spy(), 50_000);
        over.passes();
        for reason in [Reason::PositionLimit, Reason::Concentration, Reason::GrossExposure] {
            let measure = over.measure(reason);
            assert!(!measure.holds && !measure.refuses && measure.measured.is_some(), "{reason}");
        }
    }

    #[test]
    fn a_position_beyond_128_bits_counts_as_unknown() {
        let mut huge = World::shares().holding(spy(), i64::MAX);
        huge.seen.market.spots[0].price = Some(agenttrader_core::price::Price::MAX);
        assert_eq!(huge.answer(Reason::PositionLimit), Answer::Holds);
        assert_eq!(huge.answer(Reason::Concentration), Answer::Unknown);
    }
}
