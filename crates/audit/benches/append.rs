//! Durable records per second, beside the bare limit: the very bytes that the log wrote, batch by batch, through `write` and `fdatasync` on
//! the same disk in the same run. And beside SQLite, the usual way to keep such a table: one transaction a batch, each row with the hash of
//! the row before it.
//!
//! `cargo bench -p agenttrader-audit --bench append`; the disk is that of the target directory. A record counts as durable when its caller has
//! the receipt in hand. The log's time holds what the bare loop has not to do: threads build entries, encode, number and hash them, and are
//! woken. They do so while the writer waits for the disk, so the ratio says how much of it the disk does not hide. Where `fdatasync` is fast or
//! the cores are busy, that is most of it: what a record costs of a core, and what building it alone does, stand beside. The tree begins up to
//! 0.7 seconds after a record, which is after most rounds' end: how many records a second become durable and covered by a checkpoint has a
//! column of its own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and may stop"
)]

use agenttrader_audit::log::{self, Log, Options, Ticket};
use agenttrader_audit::note::NoteSigner;
use agenttrader_audit::{Entry, IntentType, Outcome};
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build};
use agenttrader_core::time::UnixNanos;
use ed25519_dalek::SigningKey;
use serde_json::json;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use uuid::Uuid;

const REPO: &str = "agent-trader-v2";
const AGENT: &str = "execution";

/// Each figure is the median of this many rounds, in which log, limit and SQLite take turns: a neighbour on the disk makes one `fdatasync`
/// take ten times as long as the next.
const ROUNDS: usize = 15;

/// Records of one round of batches.
const RECORDS: u64 = 16_000;

/// Single records of one round.
const SINGLES: u64 = 40;

/// Bytes before the record in a frame of the journal; its length is the first four, its batch the second eight.
const FRAME_HEADER: usize = 48;

/// SQLite through Python: rows a second in these batches, then the median seconds of one row in a transaction of its own.
const SQLITE: &str = r#"
import hashlib, os, sqlite3, statistics, struct, sys, time
journal, path, singles = open(sys.argv[1], "rb").read(), sys.argv[2], int(sys.argv[3])
batches, at, last = [], 0, None
while at < len(journal):
    length, _, batch = struct.unpack_from("<IIQ", journal, at)
    if batch != last:
        batches.append([])
        last = batch
    batches[-1].append(journal[at + 48:at + 48 + length])
    at += 48 + length
db = sqlite3.connect(path, isolation_level=None)
assert db.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",)
db.execute("PRAGMA synchronous=FULL")
db.execute("CREATE TABLE log (seq INTEGER PRIMARY KEY, record BLOB NOT NULL, hash BLOB NOT NULL)")
chain, seq = bytes(32), 0
def add(rows):
    global chain, seq
    db.execute("BEGIN IMMEDIATE")
    out = []
    for row in rows:
        chain = hashlib.sha256(chain + row).digest()
        out.append((seq, row, chain))
        seq += 1
    db.executemany("INSERT INTO log VALUES (?,?,?)", out)
    db.execute("COMMIT")
start = time.perf_counter()
for rows in batches:
    add(rows)
batched = time.perf_counter() - start
row, times = batches[0][0], []
for _ in range(singles):
    start = time.perf_counter()
    add([row])
    times.append(time.perf_counter() - start)
print((seq - singles) / batched, statistics.median(times), sqlite3.sqlite_version)
"#;

/// A decision, as the gate gives it.
fn entry(number: u64) -> Entry {
    let payload = json!({
        "decision": "rejected",
        "decision_id": Uuid::from_u128(u128::from(number) + (7 << 90)),
        "proposal_id": Uuid::from_u128(u128::from(number) + (9 << 90)),
        "reason_codes": ["KILL_SWITCH", "MARKETDATA_STALE"],
        "limits": { "max_order_notional_usd": "10000", "quote_age_ms": 2_000 },
        "symbol": "SPY",
        "quote_age_ms": 2_100 + number % 100,
    });
    let at = UnixNanos::from_nanos(1_767_623_400_000_000_000 + i64::try_from(number).unwrap() * 1_003);
    Entry::new(at, IntentType::ExecutionDecision, Outcome::Refused, "SPY: refused, two reasons", payload)
        .correlated(Uuid::from_u128(u128::from(number) + (9 << 90)))
}

