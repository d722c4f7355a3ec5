//! What a user of the flow classification relies on: each rule at its boundary.
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use agenttrader_options::{
    Right,
    flow::{Condition, ContractFlow, FlowEvent, Kind, Outcome, Print, Sentiment, Surroundings, conviction, premium},
    quote_trail::{Quote, Side},
};
use proptest::{prelude::*, test_runner::FileFailurePersistence};

const MS: i64 = 1_000_000;
const START: i64 = 1_000_000_000_000;

const PLAIN: Surroundings = Surroundings { spot: None, day_volume: 0, open_interest: None };

/// A contract quoted 1.00 to 1.20, and what it told of.
struct Tape {
    flow: ContractFlow,
    events: Vec<FlowEvent>,
}

impl Tape {
    fn new() -> Self {
        let mut flow = ContractFlow::new(Right::Call, 500.0);
        flow.quote(Quote { at: START - 1, bid: 1.0, ask: 1.2 });
        Self { flow, events: Vec::new() }
    }

    /// A print so many milliseconds in, at the ask, on an exchange.
    fn buy(&mut self, ms: i64, size: u32, exchange: u8) -> Outcome {
        self.print(ms * MS, 1.2, size, exchange)
    }

    fn sell(&mut self, ms: i64, size: u32, exchange: u8) -> Outcome {
        self.print(ms * MS, 1.0, size, exchange)
    }

    fn print(&mut self, nanos: i64, price: f64, size: u32, exchange: u8) -> Outcome {
        let print = Print { at: START + nanos, price, size, exchange, condition: Condition::Regular };
        self.flow.print(print, &PLAIN, &mut |event| self.events.push(event))
    }

    /// Every event, by kind and size, once all have been let go.
    fn told(mut self) -> Vec<(Kind, u64)> {
        self.flow.settle(i64::MAX, &mut |event| self.events.push(event));
        assert!(!self.flow.is_holding());
        self.events.iter().map(|event| (event.kind, event.size)).collect()
    }
}

#[test]
fn fifty_contracts_on_two_exchanges_are_a_sweep_told_at_the_print_that_completes_it() {
    let mut tape = Tape::new();
    tape.buy(0, 20, b'A');
    tape.buy(10, 29, b'B');
    assert!(tape.events.is_empty(), "49 are not enough");
    tape.buy(20, 1, b'A');
    let sweep = tape.events[0];
    assert_eq!((sweep.kind, sweep.size, sweep.prints, sweep.exchanges), (Kind::Sweep, 50, 3, 2));
    assert_eq!((sweep.first_at, sweep.at), (START, START + 20 * MS));
    assert_eq!((sweep.side, sweep.sentiment), (Side::Ask, Sentiment::Bullish));
    assert!((sweep.premium - 1.2 * 50.0 * 100.0).abs() < 1e-9 && (sweep.price - 1.2).abs() < 1e-12);
    assert_eq!(sweep.conviction, 0.8);
    assert_eq!(tape.told().len(), 1);
}

#[test]
fn one_exchange_alone_is_no_sweep_however_much_it_trades() {
    let mut tape = Tape::new();
    tape.buy(0, 60, b'A');
    tape.buy(1, 70, b'A');
    assert_eq!(tape.told(), [(Kind::Print, 60), (Kind::Print, 70)]);
}

#[test]
fn two_sides_do_not_add_up() {
    let mut tape = Tape::new();
    tape.buy(0, 30, b'A');
    tape.sell(1, 30, b'B');
    assert_eq!(tape.told(), [(Kind::Print, 30), (Kind::Print, 30)]);
}

#[test]
fn a_quarter_of_a_second_is_within_and_a_nanosecond_more_is_not() {
    let mut tape = Tape::new();
    tape.print(0, 1.2, 25, b'A');
    tape.print(250 * MS, 1.2, 25, b'B');
    assert_eq!(tape.told(), [(Kind::Sweep, 50)]);
    let mut tape = Tape::new();
    tape.print(0, 1.2, 25, b'A');
    tape.print(250 * MS + 1, 1.2, 25, b'B');
    assert_eq!(tape.told(), [(Kind::Print, 25), (Kind::Print, 25)]);
}

