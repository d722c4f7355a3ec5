//! The log of one agent: records go in, receipts and checkpoints come out.
//!
//! [`Log::append`] hands an [`Entry`] to the writer's thread and returns at once; [`Ticket::durable`] waits until the record has survived
//! `fdatasync` and gives its [`Receipt`]. The journal lies in `DATA_DIR/audit-state/AGENT_NAME/journal/`. A second thread reads it back and
//! makes tiles and checkpoints in `DATA_DIR/audit/AGENT_NAME/`, within a second of a record; no receipt waits for it. A third one touches no
//! disk, and says so when the disk keeps one of the others for too long.

use crate::answer::{Awaited, answer};
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
pub use crate::queue::QUEUE_ENTRIES;
use crate::queue::{Asked, Durable, QUEUE_BYTES, Queued, Shared};
use crate::receipt::Receipt;
use crate::record::Entry;
use crate::replay::Owner;
use crate::start::{self, Standing};
use crate::watch::{Patience, Watch};
use crate::writer::Writer;
use agenttrader_core::identity::{AgentIdentity, Build, is_agent_name};
use agenttrader_core::time::UnixNanos;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, SyncSender, TrySendError};
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
    entries: Mutex<Option<SyncSender<Queued>>>,
    nudge: SyncSender<()>,
    encoder: Arc<Encoder>,
    shared: Arc<Shared>,
    writer: Thread,
    integrator: Thread,
    watch: Thread,
    opened: Opened,
    origin: Arc<str>,
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
pub struct Ticket {
    answer: Awaited<Result<Receipt, LogError>>,
    nudge: SyncSender<()>,
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
            queued: AtomicUsize::new(0),
            queued_bytes: AtomicUsize::new(0),
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
        let (entries, queue) = mpsc::sync_channel(QUEUE_ENTRIES);
        let (nudge, nudged) = mpsc::sync_channel(1);
        let (redactor, watched) = (options.redactor, options.watcher.is_some());
        let encoder = Arc::new(Encoder::new(Arc::clone(&origin), &owner.repo_id, identity, build, redactor, watched));
        let writer = Writer::new(
            (journal, blobs),
            Arc::clone(&encoder),
            options.watcher,
            (queue, nudged),
            Arc::clone(&shared),
            (replayed.size, replayed.chain),
        );
        let integrator = Integrator { disk, places, signer: key, shared: Arc::clone(&shared), grown, covered, tiles };
        let thread = |what: &str| std::thread::Builder::new().name(format!("{what} {agent_name}"));
        let opened = Opened { torn: replayed.torn, last_time: replayed.last_time, records: replayed.size };
        // Before its threads: where one cannot be had, those that run are ended with it.
        let mut log = Self {
            entries: Mutex::new(Some(entries)),
            nudge,
            encoder,
            shared,
            writer: Mutex::new(None),
            integrator: Mutex::new(None),
            watch: Mutex::new(None),
            opened,
            origin,
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

    /// Hands an entry to the writer; never waits for the disk. Entries of one thread stand in the order in which it gave them.
    pub fn append(&self, entry: Entry) -> Ticket {
        let (answer, awaited) = answer();
        let ticket = Ticket { answer: awaited, nudge: self.nudge.clone() };
        let timestamp = entry.timestamp;
        let prepared = self.encoder.prepare(entry);
        let answer = match prepared.refused() {
            None => Some(answer),
            Some(why) => {
                answer.give(Err(LogError::Payload { why: why.to_string() }));
                None
            }
        };
        let size = prepared.size();
        let queued = Queued { prepared, timestamp, answer };
        let waiting = self.shared.queued.fetch_add(1, Ordering::Relaxed);
        let waiting_bytes = self.shared.queued_bytes.fetch_add(size, Ordering::Relaxed);
        let refused = match locked(&self.entries).as_ref() {
            None => Some((queued, LogError::Closed)),
            Some(_) if waiting_bytes > QUEUE_BYTES => Some((queued, LogError::Full)),
            Some(entries) => match entries.try_send(queued) {
                Ok(()) => None,
                Err(TrySendError::Full(queued)) => Some((queued, LogError::Full)),
                Err(TrySendError::Disconnected(queued)) => Some((queued, LogError::Closed)),
            },
        };
        match refused {
            // Half full: no time to gather a larger batch.
            None if waiting > QUEUE_ENTRIES / 2 => self.hurry(),
            None => {}
            Some((queued, why)) => {
                self.shared.queued.fetch_sub(1, Ordering::Relaxed);
                self.shared.queued_bytes.fetch_sub(size, Ordering::Relaxed);
                self.shared.lost.fetch_add(1, Ordering::Relaxed);
                queued.refuse(why);
            }
        }
        ticket
    }

    /// What was found at opening.
    pub const fn opened(&self) -> &Opened {
        &self.opened
    }

    /// `agenttrader/<repo_id>/<agent_name>`.
    pub fn origin(&self) -> &str {
        &self.origin
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
        drop(locked(&self.entries).take());
        self.hurry();
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

    fn hurry(&self) {
        // A nudge that waits already does the same.
        let _ = self.nudge.try_send(());
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
        let _ = self.nudge.try_send(());
        self.answer.wait().unwrap_or(Err(LogError::Closed))
    }

    /// Lets the record become durable in its own time. For what no safety property leans on.
    pub fn unwaited(self) {
        drop(self);
    }
}