fn open(data_dir: &Path) -> Log {
    let identity =
        AgentIdentity { agent_name: AGENT.into(), agent_role: AgentRole::Execution, agent_mode: AgentMode::Observe };
    let build = Build { git_sha: "0123456789abcdef0123456789abcdef01234567".into(), build_id: "unknown".into() };
    let key = NoteSigner::log(&log::origin(REPO, AGENT), SigningKey::from_bytes(&[7; 32]));
    // One segment: the journal must be there to be read afterwards.
    let options = Options { segment_bytes: u64::MAX, ..Options::default() };
    Log::open_with(data_dir, identity, REPO, build, key, options).unwrap()
}

/// Appends with `threads` callers, each of which keeps between half and all of `outstanding` records under way; gives the time until the last
/// was durable. A caller waits for the last of its older half first, so that it is woken once for all of them.
fn append(log: &Log, threads: u64, outstanding: usize) -> Duration {
    let each = RECORDS / threads;
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                let mut under_way: VecDeque<Ticket> = VecDeque::with_capacity(outstanding);
                for number in 0..each {
                    if under_way.len() == outstanding {
                        for ticket in under_way.drain(..outstanding / 2).rev() {
                            ticket.durable().unwrap();
                        }
                    }
                    under_way.push_back(log.append(entry(thread * each + number)));
                }
                for ticket in under_way.into_iter().rev() {
                    ticket.durable().unwrap();
                }
            });
        }
    });
    start.elapsed()
}

/// Seconds of a core that this process took so far, all threads together, those that ended too: to a hundredth.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // After the name, which may hold anything: user time is the twelfth field and system time the next, in hundredths.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// The journal's one segment, and how many bytes each of its batches has.
fn journal(data_dir: &Path) -> (PathBuf, Vec<u8>, Vec<usize>) {
    let dir = data_dir.join("audit-state").join(AGENT).join("journal");
    let files: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).collect();
    let [file] = files.as_slice() else { panic!("one segment, not {files:?}") };
    let bytes = std::fs::read(file).unwrap();
    let (mut batches, mut last, mut at) = (Vec::new(), None, 0);
    while at < bytes.len() {
        let length = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let batch = u64::from_le_bytes(bytes[at + 8..at + 16].try_into().unwrap());
        if last != Some(batch) {
            batches.push(0);
            last = Some(batch);
        }
        let frame = FRAME_HEADER + usize::try_from(length).unwrap();
        *batches.last_mut().unwrap() += frame;
        at += frame;
    }
    (file.clone(), bytes, batches)
}

