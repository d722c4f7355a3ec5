//! The log of one agent: records go in, receipts and checkpoints come out.
//!
//! [`Log::append`] makes an [`Entry`] a record, puts it into the batch that gathers while the writer's thread is with the disk, and returns at
//! once; [`Ticket::durable`] waits until the record has survived `fdatasync` and gives its [`Receipt`]. The journal lies in
//! `DATA_DIR/audit-state/AGENT_NAME/journal/`. A second thread reads it back and makes tiles and checkpoints in
//! `DATA_DIR/audit/AGENT_NAME/`, within a second of a record; no receipt waits for it. A third one touches no disk, and says so when the disk
//! keeps one of the others for too long.

use crate::answer::Awaited;
use crate::batch::Told;
use crate::checkpoint::SignedCheckpoint;
use crate::disk::{Disk, Places, SystemDisk};
use crate::encode::Encoder;
pub use crate::error::{LogError, OpenError};
use crate::health::HealthBoard;
pub use crate::health::{Health, HealthObserver};
use crate::integrator::Integrator;
pub use crate::journal::Torn;
use crate::locked::locked;
use crate::note::{KeyKind, NoteSigner};
pub use crate::options::Options;
pub use crate::queue::QUEUE_BYTES;
use crate::queue::{Asked, Durable, Queue, Shared};
use crate::receipt::Receipt;
use crate::record::Entry;
use crate::replay::Owner;
use crate::start::{self, Standing};
use crate::watch::{Patience, Watch};
use crate::writer::Writer;
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::{AgentIdentity, Build, is_agent_name};
use agenttrader_core::time::UnixNanos;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a checkpoint is waited for: longer than a disk that works needs to take in what its journal can hold.
const CHECKPOINT_WITHIN: Duration = Duration::from_secs(10);

/// One of the log's threads.
type Thread = Mutex<Option<JoinHandle<Result<(), LogError>>>>;

/// An agent's log, open and held by its lock. Shared by reference between threads.
#[derive(Debug)]
pub struct Log {
    encoder: Encoder,
    shared: Arc<Shared>,
    writer: Thread,
    integrator: Thread,
    watch: Thread,
    opened: Opened,
    /// Given back when the threads have ended.
    lock: Mutex<Option<File>>,
}

/// What was found when the log was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// What a crash left at the journal's end; it has been cut off. To be told in the next `agent_start`.
    pub torn: Option<Torn>,
    /// The latest time any record carries.
    pub last_time: Option<UnixNanos>,
    /// Records in the log.
    pub records: u64,
}

/// A place in the log that was asked for.
#[derive(Debug)]
#[must_use = "what a safety property leans on waits for its ticket; drop it by name where none does"]
pub struct Ticket(Result<Place, LogError>);

/// A record that has its number.
#[derive(Debug)]
struct Place {
    index: u64,
    payload_digest: Digest,
    told: Awaited<Told>,
    shared: Arc<Shared>,
}

impl Log {
    /// Opens an agent's log with nothing watching it.
    ///
    /// # Errors
    /// As [`Log::open_with`].
    pub fn open(
        data_dir: &Path,
        identity: AgentIdentity,
        repo_id: &str,
        build: Build,
        key: NoteSigner,
    ) -> Result<Self, OpenError> {
        Self::open_with(data_dir, identity, repo_id, build, key, Options::default())
    }

    /// Opens an agent's log: takes its lock, checks head, tiles and checkpoint against each other, reads the journal through, cuts what a crash
    /// left at its end. `key` signs the checkpoints and is named after the log: see [`origin`].
    ///
    /// # Errors
    /// [`OpenError`]; `Held` when another process has it, `Corrupt` and `Disagrees` for what no crash leaves.
    pub fn open_with(
        data_dir: &Path,
        identity: AgentIdentity,
        repo_id: &str,
        build: Build,
        key: NoteSigner,
        options: Options,
    ) -> Result<Self, OpenError> {
        Self::open_on(Arc::new(SystemDisk), Patience::default(), data_dir, (identity, repo_id, build), key, options)
    }

