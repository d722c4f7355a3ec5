//! Where a proposal stands after everything that its records say.

use super::scan::Scanned;
use agenttrader_audit::record::IntentType;
use agenttrader_core::reason::Reason;
use serde::Serialize;
use serde_json::Value;

/// The account of orders that were never sent.
const SHADOW: &str = "SHADOW";

/// The end of a story, as far as it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// `PROPOSED`, `REFUSED`, `AWAITING_APPROVAL`, `APPROVED`, `SHADOWED` or `EXECUTED`.
    pub state: &'static str,
    /// What came of it, in words.
    pub words: String,
}

/// The outcome of records in causal order.
pub(super) fn of(records: &[Scanned]) -> Outcome {
    let last = |kind: IntentType| records.iter().rev().find(|one| one.record.intent_type == kind);
    let text = |one: &Scanned, pointer: &str| one.payload.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let fills: Vec<&Scanned> = records.iter().filter(|one| one.record.intent_type == IntentType::Fill).collect();
    let is_shadow = |one: &&Scanned| text(one, "/fill/account").as_deref() == Some(SHADOW);
    let summaries =
        |fills: &[&Scanned]| fills.iter().map(|fill| fill.record.intent_summary.clone()).collect::<Vec<_>>().join("; ");
    if fills.iter().any(|fill| !is_shadow(fill)) {
        return Outcome { state: "EXECUTED", words: summaries(&fills) };
    }
    let Some(decision) = last(IntentType::ExecutionDecision) else {
        let malformed = last(IntentType::ProposalMalformed).and_then(|one| one.record.error.clone());
        let words =
            malformed.map_or_else(|| "no decision is recorded here".to_owned(), |why| format!("malformed: {why}"));
        return Outcome { state: "PROPOSED", words };
    };
    let codes: Vec<String> = decision
        .payload
        .pointer("/decision/reason_codes")
        .and_then(Value::as_array)
        .map_or_else(Vec::new, |codes| codes.iter().filter_map(|code| code.as_str().map(str::to_owned)).collect());
    let accepted = text(decision, "/decision/decision").as_deref() == Some("ACCEPT");
    if accepted && codes.is_empty() {
        let never_sent = last(IntentType::PermitRefused).map(|one| one.record.intent_summary.clone());
        return Outcome { state: "APPROVED", words: never_sent.unwrap_or_else(|| "accepted".to_owned()) };
    }
    let is_posture = |code: &String| Reason::parse(code).is_some_and(Reason::is_posture);
    match codes.as_slice() {
        [only] if only == Reason::ApprovalMissing.as_str() => {
            Outcome { state: "AWAITING_APPROVAL", words: "a person has to approve it".to_owned() }
        }
        codes if !codes.is_empty() && codes.iter().all(is_posture) => {
            let words = match last(IntentType::OrderUpdate).and_then(|one| Some((one, text(one, "/order/status")?))) {
                _ if !fills.is_empty() => summaries(&fills),
                Some((one, status)) if status == "LAPSED" => one.record.intent_summary.clone(),
                Some(_) => "a shadow order works".to_owned(),
                None => "no shadow order is recorded".to_owned(),
            };
            Outcome { state: "SHADOWED", words }
        }
        codes => Outcome { state: "REFUSED", words: codes.join(", ") },
    }
}
