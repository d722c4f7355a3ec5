//! The log of one agent: records go in, receipts come out.
//!
//! [`Log::append`] hands an [`Entry`] to the writer's thread and returns at once; [`Ticket::durable`] waits until the record has survived
//! `fdatasync` and gives its [`Receipt`]. The journal is `DATA_DIR/audit-state/AGENT_NAME/journal.ndjson`.

use crate::disk::{Disk, Files};
use crate::journal::Owner;
use crate::receipt::Receipt;
use crate::record::{Entry, Record};
use crate::redact::Redactor;
use crate::writer::{Stamp, Writer};
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::{AgentIdentity, Build, is_agent_name};
use agenttrader_core::time::UnixNanos;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Entries that may wait for the writer: a disk that hangs for a second at four thousand records a second. The next is refused, its ticket
/// fails at once, and [`Log::lost`] counts it: an agent must not stop, or grow without end, because a disk does.
pub const QUEUE_ENTRIES: usize = 4_096;

/// An agent's log, open and held by its lock. Shared by reference between threads.
#[derive(Debug)]
pub struct Log {
    entries: Mutex<Option<SyncSender<Queued>>>,
    nudge: SyncSender<()>,
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<Result<(), LogError>>>>,
    opened: Opened,
    origin: Arc<str>,
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

/// Bytes at the journal's end that were no record.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Torn {
    /// How many.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Digest,
    /// What was wrong with the first of them.
    pub why: String,
}

/// Whether the log can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// The last write succeeded, or there was none yet.
    Writable,
    /// The last write failed. It is tried again at each append and ten times a second.
    Unavailable {
        /// The system's words.
        why: String,
    },
}

/// Told of each change of [`Health`], on the writer's thread; must not block.
pub type HealthObserver = Box<dyn Fn(Health) + Send>;

