//! How large one order is: ORDER_QTY, ORDER_NOTIONAL, VOLATILITY_GUARD.

use crate::asked::{Asked, Class};
use crate::facts::Answer;
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
