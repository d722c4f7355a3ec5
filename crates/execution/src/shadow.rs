//! Shadow orders: hypothetical orders, matched against quotes that came after them.
//!
//! An order of one leg meets its first quote after its creation: marketable there, it fills whole at the opposite touch; else it
//! rests and fills at its limit once the opposite touch reaches it. An order of several legs fills at the touches, all legs at
//! once, at the first input by which each leg has such a quote and their net is within its limit. A market order waits for an
//! opposite touch. A closed market and a halted instrument fill nothing; a crossed quote is nobody's price and counts for
//! nothing. What is unfilled at its last instant lapses, before anything is matched at that input.

use agenttrader_core::event::Quote;
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::money::Money;
use agenttrader_core::order::{Order, OrderLeg, OrderType, Side, TimeInForce};
use agenttrader_core::price::Price;
use agenttrader_core::time::UnixNanos;
use agenttrader_marketdata::book::Book;
use uuid::Uuid;

/// One shadow order.
#[derive(Clone, Debug)]
pub struct ShadowOrder {
    /// The order.
    pub order: Order,
    /// Its story.
    pub correlation_id: Uuid,
    /// Its strategy.
    pub strategy_name: String,
    /// Whether it counts as a hedge.
    pub hedge: bool,
    /// Whether it reduces.
    pub reducing: bool,
    /// What it would cost at most, premium and fees, dollars.
    pub reserves: Money,
    legs: Vec<Watched>,
    resting: bool,
}

/// A leg with what has come for it.
#[derive(Clone, Copy, Debug)]
struct Watched {
    id: Option<InstrumentId>,
    quoted: bool,
}

/// An order that ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The order.
    pub order: ShadowOrder,
    /// The price of each leg; none: it lapsed.
    pub prices: Option<Vec<Price>>,
}

/// The shadow orders that work, oldest first.
#[derive(Clone, Debug)]
pub struct ShadowOrders {
    working: Vec<ShadowOrder>,
    watched: Vec<u16>,
    next_lapse: UnixNanos,
}

/// What an order does at a quote.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Wait,
    Rest,
    Lapse,
    Fill(Vec<Price>),
}

impl ShadowOrder {
    /// A shadow order whose legs trade the instruments `ids`, in their order; one that is not defined never fills.
    pub fn new(order: Order, ids: &[Option<InstrumentId>], strategy_name: String, correlation_id: Uuid) -> Self {
        let legs = ids.iter().map(|id| Watched { id: *id, quoted: false }).collect();
        Self {
            order,
            correlation_id,
            strategy_name,
            hedge: false,
            reducing: false,
            reserves: Money::ZERO,
            legs,
            resting: false,
        }
    }

    fn trades(&self, id: InstrumentId) -> bool {
        self.legs.iter().any(|leg| leg.id == Some(id))
    }

    fn on_quote(&mut self, id: InstrumentId, book: &Book) -> Step {
        for leg in self.legs.iter_mut().filter(|leg| leg.id == Some(id)) {
            leg.quoted = true;
        }
        if !self.legs.iter().all(|leg| leg.quoted) {
            return Step::Wait;
        }
        match self.order.legs.as_slice() {
            [leg] => self.match_one(*leg, book),
            _ => self.match_several(book),
        }
    }

    fn match_one(&self, leg: OrderLeg, book: &Book) -> Step {
        let touch = self.touches(book).next().flatten();
        let fill = match (self.order.order_type, touch) {
            (OrderType::Market, touch) => touch,
            (OrderType::Limit(_), None) => None,
            (OrderType::Limit(limit), Some(touch)) => {
                let reached = if leg.side == Side::Buy { touch <= limit } else { touch >= limit };
                reached.then_some(if self.resting { limit } else { touch })
            }
        };
        match fill {
            Some(price) => Step::Fill(vec![price]),
            None if self.order.time_in_force == TimeInForce::Ioc => Step::Lapse,
            None => Step::Rest,
        }
    }

    fn match_several(&self, book: &Book) -> Step {
        let net = net(&self.order.legs, self.touches(book));
        let within = match self.order.order_type {
            OrderType::Market => net.is_some(),
            OrderType::Limit(limit) => net.is_some_and(|net| net <= limit),
        };
        if !within {
            return Step::Wait;
        }
        self.touches(book).collect::<Option<Vec<Price>>>().map_or(Step::Wait, Step::Fill)
    }

    fn touches<'a>(&'a self, book: &'a Book) -> impl Iterator<Item = Option<Price>> + 'a {
        self.order.legs.iter().zip(&self.legs).map(|(leg, watched)| {
            let quoted = book.latest(watched.id?)?.quote()?;
            opposite_touch(&quoted.quote, leg.side)
        })
    }
}

