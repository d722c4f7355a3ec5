use super::*;
use crate::record::{IntentType, Outcome};
use agenttrader_core::identity::{AgentMode, AgentRole};
use agenttrader_core::secret::Secret;
use agenttrader_core::time::UnixNanos;
use proptest::prelude::*;
use serde_json::json;

const ORIGIN: &str = "agenttrader/agent-trader-v2/gamma-strategy";

fn encoder() -> Encoder {
    let redactor = Redactor::new([Secret::new("correct-horse".into())]);
    let identity = AgentIdentity {
        agent_name: "gamma-strategy".into(),
        agent_role: AgentRole::StrategyEval,
        agent_mode: AgentMode::Observe,
    };
    let build =
        Build { git_sha: "0123456789abcdef0123456789abcdef01234567-dirty".into(), build_id: "a \"build\"".into() };
    Encoder::new("agent-trader-v2", identity, build, Arc::new(redactor), true)
}

fn entry(payload: Value) -> Entry {
    Entry::new(UnixNanos::from_seconds(1_767_623_400), IntentType::Signal, Outcome::Success, "gamma seen", payload)
}

/// A record with its number, and the bytes that are written of it.
fn numbered(mut prepared: Prepared, seq: u64) -> (Prepared, Vec<u8>) {
    prepared.number(ORIGIN, seq);
    let mut bytes = Vec::new();
    prepared.write(&mut bytes);
    (prepared, bytes)
}

/// The record that an entry means, each field by itself.
fn meant(encoder: &Encoder, entry: &Entry, seq: u64) -> Record {
    let whole = canonical_json::to_bytes(&entry.intent_payload);
    let digest = Digest::of(whole.as_deref().unwrap_or(b"null"));
    let redacted = |text: &str, most| cut(&encoder.redactor.redact_text(text), most).to_owned();
    Record {
        timestamp: entry.timestamp,
        seq,
        repo_id: "agent-trader-v2".into(),
        agent_name: encoder.identity.agent_name.clone(),
        agent_role: encoder.identity.agent_role,
        agent_mode: encoder.identity.agent_mode,
        git_sha: encoder.build.git_sha.clone(),
        build_id: encoder.build.build_id.clone(),
        intent_id: derived_id(&[ORIGIN.as_bytes(), &seq.to_le_bytes(), digest.as_bytes()]),
        correlation_id: entry.correlation_id,
        trace_id: entry.trace_id.as_deref().map(|text| cut(text, TRACE_ID_BYTES_MOST).to_owned()),
        intent_type: entry.intent_type,
        intent_summary: redacted(&entry.intent_summary, SUMMARY_BYTES_MOST),
        intent_payload: entry.intent_payload.clone(),
        outcome: entry.outcome,
        duration_ms: entry.duration_ms.map(|millis| millis.min(canonical_json::MAX_INTEGER)),
        error: entry.error.as_deref().map(|text| redacted(text, ERROR_BYTES_MOST)),
    }
}

fn canonical(record: &Record) -> Vec<u8> {
    canonical_json::to_bytes(&serde_json::to_value(record).unwrap()).unwrap()
}

fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        "[\\x00-\\x1f\"\\\\\u{7f}]{0,8}",
        Just("Bearer abc.DEF ".to_owned()),
        Just("api_key=PKabc ".to_owned()),
        Just("correct-horse".to_owned()),
        Just("é😀".repeat(300)),
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn payloads() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts().prop_map(Value::from),
        // Mostly beyond what has a canonical form.
        proptest::option::weighted(0.02, any::<u64>()).prop_map(|number| json!(number.unwrap_or(7))),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((texts(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn entries() -> impl Strategy<Value = Entry> {
    let plain = (
        any::<i64>().prop_map(UnixNanos::from_nanos),
        proptest::sample::select(IntentType::ALL.to_vec()),
        texts(),
        payloads(),
        proptest::sample::select(Outcome::ALL.to_vec()),
    );
    let optional = (
        proptest::option::of(any::<u128>().prop_map(Uuid::from_u128)),
        proptest::option::of(texts()),
        proptest::option::of(prop_oneof![any::<u64>(), 0..5_000_u64]),
        proptest::option::of(texts()),
    );
    (plain, optional).prop_map(|(plain, (correlation_id, trace_id, duration_ms, error))| {
        let (timestamp, intent_type, intent_summary, intent_payload, outcome) = plain;
        Entry {
            timestamp,
            intent_type,
            intent_summary,
            intent_payload,
            outcome,
            correlation_id,
            trace_id,
            duration_ms,
            error,
        }
    })
}

proptest! {
    #[test]
    fn the_bytes_are_the_canonical_json_of_the_record(entry in entries(), seq in 0..=canonical_json::MAX_INTEGER) {
        let encoder = encoder();
        let mut meant = meant(&encoder, &entry, seq);
        let payload = canonical_json::to_bytes(&entry.intent_payload);
        let prepared = encoder.prepare(entry);
        match &payload {
            Ok(_) => prop_assert_eq!(&prepared.refused, &None),
            Err(why) => {
                prop_assert_eq!(prepared.refused.as_ref(), Some(why));
                meant.intent_payload = Value::Null;
                meant.error = Some(format!("the payload has no canonical form and is left out: {why}"));
            }
        }
        let (encoded, bytes) = numbered(prepared, seq);
        prop_assert_eq!(encoded.blob, None);
        prop_assert_eq!(encoded.payload_digest, Digest::of(payload.as_deref().unwrap_or(b"null")));
        prop_assert_eq!(String::from_utf8(bytes).unwrap(), String::from_utf8(canonical(&meant)).unwrap());
        prop_assert_eq!(encoded.record.as_deref(), Some(&meant));
    }
}

#[test]
fn a_payload_goes_out_where_the_record_would_be_too_long_and_not_before() {
    let encoder = encoder();
    let around = canonical(&meant(&encoder, &entry(json!("")), 0)).len() - 1;
    let room = RECORD_BYTES_MOST - around - SEQ_DIGITS_MOST;
    for (bytes, taken_out) in
        [(room, false), (room + 1, true), (RECORD_BYTES_MOST, true), (10 * RECORD_BYTES_MOST, true)]
    {
        let entry = entry(Value::from("x".repeat(bytes)));
        let payload = canonical_json::to_bytes(&entry.intent_payload).unwrap();
        let mut meant = meant(&encoder, &entry, canonical_json::MAX_INTEGER);
        let (encoded, bytes) = numbered(encoder.prepare(entry), canonical_json::MAX_INTEGER);
        assert_eq!(encoded.payload_digest, Digest::of(&payload));
        if taken_out {
            meant.intent_payload =
                serde_json::to_value(StoredPayload { sha256: Digest::of(&payload), size: payload.len() as u64 })
                    .unwrap();
        }
        assert_eq!(bytes, canonical(&meant));
        assert!(bytes.len() <= RECORD_BYTES_MOST);
        assert_eq!(encoded.blob, taken_out.then_some(payload));
        assert_eq!(encoded.record.as_deref(), Some(&meant));
    }
}

#[test]
fn the_longest_texts_leave_room() {
    let encoder = encoder();
    let mut entry = entry(Value::from("x".repeat(RECORD_BYTES_MOST))).with_error("\u{1}".repeat(99_999));
    entry.intent_summary = "\u{1}".repeat(99_999);
    entry.trace_id = Some("\u{1}".repeat(99_999));
    let (encoded, bytes) = numbered(encoder.prepare(entry), u64::MAX);
    assert!(bytes.len() <= RECORD_BYTES_MOST && bytes.len() > 6 * ERROR_BYTES_MOST);
    assert_eq!(encoded.blob.unwrap().len(), RECORD_BYTES_MOST + 2);
}

#[test]
fn a_payload_may_nest_as_deep_as_its_record_can_be_read() {
    let nested = |levels: usize| (0..levels).fold(json!(1), |inside, _| json!([inside]));
    let encoder = encoder();
    let (_, deepest) = numbered(encoder.prepare(entry(nested(canonical_json::MAX_DEPTH - 1))), 0);
    assert!(canonical_json::parse(&deepest).is_ok());
    let prepared = encoder.prepare(entry(nested(canonical_json::MAX_DEPTH)));
    assert_eq!(prepared.refused, Some(CanonicalError::TooDeep { limit: canonical_json::MAX_DEPTH }));
    let record: Record = serde_json::from_slice(&numbered(prepared, 0).1).unwrap();
    assert_eq!(record.intent_payload, Value::Null);
}

#[test]
fn who_keeps_no_records_gets_none_and_the_same_bytes() {
    let (keeping, mut plain) = (encoder(), encoder());
    plain.keeps_records = false;
    let (one, bytes) = numbered(keeping.prepare(entry(json!({"a": 1}))), 5);
    let (other, same) = numbered(plain.prepare(entry(json!({"a": 1}))), 5);
    assert_eq!(bytes, same);
    assert!(one.record.is_some() && other.record.is_none());
}
