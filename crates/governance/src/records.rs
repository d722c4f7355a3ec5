//! The records of a placed log, from any index on: what a checkpoint covers, and in a data directory also what the journal holds beyond it.

use crate::committed::{Committed, CommittedError};
use crate::place::PlacedLog;
use agenttrader_audit::read::{self, Position, ReadError};
use agenttrader_audit::record::Record;
use agenttrader_core::canonical_json;
use std::path::PathBuf;

/// Reads on and on in one log.
pub struct Reader {
    agent_name: String,
    from: From,
}

enum From {
    DataDir { data_dir: PathBuf, position: Position },
    Files { log: PlacedLog, next: u64 },
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Out of a data directory.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Out of a log's files.
    #[error(transparent)]
    Committed(#[from] CommittedError),
    /// An entry is no record, or another than the one that should stand there.
    #[error("entry {index} is no record of its place: {why}")]
    NoRecord {
        /// The entry.
        index: u64,
        /// What is wrong with it.
        why: String,
    },
}

impl RecordError {
    /// Whether the log was read and found to differ from what it says of itself; else it could not be read.
    pub const fn is_difference(&self) -> bool {
        match self {
            Self::Read(error) => !matches!(error, ReadError::Io { .. }),
            Self::Committed(error) => error.is_difference(),
            Self::NoRecord { .. } => true,
        }
    }
}

/// An entry as a record.
///
/// # Errors
/// [`RecordError::NoRecord`] when it is not the canonical JSON of a record of that index.
pub fn record_of(index: u64, entry: &[u8]) -> Result<Record, RecordError> {
    let no_record = |why: String| RecordError::NoRecord { index, why };
    let value = canonical_json::parse(entry).map_err(|error| no_record(error.to_string()))?;
    let record: Record = serde_json::from_value(value).map_err(|error| no_record(error.to_string()))?;
    if record.seq != index {
        return Err(no_record(format!("its seq is {}", record.seq)));
    }
    match canonical_json::of(&record) {
        Ok(canonical) if canonical.as_bytes() == entry => Ok(record),
        _ => Err(no_record("its JSON is not canonical".to_owned())),
    }
}

impl Reader {
    /// Before the newest `count` records of a log, as far as a checkpoint tells; in a data directory some more may follow.
    ///
    /// # Errors
    /// [`RecordError`] when the checkpoint cannot be read.
    pub fn before_newest(log: &PlacedLog, count: u64) -> Result<Self, RecordError> {
        let committed = Committed::now(&log.files)?;
        let size = committed.as_ref().map_or(0, Committed::size);
        let next = size.saturating_sub(count);
        let told = committed.map(|committed| committed.agent_name().to_owned());
        let agent_name = log.agent_name.clone().or(told).unwrap_or_default();
        let from = match log.data_dir.clone() {
            Some(data_dir) => From::DataDir { data_dir, position: Position::at(next) },
            None => From::Files { log: log.clone(), next },
        };
        Ok(Self { agent_name, from })
    }

    /// Whose log it is.
    pub fn agent_name(&self) -> &str {
        &self.agent_name
    }

    /// Takes every record that is there and was not taken before, in order.
    ///
    /// # Errors
    /// [`RecordError`] at the first record that cannot be read; the next call begins there again.
    pub fn read_on(&mut self, mut take: impl FnMut(Record)) -> Result<(), RecordError> {
        match &mut self.from {
            From::DataDir { data_dir, position } => {
                if !read::exists(data_dir, &self.agent_name) {
                    return Ok(());
                }
                let mut records = read::records_from(data_dir, &self.agent_name, *position)?;
                while let Some(record) = records.next() {
                    take(record?);
                    *position = records.position();
                }
            }
            From::Files { log, next } => {
                let Some(mut committed) = Committed::now(&log.files)? else { return Ok(()) };
                while *next < committed.size() {
                    take(record_of(*next, &committed.entry(*next)?)?);
                    *next = next.saturating_add(1);
                }
            }
        }
        Ok(())
    }
}
