//! First-in-first-out lots of one strategy, with realised and unrealised profit and loss. The account is the sum of its strategies.

use crate::marks::{Held, Mark, value};
use agenttrader_core::money::Money;
use agenttrader_core::order::Tradable;
use agenttrader_core::price::Price;
use std::collections::{BTreeMap, VecDeque};
use uuid::Uuid;

/// What one fill, or one part of it, brought in at one price. Never of quantity zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Signed shares or contracts still held of it.
    pub quantity: i64,
    /// Dollars a share.
    pub price: Price,
    /// The story it belongs to.
    pub correlation_id: Uuid,
}

/// What is held of one instrument: lots of one sign, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    lots: VecDeque<Lot>,
    quantity: i64,
    mark: Mark,
}

impl Holding {
    /// Signed shares or contracts.
    pub const fn quantity(&self) -> i64 {
        self.quantity
    }

    /// Its mark.
    pub const fn mark(&self) -> Mark {
        self.mark
    }

    /// Its lots, oldest first.
    pub fn lots(&self) -> impl Iterator<Item = &Lot> {
        self.lots.iter()
    }

    /// What was paid for it, fees left out; negative for a short.
    pub fn cost(&self, tradable: &Tradable) -> Money {
        self.lots.iter().map(|lot| value(tradable, lot.quantity, lot.price)).sum()
    }

    /// What it would bring at its mark; negative for a short.
    pub fn value(&self, tradable: &Tradable) -> Money {
        value(tradable, self.quantity, self.mark.price)
    }
}

/// The lots of one strategy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    holdings: BTreeMap<Tradable, Holding>,
    realised: Money,
    fees: Money,
    cash: Money,
}

impl Ledger {
    /// Books `quantity` (signed) at a price: closes the oldest lots of the other sign first, and opens a lot with the rest.
    /// Returns what closing realised, fees left out.
    pub fn book(&mut self, tradable: Tradable, quantity: i64, price: Price, correlation_id: Uuid) -> Money {
        if quantity == 0 {
            return Money::ZERO;
        }
        self.cash = self.cash.minus(value(&tradable, quantity, price));
        let holding = self.holdings.entry(tradable).or_insert_with(|| Holding {
            lots: VecDeque::new(),
            quantity: 0,
            mark: Mark { price, fresh: false },
        });
        let (mut rest, mut realised) = (quantity, Money::ZERO);
        while let Some(lot) =
            holding.lots.front_mut().filter(|lot| lot.quantity.signum() == rest.signum().saturating_neg())
        {
            let closed = rest.saturating_abs().min(lot.quantity.saturating_abs()).saturating_mul(lot.quantity.signum());
            realised = realised.plus(value(&tradable, closed, price)).minus(value(&tradable, closed, lot.price));
            lot.quantity = lot.quantity.saturating_sub(closed);
            rest = rest.saturating_add(closed);
            if lot.quantity == 0 {
                holding.lots.pop_front();
            }
            if rest == 0 {
                break;
            }
        }
        if rest != 0 {
            holding.lots.push_back(Lot { quantity: rest, price, correlation_id });
        }
        holding.quantity = holding.quantity.saturating_add(quantity);
        if holding.quantity == 0 {
            self.holdings.remove(&tradable);
        }
        self.realised = self.realised.plus(realised);
        realised
    }

    /// Books the fees of a fill.
    pub fn pay(&mut self, fees: Money) {
        self.fees = self.fees.plus(fees);
        self.cash = self.cash.minus(fees);
    }

    /// What is held, in order of instrument.
    pub fn holdings(&self) -> impl Iterator<Item = (&Tradable, &Holding)> {
        self.holdings.iter()
    }

    /// What is held of one instrument.
    pub fn holding(&self, tradable: &Tradable) -> Option<&Holding> {
        self.holdings.get(tradable)
    }

    /// Renews the marks: `price` says what a holding is worth now, or nothing when no fresh quote does.
    pub fn mark(&mut self, price: impl Fn(&Tradable, Held) -> Option<Price>) {
        for (tradable, holding) in &mut self.holdings {
            holding.mark.renew(price(tradable, Held::of(holding.quantity)));
        }
    }

    /// Sets the mark of one instrument, as of now.
    pub fn mark_at(&mut self, tradable: &Tradable, price: Price) {
        if let Some(holding) = self.holdings.get_mut(tradable) {
            holding.mark.renew(Some(price));
        }
    }

    /// Whether every mark is of now. Where nothing is held there is nothing to doubt.
    pub fn is_fresh(&self) -> bool {
        self.holdings.values().all(|holding| holding.mark.fresh)
    }

    /// Profit and loss of what was closed, fees left out.
    pub const fn realised(&self) -> Money {
        self.realised
    }

