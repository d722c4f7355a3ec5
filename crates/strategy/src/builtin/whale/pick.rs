//! Which contract an idea is followed with, and at what price.

use super::flow::Flow;
use super::settings::Settings;
use crate::draft::{Draft, figures};
use crate::moment::Moment;
use agenttrader_core::instrument::{InstrumentId, Right};
use agenttrader_core::order::{Intent, Side};
use agenttrader_core::price::{Price, Rounding};
use agenttrader_core::proposal::{AssetType, Risk, tick};
use agenttrader_core::quantity::Quantity;
use agenttrader_marketdata::chain::Expiry;

/// Strikes looked at, nearest to the money first: a bound on the work of one look. In a chain of one-dollar strikes they
/// reach sixty dollars both ways.
const STRIKES_MAX: usize = 120;

/// A contract with the figures it was picked by.
struct Pick {
    id: InstrumentId,
    delta: f64,
    volatility: f64,
    limit: Price,
}

/// The first expiry at least a day ahead.
pub(super) fn next_expiry<'a>(moment: &Moment<'a>) -> Option<&'a Expiry> {
    let today = moment.session.date;
    moment.underlying.chain().expiries().find(|(date, _, _)| *date > today).map(|(_, _, expiry)| expiry)
}

/// Of the contracts with a delta in range the one nearest to the target; of two equally near the one nearer the money.
fn pick(moment: &Moment<'_>, settings: &Settings, right: Right) -> Option<Pick> {
    let strikes = next_expiry(moment)?.nearest(moment.spot()?).take(STRIKES_MAX);
    let mut best: Option<Pick> = None;
    for (_, pair) in strikes {
        let Some(candidate) = pair.of(right).and_then(|id| candidate(moment, id)) else { continue };
        let distance = |pick: &Pick| (pick.delta.abs() - settings.delta_target).abs();
        let in_range = (settings.delta_min..=settings.delta_max).contains(&candidate.delta.abs());
        if in_range && best.as_ref().is_none_or(|best| distance(&candidate) < distance(best)) {
            best = Some(candidate);
        }
    }
    best
}

fn candidate(moment: &Moment<'_>, id: InstrumentId) -> Option<Pick> {
    let limit = limit(moment, id)?;
    let analytics = moment.book.analytics(id)?;
    Some(Pick { id, delta: analytics.greeks?.delta, volatility: analytics.volatility.ok()?, limit })
}

/// The mid rounded to the passive tick, within the price collar.
fn limit(moment: &Moment<'_>, id: InstrumentId) -> Option<Price> {
    let mid = moment.option_quote(id)?.mid()?;
    let reference = moment.option_reference(id)?.mid()?;
    let limits = moment.limits.options.as_ref()?;
    let most = reference.checked_add(reference.basis_points(limits.collar_bp).max(limits.collar_usd))?;
    let limit = mid.min(most);
    let limit = limit.round_to(tick(AssetType::Option, limit), Rounding::Down);
    (limit > Price::ZERO).then_some(limit)
}

pub(super) fn draft(moment: &Moment<'_>, settings: &Settings, right: Right, flow: &Flow) -> Option<Draft> {
    let pick = pick(moment, settings, right)?;
    let option = moment.contract(pick.id)?;
    let count = moment.cut_options(i64::from(settings.quantity), 1, Some(pick.limit));
    let quantity = Quantity::new(count).ok()?;
    let (convinced, premium) = flow.behind();
    let short_reason = format!(
        "{} option flow scores {:+.2} over 30 minutes, {convinced} convinced events and {premium:.0} USD behind it: buy {quantity} {} with delta {:+.2}.",
        moment.symbol, flow.score, option.contract, pick.delta,
    );
    let mut indicators = flow.figures();
    indicators.extend(figures(&[
        ("delta", pick.delta),
        ("implied_volatility", pick.volatility),
        ("limit", pick.limit.as_f64()),
        ("spot", moment.spot()?.as_f64()),
    ]));
    let level = |basis_points: u32| {
        let price = pick.limit.basis_points(basis_points);
        Some(price.round_to(tick(AssetType::Option, price), Rounding::Down))
    };
    let risk = Risk {
        max_loss_usd: pick.limit.checked_mul(quantity.get().saturating_mul(100)),
        stop_loss: level(10_000_u32.saturating_sub(settings.stop_loss_bp)),
        take_profit: level(10_000_u32.saturating_add(settings.take_profit_bp)),
    };
    let until = moment.valid_until(Intent::Open);
    Some(Draft {
        short_reason,
        indicators,
        risk,
        ..Draft::contract(Intent::Open, option, Side::Buy, quantity, pick.limit, until)
    })
}
