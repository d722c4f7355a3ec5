//! Quotes through the whole engine on one core: a recorded hour replayed, a frame into the book, a proposal to its verdict.
//! Each beside its bare limit, measured in the same run: what cannot be left out whoever writes the rest.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and may stop; it ships nowhere"
)]

use agenttrader_alpaca::decode::{Decoded, Decoder};
use agenttrader_alpaca::wire::encode::{Message, message};
use agenttrader_alpaca::wire::msgpack::append_array;
use agenttrader_alpaca::wire::{Codec, Listing};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::{Digest, Running};
use agenttrader_core::event::MarketEvent;
use agenttrader_core::proposal::Proposal;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_floor::engine::Output;
use agenttrader_floor::replay::Replay;
use agenttrader_sequence::input::{Input, Numbered};
use agenttrader_sequence::read::Recording;
use agenttrader_sequence::record::Recorder;
use agenttrader_whole::{Drive, build, configuration};
use jiff::civil::date;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

const STRATEGIES: [&str; 2] = ["gamma", "whale"];
const HOUR: Span = Span::from_minutes(60);
const PASSES: u32 = 5;

/// The shortest of some passes, so that a neighbour on the machine does not count.
fn seconds(passes: u32, mut pass: impl FnMut()) -> f64 {
    let once = |pass: &mut dyn FnMut()| {
        let begun = Instant::now();
        pass();
        begun.elapsed().as_secs_f64()
    };
    (0..passes).map(|_| once(&mut pass)).fold(f64::INFINITY, f64::min)
}

fn row(name: &str, figure: f64, unit: &str, limit: f64, ratio: f64, what: &str) {
    println!("{name:<34}{figure:>14.0} {unit:<10}{limit:>14.0}{ratio:>9.2}  {what}");
}

/// An hour of the simulated market at defaults, recorded, through book, shadow account and strategies.
fn replayed(dir: &Path) {
    let path = dir.join("hour.rec");
    let mut drive = Drive::recorded(1, date(2026, 11, 24), &STRATEGIES, &path);
    drive.run_for(HOUR);
    drive.finish();
    let (mut quotes, mut inputs) = (0_u64, 0_u64);
    for numbered in Recording::open(&path).unwrap() {
        inputs += 1;
        quotes += u64::from(matches!(numbered.unwrap().input, Input::Market(MarketEvent::Quote(_))));
    }
    let whole = seconds(PASSES, || {
        let defaults = |_: &_| Ok(configuration(&STRATEGIES, &[]));
        let replayed = Replay::open(&path, build(), defaults).unwrap().run(|_| Ok(()), |_| {}).unwrap();
        assert!(replayed.proposals > 0 && replayed.inputs == inputs);
    });
    let bare = seconds(PASSES, || {
        black_box(Digest::of(&fs::read(&path).unwrap()));
    });
    let per = |seconds: f64| quotes as f64 / seconds;
    row("quotes replayed", per(whole), "/s", per(bare), whole / bare, "the file read and SHA-256 over it");
    let per = |seconds: f64| inputs as f64 / seconds;
    row("inputs replayed", per(whole), "/s", per(bare), whole / bare, "the same");
}

/// The next quotes of a market that has run for two minutes, each as the frame in which it would come.
fn frames(drive: &mut Drive) -> Vec<(UnixNanos, Vec<u8>)> {
    let mut events = Vec::new();
    let from = drive.market.start().plus(Span::from_seconds(120));
    drive.run_until(from);
    drive.market.advance(from.plus(Span::from_seconds(60)), &mut events);
    let instruments = drive.market.instruments();
    let frame = |(at, event): &(UnixNanos, MarketEvent)| {
        let instrument = instruments.get(event.instrument())?;
        let listing = if instrument.option().is_some() { Listing::Option } else { Listing::Stock { tape: b'B' } };
        let mut frame = Vec::new();
        append_array(1, &mut frame);
        message(&mut frame, Codec::MessagePack, &instrument.to_string(), &Message::of(event, listing)?);
        matches!(event, MarketEvent::Quote(_)).then_some((*at, frame))
    };
    events.iter().filter_map(frame).collect()
}

