//! Logs built from the formats alone, in memory: what a log of some entries must look like.

#![allow(dead_code, reason = "each test takes what it needs")]

use agenttrader_audit::checkpoint::Checkpoint;
use agenttrader_audit::merkle::{Frontier, Hash, leaf_hash, node_hash};
use agenttrader_audit::note::NoteSigner;
use agenttrader_audit::source::InMemory;
use agenttrader_audit::tile::{Level, bundle, tiles_of};
use agenttrader_audit::verify::KnownKeys;
use agenttrader_audit::{IntentType, Outcome, Record, log};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::{AgentMode, AgentRole, REPO_ID};
use agenttrader_core::time::UnixNanos;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

pub const AGENT: &str = "gamma-strategy";

/// How often an entry names a large payload.
const EVERY: u64 = 97;

pub fn origin() -> String {
    log::origin(REPO_ID, AGENT)
}

pub fn signer() -> NoteSigner {
    NoteSigner::log(&origin(), SigningKey::from_bytes(&[3; 32]))
}

/// The log's public keys as a record and `agents.json` hold them.
pub fn public_keys() -> Value {
    let base64 = |seed| STANDARD.encode(SigningKey::from_bytes(&[seed; 32]).verifying_key().as_bytes());
    json!({"log": base64(3), "sign": base64(4)})
}

pub fn agents_json() -> String {
    json!({ AGENT: public_keys() }).to_string()
}

pub fn keys() -> KnownKeys {
    KnownKeys::parse(agents_json().as_bytes()).unwrap()
}

/// A large payload's bytes.
pub fn payload(index: u64) -> Vec<u8> {
    format!(r#"{{"large":"{}"}}"#, index.to_string().repeat(40)).into_bytes()
}

/// A record as its log writes it.
pub fn record(seq: u64) -> Record {
    let is_start = seq.is_multiple_of(1_000);
    let intent_payload = match seq {
        _ if is_start => json!({"public_keys": public_keys(), "configuration": {"mode": "observe"}}),
        _ if seq % EVERY == 5 => {
            let bytes = payload(seq);
            json!({"sha256": Digest::of(&bytes), "size": bytes.len()})
        }
        _ => json!({
            "body": {"limit_price": "1.25", "legs": [{"symbol": "SPY", "quantity": seq % 7 + 1, "delta": 0.25}], "note": "a \"wide\" spread"},
            "cause": {"number": seq, "time": "2026-01-05T14:30:00Z"},
        }),
    };
    Record {
        timestamp: UnixNanos::from_seconds(1_767_623_400 + i64::try_from(seq).unwrap()),
        seq,
        repo_id: REPO_ID.to_owned(),
        agent_name: AGENT.to_owned(),
        agent_role: AgentRole::StrategyEval,
        agent_mode: AgentMode::Observe,
        git_sha: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        build_id: "b1".to_owned(),
        intent_id: Uuid::from_u128(u128::from(seq) << 64 | 7),
        correlation_id: seq.is_multiple_of(2).then(|| Uuid::from_u128(u128::from(seq))),
        trace_id: None,
        intent_type: if is_start { IntentType::AgentStart } else { IntentType::Signal },
        intent_summary: format!("gamma at strike {}", 400 + seq % 100),
        intent_payload,
        outcome: Outcome::Success,
        duration_ms: seq.is_multiple_of(3).then_some(seq % 50),
        error: None,
    }
}

pub fn entry(seq: u64) -> Vec<u8> {
    canonical_json::of(&record(seq)).unwrap().into_bytes()
}

/// The first entries of a log.
pub fn entries(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(entry).collect()
}

/// The large payloads of its first entries.
pub fn blobs(count: u64) -> BTreeMap<String, Vec<u8>> {
    let named = (0..count).filter(|seq| seq % EVERY == 5 && seq % 1_000 != 0);
    named.map(payload).map(|bytes| (Digest::of(&bytes).to_string(), bytes)).collect()
}

pub fn root(entries: &[Vec<u8>]) -> Hash {
    let mut tree = Frontier::default();
    entries.iter().for_each(|entry| tree.push(leaf_hash(entry)));
    tree.root()
}

pub fn checkpoint(entries: &[Vec<u8>], signer: &NoteSigner) -> Vec<u8> {
    let checkpoint = Checkpoint { origin: origin(), size: entries.len() as u64, root: root(entries) };
    checkpoint.signed(signer).to_string().into_bytes()
}

/// Tiles and bundles of those entries.
pub fn tiles(entries: &[Vec<u8>]) -> BTreeMap<String, Vec<u8>> {
    let mut rows = vec![entries.iter().map(|entry| leaf_hash(entry)).collect::<Vec<Hash>>()];
    while let Some(last) = rows.last().filter(|last| last.len() >= 256) {
        let row = last.chunks_exact(256).map(over).collect();
        rows.push(row);
    }
    let mut files = BTreeMap::new();
    for tile in tiles_of(entries.len() as u64) {
        let from = usize::try_from(tile.index).unwrap() * 256;
        let range = from..from + usize::from(tile.width);
        let bytes = match tile.level {
            Level::Entries => bundle(entries[range].iter().map(Vec::as_slice)).unwrap(),
            Level::Hashes(level) => rows[usize::from(level)][range].iter().flat_map(|hash| *hash.as_bytes()).collect(),
        };
        files.insert(tile.to_string(), bytes);
    }
    files
}

pub fn over(hashes: &[Hash]) -> Hash {
    match hashes {
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            node_hash(&over(left), &over(right))
        }
    }
}

/// All files of the log of those entries.
pub fn files(entries: &[Vec<u8>], signer: &NoteSigner) -> BTreeMap<String, Vec<u8>> {
    let mut files = tiles(entries);
    files.insert("checkpoint".to_owned(), checkpoint(entries, signer));
    files
}

/// Files in memory without a copy of them.
pub fn shared(files: &BTreeMap<String, Vec<u8>>) -> InMemory<'_> {
    let mut memory = InMemory::new("memory");
    files.iter().for_each(|(path, bytes)| memory.insert(path.clone(), bytes.as_slice()));
    memory
}
