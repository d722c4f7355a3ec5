//! The checkpoint and the files at the tree's right edge, which a log that grows replaces: read first, and together.

use super::finding::{Finding, Spot};
use crate::checkpoint::SignedCheckpoint;
use crate::note::NOTE_BYTES_MOST;
use crate::source::{LogFiles, SourceError};
use crate::tile::{BUNDLE_BYTES_MOST, Level, TILE_LEVELS, TILE_WIDTH, Tile, TileHashes};
use std::collections::BTreeMap;

/// How often a log may grow while its edge is read. Each time the checkpoint has moved on, which it does once a second at most unless it is
/// asked to.
const TRIES: u32 = 1_000;

/// A log's checkpoint and the partial files that go with it.
pub(crate) struct Snapshot {
    pub(super) signed: SignedCheckpoint,
    /// The checkpoint's file.
    pub(super) bytes: Vec<u8>,
    /// What could be read of each partial file.
    edge: BTreeMap<Tile, Result<Option<Vec<u8>>, SourceError>>,
}

/// Bytes of the largest file that can stand at a place.
fn bytes_most(tile: Tile) -> usize {
    match tile.level {
        Level::Entries => BUNDLE_BYTES_MOST,
        Level::Hashes(_) => usize::from(TILE_WIDTH).saturating_mul(crate::merkle::HASH_BYTES),
    }
}

/// A tile's or bundle's file.
pub(super) fn read(files: &dyn LogFiles, tile: Tile) -> Result<Option<Vec<u8>>, SourceError> {
    files.read(&tile.to_string(), bytes_most(tile))
}

/// The levels a tree can have.
pub(super) fn all_levels() -> impl Iterator<Item = Level> {
    std::iter::once(Level::Entries).chain((0..TILE_LEVELS).map(Level::Hashes))
}

/// The partial files of a tree of `size` entries.
fn partials(size: u64) -> impl Iterator<Item = Tile> {
    all_levels().filter_map(move |level| {
        let shift = match level {
            Level::Entries => 8,
            Level::Hashes(level) => u32::from(level).saturating_mul(8).saturating_add(8),
        };
        Tile::of_tree(level, size.checked_shr(shift).unwrap_or(0), size).filter(|tile| !tile.is_full())
    })
}

fn checkpoint(files: &dyn LogFiles) -> Result<Vec<u8>, Finding> {
    match files.read("checkpoint", NOTE_BYTES_MOST) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Finding::differs(Spot::Checkpoint, "there is none")),
        Err(error) => Err(Finding::of_source(Spot::Checkpoint, &error)),
    }
}

impl Snapshot {
    /// Reads them. A log that grows takes its partial files away once a newer checkpoint stands: then that one is read.
    pub(crate) fn take(files: &dyn LogFiles) -> Result<Self, Finding> {
        let mut bytes = checkpoint(files)?;
        let mut left = TRIES;
        loop {
            let malformed = |error: &dyn std::error::Error| Finding::differs(Spot::Checkpoint, error.to_string());
            let signed = SignedCheckpoint::parse(&bytes).map_err(|error| malformed(&error))?;
            let edge: BTreeMap<_, _> = partials(signed.checkpoint.size).map(|tile| (tile, read(files, tile))).collect();
            if edge.values().all(|read| matches!(read, Ok(Some(_)))) || left == 0 {
                return Ok(Self { signed, bytes, edge });
            }
            let now = checkpoint(files)?;
            if now == bytes {
                return Ok(Self { signed, bytes, edge });
            }
            bytes = now;
            left = left.saturating_sub(1);
        }
    }

    /// The checkpoint.
    pub(crate) const fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }

    /// Entries.
    pub(crate) const fn size(&self) -> u64 {
        self.signed.checkpoint.size
    }

    /// A file of this tree: of the edge as it was read, the others as they stand, which never changes.
    pub(crate) fn read(&self, files: &dyn LogFiles, tile: Tile) -> Result<Vec<u8>, Finding> {
        let found = match self.edge.get(&tile) {
            Some(Ok(bytes)) => bytes.clone(),
            Some(Err(error)) => return Err(Finding::of_source(Spot::Tile(tile), error)),
            None => read(files, tile).map_err(|error| Finding::of_source(Spot::Tile(tile), &error))?,
        };
        found.ok_or_else(|| Finding::differs(Spot::Tile(tile), "it is missing"))
    }

    /// The nodes of the tree, out of its tiles.
    pub(crate) fn nodes<'log>(
        &'log self,
        files: &'log dyn LogFiles,
    ) -> TileHashes<impl Fn(Tile) -> Result<Option<Vec<u8>>, Unreadable> + 'log> {
        TileHashes::new(self.size(), move |tile| self.read(files, tile).map(Some).map_err(Unreadable))
    }
}

/// A tile that a node was to be read from.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(Finding);
