//! Recordings of real markets, made here from small files in LEAN's format: a half day with a whole chain, a day of ticks
//! without options, options without quotes, an index without a feed. Each is imported and replayed at defaults.

#[path = "recordings/lean.rs"]
mod lean;

use agenttrader_core::calendar::{Session, new_york};
use agenttrader_core::proposal::Proposal;
use agenttrader_core::reason::Reason;
use agenttrader_floor::bodies::{Body, BodyKind};
use agenttrader_floor::replay::{Recorded, Replay, Replayed};
use agenttrader_sequence::head::Head;
use agenttrader_whole::{build, configuration};
use lean::{Folder, Walk};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const STRATEGIES: [&str; 3] = ["gamma", "whale", "naive_flow_trend"];

/// A replay and every body it gave.
struct Replayable {
    replayed: Replayed,
    bodies: Vec<Body>,
}

fn replay(recording: &Path) -> Replayable {
    let defaults = |head: &Head| Ok(configuration(&STRATEGIES, &head.symbols));
    let mut bodies = Vec::new();
    let each = |body: &Body| {
        bodies.push(body.clone());
        Ok(())
    };
    let replayed = Replay::open(recording, build(), defaults).unwrap().run(each, |_| {}).unwrap();
    Replayable { replayed, bodies }
}

impl Replayable {
    fn of_kind(&self, kind: BodyKind) -> impl Iterator<Item = Value> {
        let bodies = self.bodies.iter().filter(move |body| body.kind == kind);
        bodies.map(|body| serde_json::from_str(&body.json).unwrap())
    }

    fn proposals(&self, strategy: &str) -> Vec<Proposal> {
        let bodies = self.of_kind(BodyKind::Proposal).filter(|body| body["strategy_name"] == strategy);
        bodies.map(|body| serde_json::from_value(body).unwrap()).collect()
    }

    /// What a strategy says that is neither the start nor the end of the session.
    fn said(&self, strategy: &str) -> Vec<&str> {
        let own = self.replayed.notes.iter().filter_map(|note| note.strip_prefix(strategy)?.strip_prefix(": "));
        own.filter(|note| !note.contains("evaluation skipped") && !note.contains("evaluation goes on")).collect()
    }

    /// Units a strategy is left with, by instrument, from the fills alone.
    fn left(&self, strategy: &str) -> BTreeMap<String, i64> {
        let mut left: BTreeMap<String, i64> = BTreeMap::new();
        for fill in self.of_kind(BodyKind::Fill).filter(|fill| fill["strategy_name"] == strategy) {
            for leg in fill["legs"].as_array().unwrap() {
                let name = leg["contract_symbol"].as_str().or(leg["symbol"].as_str()).unwrap();
                let sign = if leg["side"] == "BUY" { 1 } else { -1 };
                *left.entry(name.to_owned()).or_default() += sign * leg["quantity"].as_i64().unwrap();
            }
        }
        left.retain(|_, quantity| *quantity != 0);
        left
    }

    /// Each refusal of a hedge or close for more than the posture.
    fn refusals_beyond_posture(&self) -> Vec<String> {
        let intents: BTreeMap<String, String> = self
            .of_kind(BodyKind::Proposal)
            .map(|body| (body["proposal_id"].as_str().unwrap().to_owned(), body["intent"].as_str().unwrap().to_owned()))
            .collect();
        let beyond = |decision: Value| {
            let intent = &intents[decision["proposal_id"].as_str().unwrap()];
            let reasons: Vec<Reason> = serde_json::from_value(decision["reason_codes"].clone()).unwrap();
            let more: Vec<Reason> = reasons.into_iter().filter(|reason| !reason.is_posture()).collect();
            (intent != "OPEN" && !more.is_empty()).then(|| format!("{intent}: {more:?}"))
        };
        self.of_kind(BodyKind::Decision).filter_map(beyond).collect()
    }

    fn lines(&self) -> String {
        self.bodies.iter().map(|body| format!("{} {}\n", body.kind, body.json)).collect()
    }
}

#[test]
fn on_a_half_day_with_a_chain_gamma_scalps_and_is_flat_whale_says_why_it_does_not_and_the_example_trades() {
    let folder = Folder::new();
    folder.half_day_of_goog(0);
    let played = replay(&folder.import("GOOG", lean::HALF_DAY));

    let gamma = played.proposals("gamma");
    let first = gamma.first().expect("gamma proposes").created_at_utc;
    assert!(first >= new_york(lean::HALF_DAY, 9, 35) && first <= new_york(lean::HALF_DAY, 12, 0), "{first}");
    let fills: Vec<Value> = played.of_kind(BodyKind::Fill).filter(|fill| fill["strategy_name"] == "gamma").collect();
    for intent in ["OPEN", "HEDGE", "CLOSE"] {
        assert!(fills.iter().any(|fill| fill["intent"] == intent), "gamma fills {intent}: {:?}", played.said("gamma"));
    }
    assert_eq!(played.left("gamma"), BTreeMap::new(), "flat by its own doing");
    assert!(fills.iter().all(|fill| fill["cause"] == "ORDER"), "nothing is left to expire");
    let exit = Session::on(lean::HALF_DAY).unwrap().close;
    let last: agenttrader_core::time::UnixNanos =
        serde_json::from_value(fills.last().unwrap()["filled_at_utc"].clone()).unwrap();
    assert!(last < exit.minus(agenttrader_core::time::Span::from_minutes(30)), "{last}");
    assert_eq!(played.refusals_beyond_posture(), Vec::<String>::new());

    assert_eq!(
        played.said("whale"),
        ["GOOG: nothing to do this session: its options' prints come as bars alone, which have no side to follow"]
    );
    assert!(!played.proposals("naive_flow_trend").is_empty());
}

