//! An agent's log as its endpoints serve it: the checkpoint, tiles and bundles, and nothing else of the disk.
//!
//! Reads are bounded in number, size and time: whoever asks holds up neither the agent nor its log.

use agenttrader_audit::note::NOTE_BYTES_MOST;
use agenttrader_audit::tile::{self, BUNDLE_BYTES_MOST, Level, TILE_WIDTH, Tile};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Reads of one log at once; the next waits.
const READS_MOST: usize = 8;

/// How long the log is waited for when it is asked for a fresh checkpoint. The one that stands is served after that.
pub const FRESH_WITHIN: Duration = Duration::from_millis(750);

/// How long a file is waited for.
const READ_WITHIN: Duration = Duration::from_secs(2);

/// Tries to find a file whose wider successor comes while it is looked for.
const TRIES: usize = 4;

/// Names looked at in the folder of a partial tile: a log leaves one there, and for a moment two.
const NAMES_MOST: usize = 256;

/// Asks the log to cover all that is durable, and waits until it has tried.
type Refresh = Arc<dyn Fn() + Send + Sync>;

/// An agent's log for those who ask for it. Cloned freely.
#[derive(Clone)]
pub struct ServedLog {
    root: Arc<Path>,
    refresh: Option<Refresh>,
    reads: Arc<Semaphore>,
    refreshes: Arc<Semaphore>,
}

/// Why a file is not served now, though it may be there.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The disk does not answer.
    #[error("the log's disk did not answer within {} s", READ_WITHIN.as_secs())]
    Timeout,
    /// The disk answers with an error.
    #[error("cannot read {path}")]
    Io {
        /// The file, within the log.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is longer than any of its kind, or shorter than its name says.
    #[error("{path} does not hold what its name says")]
    Damaged {
        /// The file, within the log.
        path: String,
    },
}

impl ServedLog {
    /// The log whose `checkpoint` and `tile/` stand in that folder.
    pub fn of_folder(root: PathBuf) -> Self {
        let (reads, refreshes) = (Arc::new(Semaphore::new(READS_MOST)), Arc::new(Semaphore::new(1)));
        Self { root: root.into(), refresh: None, reads, refreshes }
    }

    /// The log of an agent of that data directory.
    pub fn of_agent(data_dir: &Path, agent_name: &str) -> Self {
        Self::of_folder(data_dir.join("audit").join(agent_name))
    }

    /// The same, asked to cover all that is durable before its checkpoint is served.
    #[must_use]
    pub fn refreshed_by(self, refresh: impl Fn() + Send + Sync + 'static) -> Self {
        Self { refresh: Some(Arc::new(refresh)), ..self }
    }

    /// The checkpoint, as fresh as the log gives it within [`FRESH_WITHIN`]; `None` before the first.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn checkpoint(&self) -> Result<Option<Vec<u8>>, ServeError> {
        self.refresh().await;
        self.blocking(|root| read(root, "checkpoint", NOTE_BYTES_MOST)).await
    }

    /// A tile or bundle. A partial one that the log has outgrown is cut from the one that took its place; `None` where the log has none.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, ServeError> {
        self.blocking(move |root| find(root, tile)).await
    }

    /// Waits until the log has covered what is durable, or for long enough. One asks at a time, for all who wait.
    async fn refresh(&self) {
        let Some(refresh) = self.refresh.clone() else { return };
        let refreshes = Arc::clone(&self.refreshes);
        let asked = async move {
            let Ok(turn) = refreshes.acquire_owned().await else { return };
            let asking = tokio::task::spawn_blocking(move || {
                // A log that is stuck keeps the turn, so that no more threads wait for it.
                let _turn = turn;
                refresh();
            });
            let _ = asking.await;
        };
        let _ = timeout(FRESH_WITHIN, asked).await;
    }

    async fn blocking(
        &self,
        read: impl FnOnce(&Path) -> Result<Option<Vec<u8>>, ServeError> + Send + 'static,
    ) -> Result<Option<Vec<u8>>, ServeError> {
        let (root, reads) = (Arc::clone(&self.root), Arc::clone(&self.reads));
        let whole = async move {
            let turn = reads.acquire_owned().await.ok()?;
            let reading = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                read(&root)
            });
            reading.await.ok()
        };
        timeout(READ_WITHIN, whole).await.ok().flatten().unwrap_or(Err(ServeError::Timeout))
    }
}

impl fmt::Debug for ServedLog {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ServedLog({})", self.root.display())
    }
}

/// A file of the log, whole; `None` where there is none.
fn read(root: &Path, path: &str, most: usize) -> Result<Option<Vec<u8>>, ServeError> {
    let failed = |source| ServeError::Io { path: path.to_owned(), source };
    let file = match File::open(root.join(path)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed(source)),
    };
    let damaged = || ServeError::Damaged { path: path.to_owned() };
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(damaged());
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > most { Err(damaged()) } else { Ok(Some(bytes)) }
}

/// The bytes of a tile, from its own file, or from a wider one of the same place.
fn find(root: &Path, tile: Tile) -> Result<Option<Vec<u8>>, ServeError> {
    if let Some(bytes) = read(root, &tile.to_string(), bytes_most(tile.level))? {
        return Ok(Some(bytes));
    }
    if tile.is_full() {
        return Ok(None);
    }
    for _ in 0..TRIES {
        let Some(wider) = wider(root, tile)? else { return Ok(None) };
        // It may be gone again: then a still wider one has taken its place.
        if let Some(bytes) = read(root, &wider.to_string(), bytes_most(wider.level))? {
            return cut(&bytes, tile).ok_or_else(|| ServeError::Damaged { path: wider.to_string() }).map(Some);
        }
    }
    Ok(None)
}

/// The widest file of the same place that is at least as wide.
fn wider(root: &Path, tile: Tile) -> Result<Option<Tile>, ServeError> {
    let full = tile.with_width(TILE_WIDTH);
    let full_path = root.join(full.to_string());
    if full_path.is_file() {
        return Ok(Some(full));
    }
    let folder = format!("{full}.p");
    let failed = |source| ServeError::Io { path: folder.clone(), source };
    let listed = match fs::read_dir(root.join(&folder)) {
        Ok(listed) => listed,
        // The full one may have come between both looks.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(full_path.is_file().then_some(full));
        }
        Err(source) => return Err(failed(source)),
    };
    let mut widest = None;
    for name in listed.take(NAMES_MOST) {
        let name = name.map_err(failed)?.file_name();
        let found = name.to_str().and_then(|name| Tile::parse(&format!("{folder}/{name}")));
        widest = widest.max(found.filter(|found| found.width >= tile.width));
    }
    Ok(widest)
}

/// The beginning of a wider tile or bundle that is this one.
fn cut(bytes: &[u8], tile: Tile) -> Option<Vec<u8>> {
    match tile.level {
        Level::Entries => tile::cut_bundle(bytes, tile.width).map(<[u8]>::to_vec),
        Level::Hashes(_) => bytes.get(..hashes_len(tile.width)).map(<[u8]>::to_vec),
    }
}

fn hashes_len(width: u16) -> usize {
    usize::from(width).saturating_mul(agenttrader_audit::merkle::HASH_BYTES)
}

/// Bytes of the largest file of a level.
fn bytes_most(level: Level) -> usize {
    match level {
        Level::Entries => BUNDLE_BYTES_MOST,
        Level::Hashes(_) => hashes_len(TILE_WIDTH),
    }
}
