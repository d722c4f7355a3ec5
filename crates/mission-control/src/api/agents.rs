//! `/api/v1/agents`: every agent of the inventory with its state; one agent with its last status and its last records.

use super::ask::{Asked, Named, Nothing, bad};
use super::{List, Refused};
use crate::hub::Hub;
use crate::item::{self, Event};
use crate::poll::{AgentRow, row};
use agenttrader_agent::clock;
use agenttrader_agent::guard::Problem;
use agenttrader_core::identity::is_agent_name;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Records shown of one agent; `/api/v1/events/recent?agent_name=…` has more.
const RECORDS_SHOWN: usize = 50;

/// An agent with its log.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AgentDetail {
    /// The agent.
    #[serde(flatten)]
    pub row: AgentRow,
    /// What came of its log; null when no record did.
    #[schema(required = true)]
    pub log: Option<LogSeen>,
    /// Why its journal cannot be read on, where journals are read.
    #[schema(required = true)]
    pub journal_problem: Option<String>,
    /// Its last records, newest first.
    pub records: Vec<Event>,
}

/// What came of an agent's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LogSeen {
    /// Records that came.
    pub records: u64,
    /// Index of the record that must come next.
    pub next_seq: u64,
    /// Records that never came although later ones did.
    pub missing: u64,
}

/// Every agent of the inventory with its state, in the order of the file.
#[utoipa::path(
    get,
    path = "/api/v1/agents",
    responses(
        (status = 200, description = "Every agent", body = List<AgentRow>),
        (status = 400, description = "Bad input", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn agents(State(hub): State<Arc<Hub>>, _: Asked<Nothing>) -> Json<List<AgentRow>> {
    Json(List { items: rows(&hub), next: None })
}

/// One agent: its state, its last status, its last records.
#[utoipa::path(
    get,
    path = "/api/v1/agents/{agent_name}",
    params(("agent_name" = String, Path, description = "A name of the inventory")),
    responses(
        (status = 200, description = "The agent", body = AgentDetail),
        (status = 400, description = "Bad input", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not in the inventory", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn agent(
    State(hub): State<Arc<Hub>>,
    Named(name): Named,
    _: Asked<Nothing>,
) -> Result<Json<AgentDetail>, Refused> {
    if !is_agent_name(&name) {
        return Err(bad("the path does not name an agent: 1 to 64 letters, digits, `-` and `_`"));
    }
    let Some(agent) = hub.inventory().agent(&name) else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "no such agent in the inventory; /api/v1/agents lists them"));
    };
    let row = row(agent, hub.polled(&name).as_ref(), hub.cadence(), clock::monotonic());
    let (kept, log) = {
        let view = hub.view();
        (view.last_of(&name, RECORDS_SHOWN), view.log(&name).map(LogSeen::from))
    };
    let journal_problem = hub.journal_problem(&name);
    Ok(Json(AgentDetail { row, log, journal_problem, records: item::events(&kept) }))
}

/// The row of each agent, now.
pub(crate) fn rows(hub: &Hub) -> Vec<AgentRow> {
    let (now, cadence) = (clock::monotonic(), hub.cadence());
    let of = |agent: &crate::inventory::Agent| row(agent, hub.polled(&agent.agent_name).as_ref(), cadence, now);
    hub.inventory().agents().iter().map(of).collect()
}

impl From<&crate::view::LogSeen> for LogSeen {
    fn from(seen: &crate::view::LogSeen) -> Self {
        Self { records: seen.records, next_seq: seen.next_seq, missing: seen.missing }
    }
}
