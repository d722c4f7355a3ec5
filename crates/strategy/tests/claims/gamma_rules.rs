//! Gamma's rules, one by one, at their boundaries.

use crate::support::{Fate, HALF_DAY, MONDAY, Market, World, changed, configuration, price, symbol};
use agenttrader_core::calendar::new_york;
use agenttrader_core::instrument::{InstrumentId, Right};
use agenttrader_core::order::{Intent, Side, Tradable};
use agenttrader_core::price::Price;
use agenttrader_core::proposal::{AssetType, Proposal};
use agenttrader_core::time::Span;
use agenttrader_options::regime::Regime;
use agenttrader_sequence::input::FeedFact;
use agenttrader_strategy::draft::NoteKind;
use jiff::civil::Date;

/// Calls over puts make dealers long gamma, puts over calls short.
const SHORT: (u64, u64) = (1_000, 2_000);
const LONG: (u64, u64) = (2_000, 1_000);

fn spy_at(hour: i8, minute: i8, interest: (u64, u64)) -> (World, Market) {
    let mut world = World::for_strategy("gamma", &["SPY"], MONDAY, hour, minute);
    let market = Market::list(&mut world, "SPY", MONDAY, (600, 1, 6), interest);
    (world, market)
}

fn seconds(world: &mut World, market: &Market, spot: f64, count: u32) -> Vec<Proposal> {
    for _ in 0..count {
        market.second(world, spot);
    }
    world.take()
}

/// First and last second at which an entry is proposed, looking every minute from the open to the close.
fn window(name: &str, date: Date, close: i8) -> (i64, i64) {
    let mut world = World::for_strategy("gamma", &[name], date, 9, 30);
    world.fate = Fate::Rest;
    let market = Market::list(&mut world, name, date, (600, 1, 6), SHORT);
    let (open, close) = (world.at, new_york(date, close, 0));
    let mut entries = Vec::new();
    for boundary in [open.plus(Span::from_minutes(5)), close.minus(Span::from_minutes(60))] {
        world.at = boundary.minus(Span::from_seconds(10));
        for _ in 0..20 {
            market.second(&mut world, 600.2);
            world.standing.working.clear();
            entries.extend(world.take().iter().map(|proposal| proposal.created_at_utc));
        }
    }
    (entries.first().unwrap().since(open).seconds(), close.since(*entries.last().unwrap()).seconds())
}

#[test]
fn it_enters_from_five_minutes_after_the_open_to_an_hour_before_the_close_of_that_day() {
    for (name, date, close) in [("SPY", MONDAY, 16), ("GOOG", HALF_DAY, 13)] {
        let (first, last) = window(name, date, close);
        assert_eq!(first, 300, "{name}");
        assert!((3_600..3_620).contains(&last), "{name}: {last}");
    }
}

#[test]
fn it_buys_the_nearest_straddle_at_the_net_ask_sized_by_the_regime() {
    for (interest, regime, size) in
        [(SHORT, Regime::ShortGamma, 3), (LONG, Regime::LongGamma, 1), ((1_000, 1_000), Regime::Neutral, 2)]
    {
        let (mut world, market) = spy_at(11, 0, interest);
        // At the money and with the spot on a strike, calls and puts of like interest cancel.
        let proposals = seconds(&mut world, &market, 600.0, 10);
        assert_eq!(world.book.underlying(symbol("SPY")).unwrap().regime(), regime);
        let entry = &proposals[0];
        assert_eq!((entry.intent, entry.side, entry.asset_type), (Intent::Open, Side::Buy, AssetType::Mleg));
        assert_eq!(entry.quantity.get(), size, "{}", regime.as_str());
        assert!(entry.legs.iter().all(|leg| leg.strike == price("600") && leg.expiration == MONDAY));
        let ask = |right| world.book.latest(market.id(right, 600.0)).unwrap().quote().unwrap().quote.ask().unwrap();
        let net = ask(Right::Call).checked_add(ask(Right::Put)).unwrap();
        let limit = entry.limit_price.unwrap();
        assert!(limit.checked_sub(net).unwrap().abs() <= Price::CENT, "{limit} against {net}");
    }
}

#[test]
fn with_dealers_gamma_unknown_it_waits_and_says_so_once() {
    let (mut world, market) = spy_at(11, 0, (0, 0));
    assert!(seconds(&mut world, &market, 600.2, 30).is_empty());
    assert_eq!(world.take_notes(NoteKind::Signal), ["SPY: flat; waits until dealers' gamma is known"]);
}

#[test]
fn a_strike_further_than_half_a_percent_is_none() {
    for (spot, enters) in [(602.9, true), (603.1, false)] {
        let mut world = World::for_strategy("gamma", &["SPY"], MONDAY, 11, 0);
        let market = Market::list(&mut world, "SPY", MONDAY, (600, 20, 2), SHORT);
        assert_eq!(!seconds(&mut world, &market, spot, 10).is_empty(), enters, "{spot}");
    }
}

