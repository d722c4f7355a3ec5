//! A floor on a recording, and a floor's recording of that: both are replayed byte for byte.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it must be")]

use agenttrader_audit::record::IntentType;
use agenttrader_floor::bodies::Body;
use agenttrader_floor::market::MarketChoice;
use agenttrader_floor::ports::Service;
use agenttrader_floor::replay::{Recorded, Replay};
use agenttrader_sequence::head::SourceKind;
use agenttrader_sequence::read::Recording;
use agenttrader_whole::live::{Hall, LONG, Wanted, run, until};

const STRATEGIES: &[&str] = &["gamma", "whale", "naive_flow_trend"];

#[test]
fn a_floor_runs_on_a_recording_and_its_own_recording_of_that_is_replayed_byte_for_byte() {
    run(async {
        let hall = Hall::open(Wanted { strategies: STRATEGIES, ..Wanted::simulated(21, 60.0) }).await;
        until("some decisions", LONG, async || (hall.count(IntentType::ExecutionDecision) >= 3).then_some(())).await;
        let (ended, _first) = hall.close().await;
        let file = ended.recording.unwrap().0;

        let market = MarketChoice::Recording { file, speed: 30.0 };
        let hall = Hall::open(Wanted { market, strategies: STRATEGIES, ..Wanted::simulated(21, 30.0) }).await;
        until("the played market leads to decisions too", LONG, async || {
            let (_, decisions) = hall.get(Service::MissionControl, "/api/v1/decisions").await;
            (!decisions["items"].as_array()?.is_empty()).then_some(())
        })
        .await;
        let (ended, closed) = hall.close().await;
        assert_eq!(ended.problems, Vec::<String>::new());
        let recording = ended.recording.unwrap().0;
        let head = Recording::open(&recording).unwrap().head().clone();
        assert_eq!(head.source.kind, SourceKind::Playback);
        let mut recorded = Recorded::of_data_dir(&closed.data_dir, head.recording_id).unwrap();
        let (mut places, mut first) = ([0_u64; 3], None);
        let compare = |body: &Body| {
            places[body.kind as usize] += 1;
            first = first.take().or_else(|| recorded.compare(body, places[body.kind as usize]));
            Ok(())
        };
        let replay = Replay::open(&recording, agenttrader_whole::build(), |_| panic!("it holds its configuration"));
        let replayed = replay.unwrap().run(compare, |_| {}).unwrap();
        assert!(first.is_none(), "{first:?}");
        assert!(recorded.left_over(places).is_none());
        assert!(replayed.decisions > 0);
    });
}
