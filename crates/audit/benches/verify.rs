//! Entries verified per second, beside the bare limit: SHA-256 over the same bytes in the same run, on one core and on two. And beside SQLite,
//! the usual way to keep such a table: each row with the hash of the row before it, walked through once.
//!
//! `cargo bench -p agenttrader-audit --bench verify`. Neighbours on the machine slow two threads down more than one; what each entry costs in
//! time of a core does not depend on them, and stands in the last column. The log has 100,000 entries; it is verified whole each time, from a folder and from
//! memory: entries read as records, tiles, root, file set, signature, large payloads.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and may stop"
)]

#[path = "../tests/verify/built.rs"]
mod built;

use agenttrader_audit::merkle::leaf_hash;
use agenttrader_audit::source::Directory;
use agenttrader_audit::verify::{Against, Verdict, verify_log};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Instant;

const ENTRIES: u64 = 100_000;

/// Each figure is the best of this many rounds, in which all take turns.
const ROUNDS: usize = 10;

/// SQLite through Python: makes the table out of a file of entries with their lengths, then tells the best seconds of three walks.
const SQLITE: &str = r#"
import hashlib, sqlite3, struct, sys, time
data, at, last, rows = open(sys.argv[1], "rb").read(), 0, bytes(32), []
while at < len(data):
    length, = struct.unpack_from("<I", data, at)
    record = data[at + 4:at + 4 + length]
    last = hashlib.sha256(last + record).digest()
    rows.append((record, last))
    at += 4 + length
db = sqlite3.connect(sys.argv[2])
db.execute("CREATE TABLE log (seq INTEGER PRIMARY KEY, record BLOB NOT NULL, hash BLOB NOT NULL)")
db.executemany("INSERT INTO log (record, hash) VALUES (?, ?)", rows)
db.commit()
best = None
for _ in range(3):
    start, last = time.perf_counter(), bytes(32)
    for record, stored in db.execute("SELECT record, hash FROM log ORDER BY seq"):
        last = hashlib.sha256(last + record).digest()
        assert last == stored
    took = time.perf_counter() - start
    best = took if best is None else min(best, took)
print(best)
"#;

fn bare(entry: &[u8]) {
    black_box(Sha256::digest(black_box(entry)));
}

fn leaf(entry: &[u8]) {
    black_box(leaf_hash(black_box(entry)));
}

/// Time on the clock, and time of cores.
fn seconds(run: impl FnOnce()) -> (f64, f64) {
    let (start, cores) = (Instant::now(), core_seconds());
    run();
    (start.elapsed().as_secs_f64(), core_seconds() - cores)
}

/// What all threads of this process have had of the cores: `utime` and `stime` of `proc(5)`, in hundredths of a second.
fn core_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

fn write(root: &Path, files: &std::collections::BTreeMap<String, Vec<u8>>) {
    for (path, bytes) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn sqlite(folder: &Path, entries: &[Vec<u8>]) -> Option<f64> {
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend_from_slice(&u32::try_from(entry.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(entry);
    }
    let rows = folder.join("rows");
    fs::write(&rows, bytes).unwrap();
    let output = Command::new("python3").args(["-c", SQLITE]).arg(rows).arg(folder.join("log.db")).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn main() {
    let entries = built::entries(ENTRIES);
    let (files, blobs) = (built::files(&entries, &built::signer()), built::blobs(ENTRIES));
    let bytes: usize = entries.iter().map(Vec::len).sum();
    let folder = tempfile::tempdir().unwrap();
    let (log_dir, blobs_dir) = (folder.path().join("log"), folder.path().join("audit-blobs"));
    write(&log_dir, &files);
    write(&blobs_dir, &blobs);
    let (memory, memory_blobs) = (built::shared(&files), built::shared(&blobs));
    let (disk, disk_blobs) = (Directory::new(&log_dir), Directory::new(&blobs_dir));
    let keys = built::keys();
    let (mut best, mut cores) = ([f64::INFINITY; 5], [0.0; 5]);
    for _ in 0..ROUNDS {
        let took = [
            seconds(|| entries.iter().for_each(|entry| bare(entry))),
            seconds(|| {
                let (one, other) = entries.split_at(entries.len() / 2);
                thread::scope(|scope| {
                    for half in [one, other] {
                        scope.spawn(|| half.iter().for_each(|entry| bare(entry)));
                    }
                });
            }),
            seconds(|| entries.iter().for_each(|entry| leaf(entry))),
            seconds(|| {
                let against = Against { keys: &keys, blobs: Some(&disk_blobs), ..Against::nothing() };
                let report = verify_log(&disk, &against);
                assert_eq!((report.verdict(), report.counts.entries), (Verdict::Good, ENTRIES), "{report}");
            }),
            seconds(|| {
                let against = Against { keys: &keys, blobs: Some(&memory_blobs), ..Against::nothing() };
                let report = verify_log(&memory, &against);
                assert_eq!((report.verdict(), report.counts.entries), (Verdict::Good, ENTRIES), "{report}");
            }),
        ];
        for ((best, cores), (took, used)) in best.iter_mut().zip(&mut cores).zip(took) {
            *best = best.min(took);
            *cores += used;
        }
    }
    let [one, two, leaves, from_disk, from_memory] = best;
    println!("{ENTRIES} entries of {} bytes on average", bytes / entries.len());
    println!(
        "{:<36}{:>12}{:>10}{:>12}{:>12}{:>16}",
        "", "entries/s", "MB/s", "of 1 core", "of 2 cores", "core ns each"
    );
    let each = |at: usize| cores[at] / ROUNDS as f64 / ENTRIES as f64 * 1e9;
    let walked = sqlite(folder.path(), &entries);
    let rows = [
        ("bare SHA-256, one thread", Some(one), each(0)),
        ("bare SHA-256, two threads", Some(two), each(1)),
        ("leaf hashes, one thread", Some(leaves), each(2)),
        ("verify, from a folder, two threads", Some(from_disk), each(3)),
        ("verify, from memory, two threads", Some(from_memory), each(4)),
        ("SQLite with a hash chain (Python)", walked, walked.unwrap_or(f64::NAN) / ENTRIES as f64 * 1e9),
    ];
    for (name, took, each) in rows {
        match took {
            None => println!("{name:<36}{:>12}", "not here"),
            Some(took) => println!(
                "{name:<36}{:>12.0}{:>10.0}{:>12.2}{:>12.2}{each:>16.0}",
                ENTRIES as f64 / took,
                bytes as f64 / took / 1e6,
                one / took,
                two / took
            ),
        }
    }
}
