//! The owner of every task and thread of a process: each has a name, and all end in order, within a bound.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, io};
use tokio::sync::{oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

/// Tells tasks and threads to end. Cloned freely.
#[derive(Clone, Debug)]
pub struct Stop {
    set: watch::Receiver<bool>,
}

/// Every task and thread of a process, in the order in which they were started. They end in the opposite order.
#[derive(Debug)]
pub struct Tasks {
    stop: Arc<watch::Sender<bool>>,
    failed: watch::Sender<Option<String>>,
    running: Mutex<Vec<Running>>,
}

#[derive(Debug)]
struct Running {
    name: String,
    ended: oneshot::Receiver<()>,
    /// Of tasks; a thread cannot be ended from outside.
    abort: Option<AbortHandle>,
}

/// A task or thread that did not end within the bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Its name.
    pub name: String,
}

/// Drops when its task or thread ends, however it ends.
struct Ending {
    name: String,
    failed: watch::Sender<Option<String>>,
    ended: Option<oneshot::Sender<()>>,
}

impl Stop {
    /// Whether the end was asked for. For threads, between two pieces of work.
    pub fn is_set(&self) -> bool {
        *self.set.borrow()
    }

    /// Until the end is asked for.
    pub async fn wait(&mut self) {
        // An owner that is gone has asked for the end.
        let _ = self.set.wait_for(|set| *set).await;
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Tasks {
    /// No tasks yet.
    pub fn new() -> Self {
        Self {
            stop: Arc::new(watch::Sender::new(false)),
            failed: watch::Sender::new(None),
            running: Mutex::new(Vec::new()),
        }
    }

    /// What tells tasks to end.
    pub fn stop(&self) -> Stop {
        Stop { set: self.stop.subscribe() }
    }

    /// Asks every task and thread to end; [`Tasks::shutdown`] also waits for them.
    pub fn ask_to_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Starts a task on the current runtime.
    pub fn spawn(&self, name: impl Into<String>, work: impl Future<Output = ()> + Send + 'static) {
        let (ending, ended) = self.ending(name.into());
        let name = ending.name.clone();
        let task = tokio::spawn(async move {
            let _ending = ending;
            work.await;
        });
        self.own(Running { name, ended, abort: Some(task.abort_handle()) });
    }

    /// Starts a thread. It must look at the [`Stop`] it is given, or end with a channel that closes.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn spawn_thread(&self, name: impl Into<String>, work: impl FnOnce(Stop) + Send + 'static) -> io::Result<()> {
        let (ending, ended) = self.ending(name.into());
        let (name, stop) = (ending.name.clone(), self.stop());
        let run = move || {
            let _ending = ending;
            work(stop);
        };
        std::thread::Builder::new().name(name.clone()).spawn(run)?;
        self.own(Running { name, ended, abort: None });
        Ok(())
    }

    /// The name of the first task or thread that panicked, once one has: the process must then end, since a part of it is missing.
    pub async fn failure(&self) -> String {
        let mut failed = self.failed.subscribe();
        match failed.wait_for(Option::is_some).await {
            Ok(name) => name.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }

    /// Asks all to end and waits for each, the last started first, until `bound` is over; tasks that are still there are then aborted.
    /// Gives those that did not end in time.
    pub async fn shutdown(&self, bound: Duration) -> Vec<Left> {
        let now = Instant::now();
        let until = now.checked_add(bound).unwrap_or(now);
        self.ask_to_stop();
        let running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        let mut left = Vec::new();
        for Running { name, ended, abort } in running.into_iter().rev() {
            // An ending that was dropped unsent has ended too.
            if timeout_at(until, ended).await.is_err() {
                if let Some(task) = abort {
                    task.abort();
                }
                left.push(Left { name });
            }
        }
        left
    }

    fn ending(&self, name: String) -> (Ending, oneshot::Receiver<()>) {
        let (ended, seen) = oneshot::channel();
        (Ending { name, failed: self.failed.clone(), ended: Some(ended) }, seen)
    }

    fn own(&self, mut running: Running) {
        let mut owned = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that ended by themselves are of no further interest.
        owned.retain_mut(|other| matches!(other.ended.try_recv(), Err(oneshot::error::TryRecvError::Empty)));
        if matches!(running.ended.try_recv(), Err(oneshot::error::TryRecvError::Empty)) {
            owned.push(running);
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.failed.send_if_modified(|failed| {
                let first = failed.is_none();
                if first {
                    *failed = Some(self.name.clone());
                }
                first
            });
        }
        if let Some(ended) = self.ended.take() {
            // Nobody may be waiting yet, or any more.
            let _ = ended.send(());
        }
    }
}

impl fmt::Display for Left {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} did not end in time", self.name)
    }
}