/// What a log may be given besides its identity.
#[derive(Default)]
pub struct Options {
    /// Redacts `error` and `intent_summary`.
    pub redactor: Arc<Redactor>,
    /// Told of each change of health.
    pub on_health_change: Option<HealthObserver>,
    /// Gets each record once it is durable, in order. The receiver must keep up: this channel has no bound.
    pub watcher: Option<mpsc::Sender<Arc<Record>>>,
}

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The agent's name cannot name a folder.
    #[error("`{name}` cannot name a log: 1 to 64 letters, digits, `-` and `_`")]
    Name {
        /// The name.
        name: String,
    },
    /// Another process holds the log.
    #[error("the audit log is held by another process ({path}); end that process first, or use another data directory")]
    Held {
        /// The lock file.
        path: PathBuf,
    },
    /// A line is no record, and good records follow it: damage, not a crash.
    #[error(
        "AUDIT_CORRUPT: {path} line {line}: {why}; good records follow it, so this is damage: keep the file and ask who changed it"
    )]
    Corrupt {
        /// The journal.
        path: PathBuf,
        /// The bad line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A file or folder cannot be made, read or written.
    #[error("cannot open the audit log at {path}")]
    Io {
        /// What could not be opened.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The writer's thread cannot be started.
    #[error("cannot start the audit log's writer")]
    Thread(#[source] io::Error),
}

/// Why a record is not durable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The disk refused. The record is kept and tried again, so it may still come to stand in the log.
    #[error("the audit log cannot be written: {why}")]
    Unavailable {
        /// The system's words.
        why: String,
    },
    /// Too many records wait for the disk; this one is lost, and counted.
    #[error("the audit log's queue is full: the record is lost")]
    Full,
    /// The payload has no canonical form. The record stands without it and says so.
    #[error("the payload has no canonical form: {why}")]
    Payload {
        /// What it holds.
        why: String,
    },
    /// The log is closed.
    #[error("the audit log is closed")]
    Closed,
}

/// A place in the log that was asked for.
#[derive(Debug)]
#[must_use = "what a safety property leans on waits for its ticket; drop it by name where none does"]
pub struct Ticket {
    answer: Receiver<Result<Receipt, LogError>>,
    nudge: SyncSender<()>,
}

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

impl Log {
    /// Opens an agent's log with nothing watching it.
    ///
    /// # Errors
    /// As [`Log::open_with`].
    pub fn open(data_dir: &Path, identity: AgentIdentity, repo_id: &str, build: Build) -> Result<Self, OpenError> {
        Self::open_with(data_dir, identity, repo_id, build, Options::default())
    }

    /// Opens an agent's log: takes its lock, reads its journal through, cuts what a crash left at the end.
    ///
    /// # Errors
    /// [`OpenError`]; `Held` when another process has it, `Corrupt` when a bad record has a good one after it.
    pub fn open_with(
        data_dir: &Path,
        identity: AgentIdentity,
        repo_id: &str,
        build: Build,
        options: Options,
    ) -> Result<Self, OpenError> {
        Self::open_on(data_dir, identity, repo_id, build, options, |files| Box::new(files))
    }

    /// As [`Log::open_with`], with the writer's disk put around the files by the caller.
    pub(crate) fn open_on(
        data_dir: &Path,
        identity: AgentIdentity,
        repo_id: &str,
        build: Build,
        options: Options,
        disk: impl FnOnce(Files) -> Box<dyn Disk>,
    ) -> Result<Self, OpenError> {
        if !is_agent_name(&identity.agent_name) {
            return Err(OpenError::Name { name: identity.agent_name });
        }
        let owner = Owner { repo_id: repo_id.to_owned(), agent_name: identity.agent_name.clone() };
        let (files, replayed) = Files::open(data_dir, &owner)?;
        let origin: Arc<str> = format!("agenttrader/{repo_id}/{}", identity.agent_name).into();
        let shared = Arc::new(Shared {
            queued: AtomicUsize::new(0),
            size: AtomicU64::new(replayed.records),
            lost: AtomicU64::new(0),
            health: Mutex::new(Health::Writable),
        });
        let (entries, queue) = mpsc::sync_channel(QUEUE_ENTRIES);
        let (nudge, nudged) = mpsc::sync_channel(1);
        let stamp = Stamp { repo_id: owner.repo_id, identity, build, origin: Arc::clone(&origin) };
        let writer = Writer::new(disk(files), stamp, options, queue, nudged, Arc::clone(&shared), &replayed);
        let name = format!("audit {}", owner.agent_name);
        let writer = std::thread::Builder::new().name(name).spawn(move || writer.run()).map_err(OpenError::Thread)?;
        let opened = Opened { torn: replayed.torn, last_time: replayed.last_time, records: replayed.records };
        Ok(Self { entries: Mutex::new(Some(entries)), nudge, shared, writer: Mutex::new(Some(writer)), opened, origin })
    }

    /// Hands an entry to the writer; never waits for the disk. Entries of one thread stand in the order in which it gave them.
    pub fn append(&self, entry: Entry) -> Ticket {
        let (answer, answers) = mpsc::sync_channel(1);
        let ticket = Ticket { answer: answers, nudge: self.nudge.clone() };
        let queued = Queued { entry, answer };
        let waiting = self.shared.queued.fetch_add(1, Ordering::Relaxed);
        let refused = match locked(&self.entries).as_ref() {
            None => Some((queued, LogError::Closed)),
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
                self.shared.lost.fetch_add(1, Ordering::Relaxed);
                // Room for one answer, and this is the first: it cannot fail.
                let _ = queued.answer.try_send(Err(why));
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

    /// Whether the log can be written, as far as the last attempt showed.
    pub fn health(&self) -> Health {
        locked(&self.shared.health).clone()
    }

    /// Writes all that waits and ends the writer. Later appends are refused; a second call does nothing.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the last records could not be written.
    pub fn close(&self) -> Result<(), LogError> {
        drop(locked(&self.entries).take());
        self.hurry();
        match locked(&self.writer).take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(ended)) => ended,
            Some(Err(_)) => Err(LogError::Closed),
        }
    }

    fn hurry(&self) {
        // A nudge that waits already does the same.
        let _ = self.nudge.try_send(());
    }
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
        self.answer.recv().unwrap_or(Err(LogError::Closed))
    }

    /// Lets the record become durable in its own time. For what no safety property leans on.
    pub fn unwaited(self) {
        drop(self);
    }
}

/// The guard, also after a panic of another holder: what is held here is never half changed.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
