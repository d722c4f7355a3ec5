//! Files ahead of the checkpoint of a log that nobody writes: each must be what a tree over the journal's records has at some size.

use super::finding::{Finding, Spot};
use super::report::LogReport;
use super::snapshot::{self, Snapshot};
use crate::disk::{Places, SystemDisk};
use crate::disk_read;
use crate::journal::{Frames, Next, segment_first, segment_name};
use crate::merkle::leaf_hash;
use crate::source::LogFiles;
use crate::tile::{Level, Tile};
use crate::tree::{Made, Tree};
use agenttrader_core::error_chain::chain;
use std::collections::BTreeMap;

/// The smallest tree that has that tile or bundle; `None` where no size of 64 bits does.
pub(super) fn size_of(tile: Tile) -> Option<u64> {
    let shift = match tile.level {
        Level::Entries => 0,
        Level::Hashes(level) => u32::from(level).saturating_mul(8),
    };
    let count = tile.index.checked_mul(256)?.checked_add(u64::from(tile.width))?;
    count.checked_mul(1_u64.checked_shl(shift)?)
}

/// The smallest tree with a tile whose path leads through that empty folder.
pub(super) fn size_of_folder(path: &str) -> Option<u64> {
    let folder = path.strip_suffix('/')?;
    if folder == "tile" {
        return Some(0);
    }
    let below = [format!("{folder}/1"), format!("{folder}/000")];
    below.iter().find_map(|path| Tile::parse(path)).and_then(|tile| size_of(tile.with_width(1)))
}

/// Checks all that the tree of the checkpoint does not have yet, from the bytes; without a checkpoint all there is.
pub(super) fn check(places: &Places, files: &dyn LogFiles, snapshot: Option<&Snapshot>, report: &mut LogReport) {
    let size = snapshot.map_or(0, Snapshot::size);
    let listed = match files.list() {
        Ok(listed) => listed.unwrap_or_default(),
        Err(error) => {
            report.findings.push(Finding::of_source(Spot::File(".".to_owned()), &error));
            return;
        }
    };
    let mut wanted: BTreeMap<u64, Vec<Tile>> = BTreeMap::new();
    let mut folders = Vec::new();
    for path in listed {
        match (Tile::parse(&path), size_of_folder(&path)) {
            (Some(tile), _) => wanted.entry(size_of(tile).unwrap_or(u64::MAX)).or_default().push(tile),
            (None, Some(from)) => folders.push((path, from)),
            // Beside a checkpoint it was told already.
            (None, None) if snapshot.is_none() => differs(report, path, "no such file belongs to a log"),
            (None, None) => {}
        }
    }
    // Those were held against the checkpoint's tree.
    let mut wanted = wanted.split_off(&size.saturating_add(1));
    let reached = if wanted.is_empty() {
        size.saturating_add(report.uncovered.unwrap_or(0))
    } else {
        match grow(places, files, snapshot, &mut wanted, report) {
            Ok(reached) => reached,
            Err(why) => {
                let why = format!("the tree over its records cannot be made: {why}");
                report.findings.push(Finding::differs(Spot::State("journal".to_owned()), why));
                return;
            }
        }
    };
    for tile in wanted.into_values().flatten() {
        differs(report, tile.to_string(), "no tree over the log's entries and its journal's records has it");
    }
    for (path, _) in folders.into_iter().filter(|(_, from)| *from > reached) {
        differs(report, path, "no tree over the log's entries and its journal's records has it");
    }
}

fn differs(report: &mut LogReport, path: String, why: &str) {
    let at = Spot::File(path);
    if !report.findings.first().iter().any(|finding| finding.at == at) {
        report.findings.push(Finding::differs(at, why));
    }
}

/// Grows the tree by the journal's records, and takes out of `wanted` what it compared. Gives the size that was reached.
fn grow(
    places: &Places,
    files: &dyn LogFiles,
    snapshot: Option<&Snapshot>,
    wanted: &mut BTreeMap<u64, Vec<Tile>>,
    report: &mut LogReport,
) -> Result<u64, String> {
    let mut tree = match snapshot {
        None => Tree::default(),
        Some(snapshot) => {
            let root = (snapshot.size(), snapshot.signed().checkpoint.root);
            Tree::of_tiles(root, |tile| snapshot.read(files, tile).map(Some))
                .map_err(|_| "the checkpoint's own files do not go together".to_owned())?
        }
    };
    let names = disk_read::list(&places.journal).map_err(|error| chain(&error))?.unwrap_or_default();
    let mut segments: Vec<u64> = names.iter().filter_map(|name| name.name.as_deref().and_then(segment_first)).collect();
    segments.sort_unstable();
    let from = segments.partition_point(|first| *first <= tree.size()).saturating_sub(1);
    for first in segments.into_iter().skip(from) {
        let path = places.journal.join(segment_name(first));
        let mut frames = Frames::open(&SystemDisk, &path, 0).map_err(|error| chain(&error))?;
        let mut index = first;
        while let Next::Frame(frame) = frames.next(&SystemDisk).map_err(|error| chain(&error))? {
            if index == tree.size() {
                let made = tree.push(frame.record, leaf_hash(frame.record));
                for tile in wanted.remove(&tree.size()).unwrap_or_default() {
                    compare(files, tile, made.iter().cloned().chain(tree.edge()), report);
                }
            }
            index = index.saturating_add(1);
        }
    }
    Ok(tree.size())
}

fn compare(files: &dyn LogFiles, tile: Tile, made: impl Iterator<Item = Made>, report: &mut LogReport) {
    let ours = made.into_iter().find(|made| made.tile == tile).map(|made| made.bytes);
    match snapshot::read(files, tile) {
        // Gone again: somebody started the agent.
        Ok(None) => {}
        Ok(bytes) if bytes == ours => {}
        Ok(_) => differs(report, tile.to_string(), "it is not what the journal's records make of it"),
        Err(error) => report.findings.push(Finding::of_source(Spot::File(tile.to_string()), &error)),
    }
}
