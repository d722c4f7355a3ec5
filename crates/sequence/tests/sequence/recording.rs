//! What is written reads back, and nothing else does.

use crate::common::{any_inputs, head, instrument, numbered, one_of_each, quote, read, write};
use agenttrader_core::digest::Digest;
use agenttrader_core::event::MarketEvent;
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_sequence::head::{HeadError, MAX_HEAD_BYTES};
use agenttrader_sequence::input::{Fact, FeedFact, Input};
use agenttrader_sequence::read::{ReadError, Recording, Torn};
use agenttrader_sequence::record::{RecordError, Recorder};
use proptest::prelude::*;
use std::path::Path;

#[test]
fn one_input_of_each_kind_reads_back_with_its_head() {
    let dir = tempfile::tempdir().unwrap();
    let (bytes, _) = write(&dir.path().join("a.rec"), &one_of_each());
    let (given, end) = read(&bytes);
    assert_eq!(given, numbered(&one_of_each()));
    assert_eq!(end.unwrap(), None);
    let recording = Recording::open(&dir.path().join("a.rec")).unwrap();
    assert_eq!(recording.head(), &head());
}

#[test]
fn the_same_inputs_give_the_documented_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let at = UnixNanos::from_nanos(0x0102_0304_0506_0708);
    let inputs = [
        (at, Input::Instrument { id: InstrumentId(0), instrument: instrument(0) }),
        (at, Input::Market(MarketEvent::Quote(quote(InstrumentId(0), UnixNanos::from_nanos(-2))))),
    ];
    let (bytes, ends) = write(&dir.path().join("a.rec"), &inputs);
    let json = head().to_json().unwrap();
    assert_eq!(&bytes[..8], b"\x89ATREC\r\n");
    assert_eq!(&bytes[8..12], &[1, 0, 0, 0]);
    assert_eq!(&bytes[12..16], &(json.len() as u32).to_le_bytes());
    assert_eq!(&bytes[16..16 + json.len()], json.as_bytes());
    let first = 16 + json.len() + 4;
    let text = br#"{"kind":"equity","symbol":"SPY"}"#;
    assert_eq!(bytes[first], b'I');
    assert_eq!(&bytes[first + 1..first + 9], &[8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(&bytes[first + 9..first + 13], &(4 + text.len() as u32).to_le_bytes());
    assert_eq!(&bytes[first + 13..first + 17], &[0; 4]);
    assert_eq!(&bytes[first + 17..first + 17 + text.len()], text);
    assert_eq!(ends[0], first + 17 + text.len() + 4);
    let mut expected = vec![b'Q', 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0xfe, 255, 255, 255, 255, 255, 255, 255];
    expected.extend_from_slice(&450_240_000_000_i64.to_le_bytes());
    expected.extend_from_slice(&450_260_000_000_i64.to_le_bytes());
    expected.extend_from_slice(&[0x2c, 1, 0, 0, 200, 0, 0, 0, b'Q', b'P', b'R']);
    assert_eq!(expected.len(), 48);
    assert_eq!(&bytes[ends[0]..ends[0] + 48], expected);
    assert_eq!(ends[1], ends[0] + 52);
    assert_eq!(bytes.len(), ends[1]);
}

#[test]
fn the_checksum_is_the_one_of_zip_and_ethernet() {
    // CRC-32/ISO-HDLC: its check value over the nine digits is in every catalogue.
    assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
    let dir = tempfile::tempdir().unwrap();
    let (bytes, ends) = write(&dir.path().join("a.rec"), &one_of_each());
    for pair in ends.windows(2) {
        let (body, sum) = bytes[pair[0]..pair[1]].split_at(pair[1] - pair[0] - 4);
        assert_eq!(crc32fast::hash(body).to_le_bytes(), sum);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_inputs_read_back_equal(inputs in any_inputs(60)) {
        let dir = tempfile::tempdir().unwrap();
        let (bytes, _) = write(&dir.path().join("a.rec"), &inputs);
        let (given, end) = read(&bytes);
        prop_assert_eq!(given, numbered(&inputs));
        prop_assert_eq!(end.unwrap(), None);
    }

    #[test]
    fn the_digest_is_that_of_the_bytes_up_to_the_input(inputs in any_inputs(12)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.rec");
        let mut recorder = Recorder::create(&path, &head()).unwrap();
        let mut wanted = vec![(recorder.bytes(), recorder.digest_so_far())];
        for (at, input) in &inputs {
            recorder.record(*at, input).unwrap();
            wanted.push((recorder.bytes(), recorder.digest_so_far()));
        }
        let finished = recorder.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let mut recording = Recording::open(&path).unwrap();
        for (length, digest) in &wanted {
            prop_assert_eq!(Digest::of(&bytes[..*length as usize]), *digest);
            prop_assert_eq!(recording.offset(), *length);
            prop_assert_eq!(recording.digest_so_far(), *digest);
            recording.next_input().unwrap();
        }
        prop_assert_eq!((finished.digest, finished.bytes), (Digest::of(&bytes), bytes.len() as u64));
    }

    #[test]
    fn nothing_that_is_read_panics_or_goes_past_what_was_written(
        inputs in any_inputs(8),
        garbage in prop::collection::vec(any::<u8>(), 0..64),
        at in any::<prop::sample::Index>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (mut bytes, _) = write(&dir.path().join("a.rec"), &inputs);
        let at = at.index(bytes.len());
        bytes.splice(at.., garbage);
        let (given, _) = read(&bytes);
        let wanted = numbered(&inputs);
        prop_assert_eq!(&given[..], &wanted[..given.len()]);
    }
}

#[test]
fn every_truncation_gives_what_was_whole_and_tells_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let (bytes, ends) = write(&dir.path().join("a.rec"), &one_of_each());
    let all = numbered(&one_of_each());
    let head_end = first_record(&bytes);
    for cut in 0..=bytes.len() {
        let (given, end) = read(&bytes[..cut]);
        if cut < head_end {
            assert!(
                matches!(end, Err(ReadError::HeadTruncated { bytes, .. }) if bytes == cut as u64),
                "{cut}: {end:?}"
            );
            continue;
        }
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let last_end = if whole == 0 { head_end } else { ends[whole - 1] };
        assert_eq!(given, all[..whole], "{cut}");
        let torn = Torn { offset: last_end as u64, bytes: (cut - last_end) as u64 };
        assert_eq!(end.unwrap(), (torn.bytes > 0).then_some(torn), "{cut}");
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (bytes, ends) = write(&dir.path().join("a.rec"), &one_of_each());
    let all = numbered(&one_of_each());
    let last = ends[ends.len() - 2];
    for at in 0..bytes.len() {
        for mask in [1, 2, 4, 8, 16, 32, 64, 128, 0xff, bytes[at]] {
            let mut altered = bytes.clone();
            altered[at] ^= mask;
            if altered == bytes {
                continue;
            }
            let (given, end) = read(&altered);
            let before = ends.iter().filter(|end| **end <= at).count();
            match end {
                Err(_) if at < first_record(&bytes) => assert!(given.is_empty()),
                Err(_) => assert_eq!(given, all[..before], "byte {at} ^ {mask:#x}"),
                Ok(torn) => {
                    assert!(at >= last, "byte {at} ^ {mask:#x} is not in the last record, and was let pass");
                    assert_eq!(torn.map(|torn| torn.offset), Some(last as u64), "byte {at} ^ {mask:#x}");
                    assert_eq!(given, all[..before], "byte {at} ^ {mask:#x}");
                }
            }
        }
    }
}

#[test]
fn zeros_left_by_a_crash_are_cut_and_garbage_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (bytes, _) = write(&dir.path().join("a.rec"), &one_of_each());
    let zeros = [&bytes[..], &[0; 5000]].concat();
    let (given, end) = read(&zeros);
    assert_eq!(given.len(), one_of_each().len());
    assert_eq!(end.unwrap(), Some(Torn { offset: bytes.len() as u64, bytes: 5000 }));
    let garbage = [&bytes[..], b"anything else"].concat();
    let (given, end) = read(&garbage);
    assert_eq!(given.len(), one_of_each().len());
    assert!(matches!(end, Err(ReadError::Damaged { offset, .. }) if offset == bytes.len() as u64));
}

#[test]
fn a_bad_record_with_a_good_one_behind_it_names_both_places() {
    let dir = tempfile::tempdir().unwrap();
    let (mut bytes, ends) = write(&dir.path().join("a.rec"), &one_of_each());
    bytes[ends[2] + 20] ^= 1;
    let error = read(&bytes).1.unwrap_err().to_string();
    assert!(error.contains(&format!("damaged at byte {}, input 3", ends[2])), "{error}");
    assert!(error.contains(&format!("a good record follows at byte {}", ends[3])), "{error}");
}

#[test]
fn whatever_is_no_recording_of_this_version_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (bytes, _) = write(&dir.path().join("a.rec"), &one_of_each());
    assert!(matches!(read(b"").1, Err(ReadError::HeadTruncated { bytes: 0, .. })));
    assert!(matches!(read(b"PK\x03\x04").1, Err(ReadError::Magic { .. })));
    assert!(matches!(read(b"\x89ATREC\n\x01\0\0\0").1, Err(ReadError::Magic { .. })));
    let with = |at: usize, word: u32| {
        let mut bytes = bytes.clone();
        bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        read(&bytes).1.unwrap_err()
    };
    assert!(matches!(with(8, 2), ReadError::Version { found: 2, .. }));
    let too_long = with(12, MAX_HEAD_BYTES as u32 + 1);
    assert!(matches!(too_long, ReadError::Head { source: HeadError::TooLong { .. }, .. }));
    assert!(matches!(with(12, MAX_HEAD_BYTES as u32), ReadError::HeadTruncated { .. }));
    let at = first_record(&bytes) + 9;
    let error = with(at, 16 * 1024 * 1024 + 1);
    assert!(matches!(error, ReadError::Length { offset, number: 0, .. } if offset == (at - 9) as u64));
    let missing = Recording::open(&dir.path().join("missing.rec")).unwrap_err();
    assert!(matches!(missing, ReadError::Open { .. }));
    let folder = Recording::open(dir.path()).unwrap_err();
    assert!(matches!(folder, ReadError::Open { .. } | ReadError::Io { offset: 0, .. }));
}

