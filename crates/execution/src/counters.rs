//! Orders and executions of the shadow account, counted for the limits.
//!
//! An order counts when it becomes a shadow order, which is where an order would be sent; a proposal that is refused for anything
//! beyond the posture is no order and counts nowhere. Memory is bounded: what has left every window is dropped, and the limits
//! themselves bound what a window can hold.

use agenttrader_core::money::Money;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_safety::limits::Limits;
use agenttrader_safety::seen::{self, OrderLikeness};
use std::collections::{BTreeMap, VecDeque};
use uuid::Uuid;

/// The window of the rate a second.
const SECOND: Span = Span::from_seconds(1);

/// The window of the rate a minute.
const MINUTE: Span = Span::from_seconds(60);

/// Most proposals remembered as judged. When so many are still valid, a new one counts as judged before: it is refused rather than
/// forgotten.
const JUDGED_MAX: usize = 65_536;

/// The account's counters.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    recent: VecDeque<(UnixNanos, OrderLikeness)>,
    orders_today: u32,
    notional_today: Money,
    hedges_today: u32,
    hedge_notional_today: Money,
    judged: BTreeMap<Uuid, UnixNanos>,
}

/// One strategy's executions.
#[derive(Clone, Debug, Default)]
pub struct Executions {
    recent: VecDeque<UnixNanos>,
    disabled: bool,
}

impl Counters {
    /// Counts an order that was taken at `now`.
    pub fn on_order(&mut self, now: UnixNanos, likeness: OrderLikeness, notional: Money, hedge: bool, limits: &Limits) {
        self.prune(now, limits);
        self.recent.push_back((now, likeness));
        if hedge {
            self.hedges_today = self.hedges_today.saturating_add(1);
            self.hedge_notional_today = self.hedge_notional_today.plus(notional);
        } else {
            self.orders_today = self.orders_today.saturating_add(1);
            self.notional_today = self.notional_today.plus(notional);
        }
    }

    /// Begins a new day. Windows of seconds and minutes go on.
    pub fn new_day(&mut self) {
        self.orders_today = 0;
        self.notional_today = Money::ZERO;
        self.hedges_today = 0;
        self.hedge_notional_today = Money::ZERO;
    }

    /// What the gate sees of them at `now`, with one strategy's executions.
    pub fn seen(&self, now: UnixNanos, executions: Option<&Executions>, limits: &Limits) -> seen::Counters {
        let within = |span: Span| {
            let orders = self.recent.iter().filter(|(at, _)| now.since(*at) < span).count();
            u32::try_from(orders).unwrap_or(u32::MAX)
        };
        let duplicates = limits.duplicate_window();
        seen::Counters {
            orders_last_second: within(SECOND),
            orders_last_minute: within(MINUTE),
            orders_today: self.orders_today,
            notional_today: self.notional_today,
            hedges_today: self.hedges_today,
            hedge_notional_today: self.hedge_notional_today,
            executions_in_window: executions.map_or(0, |executions| executions.within(now, limits.repeat_window())),
            strategy_disabled: executions.is_some_and(|executions| executions.disabled),
            recent_orders: self
                .recent
                .iter()
                .filter(|(at, _)| now.since(*at) < duplicates)
                .map(|(_, like)| *like)
                .collect(),
        }
    }

    /// Whether a proposal of this id was judged before.
    pub fn was_judged(&self, proposal_id: Uuid) -> bool {
        self.judged.contains_key(&proposal_id) || self.judged.len() >= JUDGED_MAX
    }

    /// Remembers that a proposal was judged, for as long as it could be taken for new: until `until`.
    pub fn on_judged(&mut self, proposal_id: Uuid, until: UnixNanos, now: UnixNanos) {
        if self.judged.len() >= JUDGED_MAX {
            self.judged.retain(|_, until| *until > now);
        }
        if self.judged.len() < JUDGED_MAX {
            let entry = self.judged.entry(proposal_id).or_insert(until);
            *entry = until.max(*entry);
        }
    }

    /// Forgets the proposals that have expired.
    pub fn forget_judged(&mut self, now: UnixNanos) {
        self.judged.retain(|_, until| *until > now);
    }

    fn prune(&mut self, now: UnixNanos, limits: &Limits) {
        let longest = MINUTE.max(limits.duplicate_window());
        while self.recent.front().is_some_and(|(at, _)| now.since(*at) >= longest) {
            self.recent.pop_front();
        }
    }
}

impl Executions {
    /// Counts an execution that is neither hedge nor reducing. Returns whether it disables the strategy: more than the limit in the
    /// window.
    pub fn on_fill(&mut self, now: UnixNanos, limits: &Limits) -> bool {
        let window = limits.repeat_window();
        while self.recent.front().is_some_and(|at| now.since(*at) >= window) {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        self.within(now, window) > limits.repeat_executions && self.disable()
    }

    /// Disables the strategy until a person enables it again. Returns whether that is new.
    pub fn disable(&mut self) -> bool {
        !std::mem::replace(&mut self.disabled, true)
    }

    /// Executions within `window` before `now`.
    pub fn within(&self, now: UnixNanos, window: Span) -> u32 {
        let executions = self.recent.iter().filter(|at| now.since(**at) < window).count();
        u32::try_from(executions).unwrap_or(u32::MAX)
    }
}
