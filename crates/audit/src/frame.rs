//! Frames of the journal: pure. One frame holds one record.
//!
//! Little-endian: length of the record in 4 bytes · CRC-32 of all that follows in 4 · index of the first record of its batch in 8 · chain
//! before it in 32 · the record. The chain before record 0 is 32 noughts, and after record i it is SHA-256 over the chain before it and the
//! record's leaf hash: each frame speaks for all before it.

use crate::merkle::{HASH_BYTES, Hash, leaf_hash};
use crate::record::RECORD_BYTES_MOST;
use agenttrader_core::digest::Digest;
use sha2::{Digest as _, Sha256};

/// Bytes before a frame's record.
pub(crate) const HEADER_BYTES: usize = 4 + 4 + 8 + HASH_BYTES;

/// The chain before the first record.
pub(crate) const CHAIN_START: Hash = Hash::from_bytes([0; HASH_BYTES]);

/// How far ahead of its place a batch may claim to begin. What claims more is no frame: text and noise always do, so that looking for good
/// frames among them costs next to nothing.
const BATCH_AHEAD_MOST: u64 = 1 << 32;

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'bytes> {
    /// Index of the first record that was written together with this one.
    pub(crate) batch: u64,
    /// The chain over all records before this one.
    pub(crate) before: Hash,
    /// The record.
    pub(crate) record: &'bytes [u8],
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoded<'bytes> {
    /// A frame that was written whole, and its length.
    Whole(Frame<'bytes>, usize),
    /// The start of a frame, or nothing.
    Short,
    /// No frame.
    Bad(&'static str),
}

/// The chain after one more record.
pub(crate) fn chain_after(before: &Hash, leaf: &Hash) -> Hash {
    let both = Sha256::new().chain_update(before.as_bytes()).chain_update(leaf.as_bytes());
    Hash::from_bytes(both.finalize().into())
}

/// The chain after the record itself.
pub(crate) fn chain_over(before: &Hash, record: &[u8]) -> Hash {
    chain_after(before, &leaf_hash(record))
}

/// Appends a frame to `out`, of a record of at most [`RECORD_BYTES_MOST`] bytes that `write` appends to it; gives the chain after it.
pub(crate) fn append(out: &mut Vec<u8>, batch: u64, before: &Hash, write: impl FnOnce(&mut Vec<u8>)) -> Hash {
    let start = out.len();
    out.resize(start.saturating_add(HEADER_BYTES), 0);
    write(out);
    let frame = out.get_mut(start..).unwrap_or_default();
    // A leaf hash is over a nought and the record. The header's last byte still is one: SHA-256 is faster over bytes in one piece.
    let leaf = Hash::from_bytes(*Digest::of(frame.get(LEAF_AT..).unwrap_or_default()).as_bytes());
    put_header(frame, batch, before);
    chain_after(before, &leaf)
}

/// Where in a frame the bytes of its leaf hash begin, before the header is there.
const LEAF_AT: usize = HEADER_BYTES - 1;

/// Puts a header before the record in a frame, into the room for it.
fn put_header(frame: &mut [u8], batch: u64, before: &Hash) {
    let Some((length, rest)) = frame.split_first_chunk_mut::<4>() else { return };
    let Some((checksum, checked)) = rest.split_first_chunk_mut::<4>() else { return };
    let Some((first, rest)) = checked.split_first_chunk_mut::<8>() else { return };
    let Some((chain, record)) = rest.split_first_chunk_mut::<HASH_BYTES>() else { return };
    *length = u32::try_from(record.len()).unwrap_or(u32::MAX).to_le_bytes();
    *first = batch.to_le_bytes();
    *chain = *before.as_bytes();
    *checksum = crc32fast::hash(checked).to_le_bytes();
}

/// Reads the frame that `bytes` begin with.
pub(crate) fn decode(bytes: &[u8]) -> Decoded<'_> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Decoded::Short };
    let length = match usize::try_from(u32::from_le_bytes(*length)) {
        Ok(length) if (1..=RECORD_BYTES_MOST).contains(&length) => length,
        _ => return Decoded::Bad("a frame's length is out of range"),
    };
    let Some((checksum, rest)) = rest.split_first_chunk::<4>() else { return Decoded::Short };
    let Some(checked) = rest.get(..length.saturating_add(8 + HASH_BYTES)) else { return Decoded::Short };
    if crc32fast::hash(checked) != u32::from_le_bytes(*checksum) {
        return Decoded::Bad("a frame's checksum differs");
    }
    let split = checked.split_first_chunk::<8>().and_then(|(batch, rest)| {
        let (before, record) = rest.split_first_chunk::<HASH_BYTES>()?;
        Some(Frame { batch: u64::from_le_bytes(*batch), before: Hash::from_bytes(*before), record })
    });
    match split {
        Some(frame) => Decoded::Whole(frame, length.saturating_add(HEADER_BYTES)),
        None => Decoded::Short,
    }
}

