//! The journal's text: one record a line, and reading it through at start.

use crate::record::{RECORD_BYTES_MOST, Record};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::{Digest, Running};
use agenttrader_core::time::UnixNanos;
use std::io::{self, BufRead, Read as _};

/// Whose journal it is: every record must say so.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) repo_id: String,
    pub(crate) agent_name: String,
}

/// A journal read through.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Replayed {
    /// Good records.
    pub(crate) records: u64,
    /// Bytes they take up.
    pub(crate) good_len: u64,
    /// The latest time any of them carries.
    pub(crate) last_time: Option<UnixNanos>,
    /// What follows them and is no record.
    pub(crate) torn: Option<Torn>,
}

/// Bytes at the journal's end that were no record.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Torn {
    /// How many.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Digest,
    /// What was wrong with the first of them.
    pub why: String,
}

#[derive(Debug)]
pub(crate) enum ReplayError {
    Io(io::Error),
    /// A bad line (from 1) with a good one after it.
    Corrupt {
        line: u64,
        why: String,
    },
}

/// What the next bytes of a journal are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A whole line of at most [`RECORD_BYTES_MOST`] bytes and its end; the buffer holds it without the end.
    Whole,
    /// A line that is too long to be a record; the buffer holds its start.
    TooLong { bytes: u64 },
    /// Bytes without a line end: the last write was cut short, or is going on now.
    Unfinished { bytes: u64 },
    /// No more.
    End,
}

/// Reads one line into `buffer`, never more than a record's bytes of it. Every byte read is given to `seen` too.
pub(crate) fn next_line(
    reader: &mut impl BufRead,
    buffer: &mut Vec<u8>,
    mut seen: impl FnMut(&[u8]),
) -> io::Result<Line> {
    buffer.clear();
    let most = (RECORD_BYTES_MOST as u64).saturating_add(1);
    reader.by_ref().take(most).read_until(b'\n', buffer)?;
    seen(buffer);
    if buffer.last() == Some(&b'\n') {
        buffer.pop();
        return Ok(Line::Whole);
    }
    let mut bytes = buffer.len() as u64;
    if bytes == 0 {
        return Ok(Line::End);
    }
    if bytes < most {
        return Ok(Line::Unfinished { bytes });
    }
    loop {
        let more = reader.fill_buf()?;
        if more.is_empty() {
            return Ok(Line::Unfinished { bytes });
        }
        let end = more.iter().position(|byte| *byte == b'\n').map(|at| at.saturating_add(1));
        let used = end.unwrap_or(more.len());
        seen(more.get(..used).unwrap_or_default());
        reader.consume(used);
        bytes = bytes.saturating_add(used as u64);
        if end.is_some() {
            return Ok(Line::TooLong { bytes });
        }
    }
}

/// Reads a line as a record in canonical form.
pub(crate) fn parse(line: &[u8]) -> Result<Record, String> {
    let value = canonical_json::parse_within(line, RECORD_BYTES_MOST).map_err(|error| error.to_string())?;
    match canonical_json::to_bytes(&value) {
        Ok(canonical) if canonical == line => {}
        Ok(_) => return Err("not in canonical form".to_owned()),
        Err(error) => return Err(error.to_string()),
    }
    let fields = value.as_object().map_or(0, serde_json::Map::len);
    let record: Record = serde_json::from_value(value).map_err(|error| error.to_string())?;
    // A field that may be null must still be there.
    if fields != FIELDS { Err(format!("{fields} fields instead of {FIELDS}")) } else { Ok(record) }
}

/// Fields of a record.
const FIELDS: usize = 17;

/// Why a record cannot stand at this place, if it cannot.
fn misfit(record: &Record, owner: &Owner, seq: u64) -> Option<String> {
    if record.seq != seq {
        return Some(format!("seq {} where {seq} should stand", record.seq));
    }
    if record.repo_id != owner.repo_id || record.agent_name != owner.agent_name {
        return Some(format!("a record of {}/{}", record.repo_id, record.agent_name));
    }
    None
}

/// Whether a line is a JSON object: a crash leaves halves and noughts, so that this one was written whole, by whatever version.
fn is_object(line: &[u8]) -> bool {
    canonical_json::parse_within(line, RECORD_BYTES_MOST).is_ok_and(|value| value.is_object())
}

/// Reads a whole journal. Bad lines at the end are what a crash leaves; a bad line before a good one is damage.
pub(crate) fn replay(mut reader: impl BufRead, owner: &Owner) -> Result<Replayed, ReplayError> {
    let mut good = Replayed { records: 0, good_len: 0, last_time: None, torn: None };
    let mut buffer = Vec::new();
    let mut first_bad: Option<(u64, String)> = None;
    let mut torn_bytes = 0_u64;
    let mut torn_hash = Running::default();
    loop {
        let mut line_hash = torn_hash.clone();
        let line = next_line(&mut reader, &mut buffer, |bytes| line_hash.update(bytes)).map_err(ReplayError::Io)?;
        let (bytes, read) = match line {
            Line::End => break,
            Line::Whole => ((buffer.len() as u64).saturating_add(1), parse(&buffer)),
            Line::TooLong { bytes } => (bytes, Err(format!("a line of {bytes} bytes"))),
            Line::Unfinished { bytes } => (bytes, Err("no line end".to_owned())),
        };
        match (&first_bad, read) {
            (Some((line, why)), read) if read.is_ok() || is_object(&buffer) => {
                return Err(ReplayError::Corrupt { line: *line, why: why.clone() });
            }
            (None, Ok(record)) if misfit(&record, owner, good.records).is_none() => {
                good.records = good.records.saturating_add(1);
                good.good_len = good.good_len.saturating_add(bytes);
                good.last_time = good.last_time.max(Some(record.timestamp));
                continue;
            }
            (None, read) => {
                let why = read
                    .map(|record| misfit(&record, owner, good.records).unwrap_or_default())
                    .unwrap_or_else(|why| why);
                first_bad = Some((good.records.saturating_add(1), why));
            }
            (Some(_), _) => {}
        }
        torn_bytes = torn_bytes.saturating_add(bytes);
        torn_hash = line_hash;
    }
    good.torn = first_bad.map(|(_, why)| Torn { bytes: torn_bytes, sha256: torn_hash.so_far(), why });
    Ok(good)
}
