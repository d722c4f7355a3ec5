//! What the scalper holds of one underlying, and what it is exposed to.

use super::settings::{Hedge, Settings};
use crate::moment::Moment;
use agenttrader_core::instrument::{InstrumentId, OptionContract, Right};

/// Contracts and hedge shares of one underlying.
#[derive(Clone, Debug)]
pub(super) struct Holding {
    pub(super) legs: Vec<Leg>,
    pub(super) hedge: Option<Hedge>,
    /// Shares of the hedge instrument.
    pub(super) shares: i64,
}

/// Contracts of one kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    pub(super) id: InstrumentId,
    pub(super) option: OptionContract,
    pub(super) quantity: i64,
}

/// Net delta in contract-equivalents: 1 stands for a hundred units of the underlying.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NetDelta {
    /// Of the contracts.
    pub(super) options: f64,
    /// Of contracts and hedge.
    pub(super) net: f64,
    /// Whether the delta of some contract is that of its intrinsic value, because nothing says another.
    pub(super) by_intrinsic: bool,
}

impl Holding {
    pub(super) fn of(moment: &Moment<'_>, settings: &Settings) -> Self {
        let hedge = settings.hedge(moment);
        let leg = |position: &agenttrader_core::position::Position| {
            let id = moment.book.instruments().by_contract(&position.tradable.contract()?)?;
            Some(Leg { id, option: *moment.contract(id)?, quantity: position.quantity })
        };
        let legs = moment.positions().filter_map(leg).collect();
        Self { legs, hedge, shares: hedge.map_or(0, |hedge| moment.shares(hedge.symbol)) }
    }

    pub(super) fn is_flat(&self) -> bool {
        self.legs.is_empty() && self.shares == 0
    }

    /// Straddles held; what is left of one counts as one.
    pub(super) fn straddles(&self) -> i64 {
        let of = |right: Right| -> i64 {
            let legs = self.legs.iter().filter(|leg| leg.option.right() == right);
            legs.fold(0, |sum: i64, leg| sum.saturating_add(leg.quantity.saturating_abs()))
        };
        of(Right::Call).max(of(Right::Put))
    }

    /// Its net delta. None where the underlying has no price or nothing hedges it.
    pub(super) fn delta(&self, moment: &Moment<'_>) -> Option<NetDelta> {
        let (spot, hedge) = (moment.spot()?, self.hedge?);
        let (mut options, mut by_intrinsic) = (0.0, false);
        for leg in &self.legs {
            let delta = moment.book.delta(leg.id).filter(|delta| delta.is_finite());
            by_intrinsic |= delta.is_none();
            let intrinsic = match leg.option.right() {
                Right::Call if spot > leg.option.strike() => 1.0,
                Right::Put if spot < leg.option.strike() => -1.0,
                Right::Call | Right::Put => 0.0,
            };
            options += delta.unwrap_or(intrinsic) * leg.quantity as f64;
        }
        let net = options + self.shares as f64 / (100.0 * hedge.ratio);
        Some(NetDelta { options, net, by_intrinsic })
    }

    /// Whether an order of the strategy works in the underlying or in its hedge.
    pub(super) fn is_working(&self, moment: &Moment<'_>) -> bool {
        let in_hedge = self.hedge.is_some_and(|hedge| moment.working(hedge.symbol).next().is_some());
        in_hedge || moment.working(moment.symbol).next().is_some()
    }
}
