//! A venue that goes away and comes back: the floor halts its strategies, says so once, and recovers by itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it must be")]

use agenttrader_agent::start;
use agenttrader_audit::record::{IntentType, Record};
use agenttrader_floor::ports::Service;
use agenttrader_venue::Venue;
use agenttrader_whole::live::{Hall, LONG, Wanted, run, until, venue};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const MAX_AGE: u64 = 3;

/// Within which strategies are halted once the venue is gone.
const HALTED_WITHIN: Duration = Duration::from_secs(MAX_AGE + 3);

async fn states(hall: &Hall) -> BTreeMap<&'static str, String> {
    let of = |status: serde_json::Value| status["status"]["state"].as_str().unwrap_or_default().to_owned();
    hall.statuses().await.into_iter().map(|(name, status)| (name, of(status))).collect()
}

async fn until_state(hall: &Hall, bound: Duration, marketdata: u16, strategies: &str) {
    let what = format!("marketdata answers {marketdata} and strategies are {strategies}");
    until(&what, bound, async || {
        let (code, _) = hall.get(Service::Marketdata, "/healthz").await;
        let states = states(hall).await;
        let all = [start::GAMMA, start::WHALE].into_iter().all(|name| states[name] == strategies);
        (code == marketdata && all).then_some(())
    })
    .await;
}

fn of<'a>(records: &'a [Record], agent_name: &'a str, intent: IntentType) -> impl Iterator<Item = &'a Record> {
    records.iter().filter(move |record| record.agent_name == agent_name && record.intent_type == intent)
}

/// Waits until all is well, and both strategies have recorded so.
async fn until_well(hall: &Hall) {
    until_state(hall, LONG, 200, "OK").await;
    until("both strategies have recorded that they are OK", LONG, async || {
        let records = hall.records();
        let ok = |name| {
            let last = of(&records, name, IntentType::StateTransition).last();
            last.is_some_and(|record| record.intent_summary.ends_with("→ OK"))
        };
        (ok(start::GAMMA) && ok(start::WHALE)).then_some(())
    })
    .await;
}

/// Ends the venue; tells how long it took until the strategies were halted.
async fn halted_after(hall: &Hall, venue: Venue) -> Duration {
    venue.stop().await;
    let gone = Instant::now();
    until_state(hall, LONG, 503, "HALTED").await;
    gone.elapsed()
}

#[test]
fn a_venue_away_halts_strategies_once_and_its_return_recovers_all() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let mut standing = venue(folder.path(), 0, 5, 1.0).await;
        let address = standing.address();
        let mut wanted = Wanted::elsewhere(address);
        wanted.environment.push(("MARKETDATA_MAX_AGE_SECONDS", MAX_AGE.to_string()));
        let hall = Hall::open(wanted).await;
        until_well(&hall).await;
        let mut before = hall.records().len();
        let mut took = halted_after(&hall, standing).await;
        for _ in 0..4 {
            // What a machine that was busy just then adds is not the floor's.
            if took >= HALTED_WITHIN {
                standing = venue(folder.path(), address.port(), 5, 1.0).await;
                until_well(&hall).await;
                before = hall.records().len();
                took = halted_after(&hall, standing).await;
            }
        }
        assert!(took < HALTED_WITHIN, "halted {took:?} after the venue was gone, of {MAX_AGE} s that data may be old");
        let shown = until("mission control shows it", LONG, async || {
            let (_, agents) = hall.get(Service::MissionControl, "/api/v1/agents").await;
            let agents = agents["items"].as_array()?.clone();
            let state = |name: &str| {
                let row = agents.iter().find(|row| row["agent_name"] == name)?;
                row["state"].as_str().or_else(|| row["status"]["state"].as_str()).map(str::to_owned)
            };
            (state(start::GAMMA)? == "HALTED" && state(start::MARKETDATA)? == "DEGRADED").then_some(())
        });
        shown.await;
        // A few more seconds of the same: nothing is told again.
        let since = Instant::now();
        until("some seconds have passed", LONG, async || (since.elapsed() > Duration::from_secs(2)).then_some(()))
            .await;
        let away = hall.records().split_off(before);
        for name in [start::GAMMA, start::WHALE] {
            let told: Vec<&str> =
                of(&away, name, IntentType::StateTransition).map(|record| record.intent_summary.as_str()).collect();
            assert_eq!(told.len(), 1, "{name}: {told:?}");
            assert!(told[0].contains("HALTED"), "{told:?}");
            let skipped: Vec<&str> = of(&away, name, IntentType::StrategyCycleSkipped)
                .map(|record| record.intent_summary.as_str())
                .filter(|summary| summary.contains("skipped"))
                .collect();
            assert_eq!(skipped.len(), 1, "{name} says once that it skips: {skipped:?}");
            assert!(skipped[0].contains("SPY"), "{skipped:?}");
            println!("{name}: {skipped:?}");
        }
        assert!(of(&away, start::MARKETDATA, IntentType::FeedDisconnect).count() >= 2, "both streams");

        let second = venue(folder.path(), address.port(), 5, 1.0).await;
        until_state(&hall, LONG, 200, "OK").await;
        until("the gap is recorded", LONG, async || {
            let records = hall.records();
            of(&records, start::MARKETDATA, IntentType::MarketdataGap)
                .any(|record| record.intent_summary.contains("nothing heard from"))
                .then_some(())
        })
        .await;
        let (ended, _) = hall.close().await;
        assert_eq!(ended.problems, Vec::<String>::new());
        second.stop().await;
    });
}

