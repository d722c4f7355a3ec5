//! Tiles and entry bundles of C2SP tlog-tiles: their coordinates, paths and bytes, and which of them a tree of some size has.

use crate::merkle::{self, HASH_BYTES, Hash, HashReader};
use std::fmt;
use std::iter;

/// Hashes of a full tile, entries of a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// Levels of the tree that one tile spans.
const TILE_HEIGHT: u32 = 8;

/// Levels of tiles that a size of 64 bits can reach.
pub const TILE_LEVELS: u8 = 8;

/// Bytes of the longest entry a bundle can hold.
pub const ENTRY_BYTES_MOST: usize = u16::MAX as usize;

/// Bytes of the largest bundle.
pub const BUNDLE_BYTES_MOST: usize = (ENTRY_BYTES_MOST + 2) * TILE_WIDTH as usize;

/// What a tile's file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The entries themselves, one bundle for each tile of leaf hashes.
    Entries,
    /// Hashes: of leaves at level 0, of whole tiles of the level below above it.
    Hashes(u8),
}

/// The place of a tile or bundle: `tile/<level>/<index>` or `tile/entries/<index>`, with `.p/<width>` while it is partial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// What it holds.
    pub level: Level,
    /// Its place within the level, from nought.
    pub index: u64,
    /// Hashes or entries in it, 1 to [`TILE_WIDTH`].
    pub width: u16,
}

impl Tile {
    /// The tile at that place of a tree of `size` entries, with the width it has there; `None` where the tree has none.
    pub fn of_tree(level: Level, index: u64, size: u64) -> Option<Self> {
        let (full, rest) = row(level, size);
        if index < full {
            Some(Self { level, index, width: TILE_WIDTH })
        } else if index == full && rest > 0 {
            Some(Self { level, index, width: rest })
        } else {
            None
        }
    }

    /// Whether it holds all it ever will.
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The same place at another width.
    #[must_use]
    pub const fn with_width(self, width: u16) -> Self {
        Self { width, ..self }
    }

    /// Reads a path as it is written, and no other spelling of it.
    pub fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("tile/")?;
        let (level, rest) = rest.split_once('/')?;
        let level = match level {
            "entries" => Level::Entries,
            digits => Level::Hashes(decimal(digits).filter(|level| *level < u64::from(TILE_LEVELS))?.try_into().ok()?),
        };
        let (groups, width) = match rest.split_once(".p/") {
            None => (rest, TILE_WIDTH),
            Some((groups, width)) => {
                let width = decimal(width).filter(|width| (1..u64::from(TILE_WIDTH)).contains(width))?;
                (groups, width.try_into().ok()?)
            }
        };
        let mut index = 0_u64;
        for group in groups.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            let is_group = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
            let group = if is_group { digits.parse::<u64>().ok()? } else { return None };
            index = index.checked_mul(1_000)?.checked_add(group)?;
        }
        let tile = Self { level, index, width };
        (tile.to_string() == path).then_some(tile)
    }
}

/// A decimal number as it is usually written: no sign, no leading noughts.
fn decimal(text: &str) -> Option<u64> {
    let plain = text == "0" || !text.starts_with('0');
    (plain && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Tile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Level::Entries => out.write_str("tile/entries")?,
            Level::Hashes(level) => write!(out, "tile/{level}")?,
        }
        let digits = self.index.to_string();
        let groups = digits.len().div_ceil(3).max(1);
        let padded = format!("{:0>width$}", digits, width = groups.saturating_mul(3));
        for (place, group) in padded.as_bytes().chunks(3).enumerate() {
            let last = place.saturating_add(1) == groups;
            write!(out, "/{}{}", if last { "" } else { "x" }, String::from_utf8_lossy(group))?;
        }
        if self.is_full() { Ok(()) } else { write!(out, ".p/{}", self.width) }
    }
}

/// How many full tiles a tree of `size` entries has at a level, and how many hashes or entries stand after them.
fn row(level: Level, size: u64) -> (u64, u16) {
    let shift = match level {
        Level::Entries => 0,
        Level::Hashes(level) => u32::from(level).saturating_mul(TILE_HEIGHT),
    };
    let count = size.checked_shr(shift).unwrap_or(0);
    // The rest is below 256.
    (count >> TILE_HEIGHT, u16::try_from(count & 0xff).unwrap_or(0))
}

/// The levels that a tree of `size` entries has files of: its bundles, then its tiles from the leaves up.
fn levels(size: u64) -> impl Iterator<Item = Level> {
    let hashes = (0..TILE_LEVELS).map(Level::Hashes);
    iter::once(Level::Entries).chain(hashes).filter(move |level| row(*level, size) != (0, 0))
}

/// Every tile and bundle that a tree of `size` entries has, level by level. Beside them stands `checkpoint` and nothing else.
pub fn tiles_of(size: u64) -> impl Iterator<Item = Tile> {
    levels(size).flat_map(move |level| {
        let (full, rest) = row(level, size);
        let partial = (rest > 0).then_some(Tile { level, index: full, width: rest });
        (0..full).map(move |index| Tile { level, index, width: TILE_WIDTH }).chain(partial)
    })
}

