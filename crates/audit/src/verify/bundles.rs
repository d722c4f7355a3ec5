//! The entries: every bundle is read, its entries are hashed and checked, and held against the tile of their hashes. Two threads.

use super::entry::{self, Agent, Told};
use super::finding::{Finding, Findings, Spot};
use super::keys::PublicKeys;
use super::payloads::Payloads;
use super::report::{Counts, LogReport};
use super::snapshot::Snapshot;
use super::{Against, Progress};
use crate::merkle::{Hash, complete_root, leaf_hash_in};
use crate::source::LogFiles;
use crate::tile::{self, Level, TILE_WIDTH, Tile};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Threads that read bundles.
const THREADS: usize = 2;

/// Bundles that may be missing before no more are looked for: a checkpoint may claim any size.
const MISSING_MOST: u64 = 64;

/// What stands over one tile of leaf hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Over {
    /// The hash over the entries' own hashes; `None` where they cannot be read.
    pub(super) entries: Option<Hash>,
    /// The hash over what the tile holds, where that is another.
    pub(super) tile: Option<Hash>,
}

impl Over {
    /// Whether a hash is the one that should stand in the tile above. Where the entries and their tile differ, which is a finding already, the
    /// tile above may go with either.
    pub(super) fn goes_with(&self, above: &Hash) -> bool {
        self.entries.as_ref() == Some(above) || self.tile.as_ref() == Some(above)
    }
}

/// What reading all bundles gave.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// For each full tile of leaf hashes what stands over it, in order.
    pub(super) full: Vec<Over>,
    /// The hashes of the entries after them; `None` where they cannot be read.
    pub(super) rest: Option<Vec<Hash>>,
    /// Whether every bundle was looked for.
    pub(super) all: bool,
}

/// The way through the bundles of one log.
pub(super) struct Walk<'log> {
    files: &'log dyn LogFiles,
    snapshot: &'log Snapshot,
    agent: Option<&'log Agent>,
    against: &'log Against<'log>,
    leaf_zero: Option<PublicKeys>,
    next: AtomicU64,
    missing: AtomicU64,
    entries: AtomicU64,
    payloads: &'log Payloads<'log>,
}

/// What one thread found.
#[derive(Default)]
struct Part {
    over: Vec<(u64, Over)>,
    rest: Option<Vec<Hash>>,
    findings: Findings,
    counts: Counts,
    room: Vec<u8>,
}

impl<'log> Walk<'log> {
    pub(super) fn new(
        files: &'log dyn LogFiles,
        snapshot: &'log Snapshot,
        agent: Option<&'log Agent>,
        against: &'log Against<'log>,
        payloads: &'log Payloads<'log>,
    ) -> Self {
        let mut walk = Self {
            files,
            snapshot,
            agent,
            against,
            leaf_zero: None,
            next: AtomicU64::new(0),
            missing: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            payloads,
        };
        walk.leaf_zero = walk.read_leaf_zero();
        walk
    }

    /// The keys that the first entry names.
    pub(super) const fn leaf_zero(&self) -> Option<&PublicKeys> {
        self.leaf_zero.as_ref()
    }

    fn read_leaf_zero(&self) -> Option<PublicKeys> {
        let tile = Tile::of_tree(Level::Entries, 0, self.snapshot.size())?;
        let bytes = self.snapshot.read(self.files, tile).ok()?;
        let first = tile::cut_bundle(&bytes, 1)?.get(2..)?;
        entry::check(first, 0, self.agent).ok()?.start?
    }

