//! What a verification of one log has to say.

use super::Against;
use super::finding::Findings;
use super::keys::KeysFrom;
use crate::checkpoint::Checkpoint;
use agenttrader_core::digest::Digest;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All that was checked holds.
    Good,
    /// Nothing differs, and there is no key to check the signature with. Exit code 2.
    NoKey,
    /// Nothing is known to differ, and something could not be read. Exit code 1.
    Unread,
    /// Something differs. Exit code 1.
    Different,
}

/// What was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Entries hashed and read as records of this log.
    pub entries: u64,
    /// Bundles they stand in.
    pub bundles: u64,
    /// Tiles of hashes.
    pub tiles: u64,
    /// Bytes of entries and large payloads.
    pub bytes: u64,
    /// Names under the log's root.
    pub files: u64,
    /// Files of a larger or smaller tree, of a log that is being written.
    pub in_flight: u64,
    /// Files of a smaller tree that an agent which was killed did not come to remove. Each begins a file of this one.
    pub outgrown: u64,
    /// `agent_start` records with the same public keys.
    pub starts: u64,
    /// Large payloads that entries name.
    pub payloads: u64,
    /// Those whose bytes were read and have that digest.
    pub payloads_read: u64,
    /// Signatures of the log that verify.
    pub signatures: u64,
    /// Checkpoints held elsewhere that the log extends.
    pub held: u64,
    /// Witnesses' cosignatures that verify.
    pub cosignatures: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.entries, other.entries),
            (&mut self.bundles, other.bundles),
            (&mut self.tiles, other.tiles),
            (&mut self.bytes, other.bytes),
            (&mut self.starts, other.starts),
            (&mut self.payloads_read, other.payloads_read),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

/// What the verification of one log found. Shown, it ends with what could not be shown.
#[derive(Clone, Debug, Serialize)]
pub struct LogReport {
    /// Where the log was read from.
    pub place: String,
    /// The log's origin, as its checkpoint says.
    pub origin: Option<String>,
    /// Entries that the checkpoint covers.
    pub size: Option<u64>,
    /// Its root, in Base64.
    pub root: Option<String>,
    /// The verifier key that was used, and where it comes from.
    pub key: Option<(String, KeysFrom)>,
    /// Whether it was being written.
    pub live: bool,
    /// Whether it has no checkpoint yet: its first records are being written, or were when its agent ended.
    pub begun: bool,
    /// Records in the journal that the checkpoint does not cover yet; `None` where no journal was read.
    pub uncovered: Option<u64>,
    /// Bytes at the journal's end that are no record: its agent was ended while it wrote, and will cut them off.
    pub torn: Option<u64>,
    /// In the middle of what its agent was ended, in words, where what it left shows that. The next start goes on from there.
    pub ended: Option<String>,
    /// What is wrong.
    pub findings: Findings,
    /// What was checked.
    pub counts: Counts,
    /// What this cannot show.
    pub not_shown: Vec<String>,
    /// Digests of the large payloads that entries name.
    #[serde(skip)]
    pub payloads: BTreeSet<Digest>,
    /// Checkpoints that somebody outside holds, and that it extends: not those of a witness on the same machine, or of the pack's own word.
    #[serde(skip)]
    pub(super) outside: u64,
    /// Lines of witnesses whose keys are not known.
    #[serde(skip)]
    pub(super) unknown_cosignatures: u64,
}

impl LogReport {
    pub(super) fn of(place: String) -> Self {
        Self {
            place,
            origin: None,
            size: None,
            root: None,
            key: None,
            live: false,
            begun: false,
            uncovered: None,
            torn: None,
            ended: None,
            findings: Findings::default(),
            counts: Counts::default(),
            not_shown: Vec::new(),
            payloads: BTreeSet::new(),
            outside: 0,
            unknown_cosignatures: 0,
        }
    }

    pub(super) fn committed(&mut self, checkpoint: &Checkpoint) {
        self.origin = Some(checkpoint.origin.clone());
        self.size = Some(checkpoint.size);
        self.root = Some(checkpoint.root.to_string());
    }

    /// The answer: hashes first, then whether there is a key.
    pub const fn verdict(&self) -> Verdict {
        if self.findings.differences() > 0 {
            Verdict::Different
        } else if self.findings.total() > 0 {
            Verdict::Unread
        } else if self.key.is_none() && (!self.begun || self.is_left_unsigned()) {
            Verdict::NoKey
        } else {
            Verdict::Good
        }
    }

    /// Whether its agent ended before any checkpoint signed what the journal holds.
    const fn is_left_unsigned(&self) -> bool {
        self.begun && !self.live && matches!(self.uncovered, Some(1..))
    }

