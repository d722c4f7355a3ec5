//! What a recording says when it is summed up.

use crate::common::{instrument, one_of_each, quote, write};
use agenttrader_core::calendar::Session;
use agenttrader_core::digest::Digest;
use agenttrader_core::event::MarketEvent;
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_sequence::info::{Gap, Info};
use agenttrader_sequence::input::{Fact, FeedFact, Input};
use agenttrader_sequence::read::Torn;

fn timer(at: UnixNanos) -> (UnixNanos, Input) {
    (at, Input::Fact(Fact::Timer { wall: at }))
}

fn quoted(at: UnixNanos) -> (UnixNanos, Input) {
    (at, Input::Market(MarketEvent::Quote(quote(InstrumentId(0), at))))
}

fn defined(at: UnixNanos) -> (UnixNanos, Input) {
    (at, Input::Instrument { id: InstrumentId(0), instrument: instrument(0) })
}

fn gaps(inputs: &[(UnixNanos, Input)]) -> Vec<Gap> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.rec");
    write(&path, inputs);
    let info = Info::of(&path).unwrap();
    assert_eq!(info.gap_count, info.gaps.len() as u64);
    info.gaps
}

fn session() -> Session {
    Session::on(jiff::civil::date(2026, 3, 2)).unwrap()
}

fn after(base: UnixNanos, seconds: i64) -> UnixNanos {
    base.plus(Span::from_seconds(seconds))
}

#[test]
fn every_kind_is_counted_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.rec");
    let (bytes, _) = write(&path, &one_of_each());
    let info = Info::of(&path).unwrap();
    assert_eq!(info.inputs, one_of_each().len() as u64);
    assert_eq!(info.inputs_by_kind.values().sum::<u64>(), info.inputs);
    assert_eq!(info.inputs_by_kind.get("feed"), Some(&7));
    assert_eq!(info.instruments_by_kind.get("option"), Some(&1));
    assert_eq!(info.cadence, Some(Span::from_minutes(1)));
    assert_eq!((info.digest, info.bytes, info.torn), (Digest::of(&bytes), bytes.len() as u64, None));
    let value = serde_json::to_value(&info).unwrap();
    assert_eq!(value["source"]["kind"], "venue");
    assert_eq!(value["first_utc"], one_of_each()[0].0.to_string());
}

#[test]
fn a_torn_tail_is_told_and_not_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.rec");
    let (bytes, ends) = write(&path, &one_of_each());
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let info = Info::of(&path).unwrap();
    let last = ends[ends.len() - 2];
    assert_eq!(info.inputs, one_of_each().len() as u64 - 1);
    assert_eq!(info.torn, Some(Torn { offset: last as u64, bytes: (bytes.len() - 1 - last) as u64 }));
    assert_eq!((info.bytes, info.digest), (last as u64, Digest::of(&bytes[..last])));
}

#[test]
fn silence_beyond_the_limit_is_a_gap_and_at_the_limit_none() {
    let open = session().open;
    let at = |seconds| after(open, seconds);
    assert_eq!(gaps(&[defined(open), quoted(at(1)), quoted(at(31)), quoted(at(61))]), []);
    let gap = Gap { from_utc: at(1), to_utc: at(32) };
    assert_eq!(gaps(&[defined(open), quoted(at(1)), timer(at(20)), quoted(at(32))]), [gap]);
    // Twice the cadence, where that is longer.
    let cadence = |seconds| (open, Input::Fact(Fact::Feed(FeedFact::Cadence { every: Span::from_seconds(seconds) })));
    assert_eq!(gaps(&[defined(open), cadence(60), quoted(at(60)), quoted(at(180))]), []);
    let gap = Gap { from_utc: at(60), to_utc: at(181) };
    assert_eq!(gaps(&[defined(open), cadence(60), quoted(at(60)), quoted(at(181))]), [gap]);
}

#[test]
fn gaps_are_of_the_session_and_of_the_recording_alone() {
    let Session { open, close, .. } = session();
    // Silence before the open and after the close is none; towards open and close it counts from there.
    let inputs =
        [defined(after(open, -3600)), quoted(after(open, 40)), quoted(after(close, -40)), timer(after(close, 3600))];
    let wanted = [
        Gap { from_utc: open, to_utc: after(open, 40) },
        Gap { from_utc: after(open, 40), to_utc: after(close, -40) },
        Gap { from_utc: after(close, -40), to_utc: close },
    ];
    assert_eq!(gaps(&inputs), wanted);
    // A run that begins and ends within the session says nothing of the rest of it.
    assert_eq!(gaps(&[defined(after(open, 600)), quoted(after(open, 610)), timer(after(open, 620))]), []);
    // The feed falls silent and the run goes on.
    let inputs = [defined(after(open, 600)), quoted(after(open, 610)), timer(after(open, 700))];
    assert_eq!(gaps(&inputs), [Gap { from_utc: after(open, 610), to_utc: after(open, 700) }]);
    // The next session is another one: the night between is no gap.
    let next = Session::next_after(session().date).open;
    let inputs = [defined(after(close, -5)), quoted(after(close, -5)), timer(after(close, 60)), quoted(after(next, 5))];
    assert_eq!(gaps(&inputs), []);
}