    /// As [`Log::open_with`], on a disk of the caller's, and with his patience.
    pub(crate) fn open_on(
        disk: Arc<dyn Disk>,
        patience: Patience,
        data_dir: &Path,
        (identity, repo_id, build): (AgentIdentity, &str, Build),
        key: NoteSigner,
        options: Options,
    ) -> Result<Self, OpenError> {
        if !is_agent_name(&identity.agent_name) {
            return Err(OpenError::Name { name: identity.agent_name });
        }
        let origin: Arc<str> = origin(repo_id, &identity.agent_name).into();
        if key.name() != &*origin || key.verifier().kind() != KeyKind::Ed25519 {
            return Err(OpenError::Key { name: key.name().to_owned(), origin: origin.to_string() });
        }
        let agent_name = identity.agent_name.clone();
        let owner = Owner { repo_id: repo_id.to_owned(), agent_name: agent_name.clone() };
        let places = Places::of(data_dir, &agent_name);
        let standing = start::start(&disk, &places, &owner, &key, options.segment_bytes)?;
        let Standing { replayed, journal, blobs, grown, tiles, checkpoint, lock } = standing;
        let segments = if replayed.segments.is_empty() { vec![journal.first()] } else { replayed.segments };
        let covered = checkpoint.as_ref().map(|signed| signed.checkpoint.size);
        let shared = Arc::new(Shared {
            origin: Arc::clone(&origin),
            queue: Mutex::new(Queue::new(replayed.size, replayed.chain)),
            filled: Condvar::new(),
            size: AtomicU64::new(replayed.size),
            lost: AtomicU64::new(0),
            health: HealthBoard::new(options.on_health_change),
            watch: Watch::new(patience),
            durable: Mutex::new(Durable { size: replayed.size, last_time: replayed.last_time, segments }),
            checkpoint_time: Mutex::new(replayed.last_time.filter(|_| checkpoint.is_some())),
            checkpoint: Mutex::new(checkpoint.map(Arc::new)),
            asked: Mutex::new(Asked::default()),
            wake: Condvar::new(),
        });
        let (redactor, watched) = (options.redactor, options.watcher.is_some());
        let encoder = Encoder::new(&owner.repo_id, identity, build, redactor, watched);
        let writer = Writer::new(journal, blobs, options.watcher, Arc::clone(&shared));
        let integrator = Integrator { disk, places, signer: key, shared: Arc::clone(&shared), grown, covered, tiles };
        let thread = |what: &str| std::thread::Builder::new().name(format!("{what} {agent_name}"));
        let opened = Opened { torn: replayed.torn, last_time: replayed.last_time, records: replayed.size };
        // Before its threads: where one cannot be had, those that run are ended with it.
        let mut log = Self {
            encoder,
            shared,
            writer: Mutex::new(None),
            integrator: Mutex::new(None),
            watch: Mutex::new(None),
            opened,
            lock: Mutex::new(Some(lock)),
        };
        let shared = Arc::clone(&log.shared);
        let watch = move || {
            shared.watch.run(&shared.health);
            Ok(())
        };
        log.watch = Mutex::new(Some(thread("audit watch").spawn(watch).map_err(OpenError::Thread)?));
        log.writer = Mutex::new(Some(thread("audit").spawn(move || writer.run()).map_err(OpenError::Thread)?));
        log.integrator = Mutex::new(Some(thread("tree").spawn(move || integrator.run()).map_err(OpenError::Thread)?));
        Ok(log)
    }

