//! The book: everything known of the market, folded from the sequence.

mod measure;

use crate::candle::Candles;
use crate::chain::{Chain, SpotSource};
use crate::feed_age::FeedAge;
use crate::flow_window::{ContractEvent, FlowWindow};
use crate::latest::Latest;
use crate::rates::{CarrySource, Rates};
use agenttrader_core::calendar::{Session, new_york_date};
use agenttrader_core::event::{Bar, MarketEvent, Quote, Trade};
use agenttrader_core::instrument::{Instrument, InstrumentId, Instruments};
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_options::flow::{self, ContractFlow, Surroundings};
use agenttrader_options::gamma_exposure::Profile;
use agenttrader_options::quote_trail::{Quote as TrailQuote, QuoteTrail, Side};
use agenttrader_options::regime::Regime;
use agenttrader_safety::freshness::Freshness;
use agenttrader_sequence::input::{Fact, FeedFact, Input, Numbered};
use jiff::civil::Date;

/// Exposure is measured anew every five seconds of venue time: it moves with open interest and volatility, not with
/// single quotes, and costs more than everything else the book does.
const EXPOSURE_EVERY: i64 = 5;

/// While nothing of an underlying or its chain has come, its exposure moves with time alone: each minute is enough.
const UNCHANGED_EXPOSURE_EVERY: i64 = 60;

/// Letters of option prints that say nothing of the quote they meet: cancelled, late, out of sequence, opening or closing
/// reports (A–H), and every single-leg auction or multi-leg trade (f–u) of the OPRA participant specification.
const FLOW_LEFT_OUT: &[u8] = b"ABCDEFGHfghijklmnopqrstu";

/// What shapes a book, from the effective configuration.
#[derive(Clone, Debug)]
pub struct BookSettings {
    /// Oldest market data may be.
    pub max_age: Span,
    /// Report everything stale, for drills.
    pub force_stale: bool,
    /// Rates and yields.
    pub rates: Rates,
}

/// Events the book could not use, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// About an instrument that was never defined.
    pub undefined: u64,
    /// Stamped more than a second ahead of venue time.
    pub from_the_future: u64,
    /// Quotes older than the one that stands.
    pub out_of_order: u64,
}

/// One underlying.
#[derive(Clone, Debug)]
pub struct Underlying {
    symbol: Symbol,
    id: Option<InstrumentId>,
    age: FeedAge,
    candles: Candles,
    quotes: QuoteTrail,
    chain: Chain,
    flow: FlowWindow,
    implied: Option<Price>,
    profile: Option<Profile>,
    regime: Regime,
    /// Something its exposure follows from has come since that was measured.
    moved: bool,
}

/// The book. `step` is its only way to change.
#[derive(Clone, Debug)]
pub struct Book {
    settings: BookSettings,
    instruments: Instruments,
    latest: Vec<Latest>,
    owner: Vec<usize>,
    flows: Vec<Option<ContractFlow>>,
    /// Contracts whose flow may hold prints back; each timer settles these and looks at no other. In no order, some twice.
    holding: Vec<InstrumentId>,
    underlyings: Vec<Underlying>,
    feed: FeedAge,
    cadence: Span,
    delayed: bool,
    now: UnixNanos,
    date: Option<Date>,
    session: Option<Session>,
    day_ends: UnixNanos,
    /// Second of the last measurement of exposures.
    measured: Option<i64>,
    left_out: LeftOut,
}

impl Underlying {
    fn new(symbol: Symbol) -> Self {
        Self {
            symbol,
            id: None,
            age: FeedAge::default(),
            candles: Candles::default(),
            quotes: QuoteTrail::default(),
            chain: Chain::default(),
            flow: FlowWindow::default(),
            implied: None,
            profile: None,
            regime: Regime::Unknown,
            moved: false,
        }
    }

    /// Its ticker.
    pub const fn symbol(&self) -> Symbol {
        self.symbol
    }

