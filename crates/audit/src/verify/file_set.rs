//! The file set: exactly what the checkpoint's size implies, and what a log that is being written, or was when its agent was killed, may
//! have besides.

use super::ahead;
use super::finding::{Finding, Spot};
use super::report::LogReport;
use super::snapshot::{self, Snapshot};
use crate::ahead::size_of;
use crate::source::LogFiles;
use crate::tile::{self, Level, TILE_WIDTH, Tile};
use std::cmp::min;

/// Entries that a log may be ahead of its newest checkpoint, one of which it makes every second.
const AHEAD_MOST: u64 = 1 << 20;

/// Checks what stands there besides the files of the tree, each of which was read already. Gives whether the place can be listed.
pub(super) fn check(
    files: &dyn LogFiles,
    snapshot: &Snapshot,
    unfinished: &dyn Fn(u64) -> bool,
    report: &mut LogReport,
) -> bool {
    let listed = match files.list() {
        Ok(Some(listed)) => listed,
        Ok(None) => return false,
        Err(error) => {
            report.findings.push(Finding::of_source(Spot::File(".".to_owned()), &error));
            return true;
        }
    };
    report.counts.files = listed.len() as u64;
    let size = snapshot.size();
    let is_of_tree = |tile: &Tile| Tile::of_tree(tile.level, tile.index, size) == Some(*tile);
    let others: Vec<&String> = listed
        .iter()
        .filter(|path| *path != "checkpoint" && !Tile::parse(path).is_some_and(|tile| is_of_tree(&tile)))
        .collect();
    if others.is_empty() {
        return true;
    }
    // It may have been opened since.
    report.live |= files.is_live();
    let may_be_ahead = report.live || unfinished(size);
    let may_be_left = may_be_ahead || files.is_written();
    let reach = reach(files, size);
    for path in others {
        let tile = Tile::parse(path);
        let from = tile.map_or_else(|| ahead::size_of_folder(path), size_of);
        // What a smaller tree had, or the folder that it stood in.
        let is_outgrown = from.is_some_and(|from| from <= size) && (tile.is_some() || path.ends_with(".p/"));
        let why = match tile {
            Some(tile) if is_outgrown && may_be_left => in_flight(files, snapshot, tile),
            Some(_) if may_be_ahead && from.is_none_or(|from| from > reach) => {
                Err(format!("a log of {size} entries is far from having such a file"))
            }
            Some(tile) if may_be_ahead => in_flight(files, snapshot, tile),
            None if is_outgrown && may_be_left => Ok(()),
            // A folder that was made a moment ago, or is about to be removed.
            None if may_be_ahead && from.is_some_and(|from| from <= reach) => Ok(()),
            Some(_) => Err(format!(
                "a log of {size} entries has no such file; an agent that was killed may leave one, and removes it when it starts again"
            )),
            None => Err("no such file belongs to a log".to_owned()),
        };
        let count = match why {
            Ok(()) if is_outgrown && !report.live => &mut report.counts.outgrown,
            Ok(()) => &mut report.counts.in_flight,
            Err(why) => {
                report.findings.push(Finding::differs(Spot::File(path.clone()), why));
                continue;
            }
        };
        *count = count.saturating_add(1);
    }
    true
}

/// The largest tree that a log may be making files of: its newest checkpoint's, and what was appended since.
fn reach(files: &dyn LogFiles, size: u64) -> u64 {
    let now = Snapshot::take(files).map_or(size, |now| now.size());
    now.max(size).saturating_add(AHEAD_MOST)
}

/// Checks a file that this tree does not have but a smaller or larger one does: it must go with this one.
fn in_flight(files: &dyn LogFiles, snapshot: &Snapshot, tile: Tile) -> Result<(), String> {
    let read = |tile| snapshot::read(files, tile).map_err(|error| agenttrader_core::error_chain::chain(&error));
    // Gone again: it was in flight.
    let Some(bytes) = read(tile)? else { return Ok(()) };
    let is_whole = match tile.level {
        Level::Entries => tile::entries(&bytes, tile.width).is_some(),
        Level::Hashes(_) => tile::hashes(&bytes, tile.width).is_some(),
    };
    if !is_whole {
        return Err("it is in nobody's tree: its bytes are not those of its width".to_owned());
    }
    let Some(ours) = Tile::of_tree(tile.level, tile.index, snapshot.size()) else {
        // Beyond this tree's edge files come one after the other.
        let before = tile.index.checked_sub(1).map(|index| Tile { index, width: TILE_WIDTH, ..tile });
        return match before.map(read).transpose()? {
            Some(None) => Err("it is in nobody's tree: the file before it is missing".to_owned()),
            _ => Ok(()),
        };
    };
    let known = snapshot.read(files, ours).map_err(|finding| finding.to_string())?;
    let width = min(ours.width, tile.width);
    let first = |bytes: &[u8]| match tile.level {
        Level::Entries => tile::cut_bundle(bytes, width).map(<[u8]>::to_vec),
        Level::Hashes(_) => {
            bytes.get(..usize::from(width).saturating_mul(crate::merkle::HASH_BYTES)).map(<[u8]>::to_vec)
        }
    };
    match (first(&bytes), first(&known)) {
        (Some(one), Some(other)) if one == other => Ok(()),
        _ => Err(format!("it does not go with {ours}")),
    }
}
