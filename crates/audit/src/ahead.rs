//! Files of a log that no checkpoint covers yet, held against its journal: each must be what a tree over the journal's records has at some
//! size. One comparison, for the agent that starts and for those who verify.

use crate::disk::Disk;
use crate::journal::{self, Frames, Next, segment_name};
use crate::merkle::leaf_hash;
use crate::tile::{Level, Tile};
use crate::tree::Tree;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// The smallest tree that has that tile or bundle; `None` where no size of 64 bits does.
pub(crate) fn size_of(tile: Tile) -> Option<u64> {
    let shift = match tile.level {
        Level::Entries => 0,
        Level::Hashes(level) => u32::from(level).saturating_mul(8),
    };
    let count = tile.index.checked_mul(256)?.checked_add(u64::from(tile.width))?;
    count.checked_mul(1_u64.checked_shl(shift)?)
}

/// What a file is found to be beside the journal.
#[derive(Debug)]
pub(crate) enum Found<E> {
    /// Other bytes than the journal's records make of it.
    Other,
    /// No tree over the records that there are has it.
    Beyond,
    /// It cannot be read.
    Unread(E),
}

/// How far the journal led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    /// Entries of the tree over all its records.
    pub(crate) size: u64,
    /// Whether it goes on from the tree that there was. One that begins later, as that of a log which goes on meanwhile may, shows nothing.
    pub(crate) joins: bool,
}

/// Grows a tree by a journal's records and compares those of the files that it does not have yet. `grown` sees the tree at each size, and
/// `found` hears of each file that is not the journal's; one that is gone by now is none.
pub(crate) fn compare<E>(
    disk: &dyn Disk,
    journal: &Path,
    mut tree: Tree,
    files: impl IntoIterator<Item = Tile>,
    read: impl Fn(Tile) -> Result<Option<Vec<u8>>, E>,
    mut grown: impl FnMut(&Tree),
    mut found: impl FnMut(Tile, Found<E>),
) -> io::Result<Reached> {
    let mut wanted: BTreeMap<u64, Vec<Tile>> = BTreeMap::new();
    for tile in files {
        wanted.entry(size_of(tile).unwrap_or(u64::MAX)).or_default().push(tile);
    }
    let mut wanted = wanted.split_off(&tree.size().saturating_add(1));
    let segments = journal::segments(disk, journal)?;
    if segments.first().is_some_and(|first| *first > tree.size()) {
        return Ok(Reached { size: tree.size(), joins: false });
    }
    grown(&tree);
    let from = segments.partition_point(|first| *first <= tree.size()).saturating_sub(1);
    for first in segments.into_iter().skip(from) {
        let mut frames = Frames::open(disk, &journal.join(segment_name(first)), 0)?;
        let mut index = first;
        while let Next::Frame(frame) = frames.next(disk)? {
            if index == tree.size() {
                let made = tree.push(frame.record, leaf_hash(frame.record));
                for tile in wanted.remove(&tree.size()).unwrap_or_default() {
                    let ours = made.iter().cloned().chain(tree.edge()).find(|made| made.tile == tile);
                    match read(tile) {
                        Ok(None) => {}
                        Ok(Some(bytes)) if ours.is_some_and(|ours| ours.bytes == bytes) => {}
                        Ok(Some(_)) => found(tile, Found::Other),
                        Err(error) => found(tile, Found::Unread(error)),
                    }
                }
                grown(&tree);
            }
            index = index.saturating_add(1);
        }
    }
    wanted.into_values().flatten().for_each(|tile| found(tile, Found::Beyond));
    Ok(Reached { size: tree.size(), joins: true })
}