/// The price at which `side` finds its counterpart; none where that side is empty or the quote is crossed.
pub fn opposite_touch(quote: &Quote, side: Side) -> Option<Price> {
    if is_crossed(quote) {
        return None;
    }
    match side {
        Side::Buy => quote.ask(),
        Side::Sell => quote.bid(),
    }
}

/// What one unit of some legs costs at a price each: a debit is positive. None without every price.
pub fn net(legs: &[OrderLeg], prices: impl Iterator<Item = Option<Price>>) -> Option<Price> {
    let mut sum = Price::ZERO;
    for (leg, price) in legs.iter().zip(prices) {
        sum = sum.checked_add(price?.checked_mul(leg.side.sign().saturating_mul(leg.ratio.get()))?)?;
    }
    Some(sum)
}

fn is_crossed(quote: &Quote) -> bool {
    matches!((quote.bid(), quote.ask()), (Some(bid), Some(ask)) if bid > ask)
}

/// Whether an instrument or its underlying is halted.
fn is_halted(book: &Book, id: InstrumentId) -> bool {
    let halted = |id: InstrumentId| book.latest(id).is_some_and(|latest| latest.halted());
    let underlying =
        book.instruments().get(id).and_then(|instrument| book.instruments().by_symbol(instrument.underlying()));
    halted(id) || underlying.is_some_and(halted)
}

impl Default for ShadowOrders {
    fn default() -> Self {
        Self { working: Vec::new(), watched: Vec::new(), next_lapse: UnixNanos::MAX }
    }
}

impl ShadowOrders {
    /// What works, oldest first.
    pub fn working(&self) -> &[ShadowOrder] {
        &self.working
    }

    /// Whether any order trades this instrument. A quote for which none does costs no more than this.
    pub fn is_watched(&self, id: InstrumentId) -> bool {
        self.watched.get(id.index()).is_some_and(|orders| *orders > 0)
    }

    /// First instant at which an order lapses.
    pub const fn next_lapse(&self) -> UnixNanos {
        self.next_lapse
    }

    /// Takes an order. It is matched from the next input on.
    pub fn take(&mut self, order: ShadowOrder) {
        for id in order.legs.iter().filter_map(|leg| leg.id) {
            if self.watched.len() <= id.index() {
                self.watched.resize(id.index().saturating_add(1), 0);
            }
            if let Some(orders) = self.watched.get_mut(id.index()) {
                *orders = orders.saturating_add(1);
            }
        }
        self.next_lapse = self.next_lapse.min(order.order.valid_until_utc);
        self.working.push(order);
    }

    /// Ends every order whose time is over at `now`.
    pub fn lapse(&mut self, now: UnixNanos, ended: &mut Vec<Ended>) {
        let mut index = 0;
        while let Some(order) = self.working.get(index) {
            if order.order.valid_until_utc <= now {
                let order = self.end(index);
                ended.push(Ended { order, prices: None });
            } else {
                index = index.saturating_add(1);
            }
        }
    }

    /// Matches a quote that the book has just taken in against the orders that trade its instrument, oldest first.
    pub fn on_quote(&mut self, quote: &Quote, book: &Book, ended: &mut Vec<Ended>) {
        let id = quote.instrument;
        // A quote the book left out (older than the one that stands, or from the future) is no news.
        let is_latest = book.latest(id).and_then(|latest| latest.quote()).is_some_and(|quoted| quoted.quote == *quote);
        if !is_latest || !book.is_open() || is_halted(book, id) || is_crossed(quote) {
            return;
        }
        let mut index = 0;
        while let Some(order) = self.working.get_mut(index) {
            let step = if order.trades(id) { order.on_quote(id, book) } else { Step::Wait };
            let prices = match step {
                Step::Wait => None,
                Step::Rest => {
                    order.resting = true;
                    None
                }
                Step::Lapse => Some(None),
                Step::Fill(prices) => Some(Some(prices)),
            };
            match prices {
                None => index = index.saturating_add(1),
                Some(prices) => {
                    let order = self.end(index);
                    ended.push(Ended { order, prices });
                }
            }
        }
    }

    fn end(&mut self, index: usize) -> ShadowOrder {
        let order = self.working.remove(index);
        for id in order.legs.iter().filter_map(|leg| leg.id) {
            if let Some(orders) = self.watched.get_mut(id.index()) {
                *orders = orders.saturating_sub(1);
            }
        }
        self.next_lapse = self.working.iter().map(|order| order.order.valid_until_utc).min().unwrap_or(UnixNanos::MAX);
        order
    }
}
