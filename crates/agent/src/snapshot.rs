//! What an agent last said about itself, and the answers that follow from it at a later moment.
//!
//! Whoever runs the agent publishes a [`Snapshot`] at least once a heartbeat. Ages are not taken from it as they stand: the time since it
//! was published is added, so that an agent that hangs grows stale instead of staying fresh for ever.

use crate::marketdata_health::MarketdataHealth;
use crate::service_kind::ServiceKind;
use crate::start::Identity;
use crate::state::{Answer, MarketdataSeen, Observed, State, state};
use crate::status::{Audit, Heartbeat, HeartbeatAnswer, Marketdata, Safety, StateReport, Status};
use crate::unwritable::Unwritable;
use agenttrader_core::time::{Span, UnixNanos};
use std::collections::BTreeMap;

/// What an agent says about itself at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Who it is.
    pub identity: Identity,
    /// When this was published, wall time; the heartbeat.
    pub published: UnixNanos,
    /// The heartbeat's time to live.
    pub heartbeat_ttl_seconds: u64,
    /// Venue seconds that pass in a second of the wall clock.
    pub speed: f64,
    /// The market as the agent sees it.
    pub market: Market,
    /// What it may do.
    pub safety: Safety,
    /// Its log.
    pub audit: Audit,
    /// What cannot be written now: its log, or the recording of what it judges by; empty when both can.
    pub unwritable: Vec<Unwritable>,
    /// Whether execution is enabled; of no meaning for other kinds.
    pub execution_enabled: bool,
    /// Why the agent cannot do its work now; empty when it can.
    pub not_ready: Vec<String>,
}

/// The market as an agent sees it. Times are venue times.
#[derive(Clone, Debug, PartialEq)]
pub struct Market {
    /// Whether it is open. Not known counts as open.
    pub is_open: bool,
    /// The last quote or trade.
    pub last_tick: Option<UnixNanos>,
    /// The end of the last bar.
    pub last_bar: Option<UnixNanos>,
    /// The last tick's age when this was published: the larger of time since receipt and venue time since the event.
    pub age: Option<Span>,
    /// Older is stale.
    pub max_age_seconds: u64,
    /// Whether staleness is feigned, for a drill.
    pub forced_stale: bool,
}

impl Snapshot {
    /// The status `elapsed` after this was published.
    pub fn status(&self, elapsed: Span) -> Status {
        let agent = &self.identity.agent;
        let observed = self.observed(elapsed);
        let (state, reason_codes) = state(&observed);
        Status {
            service_name: agent.agent_name.clone(),
            service_kind: observed.kind,
            repo_id: self.identity.repo_id.clone(),
            git_sha: self.identity.build_shown.git_sha.clone(),
            build_id: self.identity.build_shown.build_id.clone(),
            agent_identity: agent.into(),
            status: StateReport {
                state,
                summary: summary(state, &reason_codes, &self.unwritable),
                reason_codes,
                last_updated_utc: self.published,
            },
            heartbeat: Heartbeat {
                last_heartbeat_utc: self.published,
                age_seconds: not_negative(elapsed),
                ttl_seconds: self.heartbeat_ttl_seconds,
            },
            marketdata: Marketdata {
                last_tick_utc: self.market.last_tick,
                last_bar_utc: self.market.last_bar,
                stale_threshold_seconds: self.market.max_age_seconds,
                is_fresh: observed.marketdata == MarketdataSeen::Fresh,
            },
            safety: self.safety(observed.marketdata),
            audit: self.audit.clone(),
            unwritable: self.unwritable.clone(),
            endpoints: endpoints(),
        }
    }

    /// What `GET /healthz` of a market-data service answers `elapsed` after this was published.
    pub fn marketdata_health(&self, elapsed: Span) -> MarketdataHealth {
        let seen = self.marketdata_seen(elapsed);
        let reason = match seen {
            MarketdataSeen::Fresh => None,
            MarketdataSeen::Stale => Some("MARKETDATA_STALE"),
            MarketdataSeen::Missing => Some("MARKETDATA_MISSING"),
        };
        let forced = self.market.forced_stale.then_some("MARKETDATA_FORCED_STALE");
        MarketdataHealth {
            service: self.identity.agent.agent_name.clone(),
            ok: seen == MarketdataSeen::Fresh,
            last_tick_epoch_seconds: self.market.last_tick.map(epoch_seconds),
            age_seconds: self.market_age(elapsed),
            max_age_seconds: self.market.max_age_seconds,
            forced_stale: self.market.forced_stale,
            reason_codes: reason.into_iter().chain(forced).map(str::to_owned).collect(),
        }
    }