/// A frame decoded, numbered, recorded and taken in by book, shadow account and strategies.
fn taken_in(dir: &Path) {
    let recorded = dir.join("frames.rec");
    let mut drive = Drive::recorded(2, date(2026, 11, 24), &STRATEGIES, &dir.join("taken.rec"));
    let frames = frames(&mut drive);
    let instruments = drive.market.instruments();
    let source = agenttrader_sequence::head::Source {
        kind: agenttrader_sequence::head::SourceKind::Venue,
        name: "bench".to_owned(),
    };
    let head = agenttrader_sequence::head::Head::flat(uuid::Uuid::nil(), UnixNanos::EPOCH, date(2026, 11, 24), source);
    let engine = &mut drive.engine;
    let mut decoder = Decoder::default();
    let mut out = Vec::new();
    let mut number = 100_000_000;
    let mut bytes = 0;
    let whole = seconds(PASSES, || {
        let _ = fs::remove_file(&recorded);
        let mut recorder = Recorder::create(&recorded, &head).unwrap();
        for (id, instrument) in instruments.iter() {
            recorder.record(UnixNanos::EPOCH, &Input::Instrument { id, instrument: *instrument }).unwrap();
        }
        let before = recorder.bytes();
        for (at, frame) in &frames {
            decoder.decode(frame, Codec::MessagePack, instruments, &mut |decoded| {
                let Decoded::Market(event) = decoded else { return };
                let input = Input::Market(event);
                recorder.record(*at, &input).unwrap();
                number += 1;
                engine.step(&Numbered { number, at: *at, input }, &mut || Digest::of(b""), &mut out);
            });
        }
        bytes = recorder.bytes() - before;
        out.clear();
    });
    let record = vec![0_u8; usize::try_from(bytes).unwrap() / frames.len()];
    let mut kept = Vec::with_capacity(1 << 20);
    let bare = seconds(PASSES, || {
        let mut digest = Running::default();
        for (_, frame) in &frames {
            kept.clear();
            kept.extend_from_slice(black_box(frame));
            digest.update(black_box(&record));
        }
        black_box(digest.so_far());
    });
    let each = |seconds: f64| seconds / frames.len() as f64 * 1e9;
    row(
        "frame to book, a quote",
        each(whole),
        "ns",
        each(bare),
        whole / bare,
        "the frame copied, SHA-256 over its record",
    );
}

/// A quote and, at it, a proposal: the book takes the quote in, the gate asks every control and tells every reason.
fn judged() {
    let mut drive = Drive::new(1, date(2026, 11, 24), &STRATEGIES);
    drive.run_for(Span::from_seconds(300));
    let proposals: Vec<Proposal> = drive.proposals().map(|(_, proposal)| proposal.clone()).collect();
    let decisions: Vec<_> = drive
        .outputs
        .iter()
        .filter_map(|(_, output)| match output {
            Output::Decision(judged) => Some(judged.decision.clone()),
            _ => None,
        })
        .collect();
    let now = drive.engine.book().now();
    let mut events = Vec::new();
    drive.market.advance(now.plus(Span::from_seconds(5)), &mut events);
    let quotes: Vec<_> = events.into_iter().filter(|(_, event)| matches!(event, MarketEvent::Quote(_))).collect();
    let mut verdicts = Vec::new();
    for ((at, event), proposal) in quotes.iter().zip(proposals.iter().cycle()).take(2_000) {
        let input = Numbered { number: 100_000_000, at: *at, input: Input::Market(*event) };
        let mut desk = drive.engine.desk().unwrap().clone();
        let mut out = Vec::new();
        let begun = Instant::now();
        drive.engine.step(&input, &mut || Digest::of(b""), &mut Vec::new());
        let _ = black_box(desk.decide(&input, proposal, drive.engine.book(), &mut out));
        verdicts.push(begun.elapsed().as_nanos() as f64);
    }
    verdicts.sort_by(f64::total_cmp);
    let mut written = Vec::new();
    for decision in decisions.iter().cycle().take(2_000) {
        let begun = Instant::now();
        black_box(canonical_json::of(decision).unwrap());
        written.push(begun.elapsed().as_nanos() as f64);
    }
    written.sort_by(f64::total_cmp);
    let at = |sorted: &[f64], part: f64| sorted[((sorted.len() - 1) as f64 * part) as usize];
    for (name, part) in [("quote to verdict, median", 0.5), ("quote to verdict, 99 of 100", 0.99)] {
        let (verdict, bare) = (at(&verdicts, part), at(&written, part));
        row(name, verdict, "ns", bare, verdict / bare, "the decision's own JSON");
    }
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    println!("{:<34}{:>14} {:<10}{:>14}{:>9}  limit is", "engine, one core", "figure", "", "bare limit", "ratio");
    replayed(dir.path());
    taken_in(dir.path());
    judged();
}