#[test]
fn records_whose_checksum_is_right_and_whose_content_is_not_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = [(UnixNanos::EPOCH, Input::Instrument { id: InstrumentId(0), instrument: instrument(0) })];
    let (bytes, _) = write(&dir.path().join("a.rec"), &inputs);
    let refused = |body: &[u8]| {
        let sum = crc32fast::hash(body).to_le_bytes();
        let (given, end) = read(&[&bytes[..], body, &sum].concat());
        assert_eq!(given.len(), 1);
        match end {
            Err(ReadError::Content { offset, number: 1, problem, .. }) if offset == bytes.len() as u64 => problem,
            other => panic!("{other:?}"),
        }
    };
    let prefixed =
        |kind: u8, payload: &[u8]| [&[kind][..], &[0; 8], &(payload.len() as u32).to_le_bytes(), payload].concat();
    assert!(refused(&prefixed(b'F', b"{\"fact\":\"timer\"}")).contains("wall"));
    assert!(refused(&prefixed(b'F', b"{\"fact\":\"order\"}")).contains("unknown variant"));
    assert!(refused(&prefixed(b'F', b"")).contains("not JSON"));
    assert!(refused(&prefixed(b'I', b"\x01")).contains("without a number"));
    let twice = [&0_u32.to_le_bytes()[..], br#"{"kind":"equity","symbol":"QQQ"}"#].concat();
    assert!(refused(&prefixed(b'I', &twice)).contains("gets number 0 where 1 comes next"));
    // An event of an instrument that was never defined, a flag that is neither 0 nor 1, a date that is none.
    assert!(refused(&[&b"Q"[..], &[0; 8], &[9, 0, 0, 0], &[0; 35]].concat()).contains("number 9, but only 1"));
    assert!(refused(&[&b"H"[..], &[0; 8], &[0; 12], &[2], &[0; 5]].concat()).contains("field"));
    assert!(refused(&[&b"O"[..], &[0; 8], &[0; 12], &[0; 4]].concat()).contains("field"));
}

