//! The writer's thread: gathers entries into a batch, numbers them, writes them, and answers the tickets after `fdatasync`. It never waits
//! for the tree.

use crate::answer::Answer;
use crate::blobs::Blobs;
use crate::encode::{Encoded, Encoder};
use crate::error::LogError;
use crate::frame;
use crate::health::{Health, Part};
use crate::journal::JournalEnd;
use crate::locked::locked;
use crate::merkle::{Hash, leaf_hash};
use crate::queue::{QUEUE_ENTRIES, Queued, Shared};
use crate::receipt::Receipt;
use crate::record::Record;
use agenttrader_core::digest::Digest;
use agenttrader_core::time::UnixNanos;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

/// How long a batch may gather while nobody waits for it.
const COMMIT_EVERY: Duration = Duration::from_millis(100);

/// How often a disk that failed is tried while nothing is appended.
const RETRY_EVERY: Duration = Duration::from_millis(100);

/// A batch ends here, so that the first ticket does not wait for the last.
const BATCH_BYTES: usize = 4 << 20;

/// Records kept in memory while the disk refuses: some thousands. The next is refused and counted.
const KEPT_BYTES: usize = 16 << 20;

pub(crate) struct Writer {
    journal: JournalEnd,
    blobs: Blobs,
    encoder: Arc<Encoder>,
    watcher: Option<mpsc::Sender<Arc<Record>>>,
    queue: Receiver<Queued>,
    nudged: Receiver<()>,
    shared: Arc<Shared>,
    /// Numbered, not written.
    waiting: Vec<Line>,
    /// Durable in the journal, told to nobody: a payload is not in its place yet.
    written: Vec<Line>,
    /// Bytes of both.
    waiting_bytes: usize,
    next_seq: u64,
    /// The journal's chain after all that is durable in it.
    chain: Hash,
    lost_told: u64,
    /// The last batch's frames: its room is used again.
    frames: Vec<u8>,
}

/// A record on its way to the disk.
struct Line {
    seq: u64,
    timestamp: UnixNanos,
    bytes: Vec<u8>,
    leaf: Hash,
    /// There if somebody watches.
    record: Option<Arc<Record>>,
    payload_digest: Digest,
    blob: Option<Vec<u8>>,
    /// Gone once the ticket had its answer.
    answer: Option<Answer<Result<Receipt, LogError>>>,
}

enum Woken {
    Entry(Box<Queued>),
    Retry,
    Closed,
}

impl Writer {
    /// Goes on after `next_seq` records, whose chain is `chain`.
    pub(crate) fn new(
        (journal, blobs): (JournalEnd, Blobs),
        encoder: Arc<Encoder>,
        watcher: Option<mpsc::Sender<Arc<Record>>>,
        (queue, nudged): (Receiver<Queued>, Receiver<()>),
        shared: Arc<Shared>,
        (next_seq, chain): (u64, Hash),
    ) -> Self {
        Self {
            journal,
            blobs,
            encoder,
            watcher,
            queue,
            nudged,
            shared,
            waiting: Vec::new(),
            written: Vec::new(),
            waiting_bytes: 0,
            next_seq,
            chain,
            lost_told: 0,
            frames: Vec::new(),
        }
    }

    /// Until the log is closed and all that waited was tried.
    pub(crate) fn run(mut self) -> Result<(), LogError> {
        loop {
            match self.wait() {
                Woken::Entry(first) => self.gather(*first),
                Woken::Retry => {}
                Woken::Closed => return self.commit(),
            }
            // The tickets and the observer heard of an error; what failed stays in `waiting`.
            let _ = self.commit();
        }
    }

    fn wait(&self) -> Woken {
        if self.waiting.is_empty() && self.written.is_empty() {
            return self.queue.recv().map_or(Woken::Closed, |queued| Woken::Entry(Box::new(queued)));
        }
        match self.queue.recv_timeout(RETRY_EVERY) {
            Ok(queued) => Woken::Entry(Box::new(queued)),
            Err(RecvTimeoutError::Timeout) => Woken::Retry,
            Err(RecvTimeoutError::Disconnected) => Woken::Closed,
        }
    }

    /// Takes the first entry and those that come until somebody waits, the time is up, or the batch is full.
    fn gather(&mut self, first: Queued) {
        self.take(first);
        // Either way the batch is taken now.
        let _ = self.nudged.recv_timeout(COMMIT_EVERY);
        for _ in 0..QUEUE_ENTRIES {
            if self.waiting_bytes >= BATCH_BYTES && !self.shared.health.is_unavailable(Part::Journal) {
                // What is left in the queue comes with the next batch, without a pause.
                return;
            }
            let Ok(next) = self.queue.try_recv() else { return };
            self.take(next);
        }
    }

