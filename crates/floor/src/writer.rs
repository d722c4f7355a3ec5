//! The writer's thread: signs what agents propose and appends every record to its agent's log, in order.

use crate::records::{Outgoing, signed};
use agenttrader_agent::keys::Keys;
use agenttrader_audit::log::Log;
use agenttrader_core::proposal::Proposal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
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
pub fn run(desks: &Desks, outgoing: &Receiver<Vec<Outgoing>>) {
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
