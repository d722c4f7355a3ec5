//! The pure market, held to what it promises: the same from the same seed, quotes that make sense, flow one can recognise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use agenttrader_core::calendar::Session;
use agenttrader_core::event::{MarketEvent, Quote, Trade};
use agenttrader_core::instrument::{InstrumentId, OptionContract, Right};
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::price::Price;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_options::flow::{Condition, ContractFlow, FlowEvent, Kind, Print, Surroundings};
use agenttrader_options::quote_use::{LastSides, QuoteUse};
use agenttrader_options::{Carry, black_scholes, implied_volatility, quote_trail};
use agenttrader_venue::paths;
use agenttrader_venue::profile::PROFILES;
use agenttrader_venue::surface::{RATE, time_to};
use agenttrader_venue::{Market, Scenario};
use jiff::civil::{Date, date};
use std::collections::BTreeMap;

const DAY: Date = date(2026, 11, 24);

type Events = Vec<(UnixNanos, MarketEvent)>;

fn run(seed: u64, day: Date, seconds: i64) -> (Market, Events) {
    let mut market = Market::new(seed, day, Scenario::Default).unwrap();
    let mut events = Vec::new();
    let until = market.start().plus(Span::from_seconds(seconds));
    market.advance(until, &mut events);
    (market, events)
}

#[test]
fn how_calls_are_sliced_changes_nothing() {
    let (whole, wanted) = run(11, DAY, 20);
    let mut market = Market::new(11, DAY, Scenario::Default).unwrap();
    let mut sliced = Vec::new();
    let mut at = market.start();
    let mut uneven = 1_i64;
    let end = whole.start().plus(Span::from_seconds(20));
    while at < end {
        uneven = (uneven * 7_919) % 400_009;
        at = at.plus(Span::from_nanos(uneven * 1_000)).min(end);
        market.advance(at, &mut sliced);
        assert!(sliced.last().is_none_or(|(when, _)| *when <= at));
    }
    market.advance(UnixNanos::EPOCH, &mut sliced);
    assert!(sliced == wanted);
    assert!(wanted.is_sorted_by_key(|(when, _)| *when) && wanted.len() > 3_000);
}

#[test]
fn a_seed_is_a_market_and_another_seed_or_day_another() {
    let (market, first) = run(11, DAY, 5);
    assert!(first == run(11, DAY, 5).1);
    assert!(first != run(12, DAY, 5).1);
    assert!(first != run(11, date(2026, 11, 25), 5).1);
    let refused = Market::new(1, date(2026, 11, 26), Scenario::Default).unwrap_err();
    assert_eq!(refused.to_string(), "2026-11-26 is no trading day (Thanksgiving Day); the next is 2026-11-27");
    let next = market.following().unwrap();
    assert_eq!((next.session().date, next.start()), (date(2026, 11, 25), next.session().open));
}

/// Every quote so far of each instrument, the last of it.
fn latest(events: &Events) -> BTreeMap<InstrumentId, Quote> {
    let quotes = events.iter().filter_map(|(_, event)| match event {
        MarketEvent::Quote(quote) => Some((quote.instrument, *quote)),
        _ => None,
    });
    quotes.collect()
}

#[test]
fn the_whole_chain_is_quoted_within_three_seconds_and_no_quote_gets_older_than_eight() {
    let (market, first) = run(3, DAY, 3);
    assert_eq!(latest(&first).len(), market.instruments().len());
    let (market, events) = run(3, DAY, 60);
    let mut last: BTreeMap<InstrumentId, UnixNanos> = BTreeMap::new();
    for (at, event) in &events {
        if let MarketEvent::Quote(quote) = event {
            assert_eq!(quote.exchange_time, *at);
            if let Some(before) = last.insert(quote.instrument, *at) {
                assert!(at.since(before) <= Span::from_seconds(8), "{at} {before}");
            }
        }
    }
    let end = market.start().plus(Span::from_seconds(60));
    assert!(last.values().all(|at| end.since(*at) <= Span::from_seconds(8)));
}

