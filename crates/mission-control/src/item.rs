//! What the API's lists hold: bodies with what follows from the records around them.

use crate::body::{self, ProposalState};
use crate::story::SHADOW;
use crate::view::{Kept, View};
use agenttrader_core::reason::Reason;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// A record with its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Agent and index in its log, `gamma-strategy:17`; for `before` and `Last-Event-ID`.
    #[schema(example = "gamma-strategy:17")]
    pub id: String,
    /// The record.
    #[serde(flatten)]
    pub record: body::Record,
}

/// A proposal with what became of it so far.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Proposal {
    /// What was proposed.
    #[serde(flatten)]
    pub body: body::Proposal,
    /// The key that signed it; null where its origin is the sequence itself and nothing was signed.
    #[schema(required = true)]
    pub key_id: Option<String>,
    /// Ed25519 over the canonical body.
    #[schema(required = true)]
    pub signature: Option<String>,
    /// Where it stands; follows from the records.
    pub state: ProposalState,
    /// The decision over it, if there is one.
    #[schema(value_type = Option<String>, format = "uuid", required = true)]
    pub decision_id: Option<Uuid>,
    /// The record that holds it.
    pub record_id: String,
}

/// A proposal with its whole story.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ProposalStory {
    /// The proposal.
    #[serde(flatten)]
    pub proposal: Proposal,
    /// The decision over it.
    #[schema(required = true)]
    pub decision: Option<Decision>,
    /// Its order at its last update.
    #[schema(required = true)]
    pub order: Option<Order>,
    /// Its fills, oldest first.
    pub fills: Vec<Fill>,
    /// Every record of the story, whichever agent wrote it, oldest first.
    pub records: Vec<Event>,
}

/// A reason in words, with what was measured where it is a limit's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReasonInWords {
    /// The code.
    #[schema(example = "ORDER_QTY")]
    pub code: String,
    /// What it says.
    pub words: String,
    /// Whether people lift it, rather than another order or another time.
    pub is_posture: bool,
    /// The limit, where it is one.
    #[schema(required = true)]
    pub bound: Option<String>,
    /// What was measured; null too where it could not be known.
    #[schema(required = true)]
    pub measured: Option<String>,
    /// The unit of both.
    #[schema(required = true)]
    pub unit: Option<String>,
}

/// A record's place, without its contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RecordLink {
    /// The record's name.
    #[schema(example = "gamma-strategy:17")]
    pub id: String,
    /// The agent that wrote it.
    pub agent_name: String,
    /// The index in its log.
    pub seq: u64,
    /// What it is about.
    pub intent_type: String,
    /// How it went.
    pub outcome: String,
}

/// Where to go from a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DecisionLinks {
    /// The proposal and its whole story; null when it is no longer held.
    #[schema(required = true)]
    pub proposal: Option<String>,
    /// Who proposed.
    #[schema(required = true)]
    pub proposing_agent: Option<String>,
    /// The input that caused the proposal.
    #[schema(required = true)]
    pub causation: Option<body::Causation>,
    /// The records of each agent in this story, oldest first.
    pub records: Vec<RecordLink>,
    /// The same records in full.
    pub events: String,
}

/// A decision with its reasons in words and the way to everything about it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Decision {
    /// What was decided.
    #[serde(flatten)]
    pub body: body::Decision,
    /// The reasons in words, in the gate's order.
    pub reasons: Vec<ReasonInWords>,
    /// The record that holds it.
    pub record_id: String,
    /// Where to go from here.
    pub links: DecisionLinks,
}

/// An order at its last update.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Order {
    /// The proposal it comes from; the order's id in this API.
    #[schema(value_type = String, format = "uuid")]
    pub proposal_id: Uuid,
    /// The account: `SHADOW` where no order was ever sent.
    #[schema(example = "SHADOW")]
    pub account: String,
    /// `SHADOWED`, `FILLED`, `LAPSED`, or a venue's.
    #[schema(example = "SHADOWED")]
    pub status: String,
    /// Ties together every record of one story.
    #[schema(value_type = Option<String>, format = "uuid", required = true)]
    pub correlation_id: Option<Uuid>,
    /// Wall time of the last update.
    #[schema(format = DateTime)]
    pub updated_utc: String,
    /// The record of the last update.
    pub record_id: String,
    /// Records of its fills, oldest first.
    pub fill_record_ids: Vec<String>,
    /// The last update as recorded.
    #[schema(value_type = Object)]
    pub order: Value,
}

/// A fill.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Fill {
    /// The account: `SHADOW` where no order was ever sent.
    #[schema(example = "SHADOW")]
    pub account: String,
    /// The record that holds it.
    pub record_id: String,
    /// Wall time of the record.
    #[schema(format = DateTime)]
    pub recorded_utc: String,
    /// The fill as recorded.
    #[schema(value_type = Object)]
    pub fill: Value,
}

/// A record in full.
pub fn event(kept: &Kept) -> Option<Event> {
    serde_json::from_str(&kept.json).ok()
}