    /// Fees paid.
    pub const fn fees(&self) -> Money {
        self.fees
    }

    /// What fills and fees brought in or took out.
    pub const fn cash(&self) -> Money {
        self.cash
    }

    /// What the holdings would bring at their marks.
    pub fn value(&self) -> Money {
        self.holdings.iter().map(|(tradable, holding)| holding.value(tradable)).sum()
    }

    /// Profit and loss of what is held, at its marks.
    pub fn unrealised(&self) -> Money {
        self.holdings.iter().map(|(tradable, holding)| holding.value(tradable).minus(holding.cost(tradable))).sum()
    }

    /// Realised and unrealised, less fees.
    pub fn profit(&self) -> Money {
        self.realised.plus(self.unrealised()).minus(self.fees)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_core::symbol::Symbol;
    use proptest::prelude::*;

    fn shares() -> Tradable {
        Tradable::Equity { symbol: Symbol::parse("SPY").unwrap() }
    }

    fn dollars(text: &str) -> Price {
        Price::parse(text).unwrap()
    }

    #[test]
    fn the_oldest_lot_closes_first() {
        let mut ledger = Ledger::default();
        ledger.book(shares(), 10, dollars("100"), Uuid::nil());
        ledger.book(shares(), 10, dollars("110"), Uuid::nil());
        assert_eq!(ledger.book(shares(), -15, dollars("120"), Uuid::nil()), Money::from_dollars(10 * 20 + 5 * 10));
        let left: Vec<i64> = ledger.holding(&shares()).unwrap().lots().map(|lot| lot.quantity).collect();
        assert_eq!(left, [5]);
        assert_eq!(ledger.holding(&shares()).unwrap().cost(&shares()), Money::from_dollars(550));
    }

    #[test]
    fn a_fill_through_zero_closes_and_opens() {
        let mut ledger = Ledger::default();
        ledger.book(shares(), 10, dollars("100"), Uuid::nil());
        assert_eq!(ledger.book(shares(), -25, dollars("99"), Uuid::nil()), Money::from_dollars(-10));
        let holding = ledger.holding(&shares()).unwrap();
        assert_eq!((holding.quantity(), holding.cost(&shares())), (-15, Money::from_dollars(-15 * 99)));
        assert_eq!(ledger.book(shares(), 15, dollars("90"), Uuid::nil()), Money::from_dollars(15 * 9));
        assert!(ledger.holding(&shares()).is_none());
    }

    /// One unit at a time, each matched with the oldest of the other sign: slow and plain.
    fn naive(fills: &[(i64, i64)]) -> (Money, i64, Money) {
        let (mut open, mut realised): (Vec<(i64, i64)>, i128) = (Vec::new(), 0);
        for (quantity, cents) in fills {
            for _ in 0..quantity.abs() {
                match open.first().copied().filter(|(sign, _)| *sign == -quantity.signum()) {
                    Some((sign, price)) => {
                        realised += i128::from((cents - price) * sign);
                        open.remove(0);
                    }
                    None => open.push((quantity.signum(), *cents)),
                }
            }
        }
        let nanos = |cents: i128| Money::from_nanos(cents * 10_000_000);
        let cost: i128 = open.iter().map(|(sign, price)| i128::from(sign * price)).sum();
        (nanos(realised), open.iter().map(|(sign, _)| sign).sum(), nanos(cost))
    }

    proptest! {
        #[test]
        fn lots_agree_with_matching_unit_by_unit(fills in prop::collection::vec((-9_i64..=9, 1_i64..2_000), 0..40)) {
            let mut ledger = Ledger::default();
            for (quantity, cents) in &fills {
                ledger.book(shares(), *quantity, Price::from_nanos(cents * 10_000_000), Uuid::nil());
            }
            let (realised, quantity, cost) = naive(&fills);
            prop_assert_eq!(ledger.realised(), realised);
            let held = ledger.holding(&shares());
            prop_assert_eq!(held.map_or(0, Holding::quantity), quantity);
            prop_assert_eq!(held.map_or(Money::ZERO, |holding| holding.cost(&shares())), cost);
        }

        #[test]
        fn cash_and_value_are_profit(fills in prop::collection::vec((-9_i64..=9, 1_i64..2_000), 0..40), mark in 1_i64..2_000, fee in 0_i64..100) {
            let mut ledger = Ledger::default();
            for (quantity, cents) in &fills {
                ledger.book(shares(), *quantity, Price::from_nanos(cents * 10_000_000), Uuid::nil());
                ledger.pay(Money::from_nanos(i128::from(fee)));
            }
            ledger.mark(|_, _| Some(Price::from_nanos(mark * 10_000_000)));
            prop_assert_eq!(ledger.cash().plus(ledger.value()), ledger.profit());
            prop_assert!(ledger.is_fresh());
        }
    }
}
