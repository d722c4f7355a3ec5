//! Journals of a data directory: read in the order of their times, read on as they grow, never fatal.

use crate::given::{Given, id, record, story};
use agenttrader_audit::record::{IntentType, Record};
use agenttrader_core::canonical_json;
use agenttrader_core::time::Span;
use agenttrader_mission_control::journals::Journals;
use serde_json::{Value, json};
use std::fs::{OpenOptions, create_dir_all};
use std::io::Write as _;
use std::path::Path;

fn append(data_dir: &Path, agent_name: &str, bytes: &[u8]) {
    let folder = data_dir.join("audit-state").join(agent_name).join("journal");
    create_dir_all(&folder).unwrap();
    let mut file = OpenOptions::new().create(true).append(true).open(folder.join(format!("{:020}", 0))).unwrap();
    file.write_all(bytes).unwrap();
}

/// A frame of a journal: length, checksum, batch, a chain that no reader of records looks at, record.
fn frame(batch: u64, record: &[u8]) -> Vec<u8> {
    let checked = [batch.to_le_bytes().as_slice(), &[0; 32], record].concat();
    let header = [u32::try_from(record.len()).unwrap().to_le_bytes(), crc32fast::hash(&checked).to_le_bytes()];
    [header.concat(), checked].concat()
}

fn line(record: &Record) -> Vec<u8> {
    frame(record.seq, canonical_json::of(record).unwrap().as_bytes())
}

async fn event_ids(given: &Given) -> Vec<String> {
    let events = given.body("/api/v1/events/recent").await;
    events["items"].as_array().unwrap().iter().rev().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn journals_are_folded_in_the_order_of_their_times_and_read_on_as_they_grow() {
    let data_dir = tempfile::tempdir().unwrap();
    let given = Given::empty();
    let mut journals = Journals::new(data_dir.path());
    assert_eq!(journals.catch_up(&given.hub), 0, "no folder yet");
    let late =
        |seconds, record: Record| Record { timestamp: record.timestamp.plus(Span::from_seconds(seconds)), ..record };
    let [proposed, decided, update, fill] = story(0);
    append(data_dir.path(), "gamma-strategy", &line(&proposed));
    append(data_dir.path(), "shadow-gate", &line(&late(1, decided)));
    append(
        data_dir.path(),
        "gamma-strategy",
        &line(&late(2, record("gamma-strategy", 1, IntentType::Signal, json!({})))),
    );
    let (update, fill) = (line(&late(3, update)), line(&late(4, fill)));
    append(data_dir.path(), "shadow-gate", &update[..20]);
    assert_eq!(journals.catch_up(&given.hub), 3);
    assert_eq!(event_ids(&given).await, ["gamma-strategy:0", "shadow-gate:0", "gamma-strategy:1"]);
    // The frame that was being written is whole now.
    append(data_dir.path(), "shadow-gate", &[&update[20..], &fill].concat());
    assert_eq!(journals.catch_up(&given.hub), 2);
    let told = given.body(&format!("/api/v1/proposals/{}", id(1, 0))).await;
    assert_eq!((&told["state"], &told["order"]["status"]), (&json!("SHADOWED"), &json!("FILLED")));
    assert_eq!(journals.catch_up(&given.hub), 0);
}

#[tokio::test]
async fn a_damaged_journal_is_told_in_its_agents_row_and_holds_up_no_other() {
    let data_dir = tempfile::tempdir().unwrap();
    let given = Given::empty();
    append(data_dir.path(), "gamma-strategy", &frame(0, b"{\"not\":\"a record\"}"));
    append(data_dir.path(), "shadow-gate", &line(&record("shadow-gate", 0, IntentType::Signal, json!({}))));
    append(data_dir.path(), ".hidden", b"nobody's\n");
    let mut journals = Journals::new(data_dir.path());
    assert_eq!(journals.catch_up(&given.hub), 1);
    let problem = |agent: Value| agent["journal_problem"].clone();
    let told = problem(given.body("/api/v1/agents/gamma-strategy").await);
    assert!(told.as_str().unwrap().contains("record 0"), "{told}");
    assert_eq!(problem(given.body("/api/v1/agents/shadow-gate").await), Value::Null);
}
