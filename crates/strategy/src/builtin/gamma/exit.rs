//! Getting out: the straddle first, its hedge after it, until nothing is held.

use super::holding::{Holding, Leg};
use super::settings::Settings;
use super::{Day, hedge};
use crate::closing;
use crate::draft::{Draft, Out, figures};
use crate::moment::Moment;
use agenttrader_core::instrument::Right;
use agenttrader_core::order::{Intent, Side};
use agenttrader_core::price::{Price, Rounding};
use agenttrader_core::proposal::{AssetType, tick};
use agenttrader_core::quantity::Quantity;

/// Under this |delta| per straddle, in contract-equivalents, contracts that cannot be closed need no hedge: nobody bids for
/// them because they are worth nothing.
const WORTHLESS_DELTA: f64 = 0.05;

/// Of the price collar's width, in eighths, what each close concedes for the one that lapsed before it, and …
const CONCEDED: u32 = 2;

/// … the most that any does: short of the whole, which the gate would refuse a tick further.
const CONCEDED_MAX: u32 = 7;

pub(super) fn propose(moment: &Moment<'_>, settings: &Settings, holding: &Holding, day: &mut Day, out: &mut Out) {
    if holding.is_working(moment) {
        return;
    }
    if let Some(draft) = straddle(moment, holding).or_else(|| single(moment, holding)) {
        out.drafts.push(explained(moment, holding, conceding(moment, draft, day.lapsed_closes)));
        return;
    }
    let bare = holding.legs.is_empty();
    let options = holding.delta(moment).map(|delta| delta.options / holding.straddles().max(1) as f64);
    if bare || options.is_some_and(|delta| delta.abs() < WORTHLESS_DELTA) {
        let hedge = holding.hedge.filter(|_| holding.shares != 0);
        let draft = hedge.and_then(|hedge| closing::shares(moment, hedge.symbol, holding.shares));
        let draft = draft.map(|draft| conceding(moment, draft, day.lapsed_closes));
        out.drafts.extend(draft.map(|draft| explained(moment, holding, draft)));
    } else {
        // Contracts that cannot be closed now and still move with the underlying stay hedged.
        hedge::propose(moment, settings, holding, day, out);
    }
}

/// Call and put of one strike together, at the net of their bids.
fn straddle(moment: &Moment<'_>, holding: &Holding) -> Option<Draft> {
    let held = |right: Right| holding.legs.iter().filter(move |leg| leg.option.right() == right && leg.quantity > 0);
    let bid = |leg: &Leg| closing::closable(moment, leg.id, &leg.option).map(|(bid, _)| bid);
    held(Right::Call).find_map(|call| {
        let same = |put: &&Leg| {
            put.option.strike() == call.option.strike() && put.option.expiration() == call.option.expiration()
        };
        let put = held(Right::Put).find(same)?;
        let credit = bid(call)?.checked_add(bid(put)?)?.round_to(Price::CENT, Rounding::Down);
        let limit = Price::ZERO.checked_sub(credit)?;
        let units = moment.cut_options(call.quantity.min(put.quantity), 2, None);
        let quantity = Quantity::new(units).ok()?;
        let options = [&call.option, &put.option];
        let until = moment.valid_until(Intent::Close);
        Some(Draft::structure(Intent::Close, &options, moment.symbol, Side::Sell, quantity, limit, until))
    })
}

/// What is left of a straddle, or the one contract of it that has a bid.
fn single(moment: &Moment<'_>, holding: &Holding) -> Option<Draft> {
    holding.legs.iter().find_map(|leg| closing::contract(moment, leg.id, &leg.option, leg.quantity))
}

/// A close after others that lapsed: through the touch by a part of the collar that grows with each, since what is not closed
/// before the cut-off cannot be closed at all. It is filled at the touch all the same where that is better.
fn conceding(moment: &Moment<'_>, draft: Draft, lapsed: u32) -> Draft {
    let limits = match draft.asset_type {
        AssetType::Equity => moment.limits.shares.as_ref(),
        AssetType::Option | AssetType::Mleg => moment.limits.options.as_ref(),
    };
    let eighths = lapsed.saturating_mul(CONCEDED).min(CONCEDED_MAX);
    let conceded = limits.zip(draft.limit_price).filter(|_| eighths > 0).and_then(|(limits, limit)| {
        let width = limit.abs().basis_points(limits.collar_bp).max(limits.collar_usd);
        let step = width.basis_points(eighths.saturating_mul(1_250));
        // The price of a structure is its net: less of a credit is more of a debit.
        let pays = draft.side == Side::Buy || draft.asset_type == AssetType::Mleg;
        let (price, rounding) =
            if pays { (limit.checked_add(step)?, Rounding::Up) } else { (limit.checked_sub(step)?, Rounding::Down) };
        let price = price.round_to(tick(draft.asset_type, limit), rounding);
        let stays = if limit < Price::ZERO { price < Price::ZERO } else { price > Price::ZERO };
        stays.then_some(price)
    });
    Draft { limit_price: conceded.or(draft.limit_price), ..draft }
}

fn explained(moment: &Moment<'_>, holding: &Holding, draft: Draft) -> Draft {
    let what = match (draft.legs.is_empty(), draft.option) {
        (false, _) => "straddles at the net bid",
        (true, Some(_)) => "contracts at the far touch",
        (true, None) => "hedge shares through the far touch",
    };
    let short_reason = format!(
        "Getting out of {}: close {} {what}, {} straddles and {} hedge shares held before it.",
        moment.symbol,
        draft.quantity,
        holding.straddles(),
        holding.shares,
    );
    let spot = moment.spot().map_or(f64::NAN, Price::as_f64);
    let indicators =
        figures(&[("hedge_shares", holding.shares as f64), ("spot", spot), ("straddles", holding.straddles() as f64)]);
    Draft { short_reason, indicators, ..draft }
}
