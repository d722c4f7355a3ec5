//! The trading account.

use crate::wire::number::money;
use agenttrader_core::money::Money;
use serde::{Deserialize, Serialize};

/// Body of `/v2/account`. Amounts are decimal strings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// A UUID.
    pub id: String,
    /// For people.
    pub account_number: String,
    /// `ACTIVE`, ….
    pub status: String,
    /// `USD`.
    #[serde(default)]
    pub currency: String,
    /// Cash.
    #[serde(with = "money", default)]
    pub cash: Money,
    /// What can be bought with margin.
    #[serde(with = "money", default)]
    pub buying_power: Money,
    /// The same by Regulation T.
    #[serde(with = "money", default)]
    pub regt_buying_power: Money,
    /// What can be bought without margin.
    #[serde(with = "money", default)]
    pub non_marginable_buying_power: Money,
    /// What can be bought in options.
    #[serde(with = "money", default)]
    pub options_buying_power: Money,
    /// Cash and positions.
    #[serde(with = "money", default)]
    pub equity: Money,
    /// Equity at the last close.
    #[serde(with = "money", default)]
    pub last_equity: Money,
    /// As `equity`.
    #[serde(with = "money", default)]
    pub portfolio_value: Money,
    /// Value of what is held.
    #[serde(with = "money", default)]
    pub long_market_value: Money,
    /// Value of what is owed; not positive.
    #[serde(with = "money", default)]
    pub short_market_value: Money,
    /// Margin to open what stands.
    #[serde(with = "money", default)]
    pub initial_margin: Money,
    /// Margin to keep what stands.
    #[serde(with = "money", default)]
    pub maintenance_margin: Money,
    /// The same at the last close.
    #[serde(with = "money", default)]
    pub last_maintenance_margin: Money,
    /// Special memorandum account.
    #[serde(with = "money", default)]
    pub sma: Money,
    /// Fees not yet taken.
    #[serde(with = "money", default)]
    pub accrued_fees: Money,
    /// `1`, `2` or `4`.
    #[serde(default)]
    pub multiplier: String,
    /// When it was opened, RFC 3339.
    #[serde(default)]
    pub created_at: String,
    /// Level asked for and granted in options, 0 to 3.
    #[serde(default)]
    pub options_approved_level: u8,
    /// Level in use in options, 0 to 3.
    #[serde(default)]
    pub options_trading_level: u8,
    /// No orders at all.
    #[serde(default)]
    pub trading_blocked: bool,
    /// No transfers.
    #[serde(default)]
    pub transfers_blocked: bool,
    /// Nothing.
    #[serde(default)]
    pub account_blocked: bool,
    /// The user's own stop.
    #[serde(default)]
    pub trade_suspended_by_user: bool,
    /// Whether short sales are allowed.
    #[serde(default)]
    pub shorting_enabled: bool,
}

impl Account {
    /// A margin account with this much cash and nothing held.
    pub fn with_cash(id: String, account_number: String, created_at: String, cash: Money) -> Self {
        let margin = cash.times(2);
        Self {
            id,
            account_number,
            status: "ACTIVE".to_owned(),
            currency: "USD".to_owned(),
            cash,
            buying_power: margin,
            regt_buying_power: margin,
            non_marginable_buying_power: cash,
            options_buying_power: cash,
            equity: cash,
            last_equity: cash,
            portfolio_value: cash,
            long_market_value: Money::ZERO,
            short_market_value: Money::ZERO,
            initial_margin: Money::ZERO,
            maintenance_margin: Money::ZERO,
            last_maintenance_margin: Money::ZERO,
            sma: cash,
            accrued_fees: Money::ZERO,
            multiplier: "2".to_owned(),
            created_at,
            options_approved_level: 3,
            options_trading_level: 3,
            trading_blocked: false,
            transfers_blocked: false,
            account_blocked: false,
            trade_suspended_by_user: false,
            shorting_enabled: true,
        }
    }
}
