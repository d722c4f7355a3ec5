//! Every call of an append, of its checkpoint and of a start fails in turn, each in both ways, with the process going on and with its end. What
//! a start finds then is consistent, holds every acknowledged record, and contradicts no checkpoint that anybody saw.

use super::faulty::{Faulty, OneCall, Way};
use super::told::{Told, base, check, copy, folder, open};
use super::{AGENT, entry, numbers};
use crate::disk::Places;
use crate::log::Log;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Appends over the edge of a tile, of a segment and of a record's length, with checkpoints between.
fn work(log: &Log, dir: &Path, told: &mut Told) {
    told.append(log, 254, 0);
    told.append(log, 255, 70_000);
    let _ = log.checkpoint_now();
    told.see(log, dir);
    told.append(log, 256, 3_000);
    told.append(log, 257, 0);
    let _ = log.checkpoint_now();
    told.see(log, dir);
    told.append(log, 258, 0);
    told.closed_well = log.close().is_ok();
    told.see(log, dir);
}

/// Fails each call of `run` in turn, in both ways, with and without a life after it.
fn each_call(from: &Path, run: impl Fn(&Arc<Faulty>, &Path, &mut Told) + Sync, least: usize) {
    let once = |one: Option<OneCall>| {
        let dir = folder();
        copy(from, dir.path());
        let (disk, mut told) = (Arc::new(Faulty::default()), Told::default());
        disk.arm(one);
        run(&disk, dir.path(), &mut told);
        let calls = disk.calls();
        check(dir.path(), told, &format!("{one:?}"));
        calls
    };
    let calls = once(None);
    assert!(calls.len() >= least, "{} calls", calls.len());
    std::thread::scope(|scope| {
        for (way, last) in [(Way::NotDone, false), (Way::Done, false), (Way::NotDone, true), (Way::Done, true)] {
            let (once, calls) = (&once, &calls);
            scope.spawn(move || {
                for (number, only_looks) in (0..).zip(calls) {
                    if way == Way::NotDone || !only_looks {
                        once(Some(OneCall { number, way, last }));
                    }
                }
            });
        }
    });
}

#[test]
fn each_call_of_appends_and_checkpoints_may_fail_either_way() {
    let dir = folder();
    base(dir.path());
    let run = |disk: &Arc<Faulty>, dir: &Path, told: &mut Told| {
        let one = disk.armed();
        disk.arm(None);
        let log = open(Arc::clone(disk) as _, dir).unwrap();
        log.checkpoint_now().unwrap();
        disk.arm(one);
        work(&log, dir, told);
        if one.is_none_or(|one| !one.last) {
            // One failure stops nothing but what it hit.
            assert!(told.acknowledged.len() >= 4, "{one:?}: {told:?}");
        }
    };
    each_call(dir.path(), run, 100);
}

#[test]
fn each_call_of_a_start_after_a_crash_may_fail_either_way() {
    let dir = folder();
    base(dir.path());
    // Killed when the batch was durable: no payload placed, nothing of the tree written, and a torn end.
    let disk = Arc::new(Faulty::default());
    let log = open(Arc::clone(&disk) as _, dir.path()).unwrap();
    log.checkpoint_now().unwrap();
    disk.add([super::faulty::Fault::Place; 1_000]);
    disk.put(Some(super::faulty::State::NoTree));
    log.append(entry(254, 0)).durable().unwrap();
    log.append(entry(255, 70_000)).durable().unwrap_err();
    log.close().unwrap_err();
    let places = Places::of(dir.path(), AGENT);
    let last = fs::read_dir(&places.journal).unwrap().map(|found| found.unwrap().path()).max().unwrap();
    let mut bytes = fs::read(&last).unwrap();
    bytes.extend_from_slice(&[0; 99]);
    fs::write(&last, bytes).unwrap();
    fs::write(places.pending.join("half"), b"x").unwrap();
    let run = |disk: &Arc<Faulty>, dir: &Path, told: &mut Told| {
        told.acknowledged.push((254, 254));
        if let Ok(log) = open(Arc::clone(disk) as _, dir) {
            told.append(&log, 256, 0);
            let _ = log.checkpoint_now();
            told.see(&log, dir);
            told.closed_well = log.close().is_ok();
            told.see(&log, dir);
        }
    };
    each_call(dir.path(), run, 100);
}

#[test]
fn the_numbers_stand_in_order_after_a_run_without_failures() {
    let dir = folder();
    base(dir.path());
    let log = open(Arc::new(Faulty::default()), dir.path()).unwrap();
    let mut told = Told::default();
    work(&log, dir.path(), &mut told);
    drop(log);
    assert_eq!(told.acknowledged.len(), 5);
    assert_eq!(numbers(dir.path()), (0..259).collect::<Vec<_>>());
    assert_eq!(check(dir.path(), told, "no failure"), 259);
}
