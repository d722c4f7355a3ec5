//! The trading days of the New York Stock Exchange and their hours, from the exchange's rules.
//!
//! Covers 1970 to 2099. The rules are those of NYSE Rule 7.2 and the exchange's yearly holiday notices; what no rule
//! gives (funerals, storms, attacks) is a table with reasons. Summer time is computed from the Uniform Time Act and its
//! amendments rather than read from a zone file: no file can be missing, and every machine gets the same answer.
//!
//! A session is what the exchange had announced by that morning's bell. A halt within the day (a circuit breaker, a minute of
//! silence, a system failure) does not change it: halts are market events.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday, date};
use jiff::tz::Offset;

use crate::time::UnixNanos;

/// The first date this calendar knows.
pub const FIRST_DATE: Date = date(1970, 1, 1);
/// The last date this calendar knows.
pub const LAST_DATE: Date = date(2099, 12, 31);

/// One trading day: its date in New York and the instants its regular session opens and closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Session {
    /// The date in New York.
    pub date: Date,
    /// The first instant of the regular session.
    pub open: UnixNanos,
    /// The first instant after the regular session.
    pub close: UnixNanos,
}

impl Session {
    /// The session of this date; `None` on weekends, holidays and dates outside [`FIRST_DATE`] to [`LAST_DATE`].
    pub fn on(date: Date) -> Option<Session> {
        match day(date)? {
            Day::Open(hours) => Some(Session::with_hours(date, hours)),
            Day::Closed(_) => None,
        }
    }

    /// The session of this instant's date in New York, whether or not trading is open at that instant.
    pub fn at(time: UnixNanos) -> Option<Session> {
        Session::on(new_york_date(time))
    }

    /// The first session after this date. Past the calendar's end this is the calendar's last session.
    pub fn next_after(date: Date) -> Session {
        let start = date.max(date_before(FIRST_DATE));
        dates(start).skip(1).find_map(Session::on).unwrap_or_else(|| Session::with_hours(LAST_DATE, Hours::REGULAR))
    }

    /// The last session before this date. Before the calendar's start this is the calendar's first session.
    pub fn previous_before(date: Date) -> Session {
        let mut at = date.min(date_after(LAST_DATE));
        while at > FIRST_DATE {
            at = date_before(at);
            if let Some(session) = Session::on(at) {
                return session;
            }
        }
        Session::next_after(date_before(FIRST_DATE))
    }

    /// Whether the session closes before the regular hour.
    pub fn is_half_day(&self) -> bool {
        self.close < Hours::regular_on(self.date).close.on(self.date)
    }

    /// Whether the regular session is open at this instant: `open <= time < close`.
    pub fn contains(&self, time: UnixNanos) -> bool {
        self.open <= time && time < self.close
    }

    fn with_hours(date: Date, hours: Hours) -> Session {
        Session { date, open: hours.open.on(date), close: hours.close.on(date) }
    }
}

/// The sessions from `from` to `to`, both included, in order.
pub fn sessions(from: Date, to: Date) -> impl Iterator<Item = Session> {
    let last = to.min(LAST_DATE);
    dates(from.max(FIRST_DATE)).take_while(move |date| *date <= last).filter_map(Session::on)
}

/// Whether the regular session is open at this instant.
pub fn is_open(time: UnixNanos) -> bool {
    Session::at(time).is_some_and(|session| session.contains(time))
}

/// Why the exchange does not trade on this date (`weekend`, the holiday's name, or what happened); `None` on a trading day and
/// outside the calendar's range.
pub fn closed_because(date: Date) -> Option<&'static str> {
    match day(date)? {
        Day::Open(_) => None,
        Day::Closed(reason) => Some(reason),
    }
}

/// The date in New York at this instant. Before 1967 by the summer time of 1967.
pub fn new_york_date(time: UnixNanos) -> Date {
    let seconds = time.nanos().div_euclid(NANOS_PER_SECOND);
    // Every 64-bit count of nanoseconds lies between the years 1677 and 2262, well inside jiff's range: no fallback is ever taken.
    let instant = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    let standard = STANDARD.to_datetime(instant);
    let summer = Summer::of(standard.date());
    // Summer time begins at 02:00 standard time and ends at 02:00 summer time, which is 01:00 standard time.
    let local = if summer.covers(standard, 2, 1) { DAYLIGHT.to_datetime(instant) } else { standard };
    local.date()
}