/// How many bytes the frame that `bytes` begin with takes up; where they are no frame's, as many as show that.
pub(crate) fn length(bytes: &[u8]) -> usize {
    let record = bytes.first_chunk::<4>().map(|length| u32::from_le_bytes(*length));
    let record = record.and_then(|length| usize::try_from(length).ok()).filter(|length| *length <= RECORD_BYTES_MOST);
    match record {
        Some(record) => record.saturating_add(HEADER_BYTES),
        None => 4,
    }
}

/// The first whole frame in `bytes`, at whatever offset, of a batch that began after record `index`: where record `index` is bad, it was
/// durable before that batch was written. Frames of its own batch may stand after it whatever happened: a disk may write the pages of a batch
/// that was never durable in any order.
pub(crate) fn of_later_batch(bytes: &[u8], index: u64) -> Option<usize> {
    let mut at = 0_usize;
    while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() > HEADER_BYTES) {
        match claims_batch(rest, index).then(|| decode(rest)) {
            Some(Decoded::Whole(frame, _)) if frame.batch > index => return Some(at),
            Some(Decoded::Whole(_, length)) => at = at.saturating_add(length),
            _ => at = at.saturating_add(1),
        }
    }
    None
}

/// Whether the header could be one of a batch near that index.
fn claims_batch(bytes: &[u8], index: u64) -> bool {
    let batch = bytes.get(8..).and_then(|rest| rest.first_chunk::<8>()).map(|batch| u64::from_le_bytes(*batch));
    batch.is_some_and(|batch| batch <= index.saturating_add(BATCH_AHEAD_MOST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Frames of those records, in batches that begin at those indices.
    fn frames(records: &[(u64, &[u8])]) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut starts, mut chain) = (Vec::new(), Vec::new(), CHAIN_START);
        for (batch, record) in records {
            starts.push(bytes.len());
            let after = append(&mut bytes, *batch, &chain, |out| out.extend_from_slice(record));
            assert_eq!(after, chain_over(&chain, record));
            chain = after;
        }
        (bytes, starts)
    }

    #[test]
    fn a_frame_is_laid_out_as_documented() {
        let (bytes, _) = frames(&[(0, b"{}"), (0, b"[1]")]);
        assert_eq!(bytes.len(), 2 * HEADER_BYTES + 5);
        assert_eq!(bytes[..4], [2, 0, 0, 0]);
        assert_eq!(bytes[8..48], [0; 40]);
        assert_eq!(&bytes[48..50], b"{}");
        let leaf = Digest::of(b"\0{}");
        let chain = Digest::of(&[[0; 32].as_slice(), leaf.as_bytes()].concat());
        assert_eq!(bytes[50 + 16..50 + 48], *chain.as_bytes());
    }

    #[test]
    fn a_frame_cut_anywhere_is_short_and_any_flipped_bit_is_found() {
        let (bytes, _) = frames(&[(7, b"{\"a\":1}")]);
        for cut in 0..bytes.len() {
            assert_eq!(decode(&bytes[..cut]), Decoded::Short);
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(decode(&flipped), Decoded::Whole(..)), "bit {bit}");
        }
    }

    #[test]
    fn a_later_batch_is_found_behind_any_damage_and_the_same_batch_is_not_taken_for_one() {
        let (bytes, starts) = frames(&[(3, b"three"), (3, b"four"), (3, b"five"), (6, b"six")]);
        for at in 0..starts[3] {
            assert_eq!(of_later_batch(&bytes[at..], 3), Some(starts[3] - at), "from {at}");
            assert_eq!(of_later_batch(&bytes[at..starts[3]], 3), None, "from {at}");
        }
        assert_eq!(of_later_batch(&bytes, 6), None);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            batch in any::<u64>(),
            before in any::<[u8; 32]>(),
            record in prop::collection::vec(any::<u8>(), 1..400),
            rest in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut bytes = Vec::new();
            append(&mut bytes, batch, &Hash::from_bytes(before), |out| out.extend_from_slice(&record));
            let length = bytes.len();
            bytes.extend_from_slice(&rest);
            let frame = Frame { batch, before: Hash::from_bytes(before), record: &record };
            prop_assert_eq!(decode(&bytes), Decoded::Whole(frame, length));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), index in any::<u64>()) {
            let _ = decode(&bytes);
            let _ = of_later_batch(&bytes, index);
        }
    }
}