#[test]
fn a_recording_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.rec");
    std::fs::write(&path, b"something").unwrap();
    assert!(matches!(Recorder::create(&path, &head()), Err(RecordError::Exists { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"something");
    let nowhere = dir.path().join("missing").join("a.rec");
    assert!(matches!(Recorder::create(&nowhere, &head()), Err(RecordError::Create { .. })));
    let mut other = head();
    other.format_version = 2;
    let path = dir.path().join("b.rec");
    assert!(matches!(Recorder::create(&path, &other), Err(RecordError::Head { .. })));
    assert!(!path.exists());
}

#[test]
fn an_input_without_a_form_gets_no_number_and_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.rec");
    let mut recorder = Recorder::create(&path, &head()).unwrap();
    let at = UnixNanos::EPOCH;
    let before = (recorder.bytes(), recorder.digest_so_far());
    let step = |by| Input::Fact(Fact::Feed(FeedFact::ClockStepped { by }));
    let long = "x".repeat(16 * 1024 * 1024);
    let refused = [
        step(Span::from_nanos(i64::MIN)),
        Input::Fact(Fact::Feed(FeedFact::Disconnected { stream: long, reason: String::new() })),
        Input::Market(MarketEvent::Quote(quote(InstrumentId(0), at))),
        Input::Instrument { id: InstrumentId(1), instrument: instrument(1) },
    ];
    for input in &refused {
        assert!(matches!(recorder.record(at, input), Err(RecordError::Input { number: 0, .. })));
        assert_eq!((recorder.bytes(), recorder.digest_so_far(), recorder.inputs()), (before.0, before.1, 0));
    }
    assert_eq!(recorder.record(at, &step(Span::ZERO)).unwrap(), 0);
    recorder.finish().unwrap();
    assert_eq!(read(&std::fs::read(&path).unwrap()).0.len(), 1);
}

#[test]
fn what_is_flushed_can_be_read_while_the_run_goes_on_and_a_dropped_recorder_keeps_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.rec");
    let count = || Recording::open(&path).unwrap().map(Result::unwrap).count();
    let mut recorder = Recorder::create(&path, &head()).unwrap();
    assert_eq!(count(), 0);
    let timer = Input::Fact(Fact::Timer { wall: UnixNanos::EPOCH });
    recorder.record(UnixNanos::EPOCH, &timer).unwrap();
    assert_eq!(count(), 0);
    recorder.flush().unwrap();
    assert_eq!(count(), 1);
    recorder.record(UnixNanos::EPOCH, &timer).unwrap();
    drop(recorder);
    assert_eq!(count(), 2);
}