/// The instant at which clocks in New York show this date, hour (0 to 24) and minute (0 to 59); values outside are clamped.
///
/// An hour skipped in spring is read with the offset before it (02:30 is 03:30 summer time), an hour that happens twice in autumn
/// is the first of the two. Dates whose instant does not fit 64 bits give the nearest that does.
pub fn new_york(date: Date, hour: i8, minute: i8) -> UnixNanos {
    let hour = hour.clamp(0, 24);
    let into_day =
        i64::from(hour).saturating_mul(3600).saturating_add(i64::from(minute.clamp(0, 59)).saturating_mul(60));
    let wall = date.at(hour.min(23), 0, 0, 0);
    let west = if Summer::of(date).covers(wall, 3, 2) { DAYLIGHT } else { STANDARD };
    let seconds =
        date.duration_since(EPOCH).as_secs().saturating_add(into_day).saturating_sub(i64::from(west.seconds()));
    UnixNanos::from_nanos(seconds.saturating_mul(NANOS_PER_SECOND))
}

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const EPOCH: Date = date(1970, 1, 1);
const STANDARD: Offset = Offset::constant(-5);
const DAYLIGHT: Offset = Offset::constant(-4);

/// The two days between which New York keeps summer time in one year, both Sundays.
struct Summer {
    starts: Date,
    ends: Date,
}

impl Summer {
    /// Source: 15 U.S.C. 260a and its history (Public Laws 89-387, 93-182, 93-434, 99-359, 109-58).
    fn of(at: Date) -> Summer {
        let year = at.year();
        let starts = match year {
            2007.. => sunday_from(at, 3, 8),
            1987.. => sunday_from(at, 4, 1),
            1976.. => sunday_from(at, 4, 24),
            // The emergency act of the oil crisis: in 1974 from 6 January, in 1975 from 23 February.
            1975 => date(1975, 2, 23),
            1974 => date(1974, 1, 6),
            _ => sunday_from(at, 4, 24),
        };
        let ends = if year >= 2007 { sunday_from(at, 11, 1) } else { sunday_from(at, 10, 25) };
        Summer { starts, ends }
    }

    /// Whether `wall` is at or after `start_hour` of the first day and before `end_hour` of the last.
    fn covers(&self, wall: DateTime, start_hour: i8, end_hour: i8) -> bool {
        self.starts.at(start_hour, 0, 0, 0) <= wall && wall < self.ends.at(end_hour, 0, 0, 0)
    }
}

/// The first Sunday on or after this day in the year of `at`.
fn sunday_from(at: Date, month: i8, day: i8) -> Date {
    // The callers pass days that every year has, at most six days before the month's end: neither fallback is ever taken.
    let first = Date::new(at.year(), month, day).unwrap_or(at);
    Date::new(at.year(), month, day.saturating_add(first.weekday().until(Weekday::Sunday))).unwrap_or(first)
}

/// A time of day in New York.
#[derive(Clone, Copy)]
struct Clock {
    hour: i8,
    minute: i8,
}

impl Clock {
    fn on(self, date: Date) -> UnixNanos {
        new_york(date, self.hour, self.minute)
    }
}

const fn clock(hour: i8, minute: i8) -> Clock {
    Clock { hour, minute }
}

/// When a session opens and closes.
#[derive(Clone, Copy)]
struct Hours {
    open: Clock,
    close: Clock,
}

impl Hours {
    const REGULAR: Hours = Hours { open: clock(9, 30), close: clock(16, 0) };

