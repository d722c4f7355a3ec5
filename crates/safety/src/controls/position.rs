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