    /// The share or index itself, if it has a feed.
    pub const fn instrument(&self) -> Option<InstrumentId> {
        self.id
    }

    /// Its candles.
    pub const fn candles(&self) -> &Candles {
        &self.candles
    }

    /// Its option chain.
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Its options' flow over the last half hour.
    pub const fn flow(&self) -> &FlowWindow {
        &self.flow
    }

    /// Its gamma exposure as of the last measurement.
    pub const fn exposure(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// Its gamma regime as of the last measurement.
    pub const fn regime(&self) -> Regime {
        self.regime
    }

    /// How fresh its own feed is.
    pub const fn age(&self) -> &FeedAge {
        &self.age
    }
}

impl Book {
    /// An empty book.
    pub fn new(settings: BookSettings) -> Self {
        Self {
            settings,
            instruments: Instruments::default(),
            latest: Vec::new(),
            owner: Vec::new(),
            flows: Vec::new(),
            holding: Vec::new(),
            underlyings: Vec::new(),
            feed: FeedAge::default(),
            cadence: Span::ZERO,
            delayed: false,
            now: UnixNanos::EPOCH,
            date: None,
            session: None,
            day_ends: UnixNanos::EPOCH,
            measured: None,
            left_out: LeftOut::default(),
        }
    }

    /// Folds one input in.
    pub fn step(&mut self, numbered: &Numbered) {
        self.now = numbered.at;
        if self.date.is_none() || self.now >= self.day_ends {
            self.new_day();
        }
        match &numbered.input {
            Input::Market(event) => self.on_market(event),
            Input::Instrument { id, instrument } => self.define(*id, *instrument),
            Input::Fact(fact) => self.on_fact(fact),
        }
    }

    fn new_day(&mut self) {
        let date = new_york_date(self.now);
        if self.date == Some(date) {
            return;
        }
        self.date = Some(date);
        self.session = Session::on(date);
        let tomorrow = date.tomorrow().unwrap_or(date);
        self.day_ends = agenttrader_core::calendar::new_york(tomorrow, 0, 0);
        self.latest.iter_mut().for_each(Latest::new_session);
        for (_, instrument) in self.instruments.iter().filter(|(_, instrument)| instrument.option().is_some()) {
            let Some(option) = instrument.option() else { continue };
            if let Some(id) = self.instruments.find(instrument)
                && let Some(slot) = self.flows.get_mut(id.index())
            {
                *slot = Some(ContractFlow::new(option.right(), option.strike().as_f64()));
            }
        }
        for underlying in &mut self.underlyings {
            underlying.profile = None;
            underlying.regime = Regime::Unknown;
            underlying.flow = FlowWindow::default();
            underlying.quotes = QuoteTrail::default();
        }
    }

    fn define(&mut self, id: InstrumentId, instrument: Instrument) {
        let before = self.instruments.len();
        if id.index() != before || self.instruments.define(instrument) != Some(id) {
            self.left_out.undefined = self.left_out.undefined.saturating_add(1);
            return;
        }
        let symbol = instrument.underlying();
        let owner = self.underlyings.iter().position(|underlying| underlying.symbol == symbol).unwrap_or_else(|| {
            self.underlyings.push(Underlying::new(symbol));
            self.underlyings.len().saturating_sub(1)
        });
        self.owner.push(owner);
        self.latest.push(Latest::default());
        self.flows.push(instrument.option().map(|option| ContractFlow::new(option.right(), option.strike().as_f64())));
        if let Some(underlying) = self.underlyings.get_mut(owner) {
            match &instrument {
                Instrument::Option(option) => underlying.chain.define(id, option),
                Instrument::Equity { .. } | Instrument::Index { .. } => underlying.id = Some(id),
            }
        }
    }

