//! Where prices go: closes from day to day, and minute marks within a day.
//!
//! Both follow from seed and date alone, without simulating what lies between: yesterday's bars are the same whether
//! yesterday was played or only looked back on, and a venue that was off for a week goes on at once.

use crate::profile::{PROFILES, Profile};
use crate::random::Random;
use agenttrader_core::calendar::Session;

/// Trading days of a year.
pub const YEAR_SESSIONS: f64 = 252.0;

/// Minutes of a whole session.
const FULL_MINUTES: f64 = 390.0;

/// Days whose returns make up the level: a moving sum with falling weights, so that prices stay around the profile's
/// price for good and the level of a date needs no more than this many days before it.
const MEMORY: usize = 20;

/// Share of a day's return that happens overnight.
const OVERNIGHT: f64 = 0.4;

/// One day of one underlying.
#[derive(Clone, Debug)]
pub struct DayPath {
    /// The session.
    pub session: Session,
    /// Price at each minute mark from open to close: one more than there are minutes.
    pub marks: Vec<f64>,
    /// Standard deviation of the return of each minute, a fraction.
    pub minute_deviation: Vec<f64>,
}

impl DayPath {
    /// Price at the open.
    pub fn open(&self) -> f64 {
        self.marks.first().copied().unwrap_or(1.0)
    }

    /// Price at the close.
    pub fn close(&self) -> f64 {
        self.marks.last().copied().unwrap_or(1.0)
    }
}

/// What sort of day it is: how far prices move compared with the profile's volatility.
pub fn temper(seed: u64, session: &Session) -> f64 {
    match Random::keyed(seed, &[key(session), 1]).unit() {
        draw if draw < 0.35 => 0.75,
        draw if draw < 0.80 => 1.0,
        _ => 1.4,
    }
}

/// A number for a day.
pub fn key(session: &Session) -> u64 {
    session.open.nanos().unsigned_abs()
}

/// The last `count` sessions up to this one, in order.
pub fn sessions_up_to(last: Session, count: usize) -> Vec<Session> {
    let mut all = vec![last];
    while all.len() < count {
        let Some(earliest) = all.last() else { break };
        all.push(Session::previous_before(earliest.date));
    }
    all.reverse();
    all
}

/// The last `days` sessions up to `last` of each underlying: `[day][underlying]`, in order.
pub fn days(seed: u64, last: Session, days: usize) -> Vec<Vec<DayPath>> {
    let sessions = sessions_up_to(last, days + MEMORY + 1);
    let returns: Vec<[f64; PROFILES.len()]> = sessions.iter().map(|session| day_returns(seed, session)).collect();
    let level = |day: usize, who: usize| -> f64 {
        let weighted = (0..MEMORY).filter_map(|back| {
            let past = returns.get(day.checked_sub(back)?)?.get(who)?;
            Some(past * (1.0 - back as f64 / MEMORY as f64))
        });
        weighted.sum()
    };
    (sessions.len().saturating_sub(days)..sessions.len())
        .filter_map(|day| {
            let session = sessions.get(day)?;
            let market: Vec<f64> = draws(seed, session, u64::MAX);
            let of = |(who, profile): (usize, &Profile)| {
                let overnight =
                    returns.get(day).and_then(|returns| returns.get(who)).copied().unwrap_or(0.0) * OVERNIGHT;
                let open = profile.price * libm::exp(level(day.saturating_sub(1), who) + overnight);
                let close = profile.price * libm::exp(level(day, who));
                within(seed, session, (who, profile), &market, (open, close))
            };
            Some(PROFILES.iter().enumerate().map(of).collect())
        })
        .collect()
}

/// Each underlying's logarithmic return of the day, before the pull of the days before.
fn day_returns(seed: u64, session: &Session) -> [f64; PROFILES.len()] {
    let temper = temper(seed, session);
    let mut random = Random::keyed(seed, &[key(session), 2]);
    // Three deviations at most: beyond, a day's chain would no longer reach the spot.
    let mut draw = || random.student().clamp(-3.0, 3.0);
    let market = draw();
    PROFILES.map(|profile| {
        let own = draw();
        let mixed = profile.correlation * market + (1.0 - profile.correlation * profile.correlation).sqrt() * own;
        mixed.clamp(-3.0, 3.0) * temper * profile.volatility / YEAR_SESSIONS.sqrt()
    })
}