    /// The hours of an ordinary day: 16:00 is the close since 1 October 1974, 09:30 the open since 30 September 1985. Until
    /// 1 May 1970 the exchange closed at 15:00 to let its members catch up with their paper.
    fn regular_on(at: Date) -> Hours {
        if at >= date(1985, 9, 30) {
            Hours::REGULAR
        } else if at >= date(1974, 10, 1) {
            Hours { open: clock(10, 0), close: clock(16, 0) }
        } else if at >= date(1970, 5, 4) {
            Hours { open: clock(10, 0), close: clock(15, 30) }
        } else {
            Hours { open: clock(10, 0), close: clock(15, 0) }
        }
    }

    fn closing(self, hour: i8) -> Hours {
        Hours { close: clock(hour, 0), ..self }
    }
}

/// What a date is to the exchange.
enum Day {
    Open(Hours),
    Closed(&'static str),
}

/// `None` outside the calendar's range.
fn day(at: Date) -> Option<Day> {
    if !(FIRST_DATE..=LAST_DATE).contains(&at) {
        return None;
    }
    if matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday) {
        return Some(Day::Closed("weekend"));
    }
    if let Some(one_off) = one_off(at) {
        return Some(match one_off.hours {
            Some(hours) => Day::Open(hours),
            None => Day::Closed(one_off.reason),
        });
    }
    Some(match holiday(at) {
        Some(name) => Day::Closed(name),
        None => Day::Open(hours_by_rule(at)),
    })
}

/// The holiday that a weekday is by rule.
fn holiday(at: Date) -> Option<&'static str> {
    let (year, month, day, weekday) = (at.year(), at.month(), at.day(), at.weekday());
    match (month, weekday) {
        // On a Sunday it moves to Monday; on a Saturday it is not kept, for the Friday ends the year's accounts.
        (1, _) if day == 1 || (day == 2 && weekday == Weekday::Monday) => Some("New Year's Day"),
        (1, Weekday::Monday) if year >= 1998 && (15..=21).contains(&day) => Some("Martin Luther King Jr. Day"),
        (2, Weekday::Monday) if year >= 1971 && (15..=21).contains(&day) => Some("Washington's Birthday"),
        (3 | 4, Weekday::Friday) if (month, day) == good_friday(year) => Some("Good Friday"),
        (5, Weekday::Monday) if year >= 1971 && day >= 25 => Some("Memorial Day"),
        (6, _) if year >= 2022 && is_kept(at, 19) => Some("Juneteenth"),
        (7, _) if is_kept(at, 4) => Some("Independence Day"),
        (9, Weekday::Monday) if day <= 7 => Some("Labor Day"),
        (11, Weekday::Thursday) if (22..=28).contains(&day) => Some("Thanksgiving Day"),
        (12, _) if is_kept(at, 25) => Some("Christmas Day"),
        _ => None,
    }
}

/// Whether a weekday keeps the holiday of that day of its month: on the day, on the Friday before a Saturday, on the Monday after a Sunday.
fn is_kept(at: Date, holiday: i8) -> bool {
    let day = at.day();
    day == holiday
        || (at.weekday() == Weekday::Friday && day.saturating_add(1) == holiday)
        || (at.weekday() == Weekday::Monday && day.saturating_sub(1) == holiday)
}

/// The hours of a trading day by rule, the half days among them.
fn hours_by_rule(at: Date) -> Hours {
    let (year, month, day, weekday) = (at.year(), at.month(), at.day(), at.weekday());
    let regular = Hours::regular_on(at);
    match (month, day, weekday) {
        // The third of July before a Tuesday, Wednesday or Friday since 1995, before a Thursday since 2013. When the fourth is a
        // Saturday the third is the holiday itself and the second is a full day.
        (7, 3, Weekday::Monday | Weekday::Tuesday | Weekday::Thursday) if year >= 1995 => regular.closing(13),
        (7, 3, Weekday::Wednesday) if year >= 2013 => regular.closing(13),
        // Until 2012 a fourth on a Thursday shortened the Friday after instead.
        (7, 5, Weekday::Friday) if (1995..=2012).contains(&year) => regular.closing(13),
        (11, 23..=29, Weekday::Friday) if year >= 1993 => regular.closing(13),
        (11, 23..=29, Weekday::Friday) if year == 1992 => regular.closing(14),
        // A twenty-fourth on a Friday never comes here: the twenty-fifth is a Saturday then, and the Friday keeps Christmas.
        (12, 24, _) if year >= 1993 => regular.closing(13),
        (12, 24, _) if year >= 1990 || year == 1974 || year == 1975 => regular.closing(14),
        _ => regular,
    }
}

