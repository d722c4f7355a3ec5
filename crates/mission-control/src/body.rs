//! The bodies that records carry, as the API shows them: proposals, decisions, records. What does not fit one of these is shown as it is.
//!
//! Prices, times and digests stay the strings they are in the signed text, so that a reader sees what was signed.

use agenttrader_agent::status::Identity;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! words {
    ($(#[doc = $what:literal] $name:ident { $(#[doc = $words:literal] $word:ident,)+ })+) => { $(
        #[doc = $what]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum $name { $(#[doc = $words] $word,)+ }
    )+ };
}

words! {
    /// Buy or sell.
    Side {
        /// Buy.
        Buy,
        /// Sell.
        Sell,
    }
    /// Call or put.
    Right {
        /// A call.
        Call,
        /// A put.
        Put,
    }
    /// What a proposal is for.
    Intent {
        /// Takes new risk.
        Open,
        /// Offsets the delta of what is held.
        Hedge,
        /// Ends what is held.
        Close,
    }
    /// What a proposal asks to trade.
    AssetType {
        /// Shares.
        Equity,
        /// One option contract.
        Option,
        /// Several option contracts of one underlying at a net price.
        Mleg,
    }
    /// Whether an order takes any price.
    OrderType {
        /// Whatever the far side asks.
        Market,
        /// At the limit or better.
        Limit,
    }
    /// How long an order works.
    TimeInForce {
        /// Until the session's close.
        Day,
        /// Until cancelled.
        Gtc,
        /// At once or not at all.
        Ioc,
    }
    /// The gate's answer.
    Verdict {
        /// No reason holds.
        Accept,
        /// At least one reason holds.
        Refuse,
    }
    /// Where a proposal stands. Follows from the records; no record holds it.
    ProposalState {
        /// Not decided yet.
        Proposed,
        /// Refused for a reason beyond the posture.
        Refused,
        /// Nothing but a person's approval is missing.
        AwaitingApproval,
        /// Accepted.
        Approved,
        /// Its time ran out.
        Expired,
        /// Filled at a venue.
        Executed,
        /// Refused for the posture alone: followed hypothetically, nothing was sent.
        Shadowed,
    }
}

/// The input that made a strategy speak.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Causation {
    /// The recording that holds the input.
    #[schema(value_type = String, format = "uuid")]
    pub recording_id: Uuid,
    /// The input's number in it.
    pub input_number: u64,
    /// SHA-256 of the recording's bytes from its head to the end of that input.
    pub recording_sha256: String,
}

/// A contract, in fields and as its OCC symbol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionTerms {
    /// Last day, `YYYY-MM-DD`.
    pub expiration: String,
    /// Call or put.
    pub right: Right,
    /// Strike, dollars.
    pub strike: String,
    /// OCC symbol.
    pub contract_symbol: String,
}

/// One leg of an `MLEG`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// OCC symbol.
    pub contract_symbol: String,
    /// Call or put.
    pub right: Right,
    /// Strike, dollars.
    pub strike: String,
    /// Last day, `YYYY-MM-DD`.
    pub expiration: String,
    /// What the order does in this contract.
    pub side: Side,
    /// Contracts for one unit of the whole.
    pub ratio: u64,
}

/// Why, in the proposing agent's words and figures. Text of an agent: to be shown as its own, never as markup, never obeyed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rationale {
    /// 1 to 280 characters.
    pub short_reason: String,
    /// Named figures behind it.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub indicators: Map<String, Value>,
}

/// What the proposer is ready to lose and where it would get out, dollars.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// Largest loss foreseen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_loss_usd: Option<String>,
    /// Price at which to give up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_loss: Option<String>,
    /// Price at which to take the profit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take_profit: Option<String>,
}

/// Bounds the proposer sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Constraints {
    /// After it nothing of the proposal is done; venue time.
    #[schema(format = DateTime)]
    pub valid_until_utc: String,
    /// Whether a person must approve.
    pub requires_human_approval: bool,
}

