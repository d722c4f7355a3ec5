//! The writer over a disk that fails: no acknowledged record is lost, and no torn line stays.

use crate::disk::{Disk, Files};
use crate::log::{Health, Log, LogError, Options, QUEUE_ENTRIES, Ticket};
use crate::read::{journal_path, records};
use crate::record::{Entry, IntentType, Outcome, Record};
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build, REPO_ID};
use agenttrader_core::time::UnixNanos;
use proptest::prelude::*;
use serde_json::json;
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// What the disk does instead of what it is asked for. One is used up at each call that it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// A write stops after that many bytes: the disk is full.
    Full { after: usize },
    /// A write ends whole, and the sync fails.
    Sync,
    /// Nothing can be opened: mounted read-only.
    Restore,
    /// A payload cannot be stored.
    Blob,
}

struct Faulty {
    files: Files,
    /// Every write waits for it: held by a test, it makes the disk hang.
    hang: Arc<Mutex<()>>,
    faults: Arc<Mutex<VecDeque<Fault>>>,
}

impl Faulty {
    fn next(&self, fits: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        if faults.front().copied().is_some_and(fits) { faults.pop_front() } else { None }
    }
}

impl Disk for Faulty {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        drop(self.hang.lock().unwrap());
        if let Some(Fault::Full { after }) = self.next(|fault| matches!(fault, Fault::Full { .. })) {
            self.files.append(&bytes[..after.min(bytes.len())])?;
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.files.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        match self.next(|fault| fault == Fault::Sync) {
            Some(_) => Err(io::Error::other("input/output error")),
            None => self.files.sync(),
        }
    }

    fn restore(&mut self, len: u64) -> io::Result<()> {
        match self.next(|fault| fault == Fault::Restore) {
            Some(_) => Err(io::Error::from(io::ErrorKind::ReadOnlyFilesystem)),
            None => self.files.restore(len),
        }
    }

    fn put_blob(&mut self, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        match self.next(|fault| fault == Fault::Blob) {
            Some(_) => Err(io::Error::from(io::ErrorKind::StorageFull)),
            None => self.files.put_blob(digest, bytes),
        }
    }
}

struct Bench {
    log: Log,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    hang: Arc<Mutex<()>>,
    health: mpsc::Receiver<Health>,
    watched: mpsc::Receiver<Arc<Record>>,
}

fn bench(dir: &Path) -> Bench {
    let faults = Arc::new(Mutex::new(VecDeque::new()));
    let (tell, health) = mpsc::channel();
    let (watcher, watched) = mpsc::channel();
    let options = Options {
        on_health_change: Some(Box::new(move |health| tell.send(health).unwrap())),
        watcher: Some(watcher),
        ..Options::default()
    };
    let identity =
        AgentIdentity { agent_name: "shadow-gate".into(), agent_role: AgentRole::Ops, agent_mode: AgentMode::Observe };
    let build = Build { git_sha: "unknown".into(), build_id: "unknown".into() };
    let put_in = Arc::clone(&faults);
    let hang = Arc::new(Mutex::new(()));
    let waits = Arc::clone(&hang);
    let log = Log::open_on(dir, identity, REPO_ID, build, options, |files| {
        Box::new(Faulty { files, hang: waits, faults: put_in })
    });
    Bench { log: log.unwrap(), faults, hang, health, watched }
}

fn entry(number: i64, padding: usize) -> Entry {
    let payload = json!({"number": number, "padding": "x".repeat(padding)});
    Entry::new(UnixNanos::from_seconds(number), IntentType::Signal, Outcome::Success, "a test", payload)
}

/// The numbers in the journal, in order. Fails on a torn or bad line.
fn numbers(dir: &Path) -> Vec<i64> {
    let mut all = records(&journal_path(dir, "shadow-gate")).unwrap();
    let numbers = all
        .by_ref()
        .map(|record| {
            let record = record.unwrap();
            record.timestamp.seconds()
        })
        .collect();
    assert_eq!(all.unfinished(), 0);
    numbers
}

#[test]
fn a_full_disk_fails_the_ticket_and_the_record_stands_once_there_is_space() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(dir.path());
    bench.log.append(entry(0, 0)).durable().unwrap();
    bench.faults.lock().unwrap().push_back(Fault::Full { after: 40 });
    let failed = bench.log.append(entry(1, 0)).durable().unwrap_err();
    assert!(matches!(&failed, LogError::Unavailable { why } if why.contains("no storage space")), "{failed}");
    assert!(matches!(bench.health.recv().unwrap(), Health::Unavailable { .. }));
    let receipt = bench.log.append(entry(2, 0)).durable().unwrap();
    assert_eq!(receipt.index(), 2);
    assert_eq!(bench.health.recv().unwrap(), Health::Writable);
    bench.log.close().unwrap();
    assert_eq!(numbers(dir.path()), [0, 1, 2]);
    assert_eq!(bench.log.lost(), 0);
}