/// Records in full.
pub fn events<'a>(kept: impl IntoIterator<Item = &'a Arc<Kept>>) -> Vec<Event> {
    kept.into_iter().filter_map(|kept| event(kept)).collect()
}

/// The proposal that a record holds.
pub fn proposal(view: &View, kept: &Kept) -> Option<Proposal> {
    let Event { id, record } = event(kept)?;
    let story = view.story(kept.proposal_id?)?;
    let mut payload = record.intent_payload;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let (key_id, signature) = (text(payload.get("key_id")), text(payload.get("signature")));
    Some(Proposal {
        body: serde_json::from_value(payload.get_mut("proposal")?.take()).ok()?,
        key_id,
        signature,
        state: story.state(view.venue_time()),
        decision_id: story.decision.map(|decided| decided.decision_id),
        record_id: id,
    })
}

/// A proposal with its whole story; nothing when its record is not held.
pub fn proposal_story(view: &View, proposal_id: Uuid) -> Option<ProposalStory> {
    let story = view.story(proposal_id)?;
    let proposal = proposal(view, view.at(story.proposal?)?)?;
    let at = |number: u64| view.at(number);
    Some(ProposalStory {
        decision: story.decision.and_then(|decided| at(decided.number)).and_then(|kept| decision(view, kept)),
        order: story.order.and_then(at).and_then(|kept| order(view, kept)),
        fills: story.fills.iter().filter_map(|number| fill(at(*number)?)).collect(),
        records: events(&view.records_of(proposal_id, proposal.body.correlation_id)),
        proposal,
    })
}

/// The decision that a record holds.
pub fn decision(view: &View, kept: &Kept) -> Option<Decision> {
    let Event { id, mut record } = event(kept)?;
    let body: body::Decision = serde_json::from_value(record.intent_payload.get_mut("decision")?.take()).ok()?;
    let proposal_record =
        view.story(body.proposal_id).and_then(|story| story.proposal).and_then(|number| view.at(number));
    let proposed = proposal_record.and_then(|kept| proposal(view, kept));
    let links = DecisionLinks {
        proposal: proposed.as_ref().map(|_| format!("/api/v1/proposals/{}", body.proposal_id)),
        proposing_agent: proposed.as_ref().map(|proposed| proposed.body.agent_name.clone()),
        causation: proposed.map(|proposed| proposed.body.causation),
        records: view.records_of(body.proposal_id, body.correlation_id).iter().filter_map(|kept| link(kept)).collect(),
        events: format!("/api/v1/events/recent?correlation_id={}", body.correlation_id),
    };
    Some(Decision { reasons: reasons(&body), record_id: id, links, body })
}

/// The order of which a record holds the last update. A shadow order that was filled says so.
pub fn order(view: &View, kept: &Kept) -> Option<Order> {
    let Event { id, mut record } = event(kept)?;
    let order = record.intent_payload.get_mut("order")?.take();
    let story = view.story(kept.proposal_id?)?;
    let status = order.get("status")?.as_str()?;
    let is_shadow = matches!(status, "SHADOWED" | "LAPSED") || order.get("account").is_some_and(|it| it == SHADOW);
    let is_filled = status == "SHADOWED" && !story.fills.is_empty();
    let named = order.get("account").and_then(Value::as_str).unwrap_or("UNKNOWN");
    Some(Order {
        proposal_id: kept.proposal_id?,
        account: if is_shadow { SHADOW } else { named }.to_owned(),
        status: if is_filled { "FILLED" } else { status }.to_owned(),
        correlation_id: kept.correlation_id,
        updated_utc: record.timestamp,
        record_id: id,
        fill_record_ids: story.fills.iter().filter_map(|number| Some(view.at(*number)?.id.to_string())).collect(),
        order,
    })
}

fn fill(kept: &Kept) -> Option<Fill> {
    let Event { id, mut record } = event(kept)?;
    let fill = record.intent_payload.get_mut("fill")?.take();
    let account = fill.get("account")?.as_str()?.to_owned();
    Some(Fill { account, record_id: id, recorded_utc: record.timestamp, fill })
}

fn link(kept: &Kept) -> Option<RecordLink> {
    let Event { id, record } = event(kept)?;
    Some(RecordLink {
        id,
        agent_name: record.agent_name,
        seq: record.seq,
        intent_type: record.intent_type,
        outcome: record.outcome,
    })
}

fn reasons(body: &body::Decision) -> Vec<ReasonInWords> {
    let in_words = |code: &String| {
        let known = Reason::parse(code);
        let limit = body.limits.iter().find(|limit| limit.name == *code);
        ReasonInWords {
            code: code.clone(),
            words: known.map_or("A reason that this build does not know.", Reason::words).to_owned(),
            is_posture: known.is_some_and(Reason::is_posture),
            bound: limit.map(|limit| limit.bound.clone()),
            measured: limit.and_then(|limit| limit.measured.clone()),
            unit: limit.map(|limit| limit.unit.clone()),
        }
    };
    body.reason_codes.iter().map(in_words).collect()
}
