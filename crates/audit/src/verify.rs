//! Verifies logs: recomputes everything that can be recomputed, and says what cannot.
//!
//! [`verify_log`] takes the files of one log from any [`LogFiles`] (a folder, a pack in memory, a URL); [`verify_data_dir`] a floor's data
//! directory with all logs, their large payloads, journals and cosigned checkpoints. Neither fails: what cannot be read is a [`Finding`] of
//! the report like any difference. [`LogReport::verdict`] and [`DataDirReport::verdict`] give the answer, `Display` tells it to people, with
//! what could not be shown at its end, and `Serialize` to programs. A single entry's proof is made by [`crate::prove`].
//!
//! ```no_run
//! use agenttrader_audit::source::Directory;
//! use agenttrader_audit::verify::{Against, KnownKeys, Verdict, verify_log};
//!
//! let keys = KnownKeys::parse(b"agenttrader/floor/gamma+a6028839+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n").unwrap();
//! let report = verify_log(&Directory::new("copy/gamma"), &Against { keys: &keys, ..Against::nothing() });
//! println!("{report}");
//! assert_eq!(report.verdict(), Verdict::Good);
//! ```
//!
//! One log in order: the checkpoint and the partial files at the tree's right edge; every bundle's entries, their hashes and the tiles over
//! them up to the root; the file set; the keys and the signature; checkpoints that others hold. Two threads share the bundles, each holds one
//! bundle at a time; beside them 32 bytes a bundle and the names of the files are kept, and the digests of large payloads.

mod ahead;
mod bundles;
mod data_dir;
mod entry;
mod file_set;
mod finding;
mod held;
mod journal;
mod keys;
mod payloads;
mod report;
mod signature;
mod snapshot;
mod tiles;

pub use data_dir::{DataDirReport, verify_data_dir};
pub use finding::{FINDINGS_MOST, Finding, Findings, Spot};
pub use held::Held;
pub use keys::{KeysError, KeysFrom, KnownKeys, PublicKeys};
pub use report::{Counts, LogReport, Verdict};

use crate::merkle;
use crate::source::LogFiles;
use entry::Agent;
use payloads::Payloads;
pub(crate) use snapshot::Snapshot;

/// How far a verification has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'name> {
    /// The log's origin.
    pub origin: &'name str,
    /// Entries checked.
    pub entries: u64,
    /// Entries there are.
    pub of: u64,
}

/// What a log is verified against, and who is told of the progress.
#[derive(Clone, Copy)]
pub struct Against<'given> {
    /// Whose log it must be, where the place tells.
    pub agent_name: Option<&'given str>,
    /// Whose signatures are believed. Without any the log's first entry names its own.
    pub keys: &'given KnownKeys,
    /// Large payloads, each under its SHA-256 in hex.
    pub blobs: Option<&'given dyn LogFiles>,
    /// Checkpoints of this log, or of others too, that were kept elsewhere: the log must extend each that is its own.
    pub held: &'given [Held],
    /// Told after each bundle, by two threads.
    pub progress: &'given (dyn Fn(Progress<'_>) + Sync),
}

static NO_KEYS: KnownKeys = KnownKeys::none();

impl Against<'_> {
    /// Against itself alone.
    pub const fn nothing() -> Self {
        Self { agent_name: None, keys: &NO_KEYS, blobs: None, held: &[], progress: &|_| {} }
    }
}

/// Verifies one log.
pub fn verify_log(files: &dyn LogFiles, against: &Against<'_>) -> LogReport {
    let mut report = LogReport::of(files.place());
    let payloads = Payloads::new(against.blobs);
    verify_into(&mut report, files, against, &payloads, &|_| false);
    report
}

/// Verifies one log. `unfinished`: whether its agent ended in the middle of writing after that many entries, so that files of a larger tree
/// may stand there as in a live log. Gives the tree's checkpoint and edge, where there is one.
fn verify_into(
    report: &mut LogReport,
    files: &dyn LogFiles,
    against: &Against<'_>,
    payloads: &Payloads<'_>,
    unfinished: &dyn Fn(u64) -> bool,
) -> Option<(Snapshot, Option<Agent>)> {
    report.live = files.is_live();
    let snapshot = match Snapshot::take(files) {
        Ok(snapshot) => snapshot,
        Err(finding) => {
            report.findings.push(finding);
            report.tell_not_shown(against, true);
            return None;
        }
    };
    let checkpoint = &snapshot.signed().checkpoint;
    report.committed(checkpoint);
    let agent = signature::agent_of(checkpoint, against.agent_name, &mut report.findings);
    let walk = bundles::Walk::new(files, &snapshot, agent.as_ref(), against, payloads);
    let passed = walk.run(report);
    match tiles::check(files, &snapshot, passed, report) {
        Some(root) if root != checkpoint.root => {
            let why = format!("its root {} is not that of the {} entries, {root}", checkpoint.root, checkpoint.size);
            report.findings.push(Finding::differs(Spot::Checkpoint, why));
        }
        _ => {}
    }
    let listed = file_set::check(files, &snapshot, unfinished, report);
    let key = signature::check(&snapshot, walk.leaf_zero(), against, report);
    held::check(files, &snapshot, key.as_ref(), against, report);
    report.tell_ended();
    report.tell_not_shown(against, listed);
    Some((snapshot, agent))
}

/// The root of the log's tree when it had `size` entries, out of its tiles.
fn root_at(files: &dyn LogFiles, snapshot: &Snapshot, size: u64) -> Result<merkle::Hash, String> {
    merkle::root(size, &snapshot.nodes(files)).map_err(|error| agenttrader_core::error_chain::chain(&error))
}
