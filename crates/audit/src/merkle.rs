//! The Merkle tree of RFC 6962 (section 2.1) and RFC 9162 (section 2.1): hashes, roots, proofs and their checks. Pure functions.
//!
//! A complete subtree is named by its level and index: it holds the leaves from `index * 2^level` up to, without, `(index + 1) * 2^level`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A hash of the tree: SHA-256. Shown in Base64, as checkpoints and proofs spell it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;

/// The root of the tree without leaves: the SHA-256 of nothing.
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

impl Hash {
    /// A hash made elsewhere.
    pub const fn from_bytes(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }

    /// The hash in 32 bytes; `None` for any other number of them.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }

    /// Reads the standard, padded Base64 of 32 bytes, and no other spelling of it.
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_slice(&STANDARD.decode(text).ok()?)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The hash of an entry: SHA-256 over a byte 0 and the entry.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
}

/// As [`leaf_hash`], with room for a copy of the entry: SHA-256 is a fifth faster over bytes that stand in one piece.
pub(crate) fn leaf_hash_in(room: &mut Vec<u8>, entry: &[u8]) -> Hash {
    room.clear();
    room.push(0);
    room.extend_from_slice(entry);
    Hash(Sha256::digest(room).into())
}

/// The hash of two neighbours: SHA-256 over a byte 1, the left hash and the right one.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// A tree that grows at its right: the roots of its complete subtrees, largest first. Some two kilobytes for any size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// The frontier of a tree of `size` leaves whose nodes `nodes` gives.
    ///
    /// # Errors
    /// What `nodes` says.
    pub fn of_tree<R: HashReader>(size: u64, nodes: &R) -> Result<Self, R::Error> {
        let roots = subtrees(0, size).map(|(level, index)| nodes.node(level, index)).collect::<Result<_, _>>()?;
        Ok(Self { size, roots })
    }

    /// Leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each one at the low end of the size is a complete subtree as large as the node that comes.
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.roots.pop() else { break };
            node = node_hash(&left, &node);
        }
        self.roots.push(node);
        self.size = self.size.saturating_add(1);
    }

    /// The tree's root.
    pub fn root(&self) -> Hash {
        fold(&self.roots)
    }
}

/// One root over subtrees that stand side by side, largest first.
fn fold(roots: &[Hash]) -> Hash {
    roots.iter().rev().copied().reduce(|right, left| node_hash(&left, &right)).unwrap_or(EMPTY_ROOT)
}

/// The root over hashes of one level that stand side by side, 2^n of them.
pub(crate) fn complete_root(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node_hash(left, right),
                // Not reached for 2^n hashes.
                _ => pair.first().copied().unwrap_or(EMPTY_ROOT),
            })
            .collect();
    }
    row.first().copied().unwrap_or(EMPTY_ROOT)
}

/// Gives the roots of complete subtrees.
pub trait HashReader {
    /// Why one cannot be given.
    type Error;

    /// The root of the complete subtree at that level and index.
    ///
    /// # Errors
    /// When it cannot be read.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// The largest power of two below `count`, which is at least two.
const fn split(count: u64) -> u64 {
    1 << 63_u32.saturating_sub(count.saturating_sub(1).leading_zeros())
}

/// The complete subtrees that make up the leaves from `low` up to `high`, largest first. `low` is a multiple of a power of two that is at
/// least as large as their number, as every split of a tree makes it.
fn subtrees(low: u64, high: u64) -> impl Iterator<Item = (u32, u64)> {
    let mut at = low;
    std::iter::from_fn(move || {
        let left = high.checked_sub(at)?;
        let level = left.checked_ilog2()?;
        let index = at.checked_shr(level)?;
        at = at.checked_add(1_u64.checked_shl(level)?)?;
        Some((level, index))
    })
}

fn range_root<R: HashReader>(low: u64, high: u64, nodes: &R) -> Result<Hash, R::Error> {
    let roots: Vec<Hash> =
        subtrees(low, high).map(|(level, index)| nodes.node(level, index)).collect::<Result<_, _>>()?;
    Ok(fold(&roots))
}

/// The root of the tree of `size` leaves.
///
/// # Errors
/// What `nodes` says.
pub fn root<R: HashReader>(size: u64, nodes: &R) -> Result<Hash, R::Error> {
    range_root(0, size, nodes)
}

/// The inclusion proof of leaf `index` in the tree of `size` leaves, the leaf's neighbour first (RFC 9162, 2.1.3.1). `None` when there is
/// no such leaf.
///
/// # Errors
/// What `nodes` says.
pub fn inclusion_proof<R: HashReader>(index: u64, size: u64, nodes: &R) -> Result<Option<Vec<Hash>>, R::Error> {
    if index >= size {
        return Ok(None);
    }
    let (mut low, mut high) = (0_u64, size);
    let mut proof = Vec::new();
    while high.saturating_sub(low) > 1 {
        let middle = low.saturating_add(split(high.saturating_sub(low)));
        if index < middle {
            proof.push(range_root(middle, high, nodes)?);
            high = middle;
        } else {
            proof.push(range_root(low, middle, nodes)?);
            low = middle;
        }
    }
    proof.reverse();
    Ok(Some(proof))
}

/// The proof that the tree of `new` leaves extends the one of `old` leaves (RFC 9162, 2.1.4.1). Empty for equal sizes and for an old size of
/// nought. `None` when the old tree is the larger.
///
/// # Errors
/// What `nodes` says.
pub fn consistency_proof<R: HashReader>(old: u64, new: u64, nodes: &R) -> Result<Option<Vec<Hash>>, R::Error> {
    if old > new {
        return Ok(None);
    }
    if old == 0 {
        return Ok(Some(Vec::new()));
    }
    let (mut low, mut high) = (0_u64, new);
    let mut proof = Vec::new();
    while old != high {
        let middle = low.saturating_add(split(high.saturating_sub(low)));
        if old <= middle {
            proof.push(range_root(middle, high, nodes)?);
            high = middle;
        } else {
            proof.push(range_root(low, middle, nodes)?);
            low = middle;
        }
    }
    // Where the old tree is a complete subtree of the new one, the verifier has its root already.
    if low > 0 {
        proof.push(range_root(low, high, nodes)?);
    }
    proof.reverse();
    Ok(Some(proof))
}

/// Whether `proof` shows that `leaf` stands at `index` of the tree of `size` leaves with that root (RFC 9162, 2.1.3.2).
pub fn includes(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> bool {
    let Some(mut last) = size.checked_sub(1) else { return false };
    if index > last {
        return false;
    }
    let mut at = index;
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree of `new` leaves with `new_root` extends the one of `old` leaves with `old_root` (RFC 9162, 2.1.4.2).
/// An old size of nought proves nothing, and is true with the empty root and an empty proof.
pub fn extends(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    if old > new {
        return false;
    }
    if old == 0 || old == new {
        let same = if old == 0 { *old_root == EMPTY_ROOT } else { old_root == new_root };
        return same && proof.is_empty();
    }
    // A complete old tree is the first element of its own proof.
    let given = if old.is_power_of_two() { Some(old_root) } else { None };
    let mut path = given.into_iter().chain(proof);
    let Some(first) = path.next() else { return false };
    let (mut at, mut last) = (old.saturating_sub(1), new.saturating_sub(1));
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}
