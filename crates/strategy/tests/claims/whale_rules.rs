//! Whale's rules, one by one.

use crate::support::{Fate, MONDAY, Market, World, price, symbol};
use agenttrader_core::instrument::Right;
use agenttrader_core::order::{Intent, Side, Tradable};
use agenttrader_core::price::{Price, Rounding};
use agenttrader_core::proposal::{AssetType, Proposal, tick};
use agenttrader_core::time::Span;
use agenttrader_strategy::draft::NoteKind;
use jiff::civil::{Date, date};

const FRIDAY: Date = date(2026, 1, 9);

fn world_at(hour: i8, minute: i8) -> (World, Market) {
    let mut world = World::for_strategy("whale", &["SPY"], MONDAY, hour, minute);
    Market::list(&mut world, "SPY", MONDAY, (600, 1, 2), (1_000, 1_000));
    let market = Market::list(&mut world, "SPY", FRIDAY, (600, 2, 10), (1_000, 1_000));
    (world, market)
}

/// A sweep in an out-of-the-money contract: `size` contracts on each of two exchanges, at the ask.
fn sweep(world: &mut World, market: &Market, right: Right, size: u32) {
    let id = market.id(right, if right == Right::Call { 604.0 } else { 596.0 });
    let ask = world.book.latest(id).unwrap().quote().unwrap().quote.ask().unwrap();
    world.trade(id, ask, size, b'C');
    world.trade(id, ask, size, b'N');
}

/// `count` sweeps a second apart.
fn sweeps(world: &mut World, market: &Market, right: Right, size: u32, count: u32) -> Vec<Proposal> {
    for _ in 0..count {
        market.quote(world, 600.0);
        world.wait(1);
        sweep(world, market, right, size);
        world.timer();
    }
    market.second(world, 600.0);
    world.take()
}

#[test]
fn three_convinced_events_and_enough_premium_buy_two_contracts_near_delta_forty() {
    for right in [Right::Call, Right::Put] {
        let (mut world, market) = world_at(11, 0);
        let entries = sweeps(&mut world, &market, right, 300, 3);
        assert_eq!(entries.len(), 1, "one idea");
        let entry = &entries[0];
        assert_eq!((entry.intent, entry.side, entry.asset_type), (Intent::Open, Side::Buy, AssetType::Option));
        assert_eq!(entry.quantity.get(), 2);
        let terms = entry.option.unwrap();
        assert_eq!((terms.right, terms.expiration), (right, FRIDAY), "not the one that expires today");
        let delta = entry.rationale.indicators.get("delta").unwrap().as_f64().unwrap();
        assert!((0.30..=0.45).contains(&delta.abs()), "{delta}");
        let id = market.id(right, terms.strike.as_f64());
        let mid = world.book.latest(id).unwrap().quote().unwrap().quote.mid().unwrap();
        let limit = entry.limit_price.unwrap();
        assert!(limit <= mid.checked_add(Price::CENT).unwrap() && limit.is_on_tick(tick(AssetType::Option, limit)));
        assert_eq!(entry.constraints.valid_until_utc.since(entry.created_at_utc), Span::from_seconds(60));
    }
}

#[test]
fn two_convinced_events_or_little_premium_or_both_sides_alike_do_nothing() {
    let (mut world, market) = world_at(11, 0);
    assert!(sweeps(&mut world, &market, Right::Call, 1_000, 2).is_empty());
    let (mut world, market) = world_at(11, 0);
    assert!(sweeps(&mut world, &market, Right::Call, 30, 6).is_empty());
    let (mut world, market) = world_at(11, 0);
    for _ in 0..4 {
        market.quote(&mut world, 600.0);
        world.wait(1);
        sweep(&mut world, &market, Right::Call, 300);
        sweep(&mut world, &market, Right::Put, 300);
        world.timer();
    }
    assert!(world.take().is_empty());
}

