//! Quotes as references: which are good enough, and what an order's legs come to at them.

use crate::seen::{InstrumentSeen, Market, QuoteSeen, Seen};
use agenttrader_core::order::{Order, Side};
use agenttrader_core::price::Price;
use agenttrader_core::time::Span;

/// Youngest a reference may be: what our own burst of orders moves must not be what they are measured by.
pub const REFERENCE_AGE_MIN: Span = Span::from_millis(250);

/// A quote with both sides above zero, not crossed, and no older than one of its kind may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TwoSided {
    pub(crate) bid: Price,
    pub(crate) ask: Price,
}

impl TwoSided {
    fn of(quote: Option<QuoteSeen>, oldest: Option<Span>) -> Option<Self> {
        let QuoteSeen { bid: Some(bid), ask: Some(ask), age } = quote? else { return None };
        let good = Price::ZERO < bid && bid <= ask && Span::ZERO <= age && age <= oldest?;
        good.then_some(Self { bid, ask })
    }

    /// What who trades at once pays or gets.
    pub(crate) const fn far(self, side: Side) -> Price {
        match side {
            Side::Buy => self.ask,
            Side::Sell => self.bid,
        }
    }
}

/// The latest quote of an instrument, if it is good.
pub(crate) fn latest(instrument: &InstrumentSeen, seen: &Seen) -> Option<TwoSided> {
    TwoSided::of(instrument.quote, oldest(instrument, seen))
}

/// The reference quote of an instrument, if it is good and old enough.
pub(crate) fn reference(instrument: &InstrumentSeen, seen: &Seen) -> Option<TwoSided> {
    let quote = instrument.reference.filter(|quote| quote.age >= REFERENCE_AGE_MIN);
    TwoSided::of(quote, oldest(instrument, seen))
}

/// Oldest a quote of the instrument may be: an option's own limit, a share's that of its underlying.
fn oldest(instrument: &InstrumentSeen, seen: &Seen) -> Option<Span> {
    let Market { underlying, .. } = &seen.market;
    if instrument.tradable.is_option() { Some(seen.limits.option_quote_max_age()) } else { underlying.limit() }
}

/// The net of an order's legs, a debit above zero, at a price of each leg.
pub(crate) fn net(order: &Order, seen: &Seen, price: impl Fn(&InstrumentSeen, Side) -> Option<Price>) -> Option<Price> {
    order.legs.iter().try_fold(Price::ZERO, |net, leg| {
        let price = price(seen.market.instrument(leg.tradable)?, leg.side)?;
        net.checked_add(price.checked_mul(leg.side.sign().checked_mul(leg.ratio.get())?)?)
    })
}

/// An order's reference: the net of its legs' mids. One of one leg is positive on either side.
pub(crate) fn reference_mid(order: &Order, seen: &Seen) -> Option<Price> {
    let net = net(order, seen, |instrument, _| reference(instrument, seen).map(|quote| quote.bid.midpoint(quote.ask)))?;
    unsigned(order, net)
}

/// The spread of an order's reference: the sum of its legs'.
pub(crate) fn reference_spread(order: &Order, seen: &Seen) -> Option<Price> {
    order.legs.iter().try_fold(Price::ZERO, |sum, leg| {
        let quote = reference(seen.market.instrument(leg.tradable)?, seen)?;
        sum.checked_add(quote.ask.checked_sub(quote.bid)?.checked_mul(leg.ratio.get())?)
    })
}

/// What an order would pay or get at once, at the latest quotes. One of one leg is positive on either side.
pub(crate) fn far_side(order: &Order, seen: &Seen) -> Option<Price> {
    let net = net(order, seen, |instrument, side| latest(instrument, seen).map(|quote| quote.far(side)))?;
    unsigned(order, net)
}

/// Limits of one leg are written without a sign, nets of several with one.
fn unsigned(order: &Order, net: Price) -> Option<Price> {
    if order.is_multi_leg() { Some(net) } else { net.checked_mul(order.legs.first()?.side.sign()) }
}
