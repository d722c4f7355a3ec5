//! Reading logs through for the few records that matter, without taking every entry apart.

use crate::committed::Committed;
use crate::place::PlacedLog;
use crate::records::record_of;
use agenttrader_audit::read::{self, PAYLOAD_BYTES_MOST, Position};
use agenttrader_audit::record::{IntentType, Record};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::UnixNanos;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// A record that was found.
#[derive(Clone, Debug)]
pub(super) struct Scanned {
    /// The log, by its place among all.
    pub(super) log: usize,
    /// Whose log it is.
    pub(super) agent_name: String,
    /// The record.
    pub(super) record: Record,
    /// Its payload, also where that lies apart.
    pub(super) payload: Value,
    /// What is wrong with a payload that lies apart.
    pub(super) payload_problem: Option<String>,
}

/// The ids a record names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) correlation_id: Option<Uuid>,
    pub(super) proposal_id: Option<Uuid>,
}

/// The input that led to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Cause {
    pub(super) recording_id: Uuid,
    pub(super) input_number: u64,
    pub(super) at_utc: UnixNanos,
}

impl Cause {
    /// Whether it is the other, or came before it.
    pub(super) fn is_up_to(&self, other: &Self) -> bool {
        self.recording_id == other.recording_id && self.input_number <= other.input_number
    }
}

/// Where proposals' ids stand in payloads.
const PROPOSAL_ID_AT: [&str; 5] =
    ["/proposal/proposal_id", "/decision/proposal_id", "/order/proposal_id", "/fill/proposal_id", "/proposal_id"];

impl Scanned {
    pub(super) fn named(&self) -> Named {
        let id = |pointer: &&str| self.payload.pointer(pointer)?.as_str()?.parse::<Uuid>().ok();
        Named { correlation_id: self.record.correlation_id, proposal_id: PROPOSAL_ID_AT.iter().find_map(id) }
    }

    pub(super) fn cause(&self) -> Option<Cause> {
        serde_json::from_value(self.payload.get("cause")?.clone()).ok()
    }

    /// What comes before what: by what leads to what, then by the input, then by the time.
    pub(super) fn order(&self) -> (u8, u64, UnixNanos, &str, u64) {
        let phase = match self.record.intent_type {
            IntentType::McpCall => 0,
            IntentType::Signal => 1,
            IntentType::OrderProposal => 2,
            IntentType::ProposalMalformed => 3,
            IntentType::Approval => 4,
            IntentType::ExecutionDecision => 5,
            IntentType::OrderIntent => 6,
            IntentType::PermitRefused | IntentType::OrderSubmitted => 7,
            _ => 8,
        };
        let input = self.cause().map_or(0, |cause| cause.input_number);
        (phase, input, self.record.timestamp, &self.agent_name, self.record.seq)
    }
}

/// Whether an entry's payload may lie apart: then it does not say what is in it.
pub(super) fn lies_apart(entry: &str) -> bool {
    entry.contains("\"intent_payload\":{\"sha256\":\"")
}

/// Gives every record of a log whose canonical JSON is wanted: what the checkpoint covers, and in a data directory what the journal holds
/// beyond. What cannot be read ends it, in words.
pub(super) fn scan(
    number: usize,
    log: &PlacedLog,
    wanted: &dyn Fn(&str) -> bool,
    take: &mut dyn FnMut(Scanned),
) -> Result<(), String> {
    let place = || log.agent_name.clone().unwrap_or_else(|| log.files.place());
    let told = |error: &dyn std::error::Error| format!("the log of {}: {}", place(), chain(error));
    let mut committed = Committed::now(&log.files).map_err(|error| told(&error))?;
    let agent_name = log.agent_name.clone();
    let agent_name = agent_name.or_else(|| Some(committed.as_ref()?.agent_name().to_owned())).unwrap_or_default();
    let mut give = |record: Record| {
        let (payload, payload_problem) = match payload(log, &record) {
            Ok(payload) => (payload, None),
            Err(problem) => (Value::Null, Some(problem)),
        };
        take(Scanned { log: number, agent_name: agent_name.clone(), record, payload, payload_problem });
    };
    let size = committed.as_ref().map_or(0, Committed::size);
    if let Some(committed) = &mut committed {
        for index in 0..size {
            let entry = committed.entry(index).map_err(|error| told(&error))?;
            let is_wanted = std::str::from_utf8(&entry).is_ok_and(wanted);
            if is_wanted {
                give(record_of(index, &entry).map_err(|error| told(&error))?);
            }
        }
    }
    let Some(data_dir) = log.data_dir.as_deref().filter(|data_dir| read::exists(data_dir, &agent_name)) else {
        return Ok(());
    };
    for record in read::records_from(data_dir, &agent_name, Position::at(size)).map_err(|error| told(&error))? {
        let record = record.map_err(|error| told(&error))?;
        if canonical_json::of(&record).is_ok_and(|entry| wanted(&entry)) {
            give(record);
        }
    }
    Ok(())
}

/// A record's payload.
fn payload(log: &PlacedLog, record: &Record) -> Result<Value, String> {
    let Some(stored) = record.stored_payload() else { return Ok(record.intent_payload.clone()) };
    let name = stored.sha256.to_string();
    let blobs = log.blobs.as_deref().ok_or_else(|| format!("its payload {name} is not served here"))?;
    let most = usize::try_from(PAYLOAD_BYTES_MOST).unwrap_or(usize::MAX);
    let bytes = blobs.read(&name, most).map_err(|error| chain(&error))?;
    let bytes = bytes.ok_or_else(|| format!("its payload {name} is missing"))?;
    if Digest::of(&bytes) != stored.sha256 || bytes.len() as u64 != stored.size {
        return Err(format!("its payload {name} is not what the record names"));
    }
    canonical_json::parse_within(&bytes, bytes.len()).map_err(|error| format!("its payload {name}: {error}"))
}
