//! What a strategy is shown when it is asked: one underlying at one second.

use crate::config::OrderLimits;
use agenttrader_core::calendar::Session;
use agenttrader_core::cut_off::option_cut_off;
use agenttrader_core::event::Quote;
use agenttrader_core::instrument::{CONTRACT_MULTIPLIER, Instrument, InstrumentId, OptionContract};
use agenttrader_core::money::Money;
use agenttrader_core::order::{Intent, Tradable};
use agenttrader_core::position::{Position, Standing, Working};
use agenttrader_core::price::Price;
use agenttrader_core::proposal::VALIDITY_MAX;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_marketdata::book::{Book, Underlying};

/// How long an entry stays good.
pub const ENTRY_VALID: Span = Span::from_seconds(60);
/// How long a hedge stays good: soon the delta is another.
pub const HEDGE_VALID: Span = Span::from_seconds(15);
/// How long a close stays good before it is priced anew.
pub const CLOSE_VALID: Span = Span::from_seconds(30);

/// What an order's life has over twice the feed's cadence.
const CADENCE_ROOM: Span = Span::from_seconds(1);

/// One underlying at one second of an open session, with fresh data.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// Venue time.
    pub at: UnixNanos,
    /// The underlying.
    pub symbol: Symbol,
    /// Today's session, which is open.
    pub session: Session,
    /// Everything known of the market.
    pub book: &'a Book,
    /// The underlying in the book.
    pub underlying: &'a Underlying,
    /// The strategy's own positions and orders, in every underlying.
    pub standing: &'a Standing,
    /// Bounds to cut orders to.
    pub limits: &'a OrderLimits,
    /// Whether the common rules let a new entry be proposed: entries left today, no cool-down.
    pub may_open: bool,
}

impl<'a> Moment<'a> {
    /// When a proposal made now lapses: by its intent, at least twice the feed's cadence and a second, at most as long as any
    /// may be and not beyond the close. An order lapses at its instant before the quotes of that instant are matched: with
    /// the second on top it meets two of them.
    pub fn valid_until(&self, intent: Intent) -> UnixNanos {
        let span = match intent {
            Intent::Open => ENTRY_VALID,
            Intent::Hedge => HEDGE_VALID,
            Intent::Close => CLOSE_VALID,
        };
        let twice = self.book.cadence().doubled().nanos().saturating_add(CADENCE_ROOM.nanos());
        let span = span.nanos().max(twice).min(VALIDITY_MAX.nanos());
        self.at.plus(Span::from_nanos(span)).min(self.session.close)
    }

    /// What the strategy holds of this underlying.
    pub fn positions(&self) -> impl Iterator<Item = &'a Position> {
        let symbol = self.symbol;
        self.standing.positions.iter().filter(move |position| position.tradable.underlying() == symbol)
    }

    /// Shares of `symbol` held.
    pub fn shares(&self, symbol: Symbol) -> i64 {
        let held = self.standing.positions.iter().find(|position| position.tradable == Tradable::Equity { symbol });
        held.map_or(0, |position| position.quantity)
    }

    /// The strategy's working orders in an underlying.
    pub fn working(&self, symbol: Symbol) -> impl Iterator<Item = &'a Working> {
        self.standing.working.iter().filter(move |working| working.underlying == symbol)
    }

    /// Whether it neither holds nor has working anything in this underlying.
    pub fn is_idle(&self) -> bool {
        self.positions().next().is_none() && self.working(self.symbol).next().is_none()
    }

    /// The price of the underlying.
    pub fn spot(&self) -> Option<Price> {
        self.book.spot(self.symbol).map(|(price, _)| price).filter(|price| *price > Price::ZERO)
    }

    /// The underlying as a share that can be traded; none for an index or one that has options alone.
    pub fn share_instrument(&self) -> Option<InstrumentId> {
        let id = self.underlying.instrument()?;
        matches!(self.book.instruments().get(id)?, Instrument::Equity { .. }).then_some(id)
    }

    /// The latest quote of a share, if that share is fresh.
    pub fn share_quote(&self, symbol: Symbol) -> Option<Quote> {
        let id = self.book.underlying(symbol)?.instrument()?;
        let quoted = self.book.latest(id)?.quote()?;
        let young = quoted.age(self.at).is_some_and(|age| age <= self.book.age_limit());
        young.then_some(quoted.quote)
    }

    /// The latest quote of a contract, if it is young enough to price an order.
    pub fn option_quote(&self, id: InstrumentId) -> Option<Quote> {
        let quoted = self.book.latest(id)?.quote()?;
        let young = quoted.age(self.at).is_some_and(|age| age <= self.limits.option_quote_max_age);
        young.then_some(quoted.quote)
    }

    /// The quote that a price collar around a contract is drawn from: old enough that no burst moves it, young enough to
    /// count, two-sided, and not too wide.
    pub fn option_reference(&self, id: InstrumentId) -> Option<Quote> {
        let quoted = self.book.latest(id)?.reference(self.at)?;
        let young = quoted.age(self.at).is_some_and(|age| age <= self.limits.option_quote_max_age);
        let (bid, ask) = quoted.quote.two_sided()?;
        let (limits, spread) = (self.limits.options.as_ref()?, ask.checked_sub(bid)?);
        let wide = spread > bid.midpoint(ask).basis_points(limits.spread_bp) && spread > limits.spread_usd;
        (young && !wide).then_some(quoted.quote)
    }

    /// The contract of a number.
    pub fn contract(&self, id: InstrumentId) -> Option<&'a OptionContract> {
        self.book.instruments().get(id)?.option()
    }

    /// Whether an order in contracts of this underlying that expire on `date` is still taken.
    pub fn before_cut_off(&self, date: jiff::civil::Date) -> bool {
        date > self.session.date || (date == self.session.date && self.at < option_cut_off(self.symbol, &self.session))
    }

    /// Of `wanted` shares at `limit` as many as one order may be.
    pub fn cut_shares(&self, wanted: i64, limit: Price) -> i64 {
        let Some(limits) = self.limits.shares.as_ref() else { return 0 };
        wanted.min(i64::from(limits.order_quantity)).min(affordable(limits.order_notional_usd, limit, 1))
    }

    /// Of `wanted` units of a structure with `contracts` in each unit as many as one order may be. With an opening `premium`
    /// a unit, in dollars a share, also as its notional allows.
    pub fn cut_options(&self, wanted: i64, contracts: i64, premium: Option<Price>) -> i64 {
        let Some(limits) = self.limits.options.as_ref() else { return 0 };
        let by_count = i64::from(limits.order_quantity).checked_div(contracts.max(1)).unwrap_or(0);
        let by_notional =
            premium.map_or(i64::MAX, |price| affordable(limits.order_notional_usd, price, CONTRACT_MULTIPLIER));
        wanted.min(by_count).min(by_notional)
    }
}

/// How many units of `price` times `multiplier` fit into `notional`.
fn affordable(notional: Money, price: Price, multiplier: u32) -> i64 {
    let unit = price.notional(1, multiplier).nanos();
    if unit <= 0 {
        return i64::MAX;
    }
    let count = notional.nanos().max(0).checked_div(unit).unwrap_or(0);
    i64::try_from(count).unwrap_or(i64::MAX)
}
