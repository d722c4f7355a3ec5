//! The market calendar.

use agenttrader_core::calendar::{Session, new_york_date};
use agenttrader_core::time::UnixNanos;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// One session of `/v2/calendar`. Times are New York's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarDay {
    /// The day.
    pub date: Date,
    /// Regular open, `HH:MM`.
    pub open: String,
    /// Regular close, `HH:MM`.
    pub close: String,
    /// First minute of extended hours, `HHMM`.
    #[serde(default)]
    pub session_open: String,
    /// Last minute of extended hours, `HHMM`.
    #[serde(default)]
    pub session_close: String,
    /// When trades of the day settle.
    #[serde(default)]
    pub settlement_date: Option<Date>,
}

impl CalendarDay {
    /// The session as the wire writes it. Extended hours are 04:00 to four hours after the close; trades settle on the next
    /// session since 2024-05-28 (SEC rule 15c6-1), which is what is written for every day.
    pub fn of(session: &Session) -> Self {
        let midnight = agenttrader_core::calendar::new_york(session.date, 0, 0);
        // No session is on a day on which the offset changes: those are Sundays.
        let at = |time: UnixNanos, separator: &str| {
            let minutes = time.since(midnight).seconds().div_euclid(60);
            format!("{:02}{separator}{:02}", minutes.div_euclid(60), minutes.rem_euclid(60))
        };
        Self {
            date: session.date,
            open: at(session.open, ":"),
            close: at(session.close, ":"),
            session_open: "0400".to_owned(),
            session_close: at(session.close.plus(agenttrader_core::time::Span::from_minutes(240)), ""),
            settlement_date: Some(Session::next_after(new_york_date(session.open)).date),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_half_day_closes_at_one() {
        let day = CalendarDay::of(&Session::on(date(2025, 11, 28)).unwrap());
        assert_eq!(
            serde_json::to_string(&day).unwrap(),
            r#"{"date":"2025-11-28","open":"09:30","close":"13:00","session_open":"0400","session_close":"1700","settlement_date":"2025-12-01"}"#
        );
    }
}
