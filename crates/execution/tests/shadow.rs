//! Every row of the matching rule, through the desk's own doors.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use agenttrader_core::calendar::new_york;
use agenttrader_core::order::{Intent, Side, TimeInForce};
use agenttrader_core::position::Ending;
use agenttrader_core::time::Span;
use common::{CALL, DAY, Floor, PUT, price};

fn buy(floor: &mut Floor, limit: Option<&str>) {
    let proposal = floor.shares(Intent::Open, Side::Buy, 10, limit);
    floor.shadowed(&proposal);
}

fn filled(floor: &Floor, fills: &[&str]) {
    assert_eq!(floor.filled(), fills);
}

#[test]
fn a_marketable_order_fills_whole_at_the_opposite_touch_of_the_next_quote() {
    let mut floor = Floor::new();
    buy(&mut floor, Some("600.05"));
    floor.second();
    floor.trade(floor.spy, "600");
    floor.quote(floor.call, "1.50", "1.52");
    filled(&floor, &[]);
    floor.quote(floor.spy, "600.00", "600.02");
    filled(&floor, &["BUY 10 SPY @ 600.02"]);
    floor.quote(floor.spy, "600.00", "600.02");
    assert_eq!(floor.fills().len(), 1, "an order fills once");

    let proposal = floor.shares(Intent::Close, Side::Sell, 10, Some("599.95"));
    floor.shadowed(&proposal);
    floor.quote(floor.spy, "599.97", "600.02");
    filled(&floor, &["BUY 10 SPY @ 600.02", "SELL 10 SPY @ 599.97"]);
}

#[test]
fn an_order_that_rests_fills_at_its_limit_once_the_touch_reaches_it() {
    let mut floor = Floor::new();
    buy(&mut floor, Some("599.90"));
    floor.quote(floor.spy, "599.99", "600.01");
    floor.quote(floor.spy, "599.90", "599.91");
    filled(&floor, &[]);
    floor.quote(floor.spy, "599.70", "599.80");
    filled(&floor, &["BUY 10 SPY @ 599.9"]);

    let proposal = floor.shares(Intent::Close, Side::Sell, 10, Some("600.10"));
    floor.shadowed(&proposal);
    floor.quote(floor.spy, "599.99", "600.01");
    floor.quote(floor.spy, "600.30", "600.31");
    assert_eq!(floor.filled()[1], "SELL 10 SPY @ 600.1");
}

#[test]
fn the_limit_itself_is_marketable() {
    let mut floor = Floor::new();
    buy(&mut floor, Some("600.02"));
    floor.quote(floor.spy, "600.00", "600.02");
    filled(&floor, &["BUY 10 SPY @ 600.02"]);
}

#[test]
fn a_market_order_takes_the_touch_and_waits_for_one() {
    let mut floor = Floor::new();
    buy(&mut floor, None);
    floor.quote(floor.spy, "600.00", "0");
    filled(&floor, &[]);
    floor.quote(floor.spy, "600.20", "600.25");
    filled(&floor, &["BUY 10 SPY @ 600.25"]);
}

#[test]
fn an_order_of_several_legs_waits_for_a_quote_of_each_and_fills_at_once() {
    let mut floor = Floor::new();
    let proposal = floor.straddle(Intent::Open, Side::Buy, 2, "2.94");
    floor.shadowed(&proposal);
    floor.quote(floor.call, "1.50", "1.52");
    floor.quote(floor.call, "1.48", "1.50");
    filled(&floor, &[]);
    floor.quote(floor.put, "1.40", "1.45");
    filled(&floor, &[]);
    floor.quote(floor.put, "1.40", "1.43");
    filled(&floor, &[&format!("BUY 2 {CALL} @ 1.5, BUY 2 {PUT} @ 1.43")]);
    let fill = floor.fills()[0];
    assert_eq!((fill.price, fill.quantity, fill.fees_usd.to_string().as_str()), (price("2.93"), 2, "0.12"));

    floor.quiet_second();
    let proposal = floor.straddle(Intent::Close, Side::Sell, 2, "-2.90");
    floor.shadowed(&proposal);
    floor.quote(floor.put, "1.39", "1.42");
    floor.quote(floor.call, "1.50", "1.52");
    assert_eq!(floor.fills().len(), 1, "a credit of 2.89 is short of 2.90");
    floor.quote(floor.call, "1.51", "1.53");
    assert_eq!(floor.filled()[1], format!("SELL 2 {CALL} @ 1.51, SELL 2 {PUT} @ 1.39"));
    assert_eq!(floor.fills()[1].price, price("-2.9"));
}

