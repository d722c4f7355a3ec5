//! The tree, its proofs and its tiles against the definitions of RFC 6962, vectors that Go's `golang.org/x/mod/sumdb/tlog` gave, and `tlog_tiles`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where something is not as it must be")]

use agenttrader_audit::merkle::{
    EMPTY_ROOT, Frontier, Hash, HashReader, consistency_proof, extends, includes, inclusion_proof, leaf_hash,
    node_hash, root,
};
use agenttrader_audit::tile::{
    self, Level, TILE_WIDTH, Tile, TileHashes, bundle, cut_bundle, entries, new_tiles, outgrown, tiles_of,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

/// The tree's leaves, hashed anew at each question, as RFC 6962 section 2.1 defines it.
struct Leaves(Vec<Hash>);

fn entry(index: u64) -> Vec<u8> {
    format!("entry-{index}\n").into_bytes()
}

fn leaves(size: u64) -> Leaves {
    Leaves((0..size).map(|index| leaf_hash(&entry(index))).collect())
}

fn defined_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let middle = leaves.len().next_power_of_two() / 2;
            node_hash(&defined_root(&leaves[..middle]), &defined_root(&leaves[middle..]))
        }
    }
}

fn defined_path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let middle = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(middle);
    if index < middle {
        let mut path = defined_path(index, left);
        path.push(defined_root(right));
        path
    } else {
        let mut path = defined_path(index - middle, right);
        path.push(defined_root(left));
        path
    }
}

fn defined_consistency(old: usize, leaves: &[Hash], complete: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if complete { Vec::new() } else { vec![defined_root(leaves)] };
    }
    let middle = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(middle);
    if old <= middle {
        let mut path = defined_consistency(old, left, complete);
        path.push(defined_root(right));
        path
    } else {
        let mut path = defined_consistency(old - middle, right, false);
        path.push(defined_root(left));
        path
    }
}

impl HashReader for Leaves {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        let from = usize::try_from(index << level).unwrap();
        Ok(defined_root(&self.0[from..from + (1 << level)]))
    }
}

impl tlog_tiles::HashReader for Leaves {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let one = |index: &u64| {
            let (level, place) = tlog_tiles::tlog::split_stored_hash_index(*index);
            tlog_tiles::Hash(*self.node(u32::from(level), place).unwrap().as_bytes())
        };
        Ok(indexes.iter().map(one).collect())
    }
}

fn hex(hash: &Hash) -> String {
    hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn roots_are_those_of_the_original_implementation() {
    // Entry i is `entry-<i>` and a line end.
    let roots = [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "72032f944eee02cad0c062fbe103a03bb34301815e083bde724a7e2fb63107e4"),
        (2, "c701e864be8e4cd8074fd6553916c63292a3a599b4a2768d8af77c1fc28764e4"),
        (3, "a35e46a905b3c6882cf19a3988927fd067286a9b8b6461c54091267cfe9f26be"),
        (7, "a499a341a118c6c1e7fe62e9665e7857b851868baa7eb473f6a71316bb6519c9"),
        (255, "8aa46882f293a39c66069ce8910ccbede68cafaf095d9672492f6af4abfed761"),
        (256, "bb08a574075f8448c536fc70948ea1bfe827d27c27f296d8c439e36c7abbd211"),
        (257, "f0b635e4b65a7e87678d4c1cabdd5fcf13322427a90728f8d462734343243317"),
        (300, "63ec1c7641f7d1bba41ae94234388ba725d22356218dcf5cec626d438f292b2d"),
        (512, "a31e13c84bbaf8d8011d0ded24c555c06a558684a8bb4023a87c4fdf135760d3"),
        (65_536, "a1f49daba8078f608c719d87159d7a7c7f6ca100071eb081ffc5be64e1eaa390"),
        (65_537, "031acff00281a896a51e07b88b67506ea047bd40e797fb8d3ea3d8665f4bca64"),
        (70_000, "5adf35337f0d839730bf4eac68de73f96783cb2b1341a83f7650687737ee7ca1"),
    ];
    let mut frontier = Frontier::default();
    for (size, expected) in roots {
        while frontier.size() < size {
            frontier.push(leaf_hash(&entry(frontier.size())));
        }
        assert_eq!(hex(&frontier.root()), expected, "{size}");
    }
}

