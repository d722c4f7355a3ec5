//! The writer's thread: gathers entries into a batch, numbers them, writes them, and answers the tickets after `fdatasync`.

use crate::disk::Disk;
use crate::error::LogError;
use crate::health::{Health, HealthObserver};
use crate::journal::Replayed;
use crate::options::Options;
use crate::queue::{QUEUE_ENTRIES, Queued, Shared, locked};
use crate::receipt::Receipt;
use crate::record::{
    ERROR_BYTES_MOST, Entry, RECORD_BYTES_MOST, Record, SUMMARY_BYTES_MOST, StoredPayload, TRACE_ID_BYTES_MOST, cut,
};
use crate::redact::Redactor;
use agenttrader_core::canonical_json::{self, CanonicalError};
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::{AgentIdentity, Build};
use agenttrader_core::proposal::derived_id;
use serde_json::Value;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;
use uuid::Uuid;

/// How long a batch may gather while nobody waits for it.
const COMMIT_EVERY: Duration = Duration::from_millis(100);

/// How often a disk that failed is tried while nothing is appended.
const RETRY_EVERY: Duration = Duration::from_millis(100);

/// A batch ends here, so that the first ticket does not wait for the last.
const BATCH_BYTES: usize = 4 << 20;

/// Records kept in memory while the disk refuses: some thousands. The next is refused and counted.
const KEPT_BYTES: usize = 16 << 20;

/// What the log adds to every entry.
#[derive(Debug)]
pub(crate) struct Stamp {
    pub(crate) repo_id: String,
    pub(crate) identity: AgentIdentity,
    pub(crate) build: Build,
    pub(crate) origin: Arc<str>,
}

pub(crate) struct Writer {
    disk: Box<dyn Disk>,
    stamp: Stamp,
    redactor: Arc<Redactor>,
    on_health_change: Option<HealthObserver>,
    watcher: Option<mpsc::Sender<Arc<Record>>>,
    queue: Receiver<Queued>,
    nudged: Receiver<()>,
    shared: Arc<Shared>,
    /// Numbered, not durable.
    waiting: Vec<Line>,
    waiting_bytes: usize,
    next_seq: u64,
    durable_bytes: u64,
    /// The journal may hold more than `durable_bytes`.
    unclean: bool,
    lost_told: u64,
}

/// A record on its way to the disk.
struct Line {
    bytes: Vec<u8>,
    record: Arc<Record>,
    payload_digest: Digest,
    blob: Option<Vec<u8>>,
    /// Gone once the ticket had its answer.
    answer: Option<SyncSender<Result<Receipt, LogError>>>,
}

/// A record as it will stand.
struct Written {
    bytes: Vec<u8>,
    payload_digest: Digest,
    blob: Option<Vec<u8>>,
}

enum Woken {
    Entry(Box<Queued>),
    Retry,
    Closed,
}

