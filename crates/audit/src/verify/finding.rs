//! What a verification found wrong.

use crate::source::SourceError;
use crate::tile::{Level, TILE_WIDTH, Tile};
use agenttrader_core::error_chain::chain;
use serde::{Serialize, Serializer};
use std::fmt;

/// Findings that are told; more are counted.
pub const FINDINGS_MOST: usize = 100;

/// Where something is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// The checkpoint, its signature included.
    Checkpoint,
    /// An entry, by its index.
    Entry(u64),
    /// A tile or bundle.
    Tile(Tile),
    /// Another file, by its path.
    File(String),
    /// A checkpoint that somebody else holds.
    Held(String),
    /// A large payload, by its file's name.
    Blob(String),
    /// The log's journal or head, by its path in `audit-state/AGENT_NAME/`.
    State(String),
}

impl Spot {
    /// The order of telling: the checkpoint's form, then what is wrong in the order of entries, then the rest.
    fn rank(&self) -> (u8, u64, u8) {
        match self {
            Self::Checkpoint => (2, 0, 0),
            Self::Entry(index) => (1, *index, 0),
            Self::Tile(tile) => {
                let (level, span) = match tile.level {
                    Level::Entries => (0, 1_u64),
                    Level::Hashes(level) => (level, 1_u64.checked_shl(u32::from(level).saturating_mul(8)).unwrap_or(0)),
                };
                let first = tile.index.saturating_mul(u64::from(TILE_WIDTH)).saturating_mul(span);
                (1, first, level.saturating_add(if tile.level == Level::Entries { 0 } else { 2 }))
            }
            Self::File(_) => (3, 0, 0),
            Self::Held(_) => (4, 0, 0),
            Self::State(_) => (5, 0, 0),
            Self::Blob(_) => (6, 0, 0),
        }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint => out.write_str("checkpoint"),
            Self::Entry(index) => write!(out, "entry {index}"),
            Self::Tile(tile) => write!(out, "{tile}"),
            Self::File(path) => write!(out, "{path:?}"),
            Self::Held(name) => write!(out, "the checkpoint {name}"),
            Self::Blob(name) => write!(out, "audit-blobs/{name}"),
            Self::State(name) => out.write_str(name),
        }
    }
}

impl Serialize for Spot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where.
    pub at: Spot,
    /// What.
    pub why: String,
    /// Whether it could only not be read, for want of permission or a connection, and nothing is known to differ.
    pub unread: bool,
}

impl Finding {
    /// A difference.
    pub(super) fn differs(at: Spot, why: impl Into<String>) -> Self {
        Self { at, why: why.into(), unread: false }
    }

    /// A file that could not be read, or is no file of a log.
    pub(super) fn of_source(at: Spot, error: &SourceError) -> Self {
        Self { at, why: chain(error), unread: !error.is_of_content() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.at, self.why)
    }
}

/// What is wrong, the first bad entry, tile or file first. At most [`FINDINGS_MOST`] are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    first: Vec<Finding>,
    total: u64,
    differences: u64,
}

impl Findings {
    pub(super) fn push(&mut self, finding: Finding) {
        self.total = self.total.saturating_add(1);
        self.differences = self.differences.saturating_add(u64::from(!finding.unread));
        let rank = finding.at.rank();
        let place = self.first.partition_point(|kept| kept.at.rank() <= rank);
        if place < FINDINGS_MOST {
            self.first.truncate(FINDINGS_MOST.saturating_sub(1));
            self.first.insert(place, finding);
        }
    }

    pub(super) fn extend(&mut self, others: Self) {
        let untold = others.total.saturating_sub(others.first.len() as u64);
        let told_differences = others.first.iter().filter(|finding| !finding.unread).count() as u64;
        self.total = self.total.saturating_add(untold);
        self.differences = self.differences.saturating_add(others.differences.saturating_sub(told_differences));
        others.first.into_iter().for_each(|finding| self.push(finding));
    }

    /// Those that are kept, the first bad entry, tile or file first.
    pub fn first(&self) -> &[Finding] {
        &self.first
    }

    /// How many there are.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// How many of them are differences: the others could only not be read.
    pub const fn differences(&self) -> u64 {
        self.differences
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.iter().try_for_each(|finding| writeln!(out, "  {finding}"))?;
        match self.total.saturating_sub(self.first.len() as u64) {
            0 => Ok(()),
            more => writeln!(out, "  and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bad_entry_stands_first_and_no_more_than_the_bound_are_kept() {
        let mut findings = Findings::default();
        findings.push(Finding::differs(Spot::File("x".into()), "?"));
        findings.push(Finding::differs(Spot::Checkpoint, "?"));
        findings.push(Finding::differs(Spot::Tile(Tile { level: Level::Hashes(1), index: 0, width: 3 }), "?"));
        for index in (0..300).rev() {
            findings.push(Finding::differs(Spot::Entry(index), "?"));
        }
        assert_eq!(findings.first()[0].at, Spot::Entry(0));
        assert_eq!(findings.first()[1].at, Spot::Tile(Tile { level: Level::Hashes(1), index: 0, width: 3 }));
        assert_eq!((findings.first().len(), findings.total(), findings.differences()), (FINDINGS_MOST, 303, 303));
        let mut both = Findings::default();
        both.push(Finding { unread: true, ..Finding::differs(Spot::Checkpoint, "?") });
        both.extend(findings);
        assert_eq!((both.first().len(), both.total(), both.differences()), (FINDINGS_MOST, 304, 303));
    }
}
