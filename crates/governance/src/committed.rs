//! What a log's checkpoint commits it to: its entries by their places, each read out of the bundle it stands in.
//!
//! Nothing here is proved or judged: that is for [`agenttrader_audit::prove`] and [`agenttrader_audit::verify`].

use agenttrader_audit::checkpoint::{CheckpointError, SignedCheckpoint};
use agenttrader_audit::merkle::HASH_BYTES;
use agenttrader_audit::note::NOTE_BYTES_MOST;
use agenttrader_audit::source::{LogFiles, SourceError};
use agenttrader_audit::tile::{self, BUNDLE_BYTES_MOST, Level, TILE_WIDTH, Tile};
use std::sync::Arc;

/// A log as one checkpoint of it says.
#[derive(Clone)]
pub struct Committed {
    files: Arc<dyn LogFiles + Send + Sync>,
    checkpoint: SignedCheckpoint,
    /// The bundle read last: neighbours are read together.
    bundle: Option<(Tile, Vec<Vec<u8>>)>,
}

/// Why an entry cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CommittedError {
    /// A file cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The checkpoint is none.
    #[error("checkpoint")]
    Checkpoint(#[from] CheckpointError),
    /// A file that the checkpoint's size implies is not there.
    #[error("{path} is missing")]
    Missing {
        /// The file.
        path: String,
    },
    /// A bundle does not hold as many entries as its name says.
    #[error("{path} does not hold {entries} entries")]
    Bundle {
        /// The file.
        path: String,
        /// As many should stand there.
        entries: u16,
    },
    /// There is no such entry.
    #[error("there is no entry {index}: the checkpoint covers {size}")]
    NoEntry {
        /// What was asked for.
        index: u64,
        /// Entries.
        size: u64,
    },
}

impl CommittedError {
    /// Whether the log was read and found to differ from what it says of itself; else it could not be read.
    pub const fn is_difference(&self) -> bool {
        match self {
            Self::Source(error) => error.is_of_content(),
            Self::NoEntry { .. } => false,
            Self::Checkpoint(_) | Self::Missing { .. } | Self::Bundle { .. } => true,
        }
    }
}

/// A tile's file. Where the log grew past it meanwhile, a wider one holds the same at its beginning.
pub(crate) fn tile_bytes(files: &dyn LogFiles, tile: Tile) -> Result<Option<Vec<u8>>, SourceError> {
    let most = match tile.level {
        Level::Entries => BUNDLE_BYTES_MOST,
        Level::Hashes(_) => usize::from(TILE_WIDTH).saturating_mul(HASH_BYTES),
    };
    // A log only widens its right edge: whoever asks for each width in turn meets the file that stands there.
    for width in tile.width..=TILE_WIDTH {
        let Some(mut bytes) = files.read(&tile.with_width(width).to_string(), most)? else { continue };
        match tile.level {
            // Whether it was longer than its own name says is for those who check whole logs.
            Level::Hashes(_) if width > tile.width => {
                bytes.truncate(usize::from(tile.width).saturating_mul(HASH_BYTES))
            }
            Level::Entries if width > tile.width => {
                bytes = tile::cut_bundle(&bytes, tile.width).map(<[u8]>::to_vec).unwrap_or_default()
            }
            _ => {}
        }
        return Ok(Some(bytes));
    }
    Ok(None)
}

impl Committed {
    /// The log as its checkpoint says now; `None` where it has none yet.
    ///
    /// # Errors
    /// [`CommittedError`] when the checkpoint cannot be read. Its signature is not verified here.
    pub fn now(files: &Arc<dyn LogFiles + Send + Sync>) -> Result<Option<Self>, CommittedError> {
        let Some(bytes) = files.read("checkpoint", NOTE_BYTES_MOST)? else { return Ok(None) };
        let checkpoint = SignedCheckpoint::parse(&bytes)?;
        Ok(Some(Self { files: Arc::clone(files), checkpoint, bundle: None }))
    }

    /// The checkpoint.
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// Entries.
    pub const fn size(&self) -> u64 {
        self.checkpoint.checkpoint.size
    }

    /// The agent's name, as the log's origin ends.
    pub fn agent_name(&self) -> &str {
        self.checkpoint.checkpoint.origin.rsplit('/').next().unwrap_or_default()
    }

    /// The entry at that place, as it stands in its bundle.
    ///
    /// # Errors
    /// [`CommittedError`] when there is none or it cannot be read.
    pub fn entry(&mut self, index: u64) -> Result<Vec<u8>, CommittedError> {
        let size = self.size();
        let no_entry = || CommittedError::NoEntry { index, size };
        let (bundle, within) =
            (index / u64::from(TILE_WIDTH), usize::try_from(index % u64::from(TILE_WIDTH)).unwrap_or(0));
        let tile = Tile::of_tree(Level::Entries, bundle, self.size()).ok_or_else(no_entry)?;
        if self.bundle.as_ref().is_none_or(|(read, _)| *read != tile) {
            let path = tile.to_string();
            let bytes =
                tile_bytes(&*self.files, tile)?.ok_or_else(|| CommittedError::Missing { path: path.clone() })?;
            let entries =
                tile::entries(&bytes, tile.width).ok_or(CommittedError::Bundle { path, entries: tile.width })?;
            self.bundle = Some((tile, entries.into_iter().map(<[u8]>::to_vec).collect()));
        }
        let entries = self.bundle.as_ref().map_or(&[] as &[Vec<u8>], |(_, entries)| entries);
        entries.get(within).cloned().ok_or_else(no_entry)
    }

    /// The bytes of one of the log's tiles or bundles.
    ///
    /// # Errors
    /// [`CommittedError`] when it is missing or cannot be read.
    pub fn tile(&self, tile: Tile) -> Result<Vec<u8>, CommittedError> {
        tile_bytes(&*self.files, tile)?.ok_or_else(|| CommittedError::Missing { path: tile.to_string() })
    }
}
