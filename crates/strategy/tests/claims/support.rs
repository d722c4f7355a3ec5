//! A small world: one seat over one book, fed by hand, with a desk that does with proposals what the test wants.

use agenttrader_core::calendar::{Session, new_york};
use agenttrader_core::digest::Digest;
use agenttrader_core::event::{Bar, MarketEvent, OpenInterest, Quote, Trade, TradingStatus};
use agenttrader_core::identity::AgentMode;
use agenttrader_core::instrument::{Instrument, InstrumentId, OptionContract, Right};
use agenttrader_core::money::Money;
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::order::{OrderLeg, OrderType, Side, Tradable};
use agenttrader_core::position::{Ended, Ending, Position, Standing, Working};
use agenttrader_core::price::{Price, Rounding};
use agenttrader_core::proposal::{Causation, Proposal};
use agenttrader_core::reason::Reason;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_marketdata::book::{Book, BookSettings};
use agenttrader_marketdata::rates::Rates;
use agenttrader_options::black_scholes;
use agenttrader_options::{Carry, TimeToExpiry};
use agenttrader_sequence::input::{Configuration, ConfigurationFile, Fact, FeedFact, Input, Numbered, StrategySeat};
use agenttrader_strategy::draft::{Note, NoteKind};
use agenttrader_strategy::step::{Seat, Spoken, ask, seats};
use jiff::civil::Date;
use std::collections::BTreeMap;
use uuid::Uuid;

pub const MONDAY: Date = jiff::civil::date(2026, 1, 5);
pub const HALF_DAY: Date = jiff::civil::date(2015, 12, 24);
const BLANK: u8 = b' ';

/// What becomes of proposals.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// They rest until they lapse.
    Rest,
    /// They are filled as a shadow order is: whole, at the opposite touch, when that reaches the limit.
    Match,
    /// They are refused for these reasons.
    Refuse(Vec<Reason>),
}

pub struct World {
    pub book: Book,
    pub seat: Seat,
    pub standing: Standing,
    pub at: UnixNanos,
    pub fate: Fate,
    pub proposals: Vec<Proposal>,
    pub notes: Vec<Note>,
    pub fills: Vec<(Proposal, Price)>,
    number: u64,
    defined: u32,
    orders: BTreeMap<Uuid, (Proposal, Vec<OrderLeg>)>,
    ended: Vec<Ended>,
}

pub fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

pub fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

pub fn cents(value: f64, rounding: Rounding) -> Price {
    // The nearest hundredth of a cent first, so that 4.15 is not taken for 4.1500000001.
    Price::from_f64((value * 1e4).round() / 1e4).unwrap().round_to(Price::CENT, rounding)
}

pub fn configuration(strategy: &str, symbols: &[&str]) -> Configuration {
    let file = |name: &str, text: &str| ConfigurationFile { name: name.to_owned(), text: text.to_owned() };
    Configuration {
        files: vec![
            file("risk.toml", include_str!("../../../../configs/risk.toml")),
            file("strategies/gamma.toml", include_str!("../../../../configs/strategies/gamma.toml")),
            file(
                "strategies/naive_flow_trend.toml",
                include_str!("../../../../configs/strategies/naive_flow_trend.toml"),
            ),
            file("strategies/whale.toml", include_str!("../../../../configs/strategies/whale.toml")),
        ],
        strategies: vec![StrategySeat { strategy: strategy.to_owned(), agent_name: format!("{strategy}-strategy") }],
        gate_agent_name: "shadow-gate".to_owned(),
        strategy_mode: AgentMode::Observe,
        execution_mode: AgentMode::Off,
        execution_agent_enabled: false,
        broker_execution_enabled: false,
        marketdata_max_age_seconds: 30,
        option_quote_max_age_seconds: 900,
        marketdata_force_stale: false,
        symbol_allowlist: None,
        symbols: symbols.iter().map(|text| symbol(text)).collect(),
    }
}

/// The configuration with `from` in a file put for `to`.
pub fn changed(mut configuration: Configuration, name: &str, from: &str, to: &str) -> Configuration {
    let file = configuration.files.iter_mut().find(|file| file.name == name).unwrap();
    assert!(file.text.contains(from), "{name} has no `{from}`");
    file.text = file.text.replacen(from, to, 1);
    configuration
}

