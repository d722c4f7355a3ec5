//! Whose signature is believed, and which exit code a log without a usable key gets.

use crate::built;
use agenttrader_audit::checkpoint::SignedCheckpoint;
use agenttrader_audit::note::{NoteSigner, SignatureLine};
use agenttrader_audit::verify::{Against, Held, KeysFrom, KnownKeys, LogReport, Spot, Verdict, verify_log};
use agenttrader_core::canonical_json;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn verify(files: &BTreeMap<String, Vec<u8>>, keys: &KnownKeys) -> LogReport {
    verify_log(&built::shared(files), &Against { keys, ..Against::nothing() })
}

fn witness(seed: u8) -> NoteSigner {
    NoteSigner::cosigner("witness.example/w", SigningKey::from_bytes(&[seed; 32]))
}

#[test]
fn keys_are_those_given_else_of_the_data_directory_else_the_logs_own_word() {
    let files = built::files(&built::entries(3), &built::signer());
    let vkey = built::signer().verifier();
    for (keys, from) in [
        (KnownKeys::none().with(vkey.clone()), KeysFrom::Given),
        (built::keys(), KeysFrom::Given),
        (KnownKeys::none(), KeysFrom::SelfAsserted),
    ] {
        let report = verify(&files, &keys);
        assert_eq!(report.verdict(), Verdict::Good, "{report}");
        assert_eq!(report.key, Some((vkey.to_string(), from)));
    }
    let other = NoteSigner::log("agenttrader/r/another", SigningKey::from_bytes(&[3; 32])).verifier();
    let report = verify(&files, &KnownKeys::none().with(other));
    assert_eq!(report.verdict(), Verdict::NoKey, "who gave keys wants no others\n{report}");
}

#[test]
fn another_key_than_the_known_one_is_a_difference() {
    let entries = built::entries(3);
    let stranger = NoteSigner::log(&built::origin(), SigningKey::from_bytes(&[9; 32]));
    // The log is signed by a stranger, and names the key that is known.
    let report = verify(&built::files(&entries, &stranger), &built::keys());
    assert_eq!((report.verdict(), &report.findings.first()[0].at), (Verdict::Different, &Spot::Checkpoint), "{report}");
    // The log is signed by the key that it names, and another is known.
    let known = KnownKeys::none().with(stranger.verifier());
    let report = verify(&built::files(&entries, &built::signer()), &known);
    assert_eq!((report.verdict(), &report.findings.first()[0].at), (Verdict::Different, &Spot::Entry(0)), "{report}");
}

#[test]
fn hashes_come_before_keys() {
    let mut files = built::files(&built::entries(3), &built::signer());
    let other = NoteSigner::log("agenttrader/r/another", SigningKey::from_bytes(&[3; 32])).verifier();
    let keys = KnownKeys::none().with(other);
    assert_eq!(verify(&files, &keys).verdict(), Verdict::NoKey);
    files.get_mut("tile/0/000.p/3").unwrap()[0] ^= 1;
    assert_eq!(verify(&files, &keys).verdict(), Verdict::Different);
}

#[test]
fn a_kept_checkpoint_is_held_against_the_log_without_a_key_too() {
    let entries = built::entries(5);
    let files = built::files(&entries[..3], &built::signer());
    let other = NoteSigner::log("agenttrader/r/another", SigningKey::from_bytes(&[3; 32])).verifier();
    let keys = KnownKeys::none().with(other);
    for (size, verdict) in [(2, Verdict::NoKey), (5, Verdict::Different)] {
        let held = Held::kept("kept", &built::checkpoint(&entries[..size], &built::signer())).unwrap();
        let report = verify_log(&built::shared(&files), &Against { keys: &keys, held: &[held], ..Against::nothing() });
        assert_eq!(report.verdict(), verdict, "{report}");
    }
}

#[test]
fn the_first_entry_is_an_agent_start_with_both_keys_and_each_later_one_repeats_them() {
    let changed = |seq: u64, change: &dyn Fn(&mut Value)| {
        let mut entries = built::entries(1_002);
        let mut record = canonical_json::parse(&entries[seq as usize]).unwrap();
        change(&mut record);
        entries[seq as usize] = canonical_json::to_bytes(&record).unwrap();
        let report = verify(&built::files(&entries, &built::signer()), &KnownKeys::none());
        (report.verdict(), report.findings.first().first().map(|finding| finding.at.clone()))
    };
    assert_eq!(changed(0, &|_| {}), (Verdict::Good, None));
    let at = |index| (Verdict::Different, Some(Spot::Entry(index)));
    assert_eq!(changed(0, &|record| record["intent_type"] = json!("signal")), at(0));
    assert_eq!(changed(0, &|record| record["intent_payload"] = json!({})), at(0));
    assert_eq!(changed(0, &|record| record["intent_payload"]["public_keys"]["sign"] = json!("AA==")), at(0));
    assert_eq!(changed(1_000, &|record| record["intent_payload"] = json!({})), at(1_000));
    let other = built::public_keys()["sign"].clone();
    assert_eq!(changed(1_000, &|record| record["intent_payload"]["public_keys"]["log"] = other.clone()), at(1_000));
}

