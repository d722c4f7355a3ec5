//! Everything the gate may look at, beside the proposal. Plain facts: the execution desk fills them in from the book,
//! the ledger and the inputs; the gate measures.

use crate::agent_state::ExecutionState;
use crate::delta::Delta;
use crate::freshness::Freshness;
use crate::kill_switch::Reading;
use crate::limits::Limits;
use agenttrader_authority::approval::Approval;
use agenttrader_authority::grant::{ExecutionMode, Grant};
use agenttrader_authority::presented::{Presented, Shown};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::{AgentIdentity, AgentMode, Build};
use agenttrader_core::money::Money;
use agenttrader_core::order::{Intent, Order, OrderLeg, OrderType, Side, Tradable};
use agenttrader_core::price::Price;
use agenttrader_core::quantity::Quantity;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use serde::Serialize;
use std::borrow::Cow;
use uuid::Uuid;

/// What the gate saw. Serialised, it is the decision's `safety_snapshot`.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// Venue time of the input that is being handled.
    pub at: UnixNanos,
    /// The latest of wall clock, venue time and the last time in the agent's own log: what signed files expire by.
    pub signed_files_now: UnixNanos,
    /// Who decides.
    pub decider: AgentIdentity,
    /// What people control.
    pub posture: Posture,
    /// Where the proposal came from.
    pub origin: Origin,
    /// Whether a proposal of this id was judged before.
    pub judged_before: bool,
    /// A person's yes to this proposal.
    #[serde(serialize_with = "crate::snapshot::approval")]
    pub approval: Presented<Approval>,
    /// The market as the proposal's underlying and legs need it.
    pub market: Market,
    /// The account that would pay.
    pub account: Account,
    /// The limits in force.
    pub limits: Limits,
    /// Whether the decider's log can be written.
    pub log: LogHealth,
}

/// What people control.
#[derive(Clone, Debug, Serialize)]
pub struct Posture {
    /// `EXECUTION_AGENT_ENABLED` is exactly `true`.
    pub execution_agent_enabled: bool,
    /// `BROKER_EXECUTION_ENABLED` is exactly `true`.
    pub broker_execution_enabled: bool,
    /// The execution agent's mode.
    pub mode: AgentMode,
    /// How orders would be executed.
    pub execution_mode: ExecutionMode,
    /// The last reading of the switch; null if none was made yet.
    pub switch: Option<Reading>,
    /// The execution state machine; null where there is no execution agent.
    pub state: Option<ExecutionState>,
    /// The unlock grant.
    #[serde(serialize_with = "crate::snapshot::grant")]
    pub grant: Presented<Grant>,
    /// What the grant's delegation is measured by; left out where nothing is granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegation: Option<DelegationSeen>,
    /// The compiled-in build. Not serialised: a replay by another build must give the same bytes.
    #[serde(skip)]
    pub build: Build,
}

/// What a grant's delegation is measured by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DelegationSeen {
    /// Digest of the proposing strategy's version and configuration; null when it is not known.
    pub strategy_sha256: Option<Digest>,
    /// What was used today of each entry, in the grant's order.
    pub used: Vec<DelegationUsed>,
}

/// What was used today of one entry of a delegation, this proposal left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DelegationUsed {
    /// Orders.
    pub orders: u32,
    /// Their notional.
    pub notional_usd: Money,
}

/// Where a proposal came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Made in the very step that judges it: there is nothing to forge.
    Sequence,
    /// An input whose signature verified with the key of the agent it names.
    SignatureGood,
    /// An input whose signature does not verify.
    SignatureBad,
    /// An input of an agent that is not in the recording's head.
    AgentUnknown,
    /// An input whose signature could not be judged.
    Unknown,
}

/// The market around one proposal.
#[derive(Clone, Debug, Serialize)]
pub struct Market {
    /// Whether the exchange's calendar has the market open now.
    pub open: bool,
    /// The session's close; null on a day without session.
    pub close: Option<UnixNanos>,
    /// Freshness of the feed as a whole.
    pub feed: Freshness,
    /// Freshness of the proposal's underlying.
    pub underlying: Freshness,
    /// The feed declares a delay: never fresh for execution.
    pub delayed: bool,
    /// Underlyings proposals may name; null when the allowlist cannot be known.
    pub allowlist: Option<Vec<Symbol>>,
    /// Whether the underlying is halted; null when it cannot be known.
    pub underlying_halted: Option<bool>,
    /// Spot of every underlying that an order leg, a holding or a working order has.
    pub spots: Vec<Spot>,
    /// Every instrument that an order leg, a holding or a working order names.
    pub instruments: Vec<InstrumentSeen>,
    /// Where a VIX feed is configured: its level.
    pub vix: Vix,
}

/// The price of an underlying.
#[derive(Clone, Debug, Serialize)]
pub struct Spot {
    /// Which.
    pub symbol: Symbol,
    /// Its price in dollars; null when unknown.
    pub price: Option<Price>,
}

/// One instrument as the gate sees it.
#[derive(Clone, Debug, Serialize)]
pub struct InstrumentSeen {
    /// Which.
    pub tradable: Tradable,
    /// Whether it is defined in this recording as just that, a share or a contract of that underlying, and so can be quoted. An index cannot.
    pub listed: bool,
    /// Adjusted, or restricted otherwise.
    pub restricted: Option<bool>,
    /// Latest quote; null: none yet.
    pub quote: Option<QuoteSeen>,
    /// The freshest quote at least 250 ms old: what a burst of our own making cannot move.
    pub reference: Option<QuoteSeen>,
    /// Shares of the underlying that one unit *per share of multiplier* stands for: 1 for shares, −1..1 for options.
    pub delta: Option<Delta>,
    /// Mark in dollars: mid of a tight quote, else the closing side, else the last mark.
    pub mark: Option<Price>,
    /// First instant from which no order in the contract is taken on its last day; null if it does not expire today.
    pub cut_off: Option<UnixNanos>,
}

