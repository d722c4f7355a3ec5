//! How much is done: OPEN_ORDERS, ORDER_RATE, REPEAT_EXECUTION, DAILY_ORDERS, DAILY_NOTIONAL. All count this order as one more.

use crate::answer::Answer;
use crate::asked::Asked;
use crate::measure::{answer, at_most, excuse};
use crate::seen::{Counters, Seen};
use agenttrader_core::decision::LimitMeasure;
use agenttrader_core::reason::Reason;

/// OPEN_ORDERS.
pub(crate) fn open_orders(seen: &Seen) -> LimitMeasure {
    let bound = u64::from(seen.limits.open_orders);
    let working = u64::try_from(seen.account.working.len()).unwrap_or(u64::MAX);
    at_most(Reason::OpenOrders, "orders", Some(bound), Some(working.saturating_add(1)))
}

/// ORDER_RATE, of a second and of a minute.
pub(crate) fn rate(seen: &Seen) -> [LimitMeasure; 2] {
    let Counters { orders_last_second, orders_last_minute, .. } = seen.account.counters;
    [
        counted(Reason::OrderRate, "orders a second", seen.limits.orders_per_second, Some(orders_last_second)),
        counted(Reason::OrderRate, "orders a minute", seen.limits.orders_per_minute, Some(orders_last_minute)),
    ]
}

/// REPEAT_EXECUTION: hedges and reducing orders neither count nor are held back.
pub(crate) fn repeat_execution(asked: Option<&Asked<'_>>, seen: &Seen) -> (Answer, LimitMeasure) {
    let Counters { executions_in_window, strategy_disabled, .. } = seen.account.counters;
    let executions = asked.map(|_| executions_in_window);
    let mut measure =
        counted(Reason::RepeatExecution, "executions in the window", seen.limits.repeat_executions, executions);
    measure.holds &= !strategy_disabled;
    let measure = excuse(measure, asked.is_some_and(|asked| asked.reducing || asked.hedge));
    let disabled = Answer::of(strategy_disabled && measure.refuses);
    (answer(&measure).or(disabled), measure)
}

/// DAILY_ORDERS: of hedges, or of all others.
pub(crate) fn daily_orders(asked: Option<&Asked<'_>>, seen: &Seen) -> LimitMeasure {
    let Counters { orders_today, hedges_today, .. } = seen.account.counters;
    let measure = match asked {
        Some(Asked { hedge: true, .. }) => {
            counted(Reason::DailyOrders, "hedges a day", seen.limits.daily_hedges, Some(hedges_today))
        }
        other => counted(Reason::DailyOrders, "orders a day", seen.limits.daily_orders, other.map(|_| orders_today)),
    };
    excuse(measure, asked.is_some_and(|asked| asked.reducing))
}

/// DAILY_NOTIONAL: of hedges, or of all others.
pub(crate) fn daily_notional(asked: Option<&Asked<'_>>, seen: &Seen) -> LimitMeasure {
    let (counters, limits) = (&seen.account.counters, &seen.limits);
    let (unit, bound, so_far) = if asked.is_some_and(|asked| asked.hedge) {
        ("USD of hedges a day", limits.daily_hedge_notional_usd, counters.hedge_notional_today)
    } else {
        ("USD a day", limits.daily_notional_usd, counters.notional_today)
    };
    let measured = asked.and_then(|asked| asked.notional).map(|notional| so_far.plus(notional));
    excuse(at_most(Reason::DailyNotional, unit, Some(bound), measured), asked.is_some_and(|asked| asked.reducing))
}

/// A count and this order.
fn counted(name: Reason, unit: &'static str, bound: u32, so_far: Option<u32>) -> LimitMeasure {
    at_most(name, unit, Some(u64::from(bound)), so_far.map(|so_far| u64::from(so_far).saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixture::{World, contract, money, price, spy, symbol};
    use agenttrader_core::instrument::Right;
    use agenttrader_core::order::{OrderType, Side, Tradable};

    fn counting(world: World, change: impl FnOnce(&mut Counters)) -> World {
        world.with(|seen| change(&mut seen.account.counters))
    }

    /// Sells 100 shares against 250 of delta.
    fn hedge() -> World {
        World::shares().selling().holding(contract(Right::Call), 5)
    }

    /// Sells the 100 shares that are held.
    fn closing() -> World {
        World::shares().selling().holding(spy(), 100)
    }

    #[test]
    fn twenty_orders_work_at_most() {
        let working = |count| {
            let qqq = [(Tradable::Equity { symbol: symbol("QQQ") }, Side::Buy)];
            (0..count).fold(World::shares(), |world, _| world.working(&qqq, 1, OrderType::Limit(price("1"))))
        };
        working(19).passes();
        working(20).refused_for(Reason::OpenOrders);
    }

    #[test]
    fn five_orders_a_second_and_sixty_a_minute_reducing_ones_too() {
        for world in [World::shares(), closing(), hedge()] {
            counting(world.clone(), |counters| counters.orders_last_second = 4).passes();
            counting(world.clone(), |counters| counters.orders_last_second = 5).refused_for(Reason::OrderRate);
            counting(world.clone(), |counters| counters.orders_last_minute = 59).passes();
            counting(world, |counters| counters.orders_last_minute = 60).refused_for(Reason::OrderRate);
        }
    }

    #[test]
    fn sixty_executions_disable_a_strategy_but_for_its_hedges_and_closes() {
        let many = |world, executions| counting(world, |counters| counters.executions_in_window = executions);
        many(World::shares(), 59).passes();
        many(World::shares(), 60).refused_for(Reason::RepeatExecution);
        let disabled = |world| counting(world, |counters| counters.strategy_disabled = true);
        disabled(World::shares()).refused_for(Reason::RepeatExecution);
        for exempt in [hedge(), closing()] {
            many(exempt.clone(), u32::MAX).passes();
            disabled(exempt).passes();
        }
    }

    #[test]
    fn fifty_orders_a_day_and_four_hundred_hedges() {
        counting(World::shares(), |counters| counters.orders_today = 49).passes();
        counting(World::shares(), |counters| counters.orders_today = 50).refused_for(Reason::DailyOrders);
        counting(hedge(), |counters| (counters.orders_today, counters.hedges_today) = (50, 399)).passes();
        counting(hedge(), |counters| counters.hedges_today = 400).refused_for(Reason::DailyOrders);
        counting(closing(), |counters| counters.orders_today = 50).passes();
    }

    #[test]
    fn the_days_notional_counts_hedges_apart() {
        counting(World::shares(), |counters| counters.notional_today = money("200000")).passes();
        let over = money("200000.000000001");
        counting(World::shares(), |counters| counters.notional_today = over).refused_for(Reason::DailyNotional);
        let hedged = |sum| {
            counting(hedge(), |counters| {
                (counters.notional_today, counters.hedge_notional_today) = (over, money(sum));
            })
        };
        hedged("4950000").passes();
        hedged("4950000.000000001").refused_for(Reason::DailyNotional);
        counting(closing(), |counters| counters.notional_today = over).passes();
    }

    #[test]
    fn counters_at_their_end_hold() {
        let world = counting(World::shares(), |counters| {
            *counters = Counters {
                orders_last_second: u32::MAX,
                orders_last_minute: u32::MAX,
                orders_today: u32::MAX,
                notional_today: money("1").times(i64::MAX),
                executions_in_window: u32::MAX,
                ..counters.clone()
            };
        });
        let held = [Reason::OrderRate, Reason::RepeatExecution, Reason::DailyOrders, Reason::DailyNotional];
        assert_eq!(world.other_reasons(), held);
    }
}