#[test]
fn quotes_are_never_locked_or_crossed_and_stand_on_their_ticks() {
    let (market, events) = run(5, DAY, 30);
    let mut zero_bids = 0;
    for (_, event) in &events {
        let MarketEvent::Quote(quote) = event else { continue };
        assert!(quote.bid < quote.ask && quote.bid >= Price::ZERO, "{quote:?}");
        let is_option = market.instruments().get(quote.instrument).unwrap().option().is_some();
        for price in [quote.bid, quote.ask] {
            let coarse = is_option && price >= Price::from_nanos(3_000_000_000);
            assert!(price.is_on_tick(if coarse { Price::NICKEL } else { Price::CENT }));
        }
        if !is_option {
            let cents = (quote.ask.nanos() - quote.bid.nanos()) / Price::CENT.nanos();
            assert!((1..=3).contains(&cents));
        }
        zero_bids += usize::from(is_option && quote.bid == Price::ZERO);
    }
    assert!(zero_bids > 0, "far out of the money nobody bids");
}

/// Calls fall and puts rise with the strike, and the straddle at the money is worth about what the day may yet move.
#[test]
fn chains_offer_nothing_for_nothing() {
    for seed in 0..4 {
        let (market, events) = run(seed, date(2026, 11, 27), 12);
        let quotes = latest(&events);
        let mut chains: BTreeMap<(String, Date, Right), Vec<(Price, Quote)>> = BTreeMap::new();
        for (id, instrument) in market.instruments().iter() {
            let Some(option) = instrument.option() else { continue };
            let chain = chains.entry((option.underlying.to_string(), option.expiration(), option.right())).or_default();
            chain.push((option.strike(), quotes[&id]));
        }
        assert_eq!(chains.len(), 24);
        for ((name, expiration, right), chain) in chains {
            for (index, (low, lower)) in chain.iter().enumerate() {
                for (high, higher) in &chain[index + 1..] {
                    assert!(low < high);
                    // Quotes are seconds apart: a few cents of the spot's way since are allowed for.
                    let slack = 0.25;
                    let (cheap, dear) = if right == Right::Call { (higher, lower) } else { (lower, higher) };
                    let free = cheap.bid.as_f64() - dear.ask.as_f64();
                    assert!(free <= slack, "{seed} {name} {expiration} {right:?} {low} {high} {free}");
                }
            }
        }
    }
}

#[test]
fn strikes_lie_around_the_spot_and_open_interest_is_heavy_at_round_ones() {
    for seed in 0..10 {
        let (market, events) = run(seed, DAY, 1);
        let quotes = latest(&events);
        let (mut round, mut odd) = ((0, 0), (0, 0));
        let interest: BTreeMap<InstrumentId, u64> = market.open_interest().collect();
        for (who, profile) in market.profiles().iter().enumerate() {
            let spot = quotes[&InstrumentId(who as u32)].mid().unwrap().as_f64();
            let mut strikes: Vec<f64> = Vec::new();
            for (id, instrument) in market.instruments().iter() {
                let Some(option) = instrument.option().filter(|option| option.underlying.as_str() == profile.symbol)
                else {
                    continue;
                };
                let strike = option.strike().as_f64();
                strikes.push(strike);
                let whose = if strike % 10.0 == 0.0 { &mut round } else { &mut odd };
                whose.0 += interest[&id];
                whose.1 += 1;
            }
            let nearest = strikes.iter().map(|strike| (strike - spot).abs()).fold(f64::MAX, f64::min);
            assert!(nearest / spot <= 0.005, "{} {spot}", profile.symbol);
            let (low, high) = strikes.iter().fold((f64::MAX, 0.0_f64), |(low, high), k| (low.min(*k), high.max(*k)));
            assert!(low < spot * 0.965 && high > spot * 1.035, "{} {low} {spot} {high}", profile.symbol);
        }
        assert!(2 * round.0 / round.1 > 3 * odd.0 / odd.1, "{round:?} {odd:?}");
    }
}

