//! The story of one proposal across all agents, in causal order: the market input that caused it, the signal, the proposal, the decision with
//! all its reasons, the order, what became of it. Each step is an entry of some agent's log, with the proof that it stands there.
//!
//! Records belong together by their correlation id; a signal has none, and the last one of the strategy in that symbol is told. Inputs are read from the
//! recording that the proposal names, if it is here, and its bytes up to that input are compared with the digest in the proposal.

mod inputs;
mod outcome;
mod scan;
mod step;

pub use inputs::{InputShown, Inputs, Recorded};
pub use outcome::Outcome;
pub use step::{Check, Proof, Step};

use crate::place::{Place, PlaceError, PlacedLog};
use agenttrader_audit::record::{IntentType, Record};
use agenttrader_core::proposal::Causation;
use scan::{Named, Scanned};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use uuid::Uuid;

/// Characters of the shortest beginning of an id that is looked for.
pub const BEGINNING_LEAST: usize = 8;

/// Characters of a whole id.
const WHOLE: usize = 36;

/// What is told of one proposal.
#[derive(Clone, Debug, Serialize)]
pub struct Story {
    /// The proposal; none where no record names one.
    pub proposal_id: Option<Uuid>,
    /// What ties its records together.
    pub correlation_id: Uuid,
    /// The proposal's body, as it was signed.
    pub proposal: Option<Value>,
    /// Where it stands after all that is told here.
    pub outcome: Outcome,
    /// The market input that caused it.
    pub inputs: Option<Inputs>,
    /// The records, in causal order.
    pub steps: Vec<Step>,
    /// What is wrong: proofs and signatures that do not hold, logs that cannot be read.
    pub problems: Vec<String>,
    /// What this cannot show.
    pub not_shown: Vec<String>,
}

/// A proposal that an id may mean.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Candidate {
    /// Its correlation id.
    pub correlation_id: Uuid,
    /// Its id.
    pub proposal_id: Option<Uuid>,
    /// What its record says in a sentence.
    pub summary: String,
}

/// Why no story is told.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// Neither an id nor the beginning of one.
    #[error("`{id}` is no id, nor the first {BEGINNING_LEAST} characters of one or more")]
    NoId {
        /// What was given.
        id: String,
    },
    /// No record has it.
    #[error("no record here is of a proposal or correlation id {id}")]
    Unknown {
        /// What was given.
        id: String,
        /// Logs that could not be read, or not to their end.
        problems: Vec<String>,
    },
    /// Several proposals have it.
    #[error("{id} means {} proposals", candidates.len())]
    Ambiguous {
        /// What was given.
        id: String,
        /// Those it may mean.
        candidates: Vec<Candidate>,
    },
    /// There are no logs.
    #[error(transparent)]
    Place(#[from] PlaceError),
}

/// Tells the story of the proposal that an id, or the beginning of one, means in a place.
///
/// # Errors
/// [`TraceError`]; a log that cannot be read is told in [`Story::problems`] where there is a story without it.
pub fn trace(place: &Place, id: &str) -> Result<Story, TraceError> {
    let id = id.to_ascii_lowercase();
    if !is_id(&id) {
        return Err(TraceError::NoId { id: id.chars().take(WHOLE).collect() });
    }
    let logs = place.logs()?;
    let mut problems = Vec::new();
    let chosen = choose(&logs, &id, &mut problems)?;
    let mut gathered = gather(&logs, &chosen, &mut problems);
    gathered.sort_by(|one, other| one.order().cmp(&other.order()));
    let proposal = gathered.iter().find(|one| one.record.intent_type == IntentType::OrderProposal);
    let body = proposal.and_then(|one| one.payload.get("proposal")).cloned();
    let causation =
        body.as_ref().and_then(|body| serde_json::from_value::<Causation>(body.get("causation")?.clone()).ok());
    let recordings = place_data_dir(place).map(|data_dir| data_dir.join("recordings"));
    let live = logs.iter().any(|log| log.files.is_live());
    let inputs = causation.map(|causation| inputs::read(&causation, body.as_ref(), recordings.as_deref(), live));
    if let Some(problem) = inputs.as_ref().and_then(Inputs::problem) {
        problems.push(problem);
    }
    let digest = body.as_ref().and_then(step::digest_of);
    let steps: Vec<Step> = gathered.iter().filter_map(|one| Some(step::of(one, logs.get(one.log)?, digest))).collect();
    for step in &steps {
        problems.extend(step.problems());
    }
    let outcome = outcome::of(&gathered);
    let not_shown = not_shown(&steps, inputs.as_ref(), body.is_some());
    Ok(Story {
        proposal_id: chosen.proposal_id,
        correlation_id: chosen.correlation_id,
        proposal: body,
        outcome,
        inputs,
        steps,
        problems,
        not_shown,
    })
}

