//! Orders: what would be sent to a venue.

use crate::digest::Digest;
use crate::instrument::CONTRACT_MULTIPLIER;
use crate::occ_symbol::OccSymbol;
use crate::price::Price;
use crate::quantity::Quantity;
use crate::symbol::Symbol;
use crate::time::UnixNanos;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Side {
    /// Buy.
    Buy,
    /// Sell.
    Sell,
}

impl Side {
    /// +1 for a buy, −1 for a sell.
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }

    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        })
    }
}

/// What a proposal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Intent {
    /// Takes new risk.
    Open,
    /// Offsets the delta of what is held.
    Hedge,
    /// Ends what is held.
    Close,
}

impl fmt::Display for Intent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Open => "OPEN",
            Self::Hedge => "HEDGE",
            Self::Close => "CLOSE",
        })
    }
}

/// Market, or limit at a price. Of several legs the limit is net: a debit is positive, a credit negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "limit_price", rename_all = "UPPERCASE")]
pub enum OrderType {
    /// At whatever the far side asks.
    Market,
    /// At this price or better.
    Limit(Price),
}

/// How long an order works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TimeInForce {
    /// Until the session's close.
    #[default]
    Day,
    /// Until cancelled.
    Gtc,
    /// At once or not at all.
    Ioc,
}

/// What one leg of an order trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "asset_type", rename_all = "UPPERCASE")]
pub enum Tradable {
    /// Shares.
    Equity {
        /// Their ticker.
        symbol: Symbol,
    },
    /// Option contracts.
    Option {
        /// What they are options on.
        underlying: Symbol,
        /// Their OCC symbol.
        contract_symbol: OccSymbol,
    },
}

impl Tradable {
    /// The underlying: an option's, else the share itself.
    pub const fn underlying(&self) -> Symbol {
        match self {
            Self::Equity { symbol } => *symbol,
            Self::Option { underlying, .. } => *underlying,
        }
    }

    /// Shares one unit stands for.
    pub const fn multiplier(&self) -> u32 {
        match self {
            Self::Equity { .. } => 1,
            Self::Option { .. } => CONTRACT_MULTIPLIER,
        }
    }

    /// Whether it is an option.
    pub const fn is_option(&self) -> bool {
        matches!(self, Self::Option { .. })
    }

    /// The contract, if it is an option.
    pub const fn contract(&self) -> Option<OccSymbol> {
        match self {
            Self::Equity { .. } => None,
            Self::Option { contract_symbol, .. } => Some(*contract_symbol),
        }
    }
}

impl fmt::Display for Tradable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equity { symbol } => fmt::Display::fmt(symbol, out),
            Self::Option { contract_symbol, .. } => fmt::Display::fmt(contract_symbol, out),
        }
    }
}

/// One leg: what is traded, which way, and how many for each unit of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderLeg {
    /// What is traded.
    #[serde(flatten)]
    pub tradable: Tradable,
    /// Which way.
    pub side: Side,
    /// Units of it for one unit of the order.
    pub ratio: Quantity,
}

impl OrderLeg {
    /// Signed units of this leg for `quantity` units of the order; saturates.
    pub fn signed_units(&self, quantity: Quantity) -> i64 {
        self.side.sign().saturating_mul(self.ratio.get()).saturating_mul(quantity.get())
    }
}

/// An order, made from a well-formed proposal alone (`Proposal::order`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Order {
    /// `at-` and the first 32 hex digits of the proposal's digest: the venue refuses a second one of the same id.
    pub client_order_id: String,
    /// The proposal it comes from.
    pub proposal_id: Uuid,
    /// Digest of that proposal's body.
    pub proposal_digest: Digest,
    /// What it is for.
    pub intent: Intent,
    /// The underlying of every leg.
    pub underlying: Symbol,
    /// Its legs: one, or two to four option legs of one underlying.
    pub legs: Vec<OrderLeg>,
    /// The side of the whole.
    pub side: Side,
    /// Units of the whole.
    pub quantity: Quantity,
    /// Market or limit.
    #[serde(flatten)]
    pub order_type: OrderType,
    /// How long it works, at most until `valid_until_utc`.
    pub time_in_force: TimeInForce,
    /// What is unfilled then is cancelled.
    pub valid_until_utc: UnixNanos,
}

impl Order {
    /// The client order id for a proposal of that digest.
    pub fn client_order_id(proposal_digest: Digest) -> String {
        let hex = proposal_digest.to_string();
        format!("at-{}", hex.get(..32).unwrap_or(&hex))
    }

    /// Whether it has several legs.
    pub fn is_multi_leg(&self) -> bool {
        self.legs.len() > 1
    }

    /// Whether any leg is an option.
    pub fn has_options(&self) -> bool {
        self.legs.iter().any(|leg| leg.tradable.is_option())
    }
}
