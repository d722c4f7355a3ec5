//! What an import read, wrote and dropped.

use super::names::{DataFile, Skipped};
use crate::head::Head;
use crate::record::Finished;
use agenttrader_core::digest::Digest;
use agenttrader_core::event::MarketEvent;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use uuid::Uuid;

/// What an import did. Every row read is either a market event written or counted under the reason why it was dropped.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImportReport {
    /// The recording's id.
    pub recording_id: Uuid,
    /// SHA-256 of the recording's file.
    pub digest: Digest,
    /// Its bytes.
    pub bytes: u64,
    /// Its inputs: instruments, market events, timers and what is said of the feed.
    pub inputs: u64,
    /// Instruments defined.
    pub instruments: u64,
    /// Every file of that symbol and day.
    pub files: Vec<FileReport>,
    /// Rows read.
    pub rows_read: u64,
    /// Market events written, by kind.
    pub written: BTreeMap<String, u64>,
    /// Rows that became no event, by reason.
    pub dropped: BTreeMap<String, Dropped>,
    /// Rows that became an event but not quite as they stand, by what was changed.
    pub adjusted: BTreeMap<String, Dropped>,
}

/// Rows of one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// How many.
    pub count: u64,
    /// The first of them: file or member, and the row, its first 120 characters.
    pub example: String,
}

/// One file of that symbol and day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// Its path below the data folder.
    pub path: String,
    /// What it holds; null for a file that is not read.
    pub holds: Option<String>,
    /// Why it is not read; null for one that is.
    pub not_read: Option<String>,
    /// Its digest; null for a file that is not read.
    pub digest: Option<Digest>,
    /// Rows read of it.
    pub rows_read: u64,
    /// Market events written of it.
    pub written: u64,
}

impl ImportReport {
    pub(super) fn of(
        head: &Head,
        finished: Finished,
        src: &Path,
        files: &[DataFile],
        digests: &[Digest],
        tallies: Vec<Tally>,
        skipped: Vec<Skipped>,
    ) -> Self {
        let below = |path: &Path| path.strip_prefix(src).unwrap_or(path).display().to_string();
        let mut report = Self {
            recording_id: head.recording_id,
            digest: finished.digest,
            bytes: finished.bytes,
            inputs: finished.inputs,
            instruments: head.instruments.len() as u64,
            files: Vec::with_capacity(files.len()),
            rows_read: 0,
            written: BTreeMap::new(),
            dropped: BTreeMap::new(),
            adjusted: BTreeMap::new(),
        };
        for ((file, digest), tally) in files.iter().zip(digests).zip(tallies) {
            report.files.push(FileReport {
                path: below(&file.path),
                holds: Some(file.what()),
                not_read: None,
                digest: Some(*digest),
                rows_read: tally.rows,
                written: tally.written.values().fold(0, |sum: u64, count| sum.saturating_add(*count)),
            });
            report.rows_read = report.rows_read.saturating_add(tally.rows);
            for (kind, count) in tally.written {
                let sum = report.written.entry(kind.to_owned()).or_default();
                *sum = sum.saturating_add(count);
            }
            merge(&mut report.dropped, tally.dropped);
            merge(&mut report.adjusted, tally.adjusted);
        }
        for Skipped { path, why } in skipped {
            let (path, not_read) = (below(&path), Some(why));
            report.files.push(FileReport { path, holds: None, not_read, digest: None, rows_read: 0, written: 0 });
        }
        report
    }
}

fn merge(into: &mut BTreeMap<String, Dropped>, from: BTreeMap<&'static str, Dropped>) {
    for (reason, more) in from {
        match into.get_mut(reason) {
            Some(dropped) => dropped.count = dropped.count.saturating_add(more.count),
            None => drop(into.insert(reason.to_owned(), more)),
        }
    }
}

/// Counts of one file.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// File or member being read, for examples.
    place: String,
    rows: u64,
    written: BTreeMap<&'static str, u64>,
    dropped: BTreeMap<&'static str, Dropped>,
    adjusted: BTreeMap<&'static str, Dropped>,
}

impl Tally {
    /// The rows that follow are of this file or member.
    pub(super) fn at(&mut self, place: &str) {
        place.clone_into(&mut self.place);
    }

    pub(super) fn row(&mut self) {
        self.rows = self.rows.saturating_add(1);
    }

    pub(super) fn taken(&mut self, event: &MarketEvent) {
        let kind = match event {
            MarketEvent::Quote(_) => "quotes",
            MarketEvent::Trade(_) => "trades",
            MarketEvent::Bar(_) => "bars",
            MarketEvent::OpenInterest(_) => "open_interest",
            MarketEvent::Status(_) => "statuses",
            MarketEvent::Cancel(_) => "cancels",
            MarketEvent::Correction(_) => "corrections",
        };
        let count = self.written.entry(kind).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn drop_row(&mut self, reason: &'static str, row: &[u8]) {
        count(&mut self.dropped, reason, &self.place, row);
    }

    pub(super) fn adjust(&mut self, what: &'static str, row: &[u8]) {
        count(&mut self.adjusted, what, &self.place, row);
    }
}

fn count(into: &mut BTreeMap<&'static str, Dropped>, reason: &'static str, place: &str, row: &[u8]) {
    let dropped = into.entry(reason).or_insert_with(|| {
        let row: String = String::from_utf8_lossy(row).chars().take(120).collect();
        Dropped { count: 0, example: format!("{place}: {row}") }
    });
    dropped.count = dropped.count.saturating_add(1);
}