/// The events of each underlying that have a side, as a flow follower sees them.
fn flow_of(market: &Market, events: &Events) -> BTreeMap<String, Vec<FlowEvent>> {
    let mut contracts: BTreeMap<InstrumentId, ContractFlow> = BTreeMap::new();
    let mut found: BTreeMap<String, Vec<FlowEvent>> = BTreeMap::new();
    let around = Surroundings { spot: None, day_volume: 0, open_interest: None };
    for (_, event) in events {
        let Some(instrument) = market.instruments().get(event.instrument()) else { continue };
        let Some(option) = instrument.option() else { continue };
        let flow = contracts
            .entry(event.instrument())
            .or_insert_with(|| ContractFlow::new(option.right(), option.strike().as_f64()));
        match event {
            MarketEvent::Quote(quote) => flow.quote(quote_trail::Quote {
                at: quote.exchange_time.nanos(),
                bid: quote.bid.as_f64(),
                ask: quote.ask.as_f64(),
            }),
            MarketEvent::Trade(trade) => {
                let out = found.entry(option.underlying.to_string()).or_default();
                flow.print(print(trade), &around, &mut |event| out.push(event));
            }
            _ => {}
        }
    }
    found
}

fn print(trade: &Trade) -> Print {
    let left_out = matches!(trade.conditions[0], b'f' | b'g' | b'j' | b'D');
    let condition = if left_out { Condition::LeftOut } else { Condition::Regular };
    Print {
        at: trade.exchange_time.nanos(),
        price: trade.price.as_f64(),
        size: trade.size,
        exchange: trade.exchange,
        condition,
    }
}

#[test]
fn within_forty_seconds_of_any_seed_some_underlying_sees_a_programme_that_dominates_its_flow() {
    let (mut bullish, mut second) = (0, 0);
    for seed in 0..100 {
        let (market, events) = run(seed, DAY, 40);
        let mut dominated = 0;
        for flow in flow_of(&market, &events).values() {
            let sided: Vec<&FlowEvent> = flow.iter().filter(|event| event.sentiment.sign() != 0.0).collect();
            let total: f64 = sided.iter().map(|event| event.premium).sum();
            let score: f64 =
                sided.iter().map(|event| event.sentiment.sign() * event.conviction * event.premium).sum::<f64>()
                    / total;
            let sweeps: Vec<_> = sided
                .iter()
                .filter(|event| {
                    event.kind == Kind::Sweep && event.premium > 50_000.0 && event.sentiment.sign() * score > 0.0
                })
                .collect();
            let premium: f64 = sweeps.iter().map(|event| event.premium).sum();
            if score.abs() >= 0.30 && sweeps.len() >= 4 && premium >= 300_000.0 {
                dominated += 1;
                bullish += usize::from(score > 0.0);
            }
        }
        assert!(dominated >= 1, "seed {seed}");
        second += usize::from(dominated > 1);
    }
    assert!((30..=75).contains(&bullish), "both sides come up: {bullish}");
    assert!(second < 20, "{second}");
}

#[test]
fn without_programmes_there_are_none_and_the_load_stays_moderate() {
    let mut market = Market::new(9, DAY, Scenario::Quiet).unwrap();
    let mut events = Vec::new();
    market.advance(market.start().plus(Span::from_seconds(60)), &mut events);
    let rate = events.len() as f64 / 60.0;
    assert!((150.0..600.0).contains(&rate), "{rate} events a second");
    let flow = flow_of(&market, &events);
    assert!(flow.values().flatten().all(|event| event.premium < 300_000.0));
}

#[test]
fn history_ends_where_the_market_begins_and_yesterday_is_what_was_traded() {
    let (market, events) = run(21, DAY, 5);
    let spy = InstrumentId(0);
    let bars: Vec<_> =
        market.history().minutes.iter().map(|past| past.bar).filter(|bar| bar.instrument == spy).collect();
    assert_eq!(bars.len(), 5 * 390 + 30);
    assert!(bars.windows(2).all(|pair| pair[0].end() <= pair[1].start));
    assert!(bars.iter().all(|bar| bar.low <= bar.open.min(bar.close) && bar.high >= bar.open.max(bar.close)));
    let (last, first) = (bars.last().unwrap(), latest(&events)[&spy]);
    assert_eq!(last.end(), market.start());
    assert!((last.close.as_f64() / first.mid().unwrap().as_f64() - 1.0).abs() < 0.002);
    // The same day played to its end and looked back on the next.
    let half = date(2026, 11, 27);
    let mut market = Market::starting(21, half, Scenario::Quiet, 209).unwrap();
    let mut events = Vec::new();
    market.advance(UnixNanos::MAX, &mut events);
    let official = events.iter().rev().find_map(|(_, event)| match event {
        MarketEvent::Trade(trade) if trade.instrument == spy && trade.conditions[1] == b'M' => Some(trade.price),
        _ => None,
    });
    let next = market.following().unwrap();
    let close = next.history().minutes.iter().map(|past| past.bar).rfind(|bar| bar.instrument == spy).unwrap();
    assert_eq!((Some(close.close), close.end()), (official, Session::on(half).unwrap().close));
}