#[test]
fn on_a_day_of_ticks_without_options_the_example_trades_and_the_others_say_why_they_do_not() {
    let folder = Folder::new();
    folder.ticks_of_spy();
    let played = replay(&folder.import("SPY", lean::TICKS));
    for strategy in ["gamma", "whale"] {
        assert!(played.proposals(strategy).is_empty());
        assert_eq!(played.said(strategy), ["SPY: nothing to do this session: it has no options"]);
    }
    assert!(!played.proposals("naive_flow_trend").is_empty());
    assert_eq!(played.refusals_beyond_posture(), Vec::<String>::new());
}

#[test]
fn options_without_quotes_are_nothing_to_trade() {
    let folder = Folder::new();
    folder.unquoted_options_of_aapl();
    let played = replay(&folder.import("AAPL", lean::UNQUOTED));
    assert_eq!(
        played.said("gamma"),
        ["AAPL: nothing to do this session: its options that expire today have no quotes"]
    );
    assert_eq!(
        played.said("whale"),
        ["AAPL: nothing to do this session: its options have no quotes, so no print has a side"]
    );
    assert!(played.proposals("gamma").is_empty() && played.proposals("whale").is_empty());
    assert!(!played.proposals("naive_flow_trend").is_empty());
}

#[test]
fn an_index_without_a_feed_has_nothing_to_hedge_with_and_each_says_so_in_one_line() {
    let folder = Folder::new();
    folder.index_options_of_spxw();
    let played = replay(&folder.import("SPXW", lean::INDEX));
    assert_eq!(
        STRATEGIES.map(|strategy| played.said(strategy).join(" | ")),
        [
            "SPXW: nothing to do this session: there is no share to hedge with (an index needs hedge_symbol and hedge_ratio)",
            "SPXW: nothing to do this session: its options' prints come as bars alone, which have no side to follow",
            "SPXW: nothing to do this session: it has no shares to trade, only an index level or options",
        ]
    );
    assert_eq!(played.replayed.proposals, 0);
}

#[test]
fn two_replays_are_the_same_bytes_and_a_changed_input_is_found_and_shown() {
    let folder = Folder::new();
    folder.half_day_of_goog(0);
    let recording = folder.import("GOOG", lean::HALF_DAY);
    let (first, second) = (replay(&recording), replay(&recording));
    assert_eq!(first.lines(), second.lines());
    assert_eq!(first.replayed.bodies_sha256, second.replayed.bodies_sha256);
    assert!(first.replayed.proposals > 0);

    // The same day with one quote a cent off.
    let bodies = folder.path("bodies.txt");
    std::fs::write(&bodies, first.lines()).unwrap();
    let changed = Folder::new();
    changed.half_day_of_goog(100);
    let other = replay(&changed.import("GOOG", lean::HALF_DAY));
    let mut recorded = Recorded::of_files(&bodies).unwrap();
    let mut places = [0_u64; 3];
    let difference = other.bodies.iter().find_map(|body| {
        places[body.kind as usize] += 1;
        recorded.compare(body, places[body.kind as usize])
    });
    let difference = difference.expect("a changed input is found");
    assert!(difference.replayed.is_some() && difference.recorded.is_some() && !difference.pointer.is_empty());

    // The same file with one byte changed: refused, or it says something else.
    let mut bytes = std::fs::read(&recording).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 0x10;
    let tampered = folder.path("tampered.rec");
    std::fs::write(&tampered, bytes).unwrap();
    let defaults = |head: &Head| Ok(configuration(&STRATEGIES, &head.symbols));
    let again = Replay::open(&tampered, build(), defaults).and_then(|replay| replay.run(|_| Ok(()), |_| {}));
    assert!(again.is_err_and(|error| !error.to_string().is_empty()));
}

#[test]
fn a_walk_is_the_same_on_any_machine() {
    let mut walk = Walk::new(7, 750.0, 0.3);
    let steps: Vec<f64> = (0..3).map(|_| walk.step()).collect();
    assert!(steps.iter().all(|step| (740.0..760.0).contains(step)));
    let mut again = Walk::new(7, 750.0, 0.3);
    assert_eq!(steps, (0..3).map(|_| again.step()).collect::<Vec<f64>>());
}