#[test]
fn a_disk_that_recovers_is_found_without_another_append() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(dir.path());
    bench.faults.lock().unwrap().extend([Fault::Sync, Fault::Restore, Fault::Restore]);
    bench.log.append(entry(0, 0)).durable().unwrap_err();
    assert_eq!(bench.watched.recv_timeout(Duration::from_secs(10)).unwrap().seq, 0);
    assert_eq!(bench.log.size(), 1);
    assert_eq!(numbers(dir.path()), [0]);
}

#[test]
fn no_line_is_written_before_its_payload_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(dir.path());
    bench.faults.lock().unwrap().push_back(Fault::Blob);
    bench.log.append(entry(0, 70_000)).durable().unwrap_err();
    let at_once = numbers(dir.path());
    assert!(at_once.is_empty() || at_once == [0]);
    bench.log.append(entry(1, 0)).durable().unwrap();
    let first = records(&journal_path(dir.path(), "shadow-gate")).unwrap().next().unwrap().unwrap();
    let payload = crate::read::payload(dir.path(), &first).unwrap();
    assert_eq!(payload, entry(0, 70_000).intent_payload);
}

#[test]
fn a_log_that_closes_on_a_dead_disk_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(dir.path());
    // Each try that fails takes a sync; the log is closed long before they are used up.
    bench.faults.lock().unwrap().extend([Fault::Sync; 1_000]);
    bench.log.append(entry(0, 0)).unwaited();
    assert!(matches!(bench.log.close(), Err(LogError::Unavailable { .. })));
    assert!(numbers(dir.path()).is_empty());
}

#[test]
fn a_disk_that_hangs_loses_only_what_its_queue_does_not_hold_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(dir.path());
    let hanging = bench.hang.lock().unwrap();
    // The writer takes the first and hangs; some may go with it.
    let tickets: Vec<_> = (0..3 * QUEUE_ENTRIES as i64).map(|number| bench.log.append(entry(number, 0))).collect();
    let lost = bench.log.lost();
    assert!(lost >= QUEUE_ENTRIES as u64, "{lost} lost");
    drop(hanging);
    let answers: Vec<_> = tickets.into_iter().map(Ticket::durable).collect();
    let refused = answers.iter().filter(|answer| matches!(answer, Err(LogError::Full))).count();
    assert_eq!(refused as u64, lost);
    assert!(matches!(bench.health.recv().unwrap(), Health::Unavailable { why } if why.contains("lost")));
    assert_eq!(bench.health.recv().unwrap(), Health::Writable);
    bench.log.close().unwrap();
    let acknowledged: Vec<i64> =
        (0..).zip(&answers).filter(|(_, answer)| answer.is_ok()).map(|(number, _)| number).collect();
    assert_eq!(numbers(dir.path()), acknowledged);
}

#[test]
fn a_disk_that_stays_full_keeps_a_bounded_number_and_counts_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(dir.path());
    bench.faults.lock().unwrap().extend([Fault::Blob; 10_000]);
    let tickets: Vec<_> = (0..200).map(|number| bench.log.append(entry(number, 200_000))).collect();
    for ticket in tickets {
        ticket.durable().unwrap_err();
    }
    let lost = bench.log.lost();
    assert!((50..150).contains(&lost), "{lost} of 200 lost");
    bench.faults.lock().unwrap().clear();
    bench.log.close().unwrap();
    assert_eq!(numbers(dir.path()), (0..200 - lost as i64).collect::<Vec<_>>());
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        (0_usize..2_000).prop_map(|after| Fault::Full { after }),
        Just(Fault::Sync),
        Just(Fault::Restore),
        Just(Fault::Blob),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_fails_what_was_acknowledged_stands_once_and_in_order(
        steps in prop::collection::vec((prop::collection::vec(any_fault(), 0..3), any::<bool>(), prop_oneof![8 => Just(0_usize), 1 => Just(65_000)]), 1..12)
    ) {
        let dir = tempfile::tempdir().unwrap();
        let bench = bench(dir.path());
        let mut acknowledged = Vec::new();
        for (number, (faults, waits, padding)) in (0_i64..).zip(&steps) {
            bench.faults.lock().unwrap().extend(faults);
            let ticket = bench.log.append(entry(number, *padding));
            if *waits && let Ok(receipt) = ticket.durable() {
                acknowledged.push((number, receipt.index()));
            }
        }
        bench.faults.lock().unwrap().clear();
        bench.log.close().unwrap();
        let stands = numbers(dir.path());
        // Nothing is dropped here: the kept records are far below their bound.
        let all: Vec<i64> = (0..).take(steps.len()).collect();
        prop_assert_eq!(&stands, &all);
        for (number, index) in acknowledged {
            prop_assert_eq!(stands[usize::try_from(index).unwrap()], number);
        }
        let watched: Vec<u64> = bench.watched.try_iter().map(|record| record.seq).collect();
        prop_assert_eq!(watched, (0..steps.len() as u64).collect::<Vec<_>>());
        drop(bench.log);
        // And the journal opens again, whole.
        let again = bench_opened(dir.path());
        prop_assert_eq!(again, (steps.len() as u64, None));
    }
}

fn bench_opened(dir: &Path) -> (u64, Option<crate::log::Torn>) {
    let opened = bench(dir).log.opened().clone();
    (opened.records, opened.torn)
}
