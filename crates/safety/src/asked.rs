//! A well-formed order before the world as seen, with what many controls ask of it.

use crate::effect;
use crate::notional::order_notional;
use crate::seen::{InstrumentSeen, Seen};
use agenttrader_core::money::Money;
use agenttrader_core::order::{Order, OrderLeg};

/// One order and what it is, worked out once.
pub(crate) struct Asked<'a> {
    pub(crate) order: &'a Order,
    pub(crate) seen: &'a Seen,
    /// See [`effect::is_reducing`].
    pub(crate) reducing: bool,
    /// See [`effect::is_hedge`].
    pub(crate) hedge: bool,
    /// See [`order_notional`].
    pub(crate) notional: Option<Money>,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(order: &'a Order, seen: &'a Seen) -> Self {
        let account = &seen.account;
        Self {
            order,
            seen,
            reducing: effect::is_reducing(order, &account.holdings, &account.working),
            hedge: effect::is_hedge(order, seen),
            notional: order_notional(order, seen),
        }
    }

    /// Units of all legs: the shares, or the contracts of all legs together.
    pub(crate) fn units(&self) -> u64 {
        self.order
            .legs
            .iter()
            .map(|leg| leg.signed_units(self.order.quantity).unsigned_abs())
            .fold(0, u64::saturating_add)
    }

    /// Its legs, each with what was seen of its instrument.
    pub(crate) fn legs(&self) -> impl Iterator<Item = (&'a OrderLeg, Option<&'a InstrumentSeen>)> {
        let seen = self.seen;
        self.order.legs.iter().map(move |leg| (leg, seen.market.instrument(leg.tradable)))
    }
}
