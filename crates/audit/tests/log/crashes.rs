//! What a crash leaves is repaired and told; what it does not leave is damage.

use crate::given::*;
use agenttrader_audit::read::log_dir;
use agenttrader_audit::{OpenError, Torn};
use agenttrader_core::digest::Digest;
use serde_json::json;
use std::fs;
use std::path::Path;

/// The journal of three records in batches of their own, and where its frames end. No checkpoint covers them.
fn uncovered(dir: &Path) -> (Vec<u8>, Vec<usize>) {
    let log = open(dir).unwrap();
    for second in [10, 30, 20] {
        append(&log, second..second + 1);
    }
    log.close().unwrap();
    forget_tree(dir);
    let whole = fs::read(segment(dir, 0)).unwrap();
    let ends = frames(&whole).iter().map(|(end, _)| *end).collect();
    (whole, ends)
}

/// Opens a log with that journal and nothing else; tells its records and what was torn, or that it is refused as damaged at a record.
fn opened(journal: &[u8]) -> Result<(u64, Option<Torn>, Vec<u8>), u64> {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(state(dir.path()).join("journal")).unwrap();
    fs::write(segment(dir.path(), 0), journal).unwrap();
    match open(dir.path()) {
        Ok(log) => {
            let found = log.opened().clone();
            drop(log);
            Ok((found.records, found.torn, fs::read(segment(dir.path(), 0)).unwrap()))
        }
        Err(OpenError::Corrupt { index, .. }) => {
            assert_eq!(fs::read(segment(dir.path(), 0)).unwrap(), journal, "the damage is evidence");
            assert_eq!(files(&log_dir(dir.path(), AGENT)).len(), 0);
            Err(index)
        }
        Err(error) => panic!("{error}"),
    }
}

/// A frame of any record.
fn frame(batch: u64, before: &[u8; 32], record: &[u8]) -> Vec<u8> {
    let checked = [batch.to_le_bytes().as_slice(), before, record].concat();
    let header = [u32::try_from(record.len()).unwrap().to_le_bytes(), crc32fast::hash(&checked).to_le_bytes()];
    [header.concat(), checked].concat()
}

/// The chain after those records.
fn chain<'records>(records: impl IntoIterator<Item = &'records [u8]>) -> [u8; 32] {
    records.into_iter().fold([0; 32], |before, record| {
        let leaf = Digest::of(&[&[0], record].concat());
        *Digest::of(&[before.as_slice(), leaf.as_bytes()].concat()).as_bytes()
    })
}

#[test]
fn a_journal_cut_anywhere_opens_with_its_whole_records_and_tells_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, ends) = uncovered(dir.path());
    // Every place around a frame's end, and some within.
    let places = (0..=whole.len()).filter(|cut| cut % 61 == 0 || ends.iter().any(|end| cut.abs_diff(*end) <= 1));
    for cut in places {
        let (records, torn, left) = opened(&whole[..cut]).unwrap();
        let kept = ends.iter().filter(|end| **end <= cut).count();
        let good = if kept == 0 { 0 } else { ends[kept - 1] };
        assert_eq!(records, kept as u64, "cut at {cut}");
        let expected = (good < cut).then(|| ((cut - good) as u64, Digest::of(&whole[good..cut])));
        assert_eq!(torn.map(|torn| (torn.bytes, torn.sha256)), expected, "cut at {cut}");
        assert_eq!(left, &whole[..good]);
    }
}

#[test]
fn noise_after_the_last_record_is_cut_and_told_however_it_looks() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, ends) = uncovered(dir.path());
    let mut half = whole.clone();
    half[ends[1] + 60] ^= 1;
    let noises: [&[u8]; 5] = [&[0; 1], &[0; 5_000], b"{\"a\":1}\n{\"a\":2}\n", &[0xff; 300], &half[ends[1]..]];
    for noise in noises {
        let (records, torn, left) = opened(&[&whole[..ends[1]], noise].concat()).unwrap();
        let torn = torn.unwrap();
        assert_eq!((records, torn.bytes, torn.sha256), (2, noise.len() as u64, Digest::of(noise)));
        assert_eq!(left, &whole[..ends[1]]);
    }
}

#[test]
fn a_bad_frame_before_a_good_one_of_a_later_batch_is_damage_wherever_its_bit_flipped() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, ends) = uncovered(dir.path());
    for (record, span) in [(0_u64, 0..ends[0]), (1, ends[0]..ends[1])] {
        for at in span.filter(|at| at % 7 == 0) {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            assert_eq!(opened(&flipped).unwrap_err(), record, "byte {at}");
        }
    }
    // A frame that is gone, twice there, or in another place was written whole: no crash moves it.
    let of = |record: usize| &whole[if record == 0 { 0 } else { ends[record - 1] }..ends[record]];
    assert_eq!(opened(&[of(0), of(2)].concat()).unwrap_err(), 1);
    assert_eq!(opened(&[of(0), of(0), of(1), of(2)].concat()).unwrap_err(), 1);
    assert_eq!(opened(&[of(0), of(2), of(1)].concat()).unwrap_err(), 1);
    assert_eq!(opened(&[of(1), of(2)].concat()).unwrap_err(), 0);
}

