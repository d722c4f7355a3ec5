//! Whatever one hand changes in a log is found, and a log that nobody touched never raises an alarm.
//!
//! The ordinary run takes a small log and hundreds of mutations. The whole, over 100,000 entries, some minutes long:
//! `AGENTTRADER_MUTATIONS=10000 cargo test --release -p agenttrader-audit --test mutations`. `AGENTTRADER_SEED` repeats a run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "verify/built.rs"]
mod built;

use agenttrader_audit::checkpoint::Checkpoint;
use agenttrader_audit::note::NoteSigner;
use agenttrader_audit::source::InMemory;
use agenttrader_audit::tile::{self, Level, Tile};
use agenttrader_audit::verify::{Against, Held, KnownKeys, LogReport, Spot, Verdict, verify_log};
use ed25519_dalek::SigningKey;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::env;

const FEW: u64 = 600;
const FEW_ENTRIES: u64 = 1_500;
const MANY_ENTRIES: u64 = 100_000;

/// SplitMix64: the same seed, the same mutations.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }
}

type Files = BTreeMap<String, Vec<u8>>;

/// The log that nobody touched.
struct Log {
    entries: Vec<Vec<u8>>,
    files: Files,
    paths: Vec<String>,
    blobs: Files,
    keys: KnownKeys,
}

/// What somebody made of it.
struct Mutated<'log> {
    what: String,
    files: InMemory<'log>,
    blobs: InMemory<'log>,
    /// The first thing to be named, where that is one thing.
    first: Option<Spot>,
    /// Only a checkpoint that somebody else kept can tell.
    needs_witness: bool,
}

impl Log {
    fn of(count: u64) -> Self {
        let entries = built::entries(count);
        let files = built::files(&entries, &built::signer());
        let paths = files.keys().cloned().collect();
        Self { entries, files, paths, blobs: built::blobs(count), keys: built::keys() }
    }

