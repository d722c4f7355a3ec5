//! What the gate is shown of one proposal: its underlying and legs, and whatever is held or works.

use crate::delta;
use crate::expiry;
use crate::fees::{FeeLeg, Fees};
use crate::marks::{self, Held};
use crate::seat::Seat;
use crate::shadow::{ShadowOrder, net, opposite_touch};
use agenttrader_core::cut_off::option_cut_off;
use agenttrader_core::instrument::Instrument;
use agenttrader_core::money::Money;
use agenttrader_core::order::{Order, OrderType, Side, Tradable};
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_marketdata::book::Book;
use agenttrader_marketdata::latest::Quoted;
use agenttrader_safety::freshness::Freshness;
use agenttrader_safety::seen::{Holding, InstrumentSeen, Market, QuoteSeen, Spot, StrategySeen, Vix, WorkingOrder};
use std::collections::{BTreeMap, BTreeSet};

/// What the account holds, net over its strategies, in order of instrument; nothing that nets to nothing.
pub(crate) fn holdings(seats: &[Seat]) -> Vec<Holding> {
    let mut sums: BTreeMap<Tradable, i64> = BTreeMap::new();
    for (tradable, holding) in seats.iter().flat_map(|seat| seat.ledger.holdings()) {
        let sum = sums.entry(*tradable).or_default();
        *sum = sum.saturating_add(holding.quantity());
    }
    let held = sums.into_iter().filter(|(_, quantity)| *quantity != 0);
    held.map(|(tradable, quantity)| Holding { tradable, quantity }).collect()
}

/// What one strategy holds.
pub(crate) fn strategy(strategy_name: &str, seat: Option<&Seat>) -> StrategySeen {
    let held = seat.into_iter().flat_map(|seat| seat.ledger.holdings());
    let holdings = held.map(|(tradable, holding)| Holding { tradable: *tradable, quantity: holding.quantity() });
    StrategySeen { strategy_name: strategy_name.to_owned(), holdings: holdings.collect() }
}

/// What works, as the gate sees it.
pub(crate) fn working(orders: &[ShadowOrder]) -> Vec<WorkingOrder> {
    let seen = |order: &ShadowOrder| WorkingOrder {
        proposal_id: order.order.proposal_id,
        strategy_name: order.strategy_name.clone(),
        intent: order.order.intent,
        legs: order.order.legs.clone(),
        side: order.order.side,
        remaining: order.order.quantity,
        order_type: order.order.order_type,
        reserves: order.reserves,
    };
    orders.iter().map(seen).collect()
}

/// Which market is shown.
pub(crate) struct View<'a> {
    pub(crate) book: &'a Book,
    pub(crate) seats: &'a [Seat],
    pub(crate) holdings: &'a [Holding],
    /// What the proposing strategy holds.
    pub(crate) own: &'a [Holding],
    pub(crate) working: &'a [WorkingOrder],
    pub(crate) allowlist: &'a [Symbol],
    pub(crate) option_quote_max_age: Span,
    /// Another process answers for the market's health, and says it is not fresh.
    pub(crate) unwell: bool,
}

