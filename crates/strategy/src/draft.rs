//! What a strategy says: drafts that the step turns into proposals, and notes of why it does or does not act.

use agenttrader_core::instrument::OptionContract;
use agenttrader_core::order::{Intent, Side};
use agenttrader_core::price::Price;
use agenttrader_core::proposal::{
    AssetType, Causation, Constraints, OptionTerms, PriceKind, Proposal, ProposedLeg, Rationale, Risk, derived_id,
};
use agenttrader_core::quantity::Quantity;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use serde_json::{Map, Value};

/// A proposal without the fields that the step knows better: who, when, which input.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What it is for.
    pub intent: Intent,
    /// The underlying.
    pub symbol: Symbol,
    /// What kind of thing is traded.
    pub asset_type: AssetType,
    /// The contract of a single option.
    pub option: Option<OptionTerms>,
    /// The legs of a structure.
    pub legs: Vec<ProposedLeg>,
    /// Buy or sell.
    pub side: Side,
    /// How many.
    pub quantity: Quantity,
    /// The limit; none: at market.
    pub limit_price: Option<Price>,
    /// Why, in a sentence.
    pub short_reason: String,
    /// The figures behind it, by name.
    pub indicators: Map<String, Value>,
    /// What may be lost.
    pub risk: Risk,
    /// When it lapses.
    pub valid_until: UnixNanos,
}

/// Something a strategy wants on record that is no proposal.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// The kind of record.
    pub kind: NoteKind,
    /// The underlying it is about, if one.
    pub symbol: Option<Symbol>,
    /// What, in a sentence.
    pub summary: String,
    /// The figures behind it, by name.
    pub indicators: Map<String, Value>,
}

/// Kinds of notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// A change of stance: `signal`.
    Signal,
    /// Evaluation is skipped from now on, or goes on again: `strategy_cycle_skipped`. Once a change.
    CycleSkipped,
}

/// Where a strategy speaks into.
#[derive(Debug, Default)]
pub struct Out {
    /// Proposals, in order.
    pub drafts: Vec<Draft>,
    /// Notes, in order.
    pub notes: Vec<Note>,
}

/// In whose name a strategy's drafts become proposals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The agent's repository.
    pub repo_id: String,
    /// The agent.
    pub agent_name: String,
    /// The strategy.
    pub strategy_name: String,
    /// Its version.
    pub strategy_version: String,
}

/// Figures by name, as indicators carry them: what is not finite stays out.
pub fn figures(named: &[(&str, f64)]) -> Map<String, Value> {
    let number = |value: f64| serde_json::Number::from_f64(value).map(Value::Number);
    named.iter().filter_map(|(name, value)| Some(((*name).to_owned(), number(*value)?))).collect()
}

impl Draft {
    /// A limit order in shares, its reasons still to be given.
    pub fn shares(
        intent: Intent,
        symbol: Symbol,
        side: Side,
        quantity: Quantity,
        limit: Price,
        until: UnixNanos,
    ) -> Self {
        Self {
            intent,
            symbol,
            asset_type: AssetType::Equity,
            option: None,
            legs: Vec::new(),
            side,
            quantity,
            limit_price: Some(limit),
            short_reason: String::new(),
            indicators: Map::new(),
            risk: Risk::default(),
            valid_until: until,
        }
    }

    /// A limit order in one contract, its reasons still to be given.
    pub fn contract(
        intent: Intent,
        option: &OptionContract,
        side: Side,
        quantity: Quantity,
        limit: Price,
        until: UnixNanos,
    ) -> Self {
        let terms = OptionTerms {
            expiration: option.expiration(),
            right: option.right(),
            strike: option.strike(),
            contract_symbol: option.contract,
        };
        let shares = Self::shares(intent, option.underlying, side, quantity, limit, until);
        Self { asset_type: AssetType::Option, option: Some(terms), ..shares }
    }

    /// A limit order in one each of several contracts on the same side, at their net price, its reasons still to be given.
    pub fn structure(
        intent: Intent,
        options: &[&OptionContract],
        symbol: Symbol,
        side: Side,
        quantity: Quantity,
        net: Price,
        until: UnixNanos,
    ) -> Self {
        let leg = |option: &&OptionContract| ProposedLeg {
            contract_symbol: option.contract,
            right: option.right(),
            strike: option.strike(),
            expiration: option.expiration(),
            side,
            ratio: Quantity::ONE,
        };
        let shares = Self::shares(intent, symbol, side, quantity, net, until);
        Self { asset_type: AssetType::Mleg, legs: options.iter().map(leg).collect(), ..shares }
    }

    /// The proposal of this draft: the `place`-th that `author` makes at the causing input. Its ids follow from these
    /// alone, so that a replay yields the same.
    pub fn into_proposal(self, author: &Author, causation: Causation, place: u32, at: UnixNanos) -> Proposal {
        let seed: [&[u8]; 5] = [
            author.agent_name.as_bytes(),
            author.strategy_name.as_bytes(),
            &causation.input_number.to_le_bytes(),
            causation.recording_sha256.as_bytes(),
            &place.to_le_bytes(),
        ];
        let named = |purpose: &'static [u8]| {
            let [agent, strategy, number, digest, place] = seed;
            derived_id(&[purpose, agent, strategy, number, digest, place])
        };
        Proposal {
            proposal_id: named(b"proposal"),
            created_at_utc: at,
            repo_id: author.repo_id.clone(),
            agent_name: author.agent_name.clone(),
            strategy_name: author.strategy_name.clone(),
            strategy_version: author.strategy_version.clone(),
            correlation_id: named(b"correlation"),
            causation,
            intent: self.intent,
            symbol: self.symbol,
            asset_type: self.asset_type,
            option: self.option,
            legs: self.legs,
            side: self.side,
            quantity: self.quantity,
            order_type: if self.limit_price.is_some() { PriceKind::Limit } else { PriceKind::Market },
            limit_price: self.limit_price,
            time_in_force: Default::default(),
            rationale: Rationale { short_reason: self.short_reason, indicators: self.indicators },
            risk: self.risk,
            constraints: Constraints { valid_until_utc: self.valid_until, requires_human_approval: true },
        }
    }
}
