//! Outputs and inputs as records: which agent says what in its log.

use crate::engine::Output;
use agenttrader_audit::record::{Entry, IntentType, Outcome};
use agenttrader_core::canonical_json;
use agenttrader_core::decision::Decision;
use agenttrader_core::digest::Digest;
use agenttrader_core::proposal::Proposal;
use agenttrader_core::time::UnixNanos;
use agenttrader_execution::output::{DeskOutput, SignedFileRead};
use agenttrader_safety::gate::Verdict;
use agenttrader_sequence::input::{Fact, FeedFact, Input, SignedFolder};
use agenttrader_strategy::draft::NoteKind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// A record on its way to an agent's log.
#[derive(Debug)]
pub struct Outgoing {
    /// Whose log.
    pub agent_name: String,
    /// The record.
    pub entry: Entry,
    /// The body to sign with that agent's key: a proposal's.
    pub to_sign: Option<String>,
    /// Whether it must be durable before anything that follows it is shown.
    pub waits: bool,
}

/// The input that led to a record: stands in every record a step makes, so that a reader gets from it to its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The recording.
    pub recording_id: Uuid,
    /// The input's number in it.
    pub input_number: u64,
    /// The input's venue time.
    pub at_utc: UnixNanos,
}

fn outgoing(agent_name: &str, entry: Entry) -> Outgoing {
    Outgoing { agent_name: agent_name.to_owned(), entry, to_sign: None, waits: false }
}

fn entry(wall: UnixNanos, intent: IntentType, summary: impl Into<String>, payload: Value, outcome: Outcome) -> Entry {
    Entry::new(wall, intent, outcome, summary, payload)
}

/// The value of anything that serialises; what does not says so in its place.
fn value<T: Serialize>(of: &T) -> Value {
    serde_json::to_value(of).unwrap_or_else(|error| Value::String(format!("cannot be written: {error}")))
}

/// The records of one output. `gate` is the agent that judges.
pub fn of_output(output: Output, cause: &Cause, gate: &str, wall: UnixNanos) -> Vec<Outgoing> {
    match output {
        Output::Proposal { proposal, body, malformed } => of_proposal(&proposal, body, malformed.as_ref(), cause, wall),
        Output::Unwritable { agent_name, problem } => {
            let told = entry(
                wall,
                IntentType::ProposalMalformed,
                "proposal without canonical form",
                json!({"cause": cause}),
                Outcome::Refused,
            )
            .with_error(problem.to_string());
            vec![outgoing(&agent_name, told)]
        }
        Output::Decision(judged) => {
            let mut records = vec![of_decision(&judged.decision, cause, gate, wall)];
            if let Verdict::Accept(accepted) = judged.verdict {
                records.extend(of_accepted(&accepted.intent(), accepted.correlation_id(), gate, wall));
            }
            records
        }
        Output::Desk(moved) => vec![of_desk(&moved, cause, gate, wall)],
        Output::Note { agent_name, strategy_name, note } => {
            let intent = match note.kind {
                NoteKind::Signal => IntentType::Signal,
                NoteKind::CycleSkipped => IntentType::StrategyCycleSkipped,
            };
            let payload = json!({"cause": cause, "strategy_name": strategy_name, "symbol": note.symbol, "indicators": note.indicators});
            vec![outgoing(&agent_name, entry(wall, intent, note.summary, payload, Outcome::Success))]
        }
    }
}

fn of_proposal(
    proposal: &Proposal,
    body: String,
    malformed: Option<&agenttrader_core::proposal::Malformed>,
    cause: &Cause,
    wall: UnixNanos,
) -> Vec<Outgoing> {
    let summary = format!(
        "{} {} {} {} {}",
        proposal.strategy_name, proposal.intent, proposal.side, proposal.quantity, proposal.symbol
    );
    let payload = json!({"cause": cause, "proposal": value(proposal)});
    let told =
        entry(wall, IntentType::OrderProposal, summary, payload, Outcome::Success).correlated(proposal.correlation_id);
    let mut records = vec![Outgoing { to_sign: Some(body), ..outgoing(&proposal.agent_name, told) }];
    if let Some(problem) = malformed {
        let payload = json!({"cause": cause, "proposal_id": proposal.proposal_id, "pointer": problem.pointer});
        let told = entry(wall, IntentType::ProposalMalformed, "malformed proposal", payload, Outcome::Refused)
            .correlated(proposal.correlation_id)
            .with_error(problem.to_string());
        records.push(outgoing(&proposal.agent_name, told));
    }
    records
}

