//! Between the log's users and its writer: the entries that wait, and what both sides see.

use crate::error::LogError;
use crate::health::Health;
use crate::receipt::Receipt;
use crate::record::Entry;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Entries that may wait for the writer: a disk that hangs for a second at four thousand records a second. The next is refused, its ticket
/// fails at once, and `Log::lost` counts it: an agent must not stop, or grow without end, because a disk does.
pub const QUEUE_ENTRIES: usize = 4_096;

/// An entry on its way to the writer.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) entry: Entry,
    pub(crate) answer: SyncSender<Result<Receipt, LogError>>,
}

/// What the writer and the log's users both see.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Entries in the queue.
    pub(crate) queued: AtomicUsize,
    /// Durable records.
    pub(crate) size: AtomicU64,
    /// Records refused because too many waited.
    pub(crate) lost: AtomicU64,
    pub(crate) health: Mutex<Health>,
}

/// The guard, also after a panic of another holder: what is held here is never half changed.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
