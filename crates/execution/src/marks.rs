//! What a holding is worth: the mark rule.

use agenttrader_core::event::Quote;
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::money::Money;
use agenttrader_core::order::Tradable;
use agenttrader_core::price::Price;
use agenttrader_core::time::Span;
use agenttrader_marketdata::book::Book;
use serde::Serialize;

/// A spread up to this part of the mid is tight, in basis points; …
const TIGHT_BP: u32 = 1_000;

/// … and so is one up to this many dollars.
const TIGHT_USD: Price = Price::from_nanos(100_000_000);

/// Which way something is held: it closes at the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Bought: closes at the bid.
    Long,
    /// Sold: closes at the ask.
    Short,
}

impl Held {
    /// The way of a signed quantity; nothing counts as long.
    pub const fn of(quantity: i64) -> Self {
        if quantity < 0 { Self::Short } else { Self::Long }
    }
}

/// A mark and whether the quote behind it was fresh when it was last looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// Dollars a share.
    pub price: Price,
    /// Whether it is of now. A stale mark keeps its value, trips no limit and releases none.
    pub fresh: bool,
}

impl Mark {
    /// Takes a new value in; none: what stands grows stale.
    pub const fn renew(&mut self, price: Option<Price>) {
        match price {
            Some(price) => *self = Self { price, fresh: true },
            None => self.fresh = false,
        }
    }
}

/// The mark that a quote gives: its mid if the spread is at most 10 % of it or 0.10 dollars, else the side at which the holding
/// closes. An option's empty bid beside an ask is a bid of zero: nobody pays for it. A crossed quote gives none.
pub fn of_quote(quote: &Quote, is_option: bool, held: Held) -> Option<Price> {
    let bid = quote.bid().or((is_option && quote.ask().is_some()).then_some(Price::ZERO));
    let (Some(bid), Some(ask)) = (bid, quote.ask()) else {
        return match held {
            Held::Long => bid,
            Held::Short => quote.ask(),
        };
    };
    let spread = ask.checked_sub(bid)?;
    if spread < Price::ZERO {
        return None;
    }
    let mid = bid.midpoint(ask);
    if spread <= TIGHT_USD || spread <= mid.basis_points(TIGHT_BP) {
        return Some(mid);
    }
    Some(match held {
        Held::Long => bid,
        Held::Short => ask,
    })
}

/// The mark of an instrument now; `None` unless its quote is fresh.
pub fn fresh(book: &Book, tradable: &Tradable, held: Held, option_quote_max_age: Span) -> Option<Price> {
    let quoted = book.latest(instrument(book, tradable)?)?.quote()?;
    let limit =
        if tradable.is_option() { option_quote_max_age.max(book.cadence().doubled()) } else { book.age_limit() };
    quoted.age(book.now()).filter(|age| *age <= limit)?;
    of_quote(&quoted.quote, tradable.is_option(), held)
}

/// The number of what a leg trades, if it is defined and is what the leg says: a contract of another underlying is not.
pub fn instrument(book: &Book, tradable: &Tradable) -> Option<InstrumentId> {
    use agenttrader_core::instrument::Instrument;
    let instruments = book.instruments();
    match tradable {
        Tradable::Equity { symbol } => {
            let id = instruments.by_symbol(*symbol)?;
            matches!(instruments.get(id), Some(Instrument::Equity { .. })).then_some(id)
        }
        Tradable::Option { underlying, contract_symbol } => {
            let id = instruments.by_contract(contract_symbol)?;
            instruments.get(id).filter(|instrument| instrument.underlying() == *underlying).map(|_| id)
        }
    }
}

/// What `quantity` of an instrument is worth at a price.
pub fn value(tradable: &Tradable, quantity: i64, price: Price) -> Money {
    price.notional(quantity, tradable.multiplier())
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_core::time::UnixNanos;

    fn mark(bid: &str, ask: &str, is_option: bool, held: Held) -> Option<String> {
        let (bid, ask) = (Price::parse(bid).unwrap(), Price::parse(ask).unwrap());
        let quote = Quote {
            instrument: InstrumentId(0),
            exchange_time: UnixNanos::EPOCH,
            bid,
            ask,
            bid_size: 1,
            ask_size: 1,
            bid_exchange: b' ',
            ask_exchange: b' ',
            condition: b' ',
        };
        of_quote(&quote, is_option, held).map(|price| price.to_string())
    }

    #[test]
    fn a_tight_spread_gives_the_mid_and_a_wide_one_the_closing_side() {
        for held in [Held::Long, Held::Short] {
            assert_eq!(mark("1.00", "1.10", true, held).unwrap(), "1.05", "ten cents");
            assert_eq!(mark("9.50", "10.50", true, held).unwrap(), "10", "ten percent");
            assert_eq!(mark("5", "5", false, held).unwrap(), "5", "locked");
            assert_eq!(mark("5.01", "5", false, held), None, "crossed");
            assert_eq!(mark("0", "0", true, held), None, "empty");
        }
        assert_eq!(mark("1.00", "1.12", true, Held::Long).unwrap(), "1");
        assert_eq!(mark("1.00", "1.12", true, Held::Short).unwrap(), "1.12");
    }

    #[test]
    fn an_options_empty_bid_is_zero_and_a_shares_is_unknown() {
        assert_eq!(mark("0", "0.05", true, Held::Long).unwrap(), "0.025");
        assert_eq!(mark("0", "0.50", true, Held::Long).unwrap(), "0");
        assert_eq!(mark("0", "0.50", true, Held::Short).unwrap(), "0.5");
        assert_eq!(mark("0", "0.50", false, Held::Long), None);
        assert_eq!(mark("5", "0", false, Held::Short), None);
    }

    #[test]
    fn a_stale_mark_keeps_its_value() {
        let mut mark = Mark { price: Price::DOLLAR, fresh: true };
        mark.renew(None);
        assert_eq!(mark, Mark { price: Price::DOLLAR, fresh: false });
        mark.renew(Some(Price::CENT));
        assert_eq!(mark, Mark { price: Price::CENT, fresh: true });
    }
}