/// Whether a text can be the beginning of an id as records spell it.
fn is_id(text: &str) -> bool {
    (BEGINNING_LEAST..=WHOLE).contains(&text.len())
        && text.char_indices().all(|(at, letter)| match at {
            8 | 13 | 18 | 23 => letter == '-',
            _ => letter.is_ascii_hexdigit(),
        })
}

fn place_data_dir(place: &Place) -> Option<PathBuf> {
    match place {
        Place::DataDir(data_dir) => Some(data_dir.clone()),
        _ => place.logs().ok()?.into_iter().find_map(|log| log.data_dir),
    }
}

/// The one story that an id means.
fn choose(logs: &[PlacedLog], id: &str, problems: &mut Vec<String>) -> Result<Candidate, TraceError> {
    // By correlation and proposal; the proposal's own record tells it best.
    let mut known: BTreeMap<(Uuid, Option<Uuid>), (bool, String)> = BTreeMap::new();
    let mut unfinished = Vec::new();
    for (number, log) in logs.iter().enumerate() {
        let read = scan::scan(number, log, &|entry| entry.contains(id) || scan::lies_apart(entry), &mut |scanned| {
            let Named { correlation_id: Some(correlation_id), proposal_id } = scanned.named() else { return };
            let begins = |with: Uuid| with.to_string().starts_with(id);
            if begins(correlation_id) || proposal_id.is_some_and(begins) {
                let is_own = scanned.record.intent_type == IntentType::OrderProposal;
                let told = known.entry((correlation_id, proposal_id)).or_default();
                if is_own || told.1.is_empty() {
                    *told = (is_own, scanned.record.intent_summary.clone());
                }
            }
        });
        unfinished.extend(read.err());
    }
    // Records without a proposal's id, such as an order's intent, go with those of their correlation that have one.
    let with_id: BTreeSet<Uuid> =
        known.keys().filter(|(_, proposal)| proposal.is_some()).map(|(correlation, _)| *correlation).collect();
    known.retain(|(correlation, proposal), _| proposal.is_some() || !with_id.contains(correlation));
    let mut candidates: Vec<Candidate> = known
        .into_iter()
        .map(|((correlation_id, proposal_id), (_, summary))| Candidate { correlation_id, proposal_id, summary })
        .collect();
    match (candidates.pop(), candidates.is_empty()) {
        (Some(only), true) => {
            problems.extend(unfinished);
            Ok(only)
        }
        (Some(last), false) => {
            candidates.push(last);
            Err(TraceError::Ambiguous { id: id.to_owned(), candidates })
        }
        (None, _) => Err(TraceError::Unknown { id: id.to_owned(), problems: unfinished }),
    }
}

