//! The rules that hold for every strategy, tried with gamma, which proposes as soon as it may.

use crate::support::{Fate, MONDAY, Market, World, configuration, symbol};
use agenttrader_core::identity::AgentMode;
use agenttrader_core::order::Intent;
use agenttrader_core::reason::Reason;
use agenttrader_core::time::Span;
use agenttrader_sequence::input::FeedFact;
use agenttrader_strategy::draft::NoteKind;

fn spy(world: &mut World) -> Market {
    Market::list(world, "SPY", MONDAY, (600, 1, 6), (1_000, 2_000))
}

/// Ten seconds of quotes.
fn ten_seconds(market: &Market, world: &mut World) {
    for _ in 0..10 {
        market.second(world, 600.2);
    }
}

#[test]
fn in_mode_off_nothing_is_said_at_all() {
    for mode in [AgentMode::Off, AgentMode::Execute] {
        let mut configuration = configuration("gamma", &["SPY"]);
        configuration.strategy_mode = mode;
        let mut world = World::new(&configuration, MONDAY, 10, 0);
        world.pass(1);
        let market = spy(&mut world);
        ten_seconds(&market, &mut world);
        world.pass(60);
        assert!(world.proposals.is_empty() && world.notes.is_empty(), "{mode}");
    }
}

#[test]
fn a_skip_is_noted_once_when_it_begins_and_once_when_it_ends() {
    let mut world = World::for_strategy("gamma", &["SPY"], MONDAY, 9, 29);
    world.timer();
    world.pass(1);
    let begins = world.take_notes(NoteKind::CycleSkipped);
    assert_eq!(begins, ["SPY: evaluation skipped: the market is closed; no market data has arrived"]);
    let market = spy(&mut world);
    ten_seconds(&market, &mut world);
    assert!(world.take_notes(NoteKind::CycleSkipped).is_empty());
    world.go_to(9, 30);
    ten_seconds(&market, &mut world);
    let ends = world.take_notes(NoteKind::CycleSkipped);
    assert_eq!(ends, ["SPY: evaluation goes on: the session is open and market data is fresh"]);
    for _ in 0..60 {
        world.pass(1);
    }
    let begins = world.take_notes(NoteKind::CycleSkipped);
    assert_eq!(begins, ["SPY: evaluation skipped: market data is 31 s old, limit 30 s"]);
}

#[test]
fn stale_data_and_halts_stop_everything_until_they_end() {
    let mut world = World::for_strategy("gamma", &["SPY"], MONDAY, 10, 0);
    let market = spy(&mut world);
    market.quote(&mut world, 600.2);
    world.wait(31);
    world.timer();
    assert!(world.take().is_empty());
    world.halted(market.share, true);
    ten_seconds(&market, &mut world);
    assert!(world.take().is_empty());
    let notes = world.take_notes(NoteKind::CycleSkipped);
    assert_eq!(notes.len(), 1, "one skip, whatever its reasons come to: {notes:?}");
    world.halted(market.share, false);
    ten_seconds(&market, &mut world);
    assert_eq!(world.take().len(), 1);
    assert_eq!(world.take_notes(NoteKind::CycleSkipped).len(), 1);
}

#[test]
fn a_feed_that_fills_in_what_was_before_is_waited_for() {
    let mut world = World::for_strategy("gamma", &["SPY"], MONDAY, 10, 0);
    let market = spy(&mut world);
    world.bar(market.share, crate::support::price("599"), crate::support::price("600"), 100, true);
    ten_seconds(&market, &mut world);
    assert!(world.take().is_empty());
    world.fact(FeedFact::BackfillComplete);
    ten_seconds(&market, &mut world);
    assert_eq!(world.take().len(), 1);
}

#[test]
fn only_a_timer_makes_a_strategy_speak() {
    let mut world = World::for_strategy("gamma", &["SPY"], MONDAY, 10, 0);
    let market = spy(&mut world);
    for _ in 0..10 {
        market.quote(&mut world, 600.2);
        world.wait(1);
    }
    assert!(world.proposals.is_empty() && world.notes.is_empty());
}