/// Month and day of Good Friday, two days before Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher's rule).
#[expect(
    clippy::arithmetic_side_effects,
    reason = "years are 1970 to 2099, so every value here is under 10,000; a test runs them all"
)]
fn good_friday(year: i16) -> (i8, i8) {
    let year = i32::from(year);
    let golden = year % 19;
    let (century, in_century) = (year / 100, year % 100);
    let moon = (19 * golden + century - century / 4 - (8 * century + 13) / 25 + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (in_century / 4) - moon - in_century % 4) % 7;
    let correction = (golden + 11 * moon + 22 * weekday) / 451;
    // Days from 1 March to the Friday.
    let from_march = moon + weekday - 7 * correction + 21 - 2;
    if from_march < 31 { (3, small(from_march + 1)) } else { (4, small(from_march - 30)) }
}

fn small(value: i32) -> i8 {
    i8::try_from(value).unwrap_or(0)
}

fn date_after(at: Date) -> Date {
    at.tomorrow().unwrap_or(Date::MAX)
}

fn date_before(at: Date) -> Date {
    at.yesterday().unwrap_or(Date::MIN)
}

/// Every date of the calendar from this one on.
fn dates(from: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(from), |at| at.tomorrow().ok()).take_while(|at| *at <= LAST_DATE)
}

/// A date that no rule gives: closed, or with hours of its own.
struct OneOff {
    date: Date,
    hours: Option<Hours>,
    reason: &'static str,
}

fn one_off(at: Date) -> Option<&'static OneOff> {
    let found = ONE_OFFS.binary_search_by_key(&at, |one_off| one_off.date).ok()?;
    ONE_OFFS.get(found)
}

const fn closed(year: i16, month: i8, day: i8, reason: &'static str) -> OneOff {
    OneOff { date: date(year, month, day), hours: None, reason }
}

const fn hours(on: (i16, i8, i8), open: Clock, close: Clock, reason: &'static str) -> OneOff {
    OneOff { date: date(on.0, on.1, on.2), hours: Some(Hours { open, close }), reason }
}

const BELL: Clock = clock(9, 30);
const OLD_BELL: Clock = clock(10, 0);
const CLOSE: Clock = clock(16, 0);
const OLD_CLOSE: Clock = clock(15, 30);
const BACKLOG: &str = "time to clear the paper of the October crash";
const SEPTEMBER_11: &str = "attack on the World Trade Center";
const SANDY: &str = "Hurricane Sandy";
const SNOW: &str = "snowstorm";
const ELECTION: &str = "presidential election";