    /// What `GET /heartbeat` answers `elapsed` after this was published.
    pub fn heartbeat(&self, elapsed: Span) -> HeartbeatAnswer {
        HeartbeatAnswer {
            service_name: self.identity.agent.agent_name.clone(),
            last_tick_utc: self.market.last_tick,
            age_seconds: self.market_age(elapsed),
            is_fresh: self.marketdata_seen(elapsed) == MarketdataSeen::Fresh,
        }
    }

    /// Why the agent cannot do its work `elapsed` after this was published; empty when it can.
    pub fn not_ready(&self, elapsed: Span) -> Vec<String> {
        let mut reasons = self.not_ready.clone();
        if !self.heartbeat_current(elapsed) {
            reasons.push("HEARTBEAT_STALE".to_owned());
        }
        reasons
    }

    fn observed(&self, elapsed: Span) -> Observed {
        Observed {
            kind: ServiceKind::of_role(self.identity.agent.agent_role),
            answer: Answer::Complete,
            execution_enabled: self.execution_enabled,
            has_replicas: true,
            kill_switch_halted: self.safety.kill_switch.halted,
            marketdata: self.marketdata_seen(elapsed),
            market_open: self.market.is_open,
            heartbeat_current: self.heartbeat_current(elapsed),
            log_writable: self.unwritable.is_empty(),
        }
    }

    fn heartbeat_current(&self, elapsed: Span) -> bool {
        not_negative(elapsed) <= self.heartbeat_ttl_seconds as f64
    }

    /// The last tick's age in venue seconds.
    fn market_age(&self, elapsed: Span) -> Option<f64> {
        // A speed that is no number passes no time for fresh: it counts as the wall clock's.
        let speed = if self.speed.is_finite() && self.speed > 0.0 { self.speed } else { 1.0 };
        self.market.age.map(|age| not_negative(age) + not_negative(elapsed) * speed)
    }

    fn marketdata_seen(&self, elapsed: Span) -> MarketdataSeen {
        match self.market_age(elapsed) {
            None => MarketdataSeen::Missing,
            Some(age) if age > self.market.max_age_seconds as f64 || self.market.forced_stale => MarketdataSeen::Stale,
            Some(_) => MarketdataSeen::Fresh,
        }
    }

    /// Safety as published, and nothing safe once the data has aged past its limit.
    fn safety(&self, seen: MarketdataSeen) -> Safety {
        let mut safety = self.safety.clone();
        let reason = match seen {
            MarketdataSeen::Fresh => return safety,
            MarketdataSeen::Stale => "MARKETDATA_STALE",
            MarketdataSeen::Missing => "MARKETDATA_MISSING",
        };
        safety.safe_to_run_strategies = false;
        safety.safe_to_execute_orders = false;
        if !safety.gating_reasons.iter().any(|known| known.starts_with("MARKETDATA_")) {
            safety.gating_reasons.push(reason.to_owned());
        }
        safety
    }
}

fn summary(state: State, reason_codes: &[String], unwritable: &[Unwritable]) -> String {
    let words = match state {
        State::Unknown => "The status does not fit the contract",
        State::Offline => "Not running",
        State::Halted => "Halted",
        State::Degraded => "Running, not well",
        State::MarketClosed => return "Healthy; the market is closed.".to_owned(),
        State::Ok => return "Healthy.".to_owned(),
    };
    let causes: String = unwritable.iter().map(|one| format!(" Now {one}.")).collect();
    format!("{words}: {}.{causes}", reason_codes.join(", "))
}

fn endpoints() -> BTreeMap<String, String> {
    [
        ("livez", "/livez"),
        ("readyz", "/readyz"),
        ("healthz", "/healthz"),
        ("heartbeat", "/heartbeat"),
        ("status", "/ops/status"),
        ("metrics", "/metrics"),
        ("audit_checkpoint", "/audit/checkpoint"),
        ("audit_tile", "/audit/tile/"),
    ]
    .map(|(name, path)| (name.to_owned(), path.to_owned()))
    .into()
}

/// Seconds since 1970 to the microsecond, the most that a float of this size holds.
fn epoch_seconds(time: UnixNanos) -> f64 {
    time.nanos().div_euclid(1_000) as f64 / 1e6
}

/// Seconds; a clock that stepped back makes nothing younger than new.
fn not_negative(span: Span) -> f64 {
    span.max(Span::ZERO).as_seconds_f64()
}
