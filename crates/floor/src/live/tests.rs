//! A recording that cannot be flushed: what its inputs caused waits for it, and nothing is lost.

use super::*;
use crate::begin;
use crate::configuration::{RunSettings, effective};
use agenttrader_agent::health::StatusBoard;
use agenttrader_agent::start;
use agenttrader_core::calendar::new_york;
use agenttrader_core::event::{MarketEvent, Quote, TradingStatus};
use agenttrader_core::identity::{AgentMode, Build};
use agenttrader_core::instrument::{Instrument, InstrumentId};
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use agenttrader_sequence::head::{Source, SourceKind};
use agenttrader_sequence::read::Recording;
use agenttrader_sequence::record::Target;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard};

/// A disk of a recording, full or with room.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<(Vec<u8>, bool)>>);

impl Disk {
    fn state(&self) -> MutexGuard<'_, (Vec<u8>, bool)> {
        self.0.lock().unwrap()
    }

    fn is_full(&self, full: bool) {
        self.state().1 = full;
    }

    /// The inputs that have reached it.
    fn inputs(&self) -> Vec<Numbered> {
        let bytes = self.state().0.clone();
        Recording::from_reader(Cursor::new(bytes), Path::new("disk")).unwrap().map(Result::unwrap).collect()
    }
}

