//! Order proposals: what a strategy, or an agent through a server, asks to be done. A proposal never changes.

use crate::canonical_json::{self, CanonicalError};
use crate::digest::{Digest, Running};
use crate::occ_symbol::OccSymbol;
use crate::order::{Intent, Order, OrderLeg, OrderType, Side, TimeInForce, Tradable};
use crate::price::Price;
use crate::quantity::Quantity;
use crate::right::Right;
use crate::symbol::Symbol;
use crate::time::{Span, UnixNanos};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use uuid::Uuid;

/// What stands before the body in the bytes that are digested and signed, so that no other signature fits.
pub const SIGNING_CONTEXT: &str = "agenttrader/proposal/v1\n";

/// Longest `rationale.short_reason`, in characters.
pub const SHORT_REASON_MAX: usize = 280;

/// Furthest `valid_until_utc` may lie after creation: a person's approval must not outlive the thought behind it.
pub const VALIDITY_MAX: Span = Span::from_minutes(15);

/// What a proposal asks to trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AssetType {
    /// Shares.
    Equity,
    /// One option contract.
    Option,
    /// Several option contracts of one underlying at a net price.
    Mleg,
}

/// Whether the order takes any price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PriceKind {
    /// Whatever the far side asks.
    Market,
    /// At `limit_price` or better.
    Limit,
}

/// The input that made a strategy speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Causation {
    /// The recording that holds the input.
    pub recording_id: Uuid,
    /// The input's number in it.
    pub input_number: u64,
    /// SHA-256 of the recording's bytes from its head to the end of that input.
    pub recording_sha256: Digest,
}

/// A contract, in fields and as its OCC symbol; both must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionTerms {
    /// Last day.
    pub expiration: Date,
    /// Call or put.
    pub right: Right,
    /// Strike, dollars.
    pub strike: Price,
    /// OCC symbol.
    pub contract_symbol: OccSymbol,
}

/// One leg of an `MLEG`. `side` is what this order does in that contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposedLeg {
    /// OCC symbol.
    pub contract_symbol: OccSymbol,
    /// Call or put.
    pub right: Right,
    /// Strike, dollars.
    pub strike: Price,
    /// Last day.
    pub expiration: Date,
    /// Buy or sell.
    pub side: Side,
    /// Contracts for one unit of the whole.
    pub ratio: Quantity,
}

/// Why, in the proposer's words and figures. Text of an agent: shown as such, never obeyed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rationale {
    /// 1 to 280 characters.
    pub short_reason: String,
    /// Named figures behind it.
    #[serde(default)]
    pub indicators: Map<String, Value>,
}

/// What the proposer is ready to lose and where it would get out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// Largest loss foreseen, dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_loss_usd: Option<Price>,
    /// Price at which to give up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_loss: Option<Price>,
    /// Price at which to take the profit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take_profit: Option<Price>,
}

/// Bounds the proposer sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraints {
    /// After it nothing of the proposal is done.
    pub valid_until_utc: UnixNanos,
    /// Whether a person must approve. No strategy can set it false.
    pub requires_human_approval: bool,
}

/// A proposal's body: what is digested and signed. Read with [`Proposal::parse`]; turned into an [`Order`] with
/// [`Proposal::order`], which is where it is found well-formed or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Derived from agent, strategy and causing input, so that a replay yields the same.
    pub proposal_id: Uuid,
    /// Time of the causing input.
    pub created_at_utc: UnixNanos,
    /// The repository of the proposing agent.
    pub repo_id: String,
    /// The proposing agent.
    pub agent_name: String,
    /// The strategy, `gamma`, `whale`, ….
    pub strategy_name: String,
    /// Its version.
    pub strategy_version: String,
    /// Ties together every record of one story.
    pub correlation_id: Uuid,
    /// The causing input.
    pub causation: Causation,
    /// What it is for.
    pub intent: Intent,
    /// The underlying.
    pub symbol: Symbol,
    /// What kind of thing is traded.
    pub asset_type: AssetType,
    /// The contract of an `OPTION`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<OptionTerms>,
    /// The two to four legs of an `MLEG`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legs: Vec<ProposedLeg>,
    /// Buy or sell; of an `MLEG` the side of its ratio-1 structure.
    pub side: Side,
    /// Shares, contracts, or units of the structure.
    pub quantity: Quantity,
    /// Market or limit.
    pub order_type: PriceKind,
    /// The limit, on the tick; net for an `MLEG`: a debit is positive, a credit negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_price: Option<Price>,
    /// How long it works.
    #[serde(default)]
    pub time_in_force: TimeInForce,
    /// Why.
    pub rationale: Rationale,
    /// What may be lost.
    #[serde(default)]
    pub risk: Risk,
    /// Bounds.
    pub constraints: Constraints,
}