impl World {
    pub fn new(configuration: &Configuration, date: Date, hour: i8, minute: i8) -> Self {
        let rates = Rates::parse("carry = \"rates\"\ndefault_rate = 0.04\ndefault_yield = 0.0\n").unwrap();
        let book = Book::new(BookSettings { max_age: Span::from_seconds(30), force_stale: false, rates });
        Self {
            book,
            seat: seats(configuration).unwrap().remove(0),
            standing: Standing::default(),
            at: new_york(date, hour, minute),
            fate: Fate::Match,
            proposals: Vec::new(),
            notes: Vec::new(),
            fills: Vec::new(),
            number: 0,
            defined: 0,
            orders: BTreeMap::new(),
            ended: Vec::new(),
        }
    }

    pub fn for_strategy(strategy: &str, symbols: &[&str], date: Date, hour: i8, minute: i8) -> Self {
        Self::new(&configuration(strategy, symbols), date, hour, minute)
    }

    pub fn send(&mut self, input: Input) {
        let numbered = Numbered { number: self.number, at: self.at, input };
        self.number += 1;
        self.book.step(&numbered);
        self.settle();
        self.standing.ended = std::mem::take(&mut self.ended);
        let mut spoken = Spoken::default();
        let number = numbered.number;
        let mut asked = 0;
        let mut causation = || {
            asked += 1;
            let recording_sha256 = Digest::of(&number.to_le_bytes());
            Causation { recording_id: Uuid::nil(), input_number: number, recording_sha256 }
        };
        ask(&mut self.seat, &numbered, &self.book, &self.standing, &mut causation, &mut spoken);
        assert_eq!(asked, usize::from(!spoken.proposals.is_empty()), "the digest is asked for once, and only at need");
        for proposal in spoken.proposals {
            let order = proposal.order().unwrap_or_else(|error| panic!("{error}: {proposal:?}"));
            match &self.fate {
                Fate::Refuse(reasons) => self.ended.push(Ended {
                    proposal_id: proposal.proposal_id,
                    underlying: proposal.symbol,
                    intent: proposal.intent,
                    ending: Ending::Refused { reasons: reasons.clone() },
                    at: self.at,
                }),
                Fate::Rest | Fate::Match => {
                    self.standing.working.push(Working {
                        proposal_id: proposal.proposal_id,
                        intent: proposal.intent,
                        underlying: proposal.symbol,
                        legs: order.legs.clone(),
                        remaining: proposal.quantity,
                        order_type: order.order_type,
                        valid_until: order.valid_until_utc,
                    });
                    self.orders.insert(proposal.proposal_id, (proposal.clone(), order.legs));
                }
            }
            self.proposals.push(proposal);
        }
        self.notes.append(&mut spoken.notes);
    }

    /// Fills and lapses what works.
    fn settle(&mut self) {
        for working in std::mem::take(&mut self.standing.working) {
            let (proposal, legs) = self.orders.get(&working.proposal_id).unwrap().clone();
            let ended = |ending| Ended {
                proposal_id: working.proposal_id,
                underlying: working.underlying,
                intent: working.intent,
                ending,
                at: self.at,
            };
            if self.at >= working.valid_until {
                self.ended.push(ended(Ending::Lapsed));
                continue;
            }
            match self.fill_price(&proposal, &legs).filter(|_| self.fate == Fate::Match) {
                None => self.standing.working.push(working),
                Some(net) => {
                    self.ended.push(ended(Ending::Filled { price: net }));
                    for leg in &legs {
                        let touch = self.touch(leg).unwrap();
                        self.book_fill(leg.tradable, leg.signed_units(proposal.quantity), touch);
                    }
                    self.fills.push((proposal, net));
                }
            }
        }
    }

    fn id_of(&self, tradable: Tradable) -> InstrumentId {
        match tradable {
            Tradable::Equity { symbol } => self.book.instruments().by_symbol(symbol).unwrap(),
            Tradable::Option { contract_symbol, .. } => self.book.instruments().by_contract(&contract_symbol).unwrap(),
        }
    }

