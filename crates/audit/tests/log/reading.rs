//! Reading back: out of bundles and journal as if they were one, beside a log that is being written.

use crate::given::*;
use agenttrader_audit::Options;
use agenttrader_audit::read::{Position, ReadError, exists, is_held, log_dir, records, records_from};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

fn seqs(dir: &Path, position: Position) -> Vec<u64> {
    records_from(dir, AGENT, position).unwrap().map(|record| record.unwrap().seq).collect()
}

#[test]
fn records_are_read_from_any_index_on_over_bundles_and_journal() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!exists(dir.path(), AGENT));
    assert!(matches!(records(dir.path(), AGENT), Err(ReadError::Io { .. })));
    let log = open_with(dir.path(), Options { segment_bytes: 20_000, ..Options::default() });
    assert!(seqs(dir.path(), Position::default()).is_empty());
    append(&log, 0..600);
    log.checkpoint_now().unwrap();
    for batch in 0..5 {
        append(&log, batch * 40..batch * 40 + 40);
    }
    // With and without the tree having taken in the rest.
    for covered in [false, true] {
        for from in [0, 1, 255, 256, 300, 599, 600, 601, 700, 799, 800] {
            assert_eq!(seqs(dir.path(), Position::at(from)), (from..800).collect::<Vec<_>>(), "{covered}, {from}");
        }
        if !covered {
            log.close().unwrap();
        }
    }
    assert!(matches!(
        records_from(dir.path(), AGENT, Position::at(900)).unwrap().next(),
        Some(Err(ReadError::Bad { .. }))
    ));
}

#[test]
fn a_reader_goes_on_where_it_stood_and_stops_before_a_frame_being_written() {
    let dir = tempfile::tempdir().unwrap();
    three(dir.path());
    forget_tree(dir.path());
    let path = segment(dir.path(), 0);
    let mut first = records(dir.path(), AGENT).unwrap();
    first.next().unwrap().unwrap();
    let stood = first.position();
    assert_eq!(stood.index(), 1);
    assert_eq!(seqs(dir.path(), stood), [1, 2]);
    let whole = fs::read(&path).unwrap();
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(&whole[..90]).unwrap();
    let mut live = records(dir.path(), AGENT).unwrap();
    assert_eq!(live.by_ref().filter(|record| record.is_ok()).count(), 3);
    assert_eq!(live.unfinished(), 90);
    fs::write(&path, b"").unwrap();
    assert!(matches!(records_from(dir.path(), AGENT, stood).unwrap().next(), Some(Err(ReadError::Bad { .. }))));
}

#[test]
fn a_bad_frame_with_good_ones_after_it_and_a_bad_bundle_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    (0..3).for_each(|second| append(&log, second..second + 1));
    log.close().unwrap();
    let bundle = log_dir(dir.path(), AGENT).join("tile/entries/000.p/3");
    let entries = fs::read(&bundle).unwrap();
    fs::write(&bundle, &entries[..entries.len() - 1]).unwrap();
    let told = records(dir.path(), AGENT).unwrap().next();
    assert!(matches!(told, Some(Err(ReadError::Bad { path, index: 0, .. })) if path == bundle));
    forget_tree(dir.path());
    let path = segment(dir.path(), 0);
    let mut bytes = fs::read(&path).unwrap();
    let end = frames(&bytes)[0].0;
    bytes[end + 60] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let found: Vec<_> = records(dir.path(), AGENT).unwrap().collect();
    assert_eq!(found.len(), 2);
    assert!(matches!(&found[1], Err(ReadError::Bad { index: 1, .. })), "{:?}", found[1]);
}

#[test]
fn a_live_log_is_followed_without_a_gap_while_segments_come_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let log = open_with(dir.path(), Options { segment_bytes: 5_000, ..Options::default() });
    append(&log, 0..1);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let follower = scope.spawn(|| {
            let (mut position, mut seen) = (Position::default(), Vec::new());
            loop {
                let last = done.load(Ordering::Acquire);
                let mut more = records_from(dir.path(), AGENT, position).unwrap();
                seen.extend(more.by_ref().map(|record| record.unwrap().seq));
                position = more.position();
                if last {
                    return seen;
                }
            }
        });
        for batch in 0..60 {
            append(&log, batch * 10..batch * 10 + 10);
            if batch % 3 == 0 {
                log.checkpoint_now().unwrap();
            }
        }
        done.store(true, Ordering::Release);
        assert_eq!(follower.join().unwrap(), (0..601).collect::<Vec<_>>());
    });
}

#[test]
fn whether_a_log_is_held_can_be_seen_and_looking_never_keeps_it_from_being_opened() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!is_held(dir.path(), AGENT).unwrap());
    let log = open(dir.path()).unwrap();
    assert!(is_held(dir.path(), AGENT).unwrap());
    drop(log);
    assert!(!is_held(dir.path(), AGENT).unwrap());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                is_held(dir.path(), AGENT).unwrap();
                std::thread::yield_now();
            }
        });
        let opened: Vec<_> = (0..20).map(|_| open(dir.path()).map(drop)).collect();
        done.store(true, Ordering::Release);
        assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    });
}
