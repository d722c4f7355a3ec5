//! Reading a log's records back, for those who only watch.

use crate::disk::{blobs_dir, state_dir};
use crate::journal::{self, Line};
use crate::record::Record;
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use serde_json::Value;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes of the largest stored payload that is read back.
pub const PAYLOAD_BYTES_MOST: u64 = 64 << 20;

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
    /// A line is no record, or not the next one.
    #[error("{path} line {line}: {why}")]
    Bad {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
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

/// Where reading a journal stands, so that it can go on there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Bytes read.
    pub bytes: u64,
    /// Records read.
    pub records: u64,
}

/// The records of a journal, one after the other, with one in memory at a time. Ends at the first error, and before a line that has no end:
/// that one is being written now, or was cut short.
#[derive(Debug)]
pub struct Records {
    path: PathBuf,
    reader: BufReader<File>,
    position: Position,
    buffer: Vec<u8>,
    unfinished: u64,
    ended: bool,
}

/// The journal of one agent in a data directory.
pub fn journal_path(data_dir: &Path, agent_name: &str) -> PathBuf {
    state_dir(data_dir, agent_name).join("journal.ndjson")
}

/// The records of the journal at `path`, from the first.
///
/// # Errors
/// [`ReadError::Io`] when it cannot be opened; the iterator gives what is wrong inside.
pub fn records(path: &Path) -> Result<Records, ReadError> {
    records_from(path, Position::default())
}

/// The records of the journal at `path` after those that were read before.
///
/// # Errors
/// As [`records`]; [`ReadError::Bad`] when the journal is shorter than what was read of it.
pub fn records_from(path: &Path, position: Position) -> Result<Records, ReadError> {
    let failed = |source| ReadError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?.len();
    if found < position.bytes {
        let why = format!("the journal has {found} bytes, less than the {} read before", position.bytes);
        return Err(ReadError::Bad { path: path.to_owned(), line: position.records, why });
    }
    file.seek(SeekFrom::Start(position.bytes)).map_err(failed)?;
    let reader = BufReader::with_capacity(1 << 16, file);
    Ok(Records { path: path.to_owned(), reader, position, buffer: Vec::new(), unfinished: 0, ended: false })
}

impl Records {
    /// How far reading has come.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Bytes after the last whole line, known once the iterator has ended.
    pub const fn unfinished(&self) -> u64 {
        self.unfinished
    }

    fn bad(&self, why: String) -> ReadError {
        ReadError::Bad { path: self.path.clone(), line: self.position.records.saturating_add(1), why }
    }

    fn read(&mut self) -> Option<Result<Record, ReadError>> {
        match journal::next_line(&mut self.reader, &mut self.buffer, |_| {}) {
            Err(source) => Some(Err(ReadError::Io { path: self.path.clone(), source })),
            Ok(Line::End) => None,
            Ok(Line::Unfinished { bytes }) => {
                self.unfinished = bytes;
                None
            }
            Ok(Line::TooLong { bytes }) => Some(Err(self.bad(format!("a line of {bytes} bytes")))),
            Ok(Line::Whole) => Some(match journal::parse(&self.buffer) {
                Err(why) => Err(self.bad(why)),
                Ok(record) if record.seq != self.position.records => {
                    Err(self.bad(format!("seq {} where {} should stand", record.seq, self.position.records)))
                }
                Ok(record) => {
                    let bytes = (self.buffer.len() as u64).saturating_add(1);
                    self.position.bytes = self.position.bytes.saturating_add(bytes);
                    self.position.records = self.position.records.saturating_add(1);
                    Ok(record)
                }
            }),
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.read();
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
    let path = blobs_dir(data_dir).join(stored.sha256.to_string());
    let failed = |source| ReadError::Io { path: path.clone(), source };
    let differs = |why: String| ReadError::Payload { path: path.clone(), why };
    let mut bytes = Vec::new();
    File::open(&path).map_err(failed)?.take(PAYLOAD_BYTES_MOST).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 != stored.size || Digest::of(&bytes) != stored.sha256 {
        return Err(differs(format!("{} bytes with SHA-256 {}", bytes.len(), Digest::of(&bytes))));
    }
    canonical_json::parse(&bytes).map_err(|error| differs(error.to_string()))
}
