//! The growing tree: entries go in at the right, tiles and bundles come out. Pure.

use crate::merkle::{self, HASH_BYTES, Hash};
use crate::tile::{self, Level, TILE_LEVELS, TILE_WIDTH, Tile};

/// What the right edge of a log's tiles says: all that is needed to append to it. At most 16 MiB, usually a few hundred kilobytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    size: u64,
    /// The hashes of each level's partial tile, from the leaves up.
    rows: Vec<Vec<Hash>>,
    /// The partial bundle.
    bundle: Vec<u8>,
}

/// A tile or bundle as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) tile: Tile,
    pub(crate) bytes: Vec<u8>,
}

/// Why the right edge of a tree's tiles is none.
#[derive(Debug)]
pub(crate) enum EdgeError<E> {
    /// A tile cannot be read.
    Read(Tile, E),
    /// A tile is missing, or does not hold what its name and the other tiles say.
    Wrong(Tile, &'static str),
    /// The tiles have another root.
    Root(Hash),
}

impl Tree {
    /// The tree of `size` entries and of that root whose tiles `read` gives: reads the partial ones. The bundle must hold the entries of the
    /// leaf hashes.
    pub(crate) fn of_tiles<E>(
        (size, root): (u64, Hash),
        read: impl Fn(Tile) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Self, EdgeError<E>> {
        let bytes_of = |tile| match read(tile) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(EdgeError::Wrong(tile, "it is missing")),
            Err(error) => Err(EdgeError::Read(tile, error)),
        };
        let mut tree = Self { size, ..Self::default() };
        for level in 0..TILE_LEVELS {
            let row = match partial(Level::Hashes(level), size) {
                None => Vec::new(),
                Some(tile) => {
                    let hashes = tile::hashes(&bytes_of(tile)?, tile.width);
                    hashes.ok_or(EdgeError::Wrong(tile, "it has another length than its name says"))?
                }
            };
            tree.rows.push(row);
        }
        if tree.root() != root {
            return Err(EdgeError::Root(tree.root()));
        }
        if let Some(tile) = partial(Level::Entries, size) {
            tree.bundle = bytes_of(tile)?;
            let entries = tile::entries(&tree.bundle, tile.width);
            let entries = entries.ok_or(EdgeError::Wrong(tile, "it does not hold as many entries as its name says"))?;
            let leaves = tree.rows.first().map(Vec::as_slice).unwrap_or_default();
            if !entries.into_iter().map(merkle::leaf_hash).eq(leaves.iter().copied()) {
                return Err(EdgeError::Wrong(tile, "its entries are not those of the leaf hashes"));
            }
        }
        Ok(tree)
    }

