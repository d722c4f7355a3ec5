//! The calendar against PyPI's `exchange_calendars`, day by day.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use agenttrader_core::calendar::{Session, new_york};
use agenttrader_core::time::UnixNanos;
use jiff::ToSpan;
use jiff::civil::{Date, date};

/// Days on which that package has regular hours, though the exchange announced others before the bell. Source: the exchange's
/// list of closings and shortened sessions.
const NOT_IN_THE_PACKAGE: [(Date, HourMinute, HourMinute, &str); 5] = [
    (date(1990, 12, 27), (11, 0), (16, 0), "opened late after a transformer's explosion"),
    (date(1994, 2, 11), (9, 30), (14, 30), "closed early in a snowstorm"),
    (date(1995, 12, 18), (10, 30), (16, 0), "opened late for computer trouble"),
    (date(1996, 1, 8), (11, 0), (14, 0), "opened late and closed early in a snowstorm"),
    (date(2002, 9, 11), (12, 0), (16, 0), "opened at noon on the anniversary of the attack"),
];

type HourMinute = (i8, i8);
type Hours = (UnixNanos, UnixNanos);

fn package_sessions(python: &Path, from: Date, to: Date) -> BTreeMap<Date, Hours> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchange_calendars_xnys.py");
    let output = Command::new(python).arg(script).args([from.to_string(), to.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| {
            let [day, open, close] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let at = |text: &str| UnixNanos::from_nanos(text.parse().unwrap());
            (day.parse().unwrap(), (at(open), at(close)))
        })
        .collect()
}

#[test]
fn every_open_and_close_since_1990_is_that_of_exchange_calendars() {
    let Some(python) = agenttrader_outside::python("exchange_calendars") else { return };
    // Its own limits allow the whole range; the exchange publishes three years ahead, so agreement on later years is agreement on the rules.
    let (from, to) = (date(1990, 1, 1), date(2099, 12, 31));
    let mut package = package_sessions(&python, from, to);
    assert!(package.len() > 27_000, "{} sessions", package.len());
    for (day, open, close, reason) in NOT_IN_THE_PACKAGE {
        let hours = (new_york(day, open.0, open.1), new_york(day, close.0, close.1));
        let theirs = package.insert(day, hours);
        assert_eq!(
            theirs,
            Some((new_york(day, 9, 30), new_york(day, 16, 0))),
            "{day} ({reason}) need not be listed any more"
        );
    }
    let wrong: Vec<(Date, Option<Hours>, Option<Hours>)> = from
        .series(1.day())
        .take_while(|day| *day <= to)
        .map(|day| (day, Session::on(day).map(|session| (session.open, session.close)), package.get(&day).copied()))
        .filter(|(_, ours, theirs)| ours != theirs)
        .collect();
    assert_eq!(wrong, [], "day, ours, theirs");
}

#[test]
fn the_days_of_trading_before_1990_are_those_of_exchange_calendars() {
    let Some(python) = agenttrader_outside::python("exchange_calendars") else { return };
    // The package has the present hours for those years, so only the days are compared.
    let (from, to) = (date(1970, 1, 1), date(1989, 12, 31));
    let package = package_sessions(&python, from, to);
    let wrong: Vec<Date> = from
        .series(1.day())
        .take_while(|day| *day <= to)
        .filter(|day| Session::on(*day).is_some() != package.contains_key(day))
        .collect();
    assert_eq!(wrong, []);
}
