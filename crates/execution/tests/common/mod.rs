//! A floor of one book and one desk, fed as the sequence would: one input at a time, each with its number and time.
#![allow(dead_code, reason = "each test program uses its own part")]

use agenttrader_authority::trust_root::TrustRoot;
use agenttrader_core::calendar::new_york;
use agenttrader_core::decision::Decision;
use agenttrader_core::digest::Digest;
use agenttrader_core::event::{MarketEvent, Quote, Trade, TradingStatus};
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build};
use agenttrader_core::instrument::{Instrument, InstrumentId, OptionContract};
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::order::{Intent, Side, TimeInForce};
use agenttrader_core::price::Price;
use agenttrader_core::proposal::{
    AssetType, Causation, Constraints, OptionTerms, PriceKind, Proposal, ProposedLeg, Rationale, Risk, derived_id,
};
use agenttrader_core::quantity::Quantity;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_execution::desk::Desk;
use agenttrader_execution::desk_settings::DeskSettings;
use agenttrader_execution::output::{DeskOutput, ShadowFill};
use agenttrader_marketdata::book::{Book, BookSettings};
use agenttrader_marketdata::rates::Rates;
use agenttrader_safety::kill_switch::Reading;
use agenttrader_safety::seen::LogHealth;
use agenttrader_sequence::input::{Configuration, ConfigurationFile, Fact, Input, Numbered, StrategySeat};
use jiff::civil::{Date, date};
use uuid::Uuid;

pub const DAY: Date = date(2026, 11, 24);
pub const GATE: &str = "shadow-gate";

/// The straddle's contracts expire on [`DAY`].
pub const CALL: &str = "SPY261124C00600000";
pub const PUT: &str = "SPY261124P00600000";

pub struct Floor {
    pub book: Book,
    pub desk: Desk,
    pub now: UnixNanos,
    pub outputs: Vec<DeskOutput>,
    pub spy: InstrumentId,
    pub call: InstrumentId,
    pub put: InstrumentId,
    number: u64,
    proposals: u64,
}

pub fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

pub fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

pub fn configuration() -> Configuration {
    let file = |name: &str, text: &str| ConfigurationFile { name: name.to_owned(), text: text.to_owned() };
    let seat =
        |strategy: &str| StrategySeat { strategy: strategy.to_owned(), agent_name: format!("{strategy}-strategy") };
    Configuration {
        files: vec![
            file("fees.toml", include_str!("../../../../configs/fees.toml")),
            file("risk.toml", include_str!("../../../../configs/risk.toml")),
        ],
        strategies: vec![seat("gamma"), seat("whale")],
        gate_agent_name: GATE.to_owned(),
        strategy_mode: AgentMode::Observe,
        execution_mode: AgentMode::Observe,
        execution_agent_enabled: false,
        broker_execution_enabled: false,
        marketdata_max_age_seconds: 30,
        option_quote_max_age_seconds: 900,
        marketdata_force_stale: false,
        symbol_allowlist: None,
        symbols: vec![symbol("SPY")],
    }
}

/// The configuration with one line of `risk.toml` replaced.
pub fn with_limit(name: &str, value: &str) -> Configuration {
    let mut configuration = configuration();
    for file in configuration.files.iter_mut().filter(|file| file.name == "risk.toml") {
        let lines = file.text.lines().map(|line| {
            let named = line.split('=').next().is_some_and(|left| left.trim() == name);
            if named { format!("{name} = {value}") } else { line.to_owned() }
        });
        file.text = lines.collect::<Vec<_>>().join("\n");
    }
    configuration
}

pub fn settings() -> DeskSettings {
    DeskSettings {
        decider: AgentIdentity {
            agent_name: GATE.to_owned(),
            agent_role: AgentRole::Ops,
            agent_mode: AgentMode::Observe,
        },
        build: Build { git_sha: "unknown".to_owned(), build_id: "unknown".to_owned() },
        trust_root: TrustRoot::draft(),
        log_last_time: UnixNanos::EPOCH,
    }
}

impl Floor {
    pub fn new() -> Self {
        Self::with(&configuration())
    }

    /// At 10:00 New York, with SPY at 600 and a same-day straddle, each quoted for a second, the switch halting, the log writable.
    pub fn with(configuration: &Configuration) -> Self {
        Self::of(configuration, settings())
    }

