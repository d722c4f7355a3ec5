//! Exposure in fixed point: what limits measure.
//!
//! Exposure is per underlying and net, in shares-equivalent: Σ delta × multiplier × quantity of what is held, and of what works on its worse side.

use crate::delta::Delta;
use crate::measure::div_up;
use crate::seen::{Market, Seen, WorkingOrder};
use agenttrader_core::decimal;
use agenttrader_core::money::Money;
use agenttrader_core::order::{Order, Tradable};
use agenttrader_core::symbol::Symbol;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A number of shares-equivalent, in billionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shares(i128);

impl Shares {
    /// That many whole shares.
    pub(crate) fn whole(count: u32) -> Self {
        Self(i128::from(count).saturating_mul(decimal::SCALE))
    }

    /// Billionths of a share.
    pub(crate) const fn nanos(self) -> i128 {
        self.0
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal::write_billionths(self.0, out)
    }
}

/// The lowest and highest a sum can become, over every way in which the working orders fill or do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) low: i128,
    pub(crate) high: i128,
}

impl Range {
    /// Takes in what is certain.
    fn certain(&mut self, amount: i128) -> Option<()> {
        self.low = self.low.checked_add(amount)?;
        self.high = self.high.checked_add(amount)?;
        Some(())
    }

    /// Takes in what may come or not.
    fn possible(&mut self, amount: i128) -> Option<()> {
        self.low = self.low.checked_add(amount.min(0))?;
        self.high = self.high.checked_add(amount.max(0))?;
        Some(())
    }

    /// The larger size of its ends.
    fn worst(self) -> Option<i128> {
        Some(self.low.checked_abs()?.max(self.high.checked_abs()?))
    }
}

/// What is held and what works, and one order as if it were filled.
#[derive(Clone, Copy)]
pub(crate) struct Exposure<'a> {
    pub(crate) seen: &'a Seen,
    pub(crate) order: Option<&'a Order>,
}

impl Exposure<'_> {
    /// Net shares-equivalent of one underlying, in billionths; `None` while the delta of a part is not known.
    pub(crate) fn net(&self, underlying: Symbol) -> Option<Range> {
        let market = &self.seen.market;
        let mut net = Range::default();
        for (tradable, units) in self.certain().filter(|(tradable, _)| tradable.underlying() == underlying) {
            net.certain(delta_of(tradable, units, market)?)?;
        }
        for working in &self.seen.account.working {
            net.possible(working_delta(working, underlying, market)?)?;
        }
        Some(net)
    }

    /// The same of the proposing strategy alone, without the order asked about.
    pub(crate) fn net_of_strategy(&self, underlying: Symbol) -> Option<Range> {
        let (market, account) = (&self.seen.market, &self.seen.account);
        let mut net = Range::default();
        for holding in account.strategy.holdings.iter().filter(|held| held.tradable.underlying() == underlying) {
            net.certain(delta_of(holding.tradable, i128::from(holding.quantity), market)?)?;
        }
        for working in account.working.iter().filter(|order| order.strategy_name == account.strategy.strategy_name) {
            net.possible(working_delta(working, underlying, market)?)?;
        }
        Some(net)
    }

    /// The size of the net, on its worse side.
    pub(crate) fn position(&self, underlying: Symbol) -> Option<Shares> {
        self.net(underlying)?.worst().map(Shares)
    }

    /// Dollars of one underlying: the size of its net at spot, and the premium of its options at mark, each contract on its worse side. `None`
    /// while a delta, the spot or a mark is not known.
    pub(crate) fn dollars(&self, underlying: Symbol) -> Option<Money> {
        let net = self.position(underlying)?.nanos();
        let at_spot = if net == 0 { Money::ZERO } else { self.at_spot(net, underlying)? };
        let mut total = at_spot;
        for (tradable, range) in self.ranges()? {
            let units = range.worst()?;
            if units == 0 || !tradable.is_option() || tradable.underlying() != underlying {
                continue;
            }
            let mark = self.seen.market.instrument(tradable)?.mark?;
            let premium =
                units.checked_mul(i128::from(tradable.multiplier()))?.checked_mul(i128::from(mark.abs().nanos()))?;
            total = total.plus(Money::from_nanos(premium));
        }
        Some(total)
    }

    /// The sum of every underlying's dollars.
    pub(crate) fn gross(&self) -> Option<Money> {
        let underlyings: BTreeSet<Symbol> = self.ranges()?.into_keys().map(|tradable| tradable.underlying()).collect();
        underlyings.into_iter().map(|underlying| self.dollars(underlying)).sum()
    }

    /// Dollars of all shares at spot, options left out, each share on its worse side.
    pub(crate) fn shares_at_spot(&self) -> Option<Money> {
        let ranges = self.ranges()?.into_iter().filter(|(tradable, _)| !tradable.is_option());
        ranges
            .map(|(tradable, range)| match range.worst()? {
                0 => Some(Money::ZERO),
                units => self.at_spot(units.checked_mul(decimal::SCALE)?, tradable.underlying()),
            })
            .sum()
    }

    /// Units of every instrument held, asked for or working.
    fn ranges(&self) -> Option<BTreeMap<Tradable, Range>> {
        let mut ranges: BTreeMap<Tradable, Range> = BTreeMap::new();
        for (tradable, units) in self.certain() {
            ranges.entry(tradable).or_default().certain(units)?;
        }
        for (tradable, units) in self.seen.account.working.iter().flat_map(parts) {
            ranges.entry(tradable).or_default().possible(units)?;
        }
        Some(ranges)
    }

    fn certain(&self) -> impl Iterator<Item = (Tradable, i128)> {
        let held = self.seen.account.holdings.iter().map(|holding| (holding.tradable, i128::from(holding.quantity)));
        let asked = self.order.into_iter().flat_map(|order| {
            order.legs.iter().map(|leg| (leg.tradable, i128::from(leg.signed_units(order.quantity))))
        });
        held.chain(asked)
    }

    fn at_spot(&self, share_nanos: i128, underlying: Symbol) -> Option<Money> {
        let spot = self.seen.market.spots.iter().find(|spot| spot.symbol == underlying)?.price?;
        let product = share_nanos.checked_mul(i128::from(spot.abs().nanos()))?;
        div_up(product, decimal::SCALE).map(Money::from_nanos)
    }
}

fn parts(working: &WorkingOrder) -> impl Iterator<Item = (Tradable, i128)> {
    working.legs.iter().map(|leg| (leg.tradable, i128::from(leg.signed_units(working.remaining))))
}

/// What a working order would add to one underlying if it filled, in billionths of a share.
fn working_delta(working: &WorkingOrder, underlying: Symbol, market: &Market) -> Option<i128> {
    let whole = parts(working).filter(|(tradable, _)| tradable.underlying() == underlying);
    whole.map(|(tradable, units)| delta_of(tradable, units, market)).sum()
}

/// Shares-equivalent of so many units, in billionths.
fn delta_of(tradable: Tradable, units: i128, market: &Market) -> Option<i128> {
    if units == 0 {
        return Some(0);
    }
    let delta = if tradable.is_option() { market.instrument(tradable)?.delta? } else { Delta::ONE };
    units.checked_mul(i128::from(tradable.multiplier()))?.checked_mul(i128::from(delta.nanos()))
}