#[test]
fn the_window_slides_past_prints_that_are_too_old() {
    let mut tape = Tape::new();
    tape.buy(0, 10, b'A');
    tape.buy(200, 30, b'A');
    tape.buy(300, 20, b'B');
    assert_eq!(tape.told(), [(Kind::Print, 10), (Kind::Sweep, 50)]);
}

#[test]
fn later_prints_of_that_side_are_absorbed_until_a_quarter_of_a_second_after_the_first() {
    let mut tape = Tape::new();
    tape.buy(0, 30, b'A');
    tape.buy(100, 30, b'B');
    assert_eq!(tape.buy(101, 300, b'C'), Outcome::Absorbed);
    assert_eq!(tape.buy(250, 40, b'A'), Outcome::Absorbed);
    assert_eq!(tape.sell(250, 5, b'A'), Outcome::Taken, "the other side is not absorbed");
    assert_eq!(tape.print(250 * MS + 1, 1.2, 7, b'A'), Outcome::Taken);
    assert_eq!(tape.told(), [(Kind::Sweep, 60), (Kind::Print, 7), (Kind::Print, 5)]);
}

#[test]
fn a_second_sweep_needs_fifty_contracts_of_its_own() {
    let mut tape = Tape::new();
    tape.buy(0, 30, b'A');
    tape.buy(1, 30, b'B');
    tape.buy(251, 30, b'A');
    tape.buy(260, 19, b'B');
    tape.buy(270, 1, b'B');
    assert_eq!(tape.told(), [(Kind::Sweep, 60), (Kind::Sweep, 50)]);
}

#[test]
fn two_hundred_contracts_in_one_print_are_a_block() {
    let mut tape = Tape::new();
    tape.buy(0, 199, b'A');
    tape.buy(1000, 200, b'A');
    assert_eq!(tape.told(), [(Kind::Print, 199), (Kind::Block, 200)]);
}

#[test]
fn a_block_that_completes_a_sweep_is_told_of_as_the_sweep() {
    let mut tape = Tape::new();
    tape.buy(0, 250, b'A');
    tape.buy(1, 1, b'B');
    assert_eq!(tape.told(), [(Kind::Sweep, 251)]);
}

#[test]
fn a_print_without_a_side_is_told_of_at_once_and_a_timer_lets_the_others_go() {
    let mut tape = Tape::new();
    tape.print(0, 1.1, 80, b'A');
    assert_eq!((tape.events.len(), tape.events[0].side, tape.events[0].sentiment), (1, Side::Mid, Sentiment::Neutral));
    tape.print(1, 1.1, 80, b'B');
    assert_eq!(tape.events.len(), 2, "the middle never sweeps");
    tape.buy(0, 1, b'A');
    assert!(tape.flow.is_holding());
    tape.flow.settle(START + 250 * MS, &mut |event| tape.events.push(event));
    assert_eq!(tape.events.len(), 2);
    tape.flow.settle(START + 250 * MS + 1, &mut |event| tape.events.push(event));
    assert_eq!(tape.events.len(), 3);
}

#[test]
fn a_print_left_out_by_its_conditions_or_without_sense_is_no_event() {
    let mut tape = Tape::new();
    let good = Print { at: START, price: 1.2, size: 300, exchange: b'A', condition: Condition::Regular };
    for bad in [
        Print { condition: Condition::LeftOut, ..good },
        Print { size: 0, ..good },
        Print { price: f64::NAN, ..good },
        Print { price: -1.0, ..good },
    ] {
        assert_eq!(tape.flow.print(bad, &PLAIN, &mut |event| tape.events.push(event)), Outcome::LeftOut);
    }
    assert_eq!(tape.told(), []);
}

#[test]
fn every_right_and_side_has_its_sentiment() {
    use Sentiment::{Bearish, Bullish, Neutral};
    let table =
        [(Right::Call, [Bullish, Bearish, Neutral, Neutral]), (Right::Put, [Bearish, Bullish, Neutral, Neutral])];
    for (right, expected) in table {
        let told = [Side::Ask, Side::Bid, Side::Mid, Side::Unknown].map(|side| Sentiment::of(right, side));
        assert_eq!(told, expected);
    }
    assert_eq!([Bullish, Bearish, Neutral].map(Sentiment::sign), [1.0, -1.0, 0.0]);
}

