//! A whole session of gamma over a spot that walks.

use crate::support::{HALF_DAY, MONDAY, Market, World, buy_of};
use agenttrader_core::calendar::Session;
use agenttrader_core::cut_off::option_cut_off;
use agenttrader_core::order::Intent;
use agenttrader_core::proposal::AssetType;
use agenttrader_core::time::Span;
use jiff::civil::Date;

/// A walk that every machine repeats: uniform steps from a linear congruential generator.
struct Walk {
    state: u64,
    spot: f64,
    step: f64,
}

impl Walk {
    fn next(&mut self) -> f64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let uniform = (self.state >> 11) as f64 / (1_u64 << 53) as f64;
        self.spot += (uniform - 0.5) * 2.0 * self.step;
        self.spot
    }
}

fn session(name: &str, date: Date) {
    let mut world = World::for_strategy("gamma", &[name], date, 9, 29);
    let mut market = Market::list(&mut world, name, date, (600, 2, 8), (1_000, 2_000));
    (market.volatility, market.half_spread) = (0.30, 0.01);
    let session = Session::on(date).unwrap();
    let mut walk = Walk { state: 7, spot: 600.0, step: 0.07 };
    while world.at < session.close {
        let spot = walk.next();
        market.quote(&mut world, spot);
        world.pass(5);
    }
    let of = |intent: Intent| world.fills.iter().filter(move |(proposal, _)| proposal.intent == intent);
    assert!(of(Intent::Open).count() >= 1, "it enters");
    assert!(of(Intent::Hedge).any(|(proposal, _)| buy_of(proposal)), "it hedges by buying");
    assert!(of(Intent::Hedge).any(|(proposal, _)| !buy_of(proposal)), "and by selling");
    assert!(of(Intent::Close).any(|(proposal, _)| proposal.asset_type == AssetType::Mleg), "it closes the straddle");
    assert!(world.standing.positions.is_empty() && world.standing.working.is_empty(), "and is flat");
    let cut_off = option_cut_off(crate::support::symbol(name), &session);
    for proposal in &world.proposals {
        assert!(proposal.asset_type == AssetType::Equity || proposal.created_at_utc < cut_off);
    }
    let hedges: Vec<_> = world.proposals.iter().filter(|proposal| proposal.intent == Intent::Hedge).collect();
    assert!(hedges.len() > 10, "{}", hedges.len());
    for pair in hedges.windows(2) {
        assert!(pair[1].created_at_utc.since(pair[0].created_at_utc) >= Span::from_seconds(15));
    }
    let last = world.fills.last().unwrap().0.created_at_utc;
    assert!(cut_off.since(last) > Span::from_minutes(5), "out well before the cut-off: {last}");
}

#[test]
fn a_whole_session_enters_hedges_both_ways_leaves_before_the_cut_off_and_ends_flat() {
    session("SPY", MONDAY);
}

#[test]
fn a_half_day_does_too() {
    session("GOOG", HALF_DAY);
}