/// Every record of a story.
fn gather(logs: &[PlacedLog], chosen: &Candidate, problems: &mut Vec<String>) -> Vec<Scanned> {
    let correlation = chosen.correlation_id.to_string();
    let mut gathered: Vec<Scanned> = Vec::new();
    let mut again = |number: usize,
                     log: &PlacedLog,
                     wanted: &dyn Fn(&str) -> bool,
                     belongs: &dyn Fn(&Scanned) -> bool,
                     gathered: &mut Vec<Scanned>| {
        let read = scan::scan(number, log, wanted, &mut |scanned| {
            if belongs(&scanned) {
                gathered.push(scanned);
            }
        });
        // Told once, however often the log is read.
        if let Err(problem) = read
            && !problems.contains(&problem)
        {
            problems.push(problem);
        }
    };
    for (number, log) in logs.iter().enumerate() {
        let wanted = |entry: &str| entry.contains(&correlation);
        let belongs = |scanned: &Scanned| {
            let named = scanned.named();
            named.correlation_id == Some(chosen.correlation_id)
                && named.proposal_id.is_none_or(|proposal| chosen.proposal_id.is_none_or(|ours| ours == proposal))
        };
        again(number, log, &wanted, &belongs, &mut gathered);
    }
    let proposal = gathered.iter().find(|one| one.record.intent_type == IntentType::OrderProposal);
    let cause = proposal.and_then(|one| Some((one.log, one.cause()?, one.payload.clone())));
    if let Some((number, cause, proposal)) = cause
        && let Some(log) = logs.get(number)
    {
        let recording = cause.recording_id.to_string();
        let wanted = |entry: &str| entry.contains("\"intent_type\":\"signal\"") && entry.contains(&recording);
        let same = |scanned: &Scanned, one: &str, other: &str| text(&scanned.payload, one) == text(&proposal, other);
        let belongs = |scanned: &Scanned| {
            scanned.record.intent_type == IntentType::Signal
                && scanned.cause().is_some_and(|of| of.is_up_to(&cause))
                && same(scanned, "/strategy_name", "/proposal/strategy_name")
                && same(scanned, "/symbol", "/proposal/symbol")
        };
        let mut signals = Vec::new();
        again(number, log, &wanted, &belongs, &mut signals);
        // A strategy signals when its stance changes: the last one before the proposal is the one it spoke from.
        gathered.extend(signals.into_iter().max_by_key(|one| (one.cause().map(|of| of.input_number), one.record.seq)));
    }
    gathered
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn not_shown(steps: &[Step], inputs: Option<&Inputs>, has_proposal: bool) -> Vec<String> {
    let mut not_shown = Vec::new();
    if !has_proposal {
        not_shown.push("the proposal itself: its record is in none of the logs that are here".to_owned());
    }
    if inputs.is_some_and(|inputs| matches!(inputs.recorded, Recorded::Absent)) {
        not_shown.push("the market inputs: the recording is not here".to_owned());
    }
    if inputs.is_some_and(|inputs| matches!(inputs.recorded, Recorded::Short { live: true, .. })) {
        not_shown
            .push("the market inputs: the recording is not written up to them yet; ask again in a second".to_owned());
    }
    let uncovered = steps.iter().filter(|step| matches!(step.proof, Proof::NotYet)).count();
    if uncovered > 0 {
        not_shown.push(format!("a proof of {uncovered} of the steps: no checkpoint covers them yet"));
    }
    let unsigned = steps.iter().any(|step| matches!(step.proof, Proof::Covered { key: None, .. }));
    if unsigned {
        not_shown.push("who signed the checkpoints: no key of some logs is known here".to_owned());
    }
    not_shown.push("what was never logged, and logs that are not here".to_owned());
    not_shown.push(
        "a whole machine rolled back to an earlier state: no checkpoint held elsewhere is looked at here".to_owned(),
    );
    not_shown
}

/// What a step is called: by what its record is about.
const fn word(record: &Record) -> &'static str {
    match record.intent_type {
        IntentType::Signal => "signal",
        IntentType::OrderProposal => "proposal",
        IntentType::ProposalMalformed => "malformed",
        IntentType::ExecutionDecision => "decision",
        IntentType::Approval => "approval",
        IntentType::OrderIntent => "intent",
        IntentType::PermitRefused => "never sent",
        IntentType::OrderSubmitted => "submitted",
        IntentType::OrderUpdate => "order",
        IntentType::Fill => "fill",
        IntentType::Reconciliation => "reconciled",
        IntentType::McpCall => "call",
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_spelled_as_records_do_and_may_be_cut() {
        for good in ["0f8e1c52", "0f8e1c52-", "0f8e1c52-5d3b-8a9c-8f33-50211cdbbe73"] {
            assert!(is_id(good), "{good}");
        }
        for bad in ["", "0f8e1c5", "0f8e1c52x", "0f8e1c525", "gamma-strategy", "0f8e1c52-5d3b-8a9c-8f33-50211cdbbe731"]
        {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