#[test]
fn a_lean_is_told_once_and_the_window_forgets_after_thirty_minutes() {
    let (mut world, market) = world_at(11, 0);
    world.fate = Fate::Rest;
    sweeps(&mut world, &market, Right::Call, 300, 3);
    for _ in 0..100 {
        world.wait(19);
        market.second(&mut world, 600.0);
    }
    let leans = world.take_notes(NoteKind::Signal);
    assert_eq!(leans.len(), 2, "{leans:?}");
    assert!(leans[0].contains("BULLISH") && leans[1].contains("NEUTRAL"));
    let times: Vec<_> = world.take().iter().map(|proposal| proposal.created_at_utc).collect();
    assert!(times.windows(2).all(|pair| pair[1].since(pair[0]) >= Span::from_seconds(120)));
}

#[test]
fn without_a_contract_in_range_it_says_so_once() {
    let mut world = World::for_strategy("whale", &["SPY"], MONDAY, 11, 0);
    // Strikes so far apart that none has a delta in range.
    let market = Market::list(&mut world, "SPY", FRIDAY, (600, 60, 1), (1_000, 1_000));
    let mut market = market;
    market.volatility = 0.10;
    for _ in 0..20 {
        market.quote(&mut world, 600.0);
        world.wait(1);
        let id = market.id(Right::Call, 600.0);
        let ask = world.book.latest(id).unwrap().quote().unwrap().quote.ask().unwrap();
        world.trade(id, ask, 300, b'C');
        world.trade(id, ask, 300, b'N');
        world.timer();
    }
    assert!(world.take().is_empty());
    let notes = world.take_notes(NoteKind::Signal);
    assert_eq!(notes.iter().filter(|note| note.contains("no quoted contract")).count(), 1, "{notes:?}");
}

/// Two calls at 604, bought at `paid`.
fn holding(world: &mut World, market: &Market, paid: Price) {
    let id = market.id(Right::Call, 604.0);
    let option = *world.book.instruments().get(id).unwrap().option().unwrap();
    let tradable = Tradable::Option { underlying: symbol("SPY"), contract_symbol: option.contract };
    world.book_fill(tradable, 2, paid);
}

fn closes(world: &mut World, market: &Market) -> Vec<Proposal> {
    for _ in 0..3 {
        market.second(world, 600.0);
    }
    world.take()
}

#[test]
fn it_ends_an_idea_at_fifty_percent_up_or_thirty_down_of_the_mark() {
    let (world, market) = world_at(11, 0);
    let mid = market.value(&world, Right::Call, 604.0, 600.0);
    for (factor, ends) in [(1.0 / 1.55, true), (1.0 / 1.45, false), (1.0 / 0.72, false), (1.0 / 0.68, true)] {
        let (mut world, market) = world_at(11, 0);
        world.fate = Fate::Rest;
        holding(&mut world, &market, crate::support::cents(mid * factor, Rounding::Down));
        let closes = closes(&mut world, &market);
        assert_eq!(!closes.is_empty(), ends, "paid {factor} of the mid");
        for close in closes {
            assert_eq!((close.intent, close.side, close.quantity.get()), (Intent::Close, Side::Sell, 2));
            assert_eq!(close.constraints.valid_until_utc.since(close.created_at_utc), Span::from_seconds(30));
        }
    }
}

#[test]
fn it_ends_an_idea_when_the_flow_turns_and_five_minutes_before_the_close() {
    let (mut world, market) = world_at(11, 0);
    let mid = market.value(&world, Right::Call, 604.0, 600.0);
    holding(&mut world, &market, crate::support::cents(mid, Rounding::Down));
    assert!(closes(&mut world, &market).is_empty());
    let turned = sweeps(&mut world, &market, Right::Put, 60, 1);
    assert_eq!(turned[0].intent, Intent::Close);
    assert!(turned[0].rationale.short_reason.contains("turned"));

    let (mut world, market) = world_at(15, 54);
    let paid = crate::support::cents(market.value(&world, Right::Call, 604.0, 600.0), Rounding::Down);
    holding(&mut world, &market, paid);
    world.at = world.at.plus(Span::from_seconds(55));
    let late = (0..10).flat_map(|_| closes(&mut world, &market)).collect::<Vec<_>>();
    assert_eq!(late[0].created_at_utc, agenttrader_core::calendar::new_york(MONDAY, 15, 55));
}

