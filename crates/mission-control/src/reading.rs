//! Readings: what the floor sees at each second of venue time. Not logged; each replaces the last of its kind.
//!
//! Every time in a reading is venue time. Prices and amounts are exact and stand as decimal strings in JSON.

use agenttrader_agent::status::KillSwitch;
use agenttrader_core::money::Money;
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// One reading. A floor sends one [`Reading::Posture`] and one [`Reading::Ledger`] a second, and per underlying a [`Reading::Market`] and,
/// where its chain was computed anew, a [`Reading::Exposure`].
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// An underlying's prices, chain and flow.
    Market(Market),
    /// An underlying's gamma exposure.
    Exposure(GammaExposure),
    /// Positions and P&L.
    Ledger(Ledger),
    /// Kill switch, market hours, freshness, and what follows from them.
    Posture(Posture),
}

/// What is known of an underlying.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Market {
    /// The underlying.
    #[schema(value_type = String, example = "SPY")]
    pub symbol: Symbol,
    /// When this was read.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: UnixNanos,
    /// Where it comes from: `alpaca:sip`, `simulator`, `recording`, ….
    pub source: String,
    /// Last quote and trade.
    pub latest: Latest,
    /// Its option chain; null where it has none.
    #[schema(required = true)]
    pub chain: Option<ChainSummary>,
    /// Its option flow; null where it has no options.
    #[schema(required = true)]
    pub flow: Option<FlowSummary>,
}

/// Last quote and trade of an underlying. What never came is null, never zero.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Latest {
    /// Best bid, dollars.
    #[schema(value_type = Option<String>, required = true)]
    pub bid: Option<Price>,
    /// Shares at the bid.
    #[schema(required = true)]
    pub bid_size: Option<u64>,
    /// Best ask, dollars.
    #[schema(value_type = Option<String>, required = true)]
    pub ask: Option<Price>,
    /// Shares at the ask.
    #[schema(required = true)]
    pub ask_size: Option<u64>,
    /// Price of the last trade, dollars.
    #[schema(value_type = Option<String>, required = true)]
    pub last: Option<Price>,
    /// What computations take for its price, dollars: the mid of a good quote, else the last trade; of an index possibly implied.
    #[schema(value_type = Option<String>, required = true)]
    pub spot: Option<Price>,
    /// Whether `spot` is implied from its options instead of quoted.
    pub spot_is_implied: bool,
    /// Shares traded today.
    pub day_volume: u64,
    /// How fresh it is.
    pub freshness: Freshness,
}

/// How fresh something is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Freshness {
    /// The feed or the underlying.
    #[schema(example = "SPY")]
    pub of: String,
    /// Fresh, stale, delayed or missing.
    pub state: FreshnessState,
    /// The larger of the time since receipt and venue time minus event time, venue milliseconds; null before the first event.
    #[schema(required = true)]
    pub age_ms: Option<u64>,
    /// Older is stale, venue milliseconds.
    pub max_age_ms: u64,
}

/// Fresh or not, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FreshnessState {
    /// Within its limit.
    Fresh,
    /// Older than its limit.
    Stale,
    /// Declared late by its source: never fresh for execution.
    Delayed,
    /// Nothing came yet.
    Missing,
}

/// An option chain in a few figures.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ChainSummary {
    /// Contracts known.
    pub contracts: u64,
    /// Those with a quote that computations can use.
    pub usable: u64,
    /// Expirations known, as `YYYY-MM-DD`, earliest first.
    pub expirations: Vec<String>,
    /// Contracts open, over all.
    pub open_interest: u64,
    /// Contracts traded today.
    pub day_volume: u64,
    /// Implied volatility at the money of the nearest expiration, per year (0.2 is 20 %).
    #[schema(required = true)]
    pub at_the_money_volatility: Option<f64>,
    /// Where rate and yield come from: `configured`, `parity`.
    pub carry: String,
    /// Age of the newest option quote, venue milliseconds.
    #[schema(required = true)]
    pub age_ms: Option<u64>,
}

/// Option flow of the session so far.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FlowSummary {
    /// Sweeps seen.
    pub sweeps: u64,
    /// Blocks seen.
    pub blocks: u64,
    /// Prints seen, those within sweeps too.
    pub prints: u64,
    /// Premium of bullish flow, dollars.
    #[schema(value_type = String)]
    pub bullish_premium_usd: Money,
    /// Premium of bearish flow, dollars.
    #[schema(value_type = String)]
    pub bearish_premium_usd: Money,
    /// Premium of the rest, dollars.
    #[schema(value_type = String)]
    pub neutral_premium_usd: Money,
    /// The latest sweeps and blocks, newest first, a few.
    pub recent: Vec<FlowEvent>,
}

