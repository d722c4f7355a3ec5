//! Receipts to keep: C2SP tlog-proof files, which show offline that one entry stands in a log whose checkpoint they hold.

use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::merkle::{self, Hash};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// The first line.
const MAGIC: &str = "c2sp.org/tlog-proof@v1";

/// Hashes of the longest inclusion proof: one a level of a tree whose size has 64 bits.
const HASHES_MOST: usize = 64;

/// An entry's index, its inclusion proof, and the checkpoint it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Bytes the log's users put beside an entry; ours put none.
    pub extra: Option<Vec<u8>>,
    /// The entry's index.
    pub index: u64,
    /// The inclusion proof, the leaf's neighbour first.
    pub hashes: Vec<Hash>,
    /// The checkpoint.
    pub checkpoint: SignedCheckpoint,
}

/// Why bytes are no tlog-proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A line is missing or wrong.
    #[error("not a tlog-proof: {0}")]
    Malformed(&'static str),
    /// What follows the proof is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl TlogProof {
    /// Reads a tlog-proof, without believing it yet.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        let text = std::str::from_utf8(bytes).map_err(|_| ProofError::Malformed("not UTF-8"))?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(ProofError::Malformed("no blank line"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(MAGIC) {
            return Err(ProofError::Malformed("the first line is not c2sp.org/tlog-proof@v1"));
        }
        let extra = match lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            None => None,
            Some(encoded) => {
                let bytes = STANDARD.decode(encoded).map_err(|_| ProofError::Malformed("extra is not Base64"))?;
                lines.next();
                Some(bytes)
            }
        };
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.ok_or(ProofError::Malformed("no index"))?;
        let number: u64 = index.parse().map_err(|_| ProofError::Malformed("the index is not a number"))?;
        if number.to_string() != index {
            return Err(ProofError::Malformed("the index is not written plainly"));
        }
        let hashes: Option<Vec<Hash>> = lines.take(HASHES_MOST.saturating_add(1)).map(Hash::parse).collect();
        let hashes = hashes.ok_or(ProofError::Malformed("a hash is not 32 bytes in standard Base64"))?;
        if hashes.len() > HASHES_MOST {
            return Err(ProofError::Malformed("more hashes than a tree has levels"));
        }
        Ok(Self { extra, index: number, hashes, checkpoint: SignedCheckpoint::parse(checkpoint.as_bytes())? })
    }

    /// Whether the entry stands at the index under the checkpoint's root. Says nothing of the checkpoint's signature.
    pub fn holds(&self, entry: &[u8]) -> bool {
        let checkpoint = &self.checkpoint.checkpoint;
        merkle::includes(self.index, checkpoint.size, &merkle::leaf_hash(entry), &self.hashes, &checkpoint.root)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{MAGIC}")?;
        if let Some(extra) = &self.extra {
            writeln!(out, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(out, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(out, "{hash}"))?;
        write!(out, "\n{}", self.checkpoint)
    }
}
