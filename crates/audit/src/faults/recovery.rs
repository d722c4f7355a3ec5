//! Disks that are full, read-only, bad or slow: what waits is kept and bounded, what was acknowledged stands, and the log recovers by itself.

use super::faulty::{Fault, Faulty, State};
use super::{AGENT, entry, numbers, open_on};
use crate::log::{Health, Log, LogError, Options, QUEUE_BYTES, Ticket};
use crate::record::Record;
use proptest::prelude::*;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// Longest wait for what takes the log a second.
const LONG: Duration = Duration::from_secs(60);

struct Bench {
    log: Log,
    disk: Arc<Faulty>,
    health: mpsc::Receiver<Health>,
    watched: mpsc::Receiver<Arc<Record>>,
}

fn bench(dir: &Path) -> Bench {
    let (tell, health) = mpsc::channel();
    let (watcher, watched) = mpsc::channel();
    let options = Options {
        on_health_change: Some(Box::new(move |health| tell.send(health).unwrap())),
        watcher: Some(watcher),
        ..Options::default()
    };
    let disk = Arc::new(Faulty::default());
    let log = open_on(Arc::clone(&disk) as _, dir, options).unwrap();
    Bench { log, disk, health, watched }
}

#[test]
fn a_full_disk_fails_the_ticket_and_the_record_stands_once_there_is_space() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(dir.path());
    drop(bench.log.append(entry(0, 0)).durable().unwrap());
    bench.disk.add([Fault::Full { after: 40 }]);
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
fn a_disk_that_is_full_read_only_or_bad_for_a_while_stops_the_log_and_lets_it_go_on_by_itself() {
    for state in [State::Full, State::ReadOnly, State::BadBlocks] {
        let dir = tempfile::tempdir().unwrap();
        let bench = bench(dir.path());
        drop(bench.log.append(entry(0, 0)).durable().unwrap());
        bench.disk.put(Some(state));
        for number in 1..4 {
            let failed = bench.log.append(entry(number, if number == 2 { 70_000 } else { 0 })).durable().unwrap_err();
            assert!(matches!(failed, LogError::Unavailable { .. }), "{state:?}: {failed}");
        }
        assert!(matches!(bench.health.recv_timeout(LONG).unwrap(), Health::Unavailable { .. }), "{state:?}");
        assert!(matches!(bench.log.health(), Health::Unavailable { .. }));
        assert_eq!(bench.log.size(), 1);
        bench.disk.put(None);
        // Nobody appends: it is the log that tries.
        assert_eq!(bench.health.recv_timeout(LONG).unwrap(), Health::Writable, "{state:?}");
        assert_eq!(bench.log.checkpoint_now().unwrap().checkpoint.size, 4);
        assert_eq!(numbers(dir.path()), [0, 1, 2, 3]);
        assert_eq!(bench.watched.try_iter().map(|record| record.seq).collect::<Vec<_>>(), [0, 1, 2, 3]);
        bench.log.close().unwrap();
        drop(bench.log);
        assert_eq!(bench_opened(dir.path()), (4, None));
    }
}

#[test]
fn tiles_that_cannot_be_written_for_a_while_make_the_log_unavailable_and_no_receipt_waits_for_them() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(dir.path());
    drop(bench.log.append(entry(0, 0)).durable().unwrap());
    bench.log.checkpoint_now().unwrap();
    bench.disk.put(Some(State::NoTree));
    drop(bench.log.append(entry(1, 70_000)).durable().unwrap());
    assert!(matches!(bench.log.checkpoint_now(), Err(LogError::Unavailable { .. })));
    assert_eq!(bench.log.checkpoint().unwrap().checkpoint.size, 1);
    let told = bench.health.recv_timeout(LONG).unwrap();
    assert!(matches!(&told, Health::Unavailable { why } if why.contains("checkpoint")), "{told:?}");
    drop(bench.log.append(entry(2, 0)).durable().unwrap());
    assert!(
        matches!(bench.log.health(), Health::Unavailable { .. }),
        "a record that is durable does not mend the tree"
    );
    bench.disk.put(None);
    assert_eq!(bench.health.recv_timeout(LONG).unwrap(), Health::Writable);
    assert_eq!(bench.log.checkpoint().unwrap().checkpoint.size, 3);
    bench.log.close().unwrap();
    assert_eq!(numbers(dir.path()), [0, 1, 2]);
}

#[test]
fn a_disk_that_recovers_is_found_without_another_append() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(dir.path());
    bench.disk.add([Fault::Sync, Fault::Restore, Fault::Restore]);
    bench.log.append(entry(0, 0)).durable().unwrap_err();
    assert_eq!(bench.watched.recv_timeout(LONG).unwrap().seq, 0);
    assert_eq!(bench.log.size(), 1);
    assert_eq!(numbers(dir.path()), [0]);
}

