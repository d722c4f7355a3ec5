//! A batch: records that become durable together, framed as they will be written.

use crate::answer::{Answer, Awaited};
use crate::encode::Prepared;
use crate::error::LogError;
use crate::frame;
use crate::merkle::Hash;
use crate::record::Record;
use agenttrader_core::digest::Digest;
use agenttrader_core::time::UnixNanos;
use std::sync::Arc;

/// What a ticket waits for: that its batch is durable, or why it is not.
pub(crate) type Told = Result<(), LogError>;

/// Records that become durable together.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The index of its first record.
    pub(crate) first: u64,
    /// The index after its last one.
    pub(crate) end: u64,
    /// The latest time any of them carries.
    pub(crate) last_time: Option<UnixNanos>,
    /// As they are written.
    pub(crate) frames: Vec<u8>,
    /// Those that are too large for their records.
    pub(crate) payloads: Vec<(Digest, Vec<u8>)>,
    /// The records, if somebody watches.
    pub(crate) watched: Vec<Arc<Record>>,
    /// Durable in the journal. Told to nobody while a payload is not in its place.
    pub(crate) is_written: bool,
    /// For those tickets that were not told of a failure.
    told: Answer<Told>,
}

impl Batch {
    /// An empty one, whose first record will have that index. `room` is memory that was used before.
    pub(crate) fn new(first: u64, mut room: Vec<u8>) -> Self {
        room.clear();
        Self {
            first,
            end: first,
            last_time: None,
            frames: room,
            payloads: Vec::new(),
            watched: Vec::new(),
            is_written: false,
            told: Answer::default(),
        }
    }

    /// Takes the record in that has the next number; `chain` is that of all before it, and will be that after it. Tells what its ticket waits
    /// for, and by how many bytes the batch has grown.
    pub(crate) fn push(&mut self, record: Prepared, at: UnixNanos, chain: &mut Hash) -> (Awaited<Told>, usize) {
        let before = self.frames.len();
        *chain = frame::append(&mut self.frames, self.first, chain, |out| record.write(out));
        let frame = self.frames.len().saturating_sub(before);
        self.end = self.end.saturating_add(1);
        self.last_time = self.last_time.max(Some(at));
        self.watched.extend(record.record.map(Arc::from));
        let payload = record.blob.as_ref().map_or(0, Vec::len);
        self.payloads.extend(record.blob.map(|payload| (record.payload_digest, payload)));
        (self.told.awaited(), frame.saturating_add(payload))
    }

    /// Bytes kept in memory for it, but for records that are kept for a watcher, which have about as many.
    pub(crate) fn size(&self) -> usize {
        let payloads = self.payloads.iter().map(|(_, payload)| payload.len());
        payloads.fold(self.frames.len(), usize::saturating_add)
    }

    /// Tells those that wait that it is durable or not. Those that come later wait for what is told next.
    pub(crate) fn tell(&mut self, told: Told) {
        std::mem::take(&mut self.told).give(told);
    }
}
