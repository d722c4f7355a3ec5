//! The writer's thread: takes one batch after the other, writes it, and answers its tickets after `fdatasync`. While it waits for the disk the
//! next batch is made by those who append. It never waits for the tree.

use crate::batch::Batch;
use crate::blobs::Blobs;
use crate::error::LogError;
use crate::health::{Health, Part};
use crate::journal::JournalEnd;
use crate::locked::locked;
use crate::queue::Shared;
use crate::record::Record;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};

pub(crate) struct Writer {
    journal: JournalEnd,
    blobs: Blobs,
    watcher: Option<mpsc::Sender<Arc<Record>>>,
    shared: Arc<Shared>,
    /// The index after the last record whose ticket was told of a failure.
    failed_before: u64,
    lost_told: u64,
}

impl Writer {
    pub(crate) const fn new(
        journal: JournalEnd,
        blobs: Blobs,
        watcher: Option<mpsc::Sender<Arc<Record>>>,
        shared: Arc<Shared>,
    ) -> Self {
        Self { journal, blobs, watcher, shared, failed_before: 0, lost_told: 0 }
    }

    /// Until the log is closed and all that waited was tried.
    pub(crate) fn run(mut self) -> Result<(), LogError> {
        let (mut room, mut closing) = (Vec::new(), false);
        while let Some(mut batch) = self.shared.next_batch(std::mem::take(&mut room)) {
            // What failed is kept and tried again, before what came after it.
            while let Err(error) = self.commit(&mut batch) {
                let failed = self.fail(&mut batch, &error);
                if closing {
                    return Err(failed);
                }
                closing = self.shared.wait_to_retry(self.failed_before);
            }
            room = batch.frames;
        }
        Ok(())
    }

    /// Makes a batch durable, then says so: to the tickets, to the tree and the watcher.
    fn commit(&mut self, batch: &mut Batch) -> io::Result<()> {
        self.shared.watch.begin(Part::Journal);
        let tried = self.write(batch);
        if tried.is_err() {
            // If it fails too, it is done before the next write.
            let _ = self.journal.restore();
        }
        self.shared.watch.end(Part::Journal);
        tried?;
        self.announce(batch);
        self.tell_lost();
        // Not while there are records of which it was said that they are not durable.
        if batch.end >= self.failed_before {
            self.shared.health.set(Part::Journal, Health::Writable);
        }
        Ok(())
    }

    /// Payloads beside the journal, then the frames, then `fdatasync`, then the payloads to their place. Reads in the order of durability.
    fn write(&mut self, batch: &mut Batch) -> io::Result<()> {
        if !batch.is_written {
            self.journal.prepare(batch.first)?;
            self.blobs.stage(batch.payloads.iter().map(|(digest, payload)| (*digest, payload.as_slice())))?;
            self.journal.append(&batch.frames)?;
            batch.is_written = true;
        }
        self.blobs.place(batch.payloads.iter().map(|(digest, payload)| (*digest, payload.len() as u64)))
    }

    /// Tells of a failure. What was to be written is kept.
    fn fail(&mut self, batch: &mut Batch, error: &io::Error) -> LogError {
        let failed = LogError::Unavailable { why: error.to_string() };
        self.failed_before = self.shared.fail(batch, &failed);
        self.shared.health.set(Part::Journal, Health::Unavailable { why: error.to_string() });
        failed
    }

    /// Tells of what is durable now.
    fn announce(&self, batch: &mut Batch) {
        {
            let mut durable = locked(&self.shared.durable);
            durable.size = batch.end;
            durable.last_time = durable.last_time.max(batch.last_time);
            if durable.segments.last() != Some(&self.journal.first()) {
                durable.segments.push(self.journal.first());
            }
        }
        self.shared.size.store(batch.end, Ordering::Release);
        batch.tell(Ok(()));
        self.shared.grew();
        for record in batch.watched.drain(..) {
            if let Some(watcher) = &self.watcher {
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

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.abandon();
    }
}