#[test]
fn one_side_of_a_quote_missing_makes_no_entry_at_that_strike() {
    let (mut world, market) = spy_at(11, 0, SHORT);
    for _ in 0..10 {
        market.quote(&mut world, 600.2);
        world.quote(market.id(Right::Put, 600.0), Price::ZERO, price("1.00"));
        world.pass(1);
    }
    let proposals = world.take();
    assert!(proposals[0].legs.iter().all(|leg| leg.strike == price("601")));
}

#[test]
fn an_entry_never_leaves_the_collar_and_is_cut_to_the_order_limits() {
    // The reference stands; at the very second of the timer the asks jump away.
    let configuration =
        changed(configuration("gamma", &["SPY"]), "strategies/gamma.toml", "base_quantity = 2", "base_quantity = 50");
    let mut large = World::new(&configuration, MONDAY, 11, 0);
    let market = Market::list(&mut large, "SPY", MONDAY, (600, 1, 6), SHORT);
    for _ in 0..10 {
        market.quote(&mut large, 600.0);
        large.wait(1);
        for right in [Right::Call, Right::Put] {
            let id = market.id(right, 600.0);
            let bid = large.book.latest(id).unwrap().quote().unwrap().quote.bid;
            large.quote(id, bid, bid.checked_mul(3).unwrap());
        }
        large.timer();
        large.wait(1);
    }
    let entry = large.take().remove(0);
    assert_eq!(entry.quantity.get(), 5, "ten contracts are the most, two to a straddle");
    let figure = |name: &str| entry.rationale.indicators.get(name).unwrap().as_f64().unwrap();
    let limit = entry.limit_price.unwrap().as_f64();
    assert!(figure("net_ask") > limit && limit <= figure("net_reference") * 1.1 + 1e-9);
    assert!(limit > figure("net_reference") * 1.1 - 0.01);
}

/// A world that holds `count` straddles at 600.
fn holding(world: &mut World, market: &Market, count: i64) {
    market.second(world, 600.0);
    for right in [Right::Call, Right::Put] {
        hold(world, market.id(right, 600.0), count);
    }
}

fn hold(world: &mut World, id: InstrumentId, count: i64) {
    let option = *world.book.instruments().get(id).unwrap().option().unwrap();
    let tradable = Tradable::Option { underlying: option.underlying, contract_symbol: option.contract };
    world.book_fill(tradable, count, price("2.00"));
}

#[test]
fn it_hedges_outside_the_band_towards_zero_and_not_inside() {
    let (mut world, market) = spy_at(11, 0, SHORT);
    holding(&mut world, &market, 2);
    assert!(seconds(&mut world, &market, 600.0, 20).is_empty(), "at the money there is nothing to hedge");
    for (spot, side) in [(601.5, Side::Sell), (598.5, Side::Buy)] {
        let hedges = seconds(&mut world, &market, spot, 1);
        assert_eq!(hedges.len(), 1, "{spot}");
        let hedge = &hedges[0];
        assert_eq!((hedge.intent, hedge.asset_type, hedge.side), (Intent::Hedge, AssetType::Equity, side));
        let through = if side == Side::Sell { spot - 0.005 - 0.02 } else { spot + 0.005 + 0.02 };
        assert!((hedge.limit_price.unwrap().as_f64() - through).abs() <= 0.0101, "two ticks through the far touch");
        assert_eq!(hedge.constraints.valid_until_utc.since(hedge.created_at_utc), Span::from_seconds(15));
        assert!(seconds(&mut world, &market, spot, 30).is_empty(), "and then it is inside");
    }
}

#[test]
fn no_hedge_comes_while_one_works_or_within_fifteen_seconds() {
    let (mut world, market) = spy_at(11, 0, SHORT);
    holding(&mut world, &market, 2);
    let mut hedges = Vec::new();
    for second in 0..120 {
        let spot = 600.0 + if second % 2 == 0 { 2.0 } else { -2.0 };
        market.second(&mut world, spot);
        hedges.extend(world.take());
    }
    assert!(hedges.len() >= 5);
    for pair in hedges.windows(2) {
        assert!(pair[1].created_at_utc.since(pair[0].created_at_utc) >= Span::from_seconds(15));
    }
    world.fate = Fate::Rest;
    world.fact(FeedFact::Cadence { every: Span::from_seconds(30) });
    let resting = seconds(&mut world, &market, 604.0, 58);
    assert_eq!(resting.len(), 1, "one works for twice the cadence, sixty seconds");
}

