//! How much is done: OPEN_ORDERS, ORDER_RATE, REPEAT_EXECUTION, DAILY_ORDERS, DAILY_NOTIONAL. All count this order as one more.

use crate::asked::Asked;
use crate::facts::Answer;
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
