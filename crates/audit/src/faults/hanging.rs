//! A disk that hangs reports no error: the log says so by itself, and goes on when the disk does.

use super::faulty::Faulty;
use super::{ENDLESS, entry, numbers, open_patient};
use crate::log::{Health, Log, Options, Ticket};
use crate::watch::Patience;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// Longest wait for what takes the log milliseconds.
const LONG: Duration = Duration::from_secs(60);

/// For the part whose disk hangs.
const QUICK: Patience = Patience { look_every: Duration::from_millis(5), ..ENDLESS };

fn open(disk: &Arc<Faulty>, dir: &Path, patience: Patience) -> (Log, mpsc::Receiver<Health>) {
    let (tell, health) = mpsc::channel();
    let options =
        Options { on_health_change: Some(Box::new(move |health| tell.send(health).unwrap())), ..Options::default() };
    (open_patient(Arc::clone(disk) as _, patience, dir, options).unwrap(), health)
}

fn assert_hangs(told: &Health) {
    assert!(matches!(told, Health::Unavailable { why } if why == "the disk has not answered for 20ms"), "{told:?}");
}

/// Each change was told once, and after the last one the log was as it should be.
fn assert_went_on(health: &mpsc::Receiver<Health>) {
    // A slow machine may have brought more alarms, each with its end.
    let told: Vec<Health> = health.try_iter().collect();
    assert_eq!(told.len() % 2, 1, "{told:?}");
    for pair in told.chunks(2) {
        assert_eq!(pair[0], Health::Writable, "{told:?}");
        pair.iter().skip(1).for_each(assert_hangs);
    }
}

#[test]
fn a_journal_that_hangs_makes_the_log_unavailable_until_it_answers_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Faulty::default());
    let hanging = disk.hang.lock().unwrap();
    let (log, health) = open(&disk, dir.path(), Patience { journal: 4, ..QUICK });
    // Nobody waits for them, nobody asks: the observer is told all the same.
    let tickets: Vec<Ticket> = (0..3).map(|number| log.append(entry(number, 0))).collect();
    assert_hangs(&health.recv_timeout(LONG).unwrap());
    assert_hangs(&log.health());
    let later = log.append(entry(3, 70_000));
    assert_eq!(log.size(), 0);
    drop(hanging);
    for (index, ticket) in (0..).zip(tickets.into_iter().chain([later])) {
        assert_eq!(ticket.durable().unwrap().index(), index);
    }
    log.close().unwrap();
    assert_eq!(log.health(), Health::Writable);
    assert_went_on(&health);
    assert_eq!(log.lost(), 0);
    assert_eq!(numbers(dir.path()), [0, 1, 2, 3]);
}

#[test]
fn tiles_that_hang_make_the_log_unavailable_until_they_are_written_and_no_receipt_waits_for_them() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Faulty::default());
    let hanging = disk.hang_tree.lock().unwrap();
    let (log, health) = open(&disk, dir.path(), Patience { tree: 4, ..QUICK });
    drop(log.append(entry(0, 0)).durable().unwrap());
    assert_hangs(&health.recv_timeout(LONG).unwrap());
    assert_eq!(log.append(entry(1, 70_000)).durable().unwrap().index(), 1);
    // Records that become durable do not mend the tree.
    assert_hangs(&log.health());
    assert!(log.checkpoint().is_none());
    drop(hanging);
    log.close().unwrap();
    assert_eq!(log.health(), Health::Writable);
    assert_went_on(&health);
    assert_eq!(log.checkpoint().unwrap().checkpoint.size, 2);
    assert_eq!(numbers(dir.path()), [0, 1]);
}

#[test]
fn a_log_that_closes_on_a_disk_that_hangs_says_so_and_ends_when_it_answers() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Faulty::default());
    let hanging = disk.hang.lock().unwrap();
    let (log, health) = open(&disk, dir.path(), Patience { journal: 4, ..QUICK });
    log.append(entry(0, 0)).unwaited();
    let closing = std::thread::spawn(move || log.close().map(|()| log.health()));
    assert_hangs(&health.recv_timeout(LONG).unwrap());
    drop(hanging);
    assert_eq!(closing.join().unwrap(), Ok(Health::Writable));
    assert_eq!(numbers(dir.path()), [0]);
}