#[test]
fn without_a_volatility_it_hedges_by_intrinsic_value_and_says_so_once() {
    let (mut world, market) = spy_at(11, 0, SHORT);
    holding(&mut world, &market, 1);
    let mut hedges = Vec::new();
    for _ in 0..30 {
        market.quote(&mut world, 604.0);
        // Nobody bids for either, and what is asked says nothing.
        world.quote(market.id(Right::Call, 600.0), Price::ZERO, price("9.00"));
        world.quote(market.id(Right::Put, 600.0), Price::ZERO, price("5.00"));
        world.pass(1);
        hedges.extend(world.take());
    }
    assert_eq!(hedges[0].side, Side::Sell);
    let words = world.take_notes(NoteKind::Signal);
    assert_eq!(words.iter().filter(|note| note.contains("intrinsic")).count(), 1, "{words:?}");
}

#[test]
fn when_the_days_hedges_are_used_up_it_gets_out() {
    let most = changed(configuration("gamma", &["SPY"]), "risk.toml", "daily_hedges = 400", "daily_hedges = 12");
    let mut world = World::new(&most, MONDAY, 11, 0);
    let market = Market::list(&mut world, "SPY", MONDAY, (600, 1, 6), SHORT);
    holding(&mut world, &market, 2);
    let mut said = Vec::new();
    for second in 0..200 {
        market.second(&mut world, if second / 20 % 2 == 0 { 602.0 } else { 598.0 });
        said.extend(world.take());
    }
    assert_eq!(said.iter().filter(|proposal| proposal.intent == Intent::Hedge).count(), 2, "ten are kept back");
    assert!(said.iter().any(|proposal| proposal.intent == Intent::Close));
    assert!(world.standing.positions.is_empty());
    assert!(said.iter().all(|proposal| proposal.intent != Intent::Open), "and not in again");
}

#[test]
fn it_leaves_ten_minutes_before_the_cut_off() {
    for (name, date, hour, minute) in [("SPY", MONDAY, 15, 20), ("AAPL", MONDAY, 15, 5), ("GOOG", HALF_DAY, 12, 5)] {
        let mut world = World::for_strategy("gamma", &[name], date, hour, minute);
        world.at = world.at.minus(Span::from_seconds(10));
        let market = Market::list(&mut world, name, date, (600, 1, 6), SHORT);
        holding(&mut world, &market, 2);
        let mut closes = seconds(&mut world, &market, 600.0, 30);
        closes.retain(|proposal| proposal.intent == Intent::Close);
        let close = &closes[0];
        assert_eq!(close.created_at_utc, new_york(date, hour, minute), "{name}");
        assert_eq!((close.asset_type, close.side, close.quantity.get()), (AssetType::Mleg, Side::Sell, 2));
        assert!(close.limit_price.unwrap() < Price::ZERO, "a credit");
        assert!(world.standing.positions.is_empty(), "{name} is flat");
    }
}

#[test]
fn each_close_that_lapses_makes_the_next_one_concede_more_within_the_collar() {
    let (mut world, market) = spy_at(15, 20, SHORT);
    holding(&mut world, &market, 2);
    world.fate = Fate::Rest;
    let credits: Vec<i64> = seconds(&mut world, &market, 600.0, 190)
        .iter()
        .filter(|proposal| proposal.intent == Intent::Close)
        .map(|proposal| -proposal.limit_price.unwrap().nanos())
        .collect();
    assert!(credits.len() >= 5, "{credits:?}");
    // The straddle costs under a dollar: the collar is ten cents wide. Time takes a little beside what is conceded.
    assert!(credits[0] < 1_000_000_000);
    for (credit, conceded) in credits.iter().zip([0, 2, 5, 7, 8, 8]) {
        let cents = (credits[0] - credit) / 10_000_000;
        assert!((conceded..=conceded + 3).contains(&cents), "{conceded}: {credits:?}");
    }
    // A fill ends it: the hedge's first close asks for the touch and its two ticks again.
    world.fate = Fate::Match;
    world.book_fill(Tradable::Equity { symbol: symbol("SPY") }, 10, price("600"));
    let shares = seconds(&mut world, &market, 600.0, 60);
    let close = shares.iter().find(|proposal| proposal.asset_type == AssetType::Equity).unwrap();
    let bid = world.book.latest(market.share).unwrap().quote().unwrap().quote.bid().unwrap();
    assert_eq!(bid.nanos() - close.limit_price.unwrap().nanos(), 20_000_000);
    assert!(world.standing.positions.is_empty());
}

