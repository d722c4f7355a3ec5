//! What `GET /ops/status` and `GET /heartbeat` answer. The types stand here once; the OpenAPI document comes from them.

use crate::service_kind::ServiceKind;
use crate::state::State;
use crate::unwritable::Unwritable;
use agenttrader_core::canonical_json::{self, CanonicalError};
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole};
use agenttrader_core::time::UnixNanos;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Bytes of the longest status that is read.
pub const STATUS_BYTES_MOST: usize = 64 * 1024;

/// An agent's status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// The agent's name.
    pub service_name: String,
    /// Its kind.
    pub service_kind: ServiceKind,
    /// The repository it belongs to.
    pub repo_id: String,
    /// The commit it was built from, as shown.
    pub git_sha: String,
    /// The build, as shown.
    pub build_id: String,
    /// Who it is.
    pub agent_identity: Identity,
    /// How it is.
    pub status: StateReport,
    /// When it was last heard of.
    pub heartbeat: Heartbeat,
    /// What it sees of the market.
    pub marketdata: Marketdata,
    /// What it may do.
    pub safety: Safety,
    /// Its log.
    pub audit: Audit,
    /// What it cannot write now, its log or the recording, and why; left out while it can write both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unwritable: Vec<Unwritable>,
    /// Its endpoints by name, as paths.
    pub endpoints: BTreeMap<String, String>,
}

/// Name, role and mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Unique in the inventory.
    pub agent_name: String,
    /// What it is for.
    #[schema(value_type = String, example = "strategy_eval")]
    pub agent_role: AgentRole,
    /// What it may do.
    #[schema(value_type = String, example = "OBSERVE")]
    pub agent_mode: AgentMode,
}

/// A state with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StateReport {
    /// The state.
    pub state: State,
    /// The state in a sentence.
    pub summary: String,
    /// Why it is not OK.
    pub reason_codes: Vec<String>,
    /// When the agent last looked, wall time.
    #[schema(value_type = String, format = DateTime)]
    pub last_updated_utc: UnixNanos,
}

/// A sign of life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// When the agent's own work last beat, wall time.
    #[schema(value_type = String, format = DateTime)]
    pub last_heartbeat_utc: UnixNanos,
    /// How long ago that was when this was answered.
    pub age_seconds: f64,
    /// Older is DEGRADED.
    pub ttl_seconds: u64,
}

/// What an agent sees of the market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Marketdata {
    /// The last quote or trade, venue time; null before the first.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub last_tick_utc: Option<UnixNanos>,
    /// The end of the last bar, venue time; null before the first.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub last_bar_utc: Option<UnixNanos>,
    /// Older is stale, in venue seconds; in playback at least twice the recording's cadence.
    pub stale_threshold_seconds: u64,
    /// Whether the feed is fresh.
    pub is_fresh: bool,
}

/// What an agent may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Safety {
    /// The kill switch as last read.
    pub kill_switch: KillSwitch,
    /// Mode not OFF, data fresh, market open, log writable.
    pub safe_to_run_strategies: bool,
    /// Whether an order could pass the posture.
    pub safe_to_execute_orders: bool,
    /// What stands in the way, in the gate's order.
    pub gating_reasons: Vec<String>,
}

/// The kill switch as last read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KillSwitch {
    /// Whether it halts execution.
    pub halted: bool,
    /// What halts: `file`, `variable`, `latch`; null when nothing does.
    #[serde(deserialize_with = "present")]
    #[schema(required = true)]
    pub source: Option<String>,
    /// Since when it is as it is, wall time; null when not known.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub since_utc: Option<UnixNanos>,
}

/// An agent's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The log's origin.
    pub origin: String,
    /// Durable records.
    pub tree_size: u64,
    /// The root of the tree of all of them; null until a checkpoint covers the last one, which takes a second at most.
    #[serde(deserialize_with = "present")]
    #[schema(required = true)]
    pub root_hash: Option<String>,
    /// The time of the last record that the last checkpoint covers, wall time; null while there is no checkpoint.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub checkpoint_utc: Option<UnixNanos>,
}

/// What `GET /heartbeat` answers, always with 200.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatAnswer {
    /// The agent's name.
    pub service_name: String,
    /// The last quote or trade, venue time; null before the first.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub last_tick_utc: Option<UnixNanos>,
    /// Its age in venue seconds; null before the first.
    #[serde(deserialize_with = "present")]
    #[schema(required = true)]
    pub age_seconds: Option<f64>,
    /// Whether the feed is fresh.
    pub is_fresh: bool,
}

/// Why an answer is no status: the agent is then UNKNOWN.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// Not JSON, too long, or JSON that can be read in two ways.
    #[error("the status is not JSON that can be trusted")]
    Json(#[from] CanonicalError),
    /// A field is missing, unknown or wrongly typed.
    #[error("the status does not fit the contract: {why}")]
    Contract {
        /// Which field, and how.
        why: String,
    },
}

impl Status {
    /// Reads a status: every field there, none unknown, ages not negative.
    ///
    /// # Errors
    /// [`StatusError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, StatusError> {
        let value = canonical_json::parse_within(bytes, STATUS_BYTES_MOST)?;
        let status: Self =
            serde_json::from_value(value).map_err(|error| StatusError::Contract { why: error.to_string() })?;
        if status.heartbeat.age_seconds < 0.0 {
            return Err(StatusError::Contract {
                why: format!("heartbeat.age_seconds is {}", status.heartbeat.age_seconds),
            });
        }
        Ok(status)
    }
}

impl From<&AgentIdentity> for Identity {
    fn from(identity: &AgentIdentity) -> Self {
        Self {
            agent_name: identity.agent_name.clone(),
            agent_role: identity.agent_role,
            agent_mode: identity.agent_mode,
        }
    }
}

/// A field that may be null but not missing.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}