#[test]
fn every_proof_of_small_trees_is_the_defined_one_and_holds() {
    for size in 1..=70_u64 {
        let tree = leaves(size);
        let whole = defined_root(&tree.0);
        assert_eq!(root(size, &tree), Ok(whole));
        assert_eq!(Frontier::of_tree(size, &tree).unwrap().root(), whole);
        for index in 0..size {
            let place = usize::try_from(index).unwrap();
            let proof = inclusion_proof(index, size, &tree).unwrap().unwrap();
            assert_eq!(proof, defined_path(place, &tree.0));
            assert!(includes(index, size, &tree.0[place], &proof, &whole));
            assert!(!includes(index + 1, size, &tree.0[place], &proof, &whole) || size == 1 && index > 0);
            assert!(!includes(index, size, &EMPTY_ROOT, &proof, &whole));
        }
        assert_eq!(inclusion_proof(size, size, &tree), Ok(None));
        for old in 1..=size {
            let part = usize::try_from(old).unwrap();
            let proof = consistency_proof(old, size, &tree).unwrap().unwrap();
            assert_eq!(proof, defined_consistency(part, &tree.0, true), "{old} in {size}");
            let old_root = defined_root(&tree.0[..part]);
            assert!(extends(old, &old_root, size, &whole, &proof));
            assert!(old == size || !extends(old, &whole, size, &whole, &proof));
            assert!(!extends(old, &old_root, size, &EMPTY_ROOT, &proof));
        }
        assert_eq!(consistency_proof(0, size, &tree), Ok(Some(Vec::new())));
        assert!(extends(0, &EMPTY_ROOT, size, &whole, &[]) && !extends(0, &whole, size, &whole, &[]));
        assert_eq!(consistency_proof(size + 1, size, &tree), Ok(None));
    }
}