/// A field that makes a proposal malformed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {problem}")]
pub struct Malformed {
    /// JSON pointer to the field (RFC 6901); empty for the whole.
    pub pointer: String,
    /// What is wrong with it.
    pub problem: String,
}

fn malformed(pointer: &str, problem: impl fmt::Display) -> Malformed {
    Malformed { pointer: pointer.to_owned(), problem: problem.to_string() }
}

/// A UUID of version 8 (RFC 9562) from the SHA-256 of `parts`, each preceded by its length.
pub fn derived_id(parts: &[&[u8]]) -> Uuid {
    let mut running = Running::default();
    for part in parts {
        running.update(&(part.len() as u64).to_le_bytes());
        running.update(part);
    }
    let digest = running.so_far();
    let mut head = [0_u8; 16];
    for (slot, byte) in head.iter_mut().zip(digest.as_bytes()) {
        *slot = *byte;
    }
    uuid::Builder::from_custom_bytes(head).into_uuid()
}

/// The tick of a limit price: shares in cents; options in cents under three dollars and nickels from there, as the
/// penny classes quote; nets of several legs in cents.
pub fn tick(tradable: AssetType, price: Price) -> Price {
    let three = Price::from_nanos(3_000_000_000);
    match tradable {
        AssetType::Option if price >= three => Price::NICKEL,
        AssetType::Equity | AssetType::Option | AssetType::Mleg => Price::CENT,
    }
}

