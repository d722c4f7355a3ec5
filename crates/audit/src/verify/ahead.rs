//! Files ahead of the checkpoint: each must be what a tree over the journal's records has at some size. And the tree of a head that no
//! checkpoint follows.

use super::finding::{Finding, Spot};
use super::report::LogReport;
use super::snapshot::{self, Snapshot};
use crate::ahead::{self, Found, size_of};
use crate::disk::{Places, SystemDisk};
use crate::head::Head;
use crate::merkle::Hash;
use crate::source::LogFiles;
use crate::tile::{Tile, tiles_of};
use crate::tree::Tree;
use agenttrader_core::error_chain::chain;
use std::collections::BTreeSet;
use std::io::ErrorKind;

/// The smallest tree with a tile whose path leads through that empty folder.
pub(super) fn size_of_folder(path: &str) -> Option<u64> {
    let folder = path.strip_suffix('/')?;
    if folder == "tile" {
        return Some(0);
    }
    let below = [format!("{folder}/1"), format!("{folder}/000")];
    below.iter().find_map(|path| Tile::parse(path)).and_then(|tile| size_of(tile.with_width(1)))
}

/// Checks all that the tree of the checkpoint does not have yet, from the bytes; without a checkpoint all there is. `head` is one that no
/// checkpoint follows: its tree must stand there whole.
///
/// A live log goes on meanwhile: what its journal no longer shows is not compared.
pub(super) fn check(
    places: &Places,
    files: &dyn LogFiles,
    snapshot: Option<&Snapshot>,
    head: Option<&Head>,
    report: &mut LogReport,
) {
    let listed = match files.list() {
        Ok(listed) => listed.unwrap_or_default(),
        Err(error) => {
            report.findings.push(Finding::of_source(Spot::File(".".to_owned()), &error));
            return;
        }
    };
    let (mut tiles, mut folders) = (BTreeSet::new(), Vec::new());
    for path in listed {
        match (Tile::parse(&path), size_of_folder(&path)) {
            (Some(tile), _) => drop(tiles.insert(tile)),
            (None, Some(from)) => folders.push((path, from)),
            // Beside a checkpoint it was told already, and the first one may be made just now.
            (None, None) if snapshot.is_none() && !(report.live && path == "checkpoint") => {
                differs(report, path, "no such file belongs to a log");
            }
            (None, None) => {}
        }
    }
    if let Some(head) = head {
        for tile in tiles_of(head.size).filter(|tile| !tiles.contains(tile)) {
            differs(report, tile.to_string(), "it is missing, and the head covers it");
        }
    }
    let tree = match snapshot {
        None => Tree::default(),
        Some(snapshot) => {
            let root = (snapshot.size(), snapshot.signed().checkpoint.root);
            match Tree::of_tiles(root, |tile| snapshot.read(files, tile).map(Some)) {
                Ok(tree) => tree,
                Err(_) => return unmade(report, "the checkpoint's own files do not go together"),
            }
        }
    };
    let mut root: Option<Hash> = None;
    let at_head = |tree: &Tree| root = root.or(head.filter(|head| head.size == tree.size()).map(|_| tree.root()));
    let mut wrong = Vec::new();
    let reached = ahead::compare(
        &SystemDisk,
        &places.journal,
        tree,
        tiles,
        |tile| snapshot::read(files, tile),
        at_head,
        |tile, found| wrong.push((tile, found)),
    );
    let reached = match reached {
        Ok(reached) if reached.joins => reached,
        Ok(_) if report.live => return,
        Ok(_) => return unmade(report, "its beginning is gone"),
        // Covered and removed while this was read.
        Err(error) if report.live && error.kind() == ErrorKind::NotFound => return,
        Err(error) => return unmade(report, &chain(&error)),
    };
    const NOBODYS: &str = "no tree over the log's entries and its journal's records has it";
    for (tile, found) in wrong {
        match found {
            Found::Other => differs(report, tile.to_string(), "it is not what the journal's records make of it"),
            Found::Beyond => differs(report, tile.to_string(), NOBODYS),
            Found::Unread(error) => {
                report.findings.push(Finding::of_source(Spot::File(tile.to_string()), &error));
            }
        }
    }
    for (path, _) in folders.into_iter().filter(|(_, from)| *from > reached.size) {
        differs(report, path, NOBODYS);
    }
    if let (Some(head), Some(root)) = (head, root)
        && root != head.root
    {
        let why = format!("its root {} is not that of its {} records, {root}", head.root, head.size);
        report.findings.push(Finding::differs(Spot::State("head".to_owned()), why));
    }
}

fn unmade(report: &mut LogReport, why: &str) {
    let why = format!("the tree over its records cannot be made: {why}");
    report.findings.push(Finding::differs(Spot::State("journal".to_owned()), why));
}

fn differs(report: &mut LogReport, path: String, why: &str) {
    let at = Spot::File(path);
    if !report.findings.first().iter().any(|finding| finding.at == at) {
        report.findings.push(Finding::differs(at, why));
    }
}