fn of_decision(decision: &Decision, cause: &Cause, gate: &str, wall: UnixNanos) -> Outgoing {
    let accepted = decision.decision == agenttrader_core::decision::Outcome::Accept;
    let codes: Vec<&str> = decision.reason_codes.iter().map(|reason| reason.as_str()).collect();
    let summary = if accepted { "accepted".to_owned() } else { format!("refused: {}", codes.join(", ")) };
    let outcome = if accepted { Outcome::Success } else { Outcome::Refused };
    let payload = json!({"cause": cause, "decision": value(decision)});
    let told =
        entry(wall, IntentType::ExecutionDecision, summary, payload, outcome).correlated(decision.correlation_id);
    Outgoing { waits: true, ..outgoing(gate, told) }
}

/// An accepted order has no venue to go to while there is no adapter: its intent is written and closed as never sent.
fn of_accepted(intent: &Value, correlation_id: Uuid, gate: &str, wall: UnixNanos) -> [Outgoing; 2] {
    let intent = entry(wall, IntentType::OrderIntent, "order intent", intent.clone(), Outcome::Started)
        .correlated(correlation_id);
    let closed = entry(wall, IntentType::PermitRefused, "never sent: no broker adapter", json!({}), Outcome::Refused)
        .correlated(correlation_id)
        .with_error("no broker adapter is configured");
    [Outgoing { waits: true, ..outgoing(gate, intent) }, outgoing(gate, closed)]
}

fn of_desk(moved: &DeskOutput, cause: &Cause, gate: &str, wall: UnixNanos) -> Outgoing {
    let told = match moved {
        DeskOutput::ShadowTaken(taken) => {
            let mut order = value(taken);
            if let Some(order) = order.as_object_mut() {
                order.insert("status".to_owned(), Value::from("SHADOWED"));
            }
            let summary =
                format!("SHADOW order: {} {} {} {}", taken.strategy_name, taken.intent, taken.quantity, taken.symbol);
            let payload = json!({"cause": cause, "order": order});
            entry(wall, IntentType::OrderUpdate, summary, payload, Outcome::Success).correlated(taken.correlation_id)
        }
        DeskOutput::ShadowLapsed(lapsed) => {
            let mut order = value(lapsed);
            if let Some(order) = order.as_object_mut() {
                order.insert("status".to_owned(), Value::from("LAPSED"));
            }
            let summary = format!("SHADOW order lapsed: {} {} {}", lapsed.strategy_name, lapsed.intent, lapsed.symbol);
            let payload = json!({"cause": cause, "order": order});
            entry(wall, IntentType::OrderUpdate, summary, payload, Outcome::Success).correlated(lapsed.correlation_id)
        }
        DeskOutput::ShadowFill(fill) => {
            let summary =
                format!("SHADOW fill: {} {} {} at {}", fill.strategy_name, fill.quantity, fill.symbol, fill.price);
            let payload = json!({"cause": cause, "fill": value(fill)});
            entry(wall, IntentType::Fill, summary, payload, Outcome::Success).correlated(fill.correlation_id)
        }
        DeskOutput::LimitTripped(tripped) => {
            let summary = format!(
                "SHADOW limit tripped: {} measured {} bound {} {}",
                tripped.limit, tripped.measured, tripped.bound, tripped.unit
            );
            let payload = json!({"cause": cause, "limit": value(tripped)});
            entry(wall, IntentType::LimitTripped, summary, payload, Outcome::Success)
        }
        DeskOutput::SignedFileRead(read) => return of_signed_file(read, cause, gate, wall),
    };
    outgoing(gate, told)
}

/// A file that people signed was read, or its folder: durable before anything that follows it is shown.
fn of_signed_file(read: &SignedFileRead, cause: &Cause, gate: &str, wall: UnixNanos) -> Outgoing {
    let (intent, what) = match read.folder {
        SignedFolder::Grants => (IntentType::UnlockLoaded, "grant"),
        SignedFolder::Approvals => (IntentType::Approval, "approval"),
    };
    let summary = match (&read.sha256, read.signed_by.as_slice()) {
        (None, _) => format!("folder of {what}s is {}", read.state),
        (Some(sha256), []) => format!("{what} {sha256} is {}", read.state),
        (Some(sha256), signed_by) => format!("{what} {sha256} is {}, signed by {}", read.state, signed_by.join(", ")),
    };
    let outcome = match read.state {
        "unusable" => Outcome::Refused,
        "unreadable" => Outcome::Failure,
        _ => Outcome::Success,
    };
    let mut told = entry(wall, intent, summary, json!({"cause": cause, "file": value(read)}), outcome);
    if let Some(problem) = &read.problem {
        told = told.with_error(problem.clone());
    }
    Outgoing { waits: true, ..outgoing(gate, told) }
}