    fn untouched(&self, what: impl Into<String>) -> Mutated<'_> {
        let (files, blobs) = (built::shared(&self.files), built::shared(&self.blobs));
        Mutated { what: what.into(), files, blobs, first: None, needs_witness: false }
    }

    fn verify(&self, mutated: &Mutated<'_>, held: &[Held]) -> LogReport {
        let against = Against { keys: &self.keys, blobs: Some(&mutated.blobs), held, ..Against::nothing() };
        verify_log(&mutated.files, &against)
    }

    fn path(&self, chance: &mut Chance) -> String {
        // The few files that are neither bundles nor tiles of leaves as often as those.
        let rare: Vec<&String> = self
            .paths
            .iter()
            .filter(|path| !path.starts_with("tile/entries/") && !path.starts_with("tile/0/"))
            .collect();
        if chance.below(4) == 0 {
            rare[chance.below(rare.len())].clone()
        } else {
            self.paths[chance.below(self.paths.len())].clone()
        }
    }

    /// A bundle, its path and its entries.
    fn bundle(&self, chance: &mut Chance) -> (Tile, String, Vec<&[u8]>) {
        let count = self.entries.len().div_ceil(256);
        let tile = Tile::of_tree(Level::Entries, chance.below(count) as u64, self.entries.len() as u64).unwrap();
        let path = tile.to_string();
        let entries = tile::entries(&self.files[&path], tile.width).unwrap();
        (tile, path, entries)
    }

    /// One mutation; `None` where chance would have changed nothing.
    fn mutate(&self, chance: &mut Chance) -> Option<Mutated<'_>> {
        Some(match chance.below(16) {
            0..=3 => self.flip(chance),
            4 => self.blob(chance)?,
            5 | 6 => self.entry(chance)?,
            7 | 8 => self.bytes_of_file(chance)?,
            9 | 10 => self.file(chance)?,
            11 => self.added(chance),
            12 | 13 => self.changed_in_place(chance),
            14 => self.recomputed(chance)?,
            _ => self.rolled_back(chance),
        })
    }

    fn flip(&self, chance: &mut Chance) -> Mutated<'_> {
        let path = self.path(chance);
        let mut bytes = self.files[&path].clone();
        let bit = chance.below(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let mut mutated = self.untouched(format!("bit {bit} of {path} flipped"));
        mutated.files.insert(path, bytes);
        mutated
    }

    fn blob(&self, chance: &mut Chance) -> Option<Mutated<'_>> {
        let name = self.blobs.keys().nth(chance.below(self.blobs.len()))?.clone();
        let mut bytes = self.blobs[&name].clone();
        let kind = chance.below(4);
        let mut mutated = self.untouched(format!("payload {name}, kind {kind}"));
        match kind {
            0 => {
                let bit = chance.below(bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
                mutated.blobs.insert(name, bytes);
            }
            1 => drop(mutated.blobs.remove(&name)),
            2 => {
                bytes.truncate(chance.below(bytes.len()));
                mutated.blobs.insert(name, bytes);
            }
            _ => {
                let moved = mutated.blobs.remove(&name)?;
                mutated.blobs.insert(format!("{name}.old"), moved);
            }
        }
        Some(mutated)
    }

    /// An entry of a bundle dropped, doubled, cut, exchanged; the tiles stay.
    fn entry(&self, chance: &mut Chance) -> Option<Mutated<'_>> {
        let (tile, path, mut entries) = self.bundle(chance);
        let (place, other) = (chance.below(entries.len()), chance.below(entries.len()));
        let kind = chance.below(6);
        let mut mutated = self.untouched(format!("entry {place} of {path}, kind {kind} with {other}"));
        let cut;
        match kind {
            0 => drop(entries.remove(place)),
            1 => entries.insert(place, entries[place]),
            2 if place == other => return None,
            2 => {
                entries.swap(place, other);
                mutated.first = Some(Spot::Entry(tile.index * 256 + place.min(other) as u64));
            }
            3 => {
                cut = entries[place][..chance.below(entries[place].len())].to_vec();
                entries[place] = &cut;
                mutated.first = Some(Spot::Entry(tile.index * 256 + place as u64));
            }
            4 if place == other => return None,
            4 => entries[place] = entries[other],
            _ => {
                // With one of another bundle.
                let (_, from, others) = self.bundle(chance);
                if from == path {
                    return None;
                }
                let theirs = chance.below(others.len());
                let mine = std::mem::replace(&mut entries[place], others[theirs]);
                let mut others = others;
                others[theirs] = mine;
                mutated.files.insert(from, tile::bundle(others)?);
            }
        }
        mutated.files.insert(path, tile::bundle(entries)?);
        Some(mutated)
    }

    /// A file cut, lengthened, emptied.
    fn bytes_of_file(&self, chance: &mut Chance) -> Option<Mutated<'_>> {
        let path = self.path(chance);
        let mut bytes = self.files[&path].clone();
        let kind = chance.below(5);
        let at = chance.below(bytes.len());
        match kind {
            0 => bytes.truncate(at),
            1 => bytes.extend_from_slice(&[0, 0][..=chance.below(2)]),
            2 => bytes.clear(),
            3 => drop(bytes.remove(at)),
            _ => bytes.insert(at, b'0'),
        }
        let mut mutated = self.untouched(format!("{path}: kind {kind} at {at}"));
        if bytes == self.files[&path] {
            return None;
        }
        mutated.files.insert(path, bytes);
        Some(mutated)
    }

    /// Files removed, renamed, exchanged, copied over others.
    fn file(&self, chance: &mut Chance) -> Option<Mutated<'_>> {
        let (path, other) = (self.path(chance), self.path(chance));
        let kind = chance.below(5);
        let mut mutated = self.untouched(format!("{path}: kind {kind} with {other}"));
        match kind {
            0 => drop(mutated.files.remove(&path)),
            1 => {
                let moved = mutated.files.remove(&path)?;
                mutated.files.insert(format!("{path}.old"), moved);
            }
            2 | 3 if self.files[&path] == self.files[&other] => return None,
            2 => {
                mutated.files.insert(path.clone(), self.files[&other].as_slice());
                mutated.files.insert(other, self.files[&path].as_slice());
            }
            3 => mutated.files.insert(path, self.files[&other].as_slice()),
            _ => {
                // To the next index, or to another width.
                let tile = Tile::parse(&path)?;
                let moved = mutated.files.remove(&path)?;
                let to = if chance.below(2) == 0 {
                    Tile { index: tile.index + 1, ..tile }
                } else {
                    tile.with_width(tile.width % 255 + 1)
                };
                mutated.files.insert(to.to_string(), moved);
            }
        }
        Some(mutated)
    }

    /// Files that do not belong there, older partial ones among them.
    fn added(&self, chance: &mut Chance) -> Mutated<'_> {
        let (tile, path, entries) = self.bundle(chance);
        let width = u16::try_from(chance.below(usize::from(tile.width))).unwrap().max(1);
        let (name, bytes) = match chance.below(6) {
            0 if width < tile.width => (
                tile.with_width(width).to_string(),
                tile::bundle(entries.into_iter().take(usize::from(width))).unwrap(),
            ),
            1 if width < tile.width => {
                let leaves = Tile { level: Level::Hashes(0), ..tile };
                (
                    leaves.with_width(width).to_string(),
                    self.files[&leaves.to_string()][..usize::from(width) * 32].to_vec(),
                )
            }
            2 => (
                Tile { index: self.entries.len() as u64 / 256 + 1, width: 1, ..tile }.to_string(),
                tile::bundle([&b"{}"[..]]).unwrap(),
            ),
            3 => ("checkpoint.old".to_owned(), self.files["checkpoint"].clone()),
            4 => ("tile/7/000.p/1".to_owned(), vec![0; 32]),
            _ => (format!("{path}~"), Vec::new()),
        };
        let mut mutated = self.untouched(format!("{name} added"));
        mutated.files.insert(name, bytes);
        mutated
    }

    /// One entry changed and all tiles over it recomputed: what is left to tell is the signature.
    fn changed_in_place(&self, chance: &mut Chance) -> Mutated<'_> {
        let place = chance.below(self.entries.len());
        let mut entry = self.entries[place].clone();
        let letter = entry.iter().position(|byte| *byte == b'4').unwrap();
        entry[letter] = b'9';
        let mut mutated = self.untouched(format!("entry {place} changed, its tiles recomputed"));
        let size = self.entries.len() as u64;
        let bundle = Tile::of_tree(Level::Entries, place as u64 / 256, size).unwrap();
        let mut entries = tile::entries(&self.files[&bundle.to_string()], bundle.width).unwrap();
        entries[place % 256] = &entry;
        mutated.files.insert(bundle.to_string(), tile::bundle(entries).unwrap());
        let (mut hash, mut index) = (agenttrader_audit::merkle::leaf_hash(&entry), place as u64);
        for level in 0..8 {
            let Some(tile) = Tile::of_tree(Level::Hashes(level), index / 256, size) else { break };
            let mut bytes = self.files[&tile.to_string()].clone();
            let at = usize::try_from(index % 256).unwrap() * 32;
            if at >= bytes.len() {
                break;
            }
            bytes[at..at + 32].copy_from_slice(hash.as_bytes());
            hash = built::over(&tile::hashes(&bytes, tile.width).unwrap());
            mutated.files.insert(tile.to_string(), bytes);
            index /= 256;
            if !tile.is_full() {
                break;
            }
        }
        if chance.below(2) == 0 {
            let mut entries = self.entries.clone();
            entries[place] = entry;
            self.forge(&mut mutated, &entries, chance);
        }
        mutated
    }

    /// Entries dropped, doubled, exchanged or cut off at the end, and everything recomputed from them.
    fn recomputed(&self, chance: &mut Chance) -> Option<Mutated<'_>> {
        let mut entries = self.entries.clone();
        let (place, other) = (chance.below(entries.len()), chance.below(entries.len()));
        let kind = chance.below(5);
        match kind {
            0 => drop(entries.remove(place)),
            1 => entries.insert(place, entries[place].clone()),
            2 if place == other => return None,
            2 => entries.swap(place, other),
            3 => entries.truncate(place),
            _ => entries.push(built::entry(self.entries.len() as u64)),
        }
        let what = format!("everything recomputed after entry {place}, kind {kind} with {other}");
        let mut mutated = self.untouched(what);
        mutated.files = InMemory::new("memory");
        for (path, bytes) in built::tiles(&entries) {
            mutated.files.insert(path, bytes);
        }
        mutated.files.insert("checkpoint", self.files["checkpoint"].as_slice());
        self.forge(&mut mutated, &entries, chance);
        Some(mutated)
    }

    /// A checkpoint of other entries by somebody without the log's key.
    fn forge(&self, mutated: &mut Mutated<'_>, entries: &[Vec<u8>], chance: &mut Chance) {
        let text = String::from_utf8(self.files["checkpoint"].clone()).unwrap();
        let line = text.lines().last().unwrap().to_owned();
        let origin = built::origin();
        let stranger = NoteSigner::log(&origin, SigningKey::from_bytes(&[9; 32]));
        let checkpoint = Checkpoint { origin, size: entries.len() as u64, root: built::root(entries) };
        let forged = match chance.below(4) {
            0 => return,
            1 => format!("{checkpoint}\n{line}\n"),
            2 => checkpoint.signed(&stranger).to_string(),
            _ => format!("{}{line}\n", checkpoint.signed(&stranger)),
        };
        mutated.files.insert("checkpoint", forged.into_bytes());
    }

    /// The whole directory as it once was, or as a log with another history: signed by the log's own key.
    fn rolled_back(&self, chance: &mut Chance) -> Mutated<'_> {
        let size = chance.below(self.entries.len()).max(1);
        let mut entries = self.entries[..size].to_vec();
        let forked = size > 1 && chance.below(3) == 0;
        if forked {
            let place = chance.below(size - 1) + 1;
            let letter = entries[place].iter().position(|byte| *byte == b'4').unwrap();
            entries[place][letter] = b'9';
        }
        let mut mutated = self.untouched(format!("back to {size} entries, forked: {forked}"));
        mutated.files = InMemory::new("memory");
        for (path, bytes) in built::files(&entries, &built::signer()) {
            mutated.files.insert(path, bytes);
        }
        // With payloads of entries that it has not any more: one log's reader does not mind.
        mutated.needs_witness = !forked;
        mutated
    }
}

