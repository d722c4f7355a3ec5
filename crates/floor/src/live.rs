//! The sequence's thread: numbers, records and handles each input, and hands on what follows.

use crate::engine::{Engine, Judging, Output, Run};
use crate::records::{self, Cause, Outgoing};
use crate::status::{Common, snapshot};
use crate::venue_clock::{ClockReading, VenueClock};
use agenttrader_agent::clock;
use agenttrader_agent::health::StatusBoard;
use agenttrader_agent::start::Identity;
use agenttrader_agent::tasks::Stop;
use agenttrader_audit::log::Log;
use agenttrader_core::digest::Digest;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_marketdata::feed::FeedInput;
use agenttrader_safety::kill_switch::Reading;
use agenttrader_sequence::head::Head;
use agenttrader_sequence::input::{Configuration, Fact, FeedFact, Input, Numbered};
use agenttrader_sequence::record::{RecordError, Recorder};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// Longest wait for an input: a timer is due at least that often.
const WAIT_MAX: Duration = Duration::from_millis(50);

/// Inputs kept while the venue's clock has not been read yet: switch readings and log health, never market data.
const EARLY_INPUTS_MAX: usize = 1_024;

/// An agent of this process, as its status needs it.
#[derive(Debug)]
pub struct Seated {
    /// Who it is.
    pub identity: Identity,
    /// Its log.
    pub log: Arc<Log>,
    /// Its status board.
    pub board: Arc<StatusBoard>,
}

/// What a run begins with.
pub struct Beginning {
    /// The effective configuration: the first input.
    pub configuration: Configuration,
    /// The recording's head but for the session's date, which follows from the first reading of the clock.
    pub head: Head,
    /// Where the recording goes.
    pub recording: PathBuf,
    /// What the run is.
    pub run: Run,
    /// Whether the gate judges here.
    pub judging: Judging,
    /// The agents of this process.
    pub agents: Vec<Seated>,
    /// The agent that holds the feed.
    pub marketdata: String,
    /// Takes readings at each second, and after a change of the switch.
    pub readings: Box<dyn FnMut(&Readable<'_>) + Send>,
}

/// What readings are taken from.
pub struct Readable<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// What the agents of this process see in common.
    pub common: Common<'a>,
}

