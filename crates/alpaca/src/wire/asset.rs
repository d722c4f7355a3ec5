//! Assets: what the broker knows of a ticker.

use serde::{Deserialize, Serialize};

/// One asset of `/v2/assets`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asset {
    /// A UUID.
    pub id: String,
    /// `us_equity`, `us_option` or `crypto`.
    pub class: String,
    /// `NYSE`, `NASDAQ`, `ARCA`, ….
    pub exchange: String,
    /// Ticker.
    pub symbol: String,
    /// In words.
    #[serde(default)]
    pub name: String,
    /// `active` or `inactive`.
    pub status: String,
    /// Whether it can be traded here.
    pub tradable: bool,
    /// Whether it can be bought on margin.
    #[serde(default)]
    pub marginable: bool,
    /// Whether it can be sold short.
    #[serde(default)]
    pub shortable: bool,
    /// Whether it is easy to borrow. Always written: Alpaca's own client needs the key.
    #[serde(default)]
    pub easy_to_borrow: bool,
    /// Whether fractions of a share can be traded.
    #[serde(default)]
    pub fractionable: bool,
    /// Percent of market value.
    #[serde(default)]
    pub maintenance_margin_requirement: Option<f64>,
    /// Percent of market value of a long position, a decimal string.
    #[serde(default)]
    pub margin_requirement_long: Option<String>,
    /// Percent of market value of a short position, a decimal string.
    #[serde(default)]
    pub margin_requirement_short: Option<String>,
    /// `has_options`, `overnight_tradable`, ….
    #[serde(default)]
    pub attributes: Vec<String>,
}
