//! Reading a log's records back, for those who only watch: what a checkpoint covers out of bundles, what came after out of the journal.
//! Nothing is verified but each file's own form, and a log that is being written is not disturbed.

use crate::checkpoint::SignedCheckpoint;
use crate::disk::{self, Disk as _, Places, SystemDisk};
use crate::frame;
use crate::journal::{self, Frames, Next, segment_name};
use crate::note::NOTE_BYTES_MOST;
use crate::record::Record;
use crate::replay::rest_of;
use crate::tile::{self, BUNDLE_BYTES_MOST, Level, TILE_WIDTH, Tile};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use serde_json::Value;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Bytes of the largest stored payload that is read back.
pub const PAYLOAD_BYTES_MOST: u64 = 64 << 20;

/// How often a file that vanished is looked for again: its log was writing the one that takes its place.
const TRIES: u32 = 20;

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What stands there is no record, or not the next one.
    #[error("{path}, record {index}: {why}")]
    Bad {
        /// The bundle, or the journal's segment.
        path: PathBuf,
        /// The index of the record that should stand there.
        index: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A stored payload is not what the record names.
    #[error("{path} is not the payload the record names: {why}")]
    Payload {
        /// The stored payload.
        path: PathBuf,
        /// What differs.
        why: String,
    },
}

/// Where reading a log stands, so that it can go on there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    index: u64,
    /// Where in the journal that was, if it was there: first index of the segment, and offset.
    hint: Option<(u64, u64)>,
}

impl Position {
    /// Before the record of that index.
    pub const fn at(index: u64) -> Self {
        Self { index, hint: None }
    }

    /// The index of the next record.
    pub const fn index(self) -> u64 {
        self.index
    }
}

/// The records of a log, one after the other. Ends at the first error, and before a frame that is no whole one: it is being written now, or was
/// cut short.
#[derive(Debug)]
pub struct Records {
    places: Places,
    index: u64,
    hint: Option<(u64, u64)>,
    source: Source,
    unfinished: u64,
    ended: bool,
}

/// Where the next record is taken from.
#[derive(Debug)]
enum Source {
    /// To be found out.
    Unknown,
    /// A bundle's entries, and how many of them are read.
    Bundle { path: PathBuf, entries: Vec<Vec<u8>>, read: usize },
    /// A segment of the journal.
    Journal { path: PathBuf, first: u64, frames: Frames },
}

/// The folder of an agent's log in a data directory: `checkpoint` and `tile/`.
pub fn log_dir(data_dir: &Path, agent_name: &str) -> PathBuf {
    Places::of(data_dir, agent_name).root
}

/// Whether a data directory holds a log of that agent.
pub fn exists(data_dir: &Path, agent_name: &str) -> bool {
    let places = Places::of(data_dir, agent_name);
    places.journal.is_dir() || places.checkpoint().is_file()
}

/// Whether somebody holds an agent's log: it is being written.
///
/// # Errors
/// [`ReadError::Io`] when its lock cannot be looked at.
pub fn is_held(data_dir: &Path, agent_name: &str) -> Result<bool, ReadError> {
    let path = Places::of(data_dir, agent_name).lock();
    disk::is_locked(&path).map_err(|source| ReadError::Io { path, source })
}

/// The records of an agent's log, from the first.
///
/// # Errors
/// [`ReadError::Io`] when there is no such log; the iterator gives what is wrong inside.
pub fn records(data_dir: &Path, agent_name: &str) -> Result<Records, ReadError> {
    records_from(data_dir, agent_name, Position::default())
}

/// The records of an agent's log after those that were read before.
///
/// # Errors
/// As [`records`]. The iterator gives [`ReadError::Bad`] when the log is shorter than what was read of it.
pub fn records_from(data_dir: &Path, agent_name: &str, position: Position) -> Result<Records, ReadError> {
    let places = Places::of(data_dir, agent_name);
    if !exists(data_dir, agent_name) {
        return Err(ReadError::Io { path: places.journal, source: io::Error::from(ErrorKind::NotFound) });
    }
    let Position { index, hint } = position;
    Ok(Records { places, index, hint, source: Source::Unknown, unfinished: 0, ended: false })
}

