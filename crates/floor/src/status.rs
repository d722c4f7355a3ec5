//! What each agent says about itself, from the engine's state: snapshots for the status boards.

use crate::engine::Engine;
use agenttrader_agent::snapshot::{Market, Snapshot};
use agenttrader_agent::start::{self, Identity};
use agenttrader_agent::status::{Audit, KillSwitch, Safety};
use agenttrader_agent::unwritable::{Unwritable, Written};
use agenttrader_audit::log::{Health, Log};
use agenttrader_core::identity::{AgentMode, AgentRole};
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_safety::freshness::Freshness;
use agenttrader_safety::kill_switch::Reading;

/// Seconds after which an agent that has not beaten is stale. The floor beats each second.
const HEARTBEAT_TTL_SECONDS: u64 = 5;

/// What all agents of a process see in common.
#[derive(Debug)]
pub struct Common<'a> {
    /// The engine; none before the venue's clock was first read.
    pub engine: Option<&'a Engine>,
    /// The last reading of the switch and since when, wall time, it says so.
    pub switch: Option<(&'a Reading, UnixNanos)>,
    /// Wall time.
    pub wall: UnixNanos,
    /// Venue seconds a wall second.
    pub speed: f64,
    /// Why the recording cannot be written, if it cannot.
    pub recording_problem: Option<&'a Unwritable>,
    /// Whether the feed has ended for good: the venue refuses.
    pub feed_ended: bool,
    /// Oldest market data may be, before an engine says so.
    pub max_age: Span,
}

/// The snapshot of one agent.
pub fn snapshot(identity: &Identity, log: &Log, common: &Common<'_>) -> Snapshot {
    // What cannot be recorded cannot be judged either: for whoever looks it is the same as a log that cannot be written.
    let unwritable = unwritable(log, common);
    let writable = unwritable.is_empty();
    let market = market(common);
    let fresh = common.engine.is_some_and(|engine| engine.book().feed_freshness().is_fresh());
    let open = common.engine.is_some_and(|engine| engine.book().is_open());
    let running = identity.agent.agent_mode != AgentMode::Off;
    let is_strategy = identity.agent.agent_role == AgentRole::StrategyEval;
    let mut not_ready: Vec<String> = Vec::new();
    // Mission control watches whether or not there is a market.
    if common.engine.is_none() && identity.agent.agent_name != start::MISSION_CONTROL {
        not_ready.push("VENUE_CLOCK_MISSING".to_owned());
    }
    if common.feed_ended && identity.agent.agent_name != start::MISSION_CONTROL {
        not_ready.push("FEED_REFUSED".to_owned());
    }
    if common.recording_problem.is_some() {
        not_ready.push("RECORDING_UNAVAILABLE".to_owned());
    }
    if !writable {
        not_ready.push("AUDIT_UNAVAILABLE".to_owned());
    }
    if is_strategy && !running {
        not_ready.push("AGENT_MODE_OFF".to_owned());
    }
    Snapshot {
        identity: identity.clone(),
        published: common.wall,
        heartbeat_ttl_seconds: HEARTBEAT_TTL_SECONDS,
        speed: common.speed,
        safety: Safety {
            kill_switch: kill_switch(common),
            safe_to_run_strategies: running && fresh && open && writable,
            // Nothing here holds an execution agent's posture: no order could pass.
            safe_to_execute_orders: false,
            gating_reasons: gating_reasons(common, fresh, open, writable),
        },
        market,
        audit: audit(log),
        unwritable,
        execution_enabled: false,
        not_ready,
    }
}

/// The log, the recording, or both, each with the system's words.
fn unwritable(log: &Log, common: &Common<'_>) -> Vec<Unwritable> {
    let of_log = match log.health() {
        Health::Writable => None,
        Health::Unavailable { why } => Some(Unwritable::new(Written::Log, &why)),
    };
    of_log.into_iter().chain(common.recording_problem.cloned()).collect()
}

fn audit(log: &Log) -> Audit {
    // The checkpoint first: what becomes durable meanwhile makes the size larger than its own, never smaller.
    let (checkpoint, checkpoint_utc) = (log.checkpoint(), log.checkpoint_time());
    let tree_size = log.size();
    let covering = checkpoint.filter(|latest| latest.checkpoint.size == tree_size);
    let root_hash = covering.map(|latest| latest.checkpoint.root.to_string());
    Audit { origin: log.origin().to_owned(), tree_size, root_hash, checkpoint_utc }
}

fn market(common: &Common<'_>) -> Market {
    let Some(engine) = common.engine else {
        let max_age_seconds = u64::try_from(common.max_age.seconds()).unwrap_or(0);
        return Market {
            is_open: true,
            last_tick: None,
            last_bar: None,
            age: None,
            max_age_seconds,
            forced_stale: false,
        };
    };
    let book = engine.book();
    let limit = book.age_limit();
    let age = match book.feed_freshness() {
        Freshness::Missing => None,
        // Data that says nothing of now is older than any limit.
        Freshness::Unknown { limit } => Some(limit.doubled().max(Span::from_seconds(1))),
        Freshness::Age { age, .. } => Some(age),
    };
    let last_bar = book
        .underlyings()
        .iter()
        .filter_map(|underlying| book.latest(underlying.instrument()?)?.bar_close())
        .map(|(_, end)| end)
        .max();
    Market {
        is_open: book.is_open(),
        last_tick: book.last_tick(),
        last_bar,
        age,
        max_age_seconds: u64::try_from(limit.seconds()).unwrap_or(0),
        forced_stale: book.is_forced_stale(),
    }
}

fn kill_switch(common: &Common<'_>) -> KillSwitch {
    match common.switch {
        Some((reading, since)) => {
            KillSwitch { halted: reading.halted, source: Some(reading.source.clone()), since_utc: Some(since) }
        }
        None => KillSwitch { halted: true, source: Some("not read yet".to_owned()), since_utc: None },
    }
}

/// What stands in the way of any order now, by the gate's codes and in its order.
fn gating_reasons(common: &Common<'_>, fresh: bool, open: bool, writable: bool) -> Vec<String> {
    use agenttrader_core::reason::Reason;
    let missing = common.engine.is_none_or(|engine| engine.book().feed_freshness() == Freshness::Missing);
    let holds = [
        (Reason::ExecutionDisabled, true),
        (Reason::AgentModeNotExecute, true),
        (Reason::KillSwitch, common.switch.is_none_or(|(reading, _)| reading.halted)),
        (Reason::StateNotReady, true),
        (Reason::UnlockMissing, true),
        (Reason::MarketdataMissing, missing),
        (Reason::MarketdataStale, !missing && !fresh),
        (Reason::MarketClosed, !open),
        (Reason::AuditUnavailable, !writable),
    ];
    holds.into_iter().filter(|(_, holds)| *holds).map(|(reason, _)| reason.as_str().to_owned()).collect()
}
