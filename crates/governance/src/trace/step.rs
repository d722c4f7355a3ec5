//! One step of a story: a record with the proof of its place, and what can be checked of its content.

use super::scan::Scanned;
use super::word;
use crate::keyring::Keyring;
use crate::place::PlacedLog;
use agenttrader_agent::keys::{self, PublicKeys, key_id};
use agenttrader_audit::prove::{self, ProveError, Proved};
use agenttrader_audit::record::IntentType;
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_core::proposal::Proposal;
use agenttrader_core::time::UnixNanos;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signature;
use serde::Serialize;
use serde_json::Value;

/// A record in a story.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What it is: `signal`, `proposal`, `decision`, `fill`, ….
    pub step: &'static str,
    /// Whose log it stands in.
    pub agent_name: String,
    /// Its place there.
    pub index: u64,
    /// Wall time.
    pub timestamp: UnixNanos,
    /// Venue time of the input that led to it, where it names one.
    pub input_at_utc: Option<UnixNanos>,
    /// That input's number.
    pub input_number: Option<u64>,
    /// What it says in a sentence.
    pub summary: String,
    /// What it says in full.
    pub payload: Value,
    /// Why it failed, where it did.
    pub error: Option<String>,
    /// What was checked of its content.
    pub checks: Vec<Check>,
    /// That it stands in its log.
    pub proof: Proof,
}

/// Something that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What, in words.
    pub what: String,
    /// Whether it holds.
    pub holds: bool,
}

/// That an entry stands in its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "proof", rename_all = "snake_case")]
pub enum Proof {
    /// A checkpoint covers it, and its inclusion proof was verified.
    Covered {
        /// Entries that the checkpoint covers.
        size: u64,
        /// Its root.
        root: String,
        /// The verifier key with which its signature was verified; none where no key of the log is known.
        key: Option<String>,
        /// The receipt, a C2SP tlog-proof.
        tlog_proof: String,
    },
    /// No checkpoint covers it yet: it stands in the journal alone.
    NotYet,
    /// It cannot be proved.
    Bad {
        /// Why.
        why: String,
    },
}

impl Step {
    /// What is wrong with it.
    pub(super) fn problems(&self) -> Vec<String> {
        let at = |what: &str| format!("{} of {} entry {}: {what}", self.step, self.agent_name, self.index);
        let proof = match &self.proof {
            Proof::Bad { why } => Some(at(why)),
            Proof::Covered { .. } | Proof::NotYet => None,
        };
        proof.into_iter().chain(self.checks.iter().filter(|check| !check.holds).map(|check| at(&check.what))).collect()
    }
}

/// The digest that signatures and decisions name of a proposal's body.
pub(super) fn digest_of(body: &Value) -> Option<Digest> {
    Some(Proposal::digest_of_body(&canonical_json::to_string(body).ok()?))
}

/// The step that a record is. `digest` is the proposal's.
pub(super) fn of(scanned: &Scanned, log: &PlacedLog, digest: Option<Digest>) -> Step {
    let Scanned { agent_name, record, payload, payload_problem, .. } = scanned;
    let cause = scanned.cause();
    let mut checks: Vec<Check> =
        payload_problem.iter().map(|problem| Check { what: problem.clone(), holds: false }).collect();
    match record.intent_type {
        IntentType::OrderProposal => checks.push(signature(scanned, log)),
        IntentType::ExecutionDecision => checks.extend(is_of(payload, digest)),
        _ => {}
    }
    Step {
        step: word(record),
        agent_name: agent_name.clone(),
        index: record.seq,
        timestamp: record.timestamp,
        input_at_utc: cause.map(|cause| cause.at_utc),
        input_number: cause.map(|cause| cause.input_number),
        summary: record.intent_summary.clone(),
        payload: payload.clone(),
        error: record.error.clone(),
        checks,
        proof: proof(scanned, log),
    }
}