#[test]
fn every_mutation_is_found_and_an_untouched_log_never_raises_an_alarm() {
    let asked: Option<u64> = env::var("AGENTTRADER_MUTATIONS").ok().map(|count| count.parse().unwrap());
    let seed = env::var("AGENTTRADER_SEED").ok().map_or(0x00a9_e27d_ade2, |seed| seed.parse().unwrap());
    let (count, entries) = asked.map_or((FEW, FEW_ENTRIES), |count| (count, MANY_ENTRIES));
    let log = Log::of(entries);
    let held = Held::kept("kept.checkpoint", &log.files["checkpoint"]).unwrap();
    let mut chance = Chance(seed);
    let mut made = 0;
    while made < count {
        if made % 100 == 0 {
            let report = log.verify(&log.untouched("nothing"), std::slice::from_ref(&held));
            assert_eq!(report.verdict(), Verdict::Good, "seed {seed}: a false alarm:\n{report}");
            assert_eq!((report.counts.entries, report.counts.held), (entries, 1));
        }
        if asked.is_some() && made % 200 == 0 {
            eprintln!("{made} of {count} mutations");
        }
        let Some(mutated) = log.mutate(&mut chance) else { continue };
        made += 1;
        let what = format!("seed {seed}, mutation {made}: {}", mutated.what);
        let report = log.verify(&mutated, &[]);
        if mutated.needs_witness {
            assert_eq!(report.verdict(), Verdict::Good, "{what}\n{report}");
            let report = log.verify(&mutated, std::slice::from_ref(&held));
            assert_eq!(report.verdict(), Verdict::Different, "{what}\n{report}");
            assert_eq!(report.findings.first()[0].at, Spot::Held("kept.checkpoint".to_owned()), "{what}\n{report}");
            continue;
        }
        if mutated.what.starts_with("back to") {
            // Whoever has the key can write another history, but not one that goes on from what was kept.
            let report = log.verify(&mutated, std::slice::from_ref(&held));
            assert_eq!(report.verdict(), Verdict::Different, "{what}\n{report}");
            continue;
        }
        assert_eq!(report.verdict(), Verdict::Different, "{what}\n{report}");
        if let Some(first) = &mutated.first {
            assert_eq!(report.findings.first()[0].at, *first, "{what}\n{report}");
        }
    }
}

#[test]
fn any_bit_of_a_checkpoint_counts() {
    let log = Log::of(300);
    let bytes = &log.files["checkpoint"];
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let mut mutated = log.untouched("");
        mutated.files.insert("checkpoint", Cow::Owned(flipped));
        assert_eq!(log.verify(&mutated, &[]).verdict(), Verdict::Different, "bit {bit}");
    }
}
