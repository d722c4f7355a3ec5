//! Snapshots: the latest of everything about a symbol.

use crate::wire::bar::Bar;
use crate::wire::quote::Quote;
use crate::wire::trade::Trade;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Body of `/v2/stocks/snapshots`: a flat map, for any key besides would be read as a symbol.
pub type Snapshots = BTreeMap<String, Snapshot>;

/// A stock's snapshot. Null where there is nothing yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Snapshot {
    /// Last print that sets a price.
    pub latest_trade: Option<Trade>,
    /// Best bid and ask.
    pub latest_quote: Option<Quote>,
    /// The last minute that ended.
    pub minute_bar: Option<Bar>,
    /// Today.
    pub daily_bar: Option<Bar>,
    /// The session before.
    pub prev_daily_bar: Option<Bar>,
}

/// Body of `/v2/stocks/{symbol}/snapshot`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolSnapshot {
    /// Whose.
    pub symbol: String,
    /// Its snapshot.
    #[serde(flatten)]
    pub snapshot: Snapshot,
}

/// An option's snapshot. What is not known is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OptionSnapshot {
    /// Last print.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_trade: Option<Trade>,
    /// Best bid and ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_quote: Option<Quote>,
    /// The last minute that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minute_bar: Option<Bar>,
    /// Today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_bar: Option<Bar>,
    /// The session before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev_daily_bar: Option<Bar>,
    /// Volatility a year, a fraction: 0.2 is 20 %.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub implied_volatility: Option<f64>,
    /// Sensitivities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greeks: Option<Greeks>,
}

/// Black-Scholes sensitivities as the venue computes them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Greeks {
    /// Dollars a dollar of the underlying.
    pub delta: f64,
    /// Delta a dollar of the underlying.
    pub gamma: f64,
    /// Dollars a calendar day.
    pub theta: f64,
    /// Dollars a point of volatility.
    pub vega: f64,
    /// Dollars a point of rate.
    pub rho: f64,
}

/// One page of option snapshots, of a list of contracts or of a whole chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptionSnapshotsPage {
    /// By OCC symbol.
    pub snapshots: BTreeMap<String, OptionSnapshot>,
    /// Where the next page begins; null on the last.
    #[serde(default)]
    pub next_page_token: Option<String>,
}