    /// The same, with a desk of these settings.
    pub fn of(configuration: &Configuration, settings: DeskSettings) -> Self {
        let mut floor = Self::without_instruments(configuration, settings);
        floor.spy = floor.define(Instrument::Equity { symbol: symbol("SPY") });
        let contract = |text: &str| {
            let contract = OccSymbol::parse(text).unwrap();
            Instrument::Option(OptionContract { underlying: symbol("SPY"), contract, european: false })
        };
        floor.call = floor.define(contract(CALL));
        floor.put = floor.define(contract(PUT));
        floor.quote_all();
        floor.second();
        floor
    }

    /// Without any instrument.
    pub fn bare(configuration: &Configuration) -> Self {
        Self::without_instruments(configuration, settings())
    }

    fn without_instruments(configuration: &Configuration, settings: DeskSettings) -> Self {
        let rates = Rates::parse("carry = \"rates\"\ndefault_rate = 0.04\ndefault_yield = 0.0\n").unwrap();
        let book = Book::new(BookSettings { max_age: Span::from_seconds(30), force_stale: false, rates });
        let none = InstrumentId(u32::MAX);
        let mut floor = Self {
            book,
            desk: Desk::new(configuration, settings).unwrap(),
            now: new_york(DAY, 10, 0),
            outputs: Vec::new(),
            spy: none,
            call: none,
            put: none,
            number: 0,
            proposals: 0,
        };
        floor.fact(Fact::Configuration(configuration.clone()));
        floor.fact(Fact::Switch(Reading { halted: true, source: "file EXECUTION_HALTED: contains 1".to_owned() }));
        floor.fact(Fact::Log { agent_name: GATE.to_owned(), health: LogHealth::Writable });
        floor
    }

    pub fn put_in(&mut self, input: Input) {
        let numbered = Numbered { number: self.number, at: self.now, input };
        self.number += 1;
        self.book.step(&numbered);
        self.desk.observe(&numbered, &self.book, &mut self.outputs);
    }

    pub fn fact(&mut self, fact: Fact) {
        self.put_in(Input::Fact(fact));
    }

    pub fn define(&mut self, instrument: Instrument) -> InstrumentId {
        let id = InstrumentId(u32::try_from(self.book.instruments().len()).unwrap());
        self.put_in(Input::Instrument { id, instrument });
        id
    }

    pub fn quote(&mut self, id: InstrumentId, bid: &str, ask: &str) {
        self.quote_at(id, price(bid), price(ask), self.now);
    }

    pub fn quote_at(&mut self, instrument: InstrumentId, bid: Price, ask: Price, exchange_time: UnixNanos) {
        let quote = Quote {
            instrument,
            exchange_time,
            bid,
            ask,
            bid_size: 10,
            ask_size: 10,
            bid_exchange: b' ',
            ask_exchange: b' ',
            condition: b' ',
        };
        self.put_in(Input::Market(MarketEvent::Quote(quote)));
    }

    /// The quotes every test begins with.
    pub fn quote_all(&mut self) {
        self.quote(self.spy, "599.99", "600.01");
        self.quote(self.call, "1.50", "1.52");
        self.quote(self.put, "1.40", "1.42");
    }

    pub fn trade(&mut self, instrument: InstrumentId, at: &str) {
        let trade = Trade {
            instrument,
            exchange_time: self.now,
            price: price(at),
            size: 100,
            exchange: b'P',
            conditions: [b' '; 4],
            trade_id: self.number,
        };
        self.put_in(Input::Market(MarketEvent::Trade(trade)));
    }

    pub fn status(&mut self, instrument: InstrumentId, halted: bool) {
        let status = TradingStatus { instrument, exchange_time: self.now, halted, code: b'H', reason: [b' '; 4] };
        self.put_in(Input::Market(MarketEvent::Status(status)));
    }

    /// A second passes; its timer comes.
    pub fn second(&mut self) {
        self.now = self.now.plus(Span::from_seconds(1));
        self.timer();
    }

    pub fn timer(&mut self) {
        let wall = self.now;
        self.fact(Fact::Timer { wall });
    }

    /// A second in which everything is quoted as at the start: references and marks are fresh.
    pub fn quiet_second(&mut self) {
        self.quote_all();
        self.second();
    }

    pub fn decide(&mut self, proposal: &Proposal) -> Decision {
        let input = Numbered { number: self.number, at: self.now, input: Input::Fact(Fact::Timer { wall: self.now }) };
        self.desk.decide(&input, proposal, &self.book, &mut self.outputs).decision
    }