    fn on_market(&mut self, event: &MarketEvent) {
        let id = event.instrument();
        if id.index() >= self.latest.len() {
            self.left_out.undefined = self.left_out.undefined.saturating_add(1);
            return;
        }
        let backfill = matches!(event, MarketEvent::Bar(bar) if bar.backfill);
        if let Some(stamped) = event.exchange_time().filter(|_| !backfill) {
            self.feed.on_event(self.now, stamped);
            if stamped.since(self.now) > agenttrader_safety::freshness::AHEAD_MAX {
                self.left_out.from_the_future = self.left_out.from_the_future.saturating_add(1);
                return;
            }
            let own = self.underlying_at(id).filter(|underlying| underlying.id == Some(id)).is_some();
            let now = self.now;
            if let Some(underlying) = self.underlying_at_mut(id).filter(|_| own) {
                underlying.age.on_event(now, stamped);
            }
        }
        if let Some(underlying) = self.underlying_at_mut(id) {
            underlying.moved = true;
        }
        match event {
            MarketEvent::Quote(quote) => self.on_quote(quote),
            MarketEvent::Trade(trade) => self.on_trade(trade),
            MarketEvent::Bar(bar) => self.on_bar(bar),
            MarketEvent::OpenInterest(interest) => {
                if let Some(latest) = self.latest.get_mut(id.index()) {
                    latest.on_open_interest(interest.contracts);
                }
            }
            MarketEvent::Status(status) => {
                if let Some(latest) = self.latest.get_mut(id.index()) {
                    latest.on_status(status.halted);
                }
            }
            MarketEvent::Cancel(cancel) => self.on_cancel(cancel.instrument, cancel.exchange_time, cancel.size),
            MarketEvent::Correction(correction) => {
                let original = correction.original;
                self.on_cancel(original.instrument, original.exchange_time, original.size);
                self.on_trade(&correction.corrected);
            }
        }
    }

    fn on_quote(&mut self, quote: &Quote) {
        let Some(latest) = self.latest.get_mut(quote.instrument.index()) else { return };
        if latest.quote().is_some_and(|standing| standing.quote.exchange_time > quote.exchange_time) {
            self.left_out.out_of_order = self.left_out.out_of_order.saturating_add(1);
            return;
        }
        latest.on_quote(*quote, self.now);
        let trail = TrailQuote { at: quote.exchange_time.nanos(), bid: quote.bid.as_f64(), ask: quote.ask.as_f64() };
        match self.flows.get_mut(quote.instrument.index()) {
            Some(Some(flow)) => flow.quote(trail),
            _ => {
                if let Some(underlying) = self.underlying_at_mut(quote.instrument) {
                    underlying.quotes.push(trail);
                }
            }
        }
    }

    fn on_trade(&mut self, trade: &Trade) {
        let now = self.now;
        let id = trade.instrument;
        if let Some(latest) = self.latest.get_mut(id.index()) {
            latest.on_trade(*trade, now);
        }
        let spot = self.underlying_at(id).and_then(|underlying| self.price_of(underlying));
        let around = self.surroundings(id, spot);
        let Some(&owner) = self.owner.get(id.index()) else { return };
        let Some(underlying) = self.underlyings.get_mut(owner) else { return };
        match self.flows.get_mut(id.index()) {
            Some(Some(flow)) => {
                let left_out = trade.conditions.iter().any(|letter| FLOW_LEFT_OUT.contains(letter));
                let condition = if left_out { flow::Condition::LeftOut } else { flow::Condition::Regular };
                let print = flow::Print {
                    at: trade.exchange_time.nanos(),
                    price: trade.price.as_f64(),
                    size: trade.size,
                    exchange: trade.exchange,
                    condition,
                };
                let held = flow.is_holding();
                flow.print(print, &around, &mut |event| underlying.flow.push(ContractEvent { contract: id, event }));
                if flow.is_holding() && !held {
                    self.holding.push(id);
                }
            }
            _ => {
                let at = trade.exchange_time.nanos();
                let sign = match Side::of(trade.price.as_f64(), at, underlying.quotes.in_force(at)) {
                    Side::Ask => 1,
                    Side::Bid => -1,
                    Side::Mid | Side::Unknown => 0,
                };
                underlying.candles.on_trade(trade, sign, now);
            }
        }
    }

