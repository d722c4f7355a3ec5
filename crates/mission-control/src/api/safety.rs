//! `/api/v1/safety`: what an operator must know within five seconds, in one object.

use super::agents::rows;
use super::ask::{Asked, Nothing};
use crate::hub::Hub;
use crate::inventory::Criticality;
use crate::poll::AgentRow;
use crate::reading::{Freshness, FreshnessState, MarketHours, Posture};
use crate::witness::seen::{AuditSeen, LogFinding};
use agenttrader_agent::clock;
use agenttrader_agent::guard::Problem;
use agenttrader_agent::service_kind::ServiceKind;
use agenttrader_agent::state::State as AgentState;
use agenttrader_agent::status::{KillSwitch, Status};
use agenttrader_agent::unwritable::{Unwritable, Written};
use agenttrader_core::time::UnixNanos;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// Venue time after which a reading says nothing any more: five of them were missed.
const READING_AGE_MOST: Duration = Duration::from_secs(5);

/// Where the answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SafetySource {
    /// From what the floor reads each second.
    Readings,
    /// From the statuses of the agents, because there are no readings, or only old ones.
    Statuses,
    /// From nothing: no agent answers. Everything counts as unsafe.
    Nothing,
}

/// Whether it is safe, and what stands in the way.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SafetyAnswer {
    /// Where this comes from.
    pub source: SafetySource,
    /// Venue time of the reading; null without one.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub as_of: Option<UnixNanos>,
    /// Milliseconds since the reading came; null without one.
    #[schema(required = true)]
    pub reading_age_ms: Option<u64>,
    /// Wall time of this answer.
    #[schema(value_type = String, format = DateTime)]
    pub server_utc: UnixNanos,
    /// Halted by what, since when. Halted too where nobody knows; `source` is null then.
    pub kill_switch: KillSwitch,
    /// Open or closed and until when; null where it is not known.
    #[schema(required = true)]
    pub market: Option<MarketHours>,
    /// Of the feeds and of each underlying; of the market-data agents where only their statuses are known.
    pub freshness: Vec<Freshness>,
    /// Every agent in brief.
    pub agents: Vec<AgentInBrief>,
    /// Whether strategies may be evaluated.
    pub safe_to_run_strategies: bool,
    /// Whether an order could pass the posture.
    pub safe_to_execute_orders: bool,
    /// What stands in the way.
    pub gating_reasons: Vec<String>,
    /// What is wrong with which agent's log, the gravest first; `/api/v1/audit` has the rest.
    pub audit: Vec<LogFinding>,
}

/// An agent in brief.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AgentInBrief {
    /// Its name.
    pub agent_name: String,
    /// How much hangs on it.
    pub criticality: Criticality,
    /// Its state.
    pub state: AgentState,
    /// Why it is not OK.
    pub reason_codes: Vec<String>,
    /// What it says it cannot write, its log or the recording, and why; empty when it can, and where it does not answer.
    pub unwritable: Vec<Unwritable>,
    /// Seconds since it last answered with a status.
    #[schema(required = true)]
    pub answer_age_seconds: Option<f64>,
}

