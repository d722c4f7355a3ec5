//! Where a log that is followed is asked for: its agent's endpoint, or, for mission control's own and the one that commands write to, the
//! log itself.

use super::finding::one_line;
use agenttrader_agent::marketdata_health::fetch;
use agenttrader_agent::served_log::ServedLog;
use agenttrader_audit::merkle::{self, HASH_BYTES, Hash};
use agenttrader_audit::note::NOTE_BYTES_MOST;
use agenttrader_audit::tile::{TILE_WIDTH, Tile, TileError, TileHashes};
use agenttrader_core::error_chain::chain;
use futures_util::stream::{self, StreamExt as _};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

/// Tiles that are asked for at once.
const TILES_AT_ONCE: usize = 4;

/// Bytes of a full tile of hashes.
const TILE_BYTES_MOST: usize = TILE_WIDTH as usize * HASH_BYTES;

/// Where one log is asked for.
#[derive(Clone, Debug)]
pub struct LogSource {
    place: Place,
    client: reqwest::Client,
    timeout: Duration,
}

#[derive(Clone, Debug)]
enum Place {
    /// `http://HOST:PORT/audit`.
    Endpoint(String),
    Here(ServedLog),
}

/// The nodes of a log's tree that some question needs, read out of its tiles. What is read is believed by nobody: proofs made of it are checked.
#[derive(Clone, Debug)]
pub struct Nodes {
    size: u64,
    tiles: BTreeMap<Tile, Vec<u8>>,
}

/// Why tiles give no nodes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodesError {
    /// Nobody answered.
    #[error("{0}")]
    Silent(String),
    /// The log serves no such tile, or another one.
    #[error("{0}")]
    Damaged(String),
}

impl LogSource {
    /// A log behind an agent's endpoint.
    pub const fn endpoint(base: String, client: reqwest::Client, timeout: Duration) -> Self {
        Self { place: Place::Endpoint(base), client, timeout }
    }

    /// A log that lies in a folder here: of this very process, or of commands.
    pub const fn here(log: ServedLog, client: reqwest::Client, timeout: Duration) -> Self {
        Self { place: Place::Here(log), client, timeout }
    }

    /// The checkpoint that is served now; none where the log has none.
    ///
    /// # Errors
    /// Why there is no answer, in words.
    pub async fn checkpoint(&self) -> Result<Option<Vec<u8>>, String> {
        match &self.place {
            Place::Endpoint(base) => self.get(&format!("{base}/checkpoint"), NOTE_BYTES_MOST).await,
            Place::Here(log) => log.checkpoint().await.map_err(|error| chain(&error)),
        }
    }

    async fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, String> {
        match &self.place {
            Place::Endpoint(base) => self.get(&format!("{base}/{tile}"), TILE_BYTES_MOST).await,
            Place::Here(log) => log.tile(tile).await.map_err(|error| chain(&error)),
        }
    }

    async fn get(&self, url: &str, most: usize) -> Result<Option<Vec<u8>>, String> {
        let answer =
            fetch(&self.client, url, self.timeout, most).await.map_err(|error| one_line(&error.to_string()))?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            other => Err(format!("HTTP status {other}")),
        }
    }

    /// The nodes that show how the tree of `size` entries goes on from the one of `old`, and its root.
    ///
    /// # Errors
    /// [`NodesError`].
    pub async fn nodes(&self, old: u64, size: u64) -> Result<Nodes, NodesError> {
        let wanted: Vec<Tile> = tiles_needed(old, size).into_iter().collect();
        let asked = stream::iter(wanted).map(|tile| async move { (tile, self.tile(tile).await) });
        let answers: Vec<_> = asked.buffer_unordered(TILES_AT_ONCE).collect().await;
        let mut tiles = BTreeMap::new();
        for (tile, answer) in answers {
            let bytes = answer.map_err(|why| NodesError::Silent(format!("{tile}: {why}")))?;
            let bytes =
                bytes.ok_or_else(|| NodesError::Damaged(format!("it serves no {tile}, which {size} entries have")))?;
            tiles.insert(tile, bytes);
        }
        Ok(Nodes { size, tiles })
    }
}

/// The tiles that root and consistency proof are read out of: found by asking for them with tiles that hold nothing.
fn tiles_needed(old: u64, size: u64) -> BTreeSet<Tile> {
    let asked = RefCell::new(BTreeSet::new());
    let blank = TileHashes::new(size, |tile: Tile| {
        asked.borrow_mut().insert(tile);
        Ok::<_, Infallible>(Some(vec![0; usize::from(tile.width).saturating_mul(HASH_BYTES)]))
    });
    // Blank hashes give a root and a proof of no meaning.
    let _ = merkle::root(size, &blank);
    let _ = merkle::root(old, &blank);
    let _ = merkle::consistency_proof(old, size, &blank);
    drop(blank);
    asked.into_inner()
}

impl Nodes {
    fn read(&self) -> TileHashes<impl Fn(Tile) -> Result<Option<Vec<u8>>, Infallible> + '_> {
        TileHashes::new(self.size, |tile| Ok(self.tiles.get(&tile).cloned()))
    }

    /// The root of the first `size` entries, as the tiles have it.
    ///
    /// # Errors
    /// [`NodesError::Damaged`].
    pub fn root(&self, size: u64) -> Result<Hash, NodesError> {
        merkle::root(size, &self.read()).map_err(damaged)
    }

    /// The proof that the tree goes on from its first `old` entries.
    ///
    /// # Errors
    /// [`NodesError::Damaged`].
    pub fn proof(&self, old: u64) -> Result<Vec<Hash>, NodesError> {
        let proof = merkle::consistency_proof(old, self.size, &self.read()).map_err(damaged)?;
        Ok(proof.unwrap_or_default())
    }
}

fn damaged(error: TileError<Infallible>) -> NodesError {
    NodesError::Damaged(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_audit::tile::Level;

    #[test]
    fn few_tiles_are_needed_whatever_the_sizes() {
        for (old, size) in
            [(0, 1), (1, 1), (3, 300), (255, 256), (256, 257), (1_000, 70_000), (69_999, 70_000), (5, 100_000_000)]
        {
            let needed = tiles_needed(old, size);
            assert!(!needed.is_empty() && needed.len() <= 10, "{old} → {size}: {}", needed.len());
            for tile in needed {
                let Level::Hashes(_) = tile.level else { panic!("{tile}: entries are not needed") };
                assert_eq!(Tile::of_tree(tile.level, tile.index, size), Some(tile), "{tile} of {size}");
            }
        }
    }
}
