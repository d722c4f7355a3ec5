//! Records: what stands in the log. A caller gives an [`Entry`]; the log adds who, which build and which number.

use agenttrader_core::digest::Digest;
use agenttrader_core::identity::{AgentMode, AgentRole};
use agenttrader_core::time::UnixNanos;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use uuid::Uuid;

/// Bytes of the longest canonical record, without its line end. A larger payload stands as its digest and size.
pub const RECORD_BYTES_MOST: usize = 60_000;

/// Bytes kept of `intent_summary`.
pub const SUMMARY_BYTES_MOST: usize = 1_024;

/// Bytes kept of `error`.
pub const ERROR_BYTES_MOST: usize = 4_096;

/// Bytes kept of `trace_id`, of which the usual one (W3C Trace Context) has 32.
pub const TRACE_ID_BYTES_MOST: usize = 64;

macro_rules! intent_types {
    ($($name:ident $text:literal $words:literal,)+) => {
        /// What a record is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum IntentType { $(#[doc = $words] $name,)+ }

        impl IntentType {
            /// Every type.
            pub const ALL: [Self; [$(Self::$name),+].len()] = [$(Self::$name),+];

            /// The type as records spell it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

intent_types! {
    AgentStart "agent_start" "An agent starts: its public keys, its configuration, what was cut off its log.",
    AgentStop "agent_stop" "An agent ends in order.",
    StateTransition "state_transition" "An agent's state changes.",
    KillSwitchChange "kill_switch_change" "The kill switch changes, with source and who.",
    FeedConnect "feed_connect" "A market data feed connects.",
    FeedDisconnect "feed_disconnect" "A market data feed is lost.",
    MarketdataGap "marketdata_gap" "Market data is missing for a while, or refused.",
    StrategyCycleSkipped "strategy_cycle_skipped" "Strategies begin to skip their cycles; one record a state change.",
    Signal "signal" "A strategy saw something.",
    OrderProposal "order_proposal" "A signed proposal.",
    ProposalMalformed "proposal_malformed" "A proposal that cannot be read.",
    ExecutionDecision "execution_decision" "The gate's answer to a proposal.",
    OrderIntent "order_intent" "An order is about to be sent.",
    PermitRefused "permit_refused" "No permit was made for an accepted order.",
    OrderSubmitted "order_submitted" "An order was sent.",
    OrderUpdate "order_update" "The venue, or the shadow ledger, changed an order.",
    Fill "fill" "A fill, real or shadow.",
    Reconciliation "reconciliation" "Orders and positions were compared with the venue.",
    LimitTripped "limit_tripped" "A limit tripped.",
    Approval "approval" "A person's approval or refusal was read.",
    UnlockLoaded "unlock_loaded" "An unlock grant was read.",
    McpCall "mcp_call" "A tool was called.",
    ReportGenerated "report_generated" "A report was written.",
    LockValidated "lock_validated" "The production lock was checked.",
}

impl fmt::Display for IntentType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// How what a record tells of went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It began.
    Started,
    /// It was done.
    Success,
    /// It failed; `error` says how.
    Failure,
    /// It was refused; the payload holds the reasons.
    Refused,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Started, Self::Success, Self::Failure, Self::Refused];

    /// The outcome as records spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Refused => "refused",
        }
    }
}

/// What a caller gives to the log. Free-form parts of the payload are redacted by whoever builds them; `error` and the summary by the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Wall time.
    pub timestamp: UnixNanos,
    /// What it is about.
    pub intent_type: IntentType,
    /// In a sentence; the first [`SUMMARY_BYTES_MOST`] bytes are kept.
    pub intent_summary: String,
    /// Inputs and outputs. Must have a canonical form (RFC 8785).
    pub intent_payload: Value,
    /// How it went.
    pub outcome: Outcome,
    /// The story it belongs to.
    pub correlation_id: Option<Uuid>,
    /// The trace it belongs to.
    pub trace_id: Option<String>,
    /// How long it took, in milliseconds, where that was measured.
    pub duration_ms: Option<u64>,
    /// What went wrong; the first [`ERROR_BYTES_MOST`] bytes are kept.
    pub error: Option<String>,
}

impl Entry {
    /// An entry with what every entry has; the rest is absent and can be set.
    pub fn new(
        timestamp: UnixNanos,
        intent_type: IntentType,
        outcome: Outcome,
        intent_summary: impl Into<String>,
        intent_payload: Value,
    ) -> Self {
        Self {
            timestamp,
            intent_type,
            intent_summary: intent_summary.into(),
            intent_payload,
            outcome,
            correlation_id: None,
            trace_id: None,
            duration_ms: None,
            error: None,
        }
    }

    /// The same entry in a story.
    #[must_use]
    pub fn correlated(mut self, correlation_id: Uuid) -> Self {
        self.correlation_id = Some(correlation_id);
        self
    }

    /// The same entry with what went wrong.
    #[must_use]
    pub fn with_error(mut self, error: impl Into<String>) -> Self {
        self.error = Some(error.into());
        self
    }
}

/// One record of the log, with every field a line has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Wall time.
    pub timestamp: UnixNanos,
    /// Index in the log, from nought, without gaps.
    pub seq: u64,
    /// The repository.
    pub repo_id: String,
    /// The agent.
    pub agent_name: String,
    /// Its role.
    pub agent_role: AgentRole,
    /// Its mode.
    pub agent_mode: AgentMode,
    /// The commit it was built from.
    pub git_sha: String,
    /// The build.
    pub build_id: String,
    /// Derived from agent, `seq` and payload.
    pub intent_id: Uuid,
    /// The story it belongs to.
    pub correlation_id: Option<Uuid>,
    /// The trace it belongs to.
    pub trace_id: Option<String>,
    /// What it is about.
    pub intent_type: IntentType,
    /// In a sentence.
    pub intent_summary: String,
    /// Inputs and outputs; [`StoredPayload`] where they are too large.
    pub intent_payload: Value,
    /// How it went.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<u64>,
    /// What went wrong.
    pub error: Option<String>,
}

/// What stands in a record for a payload that is too large: its bytes lie in `DATA_DIR/audit-blobs/<sha256>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredPayload {
    /// SHA-256 of the payload's canonical JSON.
    pub sha256: Digest,
    /// Its bytes.
    pub size: u64,
}

impl Record {
    /// Where the payload's bytes lie, if they do not stand in the record.
    pub fn stored_payload(&self) -> Option<StoredPayload> {
        serde_json::from_value(self.intent_payload.clone()).ok()
    }
}

/// The first `most` bytes of a text, or a few less where that would cut a character.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_types_and_outcomes_are_those_on_the_wire() {
        for kind in IntentType::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(IntentType::ALL.len(), 24);
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
        }
    }

    #[test]
    fn a_cut_text_keeps_whole_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("", 3), "");
    }
}
