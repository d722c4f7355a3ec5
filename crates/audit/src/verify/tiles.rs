//! The tiles over the entries, level by level, and the root.

use super::bundles::{Over, Passed};
use super::finding::{Finding, Spot};
use super::report::LogReport;
use super::snapshot::Snapshot;
use crate::merkle::{self, HASH_BYTES, Hash, complete_root};
use crate::source::LogFiles;
use crate::tile::{self, Level, TILE_LEVELS, TILE_WIDTH, Tile, TileHashes};
use std::collections::BTreeMap;
use std::convert::Infallible;

/// Checks every tile above the leaves' own against what was computed from the entries. Gives the tree's root as the entries make it; `None`
/// where some could not be read.
pub(super) fn check(files: &dyn LogFiles, snapshot: &Snapshot, passed: Passed, report: &mut LogReport) -> Option<Hash> {
    let size = snapshot.size();
    // The partial tiles as the entries make them: all that a root is made of.
    let mut edge = BTreeMap::new();
    let mut keep = |level: u8, index: u64, hashes: &[Hash]| {
        let width = u16::try_from(hashes.len()).unwrap_or(TILE_WIDTH);
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        edge.insert(Tile { level: Level::Hashes(level), index, width }, bytes);
    };
    let mut complete = passed.all;
    match passed.rest {
        Some(rest) => keep(0, size >> 8, &rest),
        None => complete &= size & 0xff == 0,
    }
    let mut below = passed.full;
    for level in 1..TILE_LEVELS {
        if below.is_empty() {
            break;
        }
        let mut row = Vec::with_capacity(below.len() >> 8);
        for (index, hashes) in (0_u64..).zip(below.chunks(usize::from(TILE_WIDTH))) {
            let Some(tile) = Tile::of_tree(Level::Hashes(level), index, size) else { break };
            let stored = read(files, snapshot, tile, report);
            compare(tile, hashes, stored.as_deref(), report);
            let computed: Option<Vec<Hash>> = hashes.iter().map(|over| over.entries).collect();
            complete &= computed.is_some();
            if tile.is_full() && hashes.len() == usize::from(TILE_WIDTH) {
                let other = stored.filter(|stored| computed.as_ref() != Some(stored));
                row.push(Over {
                    entries: computed.as_deref().map(complete_root),
                    tile: other.as_deref().map(complete_root),
                });
            } else if let Some(computed) = computed {
                keep(level, index, &computed);
            }
        }
        below = row;
    }
    if !complete {
        return None;
    }
    let nodes = TileHashes::new(size, |tile| Ok::<_, Infallible>(edge.get(&tile).cloned()));
    merkle::root(size, &nodes).ok()
}

fn read(files: &dyn LogFiles, snapshot: &Snapshot, tile: Tile, report: &mut LogReport) -> Option<Vec<Hash>> {
    let found = snapshot.read(files, tile).and_then(|bytes| {
        let malformed = || {
            let why = format!("it is not {} bytes long", usize::from(tile.width).saturating_mul(HASH_BYTES));
            Finding::differs(Spot::Tile(tile), why)
        };
        tile::hashes(&bytes, tile.width).ok_or_else(malformed)
    });
    report.counts.tiles = report.counts.tiles.saturating_add(u64::from(found.is_ok()));
    found.map_err(|finding| report.findings.push(finding)).ok()
}

/// Names the first hash of a tile that is not the one over what stands below it.
fn compare(tile: Tile, below: &[Over], stored: Option<&[Hash]>, report: &mut LogReport) {
    let pairs = below.iter().zip(stored.unwrap_or_default()).enumerate();
    // Over what could not be read nothing is known.
    let mut wrong = pairs.filter(|(_, (over, _))| over.entries.is_some() || over.tile.is_some());
    let mut wrong = wrong.by_ref().filter(|(_, (over, stored))| !over.goes_with(stored));
    let Some((place, _)) = wrong.next() else { return };
    let more = match wrong.count() {
        0 => String::new(),
        more => format!(", nor are {more} more"),
    };
    let why = format!("its hash {place} is not the one over the entries below it{more}");
    report.findings.push(Finding::differs(Spot::Tile(tile), why));
}