/// The tiles and bundles of the tree of `new` entries that the tree of `old` entries does not have: what is written when it grows.
pub fn new_tiles(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    levels(new).flat_map(move |level| {
        let (old_full, old_rest) = row(level, old);
        let (full, rest) = row(level, new);
        let partial =
            (rest > 0 && (full, rest) != (old_full, old_rest)).then_some(Tile { level, index: full, width: rest });
        (old_full..full).map(move |index| Tile { level, index, width: TILE_WIDTH }).chain(partial)
    })
}

/// The partial tiles and bundles of the tree of `old` entries that the tree of `new` entries does not have any more: what is removed once
/// the new checkpoint is durable.
pub fn outgrown(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    levels(old).filter_map(move |level| {
        let (full, rest) = row(level, old);
        (rest > 0 && row(level, new) != (full, rest)).then_some(Tile { level, index: full, width: rest })
    })
}

/// The bytes of a bundle: for each entry its length in two bytes, big-endian, and itself. `None` when one is too long.
pub fn bundle<'entries>(entries: impl IntoIterator<Item = &'entries [u8]>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend_from_slice(&u16::try_from(entry.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Some(bytes)
}

/// The entries of a bundle. `None` when its bytes do not end with an entry's end, or hold other than `width` entries.
pub fn entries(bundle: &[u8], width: u16) -> Option<Vec<&[u8]>> {
    let mut rest = bundle;
    let mut entries = Vec::with_capacity(usize::from(width));
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        rest = after;
    }
    (rest.is_empty() && entries.len() == usize::from(width)).then_some(entries)
}

/// The bytes of the first `width` entries of a bundle that holds at least as many.
pub fn cut_bundle(bundle: &[u8], width: u16) -> Option<&[u8]> {
    let mut at = 0_usize;
    for _ in 0..width {
        let (length, _) = bundle.get(at..)?.split_first_chunk::<2>()?;
        at = at.checked_add(2)?.checked_add(usize::from(u16::from_be_bytes(*length)))?;
    }
    bundle.get(..at)
}

/// The hashes of a tile. `None` when its bytes are not those of `width` hashes.
pub fn hashes(tile: &[u8], width: u16) -> Option<Vec<Hash>> {
    let (hashes, rest) = tile.as_chunks::<HASH_BYTES>();
    (rest.is_empty() && hashes.len() == usize::from(width))
        .then(|| hashes.iter().map(|hash| Hash::from_bytes(*hash)).collect())
}

/// Reads the nodes of a tree of some size out of its tiles, each read once.
pub struct TileHashes<Read> {
    size: u64,
    read: Read,
    seen: std::cell::RefCell<std::collections::BTreeMap<Tile, Vec<Hash>>>,
}

/// Why a node cannot be read out of tiles.
#[derive(Debug, thiserror::Error)]
pub enum TileError<E> {
    /// A tile cannot be read.
    #[error("cannot read {tile}")]
    Read {
        /// Which.
        tile: Tile,
        /// Why.
        #[source]
        source: E,
    },
    /// A tile is missing or has another length than its width.
    #[error("{tile} is missing or is not {} bytes long", usize::from(tile.width).saturating_mul(HASH_BYTES))]
    Malformed {
        /// Which.
        tile: Tile,
    },
    /// The tree has no such node.
    #[error("a tree of {size} entries has no node {index} at level {level}")]
    NoNode {
        /// The tree's size.
        size: u64,
        /// The level asked for.
        level: u32,
        /// The index asked for.
        index: u64,
    },
}

impl<E, Read: Fn(Tile) -> Result<Option<Vec<u8>>, E>> TileHashes<Read> {
    /// Nodes of the tree of `size` entries whose tiles `read` gives. What is read is believed: whoever makes a proof of it checks the proof.
    pub fn new(size: u64, read: Read) -> Self {
        Self { size, read, seen: std::cell::RefCell::default() }
    }

    fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, TileError<E>> {
        if let Some(seen) = self.seen.borrow().get(&tile) {
            return Ok(seen.clone());
        }
        let bytes = (self.read)(tile).map_err(|source| TileError::Read { tile, source })?;
        let read = bytes.and_then(|bytes| hashes(&bytes, tile.width)).ok_or(TileError::Malformed { tile })?;
        self.seen.borrow_mut().insert(tile, read.clone());
        Ok(read)
    }
}

impl<E, Read: Fn(Tile) -> Result<Option<Vec<u8>>, E>> HashReader for TileHashes<Read> {
    type Error = TileError<E>;

    fn node(&self, level: u32, index: u64) -> Result<Hash, TileError<E>> {
        let no_node = || TileError::NoNode { size: self.size, level, index };
        let within = level.checked_rem(TILE_HEIGHT).ok_or_else(no_node)?;
        let row = level.checked_div(TILE_HEIGHT).and_then(|row| u8::try_from(row).ok()).ok_or_else(no_node)?;
        let first = index.checked_mul(1 << within).ok_or_else(no_node)?;
        let tile = Tile::of_tree(Level::Hashes(row), first >> TILE_HEIGHT, self.size).ok_or_else(no_node)?;
        let hashes = self.hashes(tile)?;
        let from = usize::try_from(first & 0xff).map_err(|_| no_node())?;
        let to = from.checked_add(1 << within).ok_or_else(no_node)?;
        hashes.get(from..to).map(merkle::complete_root).ok_or_else(no_node)
    }
}
