//! An agent's state: the first of six rules that matches.

use crate::service_kind::ServiceKind;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// An agent's state, in the order in which the rules are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Its status does not fit the contract.
    Unknown,
    /// Not reachable, or execution that is disabled.
    Offline,
    /// It does not do its work, for safety.
    Halted,
    /// It works, but not well.
    Degraded,
    /// Healthy; the market is closed.
    MarketClosed,
    /// Healthy.
    Ok,
}

impl State {
    /// Every state, in order.
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::Offline, Self::Halted, Self::Degraded, Self::MarketClosed, Self::Ok];

    /// The state as records and APIs spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Offline => "OFFLINE",
            Self::Halted => "HALTED",
            Self::Degraded => "DEGRADED",
            Self::MarketClosed => "MARKET_CLOSED",
            Self::Ok => "OK",
        }
    }

    /// Whether `GET /healthz` answers 200.
    pub const fn is_healthy(self) -> bool {
        matches!(self, Self::MarketClosed | Self::Ok)
    }
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// What an agent's status endpoint gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: refused, timed out, not running.
    None,
    /// Something that does not fit the contract.
    Unfit,
    /// A status.
    Complete,
}

/// What is seen of market data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarketdataSeen {
    /// Younger than its limit.
    Fresh,
    /// Older than its limit.
    Stale,
    /// None came yet.
    Missing,
}

/// All that a state follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The service's kind.
    pub kind: ServiceKind,
    /// What its status endpoint gave; an agent that looks at itself is complete.
    pub answer: Answer,
    /// Whether execution is enabled; read for execution alone.
    pub execution_enabled: bool,
    /// Whether any process of it is meant to run; read for execution alone.
    pub has_replicas: bool,
    /// Whether the kill switch is on.
    pub kill_switch_halted: bool,
    /// Market data.
    pub marketdata: MarketdataSeen,
    /// Whether the market is open. Not known counts as open: stale data then shows.
    pub market_open: bool,
    /// Whether the heartbeat is within its ttl.
    pub heartbeat_current: bool,
    /// Whether the audit log can be written.
    pub log_writable: bool,
}

/// The state and its reasons. First match wins; the reasons are all those of the state that matched.
///
/// The kill switch halts execution. For other kinds it stands in the safety part of their status and does not hide their own health.
pub fn state(observed: &Observed) -> (State, Vec<String>) {
    let Observed { kind, answer, market_open, .. } = *observed;
    let marketdata = match observed.marketdata {
        MarketdataSeen::Fresh => None,
        MarketdataSeen::Stale => Some("MARKETDATA_STALE"),
        MarketdataSeen::Missing => Some("MARKETDATA_MISSING"),
    }
    .filter(|_| market_open);
    let is_execution = kind == ServiceKind::Execution;

    let offline = if is_execution && !(observed.execution_enabled && observed.has_replicas) {
        Some("EXECUTION_DISABLED")
    } else {
        (answer == Answer::None).then_some("UNREACHABLE")
    };
    let halted = match kind {
        ServiceKind::Execution => observed.kill_switch_halted.then_some("KILL_SWITCH"),
        ServiceKind::Strategy => marketdata,
        ServiceKind::Marketdata | ServiceKind::Ingest | ServiceKind::Ops => None,
    };
    let degraded = [
        marketdata.filter(|_| kind.brings_marketdata()),
        (!observed.heartbeat_current).then_some("HEARTBEAT_STALE"),
        (!observed.log_writable).then_some("AUDIT_UNAVAILABLE"),
    ];

    let (state, reasons) = if answer == Answer::Unfit {
        (State::Unknown, vec!["STATUS_UNFIT"])
    } else if let Some(reason) = offline {
        (State::Offline, vec![reason])
    } else if let Some(reason) = halted {
        (State::Halted, vec![reason])
    } else if degraded.iter().any(Option::is_some) {
        (State::Degraded, degraded.into_iter().flatten().collect())
    } else if !market_open {
        (State::MarketClosed, vec!["MARKET_CLOSED"])
    } else {
        (State::Ok, Vec::new())
    };
    (state, reasons.into_iter().map(str::to_owned).collect())
}