#[test]
fn no_record_is_written_before_its_payload_is_stored_nor_told_before_it_is_placed() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(dir.path());
    bench.disk.add([Fault::Stage]);
    bench.log.append(entry(0, 70_000)).durable().unwrap_err();
    drop(bench.log.append(entry(1, 0)).durable().unwrap());
    let first = crate::read::records(dir.path(), AGENT).unwrap().next().unwrap().unwrap();
    let payload = crate::read::payload(dir.path(), &first).unwrap();
    assert_eq!(payload, entry(0, 70_000).intent_payload);
    // Durable in the journal, and kept there while its payload cannot be placed.
    bench.disk.add([Fault::Place]);
    bench.log.append(entry(2, 80_000)).durable().unwrap_err();
    let receipt = bench.log.append(entry(3, 0)).durable().unwrap();
    assert_eq!(receipt.index(), 3);
    bench.log.close().unwrap();
    assert_eq!(numbers(dir.path()), [0, 1, 2, 3]);
    assert_eq!(bench.watched.try_iter().map(|record| record.seq).collect::<Vec<_>>(), [0, 1, 2, 3]);
}

#[test]
fn a_log_that_closes_on_a_dead_disk_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(dir.path());
    // Each try that fails takes a sync; the log is closed long before they are used up.
    bench.disk.add([Fault::Sync; 1_000]);
    bench.log.append(entry(0, 0)).unwaited();
    assert!(matches!(bench.log.close(), Err(LogError::Unavailable { .. })));
    assert!(numbers(dir.path()).is_empty());
}

#[test]
fn a_disk_that_hangs_loses_only_what_its_queue_does_not_hold_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(dir.path());
    let hanging = bench.disk.hang.lock().unwrap();
    // The writer takes the first ones and hangs; of the others as many wait as the queue holds.
    const PADDING: usize = 50_000;
    let count = 2 * QUEUE_BYTES / PADDING;
    let tickets: Vec<_> = (0..count as i64).map(|number| bench.log.append(entry(number, PADDING))).collect();
    let lost = bench.log.lost();
    assert!((count as u64 / 3..count as u64 / 2).contains(&lost), "{lost} of {count} lost");
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
fn a_disk_that_hangs_makes_nobody_wait_and_keeps_a_bounded_number_of_bytes() {
    const PADDING: usize = 1 << 20;
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(dir.path());
    let hanging = bench.disk.hang.lock().unwrap();
    // Were an append to wait for the disk, this would not end: it is freed afterwards.
    let tickets: Vec<_> = (0..100).map(|number| bench.log.append(entry(number, PADDING))).collect();
    let lost = bench.log.lost();
    // What the writer took along, and what its queue may hold.
    let most = (4 + 32) * (1 << 20) / PADDING + 2;
    assert!(lost >= 100 - most as u64, "{lost} of 100 lost");
    drop(hanging);
    let answers: Vec<_> = tickets.into_iter().map(Ticket::durable).collect();
    let refused = answers.iter().filter(|answer| matches!(answer, Err(LogError::Full))).count();
    assert!(refused as u64 >= lost && answers.iter().all(|answer| matches!(answer, Ok(_) | Err(LogError::Full))));
    bench.log.close().unwrap();
    assert_eq!(numbers(dir.path()).len(), 100 - refused);
}

#[test]
fn a_disk_that_stays_full_keeps_a_bounded_number_and_counts_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(dir.path());
    bench.disk.add([Fault::Stage; 10_000]);
    let tickets: Vec<_> = (0..300).map(|number| bench.log.append(entry(number, 200_000))).collect();
    for ticket in tickets {
        ticket.durable().unwrap_err();
    }
    let lost = bench.log.lost();
    assert!((100..150).contains(&lost), "{lost} of 300 lost");
    bench.disk.clear();
    bench.log.close().unwrap();
    assert_eq!(numbers(dir.path()), (0..300 - lost as i64).collect::<Vec<_>>());
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        (0_usize..2_000).prop_map(|after| Fault::Full { after }),
        Just(Fault::Sync),
        Just(Fault::Restore),
        Just(Fault::Stage),
        Just(Fault::Place),
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
            bench.disk.add(faults.iter().copied());
            let ticket = bench.log.append(entry(number, *padding));
            if *waits && let Ok(receipt) = ticket.durable() {
                acknowledged.push((number, receipt.index()));
            }
        }
        bench.disk.clear();
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
        // And the log opens again, whole.
        let again = bench_opened(dir.path());
        prop_assert_eq!(again, (steps.len() as u64, None));
    }
}

fn bench_opened(dir: &Path) -> (u64, Option<crate::log::Torn>) {
    let opened = bench(dir).log.opened().clone();
    (opened.records, opened.torn)
}
