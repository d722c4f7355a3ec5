//! What goes in, and what the caller gets.

use crate::given::*;
use agenttrader_audit::read::{ReadError, payload};
use agenttrader_audit::{Health, Log, LogError, OpenError, Options, Redactor, payload_digest};
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::REPO_ID;
use agenttrader_core::secret::Secret;
use agenttrader_core::time::UnixNanos;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::sync::{Arc, mpsc};

#[test]
fn a_record_is_canonical_json_with_every_field() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    let told = entry(1_767_623_400, json!({"b": 1, "a": [0.5, "é"]})).with_error("it broke");
    log.append(told).durable().unwrap();
    log.close().unwrap();
    let text = frames(&fs::read(segment(dir.path(), 0)).unwrap()).remove(0).1;
    let expected = concat!(
        r#"{"agent_mode":"OBSERVE","agent_name":"gamma-strategy","agent_role":"strategy_eval","build_id":"b1","correlation_id":null,"#,
        r#""duration_ms":null,"error":"it broke","git_sha":"0123456789abcdef0123456789abcdef01234567","#,
        r#""intent_id":"INTENT","intent_payload":{"a":[0.5,"é"],"b":1},"intent_summary":"something was seen","intent_type":"signal","#,
        r#""outcome":"success","repo_id":"agent-trader-v2","seq":0,"timestamp":"2026-01-05T14:30:00Z","trace_id":null}"#,
    );
    let record: Value = serde_json::from_str(&text).unwrap();
    let id = record["intent_id"].as_str().unwrap();
    assert_eq!(id.parse::<uuid::Uuid>().unwrap().get_version_num(), 8);
    assert_eq!(text, expected.replace("INTENT", id));
}

#[test]
fn a_receipt_names_log_index_and_payload() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    log.append(entry(1, json!(null))).unwaited();
    let payload = json!({"client_order_id": "x"});
    let receipt = log.append(entry(2, payload.clone())).durable().unwrap();
    assert_eq!(receipt.origin(), "agenttrader/agent-trader-v2/gamma-strategy");
    assert_eq!(receipt.index(), 1);
    assert_eq!(receipt.payload_digest(), payload_digest(&payload).unwrap());
    assert_eq!(receipt.payload_digest(), Digest::of(br#"{"client_order_id":"x"}"#));
    assert_eq!(log.size(), 2);
    // Durable means that another reader finds it now.
    assert_eq!(all(dir.path()).len(), 2);
}

#[test]
fn opening_again_goes_on_where_it_ended_and_knows_the_latest_time() {
    let dir = tempfile::tempdir().unwrap();
    three(dir.path());
    let log = open(dir.path()).unwrap();
    assert_eq!(log.opened().records, 3);
    assert_eq!(log.opened().torn, None);
    assert_eq!(log.opened().last_time, Some(UnixNanos::from_seconds(30)));
    assert_eq!(log.append(entry(40, json!(null))).durable().unwrap().index(), 3);
}

#[test]
fn a_second_holder_is_refused_until_the_first_ends() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::Held { .. })));
    Log::open(dir.path(), identity("whale-strategy"), REPO_ID, build(), key("whale-strategy")).unwrap();
    drop(log);
    open(dir.path()).unwrap();
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["", "..", "../x", "a/b", "-a", "a b", "a\0", &"a".repeat(65)] {
        assert!(
            matches!(Log::open(dir.path(), identity(name), REPO_ID, build(), key(AGENT)), Err(OpenError::Name { .. })),
            "{name:?}"
        );
    }
}

#[test]
fn a_large_payload_lies_beside_the_log_and_the_receipt_still_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    let large = json!({"text": "y".repeat(100_000)});
    let receipt = log.append(entry(1, large.clone())).durable().unwrap();
    assert_eq!(receipt.payload_digest(), payload_digest(&large).unwrap());
    let small = json!({"text": "y".repeat(50_000)});
    log.append(entry(2, small.clone())).durable().unwrap();
    let found: Vec<_> = all(dir.path());
    assert_eq!(found[0].intent_payload, json!({"sha256": receipt.payload_digest(), "size": 100_011}));
    assert_eq!(payload(dir.path(), &found[0]).unwrap(), large);
    assert_eq!(payload(dir.path(), &found[1]).unwrap(), small);
    let blob = dir.path().join("audit-blobs").join(receipt.payload_digest().to_string());
    assert_eq!(Digest::of(&fs::read(&blob).unwrap()), receipt.payload_digest());
    fs::write(&blob, b"{}").unwrap();
    assert!(matches!(payload(dir.path(), &found[0]), Err(ReadError::Payload { .. })));
    drop(log);
    assert_eq!(open(dir.path()).unwrap().opened().records, 2);
}

