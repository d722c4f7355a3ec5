//! What asking an agent gave, and how often it is asked.

use agenttrader_agent::status::Status;
use agenttrader_core::time::UnixNanos;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often agents are asked, and how long each may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// Between two polls, `POLL_INTERVAL_SECONDS`.
    pub interval: Duration,
    /// For one agent's whole answer, `PER_AGENT_TIMEOUT_SECONDS`.
    pub timeout: Duration,
}

/// What an agent's status endpoint gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// A status that fits.
    Answered(Box<Status>),
    /// Something that does not fit the contract.
    Unfit {
        /// How.
        why: String,
    },
    /// Nothing.
    Silent {
        /// Why.
        why: String,
    },
}

/// The last poll of an agent.
#[derive(Clone, Debug)]
pub struct Polled {
    /// When it was asked, on the clock that never steps.
    pub(crate) at: Instant,
    /// The same, wall time.
    pub(crate) at_utc: UnixNanos,
    pub(crate) seen: Seen,
    /// The last status that fitted, kept while none comes.
    pub(crate) last: Option<LastAnswer>,
}

#[derive(Clone, Debug)]
pub(crate) struct LastAnswer {
    pub(crate) at: Instant,
    pub(crate) status: Arc<Status>,
}

impl Cadence {
    /// On one machine.
    pub const FLOOR: Self = Self { interval: Duration::from_secs(1), timeout: Duration::from_millis(1_500) };
    /// Over many machines.
    pub const CLUSTER: Self = Self { interval: Duration::from_secs(10), timeout: Duration::from_millis(1_500) };

    /// The same with what an operator has set; an interval of nought is a second.
    #[must_use]
    pub fn with(self, interval_seconds: Option<u32>, timeout: Option<Duration>) -> Self {
        let interval = interval_seconds.map(|seconds| Duration::from_secs(seconds.max(1).into()));
        Self { interval: interval.unwrap_or(self.interval), timeout: timeout.unwrap_or(self.timeout) }
    }

    /// After which an answer says nothing any more: two polls were missed.
    pub(crate) fn stale_after(self) -> Duration {
        self.interval.saturating_mul(3).saturating_add(self.timeout)
    }
}