#[test]
fn an_entry_that_is_no_record_of_this_log_at_its_place_is_named_whoever_signed_it() {
    let good = built::entry(7);
    let value = canonical_json::parse(&good).unwrap();
    let with = |name: &str, member: Value| {
        let mut value = value.clone();
        value[name] = member;
        canonical_json::to_bytes(&value).unwrap()
    };
    let without = |name: &str| {
        let mut value = value.clone();
        value.as_object_mut().unwrap().remove(name);
        canonical_json::to_bytes(&value).unwrap()
    };
    let spaced = String::from_utf8(good.clone()).unwrap().replacen(':', ": ", 1).into_bytes();
    let mut bad: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"{}".to_vec(),
        b"[]".to_vec(),
        spaced,
        with("seq", json!(8)),
        with("seq", json!("7")),
        with("repo_id", json!("another")),
        with("agent_name", json!("another")),
        with("agent_role", json!("boss")),
        with("agent_mode", json!("wild")),
        with("outcome", json!("maybe")),
        with("intent_type", json!("nothing")),
        with("intent_id", json!("7")),
        with("correlation_id", json!("7")),
        with("duration_ms", json!(-1)),
        with("duration_ms", json!(1.5)),
        with("timestamp", json!("yesterday")),
        with("timestamp", json!(0)),
        with("trace_id", json!(1)),
        with("error", json!(1)),
        with("error", json!("x".repeat(5_000))),
        with("intent_summary", json!("x".repeat(1_025))),
        with("one_more", json!(null)),
        with("intent_payload", json!({"x": "y".repeat(60_000)})),
    ];
    bad.extend(value.as_object().unwrap().keys().map(|name| without(name)));
    let mut entries = built::entries(9);
    assert_eq!(verify(&built::files(&entries, &built::signer()), &built::keys()).verdict(), Verdict::Good);
    for bytes in bad {
        let shown = String::from_utf8_lossy(&bytes).chars().take(200).collect::<String>();
        entries[7] = bytes;
        let report = verify(&built::files(&entries, &built::signer()), &built::keys());
        assert_eq!(report.verdict(), Verdict::Different, "{shown}");
        assert_eq!(report.findings.first()[0].at, Spot::Entry(7), "{shown}\n{report}");
        assert_eq!(report.findings.total(), 1, "{shown}\n{report}");
    }
}

#[test]
fn a_checkpoint_carries_the_logs_own_line_alone() {
    let files = built::files(&built::entries(3), &built::signer());
    let signed = SignedCheckpoint::parse(&files["checkpoint"]).unwrap();
    let with = |line: SignatureLine| {
        let mut files = files.clone();
        files.insert("checkpoint".into(), signed.clone().with(line).to_string().into_bytes());
        files
    };
    let cosigned = with(witness(5).sign(signed.note().text(), 1_767_623_400));
    let keys = built::keys().with(witness(5).verifier());
    for keys in [&built::keys(), &keys, &KnownKeys::none()] {
        let report = verify(&cosigned, keys);
        assert_eq!(report.verdict(), Verdict::Different, "{report}");
        assert_eq!(report.findings.first()[0].at, Spot::Checkpoint);
    }
}

#[test]
fn cosignatures_are_counted_where_the_witness_is_known_and_other_lines_are_told_as_unknown() {
    let files = built::files(&built::entries(3), &built::signer());
    let signed = SignedCheckpoint::parse(&files["checkpoint"]).unwrap();
    let line = |seed| witness(seed).sign(signed.note().text(), 1_767_623_400);
    let held = |line| Held::cosigned("cosigned/x", signed.clone().with(line).to_string().as_bytes()).unwrap();
    let against = |keys: &KnownKeys, held: Held| {
        verify_log(&built::shared(&files), &Against { keys, held: &[held], ..Against::nothing() })
    };
    let known = built::keys().with(witness(5).verifier());
    let report = against(&known, held(line(5)));
    assert_eq!((report.verdict(), report.counts.cosignatures, report.counts.held), (Verdict::Good, 1, 1), "{report}");
    assert!(!report.to_string().contains("no cosignature"));
    // Beside another witness's line it counts too: whoever holds one key alone is not told of forgery.
    let both = signed.clone().with(line(5)).with(line(6)).to_string();
    let report = against(&known, Held::cosigned("cosigned/x", both.as_bytes()).unwrap());
    assert_eq!((report.verdict(), report.counts.cosignatures), (Verdict::Good, 1), "{report}");
    let report = against(&known, held(line(6)));
    assert_eq!((report.verdict(), report.counts.cosignatures), (Verdict::Good, 0), "{report}");
    assert!(report.to_string().contains("the cosignature's key was not given"), "{report}");
    // Of a witness nobody named nothing is known, which is said.
    let report = against(&built::keys(), held(line(5)));
    assert_eq!((report.verdict(), report.counts.cosignatures), (Verdict::Good, 0), "{report}");
    assert!(report.to_string().contains("the cosignature's key was not given"), "{report}");
    // A cosignature over another text.
    let mut forged = line(5);
    forged.signature[20] ^= 1;
    assert_eq!(against(&known, held(forged)).verdict(), Verdict::Different);
}
