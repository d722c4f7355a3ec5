//! The read-only API: every route, and the document that describes them.
//!
//! There is no route but `GET`, and none that changes anything: the guard refuses every other method before anything is routed.

mod agents;
mod ask;
mod audit;
mod events;
mod market;
mod records;
mod safety;

use crate::access::Access;
use crate::hub::Hub;
use agenttrader_agent::guard::{Hosts, Problem, read_only};
use agenttrader_agent::health::{self, StatusBoard};
use axum::Router;
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;
use utoipa::{OpenApi, ToSchema};

pub use agents::AgentDetail;
pub use agenttrader_agent::health::serve;
pub use audit::AuditAnswer;
pub use events::Beat;
pub use market::{GexAnswer, MarketAnswer, PnlAnswer, PositionsAnswer};
pub use safety::{AgentInBrief, SafetyAnswer, SafetySource};

/// Where the routes begin that are for whom is let in: the API, and mission control's own log. What lies elsewhere are the endpoints of every
/// agent.
const GUARDED: [&str; 2] = ["/api/", "/audit/"];

/// A part of a list, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct List<T> {
    /// The items.
    pub items: Vec<T>,
    /// `before` of the next part; null when this was the last.
    #[schema(required = true)]
    pub next: Option<String>,
}

/// Routes answer with this when they do not answer.
pub(crate) type Refused = Problem;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "AgentTrader mission control",
        version = "1",
        description = "Read-only. Every route is GET; any other method is answered with 405. Times are RFC 3339 UTC; prices and amounts are \
                       decimal strings; lists are newest first. Text of agents stands in `rationale`, `intent_summary`, `intent_payload`, \
                       `summary` and `error`: show it as theirs, never as markup. Beyond loopback a bearer token, or a trusted proxy, is needed."
    ),
    paths(
        agents::agents,
        agents::agent,
        safety::safety,
        audit::audit,
        records::proposals,
        records::proposal,
        records::decisions,
        records::orders,
        market::positions,
        market::pnl,
        market::market,
        market::gex,
        events::recent,
        events::stream,
        openapi_json,
    ),
    components(schemas(crate::item::Event, Beat))
)]
struct Document;

/// The OpenAPI document of every route under `/api/v1`, as JSON.
pub fn openapi() -> String {
    Document::openapi().to_pretty_json().unwrap_or_default()
}

/// Every route: the API for whom `access` lets in, and the endpoints of every agent, behind the guard.
pub fn router(hub: Arc<Hub>, board: Arc<StatusBoard>, access: Access, hosts: Hosts) -> Router {
    let api = Router::new()
        .route("/api/v1/agents", get(agents::agents))
        .route("/api/v1/agents/{agent_name}", get(agents::agent))
        .route("/api/v1/safety", get(safety::safety))
        .route("/api/v1/audit", get(audit::audit))
        .route("/api/v1/proposals", get(records::proposals))
        .route("/api/v1/proposals/{id}", get(records::proposal))
        .route("/api/v1/decisions", get(records::decisions))
        .route("/api/v1/orders", get(records::orders))
        .route("/api/v1/positions", get(market::positions))
        .route("/api/v1/pnl", get(market::pnl))
        .route("/api/v1/market/{symbol}", get(market::market))
        .route("/api/v1/market/{symbol}/gex", get(market::gex))
        .route("/api/v1/events/recent", get(events::recent))
        .route("/api/v1/events/stream", get(events::stream))
        .route("/api/v1/openapi.json", get(openapi_json))
        .with_state(hub);
    // Also what is not routed asks who reads, so that nobody can try out which routes there are.
    let all = api.merge(health::routes(board)).layer(from_fn_with_state(Arc::new(access), admit));
    read_only(all, hosts)
}

async fn admit(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let is_guarded = GUARDED.iter().any(|start| request.uri().path().starts_with(start));
    if is_guarded && !access.allows(peer, request.headers()) {
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "a bearer token is needed: `Authorization: Bearer …`");
        return ([(WWW_AUTHENTICATE, "Bearer")], problem).into_response();
    }
    next.run(request).await
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    responses(
        (status = 200, description = "OpenAPI 3.1", body = Object),
        (status = 400, description = "Bad input", body = Problem, content_type = "application/problem+json")
    )
)]
async fn openapi_json(_: ask::Asked<ask::Nothing>) -> Response {
    ([(CONTENT_TYPE, "application/json")], openapi()).into_response()
}