fn theirs(hash: &Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(*hash.as_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn tlog_tiles_makes_and_takes_the_same_proofs(size in 1_u64..700, place in any::<u64>(), old in any::<u64>()) {
        let tree = leaves(size);
        let (index, old) = (place % size, old % size + 1);
        let whole = defined_root(&tree.0);
        prop_assert_eq!(tlog_tiles::tlog::tree_hash(size, &tree).unwrap().0, *whole.as_bytes());

        let proof = inclusion_proof(index, size, &tree).unwrap().unwrap();
        let their_proof: Vec<_> = proof.iter().map(theirs).collect();
        prop_assert_eq!(&tlog_tiles::tlog::prove_record(size, index, &tree).unwrap(), &their_proof);
        let leaf = tree.0[usize::try_from(index).unwrap()];
        tlog_tiles::tlog::check_record(&their_proof, size, theirs(&whole), index, theirs(&leaf)).unwrap();

        let proof = consistency_proof(old, size, &tree).unwrap().unwrap();
        let their_proof: Vec<_> = proof.iter().map(theirs).collect();
        prop_assert_eq!(&tlog_tiles::tlog::prove_tree(size, old, &tree).unwrap(), &their_proof);
        let old_root = defined_root(&tree.0[..usize::try_from(old).unwrap()]);
        tlog_tiles::tlog::check_tree(&their_proof, size, theirs(&whole), old, theirs(&old_root)).unwrap();
    }

    #[test]
    fn no_changed_proof_holds(
        size in 2_u64..300, place in any::<u64>(), old in any::<u64>(), at in any::<prop::sample::Index>(), bit in 0_usize..256, change in 0..5
    ) {
        let tree = leaves(size);
        let whole = defined_root(&tree.0);
        let changed = |mut proof: Vec<Hash>| {
            let place = if proof.is_empty() { 0 } else { at.index(proof.len()) };
            match change {
                0 if !proof.is_empty() => {
                    let mut bytes = *proof[place].as_bytes();
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    proof[place] = Hash::from_bytes(bytes);
                }
                1 if !proof.is_empty() => drop(proof.remove(place)),
                2 if proof.len() > 1 => {
                    let other = (place + 1) % proof.len();
                    proof.swap(place, other);
                }
                3 => proof.insert(place, EMPTY_ROOT),
                _ => proof.push(whole),
            }
            proof
        };
        let index = place % size;
        let proof = inclusion_proof(index, size, &tree).unwrap().unwrap();
        let leaf = tree.0[usize::try_from(index).unwrap()];
        prop_assert!(!includes(index, size, &leaf, &changed(proof), &whole));
        let old = old % (size - 1) + 1;
        let old_root = defined_root(&tree.0[..usize::try_from(old).unwrap()]);
        let proof = consistency_proof(old, size, &tree).unwrap().unwrap();
        prop_assert!(!extends(old, &old_root, size, &whole, &changed(proof)));
    }

    #[test]
    fn no_size_index_or_proof_stops_a_check(
        old in any::<u64>(), new in any::<u64>(), proof in prop::collection::vec(any::<[u8; 32]>().prop_map(Hash::from_bytes), 0..70)
    ) {
        let _ = includes(old, new, &EMPTY_ROOT, &proof, &EMPTY_ROOT);
        prop_assert!(old == new || !extends(old, &EMPTY_ROOT, new, &leaf_hash(b"x"), &proof));
    }

    #[test]
    fn a_path_is_read_back_and_every_other_text_is_none(
        level in 0_u8..8, index in any::<u64>(), width in 1_u16..=256, text in "tile/(entries|[0-9]{1,2})(/x?[0-9]{2,3}){1,3}(\\.p/[0-9]{1,3})?"
    ) {
        for level in [Level::Entries, Level::Hashes(level)] {
            let tile = Tile { level, index, width };
            prop_assert_eq!(Tile::parse(&tile.to_string()), Some(tile));
        }
        if let Some(tile) = Tile::parse(&text) {
            prop_assert_eq!(tile.to_string(), text);
        }
    }
}

#[test]
fn paths_are_those_of_tlog_tiles() {
    for index in [0, 1, 9, 273, 999, 1_000, 1_234_067, 999_999_999] {
        for width in [1, 17, 255, 256] {
            for level in [0, 1, 2, 7] {
                let strip =
                    |path: String| path.replacen("tile/8/", "tile/", 1).replacen("tile/data/", "tile/entries/", 1);
                let mut theirs = tlog_tiles::tile::Tile::new(8, level, index, width, false);
                let width = u16::try_from(width).unwrap();
                let ours = Tile { level: Level::Hashes(level), index, width };
                assert_eq!(ours.to_string(), strip(theirs.path()));
                if level == 0 {
                    theirs.set_is_data();
                    assert_eq!(ours_entries(index, width), strip(theirs.path()));
                }
            }
        }
    }
    assert_eq!(ours_entries(1_234_067, TILE_WIDTH), "tile/entries/x001/x234/067");
}

fn ours_entries(index: u64, width: u16) -> String {
    Tile { level: Level::Entries, index, width }.to_string()
}

#[test]
fn other_spellings_of_a_path_are_none() {
    for path in [
        "",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/x001",
        "tile/0/001/000",
        "tile/00/000",
        "tile/8/000",
        "tile/-1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/07",
        "tile/0/000.p/1/",
        "tile/0/000.p",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/../000",
        "tile/entries/x000/x000/000",
        "tile/data/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "checkpoint",
    ] {
        assert_eq!(Tile::parse(path), None, "{path}");
    }
}

#[test]
fn the_files_of_a_size_are_those_of_the_format() {
    let names = |size| tiles_of(size).map(|tile| tile.to_string()).collect::<Vec<_>>();
    assert!(names(0).is_empty());
    assert_eq!(names(256), ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
    let of_70_000 = names(70_000);
    assert_eq!(of_70_000.len(), 274 + 274 + 2 + 1);
    for path in ["tile/entries/273.p/112", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"] {
        assert!(of_70_000.contains(&path.to_owned()), "{path}");
    }
}

#[test]
fn what_is_written_and_removed_as_a_tree_grows_leaves_exactly_the_files_of_its_size() {
    let mut on_disk = BTreeSet::new();
    let mut old = 0_u64;
    for new in [0, 1, 1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 66_000, 131_072] {
        on_disk.extend(new_tiles(old, new));
        for tile in outgrown(old, new) {
            assert!(on_disk.remove(&tile), "{tile}");
        }
        assert_eq!(on_disk, tiles_of(new).collect::<BTreeSet<_>>(), "{old} to {new}");
        for tile in tiles_of(new) {
            assert_eq!(Tile::of_tree(tile.level, tile.index, new), Some(tile));
        }
        old = new;
    }
}

#[test]
fn proofs_come_out_of_tiles_as_out_of_leaves() {
    let size = 70_000_u64;
    let tree = leaves(size);
    let mut rows = vec![tree.0.clone()];
    for level in 1..3 {
        let below = &rows[level - 1];
        let row = below.chunks_exact(256).map(defined_root).collect();
        rows.push(row);
    }
    let files: BTreeMap<Tile, Vec<u8>> = tiles_of(size)
        .filter_map(|tile| {
            let Level::Hashes(level) = tile.level else { return None };
            let from = usize::try_from(tile.index).unwrap() * 256;
            let hashes = &rows[usize::from(level)][from..from + usize::from(tile.width)];
            Some((tile, hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()))
        })
        .collect();
    let tiles = TileHashes::new(size, |tile: Tile| Ok::<_, Infallible>(files.get(&tile).cloned()));
    let whole = root(size, &tiles).unwrap();
    assert_eq!(hex(&whole), "5adf35337f0d839730bf4eac68de73f96783cb2b1341a83f7650687737ee7ca1");
    for index in [0, 1, 255, 256, 65_535, 65_536, 69_999] {
        let proof = inclusion_proof(index, size, &tiles).unwrap().unwrap();
        assert!(includes(index, size, &tree.0[usize::try_from(index).unwrap()], &proof, &whole));
    }
    for old in [1_u64, 255, 256, 257, 65_536, 65_537, 69_999] {
        let proof = consistency_proof(old, size, &tiles).unwrap().unwrap();
        let old_root = defined_root(&tree.0[..usize::try_from(old).unwrap()]);
        assert!(extends(old, &old_root, size, &whole, &proof), "{old}");
    }
    let none = TileHashes::new(size, |_: Tile| Ok::<_, Infallible>(None));
    assert!(root(size, &none).is_err());
    assert!(tiles.node(3, size).is_err() && tiles.node(64, 0).is_err() && tiles.node(200, u64::MAX).is_err());
}

#[test]
fn a_bundle_is_read_back_and_no_other_bytes_are_one() {
    let given: Vec<Vec<u8>> = vec![b"a".to_vec(), Vec::new(), vec![7; 65_535]];
    let bytes = bundle(given.iter().map(Vec::as_slice)).unwrap();
    assert_eq!(entries(&bytes, 3).unwrap(), given);
    assert_eq!(entries(&bytes, 2), None);
    assert_eq!(entries(&bytes[..bytes.len() - 1], 3), None);
    assert_eq!(cut_bundle(&bytes, 2), Some(&bytes[..5]));
    assert_eq!(cut_bundle(&bytes, 4), None);
    let too_long = [0_u8; 65_536];
    assert_eq!(bundle([&too_long[..]]), None);
    assert_eq!(tile::hashes(&[0; 64], 2).map(|hashes| hashes.len()), Some(2));
    assert_eq!(tile::hashes(&[0; 63], 2), None);
}