#[test]
fn the_pages_of_a_batch_that_was_never_durable_may_reach_the_disk_in_any_order() {
    let dir = tempfile::tempdir().unwrap();
    let records: Vec<String> = {
        let log = open(dir.path()).unwrap();
        append(&log, 0..6);
        log.close().unwrap();
        frames(&fs::read(segment(dir.path(), 0)).unwrap()).into_iter().map(|(_, record)| record).collect()
    };
    // Two records that were durable, then a batch of four.
    let of = |index: usize| {
        let before = chain(records[..index].iter().map(String::as_bytes));
        frame(if index < 2 { index as u64 } else { 2 }, &before, records[index].as_bytes())
    };
    let durable = [of(0), of(1)].concat();
    for hole in 2..6 {
        let mut bytes = durable.clone();
        for index in 2..6 {
            let frame = of(index);
            if index == hole { bytes.extend(vec![0; frame.len()]) } else { bytes.extend(frame) }
        }
        let (found, torn, _) = opened(&bytes).unwrap();
        assert_eq!(found, hole as u64, "nothing of the batch counts from the hole on");
        assert!(torn.is_some());
    }
    // The same hole with a batch after it: that one was written when this one was durable.
    let before = chain(records[..5].iter().map(String::as_bytes));
    let later = frame(5, &before, records[5].as_bytes());
    let hole = [durable, vec![0; 300], of(3), of(4), later].concat();
    assert_eq!(opened(&hole).unwrap_err(), 2);
}

#[test]
fn a_frame_that_was_written_whole_and_holds_no_record_of_this_log_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, ends) = uncovered(dir.path());
    let text = frames(&whole)[1].1.clone();
    let first = frames(&whole)[0].1.clone();
    let before = chain([first.as_bytes()]);
    let other = text.replace("gamma-strategy", "whale-strategy");
    let spaced = text.replacen(':', ": ", 1);
    let short = text.replacen(r#","trace_id":null"#, "", 1);
    let moved = text.replacen("\"seq\":1", "\"seq\":2", 1);
    for bad in ["{}", "nonsense", &first, &other, &spaced, &short, &moved] {
        let bytes = [&whole[..ends[0]], &frame(1, &before, bad.as_bytes())].concat();
        assert_eq!(opened(&bytes).unwrap_err(), 1, "{bad:.60}");
    }
    let good = [&whole[..ends[0]], &frame(1, &before, text.as_bytes())].concat();
    assert_eq!(opened(&good).unwrap().0, 2);
    let of_no_batch = [&whole[..ends[0]], &frame(2, &before, text.as_bytes())].concat();
    assert_eq!(opened(&of_no_batch).unwrap_err(), 1);
}

#[test]
fn a_journal_that_does_not_hold_what_the_head_covers_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    three(dir.path());
    let whole = fs::read(segment(dir.path(), 0)).unwrap();
    let ends: Vec<usize> = frames(&whole).iter().map(|(end, _)| *end).collect();
    for cut in [0, 100, ends[0], ends[1], ends[2] - 1] {
        fs::write(segment(dir.path(), 0), &whole[..cut]).unwrap();
        let error = open(dir.path()).unwrap_err();
        assert!(error.to_string().contains("AUDIT_CORRUPT"), "{error}");
    }
    // Other records under the same numbers, as good as any in themselves.
    let elsewhere = tempfile::tempdir().unwrap();
    let log = open(elsewhere.path()).unwrap();
    append(&log, 50..53);
    log.close().unwrap();
    fs::copy(segment(elsewhere.path(), 0), segment(dir.path(), 0)).unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::Corrupt { index: 3, .. })));
    fs::remove_file(segment(dir.path(), 0)).unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::Disagrees { .. })));
    fs::write(segment(dir.path(), 0), &whole).unwrap();
    open(dir.path()).unwrap();
}

#[test]
fn what_was_torn_behind_a_checkpoint_is_cut_and_the_log_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    three(dir.path());
    let whole = fs::read(segment(dir.path(), 0)).unwrap();
    fs::write(segment(dir.path(), 0), [whole.as_slice(), &whole[..70]].concat()).unwrap();
    let log = open(dir.path()).unwrap();
    assert_eq!(log.opened().torn.as_ref().map(|torn| torn.bytes), Some(70));
    assert_eq!(log.opened().records, 3);
    append(&log, 3..4);
    log.close().unwrap();
    assert_eq!(all(dir.path()).len(), 4);
}

#[test]
fn a_data_directory_of_an_earlier_version_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(state(dir.path())).unwrap();
    fs::write(state(dir.path()).join("journal.ndjson"), "{}\n").unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(matches!(&error, OpenError::Old { path } if path.ends_with("journal.ndjson")), "{error}");
    assert_eq!(files(dir.path()).into_keys().collect::<Vec<_>>(), ["audit-state/gamma-strategy/journal.ndjson"]);
}

