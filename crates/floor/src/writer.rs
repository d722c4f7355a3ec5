//! The writer's thread: signs what agents propose and appends every record to its agent's log, in order.

use crate::records::{Outgoing, signed};
use agenttrader_agent::keys::Keys;
use agenttrader_audit::log::Log;
use agenttrader_audit::record::{Entry, IntentType};
use agenttrader_audit::redact::Redactor;
use agenttrader_core::canonical_json;
use agenttrader_core::proposal::Proposal;
use agenttrader_core::time::{Span, UnixNanos};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

/// An agent's log and keys.
#[derive(Debug)]
pub struct Desk {
    /// Its log.
    pub log: Arc<Log>,
    /// Its keys.
    pub keys: Keys,
}

/// Every agent of this process that has a log, by name.
pub type Desks = BTreeMap<String, Desk>;

/// Appends what comes until nobody sends any more. A record on which safety leans is waited for; one that cannot be
/// written is told by the log's health, which is an input of the sequence.
pub fn run(desks: &Desks, outgoing: &Receiver<Vec<Outgoing>>, claim: &Path, redactor: &Redactor) {
    for batch in outgoing {
        let mut waited = Vec::new();
        for Outgoing { agent_name, mut entry, to_sign, waits } in batch {
            let Some(desk) = desks.get(&agent_name) else { continue };
            let is_proposal = to_sign.is_some();
            if let Some(body) = to_sign {
                let signer = &desk.keys.sign;
                let signature = STANDARD.encode(signer.sign(&Proposal::signed_bytes(&body)).to_bytes());
                entry.intent_payload = signed(entry.intent_payload, signer.key_id(), &signature);
            }
            match entry.intent_type {
                // What a venue says and what a strategy notes is free-form; what a halt claims is somebody's words.
                IntentType::FeedConnect | IntentType::FeedDisconnect | IntentType::MarketdataGap => {
                    redactor.redact_value(&mut entry.intent_payload);
                }
                IntentType::Signal | IntentType::StrategyCycleSkipped => {
                    if let Some(indicators) = entry.intent_payload.get_mut("indicators") {
                        redactor.redact_value(indicators);
                    }
                }
                IntentType::KillSwitchChange => quote_claim(&mut entry, claim, redactor),
                _ => {}
            }
            let ticket = desk.log.append(entry);
            if is_proposal {
                // A decision stands in another log: what it is about must be durable before it is.
                let _ = ticket.durable();
            } else if waits {
                waited.push(ticket);
            } else {
                ticket.unwaited();
            }
        }
        for ticket in waited {
            // The log's observer has told the sequence: the gate refuses AUDIT_UNAVAILABLE until it can write again.
            let _ = ticket.durable();
        }
    }
}

/// Longest claim read.
const CLAIM_BYTES_MAX: u64 = 4 * 1024;

/// A claim older than this belongs to an earlier halt.
const CLAIM_AGE_MAX: Span = Span::from_seconds(10);

/// Puts who asked for a halt, and why, beside its record: a claim, which nothing has verified.
fn quote_claim(entry: &mut Entry, claim: &Path, redactor: &Redactor) {
    let halted = entry.intent_payload.pointer("/reading/halted").and_then(Value::as_bool) == Some(true);
    let Some(mut claimed) = read_claim(claim).filter(|_| halted) else { return };
    let at = claimed.get("at_utc").and_then(Value::as_str).and_then(|text| UnixNanos::parse(text).ok());
    // Both ways: a claim from the future would be quoted at every later halt.
    if at.is_none_or(|at| entry.timestamp.since(at) > CLAIM_AGE_MAX || at.since(entry.timestamp) > CLAIM_AGE_MAX) {
        return;
    }
    redactor.redact_value(&mut claimed);
    if let Some(payload) = entry.intent_payload.as_object_mut() {
        payload.insert("claim".to_owned(), claimed);
    }
}

fn read_claim(path: &Path) -> Option<Value> {
    let mut text = Vec::new();
    std::fs::File::open(path).ok()?.take(CLAIM_BYTES_MAX).read_to_end(&mut text).ok()?;
    canonical_json::parse(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_audit::record::Outcome;
    use agenttrader_core::secret::Secret;
    use serde_json::json;

    fn told(halted: bool, seconds_later: i64) -> Value {
        let folder = tempfile::tempdir().unwrap();
        let claim = folder.path().join("halt.json");
        let at = UnixNanos::from_seconds(1_000);
        let text = json!({"reason": "drill, token hunter2hunter2", "user": "ada", "at_utc": at}).to_string();
        std::fs::write(&claim, text).unwrap();
        let payload = json!({"reading": {"halted": halted, "source": "file"}});
        let wall = at.plus(Span::from_seconds(seconds_later));
        let mut entry = Entry::new(wall, IntentType::KillSwitchChange, Outcome::Success, "kill switch", payload);
        quote_claim(&mut entry, &claim, &Redactor::new([Secret::new("hunter2hunter2".into())]));
        entry.intent_payload.get("claim").cloned().unwrap_or(Value::Null)
    }

    #[test]
    fn a_halt_quotes_who_asked_for_it_and_shows_no_secret() {
        let claim = told(true, 1);
        assert_eq!(claim["user"], "ada");
        assert!(claim["reason"].as_str().unwrap().starts_with("drill") && !claim.to_string().contains("hunter2"));
    }

    #[test]
    fn a_release_and_an_old_claim_are_not_quoted() {
        assert_eq!((told(false, 1), told(true, 11)), (Value::Null, Value::Null));
    }
}
