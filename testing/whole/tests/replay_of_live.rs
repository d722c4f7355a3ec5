//! A replay of a live floor's own recording equals what the live floor recorded, with halts and feed losses in it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it must be")]

use agenttrader_audit::record::IntentType;
use agenttrader_core::event::MarketEvent;
use agenttrader_floor::bodies::Body;
use agenttrader_floor::replay::{Difference, Recorded, Replay, Replayed};
use agenttrader_sequence::input::{Fact, Input};
use agenttrader_sequence::read::Recording;
use agenttrader_sequence::record::Recorder;
use agenttrader_whole::live::{Closed, Hall, LONG, Wanted, run, until, venue};
use std::path::{Path, PathBuf};
use std::time::Duration;

const STRATEGIES: &[&str] = &["gamma", "whale", "naive_flow_trend"];

/// A floor at a venue that goes away and comes back, with halts before, meanwhile and after.
async fn lossy(seed: u64) -> (PathBuf, Closed) {
    let folder = tempfile::tempdir().unwrap();
    let first = venue(folder.path(), 0, seed, 30.0).await;
    let address = first.address();
    let mut wanted = Wanted { strategies: STRATEGIES, ..Wanted::elsewhere(address) };
    wanted.environment.push(("MARKETDATA_MAX_AGE_SECONDS", "20".to_owned()));
    let hall = Hall::open(wanted).await;
    until("something is decided", LONG, async || (hall.count(IntentType::ExecutionDecision) > 0).then_some(())).await;
    std::fs::write(hall.switch(), "0").unwrap();
    until("the switch is told", LONG, async || (hall.count(IntentType::KillSwitchChange) >= 10).then_some(())).await;
    first.stop().await;
    until("the strategies skip", LONG, async || {
        let skips = |record: &agenttrader_audit::record::Record| {
            record.intent_type == IntentType::StrategyCycleSkipped && record.intent_summary.contains("skipped")
        };
        hall.records().iter().any(skips).then_some(())
    })
    .await;
    std::fs::write(hall.switch(), "1").unwrap();
    let second = venue(folder.path(), address.port(), seed, 30.0).await;
    let before = hall.count(IntentType::FeedConnect);
    until("the feed is back", LONG, async || (hall.count(IntentType::FeedConnect) > before).then_some(())).await;
    let decided = hall.count(IntentType::ExecutionDecision);
    let since = std::time::Instant::now();
    until("more is decided, or a minute and a half of the market has passed", LONG, async || {
        let more = hall.count(IntentType::ExecutionDecision) > decided;
        (more || since.elapsed() > Duration::from_secs(3)).then_some(())
    })
    .await;
    let recording = end(hall).await;
    second.stop().await;
    recording
}

async fn end(hall: Hall) -> (PathBuf, Closed) {
    let (ended, closed) = hall.close().await;
    assert_eq!(ended.problems, Vec::<String>::new());
    (ended.recording.unwrap().0, closed)
}

/// Replays; each body goes to `each`.
fn replay(recording: &Path, mut each: impl FnMut(&Body)) -> Replayed {
    let opened =
        Replay::open(recording, agenttrader_whole::build(), |_| panic!("a live recording holds its configuration"));
    let take = |body: &Body| {
        each(body);
        Ok(())
    };
    opened.unwrap().run(take, |_| {}).unwrap()
}

/// Compares a replay with what the run wrote into its logs.
fn verify(recording: &Path, data_dir: &Path) -> (Replayed, Option<Difference>) {
    let id = Recording::open(recording).unwrap().head().recording_id;
    let mut recorded = Recorded::of_data_dir(data_dir, id).unwrap();
    let (mut places, mut first) = ([0_u64; 3], None);
    let replayed = replay(recording, |body| {
        places[body.kind as usize] += 1;
        if first.is_none() {
            first = recorded.compare(body, places[body.kind as usize]);
        }
    });
    let difference = first.or_else(|| recorded.left_over(places)).or_else(|| recorded.other_recording(&replayed));
    assert!(recorded.is_whole() || recorded.not_logged() > 0 || difference.is_none());
    (replayed, difference)
}

/// Leaves the first `kept` records of an agent's log, and no checkpoint of them: it was killed before one was made.
fn cut_log(data_dir: &Path, agent_name: &str, kept: usize) {
    let state = data_dir.join("audit-state").join(agent_name);
    std::fs::remove_dir_all(data_dir.join("audit").join(agent_name)).unwrap();
    std::fs::remove_file(state.join("head")).unwrap();
    let segment = state.join("journal").join(format!("{:020}", 0));
    let bytes = std::fs::read(&segment).unwrap();
    let mut end = 0;
    for _ in 0..kept {
        let record = u32::from_le_bytes(*bytes[end..].first_chunk().unwrap());
        end += FRAME_HEADER_BYTES + usize::try_from(record).unwrap();
    }
    std::fs::write(&segment, &bytes[..end]).unwrap();
}

/// Bytes of a journal's frame before its record: length, checksum, batch, chain.
const FRAME_HEADER_BYTES: usize = 4 + 4 + 8 + 32;

fn identical(seed: u64) {
    let (recording, closed) = run(lossy(seed));
    let (replayed, difference) = verify(&recording, &closed.data_dir);
    assert!(difference.is_none(), "seed {seed}: {difference:?}");
    assert!(replayed.decisions > 0 && replayed.proposals == replayed.decisions, "seed {seed}: {replayed:?}");
    assert!(replayed.torn.is_none());
    println!(
        "seed {seed}: {} inputs, {} proposals, {} decisions, {} fills",
        replayed.inputs, replayed.proposals, replayed.decisions, replayed.fills
    );
}

