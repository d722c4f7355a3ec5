//! Whatever the market does: nothing malformed leaves a seat, and nothing beyond the limits of one order.

use crate::support::{Fate, MONDAY, Market, World};
use agenttrader_core::money::Money;
use agenttrader_core::order::Intent;
use agenttrader_core::price::Price;
use agenttrader_core::proposal::{AssetType, Proposal};
use proptest::prelude::*;

/// The bounds of `configs/risk.toml`, written out once more.
fn within_limits(proposal: &Proposal) {
    let notional = |multiplier| proposal.limit_price.unwrap().abs().notional(proposal.quantity.get(), multiplier);
    match proposal.asset_type {
        AssetType::Equity => {
            assert!(proposal.quantity.get() <= 300);
            assert!(notional(1) <= Money::from_dollars(200_000));
        }
        AssetType::Option | AssetType::Mleg => {
            let legs = i64::try_from(proposal.legs.len().max(1)).unwrap();
            assert!(proposal.quantity.get() * legs <= 10);
            assert!(proposal.intent != Intent::Open || notional(100) <= Money::from_dollars(25_000));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    // `World::send` holds every proposal against `Proposal::order`.
    #[test]
    fn no_draft_is_malformed_or_beyond_the_limits(
        spot in 540.0_f64..660.0,
        volatility in 0.01_f64..3.0,
        half_spread in 0.0_f64..3.0,
        moves in prop::collection::vec(-3.0_f64..3.0, 1..40),
        gaps in prop::collection::vec(1_i64..400, 1..40),
        fate in prop_oneof![Just(Fate::Match), Just(Fate::Rest)],
        start in (9_i8..16, 0_i8..60),
        interest in (0_u64..3_000, 0_u64..3_000),
        strategy in prop_oneof![Just("gamma"), Just("whale")],
    ) {
        let mut world = World::for_strategy(strategy, &["SPY"], MONDAY, start.0, start.1);
        world.fate = fate;
        let mut market = Market::list(&mut world, "SPY", MONDAY, (600, 5, 8), interest);
        let mut later = Market::list(&mut world, "SPY", jiff::civil::date(2026, 1, 9), (600, 5, 8), interest);
        (market.volatility, market.half_spread) = (volatility, half_spread);
        (later.volatility, later.half_spread) = (volatility, half_spread);
        let mut spot = spot;
        for (step, gap) in moves.iter().zip(&gaps) {
            spot += step;
            for second in 0..6 {
                if world.book.is_open() {
                    market.quote(&mut world, spot);
                    later.quote(&mut world, spot);
                    if second == 2 {
                        for (id, _, _) in later.contracts.iter().take(6) {
                            let ask = world.book.latest(*id).unwrap().quote().unwrap().quote.ask();
                            world.trade(*id, ask.unwrap_or(Price::CENT), 900, b'C');
                        }
                    }
                }
                world.pass(1);
            }
            world.wait(*gap);
        }
        for proposal in &world.proposals {
            within_limits(proposal);
        }
    }
}