/// Why a run cannot begin, or ended with its recording in doubt.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The configuration is refused.
    #[error(transparent)]
    Engine(#[from] crate::engine::EngineError),
    /// The recording.
    #[error("recording")]
    Recording(#[from] RecordError),
}

struct Sequence {
    beginning: Beginning,
    clock: VenueClock,
    recorder: Option<Recorder>,
    engine: Option<Engine>,
    early: VecDeque<Input>,
    outgoing: Sender<Vec<Outgoing>>,
    switch: Option<(Reading, UnixNanos)>,
    states: Vec<Option<String>>,
    next_timer: UnixNanos,
    recording_problem: Option<String>,
    unrecorded: u64,
    outputs: Vec<Output>,
}

/// Runs until a stop is asked for or nobody sends inputs any more. Returns the digest of the recording, if one was begun.
///
/// # Errors
/// [`LiveError`] when the run cannot begin, or its recording cannot be finished.
pub fn run(
    beginning: Beginning,
    inputs: &Receiver<FeedInput>,
    outgoing: Sender<Vec<Outgoing>>,
    stop: &Stop,
) -> Result<Option<Digest>, LiveError> {
    let states = beginning.agents.iter().map(|_| None).collect();
    let mut sequence = Sequence {
        beginning,
        clock: VenueClock::default(),
        recorder: None,
        engine: None,
        early: VecDeque::new(),
        outgoing,
        switch: None,
        states,
        next_timer: UnixNanos::EPOCH,
        recording_problem: None,
        unrecorded: 0,
        outputs: Vec::new(),
    };
    sequence.publish(clock::wall());
    let mut next_publish = clock::wall();
    while !stop.is_set() {
        match inputs.recv_timeout(WAIT_MAX) {
            Ok(FeedInput::Clock { wall, venue, speed }) => sequence.on_clock(ClockReading { wall, venue, speed })?,
            Ok(FeedInput::Input(input)) => sequence.take(input),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let wall = clock::wall();
        sequence.tick(wall);
        if wall >= next_publish {
            sequence.publish(wall);
            next_publish = wall.plus(Span::from_seconds(1));
        }
    }
    sequence.finish()
}

impl Sequence {
    fn on_clock(&mut self, reading: ClockReading) -> Result<(), LiveError> {
        let stepped = self.clock.take(reading);
        if self.engine.is_none() {
            return self.begin();
        }
        if let Some(by) = stepped {
            self.next_timer = UnixNanos::EPOCH;
            self.take(Input::Fact(Fact::Feed(FeedFact::ClockStepped { by })));
        }
        Ok(())
    }

    /// The venue's time is known: the recording begins, with the configuration as its first input.
    fn begin(&mut self) -> Result<(), LiveError> {
        let wall = clock::wall();
        let at = self.clock.at(wall).unwrap_or(wall);
        let Beginning { configuration, head, recording, run, judging, .. } = &mut self.beginning;
        head.session_date = agenttrader_core::calendar::new_york_date(at);
        self.engine = Some(Engine::new(configuration, run.clone(), *judging)?);
        self.recorder = Some(Recorder::create(recording, head)?);
        let first = Input::Fact(Fact::Configuration(configuration.clone()));
        self.take(first);
        for input in std::mem::take(&mut self.early) {
            self.take(input);
        }
        Ok(())
    }

    /// Numbers, records and handles an input. One that cannot be recorded is not handled: the market then grows stale, and
    /// stale refuses.
    fn take(&mut self, input: Input) {
        let wall = clock::wall();
        let switch_changed = self.note_switch(&input, wall);
        let (Some(engine), Some(recorder), Some(at)) =
            (self.engine.as_mut(), self.recorder.as_mut(), self.clock.at(wall))
        else {
            if self.early.len() < EARLY_INPUTS_MAX && !matches!(input, Input::Market(_)) {
                self.early.push_back(input);
            }
            if switch_changed {
                self.publish(wall);
            }
            return;
        };
        match recorder.record(at, &input) {
            Ok(number) => {
                self.recording_problem = None;
                let numbered = Numbered { number, at, input };
                engine.step(&numbered, &mut || recorder.digest_so_far(), &mut self.outputs);
                self.hand_on(&numbered, wall);
            }
            Err(error) => {
                self.recording_problem = Some(error.to_string());
                self.unrecorded = self.unrecorded.saturating_add(1);
            }
        }
        if switch_changed {
            self.publish(wall);
            self.read(wall);
        }
    }

    fn note_switch(&mut self, input: &Input, wall: UnixNanos) -> bool {
        let Input::Fact(Fact::Switch(reading)) = input else { return false };
        let since =
            self.switch.as_ref().filter(|(last, _)| last.halted == reading.halted).map_or(wall, |(_, since)| *since);
        self.switch = Some((reading.clone(), since));
        true
    }

    /// Hands records to the writer, once what caused them has reached the operating system.
    fn hand_on(&mut self, numbered: &Numbered, wall: UnixNanos) {
        let is_market = matches!(numbered.input, Input::Market(_));
        if self.outputs.is_empty() && is_market {
            return;
        }
        let cause =
            Cause { recording_id: self.beginning.run.recording_id, input_number: numbered.number, at_utc: numbered.at };
        let names: Vec<String> =
            self.beginning.agents.iter().map(|seated| seated.identity.agent.agent_name.clone()).collect();
        let mut batch = records::of_input(numbered, &cause, &names, &self.beginning.marketdata, wall);
        let gate = &self.beginning.configuration.gate_agent_name;
        batch.extend(self.outputs.drain(..).flat_map(|output| records::of_output(output, &cause, gate, wall)));
        if batch.is_empty() {
            return;
        }
        if let Some(recorder) = self.recorder.as_mut()
            && let Err(error) = recorder.flush()
        {
            self.recording_problem = Some(error.to_string());
        }
        // The writer lives longer than this thread.
        let _ = self.outgoing.send(batch);
    }

    /// A timer input for the second that has begun.
    fn tick(&mut self, wall: UnixNanos) {
        if self.engine.is_none() {
            return;
        }
        let Some(at) = self.clock.at(wall).filter(|at| *at >= self.next_timer) else { return };
        self.next_timer = at.floor_to(Span::from_seconds(1)).plus(Span::from_seconds(1));
        self.take(Input::Fact(Fact::Timer { wall }));
        if let Some(recorder) = self.recorder.as_mut()
            && let Err(error) = recorder.flush()
        {
            self.recording_problem = Some(error.to_string());
        }
        self.read(wall);
    }

    fn read(&mut self, wall: UnixNanos) {
        let Self { engine, beginning, switch, clock, recording_problem, .. } = self;
        if let Some(engine) = engine {
            let common = common(
                Some(engine),
                switch.as_ref(),
                wall,
                clock.speed(),
                recording_problem.as_deref(),
                &beginning.configuration,
            );
            (beginning.readings)(&Readable { engine, common });
        }
    }

    /// Publishes each agent's status, and records a change of its state.
    fn publish(&mut self, wall: UnixNanos) {
        let problem = self.recording_problem.as_deref();
        let configuration = &self.beginning.configuration;
        let common =
            common(self.engine.as_ref(), self.switch.as_ref(), wall, self.clock.speed(), problem, configuration);
        let mut changes = Vec::new();
        for (seated, last) in self.beginning.agents.iter().zip(&mut self.states) {
            let snapshot = snapshot(&seated.identity, &seated.log, &common);
            let report = snapshot.status(Span::ZERO).status;
            seated.board.publish(snapshot);
            let state = report.state.as_str();
            if last.as_deref() != Some(state) {
                let from = last.as_deref().unwrap_or("STARTING");
                let entry = records::state_transition(from, state, &report.reason_codes, wall);
                changes.push(Outgoing {
                    agent_name: seated.identity.agent.agent_name.clone(),
                    entry,
                    to_sign: None,
                    waits: false,
                });
                *last = Some(state.to_owned());
            }
        }
        if !changes.is_empty() {
            let _ = self.outgoing.send(changes);
        }
    }

    fn finish(mut self) -> Result<Option<Digest>, LiveError> {
        match self.recorder.take() {
            Some(recorder) => Ok(Some(recorder.finish()?.digest)),
            None => Ok(None),
        }
    }
}

fn common<'a>(
    engine: Option<&'a Engine>,
    switch: Option<&'a (Reading, UnixNanos)>,
    wall: UnixNanos,
    speed: f64,
    recording_problem: Option<&'a str>,
    configuration: &Configuration,
) -> Common<'a> {
    let max_age = Span::from_seconds(i64::from(configuration.marketdata_max_age_seconds));
    Common { engine, switch: switch.map(|(reading, since)| (reading, *since)), wall, speed, recording_problem, max_age }
}
