//! What was lost: DAILY_LOSS, DRAWDOWN.

use crate::answer::Answer;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixture::{World, money, spy};

    fn equity(world: World, equity: &str) -> World {
        let equity = money(equity);
        world.with(|seen| seen.account.equity = Some(equity))
    }

    #[test]
    fn two_per_cent_of_the_days_first_equity_may_be_lost() {
        equity(World::shares(), "980000").passes();
        equity(World::shares(), "979999.999999999").refused_for(Reason::DailyLoss);
        equity(World::shares(), "1100000").passes();
        assert_eq!(equity(World::shares(), "1100000").measure(Reason::DailyLoss).measured.as_deref(), Some("-10"));
    }

    #[test]
    fn five_per_cent_may_be_lost_from_the_highest() {
        let fallen =
            |equity_now| equity(World::shares(), equity_now).with(|seen| seen.account.high_water = money("1040000"));
        fallen("988000").passes();
        fallen("987999.999999999").refused_for(Reason::Drawdown);
    }

    #[test]
    fn a_tripped_limit_stays_tripped_when_the_loss_is_gone() {
        World::shares().with(|seen| seen.account.tripped.daily_loss = true).refused_for(Reason::DailyLoss);
        World::shares().with(|seen| seen.account.tripped.drawdown = true).refused_for(Reason::Drawdown);
    }

    #[test]
    fn an_account_without_marks_or_beginnings_cannot_be_known() {
        let worthless = World::shares().with(|seen| seen.account.day_start_equity = Money::ZERO);
        worthless.unknown(Reason::DailyLoss);
        World::shares().with(|seen| seen.account.high_water = money("-1")).unknown(Reason::Drawdown);
        let unmarked = World::shares().with(|seen| seen.account.equity = None);
        assert_eq!([Reason::DailyLoss, Reason::Drawdown].map(|reason| unmarked.answer(reason)), [Answer::Unknown; 2]);
    }

    #[test]
    fn a_losing_position_can_be_left() {
        let closing = equity(World::shares().selling().holding(spy(), 100), "1").with(|seen| {
            seen.account.tripped = crate::seen::Tripped { daily_loss: true, drawdown: true };
        });
        closing.passes();
        let measure = closing.measure(Reason::DailyLoss);
        assert!(!measure.holds && !measure.refuses);
    }
}