    /// Puts an entry into the log's next batch; never waits for the disk. An entry whose call has returned stands before those whose calls begin later.
    pub fn append(&self, entry: Entry) -> Ticket {
        let timestamp = entry.timestamp;
        let mut record = self.encoder.prepare(entry);
        let payload_digest = record.payload_digest;
        let refused = record.refused.take().map(|why| LogError::Payload { why: why.to_string() });
        let pushed = self.shared.push(record, timestamp);
        if pushed.is_err() {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
        // Without a payload the record still stands.
        let placed = refused.map_or(pushed, Err);
        Ticket(placed.map(|(index, told)| Place { index, payload_digest, told, shared: Arc::clone(&self.shared) }))
    }

    /// What was found at opening.
    pub const fn opened(&self) -> &Opened {
        &self.opened
    }

    /// `agenttrader/<repo_id>/<agent_name>`.
    pub fn origin(&self) -> &str {
        &self.shared.origin
    }

    /// Durable records.
    pub fn size(&self) -> u64 {
        self.shared.size.load(Ordering::Acquire)
    }

    /// Records lost since the start because too many waited, or because the log was closed.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Whether the log can be written, as far as the last attempt showed, and the one that is with the disk for too long.
    pub fn health(&self) -> Health {
        self.shared.health.now()
    }

    /// The latest checkpoint that is durable; none before the first record is covered.
    pub fn checkpoint(&self) -> Option<Arc<SignedCheckpoint>> {
        locked(&self.shared.checkpoint).clone()
    }

    /// The latest time that a record carries which the latest checkpoint covers: when the log was as that checkpoint says.
    pub fn checkpoint_time(&self) -> Option<UnixNanos> {
        *locked(&self.shared.checkpoint_time)
    }

    /// A checkpoint of all that is durable now, made if there is none yet. Waits for the disk, for ten seconds at most.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when it cannot be made, [`LogError::Empty`] before the first record, [`LogError::Closed`].
    pub fn checkpoint_now(&self) -> Result<Arc<SignedCheckpoint>, LogError> {
        if locked(&self.integrator).is_none() {
            return Err(LogError::Closed);
        }
        let (answer, answers) = mpsc::sync_channel(1);
        self.shared.ask(|asked| asked.now.push(answer));
        match answers.recv_timeout(CHECKPOINT_WITHIN) {
            Ok(answer) => answer,
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(LogError::Closed),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                Err(LogError::Unavailable { why: format!("no checkpoint within {CHECKPOINT_WITHIN:?}") })
            }
        }
    }

    /// Writes all that waits, makes a checkpoint of it and ends the log's threads. Later appends are refused; a second call does nothing.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the last records, or their checkpoint, could not be written.
    pub fn close(&self) -> Result<(), LogError> {
        self.shared.close();
        let joined = |thread: &Thread| match locked(thread).take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(ended)) => ended,
            Some(Err(_)) => Err(LogError::Closed),
        };
        let written = joined(&self.writer);
        self.shared.ask(|asked| asked.closing = true);
        let covered = joined(&self.integrator);
        self.shared.watch.close();
        let watched = joined(&self.watch);
        drop(locked(&self.lock).take());
        written.and(covered).and(watched)
    }
}

/// The origin of an agent's log, which its key is named after: `agenttrader/<repo_id>/<agent_name>`.
pub fn origin(repo_id: &str, agent_name: &str) -> String {
    format!("agenttrader/{repo_id}/{agent_name}")
}

impl Drop for Log {
    fn drop(&mut self) {
        // Nobody is left to hear of an error; the health observer heard of it.
        let _ = self.close();
    }
}

impl Ticket {
    /// Waits until the record is durable. The writer hurries when somebody waits.
    ///
    /// # Errors
    /// [`LogError`] when the record is not durable.
    pub fn durable(self) -> Result<Receipt, LogError> {
        let Place { index, payload_digest, told, shared } = self.0?;
        told.wait(|| shared.hurry()).unwrap_or(Err(LogError::Closed))?;
        // The one place where a receipt is made: the writer told that the batch is past `fdatasync`.
        Ok(Receipt::of_durable(Arc::clone(&shared.origin), index, payload_digest))
    }

    /// Lets the record become durable in its own time. For what no safety property leans on.
    pub fn unwaited(self) {
        drop(self);
    }
}
