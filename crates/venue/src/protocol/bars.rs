//! Bars of any length from the minutes that the venue remembers, and pages of them.

use crate::book::{DAY, Entry, merged};
use crate::history::PastBar;
use crate::protocol::reply::{ApiError, Params, shown};
use agenttrader_core::calendar::{new_york, new_york_date};
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::time::{Span, UnixNanos};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Records a page holds without a limit, and at most.
const USUAL: usize = 1_000;
const MOST: usize = 10_000;

/// Length of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeframe {
    /// Minutes, from midnight in New York on; hours are sixty.
    Minutes(i64),
    /// Days of New York.
    Day,
    /// Weeks from Monday on.
    Week,
    /// That many months, from January on.
    Months(i8),
}

impl Timeframe {
    /// Reads `1Min` to `59Min`, `1Hour` to `23Hour`, `1Day`, `1Week`, `1Month` to `12Month`, and their short forms.
    ///
    /// # Errors
    /// If it is none of these.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let refused = || ApiError::bad(format!("invalid timeframe: `{}`", shown(text)));
        let at = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(refused)?;
        let (count, unit) = text.split_at(at);
        let count: i64 = count.parse().map_err(|_| refused())?;
        match (unit, count) {
            ("Min" | "T", 1..=59) => Ok(Self::Minutes(count)),
            ("Hour" | "H", 1..=23) => Ok(Self::Minutes(count * 60)),
            ("Day" | "D", 1) => Ok(Self::Day),
            ("Week" | "W", 1) => Ok(Self::Week),
            ("Month" | "M", 1 | 2 | 3 | 4 | 6 | 12) => Ok(Self::Months(i8::try_from(count).unwrap_or(1))),
            _ => Err(refused()),
        }
    }

    /// First instant of the bar that this instant lies in.
    pub fn start_of(self, at: UnixNanos) -> UnixNanos {
        let date = new_york_date(at);
        let midnight = |date: Date| new_york(date, 0, 0);
        match self {
            Self::Minutes(minutes) => {
                let length = Span::from_minutes(minutes);
                let into = UnixNanos::EPOCH.plus(at.since(midnight(date))).floor_to(length);
                midnight(date).plus(into.since(UnixNanos::EPOCH))
            }
            Self::Day => midnight(date),
            Self::Week => {
                let back = i64::from(date.weekday().to_monday_zero_offset());
                midnight(date.checked_sub(jiff::Span::new().days(back)).unwrap_or(date))
            }
            Self::Months(months) => {
                let month = date.month() - (date.month() - 1) % months.max(1);
                midnight(Date::new(date.year(), month, 1).unwrap_or(date))
            }
        }
    }

    fn interval(self) -> Span {
        match self {
            Self::Minutes(minutes) => Span::from_minutes(minutes),
            _ => DAY,
        }
    }
}

/// All bars of an instrument, the unfinished last one too, in order.
pub fn series(entry: &Entry, instrument: InstrumentId, timeframe: Timeframe) -> Vec<PastBar> {
    let forming = entry.forming(instrument);
    // What is known as whole days is not known by the minute.
    let days: &[PastBar] = if matches!(timeframe, Timeframe::Minutes(_)) { &[] } else { &entry.days };
    let all = days.iter().chain(&entry.minutes).chain(&forming);
    merged(all, timeframe.interval(), |at| timeframe.start_of(at))
}

/// The last day before the session that opened then.
pub fn previous_day(entry: &Entry, session_open: UnixNanos) -> Option<PastBar> {
    if let Some(day) = entry.days.iter().rfind(|past| past.bar.start < session_open) {
        return Some(*day);
    }
    let before = entry.minutes.iter().filter(|past| past.bar.start < session_open);
    merged(before, DAY, |at| Timeframe::Day.start_of(at)).pop()
}

/// Which records a request asks for.
#[derive(Clone, Debug)]
pub struct Window {
    start: UnixNanos,
    end: UnixNanos,
    limit: usize,
    falling: bool,
    after: Option<(String, UnixNanos)>,
}

impl Window {
    /// From `start`, `end`, `limit`, `sort` and `page_token`; without a start, from midnight in New York on.
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub fn asked(params: &Params, now: UnixNanos) -> Result<Self, ApiError> {
        let midnight = new_york(new_york_date(now), 0, 0);
        let after = match params.text("page_token") {
            None => None,
            Some(token) => Some(read_token(token).ok_or_else(|| ApiError::bad("invalid page_token"))?),
        };
        Ok(Self {
            start: params.time("start")?.unwrap_or(midnight),
            end: params.time("end")?.unwrap_or(UnixNanos::MAX),
            limit: params.limit(USUAL, MOST)?,
            falling: params.word("sort", ["asc", "desc"])? == "desc",
            after,
        })
    }