#[test]
fn large_payloads_that_a_crash_left_staged_are_placed_if_a_record_names_them_and_removed_if_not() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    let receipt = log.append(entry(1, json!({"text": "y".repeat(100_000)}))).durable().unwrap();
    drop(log);
    forget_tree(dir.path());
    let name = receipt.payload_digest().to_string();
    let (blob, staged) = (dir.path().join("audit-blobs").join(&name), state(dir.path()).join("pending").join(&name));
    let bytes = fs::read(&blob).unwrap();
    fs::rename(&blob, &staged).unwrap();
    let unnamed = staged.with_file_name(Digest::of(b"[]").to_string());
    fs::write(&unnamed, b"[]").unwrap();
    fs::write(staged.with_file_name("half"), b"x").unwrap();
    open(dir.path()).unwrap();
    assert_eq!(fs::read(&blob).unwrap(), bytes);
    assert_eq!(files(&state(dir.path()).join("pending")).len(), 0);
    assert_eq!(files(&dir.path().join("audit-blobs")).len(), 1);
    // Staged again and cut short: the payload that lies there is not lost to it.
    forget_tree(dir.path());
    fs::write(&staged, &bytes[..10]).unwrap();
    open(dir.path()).unwrap();
    assert_eq!(fs::read(&blob).unwrap(), bytes);
    assert!(!staged.exists());
}

/// A log of that many records as a kill leaves it that comes before the first head: the journal, and tiles.
fn before_the_first_head(dir: &Path, seconds: std::ops::Range<i64>) {
    let log = open(dir).unwrap();
    append(&log, seconds);
    log.close().unwrap();
    fs::remove_file(state(dir).join("head")).unwrap();
    fs::remove_file(log_dir(dir, AGENT).join("checkpoint")).unwrap();
}

#[test]
fn tiles_that_no_head_covers_must_be_what_the_journal_makes_of_them() {
    let refused = |dir: &Path, path: &Path| {
        let before = files(dir);
        let error = open(dir).unwrap_err();
        assert!(matches!(&error, OpenError::Disagrees { path: named, .. } if named == path), "{error}");
        assert!(error.to_string().contains("AUDIT_CORRUPT") && error.to_string().contains("keep the files"), "{error}");
        assert_eq!(files(dir), before, "what stands there is evidence");
    };
    let dir = tempfile::tempdir().unwrap();
    before_the_first_head(dir.path(), 0..300);
    let root = log_dir(dir.path(), AGENT);
    for path in ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"] {
        let bytes = fs::read(root.join(path)).unwrap();
        let mut other = bytes.clone();
        *other.last_mut().unwrap() ^= 1;
        fs::write(root.join(path), other).unwrap();
        refused(dir.path(), &root.join(path));
        fs::write(root.join(path), bytes).unwrap();
    }
    // Another history in the journal, whole in itself.
    let elsewhere = tempfile::tempdir().unwrap();
    before_the_first_head(elsewhere.path(), 1_000..1_300);
    let journal = fs::read(segment(dir.path(), 0)).unwrap();
    fs::copy(segment(elsewhere.path(), 0), segment(dir.path(), 0)).unwrap();
    refused(dir.path(), &root.join("tile/0/000"));
    fs::write(segment(dir.path(), 0), journal).unwrap();
    // As the kill left it, and with less of it in place.
    fs::remove_file(root.join("tile/1/000.p/1")).unwrap();
    let log = open(dir.path()).unwrap();
    assert_eq!(log.checkpoint_now().unwrap().checkpoint.size, 300);
    log.close().unwrap();
    assert_eq!(all(dir.path()).len(), 300);
}

#[test]
fn tiles_ahead_of_the_head_must_be_what_the_journal_makes_of_them() {
    let dir = tempfile::tempdir().unwrap();
    three(dir.path());
    let kept: Vec<_> = [state(dir.path()).join("head"), log_dir(dir.path(), AGENT).join("checkpoint")]
        .into_iter()
        .map(|path| (fs::read(&path).unwrap(), path))
        .collect();
    let older = files(&log_dir(dir.path(), AGENT));
    let log = open(dir.path()).unwrap();
    append(&log, 3..10);
    log.close().unwrap();
    // Killed after the tiles of ten, before the head that covers them.
    kept.iter().for_each(|(bytes, path)| fs::write(path, bytes).unwrap());
    older.iter().for_each(|(path, bytes)| fs::write(log_dir(dir.path(), AGENT).join(path), bytes).unwrap());
    let ahead = log_dir(dir.path(), AGENT).join("tile/0/000.p/10");
    let bytes = fs::read(&ahead).unwrap();
    let mut other = bytes.clone();
    other[9 * 32] ^= 1;
    fs::write(&ahead, other).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(matches!(&error, OpenError::Disagrees { path, .. } if *path == ahead), "{error}");
    fs::write(&ahead, bytes).unwrap();
    open(dir.path()).unwrap();
}
