//! Every call of an append, of its checkpoint and of a start fails in turn, each in both ways, with the process going on and with its end. What
//! a start finds then is consistent, holds every acknowledged record, and contradicts no checkpoint that anybody saw.

use super::faulty::{Faulty, OneCall, Way};
use super::{AGENT, entry, numbers, open_on};
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::disk::Places;
use crate::log::{Log, Options};
use crate::merkle::{Frontier, Hash, leaf_hash};
use crate::tile::{self, Level, tiles_of};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Small, so that segments come and go; not so small that each record has its own.
fn options() -> Options {
    Options { segment_bytes: 3_000, ..Options::default() }
}

fn open(disk: &Arc<Faulty>, dir: &Path) -> Result<Log, crate::log::OpenError> {
    open_on(Arc::clone(disk) as _, dir, options())
}

/// What a run told others: these records stand for ever, and these checkpoints were seen.
#[derive(Debug, Default)]
struct Told {
    /// Number and index.
    acknowledged: Vec<(i64, u64)>,
    seen: Vec<Checkpoint>,
    /// The log was closed and said that all was well: what stands then is exact before anybody opens it again.
    closed_well: bool,
}

impl Told {
    fn append(&mut self, log: &Log, number: i64, padding: usize) {
        if let Ok(receipt) = log.append(entry(number, padding)).durable() {
            self.acknowledged.push((number, receipt.index()));
        }
    }

    fn see(&mut self, log: &Log, dir: &Path) {
        self.seen.extend(log.checkpoint().map(|signed| signed.checkpoint.clone()));
        self.look(dir);
    }

    /// The file that anybody may have read.
    fn look(&mut self, dir: &Path) {
        if let Ok(bytes) = fs::read(Places::of(dir, AGENT).checkpoint()) {
            self.seen.push(SignedCheckpoint::parse(&bytes).unwrap().checkpoint);
        }
    }
}

/// 254 records, in a checkpoint: two more, and tiles are full for the first time.
fn base(dir: &Path) {
    let log = open(&Arc::new(Faulty::default()), dir).unwrap();
    for number in 0..254 {
        let ticket = log.append(entry(number, 0));
        if number % 60 == 0 { drop(ticket.durable().unwrap()) } else { ticket.unwaited() }
    }
    log.close().unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for found in fs::read_dir(from).unwrap() {
        let found = found.unwrap();
        let place = to.join(found.file_name());
        if found.file_type().unwrap().is_dir() {
            copy(&found.path(), &place);
        } else {
            fs::copy(found.path(), place).unwrap();
        }
    }
}

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

fn files(folder: &Path, names: &mut BTreeSet<String>, base: &Path) {
    for found in fs::read_dir(folder).unwrap() {
        let path = found.unwrap().path();
        if path.is_dir() {
            files(&path, names, base);
        } else {
            names.insert(path.strip_prefix(base).unwrap().to_str().unwrap().to_owned());
        }
    }
}

/// Under the log's root stand exactly the files that its size implies.
fn assert_exact(dir: &Path, size: u64, what: &str) {
    let mut found = BTreeSet::new();
    files(&dir.join("audit"), &mut found, &Places::of(dir, AGENT).root);
    let wanted: BTreeSet<String> =
        tiles_of(size).map(|tile| tile.to_string()).chain(["checkpoint".to_owned()]).collect();
    assert_eq!(found, wanted, "{what}");
}

/// Opens what was left, and checks all of it. Tells the log's size.
fn check(dir: &Path, mut told: Told, what: &str) -> u64 {
    told.look(dir);
    if told.closed_well {
        assert_exact(dir, told.seen.last().unwrap().size, what);
    }
    let log = open(&Arc::new(Faulty::default()), dir).unwrap_or_else(|error| panic!("{what}: {error}"));
    let opened = log.opened().records;
    let checkpoint = log.checkpoint_now().unwrap().checkpoint.clone();
    log.close().unwrap();
    assert_eq!(checkpoint.size, opened, "{what}");

    let places = Places::of(dir, AGENT);
    let mut entries: Vec<Vec<u8>> = Vec::new();
    for tile in tiles_of(opened).filter(|tile| tile.level == Level::Entries) {
        let bytes = fs::read(places.root.join(tile.to_string())).unwrap();
        entries.extend(tile::entries(&bytes, tile.width).unwrap().into_iter().map(<[u8]>::to_vec));
    }
    for (number, index) in &told.acknowledged {
        let text = String::from_utf8_lossy(&entries[usize::try_from(*index).unwrap()]).into_owned();
        let large = text.contains("\"sha256\":");
        assert!(large || text.contains(&format!("\"number\":{number},")), "{what}: {text:.300}");
        assert!(text.contains(&format!("\"seq\":{index},")), "{what}: {text:.300}");
    }
    let number = |entry: &Vec<u8>| {
        let text = String::from_utf8_lossy(entry).into_owned();
        text.split_once("\"number\":").and_then(|(_, rest)| rest.split(',').next().map(str::to_owned))
    };
    let numbers: Vec<String> = entries.iter().filter_map(number).collect();
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len(), "{what}: a record stands twice");

    let mut frontier = Frontier::default();
    let mut roots: Vec<Hash> = vec![frontier.root()];
    for entry in &entries {
        frontier.push(leaf_hash(entry));
        roots.push(frontier.root());
    }
    told.seen.push(checkpoint);
    for seen in &told.seen {
        assert_eq!(roots.get(usize::try_from(seen.size).unwrap()), Some(&seen.root), "{what}: {seen}");
    }

    assert_exact(dir, opened, what);
    let (mut blobs, mut state) = (BTreeSet::new(), BTreeSet::new());
    files(&places.blobs, &mut blobs, &places.blobs);
    let large = entries.iter().filter(|entry| String::from_utf8_lossy(entry).contains("\"sha256\":")).count();
    assert_eq!(blobs.len(), large, "{what}: a payload lies there for each record that names one");
    files(&places.state, &mut state, &places.state);
    let others: Vec<&String> = state.iter().filter(|name| !name.starts_with("journal/")).collect();
    assert_eq!(others, ["head", "lock"], "{what}");
    opened
}

/// Fails each call of `run` in turn, in both ways, with and without a life after it.
fn each_call(from: &Path, run: impl Fn(&Arc<Faulty>, &Path, &mut Told) + Sync, least: usize) {
    let once = |one: Option<OneCall>| {
        let dir = tempfile::tempdir().unwrap();
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
    let dir = tempfile::tempdir().unwrap();
    base(dir.path());
    let run = |disk: &Arc<Faulty>, dir: &Path, told: &mut Told| {
        let one = disk.armed();
        disk.arm(None);
        let log = open(disk, dir).unwrap();
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
    let dir = tempfile::tempdir().unwrap();
    base(dir.path());
    // Killed when the batch was durable: no payload placed, nothing of the tree written, and a torn end.
    let disk = Arc::new(Faulty::default());
    let log = open(&disk, dir.path()).unwrap();
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
        if let Ok(log) = open(disk, dir) {
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
    let dir = tempfile::tempdir().unwrap();
    base(dir.path());
    let log = open(&Arc::new(Faulty::default()), dir.path()).unwrap();
    let mut told = Told::default();
    work(&log, dir.path(), &mut told);
    drop(log);
    assert_eq!(told.acknowledged.len(), 5);
    assert_eq!(numbers(dir.path()), (0..259).collect::<Vec<_>>());
    assert_eq!(check(dir.path(), told, "no failure"), 259);
}
