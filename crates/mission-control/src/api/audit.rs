//! `/api/v1/audit`: every log that is followed, what was verified of it, who cosigned it, and what is wrong.

use super::ask::{Asked, Nothing};
use crate::hub::Hub;
use crate::witness::seen::{LogAudit, OutsideSeen, WitnessKey};
use agenttrader_agent::clock;
use agenttrader_agent::guard::Problem;
use agenttrader_core::time::UnixNanos;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What a follower of logs cannot see, said wherever its verdict is.
const NOT_SHOWN: [&str; 2] = [
    "what was never logged",
    "a whole machine rolled back, this witness with it, to before any checkpoint that an outside witness or somebody else holds",
];

/// The logs that are followed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AuditAnswer {
    /// Wall time of this answer.
    #[schema(value_type = String, format = DateTime)]
    pub server_utc: UnixNanos,
    /// The key with which this mission control cosigns; null where it follows no log.
    #[schema(required = true)]
    pub witness: Option<WitnessKey>,
    /// Since when that key is used, wall time. A time after the floor's first start means that it was made anew, or that the witness's files were.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub witness_since_utc: Option<UnixNanos>,
    /// The outside witnesses that are sent checkpoints.
    pub outside_witnesses: Vec<OutsideSeen>,
    /// Every log, by its agent's name.
    pub logs: Vec<LogAudit>,
    /// What this cannot show.
    pub not_shown: Vec<String>,
}

/// Every log that is followed: what was verified of it, who cosigned it, and what is wrong.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    responses(
        (status = 200, description = "The logs", body = AuditAnswer),
        (status = 400, description = "Bad input", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn audit(State(hub): State<Arc<Hub>>, _: Asked<Nothing>) -> Json<AuditAnswer> {
    Json(hub.audit(|seen| AuditAnswer {
        server_utc: clock::wall(),
        witness: seen.witness.clone(),
        witness_since_utc: seen.witness_since_utc,
        outside_witnesses: seen.outside.clone(),
        logs: seen.logs.values().cloned().collect(),
        not_shown: NOT_SHOWN.map(str::to_owned).to_vec(),
    }))
}