/// The records that an input itself leads to: a change of the switch is told by every agent, what happens to the feed by
/// the agent that holds it. `cause` is none before a recording has begun.
pub fn of_input(
    input: &Input,
    cause: Option<&Cause>,
    agents: &[String],
    marketdata: &str,
    wall: UnixNanos,
) -> Vec<Outgoing> {
    match input {
        Input::Fact(Fact::Switch(reading)) => {
            let word = if reading.halted { "halted" } else { "not halted" };
            let tell = |agent: &String| {
                let payload = json!({"cause": cause, "reading": reading});
                let told = entry(
                    wall,
                    IntentType::KillSwitchChange,
                    format!("kill switch {word}: {}", reading.source),
                    payload,
                    Outcome::Success,
                );
                Outgoing { waits: true, ..outgoing(agent, told) }
            };
            agents.iter().map(tell).collect()
        }
        Input::Fact(Fact::Feed(fact)) => {
            of_feed(fact, cause, wall).into_iter().map(|entry| outgoing(marketdata, entry)).collect()
        }
        Input::Market(_) | Input::Instrument { .. } | Input::Fact(_) => Vec::new(),
    }
}

fn of_feed(fact: &FeedFact, cause: Option<&Cause>, wall: UnixNanos) -> Option<Entry> {
    let payload = json!({"cause": cause, "feed": fact});
    let told = |intent, summary: String, outcome| entry(wall, intent, summary, payload.clone(), outcome);
    Some(match fact {
        FeedFact::Connected { stream, delayed } => {
            let delay = if *delayed { ", DELAYED" } else { "" };
            told(IntentType::FeedConnect, format!("{stream} connected{delay}"), Outcome::Success)
        }
        FeedFact::Disconnected { stream, reason } => {
            told(IntentType::FeedDisconnect, format!("{stream} disconnected"), Outcome::Failure)
                .with_error(reason.clone())
        }
        FeedFact::Gap { stream, from, to } => {
            told(IntentType::MarketdataGap, format!("{stream}: nothing heard from {from} to {to}"), Outcome::Failure)
        }
        FeedFact::Rejected { stream, reason, count } => {
            told(IntentType::MarketdataGap, format!("{stream}: {count} messages rejected"), Outcome::Failure)
                .with_error(reason.clone())
        }
        FeedFact::ClockStepped { by } => {
            told(IntentType::MarketdataGap, format!("venue clock stepped by {by}"), Outcome::Failure)
        }
        FeedFact::Cadence { .. } | FeedFact::BackfillComplete => return None,
    })
}

/// The first record of a run in an agent's log.
pub fn agent_start(payload: Value, wall: UnixNanos) -> Entry {
    entry(wall, IntentType::AgentStart, "agent starts", payload, Outcome::Started)
}

/// The last record of a run in an agent's log. It names the recording as it ended, so that nobody can cut or change its end
/// unseen; null where none was begun.
pub fn agent_stop(reason: &str, recording: Option<&RecordingEnd>, wall: UnixNanos) -> Entry {
    let payload = json!({"reason": reason, "recording": recording});
    entry(wall, IntentType::AgentStop, "agent stops", payload, Outcome::Success)
}

/// A recording as it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingEnd {
    /// Which.
    pub recording_id: Uuid,
    /// Inputs in it.
    pub inputs: u64,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// Adds signature and key to a proposal's payload.
pub fn signed(mut payload: Value, key_id: &str, signature: &str) -> Value {
    if let Some(fields) = payload.as_object_mut() {
        fields.insert("key_id".to_owned(), Value::from(key_id));
        fields.insert("signature".to_owned(), Value::from(signature));
    }
    payload
}

/// A status of an agent is another than before.
pub fn state_transition(from: &str, to: &str, reasons: &[String], wall: UnixNanos) -> Entry {
    let summary = if reasons.is_empty() {
        format!("{from} → {to}")
    } else {
        format!("{from} → {to}: {}", reasons.join(", "))
    };
    let payload = json!({"from": from, "to": to, "reason_codes": reasons});
    entry(wall, IntentType::StateTransition, summary, payload, Outcome::Success)
}

/// The digest of a configuration's canonical JSON, for a recording's head.
pub fn digest_of<T: Serialize>(of: &T) -> Option<Digest> {
    canonical_json::of(of).ok().map(|text| Digest::of(text.as_bytes()))
}
