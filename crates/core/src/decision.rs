//! Decisions: the gate's answer to one proposal, with every reason, every limit and all that it saw.

use crate::digest::Digest;
use crate::identity::AgentIdentity;
use crate::money::Money;
use crate::order::Order;
use crate::reason::Reason;
use crate::time::UnixNanos;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// Accepted or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// No reason holds.
    Accept,
    /// At least one reason holds.
    Refuse,
}

/// One limit with what was measured against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitMeasure {
    /// The code the limit belongs to.
    pub name: Reason,
    /// The bound, with its unit in `unit`; null where it depends on what cannot be known.
    pub bound: Option<String>,
    /// What was measured; null when it cannot be known.
    pub measured: Option<String>,
    /// `USD`, `shares`, `contracts`, `orders`, `per second`, …
    pub unit: &'static str,
    /// Whether the measure is within the bound. Unknown is not.
    pub holds: bool,
    /// Whether a breach refuses: measured but not refused for a reducing order.
    pub refuses: bool,
}

/// The entry of a grant's delegation under which a proposal needed no approval, and what of it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delegated {
    /// Digest of the grant's file.
    pub grant_sha256: Digest,
    /// The entry's place in it, from 0.
    pub entry: usize,
    /// Orders under it today before this one.
    pub orders_before: u32,
    /// Their notional.
    pub notional_before_usd: Money,
    /// The notional of this one.
    pub notional_usd: Money,
}

/// A decision's body. Compared byte for byte in a replay.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// Derived from the proposal's digest and the deciding agent.
    pub decision_id: Uuid,
    /// The proposal.
    pub proposal_id: Uuid,
    /// Its story.
    pub correlation_id: Uuid,
    /// Who decided.
    pub agent_identity: AgentIdentity,
    /// The answer.
    pub decision: Outcome,
    /// Every reason that holds, in order.
    pub reason_codes: Vec<Reason>,
    /// The order the proposal asks for; null when it is malformed.
    pub recommended_order: Option<Order>,
    /// Every input the gate saw.
    pub safety_snapshot: Value,
    /// Every limit with its measure.
    pub limits: Vec<LimitMeasure>,
    /// Time of the causing input.
    pub decided_at_utc: UnixNanos,
    /// Digest of the proposal's body.
    pub proposal_digest: Digest,
    /// The delegation that stood for an approval; absent where none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegation: Option<Delegated>,
}
