//! The delta of an instrument, in fixed point, as the limits need it.

use crate::marks;
use agenttrader_core::instrument::{Instrument, InstrumentId, Right};
use agenttrader_core::order::Tradable;
use agenttrader_marketdata::book::Book;
use agenttrader_marketdata::chain::expiry_instant;
use agenttrader_options::implied_volatility::NoVolatility;
use agenttrader_safety::exposure::Delta;

/// An ask up to this part of spot on an out-of-the-money contract nobody bids for says that it is worth nothing.
const WORTHLESS_ASK: f64 = 0.001;

/// The delta of one unit of multiplier; `None` when nothing says it.
///
/// A share has its own. An option has that of its quote's volatility; where that fails, the other right's at the same strike, moved
/// by one (put-call parity); out of the money with an empty bid and an ask next to nothing, none; in its last minute, when time is
/// too short for a volatility, one share or none by whether it is in the money.
pub fn of(book: &Book, tradable: &Tradable) -> Option<Delta> {
    let id = marks::instrument(book, tradable)?;
    match tradable {
        Tradable::Equity { .. } => Some(Delta::ONE),
        Tradable::Option { .. } => Delta::from_f64(of_option(book, id)?),
    }
}

fn of_option(book: &Book, id: InstrumentId) -> Option<f64> {
    let option = book.instruments().get(id).and_then(Instrument::option)?;
    let analytics = book.analytics(id)?;
    if let Some(greeks) = analytics.greeks {
        return Some(greeks.delta);
    }
    let underlying = book.underlying(option.underlying)?;
    let (spot, _) = book.spot(option.underlying)?;
    let inside = match option.right() {
        Right::Call => spot > option.strike(),
        Right::Put => spot < option.strike(),
    };
    if matches!(analytics.volatility, Err(NoVolatility::TooCloseToExpiry)) {
        return Some(whole(option.right(), inside));
    }
    let instant = expiry_instant(option);
    let expiry =
        underlying.chain().expiries().find(|(_, at, expiry)| *at == instant && expiry.pair(option.strike()).is_some());
    let other = expiry.and_then(|(_, _, expiry)| expiry.pair(option.strike())?.of(option.right().other()));
    if let Some(greeks) = other.and_then(|other| book.analytics(other)).and_then(|analytics| analytics.greeks) {
        let moved = match option.right() {
            Right::Call => greeks.delta + 1.0,
            Right::Put => greeks.delta - 1.0,
        };
        return Some(moved.clamp(-1.0, 1.0));
    }
    let sides = book.latest(id)?.sides();
    let unbid = sides.bid.is_none_or(|bid| bid <= 0.0);
    let worthless = !inside && unbid && sides.ask.is_some_and(|ask| ask <= spot.as_f64() * WORTHLESS_ASK);
    worthless.then_some(0.0)
}

fn whole(right: Right, inside: bool) -> f64 {
    match (right, inside) {
        (_, false) => 0.0,
        (Right::Call, true) => 1.0,
        (Right::Put, true) => -1.0,
    }
}
