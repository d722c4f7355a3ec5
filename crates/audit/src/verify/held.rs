//! Checkpoints that somebody else holds: the log must extend each of them.

use super::KeysFrom;
use super::finding::{Finding, Spot};
use super::report::LogReport;
use super::snapshot::Snapshot;
use super::{Against, root_at};
use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::note::VerifierKey;
use crate::source::LogFiles;

/// A checkpoint that was kept elsewhere, or cosigned by a witness.
#[derive(Clone, Debug)]
pub struct Held {
    /// What it is called: its file's name.
    pub name: String,
    /// It.
    pub checkpoint: SignedCheckpoint,
    /// Whether it is meant to carry witnesses' lines, and only of witnesses whose keys are known.
    pub cosigned: bool,
    /// The witnesses whose lines the place says it takes. They are believed in nothing; a line that is none of theirs does not belong there.
    pub listed: Vec<VerifierKey>,
}

impl Held {
    /// A checkpoint that was kept elsewhere.
    ///
    /// # Errors
    /// [`CheckpointError`] when the bytes are none.
    pub fn kept(name: impl Into<String>, bytes: &[u8]) -> Result<Self, CheckpointError> {
        Ok(Self { name: name.into(), checkpoint: SignedCheckpoint::parse(bytes)?, cosigned: false, listed: Vec::new() })
    }

    /// A checkpoint with witnesses' cosignatures.
    ///
    /// # Errors
    /// [`CheckpointError`] when the bytes are none.
    pub fn cosigned(name: impl Into<String>, bytes: &[u8]) -> Result<Self, CheckpointError> {
        Ok(Self { cosigned: true, ..Self::kept(name, bytes)? })
    }

    /// The same where the place lists the witnesses whose lines it takes.
    #[must_use]
    pub fn of_listed(self, listed: &[VerifierKey]) -> Self {
        Self { listed: listed.to_vec(), ..self }
    }
}

/// Checks those that are of this log.
pub(super) fn check(
    files: &dyn LogFiles,
    snapshot: &Snapshot,
    key: Option<&VerifierKey>,
    against: &Against<'_>,
    report: &mut LogReport,
) {
    let ours = &snapshot.signed.checkpoint;
    let witnesses = against.keys.witnesses();
    for held in against.held.iter().filter(|held| held.checkpoint.checkpoint.origin == ours.origin) {
        let theirs = &held.checkpoint.checkpoint;
        let mut differs = |why: String| report.findings.push(Finding::differs(Spot::Held(held.name.clone()), why));
        // Whoever kept it knows what it is, with a key or without.
        if let Some(Err(error)) = key.map(|key| held.checkpoint.verify(key)) {
            differs(error.to_string());
            continue;
        }
        if theirs.size > ours.size {
            differs(format!(
                "it is of {} entries, and the log has {}: the log was rolled back, or what was read is older",
                theirs.size, ours.size
            ));
            continue;
        }
        match root_at(files, snapshot, theirs.size) {
            Err(why) => {
                differs(format!("the log cannot be held against it: {why}"));
                continue;
            }
            Ok(root) if root != theirs.root => {
                differs(format!("the log's first {} entries are not those it is of: the log forked", theirs.size));
                continue;
            }
            Ok(_) => report.counts.held = report.counts.held.saturating_add(1),
        }
        // What stands beside the log is rolled back with it.
        report.outside = report.outside.saturating_add(u64::from(!held.cosigned));
        if let Some(key) = key {
            cosignatures(held, key, &witnesses, against, report);
        }
    }
}

/// Checks the lines of those witnesses whose keys are known. Whoever holds another witness's key alone must not take the rest for forged:
/// what other lines are worth is not shown.
fn cosignatures(
    held: &Held,
    key: &VerifierKey,
    witnesses: &[VerifierKey],
    against: &Against<'_>,
    report: &mut LogReport,
) {
    let note = held.checkpoint.note();
    for line in note.signatures().iter().filter(|line| !key.made(line)) {
        let wrong = if let Some(witness) = witnesses.iter().find(|witness| witness.made(line)) {
            let bad = note.signed_by(witness).err();
            let good = u64::from(bad.is_none());
            report.counts.cosignatures = report.counts.cosignatures.saturating_add(good);
            let outside = if against.keys.from() == KeysFrom::Pack { 0 } else { good };
            report.outside = report.outside.saturating_add(outside);
            bad.map(|error| error.to_string())
        } else {
            report.unknown_cosignatures = report.unknown_cosignatures.saturating_add(1);
            match held.listed.iter().find(|listed| listed.made(line)) {
                Some(listed) => note.signed_by(listed).err().map(|error| error.to_string()),
                None if held.listed.is_empty() => None,
                None => Some(format!("a signature line of the unknown key {}+{:08x}", line.name, line.key_id)),
            }
        };
        if let Some(why) = wrong {
            report.findings.push(Finding::differs(Spot::Held(held.name.clone()), why));
        }
    }
}
