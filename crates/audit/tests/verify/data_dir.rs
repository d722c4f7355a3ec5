//! A data directory as the log itself writes it.

use crate::built::{self, AGENT};
use agenttrader_audit::checkpoint::SignedCheckpoint;
use agenttrader_audit::note::NoteSigner;
use agenttrader_audit::read::log_dir;
use agenttrader_audit::verify::{DataDirReport, Held, KeysFrom, KnownKeys, Spot, Verdict, verify_data_dir};
use agenttrader_audit::{Entry, IntentType, Log, Options, Outcome};
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build, REPO_ID};
use agenttrader_core::time::UnixNanos;
use ed25519_dalek::SigningKey;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

pub fn open(data_dir: &Path) -> Log {
    open_with(data_dir, Options::default())
}

pub fn open_with(data_dir: &Path, options: Options) -> Log {
    let identity =
        AgentIdentity { agent_name: AGENT.into(), agent_role: AgentRole::StrategyEval, agent_mode: AgentMode::Observe };
    let build = Build { git_sha: "0123456789abcdef0123456789abcdef01234567".into(), build_id: "b1".into() };
    Log::open_with(data_dir, identity, REPO_ID, build, built::signer(), options).unwrap()
}

/// Appends `count` entries from that index on, the first of a log with its keys, and waits for the last.
pub fn append(log: &Log, from: u64, count: u64) {
    let mut last = None;
    for index in from..from + count {
        let time = UnixNanos::from_seconds(1_767_623_400 + i64::try_from(index).unwrap());
        let (kind, payload) = match index {
            0 => (IntentType::AgentStart, json!({"public_keys": built::public_keys()})),
            _ if index % 40 == 39 => (IntentType::Signal, json!({"index": index, "text": "x".repeat(61_000)})),
            _ => (IntentType::Signal, json!({"index": index})),
        };
        last = Some(log.append(Entry::new(time, kind, Outcome::Success, "something was seen", payload)));
    }
    assert_eq!(last.unwrap().durable().unwrap().index(), from + count - 1);
}

/// Appends that many entries which tell of another index than theirs.
fn append_at(log: &Log, told: u64, count: u64) {
    for index in told..told + count {
        let payload = json!({"index": index});
        let time = UnixNanos::from_seconds(1_767_624_400);
        let ticket = log.append(Entry::new(time, IntentType::Signal, Outcome::Success, "something was seen", payload));
        ticket.durable().unwrap();
    }
}

/// A data directory of an agent that ended in order.
pub fn closed(count: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    append(&log, 0, count);
    log.close().unwrap();
    drop(log);
    fs::create_dir_all(dir.path().join("keys")).unwrap();
    fs::write(dir.path().join("keys/agents.json"), built::agents_json()).unwrap();
    dir
}

pub fn verify(data_dir: &Path) -> DataDirReport {
    verify_data_dir(data_dir, None, &[], &|_| {})
}

/// Everything wrong, the logs' and what stands beside them.
pub fn spots(report: &DataDirReport) -> Vec<Spot> {
    let logs = report.logs.iter().flat_map(|log| log.findings.first());
    logs.chain(report.findings.first()).map(|finding| finding.at.clone()).collect()
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &place)
        } else {
            fs::copy(entry.path(), place).map(drop).unwrap()
        }
    }
}