    /// Writes down in the middle of what its agent was ended.
    pub(super) fn tell_ended(&mut self) {
        if self.live || self.ended.is_some() {
            return;
        }
        self.ended = match (self.counts.in_flight, self.counts.outgrown) {
            (0, 0) => None,
            (0, 1) => Some("after a checkpoint, before it removed a file that this one has outgrown".to_owned()),
            (0, many) => Some(format!("after a checkpoint, before it removed {many} files that this one has outgrown")),
            (1, _) => Some("while it made its next checkpoint: a file of that one's tree stands there".to_owned()),
            (many, _) => {
                Some(format!("while it made its next checkpoint: {many} files of that one's tree stand there"))
            }
        };
    }

    /// Writes down what this verification cannot show.
    pub(super) fn tell_not_shown(&mut self, against: &Against<'_>, listed: bool) {
        let mut tell = |what: String| self.not_shown.push(what);
        tell("what was never logged".to_owned());
        tell(match self.outside {
            0 => "a whole machine rolled back to an earlier state: no checkpoint that somebody outside holds was given"
                .to_owned(),
            _ => "a whole machine rolled back to a state after the checkpoints that were given".to_owned(),
        });
        match &self.key {
            None if self.size.is_some() => tell("who signed it: no key of this log is known".to_owned()),
            Some((_, KeysFrom::SelfAsserted)) => {
                tell("whose key signed it: keys self-asserted, by the log's first entry alone".to_owned());
            }
            Some((_, KeysFrom::Pack)) => {
                tell("whose key signed it: keys from the pack itself; compare them with keys that reached you another way".to_owned());
            }
            _ => {}
        }
        if against.blobs.is_none() && self.counts.payloads > 0 {
            tell(match self.counts.payloads {
                1 => "the bytes of a large payload, which is not here".to_owned(),
                many => format!("the bytes of {many} large payloads, which are not here"),
            });
        }
        if !listed {
            tell("files that do not belong there: the place cannot be listed".to_owned());
        }
        if self.counts.cosignatures == 0 {
            tell(match self.unknown_cosignatures {
                0 => "that a witness saw it: no cosignature".to_owned(),
                1 => "that a witness saw it: the cosignature's key was not given".to_owned(),
                lines => format!("that a witness saw it: {lines} cosignatures of keys that were not given"),
            });
        }
        if self.live || self.counts.in_flight > 0 {
            tell("entries after this checkpoint: the log was being written".to_owned());
        }
    }
}

impl fmt::Display for LogReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.origin.as_deref().unwrap_or(&self.place);
        let verdict = match self.verdict() {
            Verdict::Good => "good",
            Verdict::NoKey => "no difference, but no key to check the signature with",
            Verdict::Unread => "NOT VERIFIED: not all could be read",
            Verdict::Different => "DIFFERENT",
        };
        writeln!(out, "{name}: {verdict}")?;
        self.findings.fmt(out)?;
        let counts = &self.counts;
        write!(out, "  checked: {} entries in {} bundles and {} tiles", counts.entries, counts.bundles, counts.tiles)?;
        for (count, what) in [
            (counts.starts, "agent starts with the same keys"),
            (counts.payloads_read, "large payloads"),
            (counts.files, "names"),
            (counts.held, "kept checkpoints, which it extends"),
            (counts.cosignatures, "cosignatures"),
            (counts.in_flight, "files in flight"),
            (counts.outgrown, "files of an earlier checkpoint"),
        ] {
            if count > 0 {
                write!(out, ", {count} {what}")?;
            }
        }
        writeln!(out)?;
        if let (Some(size), Some(root)) = (self.size, &self.root) {
            writeln!(out, "  checkpoint: {size} entries, root {root}")?;
        }
        if self.begun {
            writeln!(out, "  no checkpoint yet")?;
        }
        if let Some(records) = self.uncovered.filter(|records| *records > 0) {
            writeln!(out, "  journal: {records} records that no checkpoint covers yet")?;
        }
        if let Some(ended) = &self.ended {
            writeln!(out, "  its agent was ended {ended}; the next start goes on from there")?;
        }
        if let Some(bytes) = self.torn {
            writeln!(out, "  journal: {bytes} bytes at its end are no record; the agent cuts them off when it starts")?;
        }
        if let Some((key, from)) = &self.key {
            writeln!(out, "  key: {key} ({from})")?;
        }
        self.not_shown.iter().try_for_each(|what| writeln!(out, "  not shown: {what}"))
    }
}
