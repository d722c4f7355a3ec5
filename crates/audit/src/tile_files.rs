//! The tiles and bundles of a log on disk: written beside the journal, synced together, then put in their places.

use crate::ahead;
use crate::disk::{self, Disk, Places};
use crate::tile::Tile;
use crate::tree::Made;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Files that are written before the first is synced: the disk takes them together.
const STAGED_MOST: usize = 32;

/// The tiles and bundles of one log on disk.
#[derive(Debug, Default)]
pub(crate) struct TileFiles {
    /// Written, not in their places.
    staged: Vec<Staged>,
    /// Folders whose names are not durable yet.
    unsynced: BTreeSet<PathBuf>,
    /// Folders that are there, durably.
    made: BTreeSet<PathBuf>,
    /// The partial ones that may stand on disk.
    partial: BTreeSet<Tile>,
}

#[derive(Debug)]
struct Staged {
    file: File,
    beside: PathBuf,
    place: PathBuf,
}

impl TileFiles {
    /// With those partial ones on disk.
    pub(crate) fn new(partial: BTreeSet<Tile>) -> Self {
        Self { partial, ..Self::default() }
    }

    /// Forgets what an attempt that failed left staged.
    pub(crate) fn begin(&mut self) {
        self.staged.clear();
    }

    /// Writes one. It is in its place, durably, after [`TileFiles::finish`].
    pub(crate) fn put(&mut self, disk: &dyn Disk, places: &Places, made: &Made) -> io::Result<()> {
        let beside = places.state.join(format!("tile-{:02}.new", self.staged.len()));
        let file = disk.create(&beside)?;
        disk::write_all(disk, &file, &made.bytes)?;
        if !made.tile.is_full() {
            self.partial.insert(made.tile);
        }
        self.staged.push(Staged { file, beside, place: places.root.join(made.tile.to_string()) });
        if self.staged.len() >= STAGED_MOST { self.place(disk, places) } else { Ok(()) }
    }

    /// Makes all that was put durable.
    pub(crate) fn finish(&mut self, disk: &dyn Disk, places: &Places) -> io::Result<()> {
        self.place(disk, places)?;
        while let Some(folder) = self.unsynced.first() {
            disk.sync_dir(folder)?;
            self.unsynced.pop_first();
        }
        Ok(())
    }

    fn place(&mut self, disk: &dyn Disk, places: &Places) -> io::Result<()> {
        for staged in &self.staged {
            disk.sync_data(&staged.file)?;
        }
        for staged in std::mem::take(&mut self.staged) {
            if let Some(folder) = staged.place.parent() {
                if !self.made.contains(folder) {
                    disk::make_dirs(disk, &places.root, folder)?;
                    self.made.insert(folder.to_owned());
                }
                self.unsynced.insert(folder.to_owned());
            }
            disk.rename(&staged.beside, &staged.place)?;
        }
        Ok(())
    }

    /// Removes the partial ones that the tree of `size` entries does not have.
    pub(crate) fn remove_outgrown(&mut self, disk: &dyn Disk, places: &Places, size: u64) -> io::Result<()> {
        let outgrown: Vec<Tile> =
            self.partial.iter().copied().filter(|tile| of_tree(tile, size) != Some(*tile)).collect();
        for tile in &outgrown {
            let path = places.root.join(tile.to_string());
            disk::remove_if_there(disk, &path)?;
            // Once no partial one is left there, neither is their folder.
            let is_left = of_tree(tile, size).is_some_and(|now| !now.is_full());
            if let Some(folder) = path.parent().filter(|_| !is_left) {
                self.made.remove(folder);
                self.unsynced.remove(folder);
                remove_empty(disk, folder)?;
            }
            self.partial.remove(tile);
        }
        Ok(())
    }
}

fn of_tree(tile: &Tile, size: u64) -> Option<Tile> {
    Tile::of_tree(tile.level, tile.index, size)
}

/// Removes a folder if it is there and empty.
fn remove_empty(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    match disk.remove_dir(folder) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => Err(error),
        _ => Ok(()),
    }
}

/// What stands under a log's root at start.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Partial tiles and bundles.
    pub(crate) partial: BTreeSet<Tile>,
    /// The first tile or bundle that a tree of the log's size has not reached.
    pub(crate) beyond: Option<Tile>,
    /// Those that the tree of the head does not have yet.
    pub(crate) ahead: Vec<Tile>,
}

/// Looks through the tiles of a log of `size` records, of which a head covers the first ones, and removes empty folders. What has no tile's
/// name is left for who verifies the log.
pub(crate) fn look_through(disk: &dyn Disk, places: &Places, covered: u64, size: u64) -> io::Result<Found> {
    let mut found = Found::default();
    look_into(disk, places, "tile", (covered, size), &mut found)?;
    Ok(found)
}

fn look_into(
    disk: &dyn Disk,
    places: &Places,
    folder: &str,
    (covered, size): (u64, u64),
    found: &mut Found,
) -> io::Result<()> {
    let path = places.root.join(folder);
    let listed = disk::list_if_there(disk, &path)?;
    if listed.is_empty() && folder.ends_with(".p") {
        return remove_empty(disk, &path);
    }
    for entry in listed {
        let name = format!("{folder}/{}", entry.name);
        if entry.is_dir {
            look_into(disk, places, &name, (covered, size), found)?;
        } else if let Some(tile) = Tile::parse(&name) {
            let is_reached = of_tree(&tile, size).is_some_and(|now| now.width >= tile.width);
            if !is_reached {
                found.beyond = found.beyond.or(Some(tile));
            }
            if !tile.is_full() {
                found.partial.insert(tile);
            }
            if ahead::size_of(tile).is_none_or(|from| from > covered) {
                found.ahead.push(tile);
            }
        }
    }
    Ok(())
}
