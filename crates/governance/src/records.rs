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

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_audit::log::{Log, origin};
    use agenttrader_audit::note::NoteSigner;
    use agenttrader_audit::record::{Entry, IntentType, Outcome};
    use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build};
    use agenttrader_core::time::UnixNanos;
    use ed25519_dalek::SigningKey;
    use serde_json::json;
    use std::path::Path;

    fn log(data_dir: &Path) -> Log {
        let identity =
            AgentIdentity { agent_name: "a".to_owned(), agent_role: AgentRole::Ops, agent_mode: AgentMode::Observe };
        let build = Build { git_sha: "unknown".to_owned(), build_id: "test".to_owned() };
        let signer = NoteSigner::log(&origin("r", "a"), SigningKey::from_bytes(&[1; 32]));
        Log::open(data_dir, identity, "r", build, signer).unwrap()
    }

    /// Appends records, and waits for the last.
    fn append(log: &Log, seconds: std::ops::Range<i64>) {
        let entry = |second| {
            let at = UnixNanos::from_seconds(second);
            log.append(Entry::new(at, IntentType::Signal, Outcome::Success, "seen", json!({})))
        };
        seconds.map(entry).last().unwrap().durable().unwrap();
    }

    fn read(reader: &mut Reader) -> Vec<u64> {
        let mut seen = Vec::new();
        reader.read_on(|record| seen.push(record.seq)).unwrap();
        seen
    }

    #[test]
    fn every_record_is_read_once_past_the_width_of_a_bundle_and_while_the_log_grows() {
        let dir = tempfile::tempdir().unwrap();
        let writing = log(dir.path());
        append(&writing, 0..300);
        writing.checkpoint_now().unwrap();
        let places =
            ["", "audit/a"].map(|path| crate::place::Place::of(dir.path().join(path).to_str().unwrap()).unwrap());
        let data_dir = places[0].log(None).unwrap();
        // Without a data directory only what a checkpoint covers is there.
        let folder = PlacedLog { data_dir: None, ..places[1].log(None).unwrap() };
        let mut readers = [&data_dir, &folder].map(|log| Reader::before_newest(log, 50).unwrap());
        for reader in &mut readers {
            assert_eq!(read(reader), (250..300).collect::<Vec<_>>(), "{}", reader.agent_name());
            assert!(read(reader).is_empty());
        }
        append(&writing, 300..301);
        assert_eq!(read(&mut readers[0]), [300]);
        writing.close().unwrap();
        assert_eq!(read(&mut readers[1]), [300]);
        assert_eq!(read(&mut Reader::before_newest(&folder, u64::MAX).unwrap()).len(), 301);
    }

    #[test]
    fn only_the_canonical_record_of_its_place_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let writing = log(dir.path());
        append(&writing, 1..2);
        writing.close().unwrap();
        let place = crate::place::Place::of(dir.path().to_str().unwrap()).unwrap();
        let mut committed = Committed::now(&place.log(None).unwrap().files).unwrap().unwrap();
        let entry = committed.entry(0).unwrap();
        assert_eq!(record_of(0, &entry).unwrap().seq, 0);
        assert!(matches!(record_of(1, &entry), Err(RecordError::NoRecord { index: 1, .. })));
        let spaced = [b" ".as_slice(), &entry].concat();
        for other in [&entry[1..], b"{}", b"", &spaced] {
            assert!(record_of(0, other).unwrap_err().is_difference());
        }
        assert!(matches!(committed.entry(1), Err(CommittedError::NoEntry { index: 1, size: 1 })));
    }
}
