//! Positions, profit and loss worked out again by another hand, from the recorded bodies of fills alone; and the same inputs give
//! the same bytes.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use agenttrader_core::calendar::new_york;
use agenttrader_core::canonical_json;
use agenttrader_core::order::{Intent, Side};
use agenttrader_core::price::Price;
use agenttrader_core::time::Span;
use common::{CALL, DAY, Floor, PUT};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;

/// One unit at a time, in whole billionths of a dollar: by strategy and instrument what is open (sign and price, oldest first), what was
/// realised, and what was paid in fees.
#[derive(Default)]
struct Recomputed {
    open: BTreeMap<(String, String), Vec<(i128, i128)>>,
    realised: i128,
    fees: i128,
}

fn nanos(value: &Value) -> i128 {
    let text = value.as_str().unwrap();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let value = format!("{whole}{fraction:0<9}").parse::<i128>().unwrap();
    if negative { -value } else { value }
}

fn recompute(bodies: &[String]) -> Recomputed {
    let mut sum = Recomputed::default();
    for body in bodies {
        let fill: Value = serde_json::from_str(body).unwrap();
        assert_eq!(fill["account"], "SHADOW");
        sum.fees += nanos(&fill["fees_usd"]);
        let mut realised = 0;
        for leg in fill["legs"].as_array().unwrap() {
            let name = leg["contract_symbol"].as_str().or(leg["symbol"].as_str()).unwrap();
            let key = (fill["strategy_name"].as_str().unwrap().to_owned(), name.to_owned());
            let sign: i128 = if leg["side"] == "BUY" { 1 } else { -1 };
            let price = nanos(&leg["price"]) * i128::from(leg["multiplier"].as_i64().unwrap());
            let open = sum.open.entry(key).or_default();
            for _ in 0..leg["quantity"].as_i64().unwrap() {
                if open.first().is_some_and(|(held, _)| *held == -sign) {
                    let (held, paid) = open.remove(0);
                    realised += held * (price - paid);
                } else {
                    open.push((sign, price));
                }
            }
        }
        assert_eq!(nanos(&fill["realised_usd"]), realised, "{body}");
        sum.realised += realised;
    }
    sum.open.retain(|_, open| !open.is_empty());
    sum
}

/// One thing that happens in a session.
#[derive(Clone, Debug)]
enum Event {
    Spot(i64),
    Straddle { buy: bool, quantity: i64 },
    Shares { buy: bool, quantity: i64, off: i64 },
    Halt(bool),
    Seconds(i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (-150_i64..=150).prop_map(Event::Spot),
        2 => (any::<bool>(), 1_i64..4).prop_map(|(buy, quantity)| Event::Straddle { buy, quantity }),
        4 => (any::<bool>(), 1_i64..60, -8_i64..8).prop_map(|(buy, quantity, off)| Event::Shares { buy, quantity, off }),
        1 => any::<bool>().prop_map(Event::Halt),
        3 => (1_i64..20).prop_map(Event::Seconds),
    ];
    prop::collection::vec(event, 1..60)
}

fn cents(value: i64) -> Price {
    Price::from_nanos(value * 10_000_000)
}

/// Quotes a market whose spot is so many cents off 600.
fn quote(floor: &mut Floor, spot: i64) {
    let now = floor.now;
    floor.quote_at(floor.spy, cents(60_000 + spot - 1), cents(60_000 + spot + 1), now);
    floor.quote_at(floor.call, cents(150 + spot / 2), cents(152 + spot / 2), now);
    floor.quote_at(floor.put, cents(140 - spot / 2), cents(142 - spot / 2), now);
}

fn play(events: &[Event], to_the_close: bool) -> (Floor, Vec<String>) {
    let mut floor = Floor::new();
    let mut decisions = Vec::new();
    let mut spot = 0;
    for event in events {
        let proposal = match event {
            Event::Spot(cents_off) => {
                spot = *cents_off;
                quote(&mut floor, spot);
                continue;
            }
            Event::Halt(halted) => {
                floor.status(floor.spy, *halted);
                continue;
            }
            Event::Seconds(seconds) => {
                for _ in 0..*seconds {
                    floor.second();
                    quote(&mut floor, spot);
                }
                continue;
            }
            Event::Straddle { buy: true, quantity } => floor.straddle(Intent::Open, Side::Buy, *quantity, "2.96"),
            Event::Straddle { buy: false, quantity } => floor.straddle(Intent::Close, Side::Sell, *quantity, "-2.88"),
            Event::Shares { buy, quantity, off } => {
                let limit = cents(60_000 + spot + off).to_string();
                floor.shares(Intent::Hedge, if *buy { Side::Buy } else { Side::Sell }, *quantity, Some(&limit))
            }
        };
        decisions.push(canonical_json::of(&floor.decide(&proposal)).unwrap());
    }
    if to_the_close {
        floor.now = new_york(DAY, 16, 0);
        floor.trade(floor.spy, &cents(60_000 + spot).to_string());
        floor.now = floor.now.plus(Span::from_seconds(1));
        floor.timer();
    }
    (floor, decisions)
}