/// A day whose straddles have to be hedged now and then, from its minute marks alone.
#[test]
fn spots_move_enough_that_a_straddle_is_hedged_several_times_a_day() {
    let session = Session::on(DAY).unwrap();
    let mut hedges = Vec::new();
    for seed in 0..30 {
        let today = paths::days(seed, session, 1);
        let spy = &today[0][0];
        let volatility = PROFILES[0].volatility * paths::temper(seed, &session);
        let mut held_at: Option<(f64, f64)> = None;
        let mut count = 0;
        for (minute, spot) in spy.marks.iter().enumerate().take(330).skip(35) {
            let left = (390 - minute) as f64 / 390.0 / paths::YEAR_SESSIONS;
            let (strike, hedged) = *held_at.get_or_insert((spot.round(), 0.0));
            let stdev = volatility * left.sqrt();
            let d1 = (spot / strike).ln() / stdev + 0.5 * stdev;
            let delta = 2.0 * black_scholes::normal_cdf(d1) - 1.0;
            if (delta - hedged).abs() > 0.15 {
                held_at = Some((strike, delta));
                count += 1;
            }
        }
        hedges.push(count);
    }
    hedges.sort_unstable();
    assert!(hedges[3] >= 5 && hedges[15] >= 10, "{hedges:?}");
}

/// What share of a same-day chain's open interest has a quote that analytics can use.
fn usable(market: &Market, events: &Events, now: UnixNanos, who: usize) -> f64 {
    let quotes = latest(events);
    let spot = quotes[&InstrumentId(who as u32)].mid().unwrap().as_f64();
    let today = *market.session();
    let carry = Carry::from_rates(spot, RATE, 0.0, time_to(&today, now)).unwrap();
    let own = |id: InstrumentId, option: &OptionContract| {
        let (of, strike) = (option.right(), option.strike().as_f64());
        let quote = quotes[&id];
        let sides = LastSides { bid: Some(quote.bid.as_f64()), ask: Some(quote.ask.as_f64()) };
        let middle = quote.mid().filter(|_| quote.bid > Price::ZERO).map(|mid| mid.as_f64());
        QuoteUse::own(of, strike, spot, sides, implied_volatility(of, strike, middle, &carry))
    };
    let (mut good, mut all) = (0, 0);
    for (id, contracts) in market.open_interest() {
        let option = *market.instruments().get(id).unwrap().option().unwrap();
        if option.underlying.as_str() != market.profiles()[who].symbol || option.expiration() != today.date {
            continue;
        }
        let other =
            OccSymbol::new(option.contract.root(), today.date, option.right().other(), option.strike()).unwrap();
        let other = market.instruments().by_contract(&other).unwrap();
        let other_option = *market.instruments().get(other).unwrap().option().unwrap();
        let using =
            own(id, &option).or_other(option.right(), option.strike().as_f64(), spot, Some(own(other, &other_option)));
        all += contracts;
        good += if using.is_usable() { contracts } else { 0 };
    }
    good as f64 / all as f64
}

#[test]
fn nine_tenths_of_the_open_interest_are_usable_ten_seconds_after_any_start_and_an_hour_before_the_close() {
    for seed in 0..30 {
        for minute in [0, 30, 180, 330] {
            let mut market = Market::starting(seed, DAY, Scenario::Default, minute).unwrap();
            let mut events = Vec::new();
            let now = market.start().plus(Span::from_seconds(10));
            market.advance(now, &mut events);
            for who in 0..3 {
                let share = usable(&market, &events, now, who);
                assert!(share >= 0.9, "seed {seed}, minute {minute}, {}: {share}", market.profiles()[who].symbol);
            }
        }
    }
}