#[test]
fn no_record_is_longer_than_its_bound_whatever_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    let hostile = "\u{1}".repeat(100_000);
    let mut told = entry(1, json!({"text": hostile})).with_error(hostile.clone());
    told.intent_summary = hostile.clone();
    told.trace_id = Some(hostile);
    log.append(told).durable().unwrap();
    for (_, record) in frames(&fs::read(segment(dir.path(), 0)).unwrap()) {
        assert!(record.len() <= 60_000, "{}", record.len());
    }
}

#[test]
fn a_payload_without_canonical_form_leaves_a_record_that_says_so_and_no_receipt() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    let refused = log.append(entry(1, json!({"too_large": u64::MAX}))).durable();
    assert!(matches!(refused, Err(LogError::Payload { .. })));
    log.append(entry(2, json!(2))).durable().unwrap();
    // Deep enough for a payload, too deep within a record.
    let deep = (0..64).fold(json!(1), |inner, _| json!([inner]));
    assert!(payload_digest(&deep).is_ok());
    assert!(matches!(log.append(entry(3, deep)).durable(), Err(LogError::Payload { .. })));
    // The refusal comes at once; the record that says so is written after it.
    log.close().unwrap();
    let found: Vec<_> = all(dir.path());
    assert_eq!(found[0].intent_payload, Value::Null);
    assert!(found[0].error.as_ref().unwrap().contains("18446744073709551615"));
    assert_eq!(found.iter().map(|record| record.seq).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn errors_and_summaries_are_redacted_and_payloads_stand_as_given() {
    let dir = tempfile::tempdir().unwrap();
    let options =
        Options { redactor: Arc::new(Redactor::new([Secret::new("hunter2-hunter2".into())])), ..Options::default() };
    let log = open_with(dir.path(), options);
    let signed = json!({"rationale": "Bearer of bad news", "secret": "hunter2-hunter2"});
    let mut told = entry(1, signed.clone()).with_error("401 for Authorization: Bearer abc.def");
    told.intent_summary = "sent hunter2-hunter2".into();
    log.append(told).durable().unwrap();
    let record = all(dir.path()).remove(0);
    assert_eq!(record.error.as_deref(), Some("401 for Authorization: Bearer [redacted]"));
    assert_eq!(record.intent_summary, "sent [redacted]");
    assert_eq!(record.intent_payload, signed);
}

#[test]
fn a_watcher_gets_each_record_once_in_order_as_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let (watcher, watched) = mpsc::channel();
    let options = Options { watcher: Some(watcher), ..Options::default() };
    let log = open_with(dir.path(), options);
    for second in 0..500 {
        log.append(entry(second, json!({"second": second}))).unwaited();
    }
    log.close().unwrap();
    let watched: Vec<_> = watched.try_iter().map(|record| (*record).clone()).collect();
    let stands: Vec<_> = all(dir.path());
    assert_eq!(watched.len(), 500);
    assert_eq!(watched, stands);
}

#[test]
fn many_threads_append_and_each_finds_its_own_record() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8_i64 {
            let log = &log;
            scope.spawn(move || {
                for number in 0..25_i64 {
                    let payload = json!([thread, number]);
                    let receipt = log.append(entry(1, payload.clone())).durable().unwrap();
                    assert_eq!(receipt.payload_digest(), payload_digest(&payload).unwrap());
                }
            });
        }
    });
    log.close().unwrap();
    let found: Vec<_> = all(dir.path());
    assert_eq!(found.len(), 200);
    for thread in 0..8_i64 {
        let own: Vec<i64> = found
            .iter()
            .filter(|record| record.intent_payload[0] == thread)
            .map(|record| record.intent_payload[1].as_i64().unwrap())
            .collect();
        assert_eq!(own, (0..25).collect::<Vec<_>>(), "each thread's records stand in its order");
    }
}

#[test]
fn an_append_after_the_close_is_refused_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    log.close().unwrap();
    log.close().unwrap();
    assert_eq!(log.append(entry(1, json!(1))).durable().unwrap_err(), LogError::Closed);
    assert_eq!(log.lost(), 1);
}

#[test]
fn a_folder_in_a_segments_place_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = segment(dir.path(), 0);
    fs::create_dir_all(&path).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(matches!(&error, OpenError::Io { path: named, .. } if *named == path), "{error}");
}

#[test]
fn a_journal_that_is_removed_or_cut_under_a_running_log_makes_no_receipt() {
    for damage in [|path: &Path| fs::remove_file(path).unwrap(), |path: &Path| fs::write(path, b"").unwrap()] {
        let dir = tempfile::tempdir().unwrap();
        let log = open(dir.path()).unwrap();
        log.append(entry(1, json!(1))).durable().unwrap();
        damage(&segment(dir.path(), 0));
        for second in 2..4 {
            assert!(matches!(log.append(entry(second, json!(1))).durable(), Err(LogError::Unavailable { .. })));
        }
        assert!(matches!(log.health(), Health::Unavailable { .. }));
        assert_eq!(log.size(), 1);
    }
}