    fn on_bar(&mut self, bar: &Bar) {
        let id = bar.instrument;
        let today = self.session.is_some_and(|session| bar.start >= session.open && bar.start < session.close);
        if let Some(latest) = self.latest.get_mut(id.index()) {
            latest.on_bar(bar.close, bar.end(), bar.volume, today);
        }
        let spot = self.underlying_at(id).and_then(|underlying| self.price_of(underlying));
        let around = self.surroundings(id, spot);
        let Some(&owner) = self.owner.get(id.index()) else { return };
        let Some(underlying) = self.underlyings.get_mut(owner) else { return };
        match self.flows.get(id.index()) {
            Some(Some(flow)) => {
                let event =
                    flow.bar(bar.end().nanos(), bar.close.as_f64(), bar.volume, &around).filter(|_| !bar.backfill);
                if let Some(event) = event {
                    underlying.flow.push(ContractEvent { contract: id, event });
                }
            }
            _ => underlying.candles.on_bar(bar),
        }
    }

    fn on_cancel(&mut self, id: InstrumentId, at: UnixNanos, size: u32) {
        if let Some(latest) = self.latest.get_mut(id.index()) {
            latest.on_cancel(size);
        }
        let is_option = matches!(self.flows.get(id.index()), Some(Some(_)));
        if let Some(underlying) = self.underlying_at_mut(id).filter(|_| !is_option) {
            underlying.candles.on_cancel(at, size);
        }
    }

    fn on_fact(&mut self, fact: &Fact) {
        match fact {
            Fact::Timer { .. } => self.on_timer(),
            Fact::Feed(FeedFact::Connected { delayed, .. }) => self.delayed |= delayed,
            Fact::Feed(FeedFact::Cadence { every }) => self.cadence = *every,
            Fact::Feed(_)
            | Fact::Configuration(_)
            | Fact::Switch(_)
            | Fact::Log { .. }
            | Fact::Health(_)
            | Fact::Signed(_) => {}
        }
    }

    fn on_timer(&mut self) {
        let now = self.now;
        // In order of number, whatever the order in which they printed.
        self.holding.sort_unstable();
        self.holding.dedup();
        let Self { holding, flows, owner, underlyings, .. } = self;
        holding.retain(|contract| {
            let flow = flows.get_mut(contract.index()).and_then(Option::as_mut);
            let underlying = owner.get(contract.index()).and_then(|owner| underlyings.get_mut(*owner));
            let (Some(flow), Some(underlying)) = (flow, underlying) else { return false };
            let contract = *contract;
            flow.settle(now.nanos(), &mut |event| underlying.flow.push(ContractEvent { contract, event }));
            flow.is_holding()
        });
        for index in 0..self.underlyings.len() {
            let implied = self
                .underlyings
                .get(index)
                .filter(|underlying| underlying.id.is_none())
                .and_then(|underlying| self.implied_spot(underlying));
            if let Some(underlying) = self.underlyings.get_mut(index) {
                underlying.flow.prune(now);
                underlying.implied = implied;
            }
        }
        // By stretches, not by the second: where the venue runs fast there is no timer for each second.
        let is_new = |every: i64| match self.measured {
            Some(measured) => now.seconds().div_euclid(every) != measured.div_euclid(every),
            None => now.seconds().rem_euclid(every) == 0,
        };
        let (is_due, is_new_minute) = (is_new(EXPOSURE_EVERY), is_new(UNCHANGED_EXPOSURE_EVERY));
        if is_due {
            self.measure_exposures(is_new_minute);
        }
        if is_due || self.measured.is_none() {
            self.measured = Some(now.seconds());
        }
    }

