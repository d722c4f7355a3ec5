//! The sequence's thread: numbers, records and handles each input, and hands on what follows.

use crate::counters::Counters;
use crate::engine::{Engine, Judging, Output, Run};
use crate::inlet::Inputs;
use crate::records::{self, Cause, Outgoing, RecordingEnd};
pub use crate::seated::Seated;
use crate::status::{Common, snapshot};
use crate::venue_clock::{ClockReading, VenueClock};
use agenttrader_agent::clock;
use agenttrader_agent::tasks::Stop;
use agenttrader_agent::unwritable::{Unwritable, Written};
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_marketdata::feed::FeedInput;
use agenttrader_safety::kill_switch::Reading;
use agenttrader_sequence::head::Head;
use agenttrader_sequence::input::{Configuration, Fact, FeedFact, Input, Numbered};
use agenttrader_sequence::record::{RecordError, Recorder};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

/// Longest wait for a market input: a fact waits no longer, and a timer is due at least that often.
const WAIT_MAX: Duration = Duration::from_millis(25);

/// Inputs kept while the venue's clock has not been read yet: switch readings and log health, never market data.
const EARLY_INPUTS_MAX: usize = 1_024;

/// Between two publications of the agents' status, in venue time, and at most in wall time: market data is seen to age by what
/// passes between them, so where venue time runs faster they come closer together.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);

/// The stream by whose name the end of the whole feed is told.
pub(crate) const WHOLE_FEED: &str = "feed";

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

/// Facts and instruments that wait for a recording that cannot be written: whole chains, and hours of switch and feed.
const WAITING_MAX: usize = 16_384;

/// Batches of records that may wait for the writer, which waits for the disk: at the usual pace hours of a disk that does not answer. One
/// is an input's records, some kilobytes; what finds no room is lost and counted.
pub const WRITER_WAITING: usize = 16_384;

struct Sequence {
    beginning: Beginning,
    clock: VenueClock,
    recorder: Option<Recorder>,
    engine: Option<Engine>,
    early: VecDeque<Input>,
    outgoing: SyncSender<Vec<Outgoing>>,
    switch: Option<(Reading, UnixNanos)>,
    states: Vec<Option<String>>,
    counters: Counters,
    feed_ended: bool,
    next_timer: UnixNanos,
    recording_problem: Option<Unwritable>,
    waiting: VecDeque<Input>,
    /// Records that inputs caused which have not reached the operating system. Those of the inputs in the recorder's buffer: while that
    /// is full no input is handled, so nothing is added.
    caused: Vec<Outgoing>,
    outputs: Vec<Output>,
}

/// Runs until a stop is asked for or nobody sends inputs any more. Returns how the recording ended, if one was begun.
///
/// # Errors
/// [`LiveError`] when the run cannot begin, or its recording cannot be finished.
pub fn run(
    beginning: Beginning,
    inputs: &Inputs,
    outgoing: SyncSender<Vec<Outgoing>>,
    stop: &Stop,
) -> Result<Option<RecordingEnd>, LiveError> {
    let mut sequence = Sequence::new(beginning, outgoing);
    sequence.publish(clock::wall());
    let mut published = clock::monotonic();
    while !stop.is_set() {
        match inputs.next(WAIT_MAX) {
            Ok(Some(FeedInput::Clock { wall, venue, speed })) => {
                sequence.on_clock(ClockReading { wall, venue, speed })?;
            }
            Ok(Some(FeedInput::Input(input))) => sequence.take(input),
            Ok(None) => {}
            Err(_) => break,
        }
        let wall = clock::wall();
        sequence.tick(wall);
        // By the monotonic clock: a wall clock that is set back must not silence the heartbeat.
        if published.elapsed() >= publish_every(sequence.clock.speed()) {
            sequence.publish(wall);
            published = clock::monotonic();
        }
    }
    sequence.finish()
}

/// Between two publications, wall time. Not closer than the sequence's thread is sure to wake.
fn publish_every(speed: f64) -> Duration {
    let faster = if speed.is_finite() { speed.max(1.0) } else { 1.0 };
    PUBLISH_EVERY.div_f64(faster).max(WAIT_MAX)
}

impl Sequence {
    fn new(beginning: Beginning, outgoing: SyncSender<Vec<Outgoing>>) -> Self {
        let states = beginning.agents.iter().map(|_| None).collect();
        let counters = Counters::new(&beginning.agents, &beginning.marketdata);
        Self {
            beginning,
            clock: VenueClock::default(),
            recorder: None,
            engine: None,
            early: VecDeque::new(),
            outgoing,
            switch: None,
            states,
            counters,
            feed_ended: false,
            next_timer: UnixNanos::EPOCH,
            recording_problem: None,
            waiting: VecDeque::new(),
            caused: Vec::new(),
            outputs: Vec::new(),
        }
    }