    /// The page's records by name, and the token of the next page. `records` gives each name's in order of time.
    pub fn page<T>(
        &self,
        names: &[String],
        records: impl Fn(&str) -> Vec<(UnixNanos, T)>,
    ) -> (BTreeMap<String, Vec<T>>, Option<String>) {
        let mut page: BTreeMap<String, Vec<T>> = BTreeMap::new();
        let mut left = self.limit;
        for name in names {
            let from = match &self.after {
                Some((done, _)) if name < done => continue,
                Some((name_then, at)) if name == name_then => Some(*at),
                _ => None,
            };
            let mut all = records(name);
            all.retain(|(at, _)| (self.start..=self.end).contains(at));
            if self.falling {
                all.reverse();
            }
            all.retain(|(at, _)| from.is_none_or(|from| if self.falling { *at < from } else { *at > from }));
            if all.is_empty() {
                continue;
            }
            if left == 0 {
                // The next page begins with this name: the token is a time before (or after) all of its records.
                let before = if self.falling { UnixNanos::MAX } else { UnixNanos::EPOCH };
                return (page, Some(token(name, before)));
            }
            let more = all.len() > left;
            all.truncate(left);
            left -= all.len();
            let last = all.last().map(|(at, _)| *at);
            page.insert(name.clone(), all.into_iter().map(|(_, record)| record).collect());
            if let Some(last) = last.filter(|_| more) {
                return (page, Some(token(name, last)));
            }
        }
        (page, None)
    }
}

fn token(name: &str, at: UnixNanos) -> String {
    format!("{name}_{}", at.nanos())
}

fn read_token(token: &str) -> Option<(String, UnixNanos)> {
    let (name, nanos) = token.rsplit_once('_')?;
    Some((name.to_owned(), UnixNanos::from_nanos(nanos.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn timeframes_are_read_and_bars_begin_where_new_york_says() {
        for bad in ["", "Min", "0Min", "60Min", "24Hour", "2Day", "5Month", "1Year", "99999999999999999999Min"] {
            assert!(Timeframe::parse(bad).is_err(), "{bad}");
        }
        let start = |text: &str, hour, minute| {
            Timeframe::parse(text).unwrap().start_of(new_york(date(2026, 11, 25), hour, minute))
        };
        assert_eq!(start("5Min", 9, 34), new_york(date(2026, 11, 25), 9, 30));
        assert_eq!(start("7T", 0, 8), new_york(date(2026, 11, 25), 0, 7));
        assert_eq!(start("1Hour", 9, 34), new_york(date(2026, 11, 25), 9, 0));
        assert_eq!(start("1D", 15, 59), new_york(date(2026, 11, 25), 0, 0));
        assert_eq!(start("1Week", 15, 59), new_york(date(2026, 11, 23), 0, 0));
        assert_eq!(start("3Month", 15, 59), new_york(date(2026, 10, 1), 0, 0));
    }

    #[test]
    fn pages_of_any_size_hold_everything_once() {
        let names = ["A", "B", "C"].map(str::to_owned);
        let records = |name: &str| {
            let count = match name {
                "A" => 5,
                "B" => 0,
                _ => 4,
            };
            (1..=count).map(|at| (UnixNanos::from_seconds(at), at)).collect()
        };
        for falling in [false, true] {
            for limit in 1..=10 {
                let mut window = Window { start: UnixNanos::EPOCH, end: UnixNanos::MAX, limit, falling, after: None };
                let mut all: BTreeMap<String, Vec<i64>> = BTreeMap::new();
                let mut pages = 0;
                loop {
                    let (page, next) = window.page(&names, records);
                    assert!(page.values().map(Vec::len).sum::<usize>() <= limit);
                    for (name, records) in page {
                        all.entry(name).or_default().extend(records);
                    }
                    pages += 1;
                    let Some(next) = next else { break };
                    assert!(pages < 20);
                    window.after = Some(read_token(&next).unwrap());
                }
                let (mut a, mut c) = (vec![1, 2, 3, 4, 5], vec![1, 2, 3, 4]);
                if falling {
                    a.reverse();
                    c.reverse();
                }
                assert_eq!((&all["A"], &all["C"], pages), (&a, &c, 9_usize.div_ceil(limit)));
            }
        }
    }
}