/// A proposal's body: what its agent signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProposalBody)]
pub struct Proposal {
    /// Derived from agent, strategy and causing input.
    #[schema(value_type = String, format = "uuid")]
    pub proposal_id: Uuid,
    /// Time of the causing input, venue time.
    #[schema(format = DateTime)]
    pub created_at_utc: String,
    /// The repository of the proposing agent.
    pub repo_id: String,
    /// The proposing agent.
    pub agent_name: String,
    /// The strategy.
    pub strategy_name: String,
    /// Its version.
    pub strategy_version: String,
    /// Ties together every record of one story.
    #[schema(value_type = String, format = "uuid")]
    pub correlation_id: Uuid,
    /// The causing input.
    pub causation: Causation,
    /// What it is for.
    pub intent: Intent,
    /// The underlying.
    pub symbol: String,
    /// What kind of thing is traded.
    pub asset_type: AssetType,
    /// The contract of an `OPTION`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<OptionTerms>,
    /// The two to four legs of an `MLEG`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legs: Vec<Leg>,
    /// Buy or sell.
    pub side: Side,
    /// Shares, contracts, or units of the structure.
    pub quantity: u64,
    /// Market or limit.
    pub order_type: OrderType,
    /// The limit, dollars; net for an `MLEG`: a debit is positive, a credit negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_price: Option<String>,
    /// How long it works.
    pub time_in_force: TimeInForce,
    /// Why.
    pub rationale: Rationale,
    /// What may be lost.
    #[serde(default)]
    pub risk: Risk,
    /// Bounds.
    pub constraints: Constraints,
}

/// One limit with what was measured against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The reason code the limit belongs to.
    pub name: String,
    /// The bound.
    pub bound: String,
    /// What was measured; null when it cannot be known.
    #[schema(required = true)]
    pub measured: Option<String>,
    /// `USD`, `shares`, `contracts`, `orders`, ….
    pub unit: String,
    /// Whether the measure is within the bound. Unknown is not.
    pub holds: bool,
    /// Whether a breach refuses: measured but not refused for a reducing order.
    pub refuses: bool,
}

/// A decision's body: the gate's answer to one proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DecisionBody)]
pub struct Decision {
    /// Derived from the proposal's digest and the deciding agent.
    #[schema(value_type = String, format = "uuid")]
    pub decision_id: Uuid,
    /// The proposal.
    #[schema(value_type = String, format = "uuid")]
    pub proposal_id: Uuid,
    /// Ties together every record of one story.
    #[schema(value_type = String, format = "uuid")]
    pub correlation_id: Uuid,
    /// Who decided.
    pub agent_identity: Identity,
    /// The answer.
    pub decision: Verdict,
    /// Every reason that holds, in the gate's order.
    pub reason_codes: Vec<String>,
    /// The order the proposal asks for; null when it is malformed.
    #[schema(value_type = Option<Object>, required = true)]
    pub recommended_order: Option<Value>,
    /// Every input the gate saw.
    #[schema(value_type = Object)]
    pub safety_snapshot: Value,
    /// Every limit with its measure.
    pub limits: Vec<Limit>,
    /// Time of the causing input, venue time.
    #[schema(format = DateTime)]
    pub decided_at_utc: String,
    /// SHA-256 of the proposal's signed bytes.
    pub proposal_digest: String,
}

/// A record of an agent's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Record {
    /// Wall time.
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// Index in the log, from nought, without gaps.
    pub seq: u64,
    /// The repository.
    pub repo_id: String,
    /// The agent.
    pub agent_name: String,
    /// Its role.
    pub agent_role: String,
    /// Its mode.
    pub agent_mode: String,
    /// The commit it was built from.
    pub git_sha: String,
    /// The build.
    pub build_id: String,
    /// Derived from agent, `seq` and payload.
    #[schema(value_type = String, format = "uuid")]
    pub intent_id: Uuid,
    /// The story it belongs to.
    #[schema(value_type = Option<String>, format = "uuid", required = true)]
    pub correlation_id: Option<Uuid>,
    /// The trace it belongs to.
    #[schema(required = true)]
    pub trace_id: Option<String>,
    /// What it is about.
    #[schema(example = "execution_decision")]
    pub intent_type: String,
    /// In a sentence. May hold text of an agent.
    pub intent_summary: String,
    /// Inputs and outputs. May hold text of an agent.
    #[schema(value_type = Object)]
    pub intent_payload: Value,
    /// `started`, `success`, `failure`, `refused`.
    #[schema(example = "refused")]
    pub outcome: String,
    /// How long it took, in milliseconds.
    #[schema(required = true)]
    pub duration_ms: Option<u64>,
    /// What went wrong.
    #[schema(required = true)]
    pub error: Option<String>,
}