impl Write for Disk {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        // Part of it still fits: what is torn must be cut.
        let takes = if state.1 { from.len().min(7) } else { from.len() };
        state.0.extend_from_slice(&from[..takes]);
        if state.1 { Err(io::Error::from_raw_os_error(28)) } else { Ok(takes) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Target for Disk {
    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.state().0.truncate(usize::try_from(len).unwrap());
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A sequence with one strategy on one share, ten o'clock on a Monday, a thousandth as fast as the wall clock.
struct Bench {
    sequence: Sequence,
    disk: Disk,
    published: Receiver<Vec<Outgoing>>,
    board: Arc<StatusBoard>,
    second: i64,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::with_room(1_024)
    }

    /// With room for so many batches on their way to the writer.
    fn with_room(room: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let build = Build { git_sha: "unknown".to_owned(), build_id: "test".to_owned() };
        let settings = RunSettings {
            configs: None,
            strategies: vec!["naive_flow_trend".to_owned()],
            strategy_mode: AgentMode::Observe,
            environment: BTreeMap::new(),
        };
        let configuration = effective(&settings, &[Symbol::parse("SPY").unwrap()]).unwrap();
        let identities = begin::identities(AgentMode::Observe, &build, &BTreeMap::new());
        let identity = identities.into_iter().find(|one| one.agent.agent_name == start::SHADOW_GATE).unwrap();
        let (facts, _) = mpsc::sync_channel(1);
        let desk = begin::open_desk(folder.path(), &identity, &facts, None, &Arc::default()).unwrap();
        let board = Arc::new(StatusBoard::new(start::SHADOW_GATE));
        let seated = Seated { identity, log: desk.log, board: Arc::clone(&board) };
        let source = Source { kind: SourceKind::Venue, name: "test".to_owned() };
        let date = jiff::civil::date(2026, 1, 5);
        let head = Head::flat(uuid::Uuid::nil(), UnixNanos::EPOCH, date, source);
        let trust_root = agenttrader_authority::trust_root::TrustRoot::draft();
        let run = Run { recording_id: uuid::Uuid::nil(), build, trust_root, log_last_time: UnixNanos::EPOCH };
        let (outgoing, published) = mpsc::sync_channel(room);
        let disk = Disk::default();
        let beginning = Beginning {
            configuration: configuration.clone(),
            head: head.clone(),
            recording: PathBuf::from("disk"),
            run: run.clone(),
            judging: Judging::Here,
            agents: vec![seated],
            marketdata: start::MARKETDATA.to_owned(),
            readings: Box::new(|_| {}),
        };
        let mut sequence = Sequence::new(beginning, outgoing);
        let wall = clock::wall();
        sequence.clock.take(ClockReading { wall, venue: new_york(date, 10, 0), speed: 0.001 }, wall);
        sequence.recorder = Some(Recorder::begin_on(Box::new(disk.clone()), Path::new("disk"), &head).unwrap());
        sequence.engine = Some(Engine::new(&configuration, run, Judging::Here).unwrap());
        sequence.take(Input::Fact(Fact::Configuration(configuration)));
        let instrument = Instrument::Equity { symbol: Symbol::parse("SPY").unwrap() };
        sequence.take(Input::Instrument { id: InstrumentId(0), instrument });
        Self { sequence, disk, published, board, second: 0, _folder: folder }
    }

    /// A second in which trading is halted or goes on: each change makes the strategy say so.
    fn second(&mut self, halted: bool) {
        self.second += 1;
        let (instrument, exchange_time) = (InstrumentId(0), new_york(jiff::civil::date(2026, 1, 5), 10, 0));
        let price = |text: &str| Price::parse(text).unwrap();
        let quote = Quote {
            instrument,
            exchange_time,
            bid: price("600.10"),
            ask: price("600.12"),
            bid_size: 10,
            ask_size: 10,
            bid_exchange: b' ',
            ask_exchange: b' ',
            condition: b' ',
        };
        let status = TradingStatus { instrument, exchange_time, halted, code: b'H', reason: [b' '; 4] };
        self.sequence.take(Input::Market(MarketEvent::Quote(quote)));
        self.sequence.take(Input::Market(MarketEvent::Status(status)));
        self.sequence.take(Input::Fact(Fact::Timer { wall: UnixNanos::from_seconds(self.second) }));
    }

    fn switch(&mut self, source: &str) {
        let reading = Reading { halted: true, source: source.to_owned() };
        self.sequence.take(Input::Fact(Fact::Switch(reading)));
    }

    /// What was published since the last look: number of the causing input, and the summary. Each cause is on the disk.
    fn published(&self) -> Vec<(Option<u64>, String)> {
        let there = self.disk.inputs().len() as u64;
        let told = self.published.try_iter().flatten().filter(|told| told.entry.intent_payload.get("cause").is_some());
        told.map(|told| {
            let number = told.entry.intent_payload.pointer("/cause/input_number").and_then(Value::as_u64);
            assert!(number.is_none_or(|number| number < there), "{number:?} of {there}: {}", told.entry.intent_summary);
            (number, told.entry.intent_summary)
        })
        .collect()
    }
}

/// Some seconds, in each of which the strategy speaks; `full` tells for each whether the disk is full.
fn run(full: impl Fn(i64) -> bool) -> (Vec<(Option<u64>, String)>, Bench) {
    let mut bench = Bench::new();
    let mut published = bench.published();
    for second in 0..24 {
        bench.disk.is_full(full(second));
        let before = published.len();
        bench.second(second % 2 == 0);
        published.extend(bench.published());
        assert!(!full(second) || published.len() == before, "published on a full disk: {:?}", &published[before..]);
    }
    bench.disk.is_full(false);
    bench.sequence.publish_caused();
    published.extend(bench.published());
    (published, bench)
}

#[test]
fn what_an_input_caused_waits_until_the_input_has_reached_the_system_in_its_order_and_whole() {
    let (expected, _) = run(|_| false);
    assert!(expected.len() >= 20 && expected.is_sorted_by_key(|(number, _)| *number), "{expected:?}");
    for full in [|second: i64| second % 3 == 1, |second: i64| second >= 4, |second: i64| second / 5 % 2 == 0] {
        let (published, bench) = run(full);
        assert_eq!(published, expected);
        // Every input that was handled is in the recording, once and in order.
        let numbers: Vec<u64> = bench.disk.inputs().iter().map(|input| input.number).collect();
        assert_eq!(numbers, (0..bench.sequence.recorder.as_ref().unwrap().inputs()).collect::<Vec<_>>());
    }
}

#[test]
fn a_switch_is_told_at_once_on_a_full_disk_and_comes_to_stand_in_the_recording() {
    let mut bench = Bench::new();
    bench.second(false);
    bench.disk.is_full(true);
    bench.switch("told while there is room in memory");
    assert_eq!(bench.published(), [(None, "kill switch halted: told while there is room in memory".to_owned())]);
    // So much that the recorder takes no more either: then it is not handled, and the switch waits.
    let taken = |bench: &Bench| bench.sequence.recorder.as_ref().unwrap().inputs();
    let mut before = 0;
    while taken(&bench) > before {
        before = taken(&bench);
        bench.second(false);
    }
    bench.switch("told while there is none");
    assert_eq!((taken(&bench), bench.sequence.waiting.len()), (before, 1));
    let told: Vec<_> = bench.published();
    assert_eq!(told, [(None, "kill switch halted: told while there is none".to_owned())]);

    bench.disk.is_full(false);
    bench.second(false);
    bench.sequence.publish_caused();
    let switches = bench.disk.inputs().into_iter().filter_map(|numbered| match numbered.input {
        Input::Fact(Fact::Switch(reading)) => Some(reading.source),
        _ => None,
    });
    assert_eq!(switches.collect::<Vec<_>>(), ["told while there is room in memory", "told while there is none"]);
}

#[test]
fn the_status_says_that_it_is_the_recording_and_why_until_it_can_be_written() {
    let mut bench = Bench::new();
    let shown = |bench: &mut Bench| {
        bench.sequence.publish(clock::wall());
        let (snapshot, _) = bench.board.last().unwrap();
        (snapshot.unwritable.clone(), snapshot.status(Span::ZERO))
    };
    bench.disk.is_full(true);
    bench.second(true);
    bench.sequence.publish_caused();
    let (unwritable, status) = shown(&mut bench);
    let why = "No space left on device (os error 28)".to_owned();
    assert_eq!(unwritable, [Unwritable { what: Written::Recording, why }]);
    assert_eq!((status.status.state.as_str(), &status.unwritable), ("DEGRADED", &unwritable));
    assert!(status.status.summary.contains("recording cannot be written: No space left"), "{}", status.status.summary);
    bench.disk.is_full(false);
    bench.second(false);
    assert_eq!(shown(&mut bench).0, []);
}

#[test]
fn a_writer_that_takes_nothing_holds_up_no_input_and_what_it_has_no_room_for_is_counted() {
    let mut bench = Bench::with_room(2);
    for halt in 0..5 {
        bench.switch(&format!("halt {halt}"));
    }
    assert_eq!(bench.disk.inputs().len(), 7, "configuration, instrument and each reading");
    let told: Vec<_> = bench.published().into_iter().map(|(_, summary)| summary).collect();
    assert_eq!(told, ["kill switch halted: halt 0"], "the first was told with the first state");
    let metrics = bench.board.metrics.text();
    assert!(metrics.contains("agenttrader_records_lost_total 4"), "{metrics}");
}

#[test]
fn statuses_are_published_so_often_that_fresh_data_does_not_age_between_them() {
    assert_eq!(publish_every(1.0), Duration::from_secs(1));
    for unfit in [0.0, -1.0, f64::NAN, f64::INFINITY, 0.01] {
        assert_eq!(publish_every(unfit), Duration::from_secs(1), "{unfit}");
    }
    // The speeds that leave room for a usual delay: a tenth of the limit of thirty seconds passes at most.
    for speed in 1..=120_u32 {
        let passes = publish_every(f64::from(speed)).as_secs_f64() * f64::from(speed);
        assert!(passes <= 3.0, "{passes} s of venue time at speed {speed}");
    }
}
