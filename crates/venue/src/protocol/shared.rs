//! What the market's driver and all connections share.

use crate::book::Book;
use crate::clock::VenueClock;
use crate::directory::Directory;
use crate::hub::Hub;
use crate::plan::Plan;
use crate::protocol::limits::Limits;
use crate::protocol::slots::Slots;
use agenttrader_core::calendar::Session;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// What all tasks share.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    pub hub: Hub,
    pub slots: Arc<Slots>,
    pub limits: Limits,
    pub plan: Plan,
    pub auth_within: Duration,
    pub stop: watch::Receiver<bool>,
}

/// The market as clients see it now.
#[derive(Debug)]
pub(crate) struct State {
    pub clock: VenueClock,
    pub session: Session,
    pub directory: Arc<Directory>,
    pub book: Book,
}

impl Shared {
    /// Nobody is connected yet.
    pub fn new(
        state: State,
        plan: Plan,
        rest_limit: u32,
        auth_within: Duration,
        hub: Hub,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            state: Mutex::new(state),
            hub,
            slots: Arc::default(),
            limits: Limits::new(plan, rest_limit),
            plan,
            auth_within,
            stop,
        }
    }

    /// The state, for a moment: never held across a wait.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
