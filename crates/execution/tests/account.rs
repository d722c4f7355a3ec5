//! The shadow account: limits, days, expiries, what strategies are told.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use agenttrader_core::calendar::{new_york, sessions};
use agenttrader_core::canonical_json;
use agenttrader_core::instrument::{Instrument, OptionContract};
use agenttrader_core::money::Money;
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::order::{Intent, Side};
use agenttrader_core::position::Ending;
use agenttrader_core::reason::Reason;
use agenttrader_core::time::Span;
use agenttrader_execution::output::{DeskOutput, FillCause};
use agenttrader_safety::kill_switch::Reading;
use agenttrader_safety::seen::LogHealth;
use agenttrader_sequence::input::Fact;
use common::{CALL, DAY, Floor, PUT, price, symbol, with_limit};

fn beyond(floor: &mut Floor, proposal: &agenttrader_core::proposal::Proposal) -> Vec<Reason> {
    floor.decide(proposal).reason_codes.into_iter().filter(|reason| !reason.is_posture()).collect()
}

fn tripped(floor: &Floor) -> Vec<(Reason, Option<&str>)> {
    let mut trips = Vec::new();
    for output in &floor.outputs {
        if let DeskOutput::LimitTripped(trip) = output {
            trips.push((trip.limit, trip.strategy_name.as_deref()));
        }
    }
    trips
}

fn identity_holds(floor: &Floor) {
    let read = floor.desk.readings();
    let identity = read.start_equity_usd.plus(read.realised_usd).plus(read.unrealised_usd).minus(read.fees_usd);
    assert_eq!(read.equity_usd, identity);
    let sum: Money = read.strategies.iter().map(|strategy| strategy.profit_usd).sum();
    assert_eq!(read.equity_usd, read.start_equity_usd.plus(sum), "the account is the sum of its strategies");
}

/// Buys at the touch of 600.02 and lets a second pass.
fn bought(floor: &mut Floor, quantity: i64) {
    let proposal = floor.shares(Intent::Open, Side::Buy, quantity, Some("600.05"));
    floor.shadowed(&proposal);
    floor.quote(floor.spy, "600.00", "600.02");
    floor.quiet_second();
}

#[test]
fn the_default_posture_refuses_with_its_reasons_alone_and_the_order_is_shadowed() {
    let mut floor = Floor::new();
    let proposal = floor.straddle(Intent::Open, Side::Buy, 2, "2.94");
    let decision = floor.decide(&proposal);
    let codes: Vec<&str> = decision.reason_codes.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(
        codes,
        [
            "EXECUTION_DISABLED",
            "AGENT_MODE_NOT_EXECUTE",
            "KILL_SWITCH",
            "STATE_NOT_READY",
            "UNLOCK_MISSING",
            "APPROVAL_MISSING"
        ]
    );
    assert!(
        matches!(floor.outputs.as_slice(), [DeskOutput::ShadowTaken(taken)] if taken.proposal_id == proposal.proposal_id)
    );
    let standing = floor.desk.standing("gamma").unwrap();
    assert_eq!((standing.working.len(), standing.positions.len(), standing.ended.len()), (1, 0, 0));
    assert!(floor.desk.standing("whale").unwrap().working.is_empty());
}

#[test]
fn a_released_switch_takes_one_reason_away_and_an_unwritable_log_adds_one() {
    let mut floor = Floor::new();
    floor.fact(Fact::Switch(Reading { halted: false, source: "file EXECUTION_HALTED: contains 0".to_owned() }));
    let proposal = floor.shares(Intent::Open, Side::Buy, 10, Some("600.05"));
    let codes = floor.decide(&proposal).reason_codes;
    assert!(!codes.contains(&Reason::KillSwitch) && codes.contains(&Reason::ExecutionDisabled));
    floor.fact(Fact::Log { agent_name: "gamma-strategy".to_owned(), health: LogHealth::Unavailable });
    let proposal = floor.shares(Intent::Open, Side::Buy, 11, Some("600.05"));
    assert_eq!(beyond(&mut floor, &proposal), [], "another agent's log is not the decider's");
    floor.fact(Fact::Log { agent_name: common::GATE.to_owned(), health: LogHealth::Unavailable });
    let proposal = floor.shares(Intent::Open, Side::Buy, 12, Some("600.05"));
    assert_eq!(beyond(&mut floor, &proposal), [Reason::AuditUnavailable]);
}

#[test]
fn a_desk_that_has_heard_of_neither_switch_nor_log_lets_nothing_pass() {
    let mut floor = Floor::new();
    floor.desk = agenttrader_execution::desk::Desk::new(&common::configuration(), common::settings()).unwrap();
    let proposal = floor.shares(Intent::Open, Side::Buy, 10, Some("600.05"));
    let codes = floor.decide(&proposal).reason_codes;
    assert!(codes.contains(&Reason::KillSwitch) && codes.contains(&Reason::AuditUnavailable));
}

