//! From a frame to the verdict's doorstep nothing is allocated: a MessagePack frame of quotes is decoded, each event recorded
//! and handed to the engine (book, shadow account, strategies), between timers, after a minute to warm up.

use agenttrader_allocations::{Counting, of};
use agenttrader_alpaca::decode::{Decoded, Decoder};
use agenttrader_alpaca::wire::encode::{Message, message};
use agenttrader_alpaca::wire::msgpack::append_array;
use agenttrader_alpaca::wire::{Codec, Listing};
use agenttrader_core::digest::Digest;
use agenttrader_core::event::MarketEvent;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_sequence::head::{Head, Source, SourceKind};
use agenttrader_sequence::input::{Input, Numbered};
use agenttrader_sequence::record::Recorder;
use agenttrader_whole::Drive;
use jiff::civil::date;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Frames of quotes as they would come over the wire, each with the time it comes.
fn frames(drive: &mut Drive, to: UnixNanos) -> (Vec<(UnixNanos, Vec<u8>)>, usize) {
    let mut events = Vec::new();
    drive.market.advance(to, &mut events);
    let mut quotes = 0;
    let mut frames = Vec::new();
    for (at, event) in events {
        if !matches!(event, MarketEvent::Quote(_)) {
            continue;
        }
        let is_option = drive.market.instruments().get(event.instrument()).unwrap().option().is_some();
        let listing = if is_option { Listing::Option } else { Listing::Stock { tape: b'B' } };
        let symbol = drive.market.instruments().get(event.instrument()).unwrap().to_string();
        let mut frame = Vec::new();
        append_array(1, &mut frame);
        message(&mut frame, Codec::MessagePack, &symbol, &Message::of(&event, listing).unwrap());
        frames.push((at, frame));
        quotes += 1;
    }
    (frames, quotes)
}

fn recorder(dir: &tempfile::TempDir) -> Recorder {
    let source = Source { kind: SourceKind::Venue, name: "test".to_owned() };
    let head = Head::flat(uuid::Uuid::nil(), UnixNanos::EPOCH, date(2026, 11, 24), source);
    Recorder::create(&dir.path().join("hot.rec"), &head).unwrap()
}

#[test]
fn a_quote_allocates_nothing_from_its_frame_to_the_strategies() {
    let dir = tempfile::tempdir().unwrap();
    let mut drive = Drive::new(1, date(2026, 11, 24), &["gamma", "whale", "naive_flow_trend"]);
    let mut recorder = recorder(&dir);
    let listed: Vec<_> = drive.market.instruments().iter().map(|(id, instrument)| (id, *instrument)).collect();
    for (id, instrument) in listed {
        recorder.record(UnixNanos::EPOCH, &Input::Instrument { id, instrument }).unwrap();
    }
    // A minute and a bit: positions are held, shadow orders have worked, every buffer has found its size.
    let mut number = 10_000_000;
    let start = drive.market.start();
    drive.run_until(start.plus(Span::from_seconds(90)));
    let mut measured = 0;
    for second in 90..150_i64 {
        let timer = start.plus(Span::from_seconds(second + 1));
        let (frames, _) = frames(&mut drive, timer);
        let mut decoder = Decoder::default();
        let mut out = Vec::with_capacity(16);
        for (at, frame) in &frames {
            let instruments = drive.market.instruments();
            let engine = &mut drive.engine;
            let (made, handled) = of(|| {
                let mut handled = 0;
                decoder.decode(frame, Codec::MessagePack, instruments, &mut |decoded| {
                    let Decoded::Market(event) = decoded else { return };
                    let input = Input::Market(event);
                    let recorded = recorder.record(*at, &input).is_ok();
                    engine.step(&Numbered { number, at: *at, input }, &mut || Digest::of(b""), &mut out);
                    handled += u32::from(recorded);
                });
                handled
            });
            assert_eq!(handled, 1, "the frame is a quote");
            number += 1;
            // A quote that fills a shadow order has something to tell, and telling may allocate.
            if out.is_empty() {
                measured += 1;
                assert_eq!(made, 0, "quote {number} at {at} allocates");
            }
            out.clear();
        }
        drive.put(timer, Input::Fact(agenttrader_sequence::input::Fact::Timer { wall: timer }));
        recorder.flush().unwrap();
    }
    assert!(measured > 1_000, "{measured} quotes measured");
}

#[test]
fn the_counter_counts() {
    let (made, boxed) = of(|| std::hint::black_box(Box::new([1_u8; 64])));
    assert_eq!((made, boxed.len()), (1, 64));
    let (made, grown) = of(|| {
        let mut grown = Vec::with_capacity(4);
        grown.extend_from_slice(&[0_u32; 100]);
        grown
    });
    assert!(made >= 2 && grown.len() == 100);
    assert_eq!(of(|| std::hint::black_box(2 + 2)).0, 0);
}
