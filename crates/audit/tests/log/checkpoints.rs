//! What stands under a log's root: exactly what its size implies, signed, and never against an earlier checkpoint.

use crate::given::*;
use agenttrader_audit::checkpoint::SignedCheckpoint;
use agenttrader_audit::log::origin;
use agenttrader_audit::merkle::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
use agenttrader_audit::note::NoteSigner;
use agenttrader_audit::read::log_dir;
use agenttrader_audit::tile::{self, Level, Tile, tiles_of};
use agenttrader_audit::{Log, LogError, OpenError, Options};
use agenttrader_core::identity::REPO_ID;
use serde_json::json;
use std::fs;
use std::path::Path;

/// The root over leaf hashes, after RFC 6962's own definition.
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&root(left), &root(right))
        }
    }
}

/// The checkpoint in a log's folder, verified.
fn checkpoint(dir: &Path) -> SignedCheckpoint {
    let signed = SignedCheckpoint::parse(&fs::read(log_dir(dir, AGENT).join("checkpoint")).unwrap()).unwrap();
    signed.verify(&key(AGENT).verifier()).unwrap();
    assert_eq!(signed.note().signatures().len(), 1, "the log's own line alone");
    signed
}

/// Computes everything of a log that ended from its entries alone, and finds nothing else there. Gives the entries.
fn whole(dir: &Path) -> Vec<Vec<u8>> {
    let signed = checkpoint(dir);
    let size = signed.checkpoint.size;
    let found = files(&log_dir(dir, AGENT));
    let mut wanted: Vec<String> = tiles_of(size).map(|tile| tile.to_string()).chain(["checkpoint".into()]).collect();
    wanted.sort();
    assert_eq!(found.keys().cloned().collect::<Vec<_>>(), wanted);
    let mut entries: Vec<Vec<u8>> = Vec::new();
    for tile in tiles_of(size).filter(|tile| tile.level == Level::Entries) {
        entries.extend(tile::entries(&found[&tile.to_string()], tile.width).unwrap().into_iter().map(<[u8]>::to_vec));
    }
    assert_eq!(entries.len() as u64, size);
    let mut row: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    assert_eq!(signed.checkpoint.root, root(&row));
    for level in 0..tile::TILE_LEVELS {
        for tile in tiles_of(size).filter(|tile| tile.level == Level::Hashes(level)) {
            let from = tile.index as usize * 256;
            let expected = &row[from..from + usize::from(tile.width)];
            assert_eq!(tile::hashes(&found[&tile.to_string()], tile.width).unwrap(), expected, "{tile}");
        }
        row = row.chunks_exact(256).map(root).collect();
    }
    assert_eq!(no_folder_is_empty(&log_dir(dir, AGENT)), Vec::<String>::new());
    entries
}

fn no_folder_is_empty(folder: &Path) -> Vec<String> {
    let listed: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut empty: Vec<String> = if listed.is_empty() { vec![folder.display().to_string()] } else { Vec::new() };
    listed.iter().filter(|path| path.is_dir()).for_each(|path| empty.extend(no_folder_is_empty(path)));
    empty
}

#[test]
fn ten_thousand_records_over_many_segments_stand_in_their_tiles_and_every_file_follows_from_them() {
    let dir = tempfile::tempdir().unwrap();
    for run in 0..4 {
        let log = open_with(dir.path(), Options { segment_bytes: 200_000, ..Options::default() });
        assert_eq!(log.opened().records, 2_500 * run);
        for batch in 0..25 {
            append(&log, batch * 100..batch * 100 + 100);
        }
        log.close().unwrap();
    }
    let entries = whole(dir.path());
    assert_eq!(entries.len(), 10_000);
    let records = all(dir.path());
    assert_eq!(records.len(), 10_000);
    for (record, (entry, index)) in records.iter().zip(entries.iter().zip(0..)) {
        assert_eq!(record.seq, index);
        let stands: serde_json::Value = serde_json::from_slice(entry).unwrap();
        assert_eq!(serde_json::to_value(record).unwrap(), stands);
    }
    // Some five megabytes went through it; what is left is the last segment.
    let journal = files(&state(dir.path()).join("journal"));
    assert_eq!(journal.len(), 1, "{:?}", journal.keys());
    assert!(journal.values().all(|bytes| bytes.len() < 400_000));
}