    /// Entries.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Appends an entry of at most [`tile::ENTRY_BYTES_MOST`] bytes; gives the tiles and the bundle that are full now.
    pub(crate) fn push(&mut self, entry: &[u8], leaf: Hash) -> Vec<Made> {
        self.bundle.extend_from_slice(&u16::try_from(entry.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.bundle.extend_from_slice(entry);
        let index = self.size >> 8;
        self.size = self.size.saturating_add(1);
        let mut made = Vec::new();
        let (mut hash, mut index, mut level) = (leaf, index, 0_u8);
        if self.size.trailing_zeros() >= 8 {
            let bytes = std::mem::take(&mut self.bundle);
            made.push(Made { tile: Tile { level: Level::Entries, index, width: TILE_WIDTH }, bytes });
        }
        loop {
            if self.rows.len() <= usize::from(level) {
                self.rows.push(Vec::new());
            }
            let Some(row) = self.rows.get_mut(usize::from(level)) else { return made };
            row.push(hash);
            if row.len() < usize::from(TILE_WIDTH) {
                return made;
            }
            let row = std::mem::take(row);
            made.push(Made {
                tile: Tile { level: Level::Hashes(level), index, width: TILE_WIDTH },
                bytes: bytes_of(&row),
            });
            (hash, index, level) = (merkle::complete_root(&row), index >> 8, level.saturating_add(1));
        }
    }

    /// The partial tiles and the partial bundle.
    pub(crate) fn edge(&self) -> impl Iterator<Item = Made> {
        let bundle = partial(Level::Entries, self.size).map(|tile| Made { tile, bytes: self.bundle.clone() });
        let rows = (0..TILE_LEVELS).zip(&self.rows).filter_map(|(level, row)| {
            partial(Level::Hashes(level), self.size).map(|tile| Made { tile, bytes: bytes_of(row) })
        });
        bundle.into_iter().chain(rows)
    }

    /// The tree's root: the complete subtrees at the right edge, the smallest first, each joined to the left of those before it.
    pub(crate) fn root(&self) -> Hash {
        let mut root: Option<Hash> = None;
        for row in &self.rows {
            let mut rest = row.as_slice();
            while !rest.is_empty() {
                let width = 1_usize.checked_shl(rest.len().trailing_zeros()).unwrap_or(1);
                let (before, subtree) = rest.split_at(rest.len().saturating_sub(width));
                let subtree = merkle::complete_root(subtree);
                root = Some(root.map_or(subtree, |right| merkle::node_hash(&subtree, &right)));
                rest = before;
            }
        }
        root.unwrap_or(merkle::EMPTY_ROOT)
    }
}

/// The partial tile that a tree of `size` entries has at a level.
fn partial(level: Level, size: u64) -> Option<Tile> {
    let shift = match level {
        Level::Entries => 0,
        Level::Hashes(level) => u32::from(level).saturating_mul(8),
    };
    let index = size.checked_shr(shift.saturating_add(8)).unwrap_or(0);
    Tile::of_tree(level, index, size).filter(|tile| !tile.is_full())
}

fn bytes_of(row: &[Hash]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(row.len().saturating_mul(HASH_BYTES));
    row.iter().for_each(|hash| bytes.extend_from_slice(hash.as_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::Frontier;
    use crate::tile::tiles_of;
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    fn entry(index: u64) -> Vec<u8> {
        format!("entry-{index}\n").into_bytes()
    }

    /// A tree that was grown to that size, with every tile it made.
    fn grown(size: u64) -> (Tree, BTreeMap<Tile, Vec<u8>>) {
        let (mut tree, mut tiles) = (Tree::default(), BTreeMap::new());
        for index in 0..size {
            let entry = entry(index);
            tiles.extend(tree.push(&entry, merkle::leaf_hash(&entry)).into_iter().map(|made| (made.tile, made.bytes)));
        }
        tiles.extend(tree.edge().map(|made| (made.tile, made.bytes)));
        (tree, tiles)
    }

    #[test]
    fn a_tree_makes_exactly_the_tiles_of_its_size_and_goes_on_from_them() {
        for size in [0, 1, 2, 3, 255, 256, 257, 511, 512, 1_000, 65_535, 65_536, 65_537, 70_000] {
            let (mut tree, tiles) = grown(size);
            assert_eq!(tiles.keys().copied().collect::<Vec<_>>(), {
                let mut wanted: Vec<Tile> = tiles_of(size).collect();
                wanted.sort();
                wanted
            });
            let mut frontier = Frontier::default();
            (0..size).for_each(|index| frontier.push(merkle::leaf_hash(&entry(index))));
            assert_eq!(tree.root(), frontier.root(), "{size}");
            let read = |tile: Tile| Ok::<_, Infallible>(tiles.get(&tile).cloned());
            let mut again = Tree::of_tiles((size, tree.root()), read).unwrap();
            assert_eq!((again.root(), again.size()), (tree.root(), size));
            let next = entry(size);
            let leaf = merkle::leaf_hash(&next);
            assert_eq!(tree.push(&next, leaf), again.push(&next, leaf));
            assert_eq!(tree.root(), again.root());
        }
    }

    #[test]
    fn the_root_of_seventy_thousand_entries_is_the_one_of_the_original_implementation() {
        let root: String = grown(70_000).0.root().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(root, "5adf35337f0d839730bf4eac68de73f96783cb2b1341a83f7650687737ee7ca1");
    }

    #[test]
    fn an_edge_that_lacks_a_tile_or_holds_another_one_is_refused() {
        let size = 70_000;
        let (tree, tiles) = grown(size);
        for made in tree.edge() {
            let without = |tile: Tile| Ok::<_, Infallible>(tiles.get(&tile).filter(|_| tile != made.tile).cloned());
            assert!(
                matches!(Tree::of_tiles((size, tree.root()), without), Err(EdgeError::Wrong(tile, _)) if tile == made.tile)
            );
            for place in [0, made.bytes.len() / 2, made.bytes.len() - 1] {
                let flipped = |tile: Tile| {
                    let mut bytes = tiles.get(&tile).cloned();
                    if let Some(byte) = bytes.as_mut().filter(|_| tile == made.tile).and_then(|all| all.get_mut(place))
                    {
                        *byte ^= 1;
                    }
                    Ok::<_, Infallible>(bytes)
                };
                let error = Tree::of_tiles((size, tree.root()), flipped).unwrap_err();
                let is_bundle = made.tile.level == Level::Entries;
                assert_eq!(matches!(error, EdgeError::Root(_)), !is_bundle, "{}: {error:?}", made.tile);
            }
        }
    }
}