fn all_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() { all_files(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

#[test]
fn a_directory_of_an_agent_that_ended_in_order_is_good_whole() {
    let dir = closed(300);
    let report = verify(dir.path());
    assert_eq!(report.verdict(), Verdict::Good, "{report}");
    let log = &report.logs[0];
    assert_eq!((log.counts.entries, log.uncovered, log.torn, log.live), (300, Some(0), None, false));
    assert_eq!((report.blobs, log.counts.payloads_read), (7, 7));
    assert_eq!(log.key.as_ref().unwrap().1, KeysFrom::DataDirectory);
    let given = KnownKeys::none().with(built::signer().verifier());
    let report = verify_data_dir(dir.path(), Some(&given), &[], &|_| {});
    assert_eq!(report.logs[0].key.as_ref().unwrap().1, KeysFrom::Given);
}

#[test]
fn any_byte_of_any_file_of_the_log_its_payloads_and_its_journal_counts() {
    let dir = closed(300);
    let mut files = Vec::new();
    for folder in ["audit", "audit-blobs", "audit-state"] {
        all_files(&dir.path().join(folder), &mut files);
    }
    files.retain(|path| !path.ends_with("lock"));
    assert!(files.len() >= 14, "{files:?}");
    for path in files {
        let bytes = fs::read(&path).unwrap();
        for part in 0..5 {
            let mut flipped = bytes.clone();
            let at = (flipped.len() - 1) * part / 4;
            flipped[at] ^= 1 << part;
            fs::write(&path, flipped).unwrap();
            let report = verify(dir.path());
            assert_eq!(report.verdict(), Verdict::Different, "byte {at} of {}\n{report}", path.display());
        }
        fs::remove_file(&path).unwrap();
        let report = verify(dir.path());
        assert_eq!(report.verdict(), Verdict::Different, "{} removed\n{report}", path.display());
        fs::write(&path, bytes).unwrap();
    }
    assert_eq!(verify(dir.path()).verdict(), Verdict::Good);
}

#[test]
fn nothing_stands_beside_logs_and_payloads_unseen() {
    let dir = closed(50);
    let check = |path: &str, wanted: Spot| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "x").unwrap();
        let report = verify(dir.path());
        assert_eq!(spots(&report), [wanted], "{report}");
        fs::remove_file(&path).unwrap();
    };
    check("audit/notes.txt", Spot::File("audit/notes.txt".into()));
    check("audit-blobs/notes.txt", Spot::Blob("notes.txt".into()));
    let nobody = "0".repeat(64);
    check(&format!("audit-blobs/{nobody}"), Spot::Blob(nobody.clone()));
    check(&format!("audit-state/{AGENT}/journal/x"), Spot::State("journal/x".into()));
    check(&format!("audit/{AGENT}/tile/0/000.p/1"), Spot::File("tile/0/000.p/1".into()));
    assert_eq!(verify(dir.path()).verdict(), Verdict::Good);
    // Another agent's folder without a log, and a log under another's name.
    fs::create_dir(dir.path().join("audit/another")).unwrap();
    assert_eq!(verify(dir.path()).verdict(), Verdict::Different);
    fs::remove_dir(dir.path().join("audit/another")).unwrap();
    copy(&log_dir(dir.path(), AGENT), &log_dir(dir.path(), "another"));
    assert_eq!(verify(dir.path()).verdict(), Verdict::Different);
    fs::remove_dir_all(log_dir(dir.path(), "another")).unwrap();
    // A log that is gone, its state still there.
    fs::remove_dir_all(log_dir(dir.path(), AGENT)).unwrap();
    assert_eq!(verify(dir.path()).verdict(), Verdict::Different);
}

#[test]
fn a_directory_rolled_back_is_found_by_a_kept_checkpoint_or_a_cosigned_one_alone() {
    let dir = closed(50);
    let older = tempfile::tempdir().unwrap();
    copy(dir.path(), older.path());
    let log = open(dir.path());
    append(&log, 50, 250);
    log.close().unwrap();
    drop(log);
    let checkpoint = fs::read(log_dir(dir.path(), AGENT).join("checkpoint")).unwrap();
    assert_eq!(verify(older.path()).verdict(), Verdict::Good, "nothing inside can tell");
    let held = [Held::kept("kept.checkpoint", &checkpoint).unwrap()];
    let report = verify_data_dir(older.path(), None, &held, &|_| {});
    assert_eq!(spots(&report), [Spot::Held("kept.checkpoint".into())], "{report}");
    assert_eq!(verify_data_dir(dir.path(), None, &held, &|_| {}).verdict(), Verdict::Good);
    // Mission control's own.
    let witness = NoteSigner::cosigner("mission-control", SigningKey::from_bytes(&[5; 32]));
    let signed = SignedCheckpoint::parse(&checkpoint).unwrap();
    let line = witness.sign(signed.note().text(), 1_767_623_400);
    let cosigned = signed.with(line).to_string();
    let witnesses = KnownKeys::none().with(witness.verifier());
    for (data_dir, verdict, seen) in [(older.path(), Verdict::Different, 0), (dir.path(), Verdict::Good, 1)] {
        let folder = data_dir.join("audit-state/mission-control/cosigned");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(AGENT), &cosigned).unwrap();
        assert_eq!(verify(data_dir).verdict(), verdict);
        let report = verify_data_dir(data_dir, Some(&witnesses), &[], &|_| {});
        assert_eq!((report.verdict(), report.logs[0].counts.cosignatures), (verdict, seen), "{report}");
        assert_eq!(report.logs[0].key.as_ref().unwrap().1, KeysFrom::DataDirectory);
    }
}