#[test]
fn every_size_up_to_beyond_a_tile_leaves_exactly_its_files_and_extends_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    let mut leaves = Vec::new();
    for size in [1, 2, 3, 5, 254, 255, 256, 257, 258, 511, 512, 513] {
        append(&log, leaves.len() as i64..size);
        let signed = log.checkpoint_now().unwrap();
        assert_eq!(signed.checkpoint.size, size as u64);
        assert_eq!(*signed, checkpoint(dir.path()));
        assert_eq!(log.checkpoint().as_deref(), Some(&*signed));
        let now: Vec<Hash> = whole(dir.path()).iter().map(|entry| leaf_hash(entry)).collect();
        assert_eq!(leaves, now[..leaves.len()]);
        leaves = now;
    }
}

#[test]
fn a_checkpoint_comes_by_itself_and_one_that_covers_all_is_not_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    assert_eq!(log.checkpoint(), None);
    assert_eq!(log.checkpoint_now().unwrap_err(), LogError::Empty);
    append(&log, 0..3);
    let begun = std::time::Instant::now();
    while log.checkpoint().is_none_or(|signed| signed.checkpoint.size < 3) {
        assert!(begun.elapsed().as_secs() < 60, "no checkpoint comes");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let first = log.checkpoint_now().unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &log.checkpoint_now().unwrap()));
    log.close().unwrap();
    assert_eq!(log.checkpoint_now().unwrap_err(), LogError::Closed);
    assert_eq!(log.checkpoint(), Some(first));
}

#[test]
fn a_log_whose_files_disagree_is_refused_and_the_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    append(&log, 0..300);
    log.close().unwrap();
    let before = files(dir.path());
    let root = format!("audit/{AGENT}");
    let head = format!("audit-state/{AGENT}/head");
    let edge = ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44", "checkpoint"]
        .map(|name| format!("{root}/{name}"));
    for name in edge.iter().chain([&head]) {
        for damage in 0..3 {
            let path = dir.path().join(name);
            let mut bytes = before[name].clone();
            match damage {
                0 => bytes[20] ^= 1,
                1 => drop(bytes.pop()),
                _ if *name == head || name.ends_with("checkpoint") => bytes.extend(b"\n"),
                _ => {
                    fs::remove_file(&path).unwrap();
                    bytes.clear();
                }
            }
            if !bytes.is_empty() {
                fs::write(&path, &bytes).unwrap();
            }
            let error = open(dir.path()).unwrap_err();
            assert!(
                matches!(&error, OpenError::Disagrees { .. } | OpenError::Corrupt { index: 300, .. }),
                "{name}, {damage}: {error}"
            );
            // Of two files that contradict each other one is named.
            let told = error.to_string();
            assert!(told.contains(name.as_str()) || told.contains("head"), "{told}");
            fs::write(&path, &before[name]).unwrap();
        }
    }
    assert_eq!(files(dir.path()), before, "nothing was changed by looking");
    open(dir.path()).unwrap();
}