    /// Decides, and demands that nothing but the posture stands against it.
    pub fn shadowed(&mut self, proposal: &Proposal) {
        let decision = self.decide(proposal);
        let beyond: Vec<_> = decision.reason_codes.iter().filter(|reason| !reason.is_posture()).collect();
        assert!(beyond.is_empty(), "{beyond:?}\n{:#?}", decision.limits);
        assert!(!decision.reason_codes.is_empty(), "nothing is accepted without people");
    }

    pub fn fills(&self) -> Vec<&ShadowFill> {
        let mut fills = Vec::new();
        for output in &self.outputs {
            if let DeskOutput::ShadowFill(fill) = output {
                fills.push(fill);
            }
        }
        fills
    }

    /// Each fill as `BUY 10 SPY @ 600.01`, legs joined by `, `.
    pub fn filled(&self) -> Vec<String> {
        let leg = |leg: &agenttrader_execution::output::FillLeg| {
            format!("{} {} {} @ {}", leg.side, leg.quantity, leg.tradable, leg.price)
        };
        self.fills().iter().map(|fill| fill.legs.iter().map(leg).collect::<Vec<_>>().join(", ")).collect()
    }

    pub fn lapsed(&self) -> usize {
        self.outputs.iter().filter(|output| matches!(output, DeskOutput::ShadowLapsed(_))).count()
    }

    fn proposal(
        &mut self,
        asset_type: AssetType,
        intent: Intent,
        side: Side,
        quantity: i64,
        limit: Option<&str>,
    ) -> Proposal {
        self.proposals += 1;
        let id = |purpose: &[u8]| derived_id(&[purpose, &self.proposals.to_le_bytes()]);
        Proposal {
            proposal_id: id(b"proposal"),
            created_at_utc: self.now,
            repo_id: "agent-trader-v2".to_owned(),
            agent_name: "gamma-strategy".to_owned(),
            strategy_name: "gamma".to_owned(),
            strategy_version: "1".to_owned(),
            correlation_id: id(b"correlation"),
            causation: Causation {
                recording_id: Uuid::nil(),
                input_number: self.number,
                recording_sha256: Digest::of(b"recording"),
            },
            intent,
            symbol: symbol("SPY"),
            asset_type,
            option: None,
            legs: Vec::new(),
            side,
            quantity: Quantity::new(quantity).unwrap(),
            order_type: if limit.is_some() { PriceKind::Limit } else { PriceKind::Market },
            limit_price: limit.map(price),
            time_in_force: TimeInForce::Day,
            rationale: Rationale { short_reason: "test".to_owned(), indicators: serde_json::Map::new() },
            risk: Risk::default(),
            constraints: Constraints {
                valid_until_utc: self.now.plus(Span::from_seconds(60)),
                requires_human_approval: true,
            },
        }
    }

    /// Shares of SPY.
    pub fn shares(&mut self, intent: Intent, side: Side, quantity: i64, limit: Option<&str>) -> Proposal {
        self.proposal(AssetType::Equity, intent, side, quantity, limit)
    }

    /// One contract.
    pub fn option(
        &mut self,
        contract: &str,
        intent: Intent,
        side: Side,
        quantity: i64,
        limit: Option<&str>,
    ) -> Proposal {
        let contract = OccSymbol::parse(contract).unwrap();
        let mut proposal = self.proposal(AssetType::Option, intent, side, quantity, limit);
        proposal.option = Some(OptionTerms {
            expiration: contract.expiration(),
            right: contract.right(),
            strike: contract.strike(),
            contract_symbol: contract,
        });
        proposal
    }

    /// The straddle, both legs on one side.
    pub fn straddle(&mut self, intent: Intent, side: Side, quantity: i64, limit: &str) -> Proposal {
        let leg = |text: &str| {
            let contract = OccSymbol::parse(text).unwrap();
            ProposedLeg {
                contract_symbol: contract,
                right: contract.right(),
                strike: contract.strike(),
                expiration: contract.expiration(),
                side,
                ratio: Quantity::ONE,
            }
        };
        let mut proposal = self.proposal(AssetType::Mleg, intent, side, quantity, Some(limit));
        proposal.legs = vec![leg(CALL), leg(PUT)];
        proposal
    }
}
