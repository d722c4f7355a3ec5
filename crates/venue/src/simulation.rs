//! The simulated market of one session: what it lists, what went before, and every event, from seed and date alone.
//!
//! Time goes in steps of a tenth of a second on a grid that begins at the session's open. A step is always computed whole,
//! so how a caller slices its calls cannot change what comes out.

use crate::chain::{Listed, list};
use crate::flow::Flow;
use crate::history::History;
use crate::paths::{days, key, minutes};
use crate::profile::{PROFILES, Profile};
use crate::quoting::Quoting;
use crate::random::Random;
use crate::scenario::Scenario;
use crate::stock::{MINUTE_STEPS, STEP, Step, Stock};
use agenttrader_core::calendar::Session;
use agenttrader_core::event::MarketEvent;
use agenttrader_core::instrument::{InstrumentId, Instruments};
use agenttrader_core::time::{Span, UnixNanos};
use jiff::civil::Date;
use std::collections::VecDeque;

/// Sessions before today's that have bars.
pub const EARLIER_SESSIONS: usize = 5;

/// Minutes of the session that have traded when a venue opens for the first time.
pub const HEAD_START_MINUTES: u32 = 30;

/// Why there is no market on that day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarketError {
    /// The exchange does not trade then.
    #[error("{date} is no trading day ({why}); the next is {next}")]
    NoSession {
        /// The date asked for.
        date: Date,
        /// The holiday's name, or `outside the calendar`.
        why: &'static str,
        /// The next session.
        next: Date,
    },
}

/// A market in the middle of its session. Cheap to ask, and moved on by [`Market::advance`] alone.
#[derive(Clone, Debug)]
pub struct Market {
    seed: u64,
    scenario: Scenario,
    session: Session,
    start: UnixNanos,
    listed: Listed,
    history: History,
    market: Random,
    stocks: Vec<Stock>,
    quoting: Quoting,
    flow: Flow,
    next_step: usize,
    closed: bool,
    pending: VecDeque<(UnixNanos, MarketEvent)>,
    fresh: Vec<(UnixNanos, MarketEvent)>,
    held: Vec<usize>,
}

impl Market {
    /// The market of that seed and date at 10:00 New York, half an hour after its open.
    ///
    /// # Errors
    /// [`MarketError`] if the exchange does not trade on that date.
    pub fn new(seed: u64, date: Date, scenario: Scenario) -> Result<Self, MarketError> {
        Self::starting(seed, date, scenario, HEAD_START_MINUTES)
    }

    /// The market of that seed and date, `minute` minutes after its open: what came before is in [`Market::history`].
    ///
    /// # Errors
    /// [`MarketError`] if the exchange does not trade on that date.
    pub fn starting(seed: u64, date: Date, scenario: Scenario, minute: u32) -> Result<Self, MarketError> {
        let Some(session) = Session::on(date) else {
            let why = agenttrader_core::calendar::closed_because(date).unwrap_or("outside the calendar");
            return Err(MarketError::NoSession { date, why, next: Session::next_after(date).date });
        };
        let minute = (minute as usize).min(minutes(&session));
        let start = session.open.plus(Span::from_minutes(minute as i64));
        let mut paths = days(seed, session, EARLIER_SESSIONS + 1);
        let today = paths.pop().unwrap_or_default();
        let listed = list(seed, session, &today);
        let stream = |purpose: u64| Random::keyed(seed, &[key(&session), 100 + purpose]);
        let quoting = Quoting::new(seed, session, &listed, stream(1));
        let stocks: Vec<Stock> = PROFILES
            .iter()
            .zip(today)
            .enumerate()
            .map(|(who, (profile, path))| {
                Stock::new(InstrumentId(who as u32), profile, path, minute, stream(10 + who as u64))
            })
            .collect();
        let history = History::new(seed, &paths, &stocks, &listed, &quoting, minute);
        Ok(Self {
            seed,
            scenario,
            session,
            start,
            market: stream(2),
            flow: Flow::new(scenario, start, stream(3)),
            next_step: minute * MINUTE_STEPS,
            closed: false,
            pending: VecDeque::new(),
            fresh: Vec::new(),
            held: Vec::new(),
            listed,
            history,
            stocks,
            quoting,
        })
    }

    /// The market of the session after this one, at its open.
    ///
    /// # Errors
    /// Never within the calendar's years.
    pub fn following(&self) -> Result<Self, MarketError> {
        Self::starting(self.seed, Session::next_after(self.session.date).date, self.scenario, 0)
    }

    /// The seed that everything follows from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// What happens in it.
    pub fn scenario(&self) -> Scenario {
        self.scenario
    }

    /// Its session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The first instant that [`Market::advance`] gives events of.
    pub fn start(&self) -> UnixNanos {
        self.start
    }

    /// Everything listed today; the underlyings come first.
    pub fn instruments(&self) -> &Instruments {
        &self.listed.instruments
    }

    /// What the underlyings are like, in the order of their numbers.
    pub fn profiles(&self) -> &'static [Profile] {
        &PROFILES
    }

    /// Contracts open before the session, of every listed option.
    pub fn open_interest(&self) -> impl Iterator<Item = (InstrumentId, u64)> {
        self.listed.contracts.iter().map(|contract| (contract.id, contract.open_interest))
    }

    /// What traded before [`Market::start`].
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Moves the market on to `to` (nothing happens if it is there already) and appends what happened until and with that
    /// instant to `out`, in order of time. The first time is when the feed says it; a late print's stamp is before that.
    pub fn advance(&mut self, to: UnixNanos, out: &mut Vec<(UnixNanos, MarketEvent)>) {
        while !self.closed && self.step_start() <= to {
            self.run_step();
            self.fresh.sort_by_key(|(at, _)| *at);
            self.pending.extend(self.fresh.drain(..));
        }
        while let Some(event) = self.pending.pop_front_if(|(at, _)| *at <= to) {
            out.push(event);
        }
    }

    fn step_start(&self) -> UnixNanos {
        self.session.open.plus(Span::from_nanos(STEP.nanos().saturating_mul(self.next_step as i64)))
    }

    /// Computes one whole step into `fresh`.
    fn run_step(&mut self) {
        let step = Step {
            start: self.step_start(),
            minute: self.next_step / MINUTE_STEPS,
            within: self.next_step % MINUTE_STEPS,
        };
        self.next_step += 1;
        if step.start >= self.session.close {
            for stock in &mut self.stocks {
                stock.close(step.at(0.5), &mut self.fresh);
            }
            self.closed = true;
            return;
        }
        let market = self.market.student();
        for stock in &mut self.stocks {
            stock.step(&step, market);
            stock.trade(&step, &mut self.fresh);
        }
        self.held.clear();
        self.flow.step((&step, &self.listed, &self.stocks), self.quoting.standing(), &mut self.held, &mut self.fresh);
        self.quoting.step(&step, &self.listed, &self.stocks, &self.held, &mut self.fresh);
    }
}