/// A quote with its age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct QuoteSeen {
    /// Best bid; null: that side is empty.
    pub bid: Option<Price>,
    /// Best ask; null: that side is empty.
    pub ask: Option<Price>,
    /// The larger of time since receipt and venue time minus the exchange's stamp.
    #[serde(rename = "age_seconds", serialize_with = "crate::freshness::decimal_seconds")]
    pub age: Span,
}

/// The volatility index, where a feed of it is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "feed", content = "level")]
pub enum Vix {
    /// No feed is configured: the guard does not apply.
    NotConfigured,
    /// A feed is configured and its level is not known.
    Unknown,
    /// The level, in points.
    Level(Price),
}

/// Whether the log can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogHealth {
    /// The last batch is past `fdatasync`.
    Writable,
    /// The last write failed.
    Unavailable,
    /// Nobody has said yet.
    Unknown,
}

/// The account that would pay: the shadow account here.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// The account may not trade; null when it cannot be known.
    pub restricted: Option<bool>,
    /// An order in the proposal's underlying has an unknown outcome; null when that cannot be known.
    pub unreconciled: Option<bool>,
    /// Cash, dollars.
    pub cash: Money,
    /// Cash and holdings at mark; null while a holding has no mark.
    pub equity: Option<Money>,
    /// Equity at the start of the day.
    pub day_start_equity: Money,
    /// Highest equity seen.
    pub high_water: Money,
    /// Consecutive good readings of the day's loss above its limit, and of the drawdown: two trip it.
    pub tripped: Tripped,
    /// What is held.
    pub holdings: Vec<Holding>,
    /// Whose proposal it is, and what of the holdings is that strategy's: what its hedges hedge.
    pub strategy: StrategySeen,
    /// What works.
    pub working: Vec<WorkingOrder>,
    /// Orders and executions counted so far.
    pub counters: Counters,
    /// Fees this order would cost, dollars.
    pub fees_of_order: Money,
}

/// The proposing strategy's own part of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StrategySeen {
    /// Its name, as its proposals carry it.
    pub strategy_name: String,
    /// What it holds.
    pub holdings: Vec<Holding>,
}

/// Which loss limits have tripped. They stay so until a person resumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tripped {
    /// The day's loss, confirmed by two consecutive good readings.
    pub daily_loss: bool,
    /// The drawdown, likewise.
    pub drawdown: bool,
}

/// One position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Holding {
    /// Of what.
    pub tradable: Tradable,
    /// Signed shares or contracts.
    pub quantity: i64,
}

/// An order that works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkingOrder {
    /// Its proposal.
    pub proposal_id: Uuid,
    /// Its strategy.
    pub strategy_name: String,
    /// What it is for.
    pub intent: Intent,
    /// Its legs.
    pub legs: Vec<OrderLeg>,
    /// Side of the whole.
    pub side: Side,
    /// Units still unfilled.
    pub remaining: Quantity,
    /// Market or limit.
    pub order_type: OrderType,
    /// Cash it may still take, dollars: premium and fees of options that open, fees alone of shares, whose value is bounded by equity.
    pub reserves: Money,
}

/// Orders and executions counted for the limits, as of this input, this proposal left out.
#[derive(Clone, Debug, Serialize)]
pub struct Counters {
    /// Orders taken in the last second.
    pub orders_last_second: u32,
    /// Orders taken in the last minute.
    pub orders_last_minute: u32,
    /// Orders today that are no hedges.
    pub orders_today: u32,
    /// Notional today of orders that are no hedges.
    pub notional_today: Money,
    /// Hedges today.
    pub hedges_today: u32,
    /// Notional of hedges today.
    pub hedge_notional_today: Money,
    /// Executions of this strategy in the repeat window, hedges and reducing ones left out.
    pub executions_in_window: u32,
    /// The strategy was disabled by the repeat limit and nobody has enabled it again.
    pub strategy_disabled: bool,
    /// Orders taken within the duplicate window, by what makes two orders the same.
    pub recent_orders: Vec<OrderLikeness>,
}

/// What makes two orders the same: legs, side, quantity and price; neither proposal nor time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct OrderLikeness(Digest);

impl Seen {
    /// The same world under the limits in force: those of a grant that verified, where they are lower than the configured ones.
    pub fn in_force(&self) -> Cow<'_, Self> {
        match self.posture.grant.shown() {
            Shown::Good(grant) if !grant.terms.limits.is_empty() => {
                Cow::Owned(Self { limits: self.limits.lowered_by(&grant.terms.limits), ..self.clone() })
            }
            Shown::Good(_) | Shown::Missing | Shown::Unknown | Shown::Unusable { .. } => Cow::Borrowed(self),
        }
    }
}

impl Market {
    /// What was seen of one instrument.
    pub(crate) fn instrument(&self, tradable: Tradable) -> Option<&InstrumentSeen> {
        self.instruments.iter().find(|instrument| instrument.tradable == tradable)
    }
}

impl OrderLikeness {
    /// The likeness of an order. The order of its legs does not matter.
    pub fn of(order: &Order) -> Self {
        let mut legs = order.legs.clone();
        legs.sort_unstable();
        // It has a canonical form; without one all orders would be alike, and refused.
        let text = canonical_json::of(&(legs, order.side, order.quantity, order.order_type)).unwrap_or_default();
        Self(Digest::of(text.as_bytes()))
    }
}
