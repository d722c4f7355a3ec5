//! What the desk puts on record beside decisions. Every time is an input's, every id is derived: a replay gives the same bytes.

use agenttrader_authority::presented::Presented;
use agenttrader_core::digest::Digest;
use agenttrader_core::money::Money;
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::order::{Intent, Order, OrderLeg, Side, Tradable};
use agenttrader_core::price::Price;
use agenttrader_core::proposal::derived_id;
use agenttrader_core::quantity::Quantity;
use agenttrader_core::reason::Reason;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use agenttrader_safety::limits::Limits;
use agenttrader_sequence::input::{Numbered, SignedFolder};
use serde::Serialize;
use uuid::Uuid;

/// The account that everything of the desk is about: hypothetical, and marked so wherever it is shown.
pub const ACCOUNT: &str = "SHADOW";

/// One thing to record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "output", rename_all = "snake_case")]
pub enum DeskOutput {
    /// A proposal refused for posture alone became a shadow order.
    ShadowTaken(ShadowTaken),
    /// A shadow order was filled whole, or a holding expired.
    ShadowFill(ShadowFill),
    /// A shadow order's time ran out.
    ShadowLapsed(ShadowLapsed),
    /// A limit has tripped and stays so until a person resumes.
    LimitTripped(LimitTripped),
    /// A file that people signed was read, or its folder.
    SignedFileRead(SignedFileRead),
}

/// A shadow order begins to work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShadowTaken {
    /// [`ACCOUNT`].
    pub account: &'static str,
    /// Its proposal.
    pub proposal_id: Uuid,
    /// Its story.
    pub correlation_id: Uuid,
    /// Its strategy.
    pub strategy_name: String,
    /// What it is for.
    pub intent: Intent,
    /// The underlying.
    pub symbol: Symbol,
    /// Its legs.
    pub legs: Vec<OrderLeg>,
    /// Units of the whole.
    pub quantity: Quantity,
    /// The limit; null at market.
    pub limit_price: Option<Price>,
    /// Whether it counts as a hedge.
    pub hedge: bool,
    /// Whether it reduces.
    pub reducing: bool,
    /// When it lapses.
    pub valid_until_utc: UnixNanos,
    /// Time of the causing input.
    pub taken_at_utc: UnixNanos,
}

/// Why a fill happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum FillCause {
    /// A shadow order met the market.
    Order,
    /// A contract expired.
    Expiry,
}

/// One leg of a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FillLeg {
    /// What was traded.
    #[serde(flatten)]
    pub tradable: Tradable,
    /// Which way.
    pub side: Side,
    /// Shares or contracts, positive.
    pub quantity: i64,
    /// Dollars a share; zero for a contract that expires worthless or is exercised.
    pub price: Price,
    /// Shares one unit stands for.
    pub multiplier: u32,
}

/// A hypothetical fill: all that is needed to work out positions, profit and loss from fills alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShadowFill {
    /// Derived from the proposal, or from the holding that expired.
    pub fill_id: Uuid,
    /// [`ACCOUNT`].
    pub account: &'static str,
    /// Why.
    pub cause: FillCause,
    /// The proposal; null at expiry.
    pub proposal_id: Option<Uuid>,
    /// The story; at expiry that of the oldest lot.
    pub correlation_id: Uuid,
    /// The strategy.
    pub strategy_name: String,
    /// What the order was for; null at expiry.
    pub intent: Option<Intent>,
    /// The underlying.
    pub symbol: Symbol,
    /// What was traded, at which price.
    pub legs: Vec<FillLeg>,
    /// Units of the whole: shares, contracts, structures.
    pub quantity: i64,
    /// Price of one unit: of one leg its own, of several the net, a debit positive. At expiry the official close.
    pub price: Price,
    /// Fees of the whole, rounded up to the cent once.
    pub fees_usd: Money,
    /// What closing older lots realised, fees left out.
    pub realised_usd: Money,
    /// Time of the causing input.
    pub filled_at_utc: UnixNanos,
}

/// A shadow order ends unfilled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShadowLapsed {
    /// [`ACCOUNT`].
    pub account: &'static str,
    /// Its proposal.
    pub proposal_id: Uuid,
    /// Its story.
    pub correlation_id: Uuid,
    /// Its strategy.
    pub strategy_name: String,
    /// What it was for.
    pub intent: Intent,
    /// The underlying.
    pub symbol: Symbol,
    /// Time of the causing input.
    pub lapsed_at_utc: UnixNanos,
}

/// What became of a file that people signed, or of its folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignedFileRead {
    /// Which folder.
    pub folder: SignedFolder,
    /// The digest that the file's name says; null where it is about the folder.
    pub sha256: Option<Digest>,
    /// `good`, `unusable`, `gone`; of a folder `readable`, `unreadable`.
    pub state: &'static str,
    /// Why it is of no use.
    pub problem: Option<String>,
    /// Who signed one that is good.
    pub signed_by: Vec<String>,
    /// Time of the causing input.
    pub read_at_utc: UnixNanos,
}

/// A limit trips.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitTripped {
    /// [`ACCOUNT`].
    pub account: &'static str,
    /// Which.
    pub limit: Reason,
    /// The strategy it disables; null: the account.
    pub strategy_name: Option<String>,
    /// The bound.
    pub bound: String,
    /// What was measured.
    pub measured: String,
    /// Unit of both.
    pub unit: &'static str,
    /// Time of the causing input.
    pub tripped_at_utc: UnixNanos,
}

impl ShadowFill {
    /// The id of an order's fill. A shadow order fills once, so its proposal is enough.
    pub fn order_id(order: &Order) -> Uuid {
        derived_id(&[b"shadow-fill", order.proposal_digest.as_bytes()])
    }

    /// The id of what becomes of a strategy's contracts at expiry, by the input that settles them.
    pub fn expiry_id(strategy_name: &str, contract: &OccSymbol, input: &Numbered) -> Uuid {
        let contract = contract.to_string();
        let (at, number) = (input.at.nanos().to_le_bytes(), input.number.to_le_bytes());
        derived_id(&[b"shadow-expiry", strategy_name.as_bytes(), contract.as_bytes(), &at, &number])
    }
}

impl SignedFileRead {
    /// Nothing said yet.
    pub(crate) const fn of(folder: SignedFolder, read_at_utc: UnixNanos) -> Self {
        Self { folder, sha256: None, state: "", problem: None, signed_by: Vec::new(), read_at_utc }
    }

    /// What verifying it came to.
    pub(crate) fn judged<T>(&mut self, presented: &Presented<T>, signed_by: impl FnOnce(&T) -> &Vec<String>) {
        self.state = presented.word();
        match presented {
            Presented::Unusable { why, .. } => self.problem = Some(why.reason()),
            Presented::Good(verified) => self.signed_by.clone_from(signed_by(verified.get())),
            Presented::Missing | Presented::Unknown => {}
        }
    }
}

impl LimitTripped {
    /// A strategy executed too often and is disabled.
    pub fn repeat(strategy_name: &str, executions: u32, limits: &Limits, at: UnixNanos) -> Self {
        Self {
            account: ACCOUNT,
            limit: Reason::RepeatExecution,
            strategy_name: Some(strategy_name.to_owned()),
            bound: limits.repeat_executions.to_string(),
            measured: executions.to_string(),
            unit: "executions",
            tripped_at_utc: at,
        }
    }
}