#[test]
fn what_is_unfilled_lapses_at_its_last_instant_before_anything_is_matched() {
    let mut floor = Floor::new();
    buy(&mut floor, Some("599.90"));
    floor.now = floor.now.plus(Span::from_nanos(59_999_999_999));
    floor.quote(floor.spy, "599.99", "600.01");
    assert_eq!((floor.lapsed(), floor.desk.working().len()), (0, 1));
    floor.now = floor.now.plus(Span::from_nanos(1));
    floor.quote(floor.spy, "599.70", "599.80");
    assert_eq!((floor.lapsed(), floor.desk.working().len(), floor.fills().len()), (1, 0, 0));
    let standing = floor.desk.standing("gamma").unwrap();
    assert_eq!(standing.ended.iter().map(|ended| &ended.ending).collect::<Vec<_>>(), [&Ending::Lapsed]);
}

#[test]
fn a_clock_that_steps_back_does_not_bring_a_lapsed_order_back() {
    let mut floor = Floor::new();
    buy(&mut floor, Some("599.90"));
    floor.now = floor.now.plus(Span::from_seconds(60));
    floor.timer();
    floor.now = floor.now.minus(Span::from_seconds(30));
    floor.quote(floor.spy, "599.70", "599.80");
    assert_eq!((floor.lapsed(), floor.fills().len()), (1, 0));
}

#[test]
fn a_closed_market_and_a_halt_fill_nothing() {
    let mut floor = Floor::new();
    buy(&mut floor, Some("600.05"));
    floor.status(floor.spy, true);
    floor.quote(floor.spy, "600.00", "600.02");
    filled(&floor, &[]);
    floor.status(floor.spy, false);
    filled(&floor, &[]);
    floor.quote(floor.spy, "600.00", "600.03");
    filled(&floor, &["BUY 10 SPY @ 600.03"]);

    floor.quiet_second();
    let proposal = floor.option(CALL, Intent::Open, Side::Buy, 1, Some("1.60"));
    floor.shadowed(&proposal);
    floor.status(floor.spy, true);
    floor.quote(floor.call, "1.50", "1.52");
    assert_eq!(floor.fills().len(), 1, "a halt of the underlying halts its options");

    let mut floor = Floor::new();
    floor.now = new_york(DAY, 15, 59).plus(Span::from_seconds(50));
    floor.quote(floor.spy, "599.99", "600.01");
    floor.second();
    buy(&mut floor, Some("600.05"));
    floor.now = new_york(DAY, 16, 0);
    floor.quote(floor.spy, "600.00", "600.02");
    filled(&floor, &[]);
}

#[test]
fn a_crossed_or_late_quote_is_nobodys_price() {
    let mut floor = Floor::new();
    buy(&mut floor, Some("600.05"));
    floor.quote(floor.spy, "600.03", "600.02");
    floor.quote_at(floor.spy, price("599.90"), price("599.95"), floor.now.minus(Span::from_seconds(5)));
    filled(&floor, &[]);
    floor.quote(floor.spy, "600.02", "600.02");
    filled(&floor, &["BUY 10 SPY @ 600.02"]);
}

#[test]
fn immediate_or_cancel_ends_at_the_first_quote() {
    let mut floor = Floor::new();
    let mut proposal = floor.shares(Intent::Open, Side::Buy, 10, Some("599.90"));
    proposal.time_in_force = TimeInForce::Ioc;
    floor.shadowed(&proposal);
    floor.quote(floor.spy, "599.99", "600.01");
    assert_eq!((floor.lapsed(), floor.desk.working().len(), floor.fills().len()), (1, 0, 0));
}

#[test]
fn orders_that_one_quote_reaches_fill_oldest_first() {
    let mut floor = Floor::new();
    buy(&mut floor, Some("600.05"));
    let second = floor.shares(Intent::Open, Side::Buy, 20, Some("600.06"));
    floor.shadowed(&second);
    floor.quote(floor.spy, "600.00", "600.02");
    filled(&floor, &["BUY 10 SPY @ 600.02", "BUY 20 SPY @ 600.02"]);
}

#[test]
fn what_is_refused_beyond_the_posture_becomes_no_order() {
    let mut floor = Floor::new();
    let proposal = floor.shares(Intent::Open, Side::Buy, 301, Some("600.05"));
    let decision = floor.decide(&proposal);
    assert!(decision.reason_codes.iter().any(|reason| !reason.is_posture()));
    floor.quote(floor.spy, "600.00", "600.02");
    assert!(floor.outputs.is_empty() && floor.desk.working().is_empty());
    let standing = floor.desk.standing("gamma").unwrap();
    assert!(matches!(&standing.ended[0].ending, Ending::Refused { reasons } if *reasons == decision.reason_codes));
    assert!(floor.desk.standing("gamma").unwrap().ended.is_empty(), "told once");
}