    fn touch(&self, leg: &OrderLeg) -> Option<Price> {
        let quote = self.book.latest(self.id_of(leg.tradable))?.quote()?.quote;
        if leg.side == Side::Buy { quote.ask() } else { quote.bid() }
    }

    fn fill_price(&self, proposal: &Proposal, legs: &[OrderLeg]) -> Option<Price> {
        let mut net = 0;
        for leg in legs {
            net += self.touch(leg)?.nanos() * leg.side.sign();
        }
        let limit = match proposal.order().unwrap().order_type {
            OrderType::Market => return Some(Price::from_nanos(net)),
            OrderType::Limit(limit) if legs.len() == 1 => limit.nanos() * proposal.side.sign(),
            OrderType::Limit(limit) => limit.nanos(),
        };
        (net <= limit).then_some(Price::from_nanos(net))
    }

    pub fn book_fill(&mut self, tradable: Tradable, units: i64, at: Price) {
        let value = at.notional(units, tradable.multiplier());
        let positions = &mut self.standing.positions;
        match positions.iter_mut().find(|position| position.tradable == tradable) {
            None => positions.push(Position { tradable, quantity: units, cost: value }),
            Some(position) if position.quantity.signum() == units.signum() => {
                position.quantity += units;
                position.cost = position.cost.plus(value);
            }
            Some(position) => {
                let left = position.quantity + units;
                position.cost = if left.signum() == position.quantity.signum() {
                    Money::from_nanos(position.cost.nanos() * i128::from(left) / i128::from(position.quantity))
                } else {
                    at.notional(left, tradable.multiplier())
                };
                position.quantity = left;
            }
        }
        positions.retain(|position| position.quantity != 0);
        positions.sort_by_key(|position| position.tradable);
    }

    pub fn define(&mut self, instrument: Instrument) -> InstrumentId {
        let id = InstrumentId(self.defined);
        self.defined += 1;
        self.send(Input::Instrument { id, instrument });
        id
    }

    pub fn share(&mut self, text: &str) -> InstrumentId {
        self.define(Instrument::Equity { symbol: symbol(text) })
    }

    pub fn option(
        &mut self,
        underlying: &str,
        root: &str,
        expiration: Date,
        right: Right,
        strike: Price,
    ) -> InstrumentId {
        let contract = OccSymbol::new(root, expiration, right, strike).unwrap();
        let european = root != underlying;
        self.define(Instrument::Option(OptionContract { underlying: symbol(underlying), contract, european }))
    }

    pub fn quote(&mut self, id: InstrumentId, bid: Price, ask: Price) {
        self.send(Input::Market(MarketEvent::Quote(Quote {
            instrument: id,
            exchange_time: self.at,
            bid,
            ask,
            bid_size: 10,
            ask_size: 10,
            bid_exchange: BLANK,
            ask_exchange: BLANK,
            condition: BLANK,
        })));
    }

    pub fn trade(&mut self, id: InstrumentId, at: Price, size: u32, exchange: u8) {
        self.send(Input::Market(MarketEvent::Trade(Trade {
            instrument: id,
            exchange_time: self.at,
            price: at,
            size,
            exchange,
            conditions: [BLANK; 4],
            trade_id: 0,
        })));
    }

    pub fn bar(&mut self, id: InstrumentId, open: Price, close: Price, volume: u64, backfill: bool) {
        let interval = Span::from_minutes(1);
        let (high, low) = (open.max(close), open.min(close));
        let start = self.at.minus(interval);
        let bar = Bar { instrument: id, start, interval, open, high, low, close, volume, trade_count: 0, backfill };
        self.send(Input::Market(MarketEvent::Bar(bar)));
    }

    pub fn open_interest(&mut self, id: InstrumentId, contracts: u64) {
        let date = agenttrader_core::calendar::new_york_date(self.at);
        self.send(Input::Market(MarketEvent::OpenInterest(OpenInterest { instrument: id, contracts, date })));
    }

    pub fn halted(&mut self, id: InstrumentId, halted: bool) {
        let status = TradingStatus { instrument: id, exchange_time: self.at, halted, code: b'H', reason: [BLANK; 4] };
        self.send(Input::Market(MarketEvent::Status(status)));
    }