#[test]
fn after_a_lapse_an_entry_waits_sixty_seconds() {
    let mut world = World::for_strategy("gamma", &["SPY"], MONDAY, 10, 0);
    world.fate = Fate::Rest;
    let market = spy(&mut world);
    let mut proposed = Vec::new();
    for _ in 0..400 {
        market.second(&mut world, 600.2);
        proposed.extend(world.take().into_iter().map(|proposal| proposal.created_at_utc));
    }
    assert!(proposed.len() > 2);
    for pair in proposed.windows(2) {
        // Sixty seconds until it lapses, sixty of rest.
        assert_eq!(pair[1].since(pair[0]), Span::from_seconds(120));
    }
}

#[test]
fn after_a_refusal_beyond_the_posture_an_entry_waits_sixty_seconds_and_after_posture_alone_none() {
    let posture = Reason::ALL.into_iter().filter(|reason| reason.is_posture()).collect();
    let beyond = vec![Reason::KillSwitch, Reason::Concentration];
    for (reasons, seconds) in [(posture, 10), (beyond, 60)] {
        let mut world = World::for_strategy("gamma", &["SPY"], MONDAY, 10, 0);
        world.fate = Fate::Refuse(reasons);
        let market = spy(&mut world);
        let mut proposed = Vec::new();
        for second in 0..130 {
            // Prices that move, so that no order is like the one before.
            market.second(&mut world, 600.2 + f64::from(second % 2) * 0.1);
            proposed.extend(world.take().into_iter().map(|proposal| proposal.created_at_utc));
        }
        assert!(proposed.len() >= 2);
        let first = proposed[1].since(proposed[0]);
        assert!(
            first >= Span::from_seconds(if seconds == 60 { 60 } else { 1 }) && first <= Span::from_seconds(seconds)
        );
    }
}

#[test]
fn an_order_like_the_last_one_waits_for_the_duplicate_window() {
    // Never filled, never refused, and out of the desk at once: only the window holds it back.
    let mut world = World::for_strategy("gamma", &["SPY"], MONDAY, 10, 0);
    world.fate = Fate::Rest;
    let market = spy(&mut world);
    let mut proposed = Vec::new();
    for _ in 0..40 {
        market.second(&mut world, 600.2);
        world.standing.working.clear();
        proposed.extend(world.take());
    }
    for pair in proposed.windows(2) {
        if (pair[0].limit_price, pair[0].quantity) == (pair[1].limit_price, pair[1].quantity) {
            assert!(pair[1].created_at_utc.since(pair[0].created_at_utc) >= Span::from_seconds(10));
        }
    }
    assert!(proposed.len() >= 2);
}

#[test]
fn validity_is_sixty_seconds_or_twice_the_cadence_and_a_second_but_never_past_the_close() {
    for (cadence, valid) in [(0, 60), (29, 60), (30, 61), (60, 121), (600, 900)] {
        let mut world = World::for_strategy("gamma", &["SPY"], MONDAY, 10, 0);
        world.fact(FeedFact::Cadence { every: Span::from_seconds(cadence) });
        world.fate = Fate::Rest;
        let market = spy(&mut world);
        ten_seconds(&market, &mut world);
        let proposals = world.take();
        let lives = proposals[0].constraints.valid_until_utc.since(proposals[0].created_at_utc);
        assert_eq!((proposals[0].intent, lives), (Intent::Open, Span::from_seconds(valid)));
    }
}

#[test]
fn a_seat_speaks_in_the_name_of_its_agent_and_a_replay_gives_the_same_ids() {
    let run = || {
        let mut world = World::for_strategy("gamma", &["SPY"], MONDAY, 10, 0);
        let market = spy(&mut world);
        ten_seconds(&market, &mut world);
        world.take()
    };
    let (first, second) = (run(), run());
    assert_eq!(first, second);
    assert_eq!((first[0].agent_name.as_str(), first[0].strategy_name.as_str()), ("gamma-strategy", "gamma"));
    assert_eq!(first[0].symbol, symbol("SPY"));
    assert!(first[0].constraints.requires_human_approval);
}