    fn surroundings(&self, id: InstrumentId, spot: Option<Price>) -> Surroundings {
        let latest = self.latest.get(id.index());
        Surroundings {
            spot: spot.map(Price::as_f64),
            day_volume: latest.map_or(0, Latest::day_volume),
            open_interest: latest.and_then(Latest::open_interest),
        }
    }

    fn underlying_at(&self, id: InstrumentId) -> Option<&Underlying> {
        self.underlyings.get(*self.owner.get(id.index())?)
    }

    fn underlying_at_mut(&mut self, id: InstrumentId) -> Option<&mut Underlying> {
        self.underlyings.get_mut(*self.owner.get(id.index())?)
    }

    fn price_of(&self, underlying: &Underlying) -> Option<Price> {
        match underlying.id {
            Some(id) => self.latest.get(id.index())?.price(),
            None => underlying.implied,
        }
    }

    fn freshness_of(&self, age: &FeedAge) -> Freshness {
        let limit = self.age_limit();
        match age.freshness(self.now, limit) {
            Freshness::Age { .. } if self.settings.force_stale => Freshness::Unknown { limit },
            fresh => fresh,
        }
    }

    /// Venue time of the last input.
    pub const fn now(&self) -> UnixNanos {
        self.now
    }

    /// The session of today's New York date.
    pub const fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Whether the calendar has the market open now.
    pub fn is_open(&self) -> bool {
        self.session.is_some_and(|session| session.contains(self.now))
    }

    /// Today's New York date.
    pub const fn date(&self) -> Option<Date> {
        self.date
    }

    /// Every instrument defined so far.
    pub const fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// The latest of an instrument.
    pub fn latest(&self, id: InstrumentId) -> Option<&Latest> {
        self.latest.get(id.index())
    }

    /// Every underlying, in order of definition.
    pub fn underlyings(&self) -> &[Underlying] {
        &self.underlyings
    }

    /// An underlying.
    pub fn underlying(&self, symbol: Symbol) -> Option<&Underlying> {
        self.underlyings.iter().find(|underlying| underlying.symbol == symbol)
    }

    /// The price of an underlying and where it comes from.
    pub fn spot(&self, symbol: Symbol) -> Option<(Price, SpotSource)> {
        let underlying = self.underlying(symbol)?;
        let source = if underlying.id.is_some() { SpotSource::Quoted } else { SpotSource::Implied };
        Some((self.price_of(underlying)?, source))
    }

    /// Oldest market data may be: the configured limit, or twice the recording's cadence if that is longer.
    pub fn age_limit(&self) -> Span {
        self.settings.max_age.max(self.cadence.doubled())
    }

    /// Time between two values of one instrument, as a recording declares it; zero for a live feed.
    pub const fn cadence(&self) -> Span {
        self.cadence
    }

    /// Whether everything is reported stale, for a drill.
    pub const fn is_forced_stale(&self) -> bool {
        self.settings.force_stale
    }

    /// Whether forwards come from put-call parity rather than configured rates.
    pub fn carry_is_parity(&self) -> bool {
        self.settings.rates.carry == CarrySource::Parity
    }

    /// Whether the feed declares a delay.
    pub const fn is_delayed(&self) -> bool {
        self.delayed
    }

    /// How fresh the feed as a whole is.
    pub fn feed_freshness(&self) -> Freshness {
        self.freshness_of(&self.feed)
    }

    /// Exchange time of the feed's newest event.
    pub fn last_tick(&self) -> Option<UnixNanos> {
        self.feed.last()
    }

    /// How fresh an underlying is. One without a feed of its own is as fresh as the whole feed.
    pub fn freshness(&self, symbol: Symbol) -> Freshness {
        match self.underlying(symbol) {
            None => Freshness::Missing,
            Some(underlying) if underlying.id.is_none() => self.feed_freshness(),
            Some(underlying) => self.freshness_of(&underlying.age),
        }
    }

    /// Events the book could not use.
    pub const fn left_out(&self) -> LeftOut {
        self.left_out
    }
}
