//! Durable records on their way to whoever watches, on a thread of their own: a reader that does not read holds up nobody else.

use crate::error::FloorError;
use agenttrader_audit::record::Record;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel};
use std::time::Duration;

/// Told of each durable record, on a thread of its own; of those that come while thousands wait for it, not.
pub type Watch = Box<dyn FnMut(&Record) + Send>;

/// Records that wait for the watcher at most; later ones are counted and not shown.
const WAITING_MAX: usize = 4_096;

/// Longest wait, at the end, for what still waits.
const END_WITHIN: Duration = Duration::from_millis(300);

/// What the watcher's thread is given.
enum Told {
    Record(Arc<Record>),
    /// So many records were not given.
    NotShown(u64),
}

/// Where durable records are handed in.
pub(crate) struct Printer {
    queue: SyncSender<Told>,
    /// Not shown, and not yet told as such.
    not_shown: Arc<AtomicU64>,
}

/// Tells when the watcher has been given all there was.
pub(crate) struct Printed(Receiver<()>);

impl Printer {
    /// Starts the thread. `watch` is told of each record that there is room for, `missed` how many there was none for.
    ///
    /// # Errors
    /// [`FloorError::Thread`].
    pub(crate) fn start(watch: Watch, missed: impl FnMut(u64) + Send + 'static) -> Result<(Self, Printed), FloorError> {
        Self::with_room(WAITING_MAX, watch, missed)
    }

    fn with_room(
        room: usize,
        mut watch: Watch,
        mut missed: impl FnMut(u64) + Send + 'static,
    ) -> Result<(Self, Printed), FloorError> {
        let (queue, waiting) = sync_channel::<Told>(room);
        let (done, printed) = channel::<()>();
        let not_shown = Arc::new(AtomicU64::new(0));
        let left_over = Arc::clone(&not_shown);
        let work = move || {
            for told in waiting {
                match told {
                    Told::Record(record) => watch(&record),
                    Told::NotShown(count) => missed(count),
                }
            }
            // Nobody hands in any more, so what was counted since stays untold unless it is told here.
            let count = left_over.load(Ordering::Acquire);
            if count > 0 {
                missed(count);
            }
            drop(done);
        };
        std::thread::Builder::new().name("records".to_owned()).spawn(work).map_err(FloorError::Thread)?;
        Ok((Self { queue, not_shown }, Printed(printed)))
    }

    /// Hands a record in, or counts it where there is no room. Never waits.
    pub(crate) fn hand_in(&self, record: Arc<Record>) {
        // Only this side changes the count, from one thread.
        let count = self.not_shown.load(Ordering::Acquire);
        if count > 0 {
            match self.queue.try_send(Told::NotShown(count)) {
                Ok(()) => self.not_shown.store(0, Ordering::Release),
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                    self.not_shown.store(count.saturating_add(1), Ordering::Release);
                    return;
                }
            }
        }
        if self.queue.try_send(Told::Record(record)).is_err() {
            self.not_shown.store(1, Ordering::Release);
        }
    }
}

impl Printed {
    /// Waits, for a moment at most, until all is given; blocks its thread. Whether it is.
    pub(crate) fn wait(&self) -> bool {
        self.0.recv_timeout(END_WITHIN) != Err(RecvTimeoutError::Timeout)
    }

    /// [`Self::wait`] beside the runtime.
    pub(crate) async fn waited(self) {
        let _ = tokio::task::spawn_blocking(move || self.wait()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn record(seq: u64) -> Arc<Record> {
        let record = serde_json::json!({
            "timestamp": "2026-11-24T15:00:00Z", "seq": seq, "repo_id": "r", "agent_name": "a", "agent_role": "ops",
            "agent_mode": "OBSERVE", "git_sha": "s", "build_id": "b", "intent_id": uuid::Uuid::nil(),
            "correlation_id": null, "trace_id": null, "intent_type": "agent_start", "intent_summary": "s",
            "intent_payload": {}, "outcome": "success", "duration_ms": null, "error": null
        });
        Arc::new(serde_json::from_value(record).unwrap())
    }

    #[test]
    fn an_unread_watcher_holds_up_nobody_and_what_it_missed_is_counted() {
        let said = Arc::new(Mutex::new(Vec::new()));
        let (let_go, held) = channel::<()>();
        let (began, begun) = channel::<()>();
        let (shown, missed) = (Arc::clone(&said), Arc::clone(&said));
        let watch: Watch = Box::new(move |record| {
            let _ = began.send(());
            let _ = held.recv();
            shown.lock().unwrap().push(format!("record {}", record.seq));
        });
        let (printer, printed) =
            Printer::with_room(2, watch, move |count| missed.lock().unwrap().push(format!("{count} not shown")))
                .unwrap();
        printer.hand_in(record(0));
        begun.recv().unwrap();
        // The watcher is at record 0; two wait, three find no room.
        for seq in 1..6 {
            printer.hand_in(record(seq));
        }
        assert!(!printed.wait());
        let_go.send(()).unwrap();
        begun.recv().unwrap();
        // One place: the count takes it, record 6 finds none.
        printer.hand_in(record(6));
        drop(printer);
        drop(let_go);
        assert!(printed.wait());
        let expected = ["record 0", "record 1", "record 2", "3 not shown", "1 not shown"];
        assert_eq!(*said.lock().unwrap(), expected);
    }
}