#[test]
fn conviction_is_its_kind_plus_its_additions_exactly() {
    let around = |spot, day_volume, open| Surroundings { spot: Some(spot), day_volume, open_interest: open };
    let of = |kind, around| conviction(kind, Right::Call, 500.0, &around);
    for (kind, base, both) in
        [(Kind::Sweep, 0.8, 1.0), (Kind::Block, 0.5, 0.7), (Kind::Print, 0.3, 0.5), (Kind::Aggregated, 0.3, 0.5)]
    {
        assert_eq!(of(kind, around(501.0, 1, Some(100))), base);
        assert_eq!(of(kind, around(499.0, 121, Some(100))), both);
    }
    assert_eq!(of(Kind::Print, around(500.0, 0, Some(100))), 0.3, "at the money");
    assert_eq!(of(Kind::Print, around(499.99, 0, Some(100))), 0.4, "out of the money");
    assert_eq!(conviction(Kind::Print, Right::Put, 500.0, &around(500.01, 0, Some(100))), 0.4);
    assert_eq!(of(Kind::Print, around(500.0, 120, Some(100))), 0.3, "1.2 times is not over");
    assert_eq!(of(Kind::Print, around(500.0, 1, Some(0))), 0.4, "over any multiple of nothing");
    assert_eq!(of(Kind::Print, around(500.0, u64::MAX, None)), 0.3, "unknown adds nothing");
    assert_eq!(of(Kind::Print, PLAIN), 0.3);
}

#[test]
fn premium_is_price_times_size_times_a_hundred() {
    assert_eq!(premium(1.25, 40), 5_000.0);
}

#[test]
fn a_bar_is_aggregated_flow_of_no_side_whatever_its_volume() {
    let tape = Tape::new();
    let event = tape.flow.bar(START, 1.2, 100_000, &PLAIN).unwrap();
    assert_eq!((event.kind, event.side, event.sentiment), (Kind::Aggregated, Side::Unknown, Sentiment::Neutral));
    assert_eq!((event.premium, event.conviction), (12_000_000.0, 0.3));
    assert_eq!(tape.flow.bar(START, 1.2, 0, &PLAIN), None);
    assert_eq!(tape.flow.bar(START, f64::NAN, 1, &PLAIN), None);
}

#[test]
fn each_kind_has_its_name() {
    assert_eq!(Kind::ALL.map(Kind::as_str), ["SWEEP", "BLOCK", "PRINT", "AGGREGATED"]);
}

#[test]
fn a_flood_on_one_exchange_holds_little_and_still_completes_a_sweep() {
    let mut tape = Tape::new();
    for i in 0..10_000 {
        tape.print(i, 1.2, 1, b'A');
        assert!(i as usize + 1 - tape.events.len() <= 64);
    }
    tape.print(10_000, 1.2, 1, b'B');
    let told = tape.told();
    assert_eq!(told.last().unwrap().0, Kind::Sweep);
    assert_eq!(told.iter().map(|(_, size)| size).sum::<u64>(), 10_001, "each print once");
}

/// A case that fails is kept beside this file.
fn config() -> ProptestConfig {
    let kept = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { failure_persistence: Some(Box::new(kept)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Over any tape, in any order of arrival: what was told of and what was absorbed add up to what was printed, and
    /// every sweep is one.
    #[test]
    fn no_print_is_lost_or_told_of_twice(
        prints in proptest::collection::vec((0..2_000_i64, 1..120_u32, 0..3_u8, 0..3_usize), 0..200)
    ) {
        let mut tape = Tape::new();
        let mut printed = 0;
        let mut absorbed = 0;
        for (ms, size, exchange, price) in prints {
            printed += u64::from(size);
            if tape.print(ms * MS, [1.2, 1.0, 1.1][price], size, exchange) == Outcome::Absorbed {
                absorbed += u64::from(size);
            }
        }
        tape.flow.settle(i64::MAX, &mut |event| tape.events.push(event));
        prop_assert_eq!(tape.events.iter().map(|event| event.size).sum::<u64>() + absorbed, printed);
        for event in &tape.events {
            let is_sweep = event.size >= 50 && event.exchanges >= 2 && event.at - event.first_at <= 250 * MS
                && matches!(event.side, Side::Ask | Side::Bid);
            prop_assert_eq!(event.kind == Kind::Sweep, is_sweep);
            prop_assert_eq!(event.kind == Kind::Block, event.prints == 1 && event.size >= 200);
        }
    }
}