#[test]
fn the_snapshot_has_a_canonical_form_and_names_what_was_seen() {
    let mut floor = Floor::new();
    bought(&mut floor, 10);
    let proposal = floor.straddle(Intent::Open, Side::Buy, 1, "2.94");
    let decision = floor.decide(&proposal);
    let text = canonical_json::of(&decision).unwrap();
    assert_eq!(canonical_json::to_string(&canonical_json::parse(text.as_bytes()).unwrap()).unwrap(), text);
    let instruments = decision.safety_snapshot["market"]["instruments"].as_array().unwrap().clone();
    assert_eq!(instruments.len(), 3, "two legs and the holding");
    assert!(
        instruments.iter().all(|seen| seen["listed"] == true && !seen["mark"].is_null() && !seen["delta"].is_null())
    );
    assert!(!text.contains("git_sha"), "another build must give the same bytes");
    for output in &floor.outputs {
        canonical_json::of(output).unwrap();
    }
}

#[test]
fn profit_is_equity_less_start_at_every_step() {
    let mut floor = Floor::new();
    identity_holds(&floor);
    bought(&mut floor, 100);
    identity_holds(&floor);
    floor.quote(floor.spy, "604.99", "605.01");
    floor.second();
    identity_holds(&floor);
    let read = floor.desk.readings();
    assert_eq!(read.unrealised_usd.to_string(), "498", "(605 − 600.02) × 100");
    let proposal = floor.shares(Intent::Close, Side::Sell, 60, Some("604.90"));
    floor.shadowed(&proposal);
    floor.quote(floor.spy, "604.99", "605.01");
    identity_holds(&floor);
    let read = floor.desk.readings();
    assert_eq!(read.realised_usd.to_string(), "298.2", "(604.99 − 600.02) × 60");
    assert_eq!(read.fees_usd.to_string(), "1.02", "36,299.40 × 27.80 / 1e6 + 60 × 0.000166 = 1.0190…");
    assert_eq!((read.account, read.strategies[0].positions[0].quantity), ("SHADOW", 40));
}

#[test]
fn the_same_order_within_the_window_and_the_same_proposal_ever_are_refused() {
    let mut floor = Floor::new();
    let proposal = floor.shares(Intent::Open, Side::Buy, 10, Some("600.05"));
    floor.shadowed(&proposal);
    floor.quiet_second();
    let twin = floor.shares(Intent::Open, Side::Buy, 10, Some("600.05"));
    assert_eq!(beyond(&mut floor, &twin), [Reason::OrderDuplicate]);
    assert!(beyond(&mut floor, &proposal).contains(&Reason::ProposalDuplicate));
    let refused = floor.shares(Intent::Open, Side::Buy, 301, Some("600.05"));
    assert!(!beyond(&mut floor, &refused).is_empty());
    let again = beyond(&mut floor, &refused);
    assert!(
        again.contains(&Reason::ProposalDuplicate) && !again.contains(&Reason::OrderDuplicate),
        "what was refused is no order: {again:?}"
    );
    for _ in 0..9 {
        floor.quiet_second();
    }
    let later = floor.shares(Intent::Open, Side::Buy, 10, Some("600.05"));
    floor.shadowed(&later);
}

#[test]
fn the_sixth_order_of_a_second_waits_for_the_next() {
    let mut floor = Floor::new();
    for quantity in 1..=5 {
        let proposal = floor.shares(Intent::Open, Side::Buy, quantity, Some("600.05"));
        floor.shadowed(&proposal);
    }
    let sixth = floor.shares(Intent::Open, Side::Buy, 6, Some("600.05"));
    assert_eq!(beyond(&mut floor, &sixth), [Reason::OrderRate]);
    floor.quiet_second();
    let sixth = floor.shares(Intent::Open, Side::Buy, 6, Some("600.05"));
    floor.shadowed(&sixth);
}