/// Whether it is safe, and what stands in the way.
#[utoipa::path(
    get,
    path = "/api/v1/safety",
    responses(
        (status = 200, description = "The posture", body = SafetyAnswer),
        (status = 400, description = "Bad input", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn safety(State(hub): State<Arc<Hub>>, _: Asked<Nothing>) -> Json<SafetyAnswer> {
    let posture = hub.view().posture().cloned();
    let rows = rows(&hub);
    let current = posture
        .map(|taken| (taken.reading, clock::monotonic().saturating_duration_since(taken.at)))
        .filter(|(posture, age)| *age <= reading_age_most(posture.market.speed));
    let answer = match &current {
        Some((posture, age)) => from_readings(posture, *age, &rows, clock::wall()),
        None => from_statuses(&rows, clock::wall()),
    };
    Json(SafetyAnswer { audit: hub.audit(AuditSeen::findings), ..answer })
}

/// Readings come once a venue second; where venue time goes slowly they come less often.
fn reading_age_most(speed: f64) -> Duration {
    let slowness = if speed.is_finite() && speed > 0.0 && speed < 1.0 { (1.0 / speed).min(1_000.0) } else { 1.0 };
    READING_AGE_MOST.mul_f64(slowness)
}

fn from_readings(posture: &Posture, age: Duration, rows: &[AgentRow], server_utc: UnixNanos) -> SafetyAnswer {
    SafetyAnswer {
        source: SafetySource::Readings,
        as_of: Some(posture.as_of),
        reading_age_ms: Some(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
        server_utc,
        kill_switch: posture.kill_switch.clone(),
        market: Some(posture.market.clone()),
        freshness: posture.freshness.clone(),
        agents: in_brief(rows),
        safe_to_run_strategies: posture.safe_to_run_strategies,
        safe_to_execute_orders: posture.safe_to_execute_orders,
        gating_reasons: posture.gating_reasons.clone(),
        audit: Vec::new(),
    }
}

/// Without readings: halted when anyone says so, safe only when every agent that is concerned answers and says so.
fn from_statuses(rows: &[AgentRow], server_utc: UnixNanos) -> SafetyAnswer {
    let answering: Vec<&Status> = rows.iter().filter_map(answer).collect();
    let switches = || answering.iter().map(|status| &status.safety.kill_switch);
    let nobody_knows = KillSwitch { halted: true, source: None, since_utc: None };
    let all_of = |kind: ServiceKind, says: fn(&Status) -> bool| {
        let mut concerned = rows.iter().filter(|row| row.kind == kind).peekable();
        concerned.peek().is_some() && concerned.all(|row| answer(row).is_some_and(says))
    };
    let mut gating_reasons: Vec<String> = Vec::new();
    for reason in answering.iter().flat_map(|status| &status.safety.gating_reasons) {
        if !gating_reasons.contains(reason) {
            gating_reasons.push(reason.clone());
        }
    }
    if answering.is_empty() {
        gating_reasons.push("POSTURE_UNKNOWN".to_owned());
    }
    SafetyAnswer {
        source: if answering.is_empty() { SafetySource::Nothing } else { SafetySource::Statuses },
        as_of: None,
        reading_age_ms: None,
        server_utc,
        kill_switch: switches()
            .find(|switch| switch.halted)
            .or_else(|| switches().next())
            .cloned()
            .unwrap_or(nobody_knows),
        market: None,
        freshness: rows.iter().filter(|row| row.kind.brings_marketdata()).map(freshness).collect(),
        agents: in_brief(rows),
        safe_to_run_strategies: all_of(ServiceKind::Strategy, |status| status.safety.safe_to_run_strategies),
        safe_to_execute_orders: all_of(ServiceKind::Execution, |status| status.safety.safe_to_execute_orders),
        gating_reasons,
        audit: Vec::new(),
    }
}

/// The status of an agent that answers now.
fn answer(row: &AgentRow) -> Option<&Status> {
    let is_silent = matches!(row.state, AgentState::Unknown | AgentState::Offline);
    row.status.as_ref().filter(|_| !is_silent)
}

fn freshness(row: &AgentRow) -> Freshness {
    let marketdata = answer(row).map(|status| &status.marketdata);
    let state = match marketdata {
        None => FreshnessState::Missing,
        Some(seen) if seen.last_tick_utc.is_none() => FreshnessState::Missing,
        Some(seen) if seen.is_fresh => FreshnessState::Fresh,
        Some(_) => FreshnessState::Stale,
    };
    let limit = marketdata.map_or(0, |seen| seen.stale_threshold_seconds);
    Freshness { of: row.agent_name.clone(), state, age_ms: None, max_age_ms: limit.saturating_mul(1_000) }
}

/// What a status says cannot be written: an agent's own words, so cut to their bound here too, and each thing once.
fn unwritable(status: &Status) -> Vec<Unwritable> {
    let said = |what: Written| status.unwritable.iter().find(|one| one.what == what);
    let both = [Written::Log, Written::Recording].into_iter().filter_map(said);
    both.map(|one| Unwritable::new(one.what, &one.why)).collect()
}

fn in_brief(rows: &[AgentRow]) -> Vec<AgentInBrief> {
    let brief = |row: &AgentRow| AgentInBrief {
        agent_name: row.agent_name.clone(),
        criticality: row.criticality,
        state: row.state,
        reason_codes: row.reason_codes.clone(),
        unwritable: answer(row).map(unwritable).unwrap_or_default(),
        answer_age_seconds: row.answer_age_seconds,
    };
    rows.iter().map(brief).collect()
}
