//! `/api/v1/market/{symbol}`, `/gex`, `/api/v1/positions`, `/api/v1/pnl`: the last readings. Without readings these answer 503 and say why.

use super::Refused;
use super::ask::{Asked, Named, Nothing, bad};
use crate::hub::Hub;
use crate::reading::{AccountPnl, GammaExposure, Ledger, Market, Position, StrategyPnl};
use crate::view::Taken;
use agenttrader_agent::clock;
use agenttrader_agent::guard::Problem;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;
use utoipa::ToSchema;

const NO_READINGS: &str =
    "no readings here: they come from a floor in the same process; mission control alone has statuses and records only";

/// An underlying's last reading.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MarketAnswer {
    /// The reading.
    #[serde(flatten)]
    pub market: Market,
    /// Milliseconds since it came.
    pub reading_age_ms: u64,
}

/// An underlying's last gamma exposure.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GexAnswer {
    /// The reading.
    #[serde(flatten)]
    pub exposure: GammaExposure,
    /// Milliseconds since it came.
    pub reading_age_ms: u64,
}

/// Every position.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PositionsAnswer {
    /// Venue time of the reading.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: UnixNanos,
    /// Milliseconds since it came.
    pub reading_age_ms: u64,
    /// `SHADOW` where no order was ever sent.
    #[schema(example = "SHADOW")]
    pub account: String,
    /// The positions, by strategy and instrument.
    pub items: Vec<Position>,
    /// Always null: all of them are here.
    #[schema(value_type = Option<String>, required = true)]
    pub next: Option<String>,
}

/// Profit and loss.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PnlAnswer {
    /// Venue time of the reading.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: UnixNanos,
    /// Milliseconds since it came.
    pub reading_age_ms: u64,
    /// `SHADOW` where no order was ever sent.
    #[schema(example = "SHADOW")]
    pub account: String,
    /// By strategy.
    pub strategies: Vec<StrategyPnl>,
    /// Of the account, with what of its limits is used.
    pub total: AccountPnl,
}

/// What is known of an underlying: last quote and trade, chain, flow, freshness.
#[utoipa::path(
    get,
    path = "/api/v1/market/{symbol}",
    params(("symbol" = String, Path, description = "A ticker, such as SPY")),
    responses(
        (status = 200, description = "The last reading", body = MarketAnswer),
        (status = 400, description = "Bad input", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not followed", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "No readings", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn market(
    State(hub): State<Arc<Hub>>,
    Named(symbol): Named,
    _: Asked<Nothing>,
) -> Result<Json<MarketAnswer>, Refused> {
    let taken = market_of(&hub, &symbol)?;
    Ok(Json(MarketAnswer { market: Market::clone(&taken.reading), reading_age_ms: age_ms(taken.at) }))
}

/// Gamma exposure of an underlying: by strike and expiration, walls, zero gamma, regime.
#[utoipa::path(
    get,
    path = "/api/v1/market/{symbol}/gex",
    params(("symbol" = String, Path, description = "A ticker, such as SPY")),
    responses(
        (status = 200, description = "The last reading", body = GexAnswer),
        (status = 400, description = "Bad input", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not followed, or without options", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "No readings, or none of its options yet", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn gex(
    State(hub): State<Arc<Hub>>,
    Named(symbol): Named,
    _: Asked<Nothing>,
) -> Result<Json<GexAnswer>, Refused> {
    let market = market_of(&hub, &symbol)?;
    let exposure = hub.view().exposure(market.reading.symbol).cloned();
    match exposure {
        Some(taken) => {
            Ok(Json(GexAnswer { exposure: GammaExposure::clone(&taken.reading), reading_age_ms: age_ms(taken.at) }))
        }
        None if market.reading.chain.is_none() => {
            Err(Problem::new(StatusCode::NOT_FOUND, "no options of this symbol are followed"))
        }
        None => Err(unavailable("the gamma exposure of this symbol was not computed yet")),
    }
}

/// Every position by strategy and instrument.
#[utoipa::path(
    get,
    path = "/api/v1/positions",
    responses(
        (status = 200, description = "The last reading", body = PositionsAnswer),
        (status = 400, description = "Bad input", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "No readings", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn positions(
    State(hub): State<Arc<Hub>>,
    _: Asked<Nothing>,
) -> Result<Json<PositionsAnswer>, Refused> {
    let Taken { reading, at } = ledger_of(&hub)?;
    Ok(Json(PositionsAnswer {
        as_of: reading.as_of,
        reading_age_ms: age_ms(at),
        account: reading.account.clone(),
        items: reading.positions.clone(),
        next: None,
    }))
}

/// Profit and loss by strategy and of the account.
#[utoipa::path(
    get,
    path = "/api/v1/pnl",
    responses(
        (status = 200, description = "The last reading", body = PnlAnswer),
        (status = 400, description = "Bad input", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "No readings", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn pnl(State(hub): State<Arc<Hub>>, _: Asked<Nothing>) -> Result<Json<PnlAnswer>, Refused> {
    let Taken { reading, at } = ledger_of(&hub)?;
    Ok(Json(PnlAnswer {
        as_of: reading.as_of,
        reading_age_ms: age_ms(at),
        account: reading.account.clone(),
        strategies: reading.strategies.clone(),
        total: reading.total.clone(),
    }))
}

fn market_of(hub: &Hub, symbol: &str) -> Result<Taken<Market>, Refused> {
    let symbol =
        Symbol::parse(symbol).map_err(|_| bad("not a symbol: 1 to 8 of A-Z, 0-9 and `.`, beginning with a letter"))?;
    let view = hub.view();
    match view.market(symbol) {
        Some(taken) => Ok(taken.clone()),
        None if view.has_markets() => Err(Problem::new(StatusCode::NOT_FOUND, "this symbol is not followed")),
        None => Err(unavailable(NO_READINGS)),
    }
}

fn ledger_of(hub: &Hub) -> Result<Taken<Ledger>, Refused> {
    hub.view().ledger().cloned().ok_or_else(|| unavailable(NO_READINGS))
}

fn unavailable(detail: &str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
}

fn age_ms(at: Instant) -> u64 {
    u64::try_from(clock::monotonic().saturating_duration_since(at).as_millis()).unwrap_or(u64::MAX)
}