#[test]
fn on_the_day_of_expiry_it_is_out_before_the_cut_off() {
    let mut world = World::for_strategy("whale", &["SPY"], FRIDAY, 15, 24);
    let market = Market::list(&mut world, "SPY", FRIDAY, (600, 2, 10), (1_000, 1_000));
    let paid = crate::support::cents(market.value(&world, Right::Call, 600.0, 600.0), Rounding::Down);
    let id = market.id(Right::Call, 600.0);
    let option = *world.book.instruments().get(id).unwrap().option().unwrap();
    let tradable = Tradable::Option { underlying: symbol("SPY"), contract_symbol: option.contract };
    world.book_fill(tradable, 2, paid);
    world.at = world.at.plus(Span::from_seconds(50));
    let closes = (0..10).flat_map(|_| closes(&mut world, &market)).collect::<Vec<_>>();
    assert_eq!(closes[0].created_at_utc, agenttrader_core::calendar::new_york(FRIDAY, 15, 25));
}

#[test]
fn why_there_is_nothing_to_do_is_said_once() {
    let mut world = World::for_strategy("whale", &["SPY", "AAPL"], MONDAY, 9, 30);
    let (spy, aapl) = (world.share("SPY"), world.share("AAPL"));
    world.option("AAPL", "AAPL", FRIDAY, Right::Call, price("600"));
    for _ in 0..200 {
        world.quote(spy, price("600"), price("600.01"));
        world.quote(aapl, price("200"), price("200.01"));
        world.pass(1);
    }
    assert_eq!(
        world.take_notes(NoteKind::CycleSkipped),
        [
            "SPY: nothing to do this session: it has no options",
            "AAPL: nothing to do this session: its options have no quotes, so no print has a side",
        ]
    );
}

#[test]
fn flow_that_comes_as_bars_alone_has_no_side_and_that_is_said_once() {
    let (mut world, market) = world_at(10, 0);
    let id = market.id(Right::Call, 604.0);
    for minute in 0..40 {
        for _ in 0..20 {
            market.second(&mut world, 600.0);
        }
        if minute % 3 == 0 {
            world.bar(id, price("2.00"), price("2.20"), 900, false);
        }
    }
    let skipped = world.take_notes(NoteKind::CycleSkipped);
    let bars = "SPY: nothing to do this session: its options' prints come as bars alone, which have no side to follow";
    assert_eq!(skipped, [bars]);
    assert!(world.take_notes(NoteKind::Signal).is_empty() && world.proposals.is_empty());
    // Prints do come: it goes back to work.
    let said = sweeps(&mut world, &market, Right::Call, 700, 16);
    assert_eq!(world.take_notes(NoteKind::CycleSkipped), ["SPY: there is something to do after all"]);
    assert!(!said.is_empty());
}

#[test]
fn options_that_never_trade_are_said_to_half_an_hour_after_the_open() {
    let (mut world, market) = world_at(9, 45);
    let mut quiet = Vec::new();
    while world.at < agenttrader_core::calendar::new_york(MONDAY, 10, 1) {
        market.second(&mut world, 600.0);
        quiet.push((world.at, world.take_notes(NoteKind::CycleSkipped)));
    }
    let said: Vec<_> = quiet.into_iter().filter(|(_, notes)| !notes.is_empty()).collect();
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].1, ["SPY: nothing to do this session: none of its options has traded"]);
    assert!(said[0].0 >= agenttrader_core::calendar::new_york(MONDAY, 10, 0));
}
