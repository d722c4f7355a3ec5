//! What mission control holds while it runs: the view, the agents' last answers, and who follows the events.

use crate::inventory::Inventory;
use crate::polled::{Cadence, Polled};
use crate::reading::Reading;
use crate::view::{Kept, RecordId, View};
use crate::witness::seen::AuditSeen;
use agenttrader_agent::clock;
use agenttrader_agent::tasks::Stop;
use agenttrader_audit::record::Record;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

/// Readers of the event stream at once. A page open in a browser is one.
pub const STREAMS_MOST: usize = 64;

/// Events that wait for one reader. A reader that falls further behind is told how many it missed.
const EVENTS_WAITING_MOST: usize = 1_024;

/// What mission control holds. Shared by the API, the poller, and whoever brings records and readings.
#[derive(Debug)]
pub struct Hub {
    inventory: Inventory,
    cadence: Cadence,
    stop: Stop,
    view: RwLock<View>,
    polled: RwLock<BTreeMap<String, Polled>>,
    journal_problems: RwLock<BTreeMap<String, String>>,
    audit: RwLock<AuditSeen>,
    events: broadcast::Sender<Arc<Kept>>,
    seats: Arc<Semaphore>,
}

/// One reader's place at the event stream.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// Events that came before it was taken, oldest first.
    pub(crate) backlog: VecDeque<Arc<Kept>>,
    /// Whether what came before cannot be given whole.
    pub(crate) has_gap: bool,
    pub(crate) events: broadcast::Receiver<Arc<Kept>>,
    _seat: OwnedSemaphorePermit,
}

impl Hub {
    /// Nothing known yet of those agents, which are asked at that cadence. Event streams end with `stop`.
    pub fn new(inventory: Inventory, cadence: Cadence, stop: Stop) -> Arc<Self> {
        Arc::new(Self {
            inventory,
            cadence,
            stop,
            view: RwLock::new(View::new()),
            polled: RwLock::default(),
            journal_problems: RwLock::default(),
            audit: RwLock::default(),
            events: broadcast::Sender::new(EVENTS_WAITING_MOST),
            seats: Arc::new(Semaphore::new(STREAMS_MOST)),
        })
    }

    /// Takes a durable record into the view and gives it to the readers of the stream. A record that came before changes nothing.
    pub fn fold(&self, record: &Record) {
        // Sent under the lock, so that a reader that subscribes meanwhile gets each event once.
        let mut view = write(&self.view);
        if let Some(kept) = view.fold(record) {
            // Nobody may be reading.
            let _ = self.events.send(kept);
        }
    }

    /// Takes a reading into the view.
    pub fn read(&self, reading: Reading) {
        write(&self.view).read(reading, clock::monotonic());
    }

    /// The agents that are watched.
    pub const fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// How often they are asked.
    pub const fn cadence(&self) -> Cadence {
        self.cadence
    }

    pub(crate) fn stop(&self) -> Stop {
        self.stop.clone()
    }

    pub(crate) fn view(&self) -> RwLockReadGuard<'_, View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn polled(&self, agent_name: &str) -> Option<Polled> {
        self.polled.read().unwrap_or_else(PoisonError::into_inner).get(agent_name).cloned()
    }

    pub(crate) fn put_polled(&self, agent_name: &str, polled: Polled) {
        write(&self.polled).insert(agent_name.to_owned(), polled);
    }

    pub(crate) fn journal_problem(&self, agent_name: &str) -> Option<String> {
        self.journal_problems.read().unwrap_or_else(PoisonError::into_inner).get(agent_name).cloned()
    }

    pub(crate) fn put_journal_problem(&self, agent_name: &str, problem: Option<String>) {
        let mut problems = write(&self.journal_problems);
        match problem {
            Some(problem) => problems.insert(agent_name.to_owned(), problem),
            None => problems.remove(agent_name),
        };
    }

    /// Looks at what the witness knows.
    pub(crate) fn audit<T>(&self, look: impl FnOnce(&AuditSeen) -> T) -> T {
        look(&self.audit.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what the witness knows.
    pub(crate) fn put_audit(&self, change: impl FnOnce(&mut AuditSeen)) {
        change(&mut write(&self.audit));
    }

    /// A place at the stream, from after `last` on; nothing when all places are taken.
    pub(crate) fn subscribe(&self, last: Option<&RecordId>) -> Option<Subscription> {
        let seat = Arc::clone(&self.seats).try_acquire_owned().ok()?;
        let view = self.view();
        let missed = last.map(|id| view.after(id));
        Some(Subscription {
            has_gap: matches!(missed, Some(None)),
            backlog: missed.flatten().unwrap_or_default().into(),
            events: self.events.subscribe(),
            _seat: seat,
        })
    }
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