    /// Goes through all bundles.
    pub(super) fn run(&self, report: &mut LogReport) -> Passed {
        let parts: Vec<Part> = thread::scope(|scope| {
            let others: Vec<_> = (1..THREADS).map(|_| scope.spawn(|| self.part())).collect();
            let mut parts = vec![self.part()];
            for other in others {
                match other.join() {
                    Ok(part) => parts.push(part),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            parts
        });
        let mut over = BTreeMap::new();
        let mut passed = Passed::default();
        for part in parts {
            over.extend(part.over);
            passed.rest = passed.rest.or(part.rest);
            report.findings.extend(part.findings);
            report.counts.add(&part.counts);
        }
        passed.full = over.into_values().collect();
        passed.all = self.missing.load(Ordering::Relaxed) < MISSING_MOST;
        if !passed.all {
            let why = format!("{MISSING_MOST} bundles are missing: no more were looked for");
            report.findings.push(Finding::differs(Spot::Checkpoint, why));
        }
        report.payloads = self.payloads.named();
        report.counts.payloads = report.payloads.len() as u64;
        passed
    }

    fn part(&self) -> Part {
        let mut part = Part::default();
        let full = self.snapshot.size() >> 8;
        while self.missing.load(Ordering::Relaxed) < MISSING_MOST {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(bundle) = Tile::of_tree(Level::Entries, index, self.snapshot.size()) else { break };
            let hashes = self.bundle(bundle, &mut part);
            let leaves = bundle_tile(bundle);
            let stored = self.tile(leaves, &mut part);
            if let (Some(hashes), Some(stored)) = (&hashes, &stored) {
                compare(bundle, hashes, stored, &mut part.findings);
            }
            // Of a bundle that is not whole the first entries may still be.
            let whole = hashes.filter(|hashes| hashes.len() == usize::from(bundle.width));
            if index < full {
                let other = stored.filter(|stored| whole.as_ref() != Some(stored));
                let entries = whole.as_deref().map(complete_root);
                part.over.push((index, Over { entries, tile: other.as_deref().map(complete_root) }));
            } else {
                part.rest = whole;
            }
            let entries = self.entries.fetch_add(u64::from(bundle.width), Ordering::Relaxed);
            let entries = entries.saturating_add(u64::from(bundle.width));
            let (origin, of) = (self.snapshot.signed.checkpoint.origin.as_str(), self.snapshot.size());
            (self.against.progress)(Progress { origin, entries, of });
        }
        part
    }

    /// Reads and checks a bundle. Gives the hashes of its entries; of the first ones, where its bytes end in none.
    fn bundle(&self, bundle: Tile, part: &mut Part) -> Option<Vec<Hash>> {
        let bytes = match self.snapshot.read(self.files, bundle) {
            Ok(bytes) => bytes,
            Err(finding) => {
                self.missing.fetch_add(1, Ordering::Relaxed);
                part.findings.push(finding);
                return None;
            }
        };
        part.counts.bundles = part.counts.bundles.saturating_add(1);
        part.counts.bytes = part.counts.bytes.saturating_add(bytes.len() as u64);
        let whole = tile::entries(&bytes, bundle.width);
        if whole.is_none() {
            let why = format!("its bytes are not those of {} entries, each after its length", bundle.width);
            part.findings.push(Finding::differs(Spot::Tile(bundle), why));
        }
        let entries = whole.unwrap_or_else(|| first_entries(&bytes, bundle.width));
        let first = bundle.index.saturating_mul(u64::from(TILE_WIDTH));
        let mut hashes = Vec::with_capacity(entries.len());
        for (index, entry) in (first..).zip(entries) {
            hashes.push(leaf_hash_in(&mut part.room, entry));
            match entry::check(entry, index, self.agent) {
                Ok(told) => self.told(index, told, part),
                Err(why) => part.findings.push(Finding::differs(Spot::Entry(index), why)),
            }
            part.counts.entries = part.counts.entries.saturating_add(1);
        }
        Some(hashes)
    }

    fn tile(&self, leaves: Tile, part: &mut Part) -> Option<Vec<Hash>> {
        let found = self.snapshot.read(self.files, leaves).and_then(|bytes| {
            let malformed =
                || Finding::differs(Spot::Tile(leaves), format!("it does not hold {} hashes", leaves.width));
            tile::hashes(&bytes, leaves.width).ok_or_else(malformed)
        });
        part.counts.tiles = part.counts.tiles.saturating_add(u64::from(found.is_ok()));
        found.map_err(|finding| part.findings.push(finding)).ok()
    }

    /// Checks what a record says beyond itself.
    fn told(&self, index: u64, told: Told, part: &mut Part) {
        let mut differs = |why: String| part.findings.push(Finding::differs(Spot::Entry(index), why));
        match (&told.start, &self.leaf_zero) {
            (None, _) if index == 0 => differs("the first entry is no agent_start".to_owned()),
            (None, _) => {}
            (Some(None), _) => differs("the agent_start names no public keys for log and signatures".to_owned()),
            (Some(keys), first) if keys.as_ref() != first.as_ref() => {
                differs("the agent_start names other public keys than the log's first entry".to_owned());
            }
            (Some(_), _) => part.counts.starts = part.counts.starts.saturating_add(1),
        }
        if let Some(stored) = told.stored {
            match self.payloads.check(stored) {
                Ok(None) => {}
                Ok(Some(bytes)) => {
                    part.counts.payloads_read = part.counts.payloads_read.saturating_add(1);
                    part.counts.bytes = part.counts.bytes.saturating_add(bytes);
                }
                Err(finding) => part.findings.push(Finding { at: Spot::Entry(index), ..finding }),
            }
        }
    }
}

/// The tile of the hashes of a bundle's entries.
const fn bundle_tile(bundle: Tile) -> Tile {
    Tile { level: Level::Hashes(0), index: bundle.index, width: bundle.width }
}

/// The entries that a bundle's bytes begin with, no more than it should have.
fn first_entries(bytes: &[u8], width: u16) -> Vec<&[u8]> {
    let (mut rest, mut entries) = (bytes, Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let split = after.split_at_checked(usize::from(u16::from_be_bytes(*length)));
        let Some((entry, after)) = split.filter(|_| entries.len() < usize::from(width)) else { break };
        entries.push(entry);
        rest = after;
    }
    entries
}

/// Names the first entry whose hash its tile does not hold.
fn compare(bundle: Tile, hashes: &[Hash], stored: &[Hash], findings: &mut Findings) {
    let mut wrong = hashes.iter().zip(stored).enumerate().filter(|(_, (hash, stored))| hash != stored);
    let Some((place, _)) = wrong.next() else { return };
    let entry = bundle.index.saturating_mul(u64::from(TILE_WIDTH)).saturating_add(place as u64);
    let more = match wrong.count() {
        0 => String::new(),
        more => format!(", nor of {more} more in {bundle}"),
    };
    let why = format!("its hash is not the one that {} holds{more}", bundle_tile(bundle));
    findings.push(Finding::differs(Spot::Entry(entry), why));
}
