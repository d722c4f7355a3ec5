//! The flow of an underlying over the last half hour.

use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_options::flow::{FlowEvent, Kind};
use std::collections::VecDeque;

/// How far back flow counts.
pub const WINDOW: Span = Span::from_minutes(30);

/// Most events held for one underlying: a busy underlying prints a few hundred a minute. The oldest go first and are counted.
const EVENTS_MAX: usize = 20_000;

/// A flow event with its contract.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContractEvent {
    /// The contract.
    pub contract: InstrumentId,
    /// What happened.
    pub event: FlowEvent,
}

/// Flow events of one underlying, oldest first.
#[derive(Clone, Debug, Default)]
pub struct FlowWindow {
    events: VecDeque<ContractEvent>,
    pushed_out: u64,
    total: u64,
    printed: u64,
}

impl FlowWindow {
    pub(crate) fn push(&mut self, event: ContractEvent) {
        if self.events.len() >= EVENTS_MAX {
            self.events.pop_front();
            self.pushed_out = self.pushed_out.saturating_add(1);
        }
        self.total = self.total.saturating_add(1);
        if event.event.kind != Kind::Aggregated {
            self.printed = self.printed.saturating_add(1);
        }
        self.events.push_back(event);
    }

    /// Forgets what is older than [`WINDOW`] at `now`.
    pub(crate) fn prune(&mut self, now: UnixNanos) {
        let oldest = now.minus(WINDOW).nanos();
        while self.events.front().is_some_and(|front| front.event.at < oldest) {
            self.events.pop_front();
        }
    }

    /// The events, oldest first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &ContractEvent> {
        self.events.iter()
    }

    /// Events that were forgotten for lack of room.
    pub const fn pushed_out(&self) -> u64 {
        self.pushed_out
    }

    /// Of [`FlowWindow::total`] those that come of prints. What comes of bars has no side.
    pub const fn printed(&self) -> u64 {
        self.printed
    }

    /// Events of this session: changes whenever one is added.
    pub const fn total(&self) -> u64 {
        self.total
    }
}
