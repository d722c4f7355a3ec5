//! Between the log's users and its writer: the entries that wait, and what both sides see.

use crate::answer::Answer;
use crate::checkpoint::SignedCheckpoint;
use crate::encode::Prepared;
use crate::error::LogError;
use crate::health::HealthBoard;
use crate::locked::locked;
use crate::receipt::Receipt;
use crate::watch::Watch;
use agenttrader_core::time::UnixNanos;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex};

/// Entries that may wait for the writer: a disk that hangs for a second at four thousand records a second. The next is refused, its ticket
/// fails at once, and `Log::lost` counts it: an agent must not stop, or grow without end, because a disk does.
pub const QUEUE_ENTRIES: usize = 4_096;

/// Bytes that may wait for the writer, a few large payloads among them; then too the next entry is refused.
pub(crate) const QUEUE_BYTES: usize = 32 << 20;

/// An entry on its way to the writer, which numbers it.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) prepared: Prepared,
    pub(crate) timestamp: UnixNanos,
    /// None where the ticket had its answer: the record stands without its payload.
    pub(crate) answer: Option<Answer<Result<Receipt, LogError>>>,
}

impl Queued {
    /// Answers the ticket, if it had no answer yet.
    pub(crate) fn refuse(self, why: LogError) {
        if let Some(answer) = self.answer {
            answer.give(Err(why));
        }
    }
}

/// What the log's threads and its users see.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Entries in the queue, and their bytes.
    pub(crate) queued: AtomicUsize,
    pub(crate) queued_bytes: AtomicUsize,
    /// Durable records.
    pub(crate) size: AtomicU64,
    /// Records refused because too many waited.
    pub(crate) lost: AtomicU64,
    pub(crate) health: HealthBoard,
    pub(crate) watch: Watch,
    /// What the tree may take in.
    pub(crate) durable: Mutex<Durable>,
    /// The latest durable checkpoint.
    pub(crate) checkpoint: Mutex<Option<Arc<SignedCheckpoint>>>,
    /// The latest time that a record carries which it covers.
    pub(crate) checkpoint_time: Mutex<Option<UnixNanos>>,
    pub(crate) asked: Mutex<Asked>,
    /// `asked` changed.
    pub(crate) wake: Condvar,
}

/// What is durable in the journal, with the payloads that lie beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Durable {
    /// Records.
    pub(crate) size: u64,
    /// The latest time any of them carries.
    pub(crate) last_time: Option<UnixNanos>,
    /// The first index of each of the journal's segments, in order.
    pub(crate) segments: Vec<u64>,
}

/// A caller that waits for a checkpoint.
pub(crate) type CheckpointAnswer = SyncSender<Result<Arc<SignedCheckpoint>, LogError>>;

/// What is asked of the tree's thread. Whoever asks waits for this lock alone, which nobody holds while a disk works.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// More is durable.
    pub(crate) grown: bool,
    /// Who waits for a checkpoint of all that is durable.
    pub(crate) now: Vec<CheckpointAnswer>,
    /// The writer has ended; nothing more becomes durable.
    pub(crate) closing: bool,
}

impl Shared {
    /// More is durable. The tree's thread is woken by the first batch it has not seen; the others wait with that one.
    pub(crate) fn grew(&self) {
        if !std::mem::replace(&mut locked(&self.asked).grown, true) {
            self.wake.notify_all();
        }
    }

    /// Changes what is asked of the tree's thread, and wakes it.
    pub(crate) fn ask(&self, change: impl FnOnce(&mut Asked)) {
        change(&mut locked(&self.asked));
        self.wake.notify_all();
    }
}
