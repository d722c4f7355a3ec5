//! Proofs out of a log's tiles: that an entry stands in it, and that it extends what it was. Each is checked before it is given.
//!
//! A receipt to keep is the text of [`Proved::proof`] (C2SP tlog-proof) together with [`Proved::entry`].

use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::merkle::{self, Hash};
use crate::note::VerifierKey;
use crate::proof::TlogProof;
use crate::source::LogFiles;
use crate::tile::{self, Level, Tile};
use crate::verify::{Finding, Snapshot};
use agenttrader_core::error_chain::chain;
use std::error::Error;

/// An entry with the proof that it stands in its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// The entry's bytes: a record in canonical JSON.
    pub entry: Vec<u8>,
    /// The receipt, checkpoint included.
    pub proof: TlogProof,
}

/// Two sizes of one log with the proof that the larger extends the smaller (RFC 9162, 2.1.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Entries of the smaller.
    pub old: u64,
    /// Its root.
    pub old_root: Hash,
    /// Entries of the larger.
    pub new: u64,
    /// Its root.
    pub new_root: Hash,
    /// The proof.
    pub hashes: Vec<Hash>,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The log, or a file of it, is missing, malformed or cannot be read.
    #[error("{place}: {finding}")]
    Log {
        /// Where the log is.
        place: String,
        /// What is wrong.
        finding: Finding,
    },
    /// The checkpoint is not signed as it should be.
    #[error("the checkpoint of {place}")]
    Checkpoint {
        /// Where the log is.
        place: String,
        /// Why.
        #[source]
        source: CheckpointError,
    },
    /// No such entry, or no such size.
    #[error("the log at {place} has {size} entries: there is no {wanted}")]
    Beyond {
        /// Where the log is.
        place: String,
        /// Its entries.
        size: u64,
        /// What was asked for.
        wanted: String,
    },
    /// The tiles do not give a proof that holds.
    #[error("the tiles at {place} do not go with its checkpoint: {why}; verify the whole log")]
    Differs {
        /// Where the log is.
        place: String,
        /// What does not hold.
        why: String,
    },
}

/// A log's checkpoint with the edge of its tree.
struct Standing<'log> {
    files: &'log dyn LogFiles,
    snapshot: Snapshot,
}

impl<'log> Standing<'log> {
    fn of(files: &'log dyn LogFiles, key: Option<&VerifierKey>) -> Result<Self, ProveError> {
        let place = files.place();
        let snapshot = Snapshot::take(files).map_err(|finding| ProveError::Log { place: place.clone(), finding })?;
        if let Some(key) = key {
            let verified = snapshot.signed().verify(key).map(drop);
            verified.map_err(|source| ProveError::Checkpoint { place, source })?;
        }
        Ok(Self { files, snapshot })
    }

    fn differs(&self, error: &dyn Error) -> ProveError {
        self.differs_in(chain(error))
    }

    fn differs_in(&self, why: impl Into<String>) -> ProveError {
        ProveError::Differs { place: self.files.place(), why: why.into() }
    }

    fn beyond(&self, wanted: String) -> ProveError {
        ProveError::Beyond { place: self.files.place(), size: self.snapshot.size(), wanted }
    }

    fn entry(&self, index: u64) -> Result<Vec<u8>, ProveError> {
        let bundle = Tile::of_tree(Level::Entries, index >> 8, self.snapshot.size());
        let bundle = bundle.ok_or_else(|| self.beyond(format!("entry {index}")))?;
        let bytes = self.snapshot.read(self.files, bundle);
        let bytes = bytes.map_err(|finding| ProveError::Log { place: self.files.place(), finding })?;
        let place = usize::try_from(index & 0xff).unwrap_or(usize::MAX);
        let entry =
            tile::entries(&bytes, bundle.width).and_then(|entries| entries.get(place).map(|entry| entry.to_vec()));
        entry.ok_or_else(|| self.differs_in(format!("{bundle} does not hold {} entries", bundle.width)))
    }

    /// The tree's nodes are those of every smaller tree of the log too.
    fn inclusion(&self, index: u64, checkpoint: SignedCheckpoint) -> Result<Proved, ProveError> {
        let size = checkpoint.checkpoint.size;
        if index >= size || size > self.snapshot.size() {
            return Err(self.beyond(format!("entry {index} under a checkpoint of {size} entries")));
        }
        let entry = self.entry(index)?;
        let proof = merkle::inclusion_proof(index, size, &self.snapshot.nodes(self.files));
        let hashes = proof.map_err(|error| self.differs(&error))?.unwrap_or_default();
        let proof = TlogProof { extra: None, index, hashes, checkpoint };
        if proof.holds(&entry) {
            Ok(Proved { entry, proof })
        } else {
            Err(self.differs_in(format!("the proof of entry {index} does not lead to its root")))
        }
    }
}

/// An entry and the proof that it stands in the log as its checkpoint is now. The checkpoint's signature is checked if a key is given.
///
/// # Errors
/// [`ProveError`]; [`ProveError::Beyond`] where the checkpoint does not cover such an entry.
pub fn inclusion(files: &dyn LogFiles, index: u64, key: Option<&VerifierKey>) -> Result<Proved, ProveError> {
    let standing = Standing::of(files, key)?;
    let checkpoint = standing.snapshot.signed().clone();
    standing.inclusion(index, checkpoint)
}

/// As [`inclusion`], under an earlier checkpoint of the log that somebody kept or cosigned. The caller has verified its signature.
///
/// # Errors
/// As [`inclusion`]; [`ProveError::Differs`] also where the log does not extend that checkpoint.
pub fn inclusion_under(
    files: &dyn LogFiles,
    index: u64,
    checkpoint: SignedCheckpoint,
    key: Option<&VerifierKey>,
) -> Result<Proved, ProveError> {
    Standing::of(files, key)?.inclusion(index, checkpoint)
}

/// The proof that the log of `new` entries, which is the checkpoint's size where none is named, extends the one of `old` entries.
///
/// # Errors
/// [`ProveError`]; [`ProveError::Beyond`] where the checkpoint does not cover such a size, or the old one is the larger.
pub fn consistency(
    files: &dyn LogFiles,
    old: u64,
    new: Option<u64>,
    key: Option<&VerifierKey>,
) -> Result<Extension, ProveError> {
    let standing = Standing::of(files, key)?;
    let size = standing.snapshot.size();
    let new = new.unwrap_or(size);
    if old > new || new > size {
        return Err(standing.beyond(format!("proof from size {old} to size {new}")));
    }
    let nodes = standing.snapshot.nodes(files);
    let root = |size| merkle::root(size, &nodes).map_err(|error| standing.differs(&error));
    let (old_root, new_root, whole) = (root(old)?, root(new)?, root(size)?);
    if whole != standing.snapshot.signed().checkpoint.root {
        return Err(standing.differs_in("their root is another"));
    }
    let proof = |from, to| {
        let proof = merkle::consistency_proof(from, to, &nodes).map_err(|error| standing.differs(&error))?;
        Ok::<_, ProveError>(proof.unwrap_or_default())
    };
    // The larger one must itself lead to the checkpoint.
    let leads = merkle::extends(new, &new_root, size, &whole, &proof(new, size)?);
    let hashes = proof(old, new)?;
    if leads && merkle::extends(old, &old_root, new, &new_root, &hashes) {
        Ok(Extension { old, old_root, new, new_root, hashes })
    } else {
        Err(standing.differs_in(format!("the proof from size {old} to size {new} does not hold")))
    }
}