#[test]
fn a_new_day_begins_with_new_counters_and_keeps_what_is_held() {
    let mut floor = Floor::with(&with_limit("daily_orders", "1"));
    bought(&mut floor, 10);
    let proposal = floor.shares(Intent::Open, Side::Buy, 11, Some("600.05"));
    assert_eq!(beyond(&mut floor, &proposal), [Reason::DailyOrders]);
    floor.quote(floor.spy, "609.99", "610.01");
    floor.second();
    let before = floor.desk.readings();
    let next = sessions(DAY.tomorrow().unwrap(), DAY.saturating_add(jiff::Span::new().days(7))).next().unwrap();
    floor.now = next.open.plus(Span::from_minutes(30));
    floor.quote(floor.spy, "609.99", "610.01");
    floor.second();
    let read = floor.desk.readings();
    assert_eq!((read.day_start_equity_usd, read.day_profit_usd), (before.equity_usd, Money::ZERO));
    assert_eq!(read.strategies[0].positions[0].quantity, 10);
    assert_eq!(read.strategies[0].day_profit_usd, Money::ZERO);
    let proposal = floor.shares(Intent::Open, Side::Buy, 11, Some("610.05"));
    floor.shadowed(&proposal);
}

/// 200 shares that lose a percent trip a daily limit of one basis point.
fn losing() -> Floor {
    let mut floor = Floor::with(&with_limit("daily_loss_bp", "1"));
    bought(&mut floor, 200);
    floor
}

#[test]
fn a_loss_trips_at_the_second_good_reading_and_only_reducing_orders_pass_after() {
    let mut floor = losing();
    floor.quote(floor.spy, "595.99", "596.01");
    floor.second();
    assert_eq!(tripped(&floor), []);
    floor.quote(floor.spy, "599.99", "600.01");
    floor.second();
    floor.quote(floor.spy, "595.99", "596.01");
    floor.second();
    assert_eq!(tripped(&floor), [], "one bad mark is a bad print");
    floor.second();
    assert_eq!(tripped(&floor), [(Reason::DailyLoss, None)]);

    for _ in 0..3 {
        floor.quiet_second();
    }
    let open = floor.shares(Intent::Open, Side::Buy, 10, Some("600.05"));
    assert_eq!(beyond(&mut floor, &open), [Reason::DailyLoss], "a recovery does not resume");
    let flip = floor.shares(Intent::Close, Side::Sell, 201, Some("599.95"));
    assert_eq!(beyond(&mut floor, &flip), [Reason::DailyLoss], "a sale through zero does not reduce");
    let close = floor.shares(Intent::Close, Side::Sell, 200, Some("599.95"));
    floor.shadowed(&close);
    assert_eq!(tripped(&floor).len(), 1, "told once");
}

#[test]
fn a_stale_mark_trips_nothing_and_releases_nothing() {
    let mut floor = losing();
    floor.quote(floor.spy, "595.99", "596.01");
    floor.second();
    for _ in 0..29 {
        floor.now = floor.now.plus(Span::from_seconds(1));
    }
    floor.second();
    floor.second();
    let read = floor.desk.readings();
    assert!(
        !read.marks_fresh && read.tripped == agenttrader_safety::seen::Tripped { daily_loss: false, drawdown: false }
    );
    assert_eq!(read.strategies[0].positions[0].mark.price, price("596"), "the last value stays");
    floor.quote(floor.spy, "595.99", "596.01");
    floor.second();
    assert_eq!(tripped(&floor), [(Reason::DailyLoss, None)], "the next good reading is the second");
}

#[test]
fn hedges_and_closes_pass_where_their_limits_leave_them_alone() {
    let mut floor = Floor::with(&with_limit("daily_orders", "1"));
    let entry = floor.straddle(Intent::Open, Side::Buy, 2, "2.96");
    floor.shadowed(&entry);
    floor.quiet_second();
    assert_eq!(floor.fills().len(), 1);
    // The calls' delta moves with spot: at 601 the straddle is long, and selling shares lowers it.
    floor.quote(floor.spy, "600.99", "601.01");
    floor.quote(floor.call, "2.05", "2.07");
    floor.quote(floor.put, "0.95", "0.97");
    floor.second();
    let open = floor.shares(Intent::Open, Side::Buy, 5, Some("601.05"));
    assert_eq!(beyond(&mut floor, &open), [Reason::DailyOrders]);
    let hedge = floor.shares(Intent::Hedge, Side::Sell, 20, Some("600.95"));
    floor.shadowed(&hedge);
    let close = floor.straddle(Intent::Close, Side::Sell, 2, "-2.98");
    floor.shadowed(&close);
    let taken: Vec<(bool, bool)> = floor
        .outputs
        .iter()
        .filter_map(|output| match output {
            DeskOutput::ShadowTaken(taken) => Some((taken.hedge, taken.reducing)),
            _ => None,
        })
        .collect();
    assert_eq!(taken, [(false, false), (true, false), (false, true)]);
}