impl Records {
    /// How far reading has come.
    pub const fn position(&self) -> Position {
        Position { index: self.index, hint: self.hint }
    }

    /// Bytes after the last whole frame, known once the iterator has ended.
    pub const fn unfinished(&self) -> u64 {
        self.unfinished
    }

    fn bad(&self, path: &Path, why: String) -> ReadError {
        ReadError::Bad { path: path.to_owned(), index: self.index, why }
    }

    /// The next record's bytes, and the file they stand in; `None` at the log's end.
    fn read(&mut self) -> Result<Option<(PathBuf, Vec<u8>)>, ReadError> {
        loop {
            match &mut self.source {
                Source::Unknown => {
                    if !self.locate()? {
                        return Ok(None);
                    }
                }
                Source::Bundle { path, entries, read } => {
                    let next = entries.get_mut(*read).map(std::mem::take);
                    *read = read.saturating_add(1);
                    match next {
                        Some(bytes) => return Ok(Some((path.clone(), bytes))),
                        None => self.source = Source::Unknown,
                    }
                }
                Source::Journal { path, first, frames } => {
                    let failed = |source| ReadError::Io { path: path.clone(), source };
                    match frames.next(&SystemDisk).map_err(failed)? {
                        Next::Frame(frame) => {
                            let bytes = frame.record.to_vec();
                            self.hint = Some((*first, frames.offset()));
                            return Ok(Some((path.clone(), bytes)));
                        }
                        // Another segment may follow, or bundles if this one is gone.
                        Next::End if *first != self.index => {
                            let ended = *first;
                            if !self.locate()? || self.is_in_segment(ended) {
                                return Ok(None);
                            }
                        }
                        Next::End => return Ok(None),
                        Next::Bad(why) => {
                            let rest = rest_of(&SystemDisk, frames.file(), frames.offset()).map_err(failed)?;
                            if frame::of_later_batch(&rest, self.index).is_some() {
                                let path = path.clone();
                                return Err(self.bad(&path, format!("{why}, and good frames follow it")));
                            }
                            self.unfinished = rest.len() as u64;
                            return Ok(None);
                        }
                    }
                }
            }
        }
    }

    fn is_in_segment(&self, segment: u64) -> bool {
        matches!(&self.source, Source::Journal { first, .. } if *first == segment)
    }

    /// Finds the file that holds the next record, or would hold it; `false` where no journal is left to hold it. The log may be putting others in
    /// the place of those just seen.
    fn locate(&mut self) -> Result<bool, ReadError> {
        let mut last = None;
        for _ in 0..TRIES {
            let found = if self.index < self.covered()? { self.open_bundle() } else { self.open_segment() };
            match found {
                Err(ReadError::Io { path, source }) if source.kind() == ErrorKind::NotFound => {
                    last = Some(ReadError::Io { path, source });
                }
                found => return found,
            }
        }
        last.map_or(Ok(false), Err)
    }

    /// Records that the log's checkpoint covers.
    fn covered(&self) -> Result<u64, ReadError> {
        let path = self.places.checkpoint();
        let bytes = disk::read_whole(&SystemDisk, &path, NOTE_BYTES_MOST);
        let Some(bytes) = bytes.map_err(|source| ReadError::Io { path: path.clone(), source })? else { return Ok(0) };
        let signed = SignedCheckpoint::parse(&bytes);
        signed.map(|signed| signed.checkpoint.size).map_err(|error| self.bad(&path, error.to_string()))
    }

