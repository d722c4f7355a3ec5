//! Limits that a grant lowers. What it does not name stays as configured; nothing is ever raised.

use agenttrader_core::money::Money;
use serde::{Deserialize, Serialize};

/// Bounds by the names that `configs/risk.toml` gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "each field is the limit of its name; see `safety::limits`")]
pub struct GrantLimits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares: Option<GrantOrderLimits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<GrantOrderLimits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position_shares: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concentration_bp: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gross_exposure_bp: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_orders: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders_per_second: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders_per_minute: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_orders: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_notional_usd: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_hedges: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_hedge_notional_usd: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_loss_bp: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawdown_bp: Option<u32>,
}

/// Bounds on one order of one asset class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "each field is the limit of its name; see `safety::limits`")]
pub struct GrantOrderLimits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_quantity: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_notional_usd: Option<Money>,
}

impl GrantLimits {
    /// Whether it lowers nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
