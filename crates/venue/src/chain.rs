//! Which option contracts are listed on a day, and how many of each are open.

use crate::paths::{DayPath, key, temper};
use crate::profile::{PROFILES, Profile};
use crate::random::Random;
use agenttrader_core::calendar::Session;
use agenttrader_core::instrument::{Instrument, InstrumentId, Instruments, OptionContract, Right};
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use jiff::civil::{Date, Weekday};

/// One expiry of one underlying.
#[derive(Clone, Debug)]
pub struct Expiry {
    /// Its place among [`PROFILES`].
    pub underlying: usize,
    /// The session at whose close it expires.
    pub session: Session,
    /// Sessions that trade after today until it expires.
    pub later_sessions: u32,
    /// Strikes, rising; the contracts of strike `k` are at `first + 2 k` (call) and one more (put).
    pub strikes: Vec<f64>,
    /// Place of its first contract among all.
    pub first: usize,
}

/// One listed contract.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// Its number.
    pub id: InstrumentId,
    /// Its expiry's place.
    pub expiry: usize,
    /// Strike, dollars.
    pub strike: f64,
    /// Call or put.
    pub right: Right,
    /// Contracts open before the session.
    pub open_interest: u64,
}

/// Everything listed on one day.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// All instruments; the underlyings come first, in the order of [`PROFILES`].
    pub instruments: Instruments,
    /// All expiries, two an underlying.
    pub expiries: Vec<Expiry>,
    /// All contracts.
    pub contracts: Vec<Contract>,
}

/// The last session of the week of this date.
fn last_of_week(date: Date) -> Session {
    let to_friday = i64::from(date.weekday().until(Weekday::Friday));
    let friday = date.checked_add(jiff::Span::new().days(to_friday)).unwrap_or(date);
    Session::on(friday).unwrap_or_else(|| Session::previous_before(friday))
}

/// The two expiries listed on a day: the same day's, where there are such, or this week's; and the next week's end after it.
fn expirations(profile: &Profile, today: Session) -> [Session; 2] {
    let this_week = last_of_week(today.date);
    let after = |session: Session| {
        let next = last_of_week(Session::next_after(session.date).date);
        if next.date > session.date { next } else { Session::next_after(session.date) }
    };
    let near = if profile.same_day || this_week.date < today.date { today } else { this_week };
    let far = if near.date < this_week.date { this_week } else { after(near) };
    [near, far]
}

/// Lists the day's instruments around the opening prices.
pub fn list(seed: u64, today: Session, paths: &[DayPath]) -> Listed {
    let mut listed = Listed::default();
    let symbols: Vec<Option<Symbol>> = PROFILES.iter().map(|profile| Symbol::parse(profile.symbol).ok()).collect();
    for symbol in symbols.iter().flatten() {
        listed.instruments.define(Instrument::Equity { symbol: *symbol });
    }
    for (underlying, (profile, path)) in PROFILES.iter().zip(paths).enumerate() {
        let Some(Some(symbol)) = symbols.get(underlying) else { continue };
        let mut interest = Interest::new(seed, today, (underlying, profile), path.open());
        for (session, plan) in expirations(profile, today).into_iter().zip([profile.near, profile.far]) {
            let (expiry, first) = (listed.expiries.len(), listed.contracts.len());
            let strikes = plan.around(path.open());
            for strike in &strikes {
                for right in [Right::Call, Right::Put] {
                    let price = Price::from_f64(*strike).unwrap_or(Price::ZERO);
                    let Ok(contract) = OccSymbol::new(profile.symbol, session.date, right, price) else { continue };
                    let option = OptionContract { underlying: *symbol, contract, european: false };
                    let Some(id) = listed.instruments.define(Instrument::Option(option)) else { continue };
                    let open_interest = interest.of(*strike, right);
                    listed.contracts.push(Contract { id, expiry, strike: *strike, right, open_interest });
                }
            }
            let later_sessions = sessions_between(today.date, session.date);
            listed.expiries.push(Expiry { underlying, session, later_sessions, strikes, first });
        }
    }
    listed
}

fn sessions_between(today: Date, last: Date) -> u32 {
    let after = agenttrader_core::calendar::sessions(today, last).skip(1).count();
    u32::try_from(after).unwrap_or(u32::MAX)
}

/// How open interest lies over the strikes: a hill around the money, calls above and puts below, heavy at round strikes.
struct Interest {
    random: Random,
    center: f64,
    width: f64,
    level: f64,
    put_share: f64,
}

impl Interest {
    fn new(seed: u64, today: Session, (underlying, profile): (usize, &Profile), center: f64) -> Self {
        let mut random = Random::keyed(seed, &[key(&today), 4, underlying as u64]);
        let put_share = random.between(0.6, 1.6);
        let width = center * profile.volatility * 0.16 * temper(seed, &today);
        Self { random, center, width, level: profile.interest, put_share }
    }

    fn of(&mut self, strike: f64, right: Right) -> u64 {
        let (shift, share) = match right {
            Right::Call => (0.4 * self.width, 1.0),
            Right::Put => (-0.6 * self.width, self.put_share),
        };
        let away = (strike - self.center - shift) / self.width;
        let multiple_of = |step: f64| (strike / step - (strike / step).round()).abs() < 1e-9;
        let round = match () {
            () if multiple_of(25.0) => 5.0,
            () if multiple_of(10.0) => 3.5,
            () if multiple_of(5.0) => 2.0,
            () => 1.0,
        };
        let noise = libm::exp(0.5 * self.random.normal());
        let open = self.level * share * round * noise * libm::exp(-0.5 * away * away);
        open as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::days;
    use jiff::civil::date;

    #[test]
    fn every_day_of_two_years_lists_under_a_thousand_contracts_that_have_not_expired() {
        for session in agenttrader_core::calendar::sessions(date(2026, 1, 1), date(2027, 12, 31)).step_by(7) {
            let today = days(3, session, 1);
            let listed = list(3, session, &today[0]);
            assert_eq!(listed.contracts.len(), 984, "{}", session.date);
            assert!(listed.instruments.len() == 990);
            for (index, expiry) in listed.expiries.iter().enumerate() {
                assert!(expiry.session.date >= session.date);
                if index % 2 == 1 {
                    assert!(expiry.session.date > listed.expiries[index - 1].session.date, "{}", session.date);
                }
                if PROFILES[expiry.underlying].same_day && index % 2 == 0 {
                    assert_eq!(expiry.session, session);
                }
            }
        }
    }

    #[test]
    fn thanksgiving_and_good_friday_move_the_weeklies() {
        let expiry = |today: Date, who: usize| {
            expirations(&PROFILES[who], Session::on(today).unwrap()).map(|session| session.date)
        };
        assert_eq!(expiry(date(2026, 11, 24), 0), [date(2026, 11, 24), date(2026, 11, 27)]);
        assert_eq!(expiry(date(2026, 11, 27), 0), [date(2026, 11, 27), date(2026, 12, 4)]);
        assert_eq!(expiry(date(2026, 11, 24), 3), [date(2026, 11, 27), date(2026, 12, 4)]);
        assert_eq!(expiry(date(2026, 3, 31), 3), [date(2026, 4, 2), date(2026, 4, 10)], "Good Friday");
        assert_eq!(expiry(date(2026, 4, 2), 0), [date(2026, 4, 2), date(2026, 4, 10)], "Good Friday");
    }
}
