//! Drives the floor's engine with the simulated market, without sockets: what a live floor does, at the speed of the machine.

#![allow(clippy::expect_used, reason = "a harness of tests: what is wrong here must stop the test aloud")]

pub mod live;

use agenttrader_authority::trust_root::TrustRoot;
use agenttrader_core::digest::Digest;
use agenttrader_core::event::{Bar, MarketEvent, OpenInterest};
use agenttrader_core::identity::{AgentMode, Build};
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_floor::configuration::{RunSettings, effective};
use agenttrader_floor::engine::{Engine, Judging, Output, Run};
use agenttrader_safety::kill_switch::Reading;
use agenttrader_safety::seen::LogHealth;
use agenttrader_sequence::head::{Head, Source, SourceKind};
use agenttrader_sequence::input::{Configuration, Fact, FeedFact, Input, Numbered};
use agenttrader_sequence::record::Recorder;
use agenttrader_venue::{Market, Scenario};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::path::Path;
use uuid::Uuid;

/// The configuration of a floor that nobody configured, with these strategies.
pub fn configuration(strategies: &[&str], symbols: &[agenttrader_core::symbol::Symbol]) -> Configuration {
    let settings = RunSettings {
        configs: None,
        strategies: strategies.iter().map(|name| (*name).to_owned()).collect(),
        strategy_mode: AgentMode::Observe,
        environment: BTreeMap::new(),
    };
    effective(&settings, symbols).expect("the compiled-in configuration is good")
}

/// A build for tests.
pub fn build() -> Build {
    Build { git_sha: "unknown".to_owned(), build_id: "unknown".to_owned() }
}

/// A floor without sockets over a simulated market.
pub struct Drive {
    /// The market.
    pub market: Market,
    /// The engine.
    pub engine: Engine,
    /// Everything it put out, with the time of the input.
    pub outputs: Vec<(UnixNanos, Output)>,
    number: u64,
    next_timer: UnixNanos,
    events: Vec<(UnixNanos, MarketEvent)>,
    tape: Option<Recorder>,
}

impl Drive {
    /// The default scenario of that seed and date, with these strategies, as it stands when the floor has just started.
    pub fn new(seed: u64, date: Date, strategies: &[&str]) -> Self {
        Self::begin(seed, date, strategies, None)
    }

    /// The same, and every input is recorded in the file `to`, which [`Drive::finish`] completes.
    pub fn recorded(seed: u64, date: Date, strategies: &[&str], to: &Path) -> Self {
        let source = Source { kind: SourceKind::Venue, name: format!("simulator, seed {seed}") };
        let head = Head::flat(Uuid::nil(), UnixNanos::EPOCH, date, source);
        Self::begin(seed, date, strategies, Some(Recorder::create(to, &head).expect("a new file")))
    }

    /// Completes the recording, if there is one.
    pub fn finish(&mut self) {
        if let Some(tape) = self.tape.take() {
            tape.finish().expect("the recording can be written");
        }
    }

    fn begin(seed: u64, date: Date, strategies: &[&str], tape: Option<Recorder>) -> Self {
        let market = Market::new(seed, date, Scenario::default()).expect("a trading day");
        let shares = market.instruments().iter().filter(|(_, instrument)| instrument.option().is_none());
        let symbols: Vec<_> = shares.map(|(_, instrument)| instrument.underlying()).collect();
        let configuration = configuration(strategies, &symbols);
        let run = Run {
            recording_id: Uuid::nil(),
            build: build(),
            trust_root: TrustRoot::draft(),
            log_last_time: UnixNanos::EPOCH,
        };
        let engine = Engine::new(&configuration, run, Judging::Here).expect("a good configuration");
        let start = market.start();
        let mut drive =
            Self { market, engine, outputs: Vec::new(), number: 0, next_timer: start, events: Vec::new(), tape };
        drive.open(configuration, start);
        drive
    }

    fn open(&mut self, configuration: Configuration, start: UnixNanos) {
        let gate = configuration.gate_agent_name.clone();
        self.put(start, Input::Fact(Fact::Configuration(configuration)));
        let source = "file kill-switch/EXECUTION_HALTED: contains \"1\"".to_owned();
        self.put(start, Input::Fact(Fact::Switch(Reading { halted: true, source })));
        self.put(start, Input::Fact(Fact::Log { agent_name: gate, health: LogHealth::Writable }));
        let listed: Vec<_> = self.market.instruments().iter().map(|(id, instrument)| (id, *instrument)).collect();
        for (id, instrument) in listed {
            self.put(start, Input::Instrument { id, instrument });
        }
        let date = self.market.session().date;
        let open_interest: Vec<_> = self.market.open_interest().collect();
        for (instrument, contracts) in open_interest {
            self.put(start, Input::Market(MarketEvent::OpenInterest(OpenInterest { instrument, contracts, date })));
        }
        let bars: Vec<Bar> =
            self.market.history().minutes.iter().map(|past| Bar { backfill: true, ..past.bar }).collect();
        for bar in bars {
            self.put(start, Input::Market(MarketEvent::Bar(bar)));
        }
        self.put(start, Input::Fact(Fact::Feed(FeedFact::BackfillComplete)));
        self.put(start, Input::Fact(Fact::Feed(FeedFact::Connected { stream: "stocks".into(), delayed: false })));
    }

    /// Hands one input to the engine.
    pub fn put(&mut self, at: UnixNanos, input: Input) {
        if let Some(tape) = &mut self.tape {
            tape.record(at, &input).expect("every input can be recorded");
        }
        let numbered = Numbered { number: self.number, at, input };
        self.number += 1;
        let mut out = Vec::new();
        let number = self.number;
        self.engine.step(&numbered, &mut || Digest::of(&number.to_le_bytes()), &mut out);
        self.outputs.extend(out.into_iter().map(|output| (at, output)));
    }

    /// Lets the market go on until `to`, with a timer at each second.
    pub fn run_until(&mut self, to: UnixNanos) {
        while self.next_timer <= to {
            let timer = self.next_timer;
            let mut events = std::mem::take(&mut self.events);
            self.market.advance(timer, &mut events);
            for (at, event) in events.drain(..) {
                self.put(at, Input::Market(event));
            }
            self.events = events;
            self.put(timer, Input::Fact(Fact::Timer { wall: timer }));
            self.next_timer = timer.plus(Span::from_seconds(1));
        }
    }

    /// Lets the market go on for that long from its start.
    pub fn run_for(&mut self, span: Span) {
        self.run_until(self.market.start().plus(span));
    }

    /// Proposals made so far, with their time.
    pub fn proposals(&self) -> impl Iterator<Item = (UnixNanos, &agenttrader_core::proposal::Proposal)> {
        self.outputs.iter().filter_map(|(at, output)| match output {
            Output::Proposal { proposal, .. } => Some((*at, &**proposal)),
            _ => None,
        })
    }

    /// Decisions made so far.
    pub fn decisions(&self) -> impl Iterator<Item = &agenttrader_core::decision::Decision> {
        self.outputs.iter().filter_map(|(_, output)| match output {
            Output::Decision(judged) => Some(&judged.decision),
            _ => None,
        })
    }

    /// Notes of strategies so far.
    pub fn notes(&self) -> impl Iterator<Item = (UnixNanos, &str)> {
        self.outputs.iter().filter_map(|(at, output)| match output {
            Output::Note { note, .. } => Some((*at, note.summary.as_str())),
            _ => None,
        })
    }
}
