//! What becomes of contracts at their expiry: shares, cash, or nothing.

use crate::output::FillLeg;
use agenttrader_core::calendar::{Session, new_york};
use agenttrader_core::instrument::{CONTRACT_MULTIPLIER, Instrument, Right};
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::order::{Side, Tradable};
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use agenttrader_marketdata::book::Book;
use agenttrader_marketdata::chain;

/// A contract this far in the money is exercised for its holder without being asked. Source: OCC Rule 805, exercise by exception.
const EXERCISED_FROM: Price = Price::CENT;

/// How a contract settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// In shares, at the strike.
    Shares,
    /// In cash, by what it is in the money.
    Cash,
}

/// The instant a contract expires. One that is not defined expires at its last day's close.
pub fn instant(book: &Book, contract: &OccSymbol) -> UnixNanos {
    let defined =
        book.instruments().by_contract(contract).and_then(|id| book.instruments().get(id)).and_then(Instrument::option);
    defined.map_or_else(
        || {
            let date = contract.expiration();
            Session::on(date).map_or_else(|| new_york(date, 16, 0), |session| session.close)
        },
        chain::expiry_instant,
    )
}

/// How contracts of an underlying settle: in cash on an index, and on what has no feed if they are European.
pub fn settlement(book: &Book, underlying: Symbol, contract: &OccSymbol) -> Settlement {
    let instruments = book.instruments();
    let defined = instruments.by_symbol(underlying).and_then(|id| instruments.get(id));
    let european = || {
        let option = instruments.by_contract(contract).and_then(|id| instruments.get(id)).and_then(Instrument::option);
        option.is_some_and(|option| option.european)
    };
    match defined {
        Some(Instrument::Index { .. }) => Settlement::Cash,
        Some(_) => Settlement::Shares,
        None if european() => Settlement::Cash,
        None => Settlement::Shares,
    }
}

/// The price by which contracts that expire at `instant` settle, once it can be told: the underlying's first print or bar at or
/// after it, or, when `waited`, the last one before. An underlying without either settles by its spot.
pub fn official_close(book: &Book, underlying: Symbol, instant: UnixNanos, waited: bool) -> Option<Price> {
    let latest = book.underlying(underlying).and_then(|known| known.instrument()).and_then(|id| book.latest(id));
    let trade = latest.and_then(|latest| latest.trade()).map(|(trade, _)| (trade.exchange_time, trade.price));
    let bar = latest.and_then(|latest| latest.bar_close()).map(|(price, end)| (end, price));
    match trade.into_iter().chain(bar).max_by_key(|(at, _)| *at) {
        Some((at, price)) => (waited || at >= instant).then_some(price),
        None if waited => book.spot(underlying).map(|(price, _)| price),
        None => None,
    }
}

/// The legs that settle `quantity` (signed) contracts at an official close: the contract goes, at nothing or at the cash it brings,
/// and shares may come at the strike.
pub fn legs(
    underlying: Symbol,
    contract: OccSymbol,
    quantity: i64,
    close: Price,
    settlement: Settlement,
) -> Vec<FillLeg> {
    let strike = contract.strike();
    let inside = match contract.right() {
        Right::Call => close.checked_sub(strike),
        Right::Put => strike.checked_sub(close),
    };
    let inside = inside.filter(|inside| *inside >= EXERCISED_FROM);
    let tradable = Tradable::Option { underlying, contract_symbol: contract };
    let cash = inside.filter(|_| settlement == Settlement::Cash).unwrap_or(Price::ZERO);
    let mut legs = vec![leg(tradable, quantity.saturating_neg(), cash)];
    if inside.is_some() && settlement == Settlement::Shares {
        let shares = quantity.saturating_mul(i64::from(CONTRACT_MULTIPLIER));
        let shares = if contract.right() == Right::Call { shares } else { shares.saturating_neg() };
        legs.push(leg(Tradable::Equity { symbol: underlying }, shares, strike));
    }
    legs
}

fn leg(tradable: Tradable, quantity: i64, price: Price) -> FillLeg {
    let side = if quantity < 0 { Side::Sell } else { Side::Buy };
    FillLeg { tradable, side, quantity: quantity.saturating_abs(), price, multiplier: tradable.multiplier() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(contract: &str, quantity: i64, close: &str, settlement: Settlement) -> Vec<String> {
        let contract = OccSymbol::parse(contract).unwrap();
        let symbol = Symbol::parse("SPY").unwrap();
        let legs = legs(symbol, contract, quantity, Price::parse(close).unwrap(), settlement);
        legs.iter().map(|leg| format!("{} {} {} @ {}", leg.side, leg.quantity, leg.tradable, leg.price)).collect()
    }

    const CALL: &str = "SPY260116C00600000";
    const PUT: &str = "SPY260116P00600000";

    #[test]
    fn a_cent_in_the_money_becomes_shares_at_the_strike() {
        assert_eq!(
            settled(CALL, 2, "600.01", Settlement::Shares),
            [format!("SELL 2 {CALL} @ 0"), "BUY 200 SPY @ 600".to_owned()]
        );
        assert_eq!(
            settled(CALL, -2, "612", Settlement::Shares),
            [format!("BUY 2 {CALL} @ 0"), "SELL 200 SPY @ 600".to_owned()]
        );
        assert_eq!(
            settled(PUT, 1, "599.99", Settlement::Shares),
            [format!("SELL 1 {PUT} @ 0"), "SELL 100 SPY @ 600".to_owned()]
        );
        assert_eq!(
            settled(PUT, -1, "599", Settlement::Shares),
            [format!("BUY 1 {PUT} @ 0"), "BUY 100 SPY @ 600".to_owned()]
        );
    }

    #[test]
    fn at_the_money_and_out_of_it_is_worthless() {
        for close in ["600", "600.009", "599.991"] {
            for settlement in [Settlement::Shares, Settlement::Cash] {
                assert_eq!(settled(CALL, 1, close, settlement), [format!("SELL 1 {CALL} @ 0")], "{close}");
                assert_eq!(settled(PUT, 1, close, settlement), [format!("SELL 1 {PUT} @ 0")], "{close}");
            }
        }
        assert_eq!(settled(CALL, -3, "580", Settlement::Shares), [format!("BUY 3 {CALL} @ 0")]);
    }

    #[test]
    fn an_index_pays_cash() {
        assert_eq!(settled(CALL, 2, "612.5", Settlement::Cash), [format!("SELL 2 {CALL} @ 12.5")]);
        assert_eq!(settled(PUT, -1, "590", Settlement::Cash), [format!("BUY 1 {PUT} @ 10")]);
    }
}
