//! A writer that is killed at any moment: what it acknowledged stands in the log at the next start, and the log verifies.
//!
//! The usual run kills a few dozen times; `AGENTTRADER_KILLS=500 cargo test --release -p agenttrader-audit --test kill` as often as it says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where something is not as it must be")]

use agenttrader_audit::log::origin;
use agenttrader_audit::note::NoteSigner;
use agenttrader_audit::source::Directory;
use agenttrader_audit::verify::{Against, Held, KnownKeys, Verdict, verify_data_dir, verify_log};
use agenttrader_audit::{Entry, IntentType, Log, Outcome, read};
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build, REPO_ID};
use agenttrader_core::time::UnixNanos;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// Set for the process that writes and is killed: the data directory.
const WRITER: &str = "AGENTTRADER_TEST_KILLED_WRITER";

/// How often to kill.
const KILLS: &str = "AGENTTRADER_KILLS";

const AGENT: &str = "gamma-strategy";

/// Threads that append at the same time.
const THREADS: u64 = 4;

/// Kills of one log, before a new one is begun: each start reads it and each verification all of it.
const KILLS_A_LOG: usize = 12;

fn key() -> NoteSigner {
    NoteSigner::log(&origin(REPO_ID, AGENT), SigningKey::from_bytes(&[7; 32]))
}

/// An entry of that type, told at the same time as all others.
fn entry(intent_type: IntentType, payload: Value) -> Entry {
    Entry::new(UnixNanos::from_seconds(1), intent_type, Outcome::Success, "something was seen", payload)
}

/// Opens the log and tells of the start, as every agent does.
fn open(dir: &Path) -> Log {
    let identity =
        AgentIdentity { agent_name: AGENT.into(), agent_role: AgentRole::StrategyEval, agent_mode: AgentMode::Observe };
    let build = Build { git_sha: "0123456789abcdef0123456789abcdef01234567".into(), build_id: "b1".into() };
    let log = Log::open(dir, identity, REPO_ID, build, key()).unwrap();
    let public = STANDARD.encode(key().verifier().public_key().as_bytes());
    let payload = json!({"public_keys": {"log": public, "sign": public}, "torn": log.opened().torn});
    log.append(entry(IntentType::AgentStart, payload)).durable().unwrap();
    log
}

/// What a thread appends as its n-th record. Every ninth payload is too large for a record.
fn payload(thread: u64, number: u64) -> Value {
    let filling = if number % 9 == 8 { 70_000 } else { 20 * (number % 40) };
    json!({"thread": thread, "number": number, "filling": "x".repeat(usize::try_from(filling).unwrap())})
}

/// Appends for ever from several threads; says `ack THREAD NUMBER INDEX` once a record is durable.
fn write_until_killed(dir: &Path) {
    let log = open(dir);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let log = &log;
            scope.spawn(move || {
                let salt = RandomState::new().hash_one(thread) % 1_000;
                for number in salt.. {
                    let receipt = log.append(entry(IntentType::Signal, payload(thread, number))).durable().unwrap();
                    // One write a line: a kill leaves whole lines.
                    let line = format!("ack {thread} {number} {}\n", receipt.index());
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

/// Starts a writer, kills it after about as many acknowledgements, and gives those: index to thread and number.
fn killed_writer(dir: &Path, after: u64) -> BTreeMap<u64, (u64, u64)> {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "a_record_that_was_acknowledged_outlives_every_kill"])
        .env(WRITER, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
    let mut acknowledged = BTreeMap::new();
    let mut take = |line: &str| {
        let words: Vec<u64> =
            line.strip_prefix("ack ").into_iter().flat_map(|rest| rest.split(' ')).flat_map(str::parse).collect();
        if let [thread, number, index] = words[..] {
            assert_eq!(acknowledged.insert(index, (thread, number)), None, "one index for two records");
        }
        acknowledged.len() as u64
    };
    while take(&lines.next().unwrap().unwrap()) < after {}
    writer.kill().unwrap();
    // What it said before it died counts too.
    for line in lines.map_while(Result::ok) {
        take(&line);
    }
    assert!(!writer.wait().unwrap().success());
    acknowledged
}

#[test]
fn a_record_that_was_acknowledged_outlives_every_kill() {
    if let Some(dir) = std::env::var_os(WRITER) {
        return write_until_killed(Path::new(&dir));
    }
    let kills: usize = std::env::var(KILLS).ok().map_or(24, |kills| kills.parse().unwrap());
    let random = RandomState::new();
    let (mut dir, mut acknowledged, mut held) = (tempfile::tempdir().unwrap(), BTreeMap::new(), Vec::new());
    let (mut records_acknowledged, mut torn_ends) = (0, 0);
    for kill in 0..kills {
        if kill % KILLS_A_LOG == 0 {
            (dir, acknowledged, held) = (tempfile::tempdir().unwrap(), BTreeMap::new(), Vec::new());
        }
        // Often within the first records, sometimes long after the first checkpoint.
        let after = random.hash_one(kill) % if kill % 3 == 0 { 900 } else { 40 };
        let newly = killed_writer(dir.path(), after + 1);
        records_acknowledged += newly.len();
        acknowledged.extend(newly);

        left_sound(dir.path(), kill);

        let log = open(dir.path());
        torn_ends += usize::from(log.opened().torn.is_some());
        let checkpoint = log.checkpoint_now().unwrap();
        log.close().unwrap();
        let records: Vec<_> = read::records(dir.path(), AGENT).unwrap().map(Result::unwrap).collect();
        assert_eq!(records.len() as u64, checkpoint.checkpoint.size);
        for (index, (thread, number)) in &acknowledged {
            let record = &records[usize::try_from(*index).unwrap()];
            let found = read::payload(dir.path(), record).unwrap();
            assert_eq!(found, payload(*thread, *number), "kill {kill}, record {index}");
        }
        verifies(dir.path(), &held, kill);
        // The log must extend it after every later kill.
        held = vec![Held::kept(format!("after kill {kill}"), checkpoint.to_string().as_bytes()).unwrap()];
    }
    println!("{kills} kills, {records_acknowledged} acknowledged records found, {torn_ends} torn ends cut");
}

/// What a kill left is what the journal makes of it, before the next start sets anything right.
fn left_sound(dir: &Path, kill: usize) {
    let keys = KnownKeys::none().with(key().verifier());
    let report = verify_data_dir(dir, Some(&keys), &[], &|_| {});
    assert!(report.verdict() <= Verdict::NoKey, "kill {kill}: {report}");
}

/// The log holds with its payloads, extends what was held before, and nothing else stands there.
fn verifies(dir: &Path, held: &[Held], kill: usize) {
    let keys = KnownKeys::parse(key().verifier().to_string().as_bytes()).unwrap();
    let blobs = Directory::new(dir.join("audit-blobs"));
    let against = Against { keys: &keys, blobs: Some(&blobs), held, ..Against::nothing() };
    let report = verify_log(&Directory::new(read::log_dir(dir, AGENT)), &against);
    assert_eq!(report.verdict(), Verdict::Good, "kill {kill}: {report}");
    let named: Vec<String> = report.payloads.iter().map(ToString::to_string).collect();
    let mut stored: Vec<String> = fs::read_dir(dir.join("audit-blobs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    stored.sort();
    assert_eq!(stored, named, "kill {kill}: a payload that no record names, or none that one does");
}