#[test]
fn recordings_far_larger_than_the_buffers_read_back_in_small_pieces() {
    /// Gives at most seven bytes at a time.
    struct Slow(std::io::Cursor<Vec<u8>>);
    impl std::io::Read for Slow {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let most = out.len().min(7);
            self.0.read(&mut out[..most])
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let text = "long ".repeat(60_000);
    let mut inputs = vec![(UnixNanos::EPOCH, Input::Instrument { id: InstrumentId(0), instrument: instrument(0) })];
    for second in 0..8_000 {
        let at = UnixNanos::from_seconds(second);
        inputs.push((at, Input::Market(MarketEvent::Quote(quote(InstrumentId(0), at)))));
        if second % 4_000 == 1 {
            let fact = FeedFact::Disconnected { stream: "stocks".to_owned(), reason: text.clone() };
            inputs.push((at, Input::Fact(Fact::Feed(fact))));
        }
    }
    let (bytes, _) = write(&dir.path().join("a.rec"), &inputs);
    assert_eq!(read(&bytes).0, numbered(&inputs));
    let mut slow = Recording::from_reader(Slow(std::io::Cursor::new(bytes.clone())), Path::new("slow")).unwrap();
    let given: Vec<_> = slow.by_ref().map(Result::unwrap).collect();
    assert_eq!(given, numbered(&inputs));
    assert_eq!(slow.digest_so_far(), Digest::of(&bytes));
}

/// Where the first record begins.
fn first_record(bytes: &[u8]) -> usize {
    16 + u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize + 4
}