fn proof(scanned: &Scanned, log: &PlacedLog) -> Proof {
    let bad = |why: String| Proof::Bad { why };
    let ring = match keyring(log) {
        Ok(ring) => ring,
        Err(why) => return bad(why),
    };
    let key = ring.get(&format!("agenttrader/{}/{}", scanned.record.repo_id, scanned.agent_name));
    match prove::inclusion(&*log.files, scanned.record.seq, key) {
        Ok(Proved { entry, proof }) => {
            if canonical_json::of(&scanned.record).is_ok_and(|own| own.as_bytes() == entry) {
                let checkpoint = &proof.checkpoint.checkpoint;
                Proof::Covered {
                    size: checkpoint.size,
                    root: checkpoint.root.to_string(),
                    key: key.map(ToString::to_string),
                    tlog_proof: proof.to_string(),
                }
            } else {
                bad("the log holds another entry there than was read first".to_owned())
            }
        }
        Err(ProveError::Beyond { .. }) => Proof::NotYet,
        // A log of which nothing is covered has no checkpoint.
        Err(_) if log.data_dir.is_some() && matches!(log.files.read("checkpoint", usize::MAX), Ok(None)) => {
            Proof::NotYet
        }
        Err(error) => bad(chain(&error)),
    }
}

/// The keys of logs that lie beside a log.
fn keyring(log: &PlacedLog) -> Result<Keyring, String> {
    match (&log.data_dir, &log.pack) {
        (Some(data_dir), _) => Keyring::of_data_dir(data_dir).map_err(|error| chain(&error)),
        (None, Some(pack)) => pack.keys().map_err(|finding| finding.to_string()),
        (None, None) => Ok(Keyring::default()),
    }
}

/// An agent's public keys: those beside its log, else what its first entry says of itself.
fn public_keys(agent_name: &str, log: &PlacedLog) -> Option<PublicKeys> {
    let beside = match (&log.data_dir, &log.pack) {
        (Some(data_dir), _) => keys::agents(data_dir).ok().and_then(|mut agents| agents.remove(agent_name)),
        (None, Some(pack)) => pack.public_keys(agent_name),
        (None, None) => None,
    };
    beside.or_else(|| {
        let first = prove::inclusion(&*log.files, 0, None).ok()?.entry;
        let first: Value = serde_json::from_slice(&first).ok()?;
        serde_json::from_value(first.pointer("/intent_payload/public_keys")?.clone()).ok()
    })
}

/// The proposal's signature, over its body as it stands in the record.
fn signature(scanned: &Scanned, log: &PlacedLog) -> Check {
    let payload = &scanned.payload;
    let field = |name: &str| payload.get(name).and_then(Value::as_str);
    let verified = (|| {
        let body = canonical_json::to_string(payload.get("proposal")?).ok()?;
        let bytes = STANDARD.decode(field("signature")?).ok()?;
        let signature = Signature::from_slice(&bytes).ok()?;
        let key = public_keys(&scanned.agent_name, log)?.signing_key()?;
        let is_named = field("key_id") == Some(&*key_id(key.as_bytes()));
        Some(is_named && key.verify_strict(&Proposal::signed_bytes(&body), &signature).is_ok())
    })();
    match verified {
        Some(true) => Check {
            what: format!("signature of {} verified, key {}", scanned.agent_name, field("key_id").unwrap_or_default()),
            holds: true,
        },
        Some(false) => Check { what: "its signature does not verify".to_owned(), holds: false },
        None => Check { what: "it bears no signature that can be checked".to_owned(), holds: false },
    }
}

/// That a decision is of this proposal, by the digest in it.
fn is_of(payload: &Value, digest: Option<Digest>) -> Option<Check> {
    let digest = digest?.to_string();
    let holds = payload.pointer("/decision/proposal_digest").and_then(Value::as_str) == Some(&*digest);
    let what = if holds {
        format!("is of this proposal, digest {digest}")
    } else {
        "is of another proposal's digest".to_owned()
    };
    Some(Check { what, holds })
}