/// In order of date. Source: the exchange's list of closings and shortened sessions and, after it, its notices.
static ONE_OFFS: [OneOff; 52] = [
    closed(1970, 2, 23, "Washington's Birthday"),
    closed(1972, 11, 7, ELECTION),
    closed(1972, 12, 28, "funeral of President Truman"),
    closed(1973, 1, 25, "funeral of President Johnson"),
    hours((1973, 12, 17), clock(11, 0), OLD_CLOSE, "ice storm"),
    hours((1974, 1, 16), clock(10, 15), OLD_CLOSE, "a member's computer trouble"),
    hours((1974, 11, 22), clock(10, 15), CLOSE, "fire drill"),
    hours((1975, 2, 12), OLD_BELL, clock(14, 30), SNOW),
    hours((1976, 2, 2), clock(11, 15), CLOSE, "storm"),
    hours((1976, 6, 8), clock(10, 15), CLOSE, "fire drill"),
    hours((1976, 8, 9), OLD_BELL, clock(15, 0), "Hurricane Belle"),
    closed(1976, 11, 2, ELECTION),
    closed(1977, 7, 14, "blackout in New York City"),
    hours((1978, 1, 20), clock(12, 0), CLOSE, SNOW),
    hours((1978, 2, 6), OLD_BELL, clock(14, 0), SNOW),
    hours((1978, 2, 7), clock(11, 0), CLOSE, SNOW),
    closed(1980, 11, 4, ELECTION),
    closed(1985, 9, 27, "Hurricane Gloria"),
    hours((1987, 10, 23), BELL, clock(14, 0), BACKLOG),
    hours((1987, 10, 26), BELL, clock(14, 0), BACKLOG),
    hours((1987, 10, 27), BELL, clock(14, 0), BACKLOG),
    hours((1987, 10, 28), BELL, clock(14, 0), BACKLOG),
    hours((1987, 10, 29), BELL, clock(14, 0), BACKLOG),
    hours((1987, 10, 30), BELL, clock(14, 0), BACKLOG),
    hours((1987, 11, 2), BELL, clock(14, 30), BACKLOG),
    hours((1987, 11, 3), BELL, clock(14, 30), BACKLOG),
    hours((1987, 11, 4), BELL, clock(14, 30), BACKLOG),
    hours((1987, 11, 5), BELL, clock(15, 0), BACKLOG),
    hours((1987, 11, 6), BELL, clock(15, 0), BACKLOG),
    hours((1987, 11, 9), BELL, clock(15, 30), BACKLOG),
    hours((1987, 11, 10), BELL, clock(15, 30), BACKLOG),
    hours((1987, 11, 11), BELL, clock(15, 30), BACKLOG),
    hours((1989, 11, 10), clock(11, 0), CLOSE, "electrical fire"),
    hours((1990, 12, 27), clock(11, 0), CLOSE, "explosion of a power company's transformer"),
    hours((1994, 2, 11), BELL, clock(14, 30), SNOW),
    closed(1994, 4, 27, "funeral of President Nixon"),
    hours((1995, 12, 18), clock(10, 30), CLOSE, "computer trouble"),
    hours((1996, 1, 8), clock(11, 0), clock(14, 0), SNOW),
    hours((1997, 12, 26), BELL, clock(13, 0), "day after Christmas"),
    hours((1999, 12, 31), BELL, clock(13, 0), "turn of the millennium"),
    closed(2001, 9, 11, SEPTEMBER_11),
    closed(2001, 9, 12, SEPTEMBER_11),
    closed(2001, 9, 13, SEPTEMBER_11),
    closed(2001, 9, 14, SEPTEMBER_11),
    hours((2002, 9, 11), clock(12, 0), CLOSE, "first anniversary of the attack on the World Trade Center"),
    hours((2003, 12, 26), BELL, clock(13, 0), "day after Christmas"),
    closed(2004, 6, 11, "day of mourning for President Reagan"),
    closed(2007, 1, 2, "day of mourning for President Ford"),
    closed(2012, 10, 29, SANDY),
    closed(2012, 10, 30, SANDY),
    closed(2018, 12, 5, "day of mourning for President George H. W. Bush"),
    closed(2025, 1, 9, "day of mourning for President Carter"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::{TimeZone, TimeZoneDatabase};
    use proptest::prelude::*;

    fn zone() -> TimeZone {
        TimeZoneDatabase::bundled().get("America/New_York").unwrap()
    }

    fn of_zone(zone: &TimeZone, date: Date, hour: i8, minute: i8) -> i64 {
        zone.to_timestamp(date.at(hour, minute, 0, 0)).unwrap().as_second()
    }

    fn seconds(time: UnixNanos) -> i64 {
        time.nanos().div_euclid(NANOS_PER_SECOND)
    }

    #[test]
    fn summer_time_is_that_of_the_time_zone_database_on_every_day() {
        let zone = zone();
        for date in
            std::iter::successors(Some(date(1967, 1, 1)), |at| at.tomorrow().ok()).take_while(|at| at.year() < 2100)
        {
            for (hour, minute) in [(0, 0), (1, 30), (2, 0), (2, 30), (3, 0), (9, 30), (23, 59)] {
                let time = new_york(date, hour, minute);
                assert_eq!(seconds(time), of_zone(&zone, date, hour, minute), "{date} {hour}:{minute}");
                assert_eq!(new_york_date(time), date, "{date} {hour}:{minute}");
            }
            assert_eq!(new_york(date, 24, 0), new_york(date_after(date), 0, 0), "{date}");
            // The last instant of the day before, around the days on which the clocks change.
            assert_eq!(new_york_date(UnixNanos::from_nanos(new_york(date, 0, 0).nanos() - 1)), date_before(date));
        }
    }

    proptest! {
        #[test]
        fn the_date_of_any_instant_is_that_of_the_time_zone_database(second in -94_676_400_i64..4_102_444_800) {
            let wanted = zone().to_datetime(Timestamp::from_second(second).unwrap()).date();
            prop_assert_eq!(new_york_date(UnixNanos::from_nanos(second * NANOS_PER_SECOND)), wanted);
        }
    }

    /// Weekdays without trading, and half days, as the exchange published them.
    #[test]
    fn the_published_holidays_and_early_closes_come_out() {
        type MonthDay = (i8, i8);
        let published: [(i16, &[MonthDay], &[MonthDay]); 5] = [
            (
                2024,
                &[(1, 1), (1, 15), (2, 19), (3, 29), (5, 27), (6, 19), (7, 4), (9, 2), (11, 28), (12, 25)],
                &[(7, 3), (11, 29), (12, 24)],
            ),
            (
                2025,
                &[(1, 1), (1, 9), (1, 20), (2, 17), (4, 18), (5, 26), (6, 19), (7, 4), (9, 1), (11, 27), (12, 25)],
                &[(7, 3), (11, 28), (12, 24)],
            ),
            (
                2026,
                &[(1, 1), (1, 19), (2, 16), (4, 3), (5, 25), (6, 19), (7, 3), (9, 7), (11, 26), (12, 25)],
                &[(11, 27), (12, 24)],
            ),
            (
                2027,
                &[(1, 1), (1, 18), (2, 15), (3, 26), (5, 31), (6, 18), (7, 5), (9, 6), (11, 25), (12, 24)],
                &[(11, 26)],
            ),
            (
                2028,
                &[(1, 17), (2, 21), (4, 14), (5, 29), (6, 19), (7, 4), (9, 4), (11, 23), (12, 25)],
                &[(7, 3), (11, 24)],
            ),
        ];
        for (year, holidays, half_days) in published {
            let (from, to) = (date(year, 1, 1), date(year, 12, 31));
            let closed: Vec<MonthDay> = dates(from)
                .take_while(|at| *at <= to)
                .filter(|at| closed_because(*at).is_some_and(|reason| reason != "weekend"))
                .map(|at| (at.month(), at.day()))
                .collect();
            let shortened: Vec<Session> = sessions(from, to).filter(Session::is_half_day).collect();
            assert_eq!(closed, holidays, "{year}");
            assert_eq!(
                shortened.iter().map(|half| (half.date.month(), half.date.day())).collect::<Vec<_>>(),
                half_days,
                "{year}"
            );
            assert!(shortened.iter().all(|half| half.close == new_york(half.date, 13, 0)), "{year}");
        }
    }

    #[test]
    fn one_offs_are_weekdays_in_order_that_no_rule_gives() {
        assert!(ONE_OFFS.is_sorted_by(|one, next| one.date < next.date));
        for OneOff { date, hours, reason } in &ONE_OFFS {
            assert!(!matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday), "{date} {reason}");
            assert_eq!(holiday(*date), None, "{date} {reason}");
            let by_rule = Session::with_hours(*date, hours_by_rule(*date));
            assert_ne!(hours.map(|hours| Session::with_hours(*date, hours)), Some(by_rule), "{date} {reason}");
        }
    }

    #[test]
    fn good_friday_falls_on_a_friday_between_20_march_and_23_april() {
        for year in 1970..=2099 {
            let (month, day) = good_friday(year);
            let friday = Date::new(year, month, day).unwrap();
            assert_eq!(friday.weekday(), Weekday::Friday);
            assert!((date(year, 3, 20)..=date(year, 4, 23)).contains(&friday), "{friday}");
        }
        // The earliest and the latest of living memory.
        assert_eq!((good_friday(2008), good_friday(2011), good_friday(2038)), ((3, 21), (4, 22), (4, 23)));
    }

    #[test]
    fn sessions_follow_each_other_both_ways() {
        let all: Vec<Session> = sessions(Date::MIN, Date::MAX).collect();
        assert_eq!(all.first().map(|first| first.date), Some(date(1970, 1, 2)));
        assert_eq!(all.last().map(|last| last.date), Some(LAST_DATE));
        for pair in all.windows(2) {
            let (one, next) = (pair[0], pair[1]);
            assert!(one.open < one.close && one.close < next.open);
            assert_eq!(Session::next_after(one.date), next);
            assert_eq!(Session::previous_before(next.date), one);
            assert_eq!(Session::next_after(date_before(next.date)), next);
            assert_eq!(Session::at(one.open), Some(one));
        }
        assert_eq!(sessions(date(2026, 7, 3), date(2026, 7, 5)).count(), 0);
        assert_eq!(sessions(date(2026, 7, 6), date(2026, 7, 6)).count(), 1);
        assert_eq!(sessions(date(2026, 7, 6), date(2026, 7, 5)).count(), 0);
    }

    #[test]
    fn no_date_and_no_instant_stops_the_calendar() {
        let (first, last) = (Session::on(date(1970, 1, 2)).unwrap(), Session::on(LAST_DATE).unwrap());
        for at in [Date::MIN, date(0, 1, 1), date(1677, 9, 20), date(1969, 12, 31)] {
            assert_eq!((Session::on(at), closed_because(at)), (None, None));
            assert_eq!((Session::next_after(at), Session::previous_before(at)), (first, first));
        }
        for at in [date(2100, 1, 1), date(2262, 4, 12), Date::MAX] {
            assert_eq!((Session::on(at), closed_because(at)), (None, None));
            assert_eq!((Session::next_after(at), Session::previous_before(at)), (last, last));
        }
        assert_eq!(Session::next_after(LAST_DATE), last);
        for year in -9999..=9999 {
            for (month, day) in [(1, 1), (3, 14), (6, 30), (11, 4), (12, 31)] {
                let date = Date::new(year, month, day).unwrap();
                let _ = (new_york(date, i8::MIN, i8::MIN), new_york(date, i8::MAX, i8::MAX), Session::on(date));
            }
        }
        assert_eq!(new_york(Date::MAX, 9, 30), UnixNanos::from_nanos(i64::MAX));
        for nanos in [i64::MIN, -1, 0, 1, i64::MAX] {
            let _ = (Session::at(UnixNanos::from_nanos(nanos)), is_open(UnixNanos::from_nanos(nanos)));
        }
        assert_eq!(new_york_date(UnixNanos::from_nanos(i64::MAX)), date(2262, 4, 11));
        assert_eq!(new_york_date(UnixNanos::from_nanos(i64::MIN)), date(1677, 9, 20));
    }

    #[test]
    fn a_session_holds_its_first_instant_and_not_its_last() {
        // A half day.
        let session = Session::on(date(2015, 12, 24)).unwrap();
        assert!(session.is_half_day());
        assert_eq!((session.open, session.close), (new_york(session.date, 9, 30), new_york(session.date, 13, 0)));
        let just_before = |time: UnixNanos| UnixNanos::from_nanos(time.nanos() - 1);
        for (time, open) in [
            (just_before(session.open), false),
            (session.open, true),
            (just_before(session.close), true),
            (session.close, false),
        ] {
            assert_eq!((session.contains(time), is_open(time)), (open, open), "{time}");
        }
        // The evening of a session is already the next day in UTC, and still that session's date.
        assert_eq!(Session::at(new_york(session.date, 23, 59)), Some(session));
        assert_eq!(Session::at(new_york(date(2015, 12, 25), 12, 0)), None);
        assert_eq!(closed_because(date(2015, 12, 25)), Some("Christmas Day"));
    }
}