    pub fn fact(&mut self, fact: FeedFact) {
        self.send(Input::Fact(Fact::Feed(fact)));
    }

    pub fn timer(&mut self) {
        let wall = self.at;
        self.send(Input::Fact(Fact::Timer { wall }));
    }

    /// Lets time pass, then a timer comes.
    pub fn pass(&mut self, seconds: i64) {
        self.at = self.at.plus(Span::from_seconds(seconds));
        self.timer();
    }

    pub fn wait(&mut self, seconds: i64) {
        self.at = self.at.plus(Span::from_seconds(seconds));
    }

    pub fn go_to(&mut self, hour: i8, minute: i8) {
        let date = agenttrader_core::calendar::new_york_date(self.at);
        self.at = new_york(date, hour, minute);
    }

    /// What was proposed since it was last asked.
    pub fn take(&mut self) -> Vec<Proposal> {
        std::mem::take(&mut self.proposals)
    }

    /// Summaries of notes of a kind since they were last asked for.
    pub fn take_notes(&mut self, kind: NoteKind) -> Vec<String> {
        let notes = std::mem::take(&mut self.notes);
        let (these, others): (Vec<_>, Vec<_>) = notes.into_iter().partition(|note| note.kind == kind);
        self.notes = others;
        these.into_iter().map(|note| note.summary).collect()
    }

    pub fn held(&self, id: InstrumentId) -> i64 {
        let tradable = |position: &&Position| self.id_of(position.tradable) == id;
        self.standing.positions.iter().find(tradable).map_or(0, |position| position.quantity)
    }
}

/// A share with a chain of one expiry, quoted from one volatility.
pub struct Market {
    pub share: InstrumentId,
    pub contracts: Vec<(InstrumentId, Right, f64)>,
    pub volatility: f64,
    pub half_spread: f64,
    expires: UnixNanos,
}

impl Market {
    /// Strikes `step` apart around `middle`. The open interest of calls and puts shapes the regime.
    pub fn list(
        world: &mut World,
        name: &str,
        expiration: Date,
        (middle, step, each_side): (i64, i64, i64),
        (calls, puts): (u64, u64),
    ) -> Self {
        let share = world.book.instruments().by_symbol(symbol(name));
        let share = share.unwrap_or_else(|| world.share(name));
        let mut contracts = Vec::new();
        for place in -each_side..=each_side {
            let dollars = middle + place * step;
            for right in [Right::Call, Right::Put] {
                let strike = Price::from_nanos(dollars * 1_000_000_000);
                let id = world.option(name, name, expiration, right, strike);
                world.open_interest(id, if right == Right::Call { calls } else { puts });
                contracts.push((id, right, dollars as f64));
            }
        }
        let expires = Session::on(expiration).unwrap().close;
        Self { share, contracts, volatility: 0.15, half_spread: 0.02, expires }
    }

    pub fn value(&self, world: &World, right: Right, strike: f64, spot: f64) -> f64 {
        let time = TimeToExpiry::between(world.at.nanos(), self.expires.nanos());
        let carry = Carry::from_rates(spot, 0.04, 0.0, time).unwrap();
        black_scholes::price(right, strike, self.volatility, &carry)
    }

    /// Quotes share and chain at a spot.
    pub fn quote(&self, world: &mut World, spot: f64) {
        world.quote(self.share, cents(spot - 0.005, Rounding::Down), cents(spot + 0.005, Rounding::Up));
        for (id, right, strike) in &self.contracts {
            let value = self.value(world, *right, *strike, spot);
            let bid = cents((value - self.half_spread).max(0.0), Rounding::Down);
            let ask = cents(value + self.half_spread, Rounding::Up);
            world.quote(*id, bid, ask);
        }
    }

    /// Quotes, a little time, and a timer: what makes quotes old enough to be a reference.
    pub fn second(&self, world: &mut World, spot: f64) {
        self.quote(world, spot);
        world.pass(1);
    }

    pub fn id(&self, right: Right, strike: f64) -> InstrumentId {
        self.contracts.iter().find(|contract| contract.1 == right && contract.2 == strike).unwrap().0
    }
}

pub fn buy_of(proposal: &Proposal) -> bool {
    proposal.side == Side::Buy
}