/// One sweep or block.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FlowEvent {
    /// When it was complete.
    #[schema(value_type = String, format = DateTime)]
    pub at: UnixNanos,
    /// The contract, OCC symbol without spaces.
    pub contract_symbol: String,
    /// `SWEEP`, `BLOCK`.
    pub kind: String,
    /// `BULLISH`, `BEARISH`, `NEUTRAL`.
    pub sentiment: String,
    /// Contracts.
    pub size: u64,
    /// Dollars.
    #[schema(value_type = String)]
    pub premium_usd: Money,
    /// 0 to 1.
    pub conviction: f64,
}

/// Gamma exposure of an underlying, dealers long calls and short puts.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GammaExposure {
    /// The underlying.
    #[schema(value_type = String, example = "SPY")]
    pub symbol: Symbol,
    /// When it was computed.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: UnixNanos,
    /// The price it was computed at, dollars.
    #[schema(value_type = String)]
    pub spot: Price,
    /// `UNKNOWN`, `NEUTRAL`, `LONG_GAMMA`, `SHORT_GAMMA`.
    pub regime: String,
    /// Share of open interest with usable quotes, 0 to 1.
    #[schema(required = true)]
    pub coverage: Option<f64>,
    /// Calls and puts together, dollars of shares per 1.00 move.
    #[schema(value_type = String)]
    pub net_usd_per_dollar: Money,
    /// The same per 1 % move.
    #[schema(value_type = String)]
    pub net_usd_per_percent: Money,
    /// Of today's expiration alone, dollars of shares per 1.00 move.
    #[schema(value_type = String)]
    pub same_day_net_usd_per_dollar: Money,
    /// Strike with the largest call exposure.
    #[schema(value_type = Option<String>, required = true)]
    pub call_wall: Option<Price>,
    /// Strike with the largest put exposure.
    #[schema(value_type = Option<String>, required = true)]
    pub put_wall: Option<Price>,
    /// Where net exposure crosses zero within 10 % of spot; null where it does not.
    #[schema(value_type = Option<String>, required = true)]
    pub zero_gamma: Option<Price>,
    /// By strike, lowest first.
    pub by_strike: Vec<StrikeExposure>,
    /// By expiration, earliest first.
    pub by_expiration: Vec<ExpirationExposure>,
}

/// Exposure at one strike, dollars of shares per 1.00 move: calls positive, puts negative.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct StrikeExposure {
    /// The strike, dollars.
    #[schema(value_type = String)]
    pub strike: Price,
    /// Calls.
    #[schema(value_type = String)]
    pub call_usd: Money,
    /// Puts.
    #[schema(value_type = String)]
    pub put_usd: Money,
    /// Calls and puts that expire today, together.
    #[schema(value_type = String)]
    pub same_day_usd: Money,
}

/// Exposure of one expiration, dollars of shares per 1.00 move: calls positive, puts negative.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ExpirationExposure {
    /// `YYYY-MM-DD`.
    pub expiration: String,
    /// Whether that is today.
    pub is_same_day: bool,
    /// Calls.
    #[schema(value_type = String)]
    pub call_usd: Money,
    /// Puts.
    #[schema(value_type = String)]
    pub put_usd: Money,
}

/// Positions and P&L of an account.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Ledger {
    /// When it was read.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: UnixNanos,
    /// `SHADOW` where no order was ever sent.
    #[schema(example = "SHADOW")]
    pub account: String,
    /// Every position, by strategy and instrument.
    pub positions: Vec<Position>,
    /// By strategy.
    pub strategies: Vec<StrategyPnl>,
    /// Of the account.
    pub total: AccountPnl,
}

