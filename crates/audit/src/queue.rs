//! Between the log's users and its threads: the batches that wait for the disk, and what all sides see.

use crate::answer::Awaited;
use crate::batch::{Batch, Told};
use crate::checkpoint::SignedCheckpoint;
use crate::encode::Prepared;
use crate::error::LogError;
use crate::health::HealthBoard;
use crate::locked::locked;
use crate::merkle::Hash;
use crate::watch::Watch;
use agenttrader_core::time::UnixNanos;
use std::collections::VecDeque;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes that may wait for the disk: tens of thousands of records, or a few large payloads. The next record is refused, its ticket fails at
/// once, and `Log::lost` counts it: an agent must not stop, or grow without end, because a disk does.
pub const QUEUE_BYTES: usize = 32 << 20;

/// A batch ends here, so that the first ticket does not wait for the last.
const BATCH_BYTES: usize = 4 << 20;

/// How long a batch may gather while nobody waits for it.
const COMMIT_EVERY: Duration = Duration::from_millis(100);

/// How often a disk that failed is tried while nothing is appended.
const RETRY_EVERY: Duration = Duration::from_millis(100);

/// The batches that wait for the disk. Records get their number here, and are hashed and framed while the writer waits for the batch before:
/// the order in which they come is the order in the log.
#[derive(Debug)]
pub(crate) struct Queue {
    /// The next record's index.
    next: u64,
    /// The chain over all records before it.
    chain: Hash,
    batches: VecDeque<Batch>,
    /// Bytes of all batches.
    bytes: usize,
    /// Somebody waits for a record that is not durable, or was told that it is not.
    hurried: bool,
    closed: bool,
    writer: Writer,
    /// The last batch's memory, to be used again.
    room: Vec<u8>,
}

/// What the writer sleeps for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writer {
    /// It is awake.
    Awake,
    /// A record.
    Record,
    /// A full batch, or somebody who waits for one.
    Company,
    /// A record of that index: those before it heard of a failure.
    Retry(u64),
}

impl Queue {
    /// Goes on after `next` records, whose chain is `chain`.
    pub(crate) const fn new(next: u64, chain: Hash) -> Self {
        Self {
            next,
            chain,
            batches: VecDeque::new(),
            bytes: 0,
            hurried: false,
            closed: false,
            writer: Writer::Awake,
            room: Vec::new(),
        }
    }

    /// Numbers a record and puts it into the last batch.
    fn push(&mut self, origin: &str, mut record: Prepared, at: UnixNanos) -> Result<(u64, Awaited<Told>), LogError> {
        if self.closed {
            return Err(LogError::Closed);
        }
        if self.bytes >= QUEUE_BYTES {
            return Err(LogError::Full);
        }
        if self.batches.back().is_none_or(|last| last.size() >= BATCH_BYTES) {
            self.batches.push_back(Batch::new(self.next, std::mem::take(&mut self.room)));
        }
        let Some(batch) = self.batches.back_mut() else { return Err(LogError::Full) };
        let seq = self.next;
        record.number(origin, seq);
        let (told, bytes) = batch.push(record, at, &mut self.chain);
        self.bytes = self.bytes.saturating_add(bytes);
        self.next = seq.saturating_add(1);
        Ok((seq, told))
    }

    /// Whether what the writer sleeps for is there.
    fn wakes(&self) -> bool {
        self.closed
            || match self.writer {
                Writer::Awake => true,
                Writer::Record => !self.batches.is_empty(),
                Writer::Company => self.hurried || self.batches.len() > 1,
                Writer::Retry(index) => self.next > index,
            }
    }
}

/// What the log's threads and its users see.
#[derive(Debug)]
pub(crate) struct Shared {
    /// `agenttrader/<repo_id>/<agent_name>`.
    pub(crate) origin: Arc<str>,
    /// What waits for the disk. Nobody holds this lock while a disk works.
    pub(crate) queue: Mutex<Queue>,
    /// What the writer sleeps for is there.
    pub(crate) filled: Condvar,
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
    /// Numbers a record and puts it where it waits for the disk; tells its number and what its ticket waits for.
    pub(crate) fn push(&self, record: Prepared, at: UnixNanos) -> Result<(u64, Awaited<Told>), LogError> {
        let mut pushed = Err(LogError::Closed);
        self.change(|queue| pushed = queue.push(&self.origin, record, at));
        pushed
    }

    /// Somebody waits: the batch that gathers is taken as soon as the disk is free.
    pub(crate) fn hurry(&self) {
        self.change(|queue| queue.hurried = true);
    }

    /// Nothing is taken in any more. The writer ends once nothing waits.
    pub(crate) fn close(&self) {
        self.change(|queue| queue.closed = true);
    }

    /// The writer has ended: what waits will never be durable.
    pub(crate) fn abandon(&self) {
        let mut queue = locked(&self.queue);
        queue.closed = true;
        queue.batches.clear();
    }

    /// Changes the queue, and wakes the writer if it sleeps for that: a system call that is made once a batch.
    fn change(&self, change: impl FnOnce(&mut Queue)) {
        let mut queue = locked(&self.queue);
        change(&mut queue);
        let wakes = queue.writer != Writer::Awake && queue.wakes();
        if wakes {
            queue.writer = Writer::Awake;
        }
        drop(queue);
        if wakes {
            self.filled.notify_one();
        }
    }

    /// The writer's next batch: one that is full, or that somebody waits for, or that was begun a while ago. `None` once the queue is closed
    /// and empty. `room` is the memory of the one before.
    pub(crate) fn next_batch(&self, room: Vec<u8>) -> Option<Batch> {
        let mut queue = locked(&self.queue);
        queue.room = room;
        queue.room.shrink_to(BATCH_BYTES);
        queue = self.sleep(queue, Writer::Record, None);
        queue = self.sleep(queue, Writer::Company, Some(COMMIT_EVERY));
        let batch = queue.batches.pop_front()?;
        queue.bytes = queue.bytes.saturating_sub(batch.size());
        // Who waits may wait for what is left.
        queue.hurried &= !queue.batches.is_empty();
        Some(batch)
    }

    /// Tells all that wait that the disk refuses: those of the batch that was tried, and those behind it, which are taken without a pause once
    /// it does not. Gives the index after the last of them.
    pub(crate) fn fail(&self, tried: &mut Batch, why: &LogError) -> u64 {
        let mut queue = locked(&self.queue);
        for batch in std::iter::once(tried).chain(&mut queue.batches) {
            batch.tell(Err(why.clone()));
        }
        queue.hurried = true;
        queue.next
    }

    /// Sleeps until there is a record of that index, or a while; tells whether the queue is closed.
    pub(crate) fn wait_to_retry(&self, index: u64) -> bool {
        self.sleep(locked(&self.queue), Writer::Retry(index), Some(RETRY_EVERY)).closed
    }

    fn sleep<'queue>(
        &self,
        mut queue: MutexGuard<'queue, Queue>,
        sleeps_for: Writer,
        most: Option<Duration>,
    ) -> MutexGuard<'queue, Queue> {
        queue.writer = sleeps_for;
        let sleeps = |queue: &mut Queue| !queue.wakes();
        queue = match most {
            None => self.filled.wait_while(queue, sleeps).unwrap_or_else(PoisonError::into_inner),
            Some(most) => self.filled.wait_timeout_while(queue, most, sleeps).unwrap_or_else(PoisonError::into_inner).0,
        };
        queue.writer = Writer::Awake;
        queue
    }

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
