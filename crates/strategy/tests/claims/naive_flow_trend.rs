//! The teaching example.

use crate::support::{Fate, HALF_DAY, MONDAY, World, price};
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::order::{Intent, Side};
use agenttrader_core::price::Price;
use agenttrader_strategy::draft::NoteKind;

/// Minutes of bars that rise (or fall) by a cent, each with its volume bought (or sold).
fn minutes(world: &mut World, id: InstrumentId, count: i64, from: i64, step: i64) {
    for minute in 0..count {
        let close = Price::from_nanos((from + minute * step) * 10_000_000);
        let open = Price::from_nanos((from + (minute - 1) * step) * 10_000_000);
        world.wait(60 - world.at.seconds() % 60);
        world.bar(id, open, close, 1_000, false);
        let (bid, ask) = (close.checked_sub(Price::CENT).unwrap(), close.checked_add(Price::CENT).unwrap());
        world.quote(id, bid, ask);
        world.timer();
        // A second later the same quote again: what was proposed is filled, as the desk has it.
        world.wait(1);
        world.quote(id, bid, ask);
        world.timer();
    }
}

#[test]
fn it_buys_one_share_with_trend_and_volume_and_sells_it_when_both_turn() {
    let mut world = World::for_strategy("naive_flow_trend", &["SPY"], MONDAY, 9, 30);
    let id = world.share("SPY");
    minutes(&mut world, id, 19, 60_000, 1);
    assert!(world.take().is_empty(), "nineteen closes are no average of twenty");
    minutes(&mut world, id, 1, 60_019, 1);
    let entries = world.take();
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!((entry.intent, entry.side, entry.quantity.get()), (Intent::Open, Side::Buy, 1));
    assert_eq!(entry.limit_price, Some(price("600.20")), "the far touch");
    minutes(&mut world, id, 3, 60_020, 1);
    assert!(world.take().is_empty(), "it holds its share");
    assert_eq!(world.held(id), 1);
    minutes(&mut world, id, 12, 60_000, -1);
    let exits = world.take();
    assert_eq!((exits[0].intent, exits[0].side, exits[0].quantity.get()), (Intent::Close, Side::Sell, 1));
    assert_eq!(world.held(id), 0);
}

#[test]
fn trend_without_volume_or_volume_without_trend_does_nothing() {
    let mut world = World::for_strategy("naive_flow_trend", &["SPY"], MONDAY, 9, 30);
    let id = world.share("SPY");
    minutes(&mut world, id, 19, 60_000, 1);
    // Above the average, but its own bar falls.
    world.wait(60);
    world.bar(id, price("600.30"), price("600.25"), 1_000, false);
    world.quote(id, price("600.24"), price("600.26"));
    world.timer();
    assert!(world.take().is_empty());
}

#[test]
fn without_quotes_its_limit_is_the_last_close_and_on_a_half_day_it_works_too() {
    let mut world = World::for_strategy("naive_flow_trend", &["AAPL"], HALF_DAY, 9, 30);
    let id = world.share("AAPL");
    for minute in 0..20 {
        world.wait(60);
        let close = Price::from_nanos((10_000 + minute) * 10_000_000);
        world.bar(id, close.checked_sub(Price::CENT).unwrap(), close, 500, false);
        world.timer();
    }
    let entries = world.take();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].limit_price, Some(price("100.19")));
}

#[test]
fn three_entries_a_day_are_the_most_and_the_next_day_has_its_own() {
    let mut world = World::for_strategy("naive_flow_trend", &["SPY"], MONDAY, 9, 30);
    let id = world.share("SPY");
    let mut entries = 0;
    let mut swing = |world: &mut World| {
        for _ in 0..5 {
            minutes(world, id, 22, 60_000, 1);
            minutes(world, id, 14, 60_030, -4);
            entries += world.take().iter().filter(|proposal| proposal.intent == Intent::Open).count();
        }
        entries
    };
    assert_eq!(swing(&mut world), 3);
    world.at = agenttrader_core::calendar::new_york(jiff::civil::date(2026, 1, 6), 9, 30);
    assert_eq!(swing(&mut world), 6);
}

#[test]
fn a_close_is_proposed_again_as_soon_as_the_one_before_has_ended() {
    let mut world = World::for_strategy("naive_flow_trend", &["SPY"], MONDAY, 9, 30);
    let id = world.share("SPY");
    minutes(&mut world, id, 20, 60_000, 1);
    assert_eq!(world.held(id), 1);
    world.take();
    world.fate = Fate::Rest;
    world.wait(59);
    world.bar(id, price("590.10"), price("590"), 5_000, false);
    let mut closes = Vec::new();
    for _ in 0..59 {
        world.quote(id, price("589.99"), price("590.01"));
        world.timer();
        closes.extend(world.take());
        world.wait(1);
    }
    assert!(closes.iter().all(|proposal| proposal.intent == Intent::Close && proposal.side == Side::Sell));
    let times: Vec<_> = closes.iter().map(|proposal| proposal.created_at_utc).collect();
    assert_eq!(times.len(), 2, "it is valid for thirty seconds: {closes:?}");
    assert_eq!(times[1].since(times[0]).seconds(), 30);
}

#[test]
fn an_index_is_nothing_to_trade_and_it_says_so_once() {
    let mut world = World::for_strategy("naive_flow_trend", &["VIX"], MONDAY, 10, 0);
    let symbol = crate::support::symbol("VIX");
    let id = world.define(agenttrader_core::instrument::Instrument::Index { symbol });
    for _ in 0..300 {
        world.quote(id, price("15.00"), price("15.02"));
        world.pass(1);
    }
    let notes = world.take_notes(NoteKind::CycleSkipped);
    assert_eq!(notes, ["VIX: nothing to do this session: it has no shares to trade, only an index level or options"]);
}
