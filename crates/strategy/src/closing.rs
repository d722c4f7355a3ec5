//! Orders that end what is held, priced to be taken at once.

use crate::draft::Draft;
use crate::moment::Moment;
use agenttrader_core::event::Quote;
use agenttrader_core::instrument::{InstrumentId, OptionContract};
use agenttrader_core::order::{Intent, Side};
use agenttrader_core::price::{Price, Rounding};
use agenttrader_core::proposal::{AssetType, tick};
use agenttrader_core::quantity::Quantity;
use agenttrader_core::symbol::Symbol;

/// Ticks by which a share order reaches through the far touch, so that a small move does not leave it behind.
const REACH_TICKS: i64 = 2;

/// The limit of a share order that is to be taken at once: the far touch and two ticks through it.
pub fn share_limit(quote: &Quote, side: Side) -> Option<Price> {
    let (bid, ask) = quote.two_sided()?;
    let reach = Price::CENT.checked_mul(REACH_TICKS)?;
    let limit = match side {
        Side::Buy => ask.checked_add(reach)?.round_to(Price::CENT, Rounding::Up),
        Side::Sell => bid.checked_sub(reach)?.round_to(Price::CENT, Rounding::Down),
    };
    (limit > Price::ZERO).then_some(limit)
}

/// Sells (or, if short, buys back) what is held of a share, as far as one order may go. None without a two-sided quote.
pub fn shares(moment: &Moment<'_>, symbol: Symbol, held: i64) -> Option<Draft> {
    let side = if held > 0 { Side::Sell } else { Side::Buy };
    let limit = share_limit(&moment.share_quote(symbol)?, side)?;
    let wanted = i64::try_from(held.unsigned_abs()).unwrap_or(i64::MAX);
    let quantity = Quantity::new(moment.cut_shares(wanted, limit)).ok()?;
    Some(Draft::shares(Intent::Close, symbol, side, quantity, limit, moment.valid_until(Intent::Close)))
}

/// Bid and ask of a contract that can be closed now: quoted on both sides, and before the venue's cut-off.
pub fn closable(moment: &Moment<'_>, id: InstrumentId, option: &OptionContract) -> Option<(Price, Price)> {
    let quote = moment.option_quote(id).filter(|_| moment.before_cut_off(option.expiration()))?;
    quote.two_sided()
}

/// Sells (or, if short, buys back) what is held of a contract at the far touch, as far as one order may go. None where it
/// cannot be closed now.
pub fn contract(moment: &Moment<'_>, id: InstrumentId, option: &OptionContract, held: i64) -> Option<Draft> {
    let (bid, ask) = closable(moment, id, option)?;
    let (side, limit) = if held > 0 {
        (Side::Sell, bid.round_to(tick(AssetType::Option, bid), Rounding::Down))
    } else {
        (Side::Buy, ask.round_to(tick(AssetType::Option, ask), Rounding::Up))
    };
    if limit <= Price::ZERO {
        return None;
    }
    let wanted = i64::try_from(held.unsigned_abs()).unwrap_or(i64::MAX);
    let quantity = Quantity::new(moment.cut_options(wanted, 1, None)).ok()?;
    Some(Draft::contract(Intent::Close, option, side, quantity, limit, moment.valid_until(Intent::Close)))
}