impl Writer {
    pub(crate) fn new(
        disk: Box<dyn Disk>,
        stamp: Stamp,
        options: Options,
        queue: Receiver<Queued>,
        nudged: Receiver<()>,
        shared: Arc<Shared>,
        replayed: &Replayed,
    ) -> Self {
        Self {
            disk,
            stamp,
            redactor: options.redactor,
            on_health_change: options.on_health_change,
            watcher: options.watcher,
            queue,
            nudged,
            shared,
            waiting: Vec::new(),
            waiting_bytes: 0,
            next_seq: replayed.records,
            durable_bytes: replayed.good_len,
            unclean: false,
            lost_told: 0,
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
        if self.waiting.is_empty() {
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
            if self.waiting_bytes >= BATCH_BYTES && !self.unavailable() {
                // What is left in the queue comes with the next batch, without a pause.
                return;
            }
            let Ok(next) = self.queue.try_recv() else { return };
            self.take(next);
        }
    }

    /// Numbers one entry and makes its line.
    fn take(&mut self, queued: Queued) {
        self.shared.queued.fetch_sub(1, Ordering::Relaxed);
        if self.waiting_bytes >= KEPT_BYTES {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
            let _ = queued.answer.try_send(Err(LogError::Full));
            return;
        }
        let mut record = self.stamped(queued.entry);
        let mut answer = Some(queued.answer);
        let written = self.written(&mut record).or_else(|error| {
            let why = error.to_string();
            record.error = Some(format!("the payload has no canonical form and is left out: {why}"));
            record.intent_payload = Value::Null;
            if let Some(answer) = answer.take() {
                let _ = answer.try_send(Err(LogError::Payload { why }));
            }
            self.written(&mut record)
        });
        // Only numbers and nesting have no canonical form, and without its payload a record has neither.
        let Ok(Written { bytes, payload_digest, blob }) = written else { return };
        self.next_seq = self.next_seq.saturating_add(1);
        let blob_bytes = blob.as_ref().map_or(0, Vec::len);
        self.waiting_bytes = self.waiting_bytes.saturating_add(bytes.len()).saturating_add(blob_bytes);
        self.waiting.push(Line { bytes, record: Arc::new(record), payload_digest, blob, answer });
    }

    /// A record's line, after its id was derived and a payload that is too large was taken out.
    fn written(&self, record: &mut Record) -> Result<Written, CanonicalError> {
        let payload = canonical_json::to_bytes(&record.intent_payload)?;
        let payload_digest = Digest::of(&payload);
        record.intent_id =
            derived_id(&[self.stamp.origin.as_bytes(), &record.seq.to_le_bytes(), payload_digest.as_bytes()]);
        let mut bytes = canonical(record)?;
        let mut blob = None;
        if bytes.len() > RECORD_BYTES_MOST {
            let stored = StoredPayload { sha256: payload_digest, size: payload.len() as u64 };
            record.intent_payload = serde_json::to_value(stored).unwrap_or(Value::Null);
            bytes = canonical(record)?;
            blob = Some(payload);
        }
        bytes.push(b'\n');
        Ok(Written { bytes, payload_digest, blob })
    }

    fn stamped(&self, entry: Entry) -> Record {
        let Stamp { repo_id, identity, build, .. } = &self.stamp;
        Record {
            timestamp: entry.timestamp,
            seq: self.next_seq,
            repo_id: repo_id.clone(),
            agent_name: identity.agent_name.clone(),
            agent_role: identity.agent_role,
            agent_mode: identity.agent_mode,
            git_sha: build.git_sha.clone(),
            build_id: build.build_id.clone(),
            intent_id: Uuid::nil(),
            correlation_id: entry.correlation_id,
            trace_id: entry.trace_id.map(|text| cut(&text, TRACE_ID_BYTES_MOST).to_owned()),
            intent_type: entry.intent_type,
            intent_summary: cut(&self.redactor.redact_text(&entry.intent_summary), SUMMARY_BYTES_MOST).to_owned(),
            intent_payload: entry.intent_payload,
            outcome: entry.outcome,
            duration_ms: entry.duration_ms.map(|millis| millis.min(canonical_json::MAX_INTEGER)),
            error: entry.error.map(|text| cut(&self.redactor.redact_text(&text), ERROR_BYTES_MOST).to_owned()),
        }
    }

    /// Makes all that waits durable, then says so: to the tickets, to the watcher, in this order of durability.
    fn commit(&mut self) -> Result<(), LogError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        match self.write() {
            Ok(written) => {
                self.durable_bytes = self.durable_bytes.saturating_add(written);
                self.waiting_bytes = 0;
                for line in std::mem::take(&mut self.waiting) {
                    self.announce(line);
                }
                self.tell_lost();
                self.set_health(Health::Writable);
                Ok(())
            }
            Err(error) => {
                self.unclean = true;
                // Now if it can be, so that a crash leaves no torn line; else before the next write.
                self.unclean = self.disk.restore(self.durable_bytes).is_err();
                let failed = LogError::Unavailable { why: error.to_string() };
                for answer in self.waiting.iter_mut().filter_map(|line| line.answer.take()) {
                    let _ = answer.try_send(Err(failed.clone()));
                }
                self.set_health(Health::Unavailable { why: error.to_string() });
                Err(failed)
            }
        }
    }

    fn write(&mut self) -> io::Result<u64> {
        if self.unclean {
            self.disk.restore(self.durable_bytes)?;
            self.unclean = false;
        }
        let mut bytes = Vec::new();
        for line in &self.waiting {
            if let Some(blob) = &line.blob {
                self.disk.put_blob(&line.payload_digest, blob)?;
            }
            bytes.extend_from_slice(&line.bytes);
        }
        self.disk.append(&bytes)?;
        self.disk.sync()?;
        Ok(bytes.len() as u64)
    }

    fn announce(&self, line: Line) {
        let index = line.record.seq;
        self.shared.size.store(index.saturating_add(1), Ordering::Release);
        if let Some(answer) = line.answer {
            // The one place where a receipt is made. A ticket that was dropped needs none.
            let _ =
                answer.try_send(Ok(Receipt::of_durable(Arc::clone(&self.stamp.origin), index, line.payload_digest)));
        }
        if let Some(watcher) = &self.watcher {
            // A watcher that ended does not stop the log.
            let _ = watcher.send(line.record);
        }
    }

    /// A queue that overflowed is a log that could not be written for a while: both edges are told.
    fn tell_lost(&mut self) {
        let lost = self.shared.lost.load(Ordering::Relaxed);
        if lost > self.lost_told {
            let since = lost.saturating_sub(self.lost_told);
            self.lost_told = lost;
            self.set_health(Health::Unavailable {
                why: format!("{since} records lost: more came than the disk could take"),
            });
        }
    }

    fn unavailable(&self) -> bool {
        matches!(*locked(&self.shared.health), Health::Unavailable { .. })
    }

    fn set_health(&self, now: Health) {
        let before = std::mem::replace(&mut *locked(&self.shared.health), now.clone());
        if std::mem::discriminant(&before) == std::mem::discriminant(&now) {
            return;
        }
        if let Some(tell) = &self.on_health_change {
            tell(now);
        }
    }
}

fn canonical(record: &Record) -> Result<Vec<u8>, CanonicalError> {
    let value = serde_json::to_value(record).map_err(|error| CanonicalError::Number { number: error.to_string() })?;
    canonical_json::to_bytes(&value)
}