    fn on_clock(&mut self, reading: ClockReading) -> Result<(), LiveError> {
        let stepped = self.clock.take(reading, clock::wall());
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
            self.take_in(input, true);
        }
        Ok(())
    }

    /// Numbers, records and handles an input. One that cannot be recorded is not handled: the market then grows stale, and
    /// stale refuses.
    fn take(&mut self, input: Input) {
        self.take_in(input, false);
    }

    /// See [`Sequence::take`]. `told`: its own records were written when it came, before the recording began.
    fn take_in(&mut self, input: Input, told: bool) {
        let wall = clock::wall();
        let status_changed = if told { false } else { self.note(&input, wall) };
        if self.engine.is_none() {
            self.take_early(input, wall);
            if status_changed {
                self.publish(wall);
            }
            return;
        }
        // What could not be recorded comes first: nothing is judged before the switch that was told meanwhile.
        while let Some(waiting) = self.waiting.pop_front() {
            if let Err(back) = self.record_and_step(waiting, wall, true) {
                self.waiting.push_front(back);
                break;
            }
        }
        let unrecorded =
            if self.waiting.is_empty() { self.record_and_step(input, wall, told).err() } else { Some(input) };
        if let Some(input) = unrecorded {
            self.keep_waiting(input, wall, told);
        }
        if status_changed {
            self.publish(wall);
            self.read(wall);
        }
    }

    /// Numbers, records and handles an input, or gives it back.
    #[expect(clippy::result_large_err, reason = "the input goes back whole; a box would be an allocation a quote")]
    fn record_and_step(&mut self, input: Input, wall: UnixNanos, told: bool) -> Result<(), Input> {
        let (Some(engine), Some(recorder), Some(at)) =
            (self.engine.as_mut(), self.recorder.as_mut(), self.clock.at(wall))
        else {
            return Err(input);
        };
        match recorder.record(at, &input) {
            Ok(number) => {
                self.recording_problem = None;
                let numbered = Numbered { number, at, input };
                engine.step(&numbered, &mut || recorder.digest_so_far(), &mut self.outputs);
                self.counters.input(&numbered.input, &self.beginning.agents, &self.beginning.marketdata);
                self.hand_on(&numbered, wall, told);
                Ok(())
            }
            Err(error) => {
                self.counters.unrecorded();
                // An input without a form in a recording would stand in everybody's way for ever.
                let lasting = matches!(error, RecordError::Input { .. });
                self.recording_problem = Some(Unwritable::of(Written::Recording, &error));
                if lasting { Ok(()) } else { Err(input) }
            }
        }
    }

    /// Keeps an input that could not be recorded until it can: facts and instruments. Market data is let go, it is stale by
    /// then; so are timers. What the input itself leads to is told at once, as the statuses show it at once.
    fn keep_waiting(&mut self, input: Input, wall: UnixNanos, told: bool) {
        if matches!(input, Input::Market(_) | Input::Fact(Fact::Timer { .. })) {
            return;
        }
        if !told {
            self.tell(&input, wall);
        }
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(input);
    }

    /// The records that an input itself leads to, for the agents of this process.
    fn of_input(&self, input: &Input, cause: Option<&Cause>, wall: UnixNanos) -> Vec<Outgoing> {
        let Beginning { agents, marketdata, .. } = &self.beginning;
        let names: Vec<String> = agents.iter().map(|seated| seated.identity.agent.agent_name.clone()).collect();
        records::of_input(input, cause, &names, marketdata, wall)
    }

    /// Hands on the records of an input that has no number yet.
    fn tell(&self, input: &Input, wall: UnixNanos) {
        let batch = self.of_input(input, None, wall);
        if !batch.is_empty() {
            self.send(batch);
        }
    }

    /// Before the venue's time is known nothing is numbered: the switch is told at once nonetheless, and kept for the
    /// recording, of which the latest are of more use than the first.
    fn take_early(&mut self, input: Input, wall: UnixNanos) {
        self.tell(&input, wall);
        if matches!(input, Input::Fact(_)) {
            if self.early.len() >= EARLY_INPUTS_MAX {
                // Tries to reach the venue can go on for days; what was said of logs and switch is said once.
                let of_feed = |input: &Input| matches!(input, Input::Fact(Fact::Feed(_)));
                let oldest = self.early.iter().position(of_feed).unwrap_or(0);
                let _ = self.early.remove(oldest);
            }
            self.early.push_back(input);
        }
    }

    /// Notes what every status shows. Tells whether the statuses must be published at once.
    fn note(&mut self, input: &Input, wall: UnixNanos) -> bool {
        match input {
            Input::Fact(Fact::Switch(reading)) => {
                let unchanged = self.switch.as_ref().filter(|(last, _)| last.halted == reading.halted);
                let since = unchanged.map_or(wall, |(_, since)| *since);
                self.switch = Some((reading.clone(), since));
                true
            }
            Input::Fact(Fact::Feed(FeedFact::Disconnected { stream, .. })) if stream == WHOLE_FEED => {
                self.feed_ended = true;
                true
            }
            _ => false,
        }
    }

    /// Hands records to the writer, once what caused them has reached the operating system.
    fn hand_on(&mut self, numbered: &Numbered, wall: UnixNanos, told: bool) {
        let is_market = matches!(numbered.input, Input::Market(_));
        if self.outputs.is_empty() && is_market {
            return;
        }
        let cause =
            Cause { recording_id: self.beginning.run.recording_id, input_number: numbered.number, at_utc: numbered.at };
        let told_now = if told { Vec::new() } else { self.of_input(&numbered.input, Some(&cause), wall) };
        let gate = &self.beginning.configuration.gate_agent_name;
        for output in &self.outputs {
            Counters::output(output, &self.beginning.agents, gate);
        }
        let outputs = self.outputs.drain(..).flat_map(|output| records::of_output(output, &cause, gate, wall));
        let outputs: Vec<Outgoing> = outputs.collect();
        if told_now.is_empty() && outputs.is_empty() {
            return;
        }
        let flushed = self.flushed();
        if flushed {
            self.caused.extend(told_now);
        } else if !told {
            // What the input itself says is told nonetheless, without a place in a recording that may not come to hold it.
            self.tell(&numbered.input, wall);
        }
        self.caused.extend(outputs);
        if flushed {
            self.send_caused();
        }
    }

    /// Hands what was recorded to the operating system; tells whether all of it is there.
    fn flushed(&mut self) -> bool {
        match self.recorder.as_mut().map(Recorder::flush) {
            Some(Err(error)) => {
                self.recording_problem = Some(Unwritable::of(Written::Recording, &error));
                false
            }
            _ => true,
        }
    }

    /// Hands on what inputs caused, if these have reached the operating system; else it waits for the next try. An input that never does
    /// is in no recording, and what it caused in no log.
    fn publish_caused(&mut self) {
        if self.flushed() {
            self.send_caused();
        }
    }

    fn send_caused(&mut self) {
        if !self.caused.is_empty() {
            let caused = std::mem::take(&mut self.caused);
            self.send(caused);
        }
    }

    /// Hands a batch to the writer. Where too many wait for it the batch is lost and counted: the sequence waits for no disk.
    fn send(&self, batch: Vec<Outgoing>) {
        // The writer lives longer than this thread.
        if let Err(TrySendError::Full(lost)) = self.outgoing.try_send(batch) {
            Counters::lost(&lost, &self.beginning.agents);
        }
    }

    /// A timer input for the second that has begun.
    fn tick(&mut self, wall: UnixNanos) {
        if self.engine.is_none() {
            return;
        }
        let Some(at) = self.clock.at(wall).filter(|at| *at >= self.next_timer) else { return };
        self.next_timer = at.floor_to(Span::from_seconds(1)).plus(Span::from_seconds(1));
        self.take(Input::Fact(Fact::Timer { wall }));
        self.publish_caused();
        self.read(wall);
    }

    fn read(&mut self, wall: UnixNanos) {
        let Self { engine, beginning, switch, clock, recording_problem, feed_ended, .. } = self;
        if let Some(engine) = engine {
            let common = common(
                Some(engine),
                switch.as_ref(),
                wall,
                clock.speed(),
                recording_problem.as_ref(),
                *feed_ended,
                &beginning.configuration,
            );
            (beginning.readings)(&Readable { engine, common });
        }
    }

    /// Publishes each agent's status, and records a change of its state.
    fn publish(&mut self, wall: UnixNanos) {
        self.counters.refresh(&self.beginning.agents);
        let common = common(
            self.engine.as_ref(),
            self.switch.as_ref(),
            wall,
            self.clock.speed(),
            self.recording_problem.as_ref(),
            self.feed_ended,
            &self.beginning.configuration,
        );
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
            self.send(changes);
        }
    }

    fn finish(mut self) -> Result<Option<RecordingEnd>, LiveError> {
        self.publish_caused();
        let Some(recorder) = self.recorder.take() else { return Ok(None) };
        let finished = recorder.finish()?;
        let recording_id = self.beginning.run.recording_id;
        Ok(Some(RecordingEnd { recording_id, inputs: finished.inputs, sha256: finished.digest }))
    }
}

fn common<'a>(
    engine: Option<&'a Engine>,
    switch: Option<&'a (Reading, UnixNanos)>,
    wall: UnixNanos,
    speed: f64,
    recording_problem: Option<&'a Unwritable>,
    feed_ended: bool,
    configuration: &Configuration,
) -> Common<'a> {
    let max_age = Span::from_seconds(i64::from(configuration.marketdata_max_age_seconds));
    let switch = switch.map(|(reading, since)| (reading, *since));
    Common { engine, switch, wall, speed, recording_problem, feed_ended, max_age }
}

#[cfg(test)]
mod tests;
