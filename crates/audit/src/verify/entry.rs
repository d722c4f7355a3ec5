//! One entry: whether it is a record of this log, at its place.

use super::keys::PublicKeys;
use crate::record::{ERROR_BYTES_MOST, IntentType, Outcome, RECORD_BYTES_MOST, SUMMARY_BYTES_MOST, StoredPayload, cut};
use agenttrader_core::canonical_json;
use agenttrader_core::identity::{AgentMode, AgentRole};
use agenttrader_core::time::UnixNanos;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// Whose records they must be, as origin and folder say: both names as canonical JSON writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Agent {
    repo_id: String,
    name: String,
}

impl Agent {
    pub(super) fn new(repo_id: &str, name: &str) -> Self {
        let written = |text: &str| canonical_json::of(&text).unwrap_or_default();
        Self { repo_id: written(repo_id), name: written(name) }
    }
}

/// What the rest of a verification needs of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Whether an agent starts here, with both of its public keys.
    pub(super) start: Option<Option<PublicKeys>>,
    /// The large payload it names.
    pub(super) stored: Option<StoredPayload>,
}

/// A record's members in canonical order, with the check of each value as it is written.
const MEMBERS: [(&str, fn(&str) -> bool); 17] = [
    ("agent_mode", is::<AgentMode>),
    ("agent_name", is_text),
    ("agent_role", is::<AgentRole>),
    ("build_id", is_text),
    ("correlation_id", is_id_or_null),
    ("duration_ms", |value| value == "null" || value.bytes().all(|byte| byte.is_ascii_digit())),
    ("error", |value| value == "null" || is_text_within(value, ERROR_BYTES_MOST)),
    ("git_sha", is_text),
    ("intent_id", is_id),
    ("intent_payload", |_| true),
    ("intent_summary", |value| is_text_within(value, SUMMARY_BYTES_MOST)),
    ("intent_type", |value| intent_type(value).is_some()),
    ("outcome", is::<Outcome>),
    ("repo_id", is_text),
    ("seq", |value| value.bytes().all(|byte| byte.is_ascii_digit())),
    ("timestamp", is::<UnixNanos>),
    ("trace_id", |value| value == "null" || is_text(value)),
];

/// Whether a value as it is written is one of that type.
fn is<T: DeserializeOwned>(value: &str) -> bool {
    serde_json::from_str::<T>(value).is_ok()
}

fn is_text(value: &str) -> bool {
    value.starts_with('"')
}

/// Whether it is a text that is no longer than that. An escape is longer than what it means, so that most are seen at a glance.
fn is_text_within(value: &str, most: usize) -> bool {
    is_text(value)
        && (value.len() <= most.saturating_add(2)
            || serde_json::from_str::<String>(value).is_ok_and(|text| text.len() <= most))
}

/// Whether it is a UUID in the one spelling that records have.
fn is_id(value: &str) -> bool {
    let text = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
    let is_lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'));
    is_lower && text.len() == uuid::fmt::Hyphenated::LENGTH && Uuid::try_parse(text).is_ok()
}

fn is_id_or_null(value: &str) -> bool {
    value == "null" || is_id(value)
}

fn intent_type(value: &str) -> Option<IntentType> {
    let name = value.strip_prefix('"')?.strip_suffix('"')?;
    IntentType::ALL.into_iter().find(|kind| kind.as_str() == name)
}

/// Checks one entry. What is wrong is told in words that begin a clause.
pub(super) fn check(bytes: &[u8], index: u64, agent: Option<&Agent>) -> Result<Told, String> {
    if bytes.len() > RECORD_BYTES_MOST {
        return Err(format!("its {} bytes are more than a record has", bytes.len()));
    }
    let Some(members) = canonical_json::members(bytes) else {
        return Err(match canonical_json::parse(bytes) {
            Err(error) => format!("it is not JSON: {error}"),
            Ok(_) => "it is no JSON object in canonical form".to_owned(),
        });
    };
    let mut told = Told { start: None, stored: None };
    let mut payload = "";
    let mut found = members.iter();
    for (name, holds) in MEMBERS {
        let (found, value) = found.next().copied().unwrap_or_default();
        if found != name {
            return Err(format!("it is no record: {found:?} stands where {name} should"));
        }
        if !holds(value) {
            return Err(format!("it is no record: its {name} is {}", cut(value, 100)));
        }
        let is_wanted = match (name, agent) {
            ("seq", _) => value.parse() == Ok(index),
            ("repo_id", Some(agent)) => value == agent.repo_id,
            ("agent_name", Some(agent)) => value == agent.name,
            _ => true,
        };
        if !is_wanted {
            return Err(format!("its {name} is {}, which is not that of the log's entry {index}", cut(value, 100)));
        }
        match name {
            "intent_payload" => payload = value,
            "intent_type" if intent_type(value) == Some(IntentType::AgentStart) => told.start = Some(None),
            _ => {}
        }
    }
    if let Some((name, _)) = found.next() {
        return Err(format!("it is no record: {name:?} is no member of one"));
    }
    told.stored = stored(payload);
    if told.start.is_some() {
        told.start = Some(public_keys(payload));
    }
    Ok(told)
}

/// The payload that stands as digest and size, if it does.
fn stored(payload: &str) -> Option<StoredPayload> {
    if !payload.starts_with(r#"{"sha256":""#) {
        return None;
    }
    serde_json::from_str(payload).ok()
}

/// Both public keys of an `agent_start`'s payload.
fn public_keys(payload: &str) -> Option<PublicKeys> {
    let members = canonical_json::members(payload.as_bytes())?;
    let (_, keys) = members.into_iter().find(|(name, _)| *name == "public_keys")?;
    serde_json::from_str::<PublicKeys>(keys).ok().filter(PublicKeys::are_keys)
}