    /// Numbers one entry and makes its record.
    fn take(&mut self, queued: Queued) {
        self.shared.queued.fetch_sub(1, Ordering::Relaxed);
        self.shared.queued_bytes.fetch_sub(queued.prepared.size(), Ordering::Relaxed);
        if self.waiting_bytes >= KEPT_BYTES {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
            queued.refuse(LogError::Full);
            return;
        }
        let Queued { prepared, timestamp, answer } = queued;
        let seq = self.next_seq;
        let Encoded { bytes, payload_digest, blob, record } = self.encoder.finish(prepared, seq);
        self.next_seq = seq.saturating_add(1);
        let line = Line { seq, timestamp, leaf: leaf_hash(&bytes), bytes, record, payload_digest, blob, answer };
        self.waiting_bytes = self.waiting_bytes.saturating_add(line.size());
        self.waiting.push(line);
    }

    /// Makes all that waits durable, then says so: to the tickets, to the tree and the watcher. Reads in the order of durability.
    fn commit(&mut self) -> Result<(), LogError> {
        // What an earlier try left without its payloads in place comes first, by itself.
        while !(self.written.is_empty() && self.waiting.is_empty()) {
            self.shared.watch.begin(Part::Journal);
            let tried = self.write().and_then(|()| self.blobs.place(payloads_of(&self.written)));
            if tried.is_err() {
                // If it fails too, it is done before the next write.
                let _ = self.journal.restore();
            }
            self.shared.watch.end(Part::Journal);
            if let Err(error) = tried {
                return Err(self.fail(&error));
            }
            self.announce();
            self.tell_lost();
            self.shared.health.set(Part::Journal, Health::Writable);
        }
        Ok(())
    }

    /// Payloads beside the journal, then the batch's frames, then `fdatasync`.
    fn write(&mut self) -> io::Result<()> {
        let Some(batch) = self.waiting.first().map(|line| line.seq).filter(|_| self.written.is_empty()) else {
            return Ok(());
        };
        self.journal.prepare(batch)?;
        self.blobs.stage(
            self.waiting
                .iter()
                .filter_map(|line| line.blob.as_ref().map(|blob| (line.payload_digest, blob.as_slice()))),
        )?;
        let mut chain = self.chain;
        self.frames.clear();
        self.frames.shrink_to(BATCH_BYTES);
        for line in &self.waiting {
            frame::encode(&mut self.frames, batch, &chain, &line.bytes);
            chain = frame::chain_after(&chain, &line.leaf);
        }
        self.journal.append(&self.frames)?;
        self.chain = chain;
        self.written = std::mem::take(&mut self.waiting);
        Ok(())
    }

    /// Tells of a failure. What was to be written is kept.
    fn fail(&mut self, error: &io::Error) -> LogError {
        let failed = LogError::Unavailable { why: error.to_string() };
        let lines = self.written.iter_mut().chain(&mut self.waiting);
        for answer in lines.filter_map(|line| line.answer.take()) {
            answer.give(Err(failed.clone()));
        }
        self.shared.health.set(Part::Journal, Health::Unavailable { why: error.to_string() });
        failed
    }

    /// Tells of what is durable now.
    fn announce(&mut self) {
        let written = std::mem::take(&mut self.written);
        self.waiting_bytes = self.waiting.iter().map(Line::size).fold(0, usize::saturating_add);
        let Some(last) = written.last() else { return };
        let size = last.seq.saturating_add(1);
        {
            let mut durable = locked(&self.shared.durable);
            durable.size = size;
            durable.last_time = durable.last_time.max(written.iter().map(|line| line.timestamp).max());
            if durable.segments.last() != Some(&self.journal.first()) {
                durable.segments.push(self.journal.first());
            }
        }
        self.shared.size.store(size, Ordering::Release);
        self.shared.grew();
        for line in written {
            if let Some(answer) = line.answer {
                // The one place where a receipt is made. A ticket that was dropped needs none.
                let origin = Arc::clone(self.encoder.origin());
                answer.give(Ok(Receipt::of_durable(origin, line.seq, line.payload_digest)));
            }
            if let (Some(watcher), Some(record)) = (&self.watcher, line.record) {
                // A watcher that ended does not stop the log.
                let _ = watcher.send(record);
            }
        }
    }

    /// A queue that overflowed is a log that could not be written for a while: both edges are told.
    fn tell_lost(&mut self) {
        let lost = self.shared.lost.load(Ordering::Relaxed);
        if lost > self.lost_told {
            let since = lost.saturating_sub(self.lost_told);
            self.lost_told = lost;
            let why = format!("{since} records lost: more came than the disk could take");
            self.shared.health.set(Part::Journal, Health::Unavailable { why });
        }
    }
}

impl Line {
    /// Bytes kept in memory for it.
    fn size(&self) -> usize {
        self.bytes.len().saturating_add(self.blob.as_ref().map_or(0, Vec::len))
    }
}

/// The payloads that lie beside these records, with their bytes.
fn payloads_of(lines: &[Line]) -> impl Iterator<Item = (Digest, u64)> {
    lines.iter().filter_map(|line| line.blob.as_ref().map(|blob| (line.payload_digest, blob.len() as u64)))
}