/// What a strategy holds of one instrument.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Position {
    /// The account: `SHADOW` where no order was ever sent.
    #[schema(example = "SHADOW")]
    pub account: String,
    /// The strategy.
    pub strategy_name: String,
    /// Ticker, or OCC symbol without spaces.
    pub instrument: String,
    /// The underlying.
    #[schema(value_type = String, example = "SPY")]
    pub underlying: Symbol,
    /// Signed shares or contracts.
    pub quantity: i64,
    /// Paid for it without fees, dollars; negative for a short.
    #[schema(value_type = String)]
    pub cost_usd: Money,
    /// Price it is valued at, dollars a share; null before the first good quote.
    #[schema(value_type = Option<String>, required = true)]
    pub mark: Option<Price>,
    /// Whether that price kept its last value for want of a good quote.
    pub mark_is_stale: bool,
    /// What it is worth, dollars.
    #[schema(value_type = Option<String>, required = true)]
    pub value_usd: Option<Money>,
    /// Worth minus cost, dollars.
    #[schema(value_type = Option<String>, required = true)]
    pub unrealised_usd: Option<Money>,
    /// Shares of the underlying it moves like; null where no volatility is known.
    #[schema(required = true)]
    pub delta_shares: Option<f64>,
}

/// Profit and loss of one strategy.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct StrategyPnl {
    /// The account: `SHADOW` where no order was ever sent.
    #[schema(example = "SHADOW")]
    pub account: String,
    /// The strategy.
    pub strategy_name: String,
    /// Of closed lots, dollars, fees not taken off.
    #[schema(value_type = String)]
    pub realised_usd: Money,
    /// Of open lots at their marks, dollars.
    #[schema(value_type = String)]
    pub unrealised_usd: Money,
    /// Fees, dollars.
    #[schema(value_type = String)]
    pub fees_usd: Money,
    /// Realised plus unrealised minus fees, dollars.
    #[schema(value_type = String)]
    pub net_usd: Money,
    /// Fills booked.
    pub fills: u64,
    /// Orders that work.
    pub working_orders: u64,
}

/// Profit and loss of an account, and what of its limits is used.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AccountPnl {
    /// The account: `SHADOW` where no order was ever sent.
    #[schema(example = "SHADOW")]
    pub account: String,
    /// At the day's start, dollars.
    #[schema(value_type = String)]
    pub start_equity_usd: Money,
    /// Now, dollars.
    #[schema(value_type = String)]
    pub equity_usd: Money,
    /// Highest so far, dollars.
    #[schema(value_type = String)]
    pub high_water_usd: Money,
    /// Cash, dollars.
    #[schema(value_type = String)]
    pub cash_usd: Money,
    /// Of closed lots, dollars, fees not taken off.
    #[schema(value_type = String)]
    pub realised_usd: Money,
    /// Of open lots at their marks, dollars.
    #[schema(value_type = String)]
    pub unrealised_usd: Money,
    /// Fees, dollars.
    #[schema(value_type = String)]
    pub fees_usd: Money,
    /// Since the day's start, dollars.
    #[schema(value_type = String)]
    pub day_usd: Money,
    /// The account's limits with what is used of them.
    pub limits: Vec<LimitUse>,
}

/// A limit and what is used of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LimitUse {
    /// The reason code the limit belongs to.
    #[schema(example = "DAILY_LOSS")]
    pub name: String,
    /// The bound.
    pub bound: String,
    /// What was measured; null when it cannot be known.
    #[schema(required = true)]
    pub measured: Option<String>,
    /// `USD`, `orders`, ….
    #[schema(example = "USD")]
    pub unit: String,
}

/// Whether anything may run or be sent, and what stands in the way.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Posture {
    /// When it was read.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: UnixNanos,
    /// The kill switch as last read.
    pub kill_switch: KillSwitch,
    /// The exchange's session.
    pub market: MarketHours,
    /// Of the feeds and of each underlying.
    pub freshness: Vec<Freshness>,
    /// Whether strategies may be evaluated.
    pub safe_to_run_strategies: bool,
    /// Whether an order could pass the posture.
    pub safe_to_execute_orders: bool,
    /// What stands in the way, in the gate's order.
    pub gating_reasons: Vec<String>,
    /// The recording the inputs are numbered in.
    #[schema(value_type = Option<String>, format = "uuid", required = true)]
    pub recording_id: Option<Uuid>,
}

/// The exchange's session.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MarketHours {
    /// Whether it is open.
    pub is_open: bool,
    /// When it opens next; null while it is open.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub opens_utc: Option<UnixNanos>,
    /// When it closes next.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub closes_utc: Option<UnixNanos>,
    /// Venue seconds that pass in a second of the wall clock.
    pub speed: f64,
}
