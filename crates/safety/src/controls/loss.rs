//! What was lost: DAILY_LOSS, DRAWDOWN.

use crate::facts::Answer;
use crate::measure::{Percent, answer, at_most, excuse};
use crate::seen::Seen;
use agenttrader_core::decision::LimitMeasure;
use agenttrader_core::money::Money;
use agenttrader_core::reason::Reason;

/// DAILY_LOSS: now above its limit, or tripped before and not resumed. A gain is a loss below zero.
pub(crate) fn daily(seen: &Seen, reducing: bool) -> (Answer, LimitMeasure) {
    let account = &seen.account;
    let loss = fall(account.day_start_equity, account.equity);
    let bound = seen.limits.daily_loss_bp;
    tripping(Reason::DailyLoss, "% of the day's first equity", bound, loss, account.tripped.daily_loss, reducing)
}

/// DRAWDOWN: likewise, from the highest equity seen.
pub(crate) fn drawdown(seen: &Seen, reducing: bool) -> (Answer, LimitMeasure) {
    let account = &seen.account;
    let fall = fall(account.high_water, account.equity);
    let bound = seen.limits.drawdown_bp;
    tripping(Reason::Drawdown, "% of the highest equity", bound, fall, account.tripped.drawdown, reducing)
}

fn fall(from: Money, equity: Option<Money>) -> Option<Percent> {
    Percent::of(from.minus(equity?), from)
}

fn tripping(
    name: Reason,
    unit: &'static str,
    bound_bp: u32,
    fall: Option<Percent>,
    tripped: bool,
    reducing: bool,
) -> (Answer, LimitMeasure) {
    let mut measure = at_most(name, unit, Some(Percent::of_basis_points(bound_bp)), fall);
    measure.holds &= !tripped;
    let measure = excuse(measure, reducing);
    (answer(&measure).or(Answer::of(tripped && !reducing)), measure)
}
