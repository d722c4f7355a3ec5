//! Entering: which straddle, how many, at what price.

use super::settings::Settings;
use crate::draft::{Draft, Out, figures};
use crate::moment::Moment;
use crate::realised;
use agenttrader_core::instrument::{InstrumentId, OptionContract};
use agenttrader_core::order::{Intent, Side};
use agenttrader_core::price::{Price, Rounding};
use agenttrader_core::proposal::Risk;
use agenttrader_core::quantity::Quantity;
use agenttrader_marketdata::chain::Expiry;
use agenttrader_options::regime::Regime;
use serde_json::Value;

/// One-minute closes that realised volatility is taken from.
const REALISED_CLOSES: usize = 30;

/// A straddle with both contracts quoted.
struct Straddle<'a> {
    strike: Price,
    legs: [(InstrumentId, &'a OptionContract); 2],
    /// What both cost at their asks.
    net_ask: Price,
    /// Halfway between bids and asks, of quotes that no burst has moved.
    reference: Price,
}

/// Whether a straddle may be entered at this time of the session.
pub(super) fn is_time(moment: &Moment<'_>, settings: &Settings) -> bool {
    let from = moment.session.open.plus(settings.entry_from_open);
    let until = moment.session.close.minus(settings.entry_until_close);
    (from..=until).contains(&moment.at)
}

/// The contracts that expire at the end of this session.
pub(super) fn expiring<'a>(moment: &Moment<'a>) -> Option<&'a Expiry> {
    let today = moment.session.date;
    let mut expiries = moment.underlying.chain().expiries();
    expiries.find(|(date, instant, _)| *date == today && *instant > moment.at).map(|(_, _, expiry)| expiry)
}

fn straddle<'a>(moment: &Moment<'a>, settings: &Settings, spot: Price) -> Option<Straddle<'a>> {
    let furthest = spot.basis_points(settings.strike_distance_max_bp);
    let near = |strike: Price| strike.checked_sub(spot).is_some_and(|distance| distance.abs() <= furthest);
    let mut strikes = expiring(moment)?.nearest(spot).take_while(|(strike, _)| near(*strike));
    strikes.find_map(|(strike, pair)| {
        let (call, put) = (pair.call?, pair.put?);
        let (call_ask, put_ask) = (two_sided_ask(moment, call)?, two_sided_ask(moment, put)?);
        let (call_mid, put_mid) = (moment.option_reference(call)?.mid()?, moment.option_reference(put)?.mid()?);
        Some(Straddle {
            strike,
            legs: [(call, moment.contract(call)?), (put, moment.contract(put)?)],
            net_ask: call_ask.checked_add(put_ask)?,
            reference: call_mid.checked_add(put_mid)?,
        })
    })
}

fn two_sided_ask(moment: &Moment<'_>, id: InstrumentId) -> Option<Price> {
    moment.option_quote(id)?.two_sided().map(|(_, ask)| ask)
}

/// Volatility of both contracts, averaged.
fn implied(moment: &Moment<'_>, straddle: &Straddle<'_>) -> Option<f64> {
    let [call, put] = straddle.legs.map(|(id, _)| moment.book.analytics(id).and_then(|it| it.volatility.ok()));
    Some((call? + put?) / 2.0)
}

/// The net ask, no further from the reference than the price collar allows.
fn limit(moment: &Moment<'_>, straddle: &Straddle<'_>) -> Option<Price> {
    let limits = moment.limits.options.as_ref()?;
    let width = straddle.reference.basis_points(limits.collar_bp).max(limits.collar_usd);
    let most = straddle.reference.checked_add(width)?;
    let limit = straddle.net_ask.min(most).round_to(Price::CENT, Rounding::Down);
    (limit > Price::ZERO).then_some(limit)
}

pub(super) fn propose(moment: &Moment<'_>, settings: &Settings, regime: Regime, out: &mut Out) {
    let can_hedge = settings.hedge(moment).is_some_and(|hedge| moment.share_quote(hedge.symbol).is_some());
    if !moment.may_open || !can_hedge || !moment.is_idle() {
        return;
    }
    out.drafts.extend(draft(moment, settings, regime));
}

fn draft(moment: &Moment<'_>, settings: &Settings, regime: Regime) -> Option<Draft> {
    let spot = moment.spot()?;
    let straddle = straddle(moment, settings, spot)?;
    let volatility = implied(moment, &straddle);
    let realised = realised::volatility(moment.underlying.candles(), REALISED_CLOSES, moment.at);
    if let Some(most) = settings.max_iv_over_rv {
        // Asked to compare and unable to: no entry.
        if volatility? > most * realised? {
            return None;
        }
    }
    let limit = limit(moment, &straddle)?;
    let quantity = Quantity::new(moment.cut_options(settings.size(regime), 2, Some(limit))).ok()?;
    let [call, put] = straddle.legs.map(|(_, option)| option);
    let short_reason = format!(
        "{} at {spot}: buy {quantity} straddle{} at strike {} for {limit}, dealers {}; gamma to scalp until before the cut-off.",
        moment.symbol,
        if quantity == Quantity::ONE { "" } else { "s" },
        straddle.strike,
        regime.as_str(),
    );
    let mut indicators = figures(&[
        ("implied_volatility", volatility.unwrap_or(f64::NAN)),
        ("net_ask", straddle.net_ask.as_f64()),
        ("net_reference", straddle.reference.as_f64()),
        ("realised_volatility", realised.unwrap_or(f64::NAN)),
        ("spot", spot.as_f64()),
        ("strike", straddle.strike.as_f64()),
    ]);
    indicators.insert("regime".to_owned(), Value::String(regime.as_str().to_owned()));
    let max_loss_usd = limit.checked_mul(quantity.get().saturating_mul(100));
    Some(Draft {
        short_reason,
        indicators,
        risk: Risk { max_loss_usd, ..Risk::default() },
        ..Draft::structure(
            Intent::Open,
            &[call, put],
            moment.symbol,
            Side::Buy,
            quantity,
            limit,
            moment.valid_until(Intent::Open),
        )
    })
}
