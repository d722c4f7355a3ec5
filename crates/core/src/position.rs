//! Positions, working orders and outcomes, as a strategy sees its own.

use crate::money::Money;
use crate::order::{Intent, OrderLeg, OrderType, Tradable};
use crate::price::Price;
use crate::quantity::Quantity;
use crate::reason::Reason;
use crate::symbol::Symbol;
use crate::time::UnixNanos;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a strategy holds of one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Of what.
    pub tradable: Tradable,
    /// Signed shares or contracts; never zero.
    pub quantity: i64,
    /// What was paid for it, fees left out; negative for a short.
    pub cost: Money,
}

/// A proposal of a strategy whose order works, or waits for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Working {
    /// The proposal.
    pub proposal_id: Uuid,
    /// What it is for.
    pub intent: Intent,
    /// Its underlying.
    pub underlying: Symbol,
    /// Its legs.
    pub legs: Vec<OrderLeg>,
    /// Units still unfilled.
    pub remaining: Quantity,
    /// Market or limit.
    pub order_type: OrderType,
    /// When it lapses.
    pub valid_until: UnixNanos,
}

/// How a proposal ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The gate refused it for a reason beyond the posture.
    Refused {
        /// Every reason.
        reasons: Vec<Reason>,
    },
    /// It was filled whole.
    Filled {
        /// Net price of one unit; a debit is positive.
        price: Price,
    },
    /// Its time ran out unfilled.
    Lapsed,
}

/// A proposal that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The proposal.
    pub proposal_id: Uuid,
    /// Its underlying.
    pub underlying: Symbol,
    /// What it was for.
    pub intent: Intent,
    /// How it ended.
    pub ending: Ending,
    /// When, venue time.
    pub at: UnixNanos,
}

/// What a strategy sees of its own doings, as they stand before it is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What it holds, in order of instrument.
    pub positions: Vec<Position>,
    /// Its working orders, oldest first.
    pub working: Vec<Working>,
    /// Its proposals that ended since it was asked last, oldest first.
    pub ended: Vec<Ended>,
}