    fn open_bundle(&mut self) -> Result<bool, ReadError> {
        let width = u64::from(TILE_WIDTH);
        let place = self.index.checked_div(width).unwrap_or(0);
        let Some(tile) = Tile::of_tree(Level::Entries, place, self.covered()?) else { return Ok(false) };
        let path = self.places.root.join(tile.to_string());
        let failed = |source| ReadError::Io { path: path.clone(), source };
        let bytes = disk::read_whole(&SystemDisk, &path, BUNDLE_BYTES_MOST).map_err(failed)?;
        let bytes = bytes.ok_or_else(|| failed(io::Error::from(ErrorKind::NotFound)))?;
        let entries = tile::entries(&bytes, tile.width);
        let entries = entries.ok_or_else(|| self.bad(&path, "the bundle does not hold its entries".to_owned()))?;
        let entries = entries.into_iter().map(<[u8]>::to_vec).collect();
        let read = usize::try_from(self.index.checked_rem(width).unwrap_or(0)).unwrap_or(usize::MAX);
        self.source = Source::Bundle { path, entries, read };
        Ok(true)
    }

    fn open_segment(&mut self) -> Result<bool, ReadError> {
        let folder = &self.places.journal;
        let listed = journal::segments(&SystemDisk, folder);
        let segments = listed.map_err(|source| ReadError::Io { path: folder.clone(), source })?;
        let Some(first) = segments.iter().copied().rfind(|first| *first <= self.index) else {
            if segments.is_empty() && self.index == self.covered()? {
                return Ok(false);
            }
            // Not covered when that was read, and gone since: it is covered now.
            let source = io::Error::from(ErrorKind::NotFound);
            return Err(ReadError::Io { path: folder.join(segment_name(self.index)), source });
        };
        let path = folder.join(segment_name(first));
        let failed = |source| ReadError::Io { path: path.clone(), source };
        let hinted = self.hint.filter(|(segment, _)| *segment == first).map(|(_, offset)| offset);
        let mut frames = Frames::open(&SystemDisk, &path, hinted.unwrap_or(0)).map_err(failed)?;
        let found = SystemDisk.look(frames.file()).map_err(failed)?.len;
        if found < frames.offset() {
            let why = format!("the segment has {found} bytes, less than the {} read before", frames.offset());
            return Err(self.bad(&path, why));
        }
        let skip = if hinted.is_some() { 0 } else { self.index.saturating_sub(first) };
        for skipped in 0..skip {
            match frames.next(&SystemDisk).map_err(failed)? {
                Next::Frame(_) => {}
                Next::End | Next::Bad(_) => {
                    let why = format!("the log ends at record {}", first.saturating_add(skipped));
                    return Err(self.bad(&path, why));
                }
            }
        }
        self.source = Source::Journal { path, first, frames };
        Ok(true)
    }
}

impl Iterator for Records {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = match self.read() {
            Err(error) => Some(Err(error)),
            Ok(None) => None,
            Ok(Some((path, bytes))) => Some(match journal::parse(&bytes) {
                Err(why) => Err(self.bad(&path, why)),
                Ok(record) if record.seq != self.index => {
                    Err(self.bad(&path, format!("seq {} stands there", record.seq)))
                }
                Ok(record) => {
                    self.index = self.index.saturating_add(1);
                    Ok(record)
                }
            }),
        };
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

/// A record's payload, read from `DATA_DIR/audit-blobs/` and checked where the record only names it.
///
/// # Errors
/// [`ReadError`] when the stored payload is missing or differs from its digest.
pub fn payload(data_dir: &Path, record: &Record) -> Result<Value, ReadError> {
    let Some(stored) = record.stored_payload() else { return Ok(record.intent_payload.clone()) };
    let path = Places::of(data_dir, &record.agent_name).blobs.join(stored.sha256.to_string());
    let failed = |source| ReadError::Io { path: path.clone(), source };
    let differs = |why: String| ReadError::Payload { path: path.clone(), why };
    let most = usize::try_from(PAYLOAD_BYTES_MOST).unwrap_or(usize::MAX);
    let bytes = disk::read_whole(&SystemDisk, &path, most).map_err(failed)?;
    let bytes = bytes.ok_or_else(|| failed(io::Error::from(ErrorKind::NotFound)))?;
    if bytes.len() as u64 != stored.size || Digest::of(&bytes) != stored.sha256 {
        return Err(differs(format!("{} bytes with SHA-256 {}", bytes.len(), Digest::of(&bytes))));
    }
    canonical_json::parse(&bytes).map_err(|error| differs(error.to_string()))
}