/// A heavy-tailed draw for each minute of the session.
fn draws(seed: u64, session: &Session, who: u64) -> Vec<f64> {
    let mut random = Random::keyed(seed, &[key(session), 3, who]);
    (0..minutes(session)).map(|_| random.student()).collect()
}

/// Whole minutes of a session.
pub fn minutes(session: &Session) -> usize {
    usize::try_from(session.close.since(session.open).seconds().div_euclid(60)).unwrap_or(0)
}

/// How lively a minute is: more at both ends of the day.
pub fn liveliness(minute: usize, minutes: usize) -> f64 {
    let x = 2.0 * minute as f64 / (minutes.max(1) as f64) - 1.0;
    0.8 + 0.55 * x * x
}

/// Minute marks that begin at the open, end at the close and move by the profile's volatility in between.
fn within(
    seed: u64,
    session: &Session,
    (who, profile): (usize, &Profile),
    market: &[f64],
    (open, close): (f64, f64),
) -> DayPath {
    let per_minute = profile.volatility * temper(seed, session) / (YEAR_SESSIONS * FULL_MINUTES).sqrt();
    let own_share = (1.0 - profile.correlation * profile.correlation).sqrt();
    let own = draws(seed, session, who as u64);
    let count = market.len();
    let minute_deviation: Vec<f64> = (0..count).map(|minute| per_minute * liveliness(minute, count)).collect();
    let steps = market.iter().zip(&own).zip(&minute_deviation);
    let mut walk = vec![0.0];
    let mut at = 0.0;
    for ((market, own), deviation) in steps {
        at += deviation * (profile.correlation * market + own_share * own);
        walk.push(at);
    }
    let missing = libm::log(close / open) - at;
    let marks = walk.iter().enumerate().map(|(minute, walked)| {
        let share = minute as f64 / count.max(1) as f64;
        open * libm::exp(walked + missing * share)
    });
    DayPath { session: *session, marks: marks.collect(), minute_deviation }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_day_is_the_same_whether_looked_at_or_looked_back_on() {
        let session = Session::on(date(2026, 11, 23)).unwrap();
        let next = Session::next_after(session.date);
        let own = days(5, session, 6);
        let back = days(5, next, 6);
        for (own, back) in own[5].iter().zip(&back[4]) {
            assert_eq!(own.marks, back.marks);
            assert_eq!(own.marks.len(), 391);
        }
        for (own, back) in own[5].iter().zip(&back[5]) {
            assert!((back.open() / own.close() - 1.0).abs() < 0.06);
        }
    }

    #[test]
    fn realised_volatility_is_the_profiles_and_underlyings_move_together() {
        let session = Session::on(date(2026, 6, 10)).unwrap();
        let returns =
            |path: &DayPath| -> Vec<f64> { path.marks.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect() };
        let mut sums = [(0.0, 0.0, 0.0); 2];
        for seed in 0..40 {
            let days = days(seed, session, 1);
            let temper = temper(seed, &session);
            let (spy, nvda) = (returns(&days[0][0]), returns(&days[0][5]));
            for (a, b) in spy.iter().zip(&nvda) {
                sums[0].0 += a * a / (temper * temper);
                sums[1].0 += b * b / (temper * temper);
                sums[0].1 += a * b / (temper * temper);
            }
        }
        let year = |sum: f64| (sum / 40.0 * YEAR_SESSIONS).sqrt();
        let (spy, nvda) = (year(sums[0].0), year(sums[1].0));
        assert!((0.12..0.17).contains(&spy) && (0.38..0.53).contains(&nvda), "{spy} {nvda}");
        let correlation = sums[0].1 / (sums[0].0 * sums[1].0).sqrt();
        assert!((0.5..0.8).contains(&correlation), "{correlation}");
    }
}