#[test]
fn what_has_nothing_to_do_is_not_looked_at_until_it_has() {
    let mut world = World::for_strategy("gamma", &["SPX"], MONDAY, 9, 40);
    // Options that are quoted and make a regime, and no share to hedge with.
    let ids = [Right::Call, Right::Put].map(|right| world.option("SPX", "SPXW", MONDAY, right, price("600")));
    for (id, open) in ids.into_iter().zip([1_000, 2_000]) {
        world.open_interest(id, open);
    }
    let pass = |world: &mut World, seconds: u32| {
        for _ in 0..seconds {
            for id in ids {
                world.quote(id, price("2.00"), price("2.10"));
            }
            world.pass(1);
        }
    };
    pass(&mut world, 200);
    assert_eq!(world.take_notes(NoteKind::Signal), Vec::<String>::new(), "no stance is told");
    assert_eq!(world.take_notes(NoteKind::CycleSkipped).len(), 1);
    // The share's feed comes after all.
    let share = world.share("SPX");
    for _ in 0..30 {
        world.quote(share, price("600.00"), price("600.01"));
        pass(&mut world, 1);
    }
    assert_eq!(world.take_notes(NoteKind::CycleSkipped), ["SPX: there is something to do after all"]);
    assert!(!world.take_notes(NoteKind::Signal).is_empty());
}

#[test]
fn a_leg_without_a_bid_is_left_and_the_other_closed_alone_then_the_hedge() {
    let (mut world, market) = spy_at(15, 20, SHORT);
    holding(&mut world, &market, 2);
    world.book_fill(Tradable::Equity { symbol: symbol("SPY") }, -180, price("606"));
    for _ in 0..60 {
        market.quote(&mut world, 606.0);
        world.quote(market.id(Right::Put, 600.0), Price::ZERO, price("0.01"));
        world.pass(1);
    }
    let said = world.take();
    assert_eq!((said[0].asset_type, said[0].quantity.get()), (AssetType::Option, 2));
    assert_eq!((said[1].asset_type, said[1].side, said[1].intent), (AssetType::Equity, Side::Buy, Intent::Close));
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!((world.held(market.id(Right::Put, 600.0)), world.held(market.share)), (2, 0));
}

#[test]
fn after_the_cut_off_no_order_in_what_expires_is_proposed_and_the_hedge_goes_on() {
    let (mut world, market) = spy_at(15, 30, SHORT);
    holding(&mut world, &market, 2);
    let said = seconds(&mut world, &market, 604.0, 60);
    assert!(!said.is_empty());
    assert!(said.iter().all(|proposal| proposal.asset_type == AssetType::Equity), "{said:?}");
}

#[test]
fn an_entry_dearer_than_realised_volatility_allows_is_left_out() {
    for (most, enters) in [("0.01", false), ("90.0", true)] {
        let text = format!("max_iv_over_rv = {most}\n[hedge_band]");
        let configured = changed(configuration("gamma", &["SPY"]), "strategies/gamma.toml", "[hedge_band]", &text);
        let mut world = World::new(&configured, MONDAY, 11, 0);
        let market = Market::list(&mut world, "SPY", MONDAY, (600, 1, 6), SHORT);
        assert!(
            seconds(&mut world, &market, 600.2, 10).is_empty(),
            "without thirty closes there is nothing to compare"
        );
        for minute in 0..31 {
            let close = if minute % 2 == 0 { price("600.10") } else { price("600.30") };
            world.wait(60);
            world.bar(market.share, close, close, 10, false);
        }
        assert_eq!(!seconds(&mut world, &market, 600.2, 10).is_empty(), enters);
    }
}

#[test]
fn why_there_is_nothing_to_do_is_said_once_a_session_in_one_line() {
    type Make = fn(&mut World) -> InstrumentId;
    let nothing: [(&str, Make); 4] = [
        ("it has no options", |world| world.share("SPY")),
        ("its options that expire today have no quotes", |world| {
            Market::list(world, "SPY", MONDAY, (600, 1, 2), SHORT).share
        }),
        ("no option of it expires today", |world| {
            Market::list(world, "SPY", jiff::civil::date(2026, 1, 9), (600, 1, 2), SHORT).share
        }),
        ("there is no share to hedge with (an index needs hedge_symbol and hedge_ratio)", |world| {
            world.option("SPY", "SPYW", MONDAY, Right::Call, price("600"));
            world.option("SPY", "SPYW", MONDAY, Right::Put, price("600"))
        }),
    ];
    for (why, make) in nothing {
        let mut world = World::for_strategy("gamma", &["SPY"], MONDAY, 9, 30);
        let id = make(&mut world);
        for _ in 0..400 {
            world.quote(id, price("2.00"), price("2.10"));
            world.pass(1);
        }
        let notes = world.take_notes(NoteKind::CycleSkipped);
        let said: Vec<_> = notes.iter().filter(|note| note.contains("nothing to do")).collect();
        assert_eq!(said, [&format!("SPY: nothing to do this session: {why}")]);
        assert!(world.proposals.is_empty());
    }
}