#[test]
fn a_strategy_that_executes_too_often_stays_disabled() {
    let mut floor = Floor::with(&with_limit("repeat_executions", "2"));
    bought(&mut floor, 10);
    bought(&mut floor, 11);
    let third = floor.shares(Intent::Open, Side::Buy, 12, Some("600.05"));
    assert_eq!(beyond(&mut floor, &third), [Reason::RepeatExecution]);
    assert_eq!(tripped(&floor), [(Reason::RepeatExecution, Some("gamma"))]);
    for _ in 0..605 {
        floor.quiet_second();
    }
    let later = floor.shares(Intent::Open, Side::Buy, 13, Some("600.05"));
    assert_eq!(beyond(&mut floor, &later), [Reason::RepeatExecution], "no timer enables it again");
    let mut other = floor.shares(Intent::Open, Side::Buy, 14, Some("600.05"));
    other.strategy_name = "whale".to_owned();
    floor.shadowed(&other);
    floor.quiet_second();
    let close = floor.shares(Intent::Close, Side::Sell, 21, Some("599.95"));
    floor.shadowed(&close);
}

#[test]
fn an_order_that_fills_or_lapses_is_told_once_and_positions_have_their_cost() {
    let mut floor = Floor::new();
    bought(&mut floor, 10);
    let standing = floor.desk.standing("gamma").unwrap().clone();
    assert_eq!(standing.ended[0].ending, Ending::Filled { price: price("600.02") });
    assert_eq!((standing.positions[0].quantity, standing.positions[0].cost.to_string().as_str()), (10, "6000.2"));
    let again = floor.desk.standing("gamma").unwrap();
    assert!(again.ended.is_empty() && again.positions == standing.positions);
    assert!(floor.desk.standing("nobody").is_none());
}

/// Holds a straddle into the close, at the underlying's last print.
fn expired(last: &str) -> Floor {
    let mut floor = Floor::new();
    let entry = floor.straddle(Intent::Open, Side::Buy, 2, "2.96");
    floor.shadowed(&entry);
    floor.quiet_second();
    floor.now = new_york(DAY, 15, 59).plus(Span::from_seconds(59));
    floor.trade(floor.spy, last);
    floor.second();
    floor
}

#[test]
fn at_the_close_what_is_in_the_money_becomes_shares_and_the_rest_nothing() {
    let mut floor = expired("604.50");
    assert_eq!(floor.fills().len(), 1, "the close itself may still print");
    floor.second();
    assert_eq!(floor.filled()[1..], [format!("SELL 2 {CALL} @ 0, BUY 200 SPY @ 600"), format!("SELL 2 {PUT} @ 0")]);
    assert!(
        floor.fills()[1..]
            .iter()
            .all(|fill| fill.cause == FillCause::Expiry && fill.price == price("604.5") && fill.proposal_id.is_none())
    );
    assert_eq!(floor.fills()[1].correlation_id, floor.fills()[0].correlation_id);
    identity_holds(&floor);
    let read = floor.desk.readings();
    assert_eq!(read.strategies[0].positions.len(), 1);
    assert_eq!((read.realised_usd.to_string().as_str(), read.unrealised_usd.to_string().as_str()), ("-588", "900"));
    floor.second();
    assert_eq!(floor.fills().len(), 3, "once");
}

#[test]
fn the_print_at_the_close_settles_at_once_and_at_the_money_nothing_is_left() {
    let mut floor = expired("604.50");
    floor.trade(floor.spy, "600");
    assert_eq!(floor.filled()[1..], [format!("SELL 2 {CALL} @ 0"), format!("SELL 2 {PUT} @ 0")]);
    assert!(floor.desk.readings().strategies[0].positions.is_empty());
    identity_holds(&floor);
}

#[test]
fn an_index_settles_in_cash() {
    let mut configuration = common::configuration();
    configuration.symbols = vec![symbol("MINI")];
    let mut floor = Floor::bare(&configuration);
    let index = floor.define(Instrument::Index { symbol: symbol("MINI") });
    let contract = OccSymbol::parse("MINI261124C00600000").unwrap();
    let call =
        floor.define(Instrument::Option(OptionContract { underlying: symbol("MINI"), contract, european: true }));
    floor.trade(index, "600");
    floor.quote(index, "599.99", "600.01");
    floor.quote(call, "1.50", "1.52");
    floor.second();
    let mut entry = floor.option("MINI261124C00600000", Intent::Open, Side::Buy, 1, Some("1.54"));
    entry.symbol = symbol("MINI");
    floor.shadowed(&entry);
    floor.quote(call, "1.50", "1.52");
    floor.now = new_york(DAY, 16, 0);
    floor.trade(index, "602.15");
    assert_eq!(floor.filled(), ["BUY 1 MINI261124C00600000 @ 1.52", "SELL 1 MINI261124C00600000 @ 2.15"]);
    assert_eq!(floor.desk.readings().realised_usd.to_string(), "63");
    identity_holds(&floor);
}
