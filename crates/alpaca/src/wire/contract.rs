//! Option contracts, with their open interest.

use serde::{Deserialize, Serialize};

/// One option contract. Numbers are decimal strings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// A UUID.
    pub id: String,
    /// OCC symbol without padding.
    pub symbol: String,
    /// In words.
    #[serde(default)]
    pub name: String,
    /// `active` or `inactive`.
    pub status: String,
    /// Whether it can be traded here.
    pub tradable: bool,
    /// Last day.
    pub expiration_date: jiff::civil::Date,
    /// Root of the OCC symbol.
    #[serde(default)]
    pub root_symbol: Option<String>,
    /// Ticker of the underlying.
    pub underlying_symbol: String,
    /// A UUID.
    #[serde(default)]
    pub underlying_asset_id: Option<String>,
    /// `call` or `put`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `american` or `european`.
    pub style: String,
    /// Dollars.
    pub strike_price: String,
    /// Shares a contract stands for when prices are multiplied out.
    #[serde(default)]
    pub multiplier: Option<String>,
    /// Shares a contract delivers.
    #[serde(default)]
    pub size: Option<String>,
    /// Contracts open; null where none was published.
    #[serde(default)]
    pub open_interest: Option<String>,
    /// The day it counts for.
    #[serde(default)]
    pub open_interest_date: Option<jiff::civil::Date>,
    /// Last close, dollars.
    #[serde(default)]
    pub close_price: Option<String>,
    /// The day of that close.
    #[serde(default)]
    pub close_price_date: Option<jiff::civil::Date>,
    /// In the penny program: ticks of a cent.
    #[serde(default)]
    pub ppind: Option<bool>,
}

impl Contract {
    /// Contracts open, if published and a whole number.
    pub fn open_interest(&self) -> Option<u64> {
        self.open_interest.as_deref()?.parse().ok()
    }
}

/// One page of `/v2/options/contracts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractsPage {
    /// In order of symbol.
    pub option_contracts: Vec<Contract>,
    /// Where the next page begins; null on the last.
    #[serde(default)]
    pub next_page_token: Option<String>,
}