impl View<'_> {
    /// The market around an order on `underlying`; no order where the proposal is malformed.
    pub(crate) fn market(&self, underlying: Symbol, order: Option<&Order>) -> Market {
        let book = self.book;
        let mut tradables: BTreeMap<Tradable, Held> = BTreeMap::new();
        for leg in order.iter().flat_map(|order| &order.legs).chain(self.working.iter().flat_map(|order| &order.legs)) {
            let held = if leg.side == Side::Sell { Held::Short } else { Held::Long };
            tradables.entry(leg.tradable).or_insert(held);
        }
        // What one strategy holds may be offset by another's, and is still what the first one hedges.
        for holding in self.own {
            tradables.entry(holding.tradable).or_insert(Held::of(holding.quantity));
        }
        for holding in self.holdings {
            tradables.insert(holding.tradable, Held::of(holding.quantity));
        }
        let mut symbols: BTreeSet<Symbol> = tradables.keys().map(Tradable::underlying).collect();
        symbols.insert(underlying);
        let price = |symbol: Symbol| book.spot(symbol).map(|(price, _)| price);
        let feed = if self.unwell { Freshness::Unknown { limit: book.age_limit() } } else { book.feed_freshness() };
        Market {
            open: book.is_open(),
            close: book.session().map(|session| session.close),
            feed,
            underlying: book.freshness(underlying),
            delayed: book.is_delayed(),
            allowlist: Some(self.allowlist.to_vec()),
            underlying_halted: Some(self.is_halted(underlying, order)),
            spots: symbols.into_iter().map(|symbol| Spot { symbol, price: price(symbol) }).collect(),
            instruments: tradables.iter().map(|(tradable, held)| self.instrument(*tradable, *held)).collect(),
            vix: Vix::NotConfigured,
        }
    }

    /// A halt of the underlying or of a leg: none until a status says so.
    fn is_halted(&self, underlying: Symbol, order: Option<&Order>) -> bool {
        let legs =
            order.iter().flat_map(|order| &order.legs).filter_map(|leg| marks::instrument(self.book, &leg.tradable));
        let own = self.book.instruments().by_symbol(underlying);
        legs.chain(own).any(|id| self.book.latest(id).is_some_and(|latest| latest.halted()))
    }

    fn instrument(&self, tradable: Tradable, held: Held) -> InstrumentSeen {
        let book = self.book;
        let latest = marks::instrument(book, &tradable).and_then(|id| book.latest(id));
        let now = book.now();
        InstrumentSeen {
            tradable,
            listed: latest.is_some(),
            restricted: self.is_restricted(&tradable),
            quote: latest.and_then(|latest| latest.quote()).and_then(|quoted| seen_quote(quoted, now)),
            reference: latest.and_then(|latest| latest.reference(now)).and_then(|quoted| seen_quote(quoted, now)),
            delta: delta::of(book, &tradable),
            mark: self.mark(&tradable, held),
            cut_off: self.cut_off(&tradable),
        }
    }

    /// Adjusted contracts and indices are; whether what is not defined is cannot be known.
    fn is_restricted(&self, tradable: &Tradable) -> Option<bool> {
        let instruments = self.book.instruments();
        match tradable {
            Tradable::Option { contract_symbol, .. } => Some(contract_symbol.is_adjusted_root()),
            Tradable::Equity { symbol } => {
                let instrument = instruments.by_symbol(*symbol).and_then(|id| instruments.get(id))?;
                Some(matches!(instrument, Instrument::Index { .. }))
            }
        }
    }

    fn mark(&self, tradable: &Tradable, held: Held) -> Option<Price> {
        let kept =
            || self.seats.iter().find_map(|seat| seat.ledger.holding(tradable)).map(|holding| holding.mark().price);
        marks::fresh(self.book, tradable, held, self.option_quote_max_age).or_else(kept)
    }

    fn cut_off(&self, tradable: &Tradable) -> Option<UnixNanos> {
        let contract = tradable.contract()?;
        let today = self.book.date()?;
        let instant = expiry::instant(self.book, &contract);
        if contract.expiration() != today {
            return (contract.expiration() < today).then_some(instant);
        }
        let session = self.book.session();
        Some(session.map_or(instant, |session| option_cut_off(tradable.underlying(), session).min(instant)))
    }
}

fn seen_quote(quoted: &Quoted, now: UnixNanos) -> Option<QuoteSeen> {
    let age = quoted.age(now)?;
    Some(QuoteSeen { bid: quoted.quote.bid(), ask: quoted.quote.ask(), age })
}

/// What filling the order now would cost in fees: at its limit if it has one leg and a limit, else at the opposite touches; a leg
/// without either counts as free of charge on its proceeds.
pub(crate) fn fees_of(fees: &Fees, order: &Order, book: &Book) -> Money {
    let legs = order.legs.iter().map(|leg| {
        let price = match order.order_type {
            OrderType::Limit(limit) if !order.is_multi_leg() => Some(limit),
            OrderType::Limit(_) | OrderType::Market => touch(book, &leg.tradable, leg.side),
        };
        let units = leg.signed_units(order.quantity).saturating_abs();
        FeeLeg { tradable: leg.tradable, side: leg.side, units, price: price.unwrap_or(Price::ZERO) }
    });
    fees.of_fill(legs)
}

/// What a working order reserves of cash: the option premium it would pay at most, and its fees. Shares are paid on margin.
pub(crate) fn reserves(order: &Order, fees: Money, book: &Book) -> Money {
    if !order.has_options() {
        return fees;
    }
    let net = match order.order_type {
        OrderType::Limit(limit) if order.is_multi_leg() || order.side == Side::Buy => Some(limit),
        OrderType::Limit(_) => None,
        OrderType::Market => net(&order.legs, order.legs.iter().map(|leg| touch(book, &leg.tradable, leg.side))),
    };
    let multiplier = agenttrader_core::instrument::CONTRACT_MULTIPLIER;
    let premium = net.map_or(Money::ZERO, |net| net.notional(order.quantity.get(), multiplier));
    premium.max(Money::ZERO).plus(fees)
}

fn touch(book: &Book, tradable: &Tradable, side: Side) -> Option<Price> {
    let quoted = book.latest(marks::instrument(book, tradable)?)?.quote()?;
    opposite_touch(&quoted.quote, side)
}
