//! One entry: whether it is a record of this log, at its place.

use super::keys::PublicKeys;
use crate::record::{ERROR_BYTES_MOST, IntentType, Outcome, RECORD_BYTES_MOST, SUMMARY_BYTES_MOST, StoredPayload, cut};
use agenttrader_core::canonical_json::{self, Shape};
use agenttrader_core::identity::{AgentMode, AgentRole};
use agenttrader_core::time::UnixNanos;
use serde::de::DeserializeOwned;
use std::sync::LazyLock;

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

/// Bytes of a UUID as records write it.
const ID_BYTES: usize = 36;

/// A member's name and the check of its value as it is written.
type Member = (&'static str, fn(&str) -> bool);

/// A record's members in canonical order.
const MEMBERS: [Member; 17] = [
    ("agent_mode", is::<AgentMode>),
    ("agent_name", is_text),
    ("agent_role", |value| unquoted(value).and_then(AgentRole::parse).is_some()),
    ("build_id", is_text),
    ("correlation_id", is_id_or_null),
    ("duration_ms", |value| value == "null" || value.bytes().all(|byte| byte.is_ascii_digit())),
    ("error", |value| value == "null" || is_text_within(value, ERROR_BYTES_MOST)),
    ("git_sha", is_text),
    ("intent_id", is_id),
    ("intent_payload", |_| true),
    ("intent_summary", |value| is_text_within(value, SUMMARY_BYTES_MOST)),
    ("intent_type", |value| intent_type(value).is_some()),
    ("outcome", |value| {
        unquoted(value).is_some_and(|name| Outcome::ALL.iter().any(|outcome| outcome.as_str() == name))
    }),
    ("repo_id", is_text),
    ("seq", |value| value.bytes().all(|byte| byte.is_ascii_digit())),
    ("timestamp", |value| is_usual_time(value) || is::<UnixNanos>(value)),
    ("trace_id", |value| value == "null" || is_text(value)),
];

static RECORD: LazyLock<Shape<{ MEMBERS.len() }>> = LazyLock::new(|| Shape::new(MEMBERS.map(|(name, _)| name)));

/// Whether a value as it is written is one of that type.
fn is<T: DeserializeOwned>(value: &str) -> bool {
    serde_json::from_str::<T>(value).is_ok()
}

/// Whether it is a time as most are: of this century, before the 29th of its month. The others cost a calendar.
fn is_usual_time(value: &str) -> bool {
    let Some(text) = value.strip_prefix("\"20").and_then(|rest| rest.strip_suffix("Z\"")) else { return false };
    let Some((date, fraction)) = text.as_bytes().split_first_chunk::<17>() else { return false };
    let [y1, y2, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2] = *date else { return false };
    let number = |tens: u8, ones: u8| {
        let is_number = tens.is_ascii_digit() && ones.is_ascii_digit();
        is_number.then(|| tens.wrapping_sub(b'0').saturating_mul(10).saturating_add(ones.wrapping_sub(b'0')))
    };
    let within = |tens, ones, low: u8, high: u8| number(tens, ones).is_some_and(|found| (low..=high).contains(&found));
    let is_fraction = match fraction.split_first() {
        None => true,
        Some((point, digits)) => {
            *point == b'.' && (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
        }
    };
    number(y1, y2).is_some()
        && within(m1, m2, 1, 12)
        && within(d1, d2, 1, 28)
        && within(h1, h2, 0, 23)
        && within(n1, n2, 0, 59)
        && within(s1, s2, 0, 59)
        && is_fraction
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
    let text = unquoted(value).unwrap_or_default();
    text.len() == ID_BYTES
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn is_id_or_null(value: &str) -> bool {
    value == "null" || is_id(value)
}

/// What stands between the quotes of a text.
fn unquoted(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"')
}

fn intent_type(value: &str) -> Option<IntentType> {
    let name = unquoted(value)?;
    IntentType::ALL.into_iter().find(|kind| kind.as_str() == name)
}

/// Checks one entry. What is wrong is told in words that begin a clause.
pub(super) fn check(bytes: &[u8], index: u64, agent: Option<&Agent>) -> Result<Told, String> {
    if bytes.len() > RECORD_BYTES_MOST {
        return Err(format!("its {} bytes are more than a record has", bytes.len()));
    }
    let Some(values) = RECORD.values(bytes) else { return Err(no_record(bytes)) };
    for ((name, holds), value) in MEMBERS.iter().zip(values) {
        if !holds(value) {
            return Err(format!("it is no record: its {name} is {}", cut(value, 100)));
        }
    }
    let [_, name, _, _, _, _, _, _, _, payload, _, kind, _, repo_id, seq, _, _] = values;
    let is_wanted = |value: &str, wanted: Option<&str>| wanted.is_none_or(|wanted| value == wanted);
    for (member, value, is_wanted) in [
        ("agent_name", name, is_wanted(name, agent.map(|agent| &*agent.name))),
        ("repo_id", repo_id, is_wanted(repo_id, agent.map(|agent| &*agent.repo_id))),
        ("seq", seq, seq.parse() == Ok(index)),
    ] {
        if !is_wanted {
            return Err(format!("its {member} is {}, which is not that of the log's entry {index}", cut(value, 100)));
        }
    }
    let start = (intent_type(kind) == Some(IntentType::AgentStart)).then(|| public_keys(payload));
    Ok(Told { start, stored: stored(payload) })
}

/// What is wrong with bytes that are no object of [`MEMBERS`], in words that begin a clause.
fn no_record(bytes: &[u8]) -> String {
    let Some(members) = canonical_json::members(bytes) else {
        return match canonical_json::parse(bytes) {
            Err(error) => format!("it is not JSON: {error}"),
            Ok(_) => "it is no JSON object in canonical form".to_owned(),
        };
    };
    let found = members.iter().map(|(name, _)| Some(*name)).chain(std::iter::repeat(None));
    let wanted = MEMBERS.into_iter().map(|(name, _)| Some(name)).chain(std::iter::repeat(None));
    match found.zip(wanted).take(members.len().max(MEMBERS.len())).find(|(found, wanted)| found != wanted) {
        Some((Some(found), None)) => format!("it is no record: {found:?} is no member of one"),
        Some((found, Some(wanted))) => {
            format!("it is no record: {:?} stands where {wanted} should", found.unwrap_or_default())
        }
        _ => "it is no record".to_owned(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_usual_time_is_a_time(
            text in r#""20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,10})?Z?""#,
        ) {
            prop_assert!(!is_usual_time(&text) || is::<UnixNanos>(&text), "{}", text);
        }

        #[test]
        fn any_time_of_a_record_is_one(nanos in any::<i64>()) {
            let text = serde_json::to_string(&UnixNanos::from_nanos(nanos)).unwrap();
            prop_assert!(is_usual_time(&text) || is::<UnixNanos>(&text), "{}", text);
        }
    }
}