#[test]
fn ten_lossy_live_runs_are_replayed_byte_for_byte() {
    // Side by side, five at a time: most of a floor's life is waiting.
    for seeds in [10..15, 15..20] {
        std::thread::scope(|scope| {
            for seed in seeds {
                scope.spawn(move || identical(seed));
            }
        });
    }
}

#[test]
fn two_replays_are_equal_and_a_changed_quote_is_found_and_shown_with_both_sides() {
    let (recording, closed) = run(async {
        let hall = Hall::open(Wanted { strategies: STRATEGIES, ..Wanted::simulated(7, 60.0) }).await;
        until("two agents have proposed by turns", LONG, async || {
            let records = hall.records();
            let proposals = records.iter().filter(|record| record.intent_type == IntentType::OrderProposal);
            let authors: Vec<&str> = proposals.map(|record| record.agent_name.as_str()).collect();
            let turns = authors.windows(2).filter(|pair| pair[0] != pair[1]).count();
            (turns >= 3).then_some(())
        })
        .await;
        end(hall).await
    });
    let (_, difference) = verify(&recording, &closed.data_dir);
    assert!(difference.is_none(), "proposals in several logs are put in the run's order: {difference:?}");
    let first = replay(&recording, |_| {});
    let second = replay(&recording, |_| {});
    assert_eq!(first.bodies_sha256, second.bodies_sha256);
    assert_eq!(first.recording_sha256, second.recording_sha256);

    let changed = closed.data_dir.join("changed.rec");
    let mut reading = Recording::open(&recording).unwrap();
    let mut writing = Recorder::create(&changed, reading.head()).unwrap();
    let mut done = false;
    while let Some(mut numbered) = reading.next_input().unwrap() {
        if let Input::Market(MarketEvent::Quote(quote)) = &mut numbered.input
            && !done
        {
            quote.bid_size += 1;
            done = true;
        }
        assert_eq!(writing.record(numbered.at, &numbered.input).unwrap(), numbered.number);
    }
    writing.finish().unwrap();
    assert!(done);
    let (replayed, difference) = verify(&changed, &closed.data_dir);
    assert_ne!(replayed.recording_sha256, first.recording_sha256);
    let difference = difference.expect("the changed input is found");
    assert!(difference.replayed.is_some() && difference.recorded.is_some(), "{difference:?}");
    // The first proposal after the changed quote; one that came before it is the same.
    assert_eq!(difference.kind, "proposal");
    assert_eq!(difference.pointer, "/causation/recording_sha256");
}

#[test]
fn a_changed_end_is_found_and_a_run_that_was_cut_off_is_not_accused() {
    let (recording, closed) = run(async {
        let hall = Hall::open(Wanted { strategies: STRATEGIES, ..Wanted::simulated(8, 60.0) }).await;
        until("something is decided", LONG, async || (hall.count(IntentType::ExecutionDecision) > 1).then_some(()))
            .await;
        end(hall).await
    });
    assert!(verify(&recording, &closed.data_dir).1.is_none());
    // One more input, which leads to nothing that is compared: only the logs' last word on the recording tells.
    let longer = closed.data_dir.join("longer.rec");
    let mut reading = Recording::open(&recording).unwrap();
    let mut writing = Recorder::create(&longer, reading.head()).unwrap();
    let (mut last_word, mut last_at) = (None, None);
    while let Some(numbered) = reading.next_input().unwrap() {
        writing.record(numbered.at, &numbered.input).unwrap();
        last_at = Some(numbered.at);
        if matches!(&numbered.input, Input::Fact(Fact::Log { .. })) {
            last_word = Some(numbered.input);
        }
    }
    writing.record(last_at.unwrap(), &last_word.unwrap()).unwrap();
    writing.finish().unwrap();
    assert_eq!(verify(&longer, &closed.data_dir).1.unwrap().kind, "recording");
    let bytes = std::fs::read(&recording).unwrap();
    std::fs::write(&recording, &bytes[..bytes.len() - 40]).unwrap();
    assert!(verify(&recording, &closed.data_dir).1.is_some(), "a cut end is found");
    std::fs::write(&recording, &bytes).unwrap();

    // Killed: the logs stop somewhere, and no agent has said how the recording ended.
    for name in ["gamma-strategy", "whale-strategy", "shadow-gate", "marketdata-mcp-server", "mission-control"] {
        let kinds: Vec<IntentType> = closed.journal(name).iter().map(|record| record.intent_type).collect();
        let kept = if name == "shadow-gate" {
            kinds.iter().rposition(|kind| *kind == IntentType::ExecutionDecision).unwrap()
        } else {
            kinds.len() - 1
        };
        cut_log(&closed.data_dir, name, kept);
    }
    let id = Recording::open(&recording).unwrap().head().recording_id;
    let mut recorded = Recorded::of_data_dir(&closed.data_dir, id).unwrap();
    let (mut places, mut first) = ([0_u64; 3], None);
    let replayed = replay(&recording, |body| {
        places[body.kind as usize] += 1;
        if first.is_none() {
            first = recorded.compare(body, places[body.kind as usize]);
        }
    });
    let difference = first.or_else(|| recorded.left_over(places)).or_else(|| recorded.other_recording(&replayed));
    assert!(difference.is_none(), "{difference:?}");
    assert!(!recorded.is_whole() && recorded.not_logged() > 0);
}