/// The bare limit: these bytes in these batches.
fn bare(path: &Path, bytes: &[u8], batches: &[usize]) -> Duration {
    let mut file = OpenOptions::new().append(true).create_new(true).open(path).unwrap();
    File::open(path.parent().unwrap()).unwrap().sync_all().unwrap();
    let mut rest = bytes;
    let start = Instant::now();
    for batch in batches {
        let (now, later) = rest.split_at(*batch);
        file.write_all(now).unwrap();
        file.sync_data().unwrap();
        rest = later;
    }
    start.elapsed()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Seconds of each of some calls, their median.
fn each(calls: u64, mut call: impl FnMut(u64)) -> f64 {
    let seconds = |number| {
        let start = Instant::now();
        call(number);
        start.elapsed().as_secs_f64()
    };
    median((0..calls).map(seconds).collect())
}

/// Rows a second, seconds a single row, SQLite's version.
fn sqlite(python: &str, journal: &Path, path: &Path) -> (f64, f64, String) {
    let mut child = Command::new(python)
        .arg("-")
        .arg(journal)
        .arg(path)
        .arg(SINGLES.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(SQLITE.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    let text = String::from_utf8(out.stdout).unwrap();
    let mut figures = text.split_whitespace();
    let mut next = || figures.next().unwrap();
    (next().parse().unwrap(), next().parse().unwrap(), next().to_owned())
}

fn has_sqlite(python: &str) -> bool {
    Command::new(python)
        .args(["-c", "import sqlite3"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn main() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    println!("the disk under {}", place.display());
    let cores = std::thread::available_parallelism().unwrap();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{cores} cores; threads that wanted one in the last minutes, and now: {}", load.trim());
    let building = each(15, |_| (0..RECORDS).for_each(|number| drop(black_box(entry(number))))) / RECORDS as f64;
    let python = Some("python3").filter(|python| has_sqlite(python));
    println!(
        "{:<40}{:>11}{:>12}{:>7}{:>8}{:>7}{:>11}{:>11}{:>11}{:>7}",
        "audit log, durable",
        "per second",
        "bare limit",
        "ratio",
        "batch",
        "bytes",
        "µs of core",
        "covered",
        "SQLite",
        "ratio"
    );
    let (mut single, mut bare_single, mut sqlite_single) = (Vec::new(), Vec::new(), Vec::new());
    let mut version = None;
    for (threads, outstanding) in [(4, 16), (8, 64), (8, 256)] {
        let (mut ours, mut limits, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let (mut means, mut sizes, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        let (mut covered, mut core) = (Vec::new(), 0.0);
        for _ in 0..ROUNDS {
            let dir = tempfile::tempdir_in(place).unwrap();
            let log = open(dir.path());
            let (start, before) = (Instant::now(), cpu());
            let took = append(&log, threads, outstanding).as_secs_f64();
            core += cpu() - before;
            assert_eq!(log.checkpoint_now().unwrap().checkpoint.size, RECORDS);
            covered.push(RECORDS as f64 / start.elapsed().as_secs_f64());
            log.close().unwrap();
            let (file, bytes, batches) = journal(dir.path());
            let limit = bare(&dir.path().join("bare"), &bytes, &batches).as_secs_f64();
            ours.push(RECORDS as f64 / took);
            limits.push(RECORDS as f64 / limit);
            ratios.push(limit / took);
            means.push(RECORDS as f64 / batches.len() as f64);
            sizes.push(bytes.len() as f64 / RECORDS as f64);
            single.push(each(SINGLES, {
                let log = open(&dir.path().join("single"));
                move |number| drop(log.append(entry(number)).durable().unwrap())
            }));
            let mut file_of_one = File::create_new(dir.path().join("bare-single")).unwrap();
            let one = &bytes[..bytes.len() / RECORDS as usize];
            bare_single.push(each(SINGLES, |_| {
                file_of_one.write_all(one).unwrap();
                file_of_one.sync_data().unwrap();
            }));
            if let Some(python) = python {
                let (rows, one, which) = sqlite(python, &file, &dir.path().join("rows.db"));
                theirs.push(rows);
                sqlite_single.push(one);
                version = Some(which);
            }
        }
        let name = format!("{threads} callers, up to {outstanding} records each");
        let core = core * 1e6 / (RECORDS as f64 * ROUNDS as f64);
        let (ours, limit) = (median(ours), median(limits));
        let (ratio, mean, size) = (median(ratios), median(means), median(sizes));
        let covered = median(covered);
        print!("{name:<40}{ours:>11.0}{limit:>12.0}{ratio:>7.2}{mean:>8.0}{size:>7.0}{core:>11.1}{covered:>11.0}");
        match theirs.is_empty() {
            true => println!("{:>11}{:>7}", "absent", ""),
            false => {
                let theirs = median(theirs);
                println!("{theirs:>11.0}{:>7.2}", ours / theirs);
            }
        }
    }
    let (ours, limit) = (median(single), median(bare_single));
    print!(
        "{:<40}{:>11.0}{:>12.0}{:>7.2}{:>8}{:>7}{:>11}{:>11}",
        "one caller, one record",
        1.0 / ours,
        1.0 / limit,
        limit / ours,
        1,
        "",
        "",
        ""
    );
    match sqlite_single.is_empty() {
        true => println!("{:>11}{:>7}", "absent", ""),
        false => {
            let theirs = median(sqlite_single);
            println!("{:>11.0}{:>7.2}", 1.0 / theirs, theirs / ours);
        }
    }
    println!("one record: {:.0} µs, the bare limit {:.0} µs", ours * 1e6, limit * 1e6);
    println!(
        "µs of core: all threads' until the last receipt, callers and fdatasync with them; {:.2} of them build the entry, before the log has it",
        building * 1e6
    );
    match version {
        Some(version) => println!(
            "SQLite {version} through Python's sqlite3, WAL, synchronous=FULL, the same records in the same batches; Python's share is in it"
        ),
        None => println!("SQLite was not measured: no python3 with sqlite3 on PATH (get it: apt-get install python3)"),
    }
}
