//! Asking every agent how it is, side by side, and what its row says from the answers.

use crate::hub::Hub;
use crate::inventory::{Agent, Criticality};
use crate::polled::LastAnswer;
pub use crate::polled::{Cadence, Polled, Seen};
use agenttrader_agent::clock;
use agenttrader_agent::marketdata_health::{FetchError, Fetched, fetch, http_client};
use agenttrader_agent::service_kind::ServiceKind;
use agenttrader_agent::state::State;
use agenttrader_agent::status::{STATUS_BYTES_MOST, Status};
use agenttrader_agent::tasks::Stop;
use agenttrader_core::identity::REPO_ID;
use agenttrader_core::time::UnixNanos;
use futures_util::future::join_all;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;
use tokio::time::MissedTickBehavior;
use utoipa::ToSchema;

/// Characters kept of an agent's own words.
const WORDS_MOST: usize = 280;

/// Reason codes kept of one agent.
const REASONS_MOST: usize = 32;

/// An agent with its state.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AgentRow {
    /// Unique in the inventory.
    pub agent_name: String,
    /// Its kind.
    pub kind: ServiceKind,
    /// How much hangs on it.
    pub criticality: Criticality,
    /// Where it is asked.
    pub service_dns: String,
    /// Paths that it must serve.
    pub expected_endpoints: Vec<String>,
    /// Processes that are meant to run.
    pub replicas: u32,
    /// Its state. OFFLINE when it cannot be reached, UNKNOWN when its answer does not fit the contract or it was not asked lately.
    pub state: State,
    /// Why it is not OK.
    pub reason_codes: Vec<String>,
    /// The state in a sentence; an agent's own words where it answered.
    pub summary: String,
    /// When it was last asked, wall time.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub polled_utc: Option<UnixNanos>,
    /// Seconds since it last answered with a status.
    #[schema(required = true)]
    pub answer_age_seconds: Option<f64>,
    /// That status.
    #[schema(required = true)]
    pub status: Option<Status>,
}

/// Asks every agent, at once and then at each interval, until `stop`.
///
/// # Errors
/// When no HTTP client can be made.
pub async fn poll(hub: Arc<Hub>, mut stop: Stop) -> Result<(), PollError> {
    let client = http_client().map_err(|error| PollError { why: error.to_string() })?;
    let mut ticks = tokio::time::interval(hub.cadence().interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.wait() => return Ok(()),
            _ = ticks.tick() => {}
        }
        let asked = hub.inventory().agents().iter().filter(|agent| agent.replicas > 0);
        let round = join_all(asked.map(|agent| ask(&hub, &client, agent)));
        tokio::select! {
            () = stop.wait() => return Ok(()),
            _ = round => {}
        }
    }
}

/// No agent can be asked.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client can be made: {why}")]
pub struct PollError {
    why: String,
}

async fn ask(hub: &Hub, client: &reqwest::Client, agent: &Agent) {
    let answer = fetch(client, &agent.status_url(), hub.cadence().timeout, STATUS_BYTES_MOST).await;
    let (seen, at) = (judge(agent, answer), clock::monotonic());
    let last = match &seen {
        Seen::Answered(status) => Some(LastAnswer { at, status: Arc::new(Status::clone(status)) }),
        Seen::Unfit { .. } | Seen::Silent { .. } => hub.polled(&agent.agent_name).and_then(|before| before.last),
    };
    hub.put_polled(&agent.agent_name, Polled { at, at_utc: clock::wall(), seen, last });
}

/// What an answer says of the agent that was asked.
pub fn judge(agent: &Agent, answer: Result<Fetched, FetchError>) -> Seen {
    let unfit = |why: String| Seen::Unfit { why: words(&why) };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error @ FetchError::TooLong { .. }) => return unfit(error.to_string()),
        Err(error @ (FetchError::Timeout | FetchError::Failed { .. })) => {
            return Seen::Silent { why: words(&error.to_string()) };
        }
    };
    if answer.status != 200 {
        return unfit(format!("answered with HTTP status {}", answer.status));
    }
    let kind = answer.content_type.as_deref().and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return unfit(format!("answered with content type `{kind}`"));
    }
    let status = match Status::parse(&answer.body) {
        Ok(status) => status,
        Err(error) => return unfit(error.to_string()),
    };
    // Whoever answers at the address must be the agent that is listed there.
    for (what, found, expected) in [
        ("agent", status.service_name.as_str(), agent.agent_name.as_str()),
        ("agent", status.agent_identity.agent_name.as_str(), agent.agent_name.as_str()),
        ("repository", status.repo_id.as_str(), REPO_ID),
    ] {
        if found != expected {
            return unfit(format!("{what} `{found}` answered, not `{expected}`"));
        }
    }
    if status.service_kind != agent.kind {
        return unfit(format!("answered as kind {:?}, listed as {:?}", status.service_kind, agent.kind));
    }
    Seen::Answered(Box::new(status))
}

/// An agent's row at `now`, from its last poll.
pub fn row(agent: &Agent, polled: Option<&Polled>, cadence: Cadence, now: Instant) -> AgentRow {
    let (state, reason_codes, summary) = standing(agent, polled, cadence, now);
    let last = polled.and_then(|polled| polled.last.as_ref());
    AgentRow {
        agent_name: agent.agent_name.clone(),
        kind: agent.kind,
        criticality: agent.criticality,
        service_dns: agent.service_dns.clone(),
        expected_endpoints: agent.expected_endpoints.clone(),
        replicas: agent.replicas,
        state,
        reason_codes,
        summary,
        polled_utc: polled.map(|polled| polled.at_utc),
        answer_age_seconds: last.map(|last| now.saturating_duration_since(last.at).as_secs_f64()),
        status: last.map(|last| Status::clone(&last.status)),
    }
}

fn standing(agent: &Agent, polled: Option<&Polled>, cadence: Cadence, now: Instant) -> (State, Vec<String>, String) {
    let say = |state, reason: &str, summary: String| (state, vec![reason.to_owned()], summary);
    if agent.replicas == 0 {
        let reason = if agent.kind == ServiceKind::Execution { "EXECUTION_DISABLED" } else { "NO_REPLICAS" };
        return say(State::Offline, reason, "Not meant to run.".to_owned());
    }
    let not_asked = || say(State::Unknown, "NOT_POLLED", "It was not asked lately.".to_owned());
    let Some(polled) = polled else { return not_asked() };
    if now.saturating_duration_since(polled.at) > cadence.stale_after() {
        return not_asked();
    }
    match &polled.seen {
        Seen::Silent { why } => say(State::Offline, "UNREACHABLE", format!("Not reachable: {why}.")),
        Seen::Unfit { why } => say(State::Unknown, "STATUS_UNFIT", format!("Its status cannot be used: {why}.")),
        Seen::Answered(status) => {
            let report = &status.status;
            let is_old = status.heartbeat.age_seconds > status.heartbeat.ttl_seconds as f64;
            if is_old && report.state.is_healthy() {
                return say(State::Degraded, "HEARTBEAT_STALE", "Its heartbeat is older than it may be.".to_owned());
            }
            let reasons = report.reason_codes.iter().take(REASONS_MOST).map(|code| words(code)).collect();
            (report.state, reasons, words(&report.summary))
        }
    }
}

/// Words from outside: one line, of bounded length, without characters that steer a terminal.
fn words(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { ' ' } else { one }).take(WORDS_MOST).collect()
}