#[test]
fn a_venue_that_refuses_the_key_for_good_is_told_and_shown() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let venue = venue(folder.path(), 0, 6, 1.0).await;
        let mut wanted = Wanted::elsewhere(venue.address());
        wanted.environment.push(("APCA_API_KEY_ID", "somebody".to_owned()));
        wanted.environment.push(("APCA_API_SECRET_KEY", "something else".to_owned()));
        let hall = Hall::open(wanted).await;
        until("the end of the feed is recorded and shown", LONG, async || {
            let (code, ready) = hall.get(Service::Marketdata, "/readyz").await;
            let said = ready["reason_codes"].as_array()?.iter().any(|reason| reason == "FEED_REFUSED");
            let records = hall.records();
            let mut told = of(&records, start::MARKETDATA, IntentType::FeedDisconnect);
            (code == 503 && said && told.any(|record| record.error.is_some())).then_some(())
        })
        .await;
        assert!(hall.floor.feed_end().is_some());
        // The switch is still watched.
        std::fs::write(hall.switch(), "0").unwrap();
        until("the switch is still seen", LONG, async || {
            let statuses = hall.statuses().await;
            (statuses[start::GAMMA]["safety"]["kill_switch"]["halted"] == false).then_some(())
        })
        .await;
        let _ = hall.close().await;
        venue.stop().await;
    });
}

#[test]
fn a_venue_whose_clock_goes_back_is_told_and_followed() {
    run(async {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = venue(folder.path(), 0, 7, 60.0).await;
        let address = first.address();
        let hall = Hall::open(Wanted::elsewhere(address)).await;
        until_state(&hall, LONG, 200, "OK").await;
        let since = Instant::now();
        until("some minutes of the market have passed", LONG, async || {
            (since.elapsed() > Duration::from_secs(2)).then_some(())
        })
        .await;
        first.stop().await;
        // The same market begun anew: its clock shows what it showed at first.
        let second = venue(other.path(), address.port(), 7, 60.0).await;
        until("the step is recorded", LONG, async || {
            let records = hall.records();
            of(&records, start::MARKETDATA, IntentType::MarketdataGap)
                .any(|record| record.intent_summary.contains("clock stepped"))
                .then_some(())
        })
        .await;
        until_state(&hall, LONG, 200, "OK").await;
        let (ended, closed) = hall.close().await;
        assert_eq!(ended.problems, Vec::<String>::new());
        second.stop().await;
        let recording = ended.recording.unwrap().0;
        let id = agenttrader_sequence::read::Recording::open(&recording).unwrap().head().recording_id;
        let mut recorded = agenttrader_floor::replay::Recorded::of_data_dir(&closed.data_dir, id).unwrap();
        let (mut places, mut differs) = ([0_u64; 3], None);
        let replay = agenttrader_floor::replay::Replay::open(&recording, agenttrader_whole::build(), |_| {
            panic!("it holds its configuration")
        });
        let each = |body: &agenttrader_floor::bodies::Body| {
            places[body.kind as usize] += 1;
            differs = differs.take().or_else(|| recorded.compare(body, places[body.kind as usize]));
            Ok(())
        };
        replay.unwrap().run(each, |_| {}).unwrap();
        assert!(differs.is_none() && recorded.left_over(places).is_none(), "{differs:?}");
    });
}