#[test]
fn a_checkpoint_or_head_of_other_records_is_refused_and_an_older_one_of_the_same_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    append(&log, 0..3);
    let old = log.checkpoint_now().unwrap().to_string();
    append(&log, 3..300);
    log.close().unwrap();
    let path = log_dir(dir.path(), AGENT).join("checkpoint");
    let new = fs::read_to_string(&path).unwrap();
    // As after a crash between head and checkpoint.
    fs::write(&path, &old).unwrap();
    let log = open(dir.path()).unwrap();
    assert_eq!(log.checkpoint().unwrap().to_string(), old);
    assert_eq!(log.checkpoint_now().unwrap().to_string(), new);
    drop(log);
    fs::remove_file(&path).unwrap();
    drop(open(dir.path()).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), new);

    let elsewhere = tempfile::tempdir().unwrap();
    let log = open(elsewhere.path()).unwrap();
    append(&log, 7..9);
    let other = log.checkpoint_now().unwrap().to_string();
    append(&log, 9..400);
    log.close().unwrap();
    let larger = log.checkpoint().unwrap().to_string();
    let foreign = NoteSigner::log(&origin(REPO_ID, AGENT), ed25519_dalek::SigningKey::from_bytes(&[8; 32]));
    let resigned = SignedCheckpoint::parse(new.as_bytes()).unwrap().checkpoint.signed(&foreign).to_string();
    for wrong in [other, larger, resigned] {
        fs::write(&path, wrong).unwrap();
        let error = open(dir.path()).unwrap_err();
        assert!(matches!(&error, OpenError::Disagrees { path: named, .. } if *named == path), "{error}");
    }
    fs::write(&path, &new).unwrap();
    let head = state(dir.path()).join("head");
    fs::remove_file(&head).unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::Disagrees { .. })), "a checkpoint without a head");
    fs::copy(state(elsewhere.path()).join("head"), &head).unwrap();
    assert!(open(dir.path()).is_err());
}

#[test]
fn older_partial_tiles_that_a_crash_left_are_removed_at_start_and_tiles_of_no_record_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    append(&log, 0..300);
    log.close().unwrap();
    let tiles = log_dir(dir.path(), AGENT).join("tile");
    for left in ["0/000.p/3", "0/001.p/7", "0/001.p/43", "entries/000.p/200", "entries/001.p/1"] {
        let path = tiles.join(left);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"older").unwrap();
    }
    fs::create_dir_all(tiles.join("1/000.p")).unwrap();
    fs::create_dir_all(tiles.join("2/000.p")).unwrap();
    fs::write(state(dir.path()).join("tile-00.new"), b"half").unwrap();
    let log = open(dir.path()).unwrap();
    log.checkpoint_now().unwrap();
    assert!(!tiles.join("2/000.p").exists());
    fs::remove_dir(tiles.join("2")).unwrap();
    assert_eq!(whole(dir.path()).len(), 300);
    assert!(!state(dir.path()).join("tile-00.new").exists());
    drop(log);
    for later in ["0/001.p/45", "0/001", "entries/002.p/1", "1/000.p/2", "2/000.p/1"] {
        let path = tiles.join(later);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"later").unwrap();
        let error = open(dir.path()).unwrap_err();
        assert!(matches!(&error, OpenError::Disagrees { path: named, .. } if *named == path), "{error}");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_key_of_another_name_or_kind_signs_no_log() {
    let dir = tempfile::tempdir().unwrap();
    let witness = NoteSigner::cosigner(&origin(REPO_ID, AGENT), ed25519_dalek::SigningKey::from_bytes(&[7; 32]));
    for wrong in [key("whale-strategy"), witness] {
        let error = Log::open(dir.path(), identity(AGENT), REPO_ID, build(), wrong).unwrap_err();
        assert!(matches!(error, OpenError::Key { .. }));
    }
    assert_eq!(files(dir.path()).len(), 0);
}

#[test]
fn records_of_all_lengths_stand_in_bundles() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    for length in [0, 1, 10_000, 58_000, 59_600, 70_000] {
        drop(log.append(entry(1, json!("x".repeat(length)))).durable().unwrap());
    }
    log.close().unwrap();
    assert!(whole(dir.path()).iter().all(|entry| entry.len() <= 60_000));
    let bundle = Tile { level: Level::Entries, index: 0, width: 6 };
    assert!(log_dir(dir.path(), AGENT).join(bundle.to_string()).is_file());
}
