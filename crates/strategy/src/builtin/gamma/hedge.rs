//! Hedging: shares against the straddle's delta.

use super::holding::{Holding, NetDelta};
use super::settings::{Hedge, Settings};
use super::{Day, signal};
use crate::closing::share_limit;
use crate::draft::{Draft, Out, figures};
use crate::moment::Moment;
use agenttrader_core::order::{Intent, Side};
use agenttrader_core::price::Price;
use agenttrader_core::proposal::Risk;
use agenttrader_core::quantity::Quantity;

/// Hedges of the day that are kept back: getting out may still need some.
const HEDGES_KEPT: u32 = 10;

pub(super) fn propose(moment: &Moment<'_>, settings: &Settings, holding: &Holding, day: &mut Day, out: &mut Out) {
    // No hedge while one works: what works will move the delta. So the net below has no working order to count.
    let early = day.hedged_at.is_some_and(|last| moment.at.since(last) < settings.hedge_interval);
    if early || holding.is_working(moment) {
        return;
    }
    let (Some(hedge), Some(delta)) = (holding.hedge, holding.delta(moment)) else { return };
    note_intrinsic(moment, holding, delta, day, out);
    let band = settings.band(moment.underlying.regime());
    let per_straddle = delta.net / holding.straddles().max(1) as f64;
    if per_straddle.abs() <= band {
        return;
    }
    let Some(draft) = draft(moment, holding, hedge, delta, per_straddle, band) else { return };
    let notional = draft.limit_price.unwrap_or(Price::ZERO).notional(draft.quantity.get(), 1);
    let hedges = day.hedges.saturating_add(1);
    let after = day.hedge_notional.plus(notional);
    let most = moment.limits.daily_hedges.saturating_sub(HEDGES_KEPT);
    if hedges > most || after > moment.limits.daily_hedge_notional {
        if !day.spent {
            day.spent = true;
            let summary = format!("{}: the day's hedges are used up; what cannot be hedged is closed", moment.symbol);
            out.notes.push(signal(moment, summary, holding));
        }
        return;
    }
    day.hedges = hedges;
    day.hedge_notional = after;
    day.hedged_at = Some(moment.at);
    out.drafts.push(draft);
}

/// Says once when a delta begins to be that of the intrinsic value, and once when it no longer is.
fn note_intrinsic(moment: &Moment<'_>, holding: &Holding, delta: NetDelta, day: &mut Day, out: &mut Out) {
    if day.by_intrinsic == delta.by_intrinsic {
        return;
    }
    day.by_intrinsic = delta.by_intrinsic;
    let what = if delta.by_intrinsic {
        "a contract's delta is not known: hedges as its intrinsic value asks, 1 in the money, else 0"
    } else {
        "every contract's delta is known again"
    };
    out.notes.push(signal(moment, format!("{}: {what}", moment.symbol), holding));
}

fn draft(
    moment: &Moment<'_>,
    holding: &Holding,
    hedge: Hedge,
    delta: NetDelta,
    per_straddle: f64,
    band: f64,
) -> Option<Draft> {
    let side = if delta.net > 0.0 { Side::Sell } else { Side::Buy };
    let limit = share_limit(&moment.share_quote(hedge.symbol)?, side)?;
    // Rounded towards zero: a hedge lowers the net delta and never turns it round.
    let wanted = (delta.net.abs() * 100.0 * hedge.ratio).floor();
    let wanted = if wanted < 1e9 { wanted as i64 } else { i64::from(Quantity::MAX) };
    let quantity = Quantity::new(moment.cut_shares(wanted, limit)).ok()?;
    let short_reason = format!(
        "Net delta of {} is {per_straddle:+.3} contracts per straddle, outside ±{band:.2}: {} {quantity} {} to bring it to zero.",
        moment.symbol,
        if side == Side::Buy { "buy" } else { "sell" },
        hedge.symbol,
    );
    let indicators = figures(&[
        ("delta_net", delta.net),
        ("delta_options", delta.options),
        ("delta_per_straddle", per_straddle),
        ("hedge_band", band),
        ("hedge_shares", holding.shares as f64),
        ("spot", moment.spot()?.as_f64()),
        ("straddles", holding.straddles() as f64),
    ]);
    Some(Draft {
        short_reason,
        indicators,
        risk: Risk::default(),
        ..Draft::shares(Intent::Hedge, hedge.symbol, side, quantity, limit, moment.valid_until(Intent::Hedge))
    })
}