impl Proposal {
    /// Reads a body: strict JSON, unknown fields and duplicate keys refused.
    ///
    /// # Errors
    /// [`Malformed`], pointing at the field as far as the reader can tell.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let value = canonical_json::parse(bytes).map_err(|error| malformed("", error))?;
        serde_json::from_value(value).map_err(|error| malformed("", error))
    }

    /// The body's canonical JSON (RFC 8785).
    ///
    /// # Errors
    /// [`CanonicalError`] if an indicator holds a number that has no canonical form.
    pub fn body(&self) -> Result<String, CanonicalError> {
        canonical_json::of(self)
    }

    /// Digest of [`SIGNING_CONTEXT`] and the body: what signatures, approvals and client order ids are over.
    ///
    /// # Errors
    /// As [`Proposal::body`].
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Ok(Self::digest_of_body(&self.body()?))
    }

    /// Digest of a body whose canonical JSON is at hand.
    pub fn digest_of_body(body: &str) -> Digest {
        Digest::of(&Self::signed_bytes(body))
    }

    /// The bytes that are signed for a body.
    pub fn signed_bytes(body: &str) -> Vec<u8> {
        [SIGNING_CONTEXT.as_bytes(), body.as_bytes()].concat()
    }

    /// The order this proposal asks for, if it is well-formed.
    ///
    /// # Errors
    /// [`Malformed`], pointing at the first field that is wrong.
    pub fn order(&self) -> Result<Order, Malformed> {
        self.check_frame()?;
        let legs = self.order_legs()?;
        let order_type = self.priced()?;
        let digest = self.digest().map_err(|error| malformed("/rationale/indicators", error))?;
        Ok(Order {
            client_order_id: Order::client_order_id(digest),
            proposal_id: self.proposal_id,
            proposal_digest: digest,
            intent: self.intent,
            underlying: self.symbol,
            legs,
            side: self.side,
            quantity: self.quantity,
            order_type,
            time_in_force: self.time_in_force,
            valid_until_utc: self.constraints.valid_until_utc,
        })
    }

    fn check_frame(&self) -> Result<(), Malformed> {
        let named = [
            ("/repo_id", &self.repo_id),
            ("/agent_name", &self.agent_name),
            ("/strategy_name", &self.strategy_name),
            ("/strategy_version", &self.strategy_version),
        ];
        if let Some((pointer, _)) = named.iter().find(|(_, text)| text.is_empty() || text.len() > 128) {
            return Err(malformed(pointer, "must have 1 to 128 bytes"));
        }
        let length = self.rationale.short_reason.chars().count();
        if length == 0 || length > SHORT_REASON_MAX {
            let problem = format_args!("must have 1 to {SHORT_REASON_MAX} characters, has {length}").to_string();
            return Err(malformed("/rationale/short_reason", problem));
        }
        let validity = self.constraints.valid_until_utc.since(self.created_at_utc);
        if validity <= Span::ZERO || validity > VALIDITY_MAX {
            let problem = format!("must lie after creation and within {VALIDITY_MAX} of it, lies {validity} after it");
            return Err(malformed("/constraints/valid_until_utc", problem));
        }
        if !self.constraints.requires_human_approval {
            return Err(malformed("/constraints/requires_human_approval", "cannot be set false by the proposer"));
        }
        let has_options = self.asset_type != AssetType::Equity;
        if has_options && self.time_in_force != TimeInForce::Day {
            return Err(malformed("/time_in_force", "options take DAY only"));
        }
        Ok(())
    }

    fn order_legs(&self) -> Result<Vec<OrderLeg>, Malformed> {
        match (self.asset_type, self.option, self.legs.as_slice()) {
            (AssetType::Equity, None, []) => {
                Ok(vec![self.leg(Tradable::Equity { symbol: self.symbol }, self.side, Quantity::ONE)])
            }
            (AssetType::Option, Some(terms), []) => {
                agree(&terms.contract_symbol, terms.expiration, terms.right, terms.strike, "/option")?;
                Ok(vec![self.leg(self.contract(terms.contract_symbol), self.side, Quantity::ONE)])
            }
            (AssetType::Mleg, None, legs) if (2..=4).contains(&legs.len()) => self.mleg_legs(legs),
            (AssetType::Mleg, None, legs) => {
                Err(malformed("/legs", format_args!("MLEG has two to four legs, not {}", legs.len())))
            }
            (AssetType::Option, None, _) => Err(malformed("/option", "OPTION needs its contract")),
            (AssetType::Equity | AssetType::Mleg, Some(_), _) => {
                Err(malformed("/option", "stands with asset_type OPTION alone"))
            }
            (AssetType::Equity | AssetType::Option, _, _) => {
                Err(malformed("/legs", "stand with asset_type MLEG alone"))
            }
        }
    }

    fn mleg_legs(&self, legs: &[ProposedLeg]) -> Result<Vec<OrderLeg>, Malformed> {
        for (index, leg) in legs.iter().enumerate() {
            let pointer = format!("/legs/{index}");
            agree(&leg.contract_symbol, leg.expiration, leg.right, leg.strike, &pointer)?;
            let twice = legs.iter().filter(|other| other.contract_symbol == leg.contract_symbol).count() > 1;
            if twice {
                return Err(malformed(&format!("{pointer}/contract_symbol"), "stands twice"));
            }
        }
        if !legs.iter().any(|leg| leg.ratio == Quantity::ONE && leg.side == self.side) {
            return Err(malformed("/side", "is the side of no leg of ratio 1"));
        }
        Ok(legs.iter().map(|leg| self.leg(self.contract(leg.contract_symbol), leg.side, leg.ratio)).collect())
    }

    fn contract(&self, contract_symbol: OccSymbol) -> Tradable {
        Tradable::Option { underlying: self.symbol, contract_symbol }
    }

    fn leg(&self, tradable: Tradable, side: Side, ratio: Quantity) -> OrderLeg {
        OrderLeg { tradable, side, ratio }
    }

    fn priced(&self) -> Result<OrderType, Malformed> {
        match (self.order_type, self.limit_price) {
            (PriceKind::Market, None) if self.asset_type != AssetType::Mleg => Ok(OrderType::Market),
            (PriceKind::Market, None) => Err(malformed("/order_type", "MLEG takes LIMIT only")),
            (PriceKind::Market, Some(_)) => Err(malformed("/limit_price", "stands with order_type LIMIT alone")),
            (PriceKind::Limit, None) => Err(malformed("/limit_price", "LIMIT needs a price")),
            (PriceKind::Limit, Some(price)) => {
                let tick = tick(self.asset_type, price);
                if self.asset_type != AssetType::Mleg && price <= Price::ZERO {
                    return Err(malformed("/limit_price", format_args!("must be above zero, is {price}")));
                }
                if !price.is_on_tick(tick) {
                    return Err(malformed("/limit_price", format_args!("{price} is not on the tick of {tick}")));
                }
                Ok(OrderType::Limit(price))
            }
        }
    }
}

fn agree(contract: &OccSymbol, expiration: Date, right: Right, strike: Price, pointer: &str) -> Result<(), Malformed> {
    if contract.expiration() == expiration && contract.right() == right && contract.strike() == strike {
        return Ok(());
    }
    Err(malformed(
        &format!("{pointer}/contract_symbol"),
        format_args!("{contract} does not agree with the fields beside it"),
    ))
}