fn bodies(floor: &Floor) -> Vec<String> {
    floor.fills().iter().map(|fill| canonical_json::of(fill).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_accounts_positions_and_profit_follow_from_the_fills_alone(events in events(), to_the_close in any::<bool>()) {
        let (floor, _) = play(&events, to_the_close);
        let again = recompute(&bodies(&floor));
        let read = floor.desk.readings();
        prop_assert_eq!(read.realised_usd.nanos(), again.realised);
        prop_assert_eq!(read.fees_usd.nanos(), again.fees);
        let mut value = 0_i128;
        let mut held = BTreeMap::new();
        for strategy in &read.strategies {
            for position in &strategy.positions {
                let key = (strategy.strategy_name.clone(), position.tradable.to_string());
                let cost: i128 = again.open[&key].iter().map(|(sign, price)| sign * price).sum();
                prop_assert_eq!(position.cost_usd.nanos(), cost);
                value += position.value_usd.nanos() - cost;
                held.insert(key, position.quantity);
            }
        }
        let open: BTreeMap<_, i64> = again.open.iter().map(|(key, open)| (key.clone(), open.iter().map(|(sign, _)| *sign as i64).sum())).collect();
        prop_assert_eq!(held, open);
        let equity = read.start_equity_usd.nanos() + again.realised + value - again.fees;
        prop_assert_eq!(read.equity_usd.nanos(), equity);
        if to_the_close {
            prop_assert!(again.open.keys().all(|(_, name)| name == "SPY"), "contracts are gone at the close");
        }
    }

    #[test]
    fn the_same_inputs_give_the_same_bytes(events in events()) {
        let (first, decisions) = play(&events, true);
        let (second, again) = play(&events, true);
        prop_assert_eq!(decisions, again);
        let text = |floor: &Floor| floor.outputs.iter().map(|output| canonical_json::of(output).unwrap()).collect::<Vec<_>>();
        prop_assert_eq!(text(&first), text(&second));
        prop_assert_eq!(canonical_json::of(&first.desk.readings()).unwrap(), canonical_json::of(&second.desk.readings()).unwrap());
    }

    #[test]
    fn no_two_fills_share_an_id(events in events()) {
        let (floor, _) = play(&events, true);
        let mut ids: Vec<_> = floor.fills().iter().map(|fill| fill.fill_id).collect();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), floor.fills().len());
    }
}

#[test]
fn a_session_of_entry_hedge_and_exit_recomputes_and_ends_flat() {
    let events = [
        Event::Straddle { buy: true, quantity: 2 },
        Event::Seconds(2),
        Event::Spot(100),
        Event::Seconds(2),
        Event::Shares { buy: false, quantity: 20, off: -3 },
        Event::Seconds(2),
        Event::Spot(-50),
        Event::Seconds(12),
        Event::Shares { buy: true, quantity: 20, off: 3 },
        Event::Seconds(2),
        Event::Straddle { buy: false, quantity: 2 },
        Event::Seconds(2),
    ];
    let (floor, _) = play(&events, false);
    assert_eq!(
        floor.filled(),
        [
            format!("BUY 2 {CALL} @ 1.52, BUY 2 {PUT} @ 1.42"),
            "SELL 20 SPY @ 600.99".to_owned(),
            "BUY 20 SPY @ 599.51".to_owned(),
            format!("SELL 2 {CALL} @ 1.25, SELL 2 {PUT} @ 1.65"),
        ]
    );
    let again = recompute(&bodies(&floor));
    assert!(again.open.is_empty());
    assert_eq!(floor.desk.readings().equity_usd.nanos(), 1_000_000_000_000_000 + again.realised - again.fees);
}

#[test]
fn made_up_sessions_do_fill_expire_and_lapse() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut orders, mut expiries, mut lapses) = (0, 0, 0);
    for _ in 0..32 {
        let (floor, _) = play(&events().new_tree(&mut runner).unwrap().current(), true);
        expiries += floor.fills().iter().filter(|fill| fill.proposal_id.is_none()).count();
        orders += floor.fills().iter().filter(|fill| fill.proposal_id.is_some()).count();
        lapses += floor.lapsed();
    }
    assert!(orders > 100 && expiries > 10 && lapses > 10, "{orders} fills, {expiries} expiries, {lapses} lapses");
}
