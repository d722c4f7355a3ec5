//! The log of one agent: records go in, receipts come out.
//!
//! [`Log::append`] hands an [`Entry`] to the writer's thread and returns at once; [`Ticket::durable`] waits until the record has survived
//! `fdatasync` and gives its [`Receipt`]. The journal is `DATA_DIR/audit-state/AGENT_NAME/journal.ndjson`.

use crate::disk::{Disk, Files};
pub use crate::error::{LogError, OpenError};
pub use crate::health::{Health, HealthObserver};
use crate::journal::Owner;
pub use crate::journal::Torn;
pub use crate::options::Options;
pub use crate::queue::QUEUE_ENTRIES;
use crate::queue::{Queued, Shared, locked};
use crate::receipt::Receipt;
use crate::record::Entry;
use crate::writer::{Stamp, Writer};
use agenttrader_core::identity::{AgentIdentity, Build, is_agent_name};
use agenttrader_core::time::UnixNanos;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

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

/// A place in the log that was asked for.
#[derive(Debug)]
#[must_use = "what a safety property leans on waits for its ticket; drop it by name where none does"]
pub struct Ticket {
    answer: Receiver<Result<Receipt, LogError>>,
    nudge: SyncSender<()>,
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
