//! What a log told others while its disk failed, and what must hold of what it left.

use super::faulty::Faulty;
use super::{AGENT, entry, open_on};
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::disk::{Disk, Places};
use crate::log::{Log, LogError, OpenError, Options};
use crate::merkle::{Frontier, Hash, leaf_hash};
use crate::tile::{self, Level, tiles_of};
use agenttrader_core::digest::Digest;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// Small, so that segments come and go; not so small that each record has its own.
fn options() -> Options {
    Options { segment_bytes: 3_000, ..Options::default() }
}

pub(super) fn open(disk: Arc<dyn Disk>, dir: &Path) -> Result<Log, OpenError> {
    open_on(disk, dir, options())
}

/// A folder of a test that makes thousands of small files and never waits for a disk: in memory, where there is such a place.
pub(super) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// What a run told others: these records stand for ever, and these checkpoints were seen.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Number and index.
    pub(super) acknowledged: Vec<(i64, u64)>,
    pub(super) seen: Vec<Checkpoint>,
    /// The log was closed and said that all was well: what stands then is exact before anybody opens it again.
    pub(super) closed_well: bool,
}

impl Told {
    pub(super) fn append(&mut self, log: &Log, number: i64, padding: usize) {
        if let Ok(receipt) = log.append(entry(number, padding)).durable() {
            self.acknowledged.push((number, receipt.index()));
        }
    }

    pub(super) fn see(&mut self, log: &Log, dir: &Path) {
        self.seen.extend(log.checkpoint().map(|signed| signed.checkpoint.clone()));
        self.look(dir);
    }

    /// The file that anybody may have read.
    pub(super) fn look(&mut self, dir: &Path) {
        if let Ok(bytes) = fs::read(Places::of(dir, AGENT).checkpoint()) {
            self.seen.push(SignedCheckpoint::parse(&bytes).unwrap().checkpoint);
        }
    }
}

/// 254 records, in a checkpoint: two more, and tiles are full for the first time.
pub(super) fn base(dir: &Path) {
    let log = open(Arc::new(Faulty::default()), dir).unwrap();
    for number in 0..254 {
        let ticket = log.append(entry(number, 0));
        if number % 60 == 0 { drop(ticket.durable().unwrap()) } else { ticket.unwaited() }
    }
    log.close().unwrap();
}

pub(super) fn copy(from: &Path, to: &Path) {
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
    let checkpoint = (size > 0).then(|| "checkpoint".to_owned());
    let wanted: BTreeSet<String> = tiles_of(size).map(|tile| tile.to_string()).chain(checkpoint).collect();
    assert_eq!(found, wanted, "{what}");
}

/// Opens what was left, and checks all of it. Tells the log's size.
pub(super) fn check(dir: &Path, mut told: Told, what: &str) -> u64 {
    told.look(dir);
    if told.closed_well {
        assert_exact(dir, told.seen.last().unwrap().size, what);
    }
    let log = open(Arc::new(Faulty::default()), dir).unwrap_or_else(|error| panic!("{what}: {error}"));
    let opened = log.opened().records;
    match log.checkpoint_now() {
        Err(LogError::Empty) if opened == 0 => {}
        made => told.seen.push(made.unwrap().checkpoint.clone()),
    }
    log.close().unwrap();
    assert_eq!(told.seen.last().map_or(0, |seen| seen.size), opened, "{what}");

    let places = Places::of(dir, AGENT);
    let mut entries: Vec<Vec<u8>> = Vec::new();
    for tile in tiles_of(opened).filter(|tile| tile.level == Level::Entries) {
        let bytes = fs::read(places.root.join(tile.to_string())).unwrap();
        entries.extend(tile::entries(&bytes, tile.width).unwrap().into_iter().map(<[u8]>::to_vec));
    }
    let mut large = BTreeSet::new();
    let numbers: Vec<String> = entries.iter().map(|entry| number(&places, entry, &mut large)).collect();
    for (number, index) in &told.acknowledged {
        let index = usize::try_from(*index).unwrap();
        assert_eq!(numbers.get(index), Some(&number.to_string()), "{what}: record {index}");
        let text = String::from_utf8_lossy(&entries[index]);
        assert!(text.contains(&format!("\"seq\":{index},")), "{what}: {text:.300}");
    }
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len(), "{what}: a record stands twice");

    let mut frontier = Frontier::default();
    let mut roots: Vec<Hash> = vec![frontier.root()];
    for entry in &entries {
        frontier.push(leaf_hash(entry));
        roots.push(frontier.root());
    }
    for seen in &told.seen {
        assert_eq!(roots.get(usize::try_from(seen.size).unwrap()), Some(&seen.root), "{what}: {seen}");
    }

    assert_exact(dir, opened, what);
    let (mut blobs, mut state) = (BTreeSet::new(), BTreeSet::new());
    files(&places.blobs, &mut blobs, &places.blobs);
    assert_eq!(blobs, large, "{what}: a payload lies there for each record that names one, and no other");
    files(&places.state, &mut state, &places.state);
    let others: Vec<&str> = state.iter().map(String::as_str).filter(|name| !name.starts_with("journal/")).collect();
    assert_eq!(others, if opened == 0 { ["lock"].as_slice() } else { &["head", "lock"] }, "{what}");
    opened
}

/// The number that a record tells in its payload, wherever that stands.
fn number(places: &Places, entry: &[u8], large: &mut BTreeSet<String>) -> String {
    let text = String::from_utf8_lossy(entry);
    let after = |text: &str, name: &str, end: char| {
        text.split_once(name).and_then(|(_, rest)| rest.split(end).next().map(str::to_owned))
    };
    match after(&text, "\"sha256\":\"", '"') {
        None => after(&text, "\"number\":", ',').unwrap(),
        Some(name) => {
            let payload = fs::read(places.blobs.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(Digest::of(&payload).to_string(), name);
            large.insert(name);
            after(&String::from_utf8(payload).unwrap(), "\"number\":", ',').unwrap()
        }
    }
}