#[test]
fn records_that_no_checkpoint_covers_are_counted_and_checked() {
    let dir = closed(20);
    let journal = dir.path().join(format!("audit-state/{AGENT}/journal/00000000000000000000"));
    // As if the agent had been killed before it made a checkpoint of its last records.
    let covered = tempfile::tempdir().unwrap();
    copy(dir.path(), covered.path());
    let log = open(dir.path());
    append(&log, 20, 25);
    log.close().unwrap();
    drop(log);
    let all = fs::read(log_dir(dir.path(), AGENT).join("tile/0/000.p/45")).unwrap();
    for folder in [format!("audit/{AGENT}"), format!("audit-state/{AGENT}/head")] {
        let (from, to) = (covered.path().join(&folder), dir.path().join(&folder));
        if from.is_dir() {
            fs::remove_dir_all(&to).unwrap();
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
    let report = verify(dir.path());
    assert_eq!(report.verdict(), Verdict::Good, "{report}");
    assert_eq!(report.logs[0].uncovered, Some(25));
    assert!(report.to_string().contains("25 records that no checkpoint covers"), "{report}");
    // Its tiles may be ahead of its checkpoint then, as they would be in a live log, if they go with it.
    let partial = log_dir(dir.path(), AGENT).join("tile/0/000.p/20");
    let ahead = log_dir(dir.path(), AGENT).join("tile/0/000.p/21");
    let leaves = fs::read(&partial).unwrap();
    fs::write(&ahead, &all[..21 * 32]).unwrap();
    let report = verify(dir.path());
    assert_eq!((report.verdict(), report.logs[0].counts.in_flight), (Verdict::Good, 1), "{report}");
    assert!(report.to_string().contains("records that no checkpoint signs: 25; whoever can write"), "{report}");
    // The right path and the old leaves are not enough: each byte is the journal's.
    fs::write(&ahead, [leaves.as_slice(), &[1; 32]].concat()).unwrap();
    assert_eq!(spots(&verify(dir.path())), [Spot::File("tile/0/000.p/21".into())]);
    fs::write(&ahead, &all[..21 * 32]).unwrap();
    for path in ["tile/0/000.p/46", "tile/1/000.p/1", "tile/7/000", "tile/entries/000"] {
        let place = log_dir(dir.path(), AGENT).join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        let width = place.file_name().unwrap().to_str().unwrap().parse().unwrap_or(0);
        fs::write(&place, vec![0; 32 * if width == 0 { 256 } else { width }]).unwrap();
        let report = verify(dir.path());
        assert_eq!(spots(&report), [Spot::File(path.into())], "{report}");
        fs::remove_file(&place).unwrap();
        // What else stands there stays.
        let _ = fs::remove_dir(place.parent().unwrap());
        let _ = fs::remove_dir(log_dir(dir.path(), AGENT).join("tile/1"));
    }
    fs::write(&ahead, [&[1; 32], leaves.as_slice()].concat()).unwrap();
    assert_eq!(verify(dir.path()).verdict(), Verdict::Different);
    fs::remove_file(ahead).unwrap();
    // A torn end is no difference, a bad frame before a good one is.
    let bytes = fs::read(&journal).unwrap();
    fs::write(&journal, [bytes.as_slice(), b"torn"].concat()).unwrap();
    let report = verify(dir.path());
    assert_eq!((report.verdict(), report.logs[0].torn), (Verdict::Good, Some(4)), "{report}");
    let mut early = bytes.clone();
    early[100] ^= 1;
    fs::write(&journal, &early).unwrap();
    assert_eq!(verify(dir.path()).verdict(), Verdict::Different);
    fs::write(&journal, &bytes).unwrap();
    assert_eq!(verify(dir.path()).verdict(), Verdict::Good);
}

#[test]
fn a_log_whose_first_checkpoint_is_not_made_yet_is_no_difference() {
    let dir = closed(3);
    fs::remove_dir_all(log_dir(dir.path(), AGENT)).unwrap();
    fs::remove_file(dir.path().join(format!("audit-state/{AGENT}/head"))).unwrap();
    let report = verify(dir.path());
    assert_eq!(report.verdict(), Verdict::NoKey, "{report}");
    assert_eq!((report.logs[0].begun, report.logs[0].uncovered), (true, Some(3)));
    assert!(report.to_string().contains("no checkpoint yet"));
}

#[test]
fn files_of_a_log_without_a_checkpoint_are_what_its_journal_makes_of_them() {
    let dir = closed(5);
    let root = log_dir(dir.path(), AGENT);
    fs::remove_file(root.join("checkpoint")).unwrap();
    fs::remove_file(dir.path().join(format!("audit-state/{AGENT}/head"))).unwrap();
    let report = verify(dir.path());
    assert_eq!(report.verdict(), Verdict::NoKey, "{report}");
    for words in ["no checkpoint signs these records", "a whole machine rolled back", "that no checkpoint signs: 5"] {
        assert!(report.to_string().contains(words), "{report}");
    }
    for path in ["tile/0/000.p/5", "tile/entries/000.p/5"] {
        let bytes = fs::read(root.join(path)).unwrap();
        let mut other = bytes.clone();
        *other.last_mut().unwrap() ^= 1;
        fs::write(root.join(path), other).unwrap();
        assert_eq!(spots(&verify(dir.path())), [Spot::File(path.into())]);
        fs::write(root.join(path), bytes).unwrap();
    }
    fs::create_dir_all(root.join("tile/5")).unwrap();
    fs::write(root.join("tile/5/000"), [0; 8192]).unwrap();
    assert_eq!(spots(&verify(dir.path())), [Spot::File("tile/5/000".into())]);
    fs::remove_dir_all(root.join("tile/5")).unwrap();
    fs::create_dir(root.join(".x")).unwrap();
    assert_eq!(spots(&verify(dir.path())), [Spot::File(".x/".into())]);
    fs::remove_dir(root.join(".x")).unwrap();
    // Another journal over the same tiles.
    let other = tempfile::tempdir().unwrap();
    let log = open(other.path());
    append(&log, 0, 1);
    append_at(&log, 101, 5);
    log.close().unwrap();
    drop(log);
    let journal = format!("audit-state/{AGENT}/journal/00000000000000000000");
    fs::copy(other.path().join(&journal), dir.path().join(&journal)).unwrap();
    assert_eq!(verify(dir.path()).verdict(), Verdict::Different);
}
