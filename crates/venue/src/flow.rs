//! Prints in the option chains: the many small ones, blocks, multi-leg trades, sweeps, and programmes of sweeps.
//!
//! A programme is one buyer (or seller) who wants size in one underlying and takes several exchanges at once, again and
//! again, always leaning the same way.

use crate::chain::{Contract, Listed};
use crate::profile::PROFILES;
use crate::quoting::{OPTION_EXCHANGES, Standing, tick};
use crate::random::Random;
use crate::scenario::Scenario;
use crate::stock::{Step, Stock};
use agenttrader_core::event::{MarketEvent, Trade};
use agenttrader_core::instrument::{InstrumentId, Right};
use agenttrader_core::price::{Price, Rounding};
use agenttrader_core::time::{Span, UnixNanos};

/// Conditions of the options tape: electronic, intermarket sweep, multi-leg electronic and auction, single-leg auction, late.
const ELECTRONIC: u8 = b'I';
const SWEEP: u8 = b'S';
const MULTI_LEG: &[u8] = b"fgj";
const AUCTION: u8 = b'a';
const LATE: u8 = b'D';

/// Dollars of premium that each sweep of a programme pays at least.
const SWEEP_PREMIUM: f64 = 120_000.0;

/// When the first programme begins, after the first step: every contract is quoted by then.
const FIRST_PROGRAMME: Span = Span::from_millis(3_500);

/// Mean time between programmes.
const BETWEEN_PROGRAMMES_SECONDS: f64 = 240.0;

/// Which touch the aggressor takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Take {
    Ask,
    Bid,
}

#[derive(Clone, Copy, Debug)]
struct Programme {
    underlying: usize,
    bullish: bool,
    /// Whether options are sold (puts by a bull) rather than bought.
    sells: bool,
    sweeps_left: u32,
    next: UnixNanos,
    /// Seconds between sweeps, at most.
    pace: f64,
    appetite: f64,
}

/// The flow of prints in all chains.
#[derive(Clone, Debug)]
pub struct Flow {
    random: Random,
    programmes: Vec<Programme>,
    next_programme: Option<UnixNanos>,
    /// The way of each underlying's last programme.
    leaned: [Option<bool>; PROFILES.len()],
    began: bool,
}

/// What a step's prints are made from.
struct Floor<'a> {
    step: &'a Step,
    listed: &'a Listed,
    stocks: &'a [Stock],
    standing: &'a [Standing],
}

/// What a step's prints do.
struct Tape<'a> {
    /// Contracts that printed.
    held: &'a mut Vec<usize>,
    out: &'a mut Vec<(UnixNanos, MarketEvent)>,
}

impl Flow {
    /// Nothing printed yet; the first programme is due soon after `start`.
    pub fn new(scenario: Scenario, start: UnixNanos, mut random: Random) -> Self {
        let soon = Span::from_millis(i64::from(random.below(1_500)));
        let next_programme = match scenario {
            Scenario::Default => Some(start.plus(FIRST_PROGRAMME).plus(soon)),
            Scenario::Quiet => None,
        };
        Self { random, programmes: Vec::new(), next_programme, leaned: [None; PROFILES.len()], began: false }
    }

    /// Prints of one step against the quotes that stand. The contracts that printed are appended to `held`.
    pub fn step(
        &mut self,
        (step, listed, stocks): (&Step, &Listed, &[Stock]),
        standing: &[Standing],
        held: &mut Vec<usize>,
        out: &mut Vec<(UnixNanos, MarketEvent)>,
    ) {
        let floor = Floor { step, listed, stocks, standing };
        let mut tape = Tape { held, out };
        self.begin(step.start);
        let mut programmes = std::mem::take(&mut self.programmes);
        for programme in &mut programmes {
            if programme.next <= step.start {
                self.programme_sweep(programme, &floor, &mut tape);
            }
        }
        programmes.retain(|programme| programme.sweeps_left > 0);
        self.programmes = programmes;
        for (underlying, profile) in PROFILES.iter().enumerate() {
            if self.random.chance(profile.option_prints / 10.0) {
                self.ordinary(underlying, &floor, &mut tape);
            }
        }
    }

    /// Starts the next programme if it is due.
    fn begin(&mut self, now: UnixNanos) {
        if self.next_programme.is_none_or(|next| now < next) {
            return;
        }
        let underlying = self.random.below(PROFILES.len() as u32) as usize;
        let coin = self.random.chance(0.5);
        let turns = self.random.chance(0.65);
        let Some(leaned) = self.leaned.get_mut(underlying) else { return };
        let bullish = leaned.map_or(coin, |last| last != turns);
        *leaned = Some(bullish);
        // The first is quick, so that whoever has just opened shop sees one; later ones take their time and may be larger.
        let (sweeps, pace, appetite) = if self.began {
            (4 + self.random.below(6), self.random.between(6.0, 15.0), self.random.between(1.0, 3.0))
        } else {
            (5 + self.random.below(2), 5.0, self.random.between(1.0, 1.3))
        };
        self.began = true;
        let sells = self.random.chance(0.2);
        self.programmes.push(Programme { underlying, bullish, sells, sweeps_left: sweeps, next: now, pace, appetite });
        let wait = 20.0 + self.random.exponential(BETWEEN_PROGRAMMES_SECONDS - 20.0);
        self.next_programme = Some(now.plus(Span::from_millis((wait * 1_000.0) as i64)));
    }

    fn programme_sweep(&mut self, programme: &mut Programme, floor: &Floor<'_>, tape: &mut Tape<'_>) {
        let wait = programme.pace * self.random.between(0.7, 1.0);
        programme.next = floor.step.start.plus(Span::from_millis((wait * 1_000.0) as i64));
        let right = if programme.bullish != programme.sells { Right::Call } else { Right::Put };
        let take = if programme.sells { Take::Bid } else { Take::Ask };
        let expiry = programme.underlying * 2 + usize::from(self.random.chance(0.5));
        // A little out of the money, nearer the money if that costs next to nothing.
        let wanted = 1 + i64::from(self.random.below(2));
        let found = (0..=wanted).rev().find_map(|steps| {
            let index = floor.contract(expiry, right, steps)?;
            let price = floor.touch(index, take)?;
            (price >= Price::from_nanos(400_000_000) || steps == 0).then_some((index, price))
        });
        let Some((index, price)) = found else { return };
        let premium = SWEEP_PREMIUM * programme.appetite * self.random.between(1.0, 1.3);
        let contracts = (premium / (price.as_f64() * 100.0)).ceil().clamp(80.0, 20_000.0) as u32;
        self.sweep(index, price, contracts, floor, tape);
        programme.sweeps_left = programme.sweeps_left.saturating_sub(1);
    }

    /// Prints of one contract on several exchanges within a few hundredths of a second.
    fn sweep(&mut self, index: usize, price: Price, contracts: u32, floor: &Floor<'_>, tape: &mut Tape<'_>) {
        // The best price has the most at the second exchange asked: whoever watches knows the sweep by then, and its size.
        let parts = 3 + self.random.below(3);
        let first = self.random.below(OPTION_EXCHANGES.len() as u32) as usize;
        let mut left = contracts;
        for part in 0..parts {
            let share = match part {
                0 => self.random.between(0.15, 0.25),
                1 => self.random.between(0.60, 0.70),
                _ => self.random.between(0.02, 0.08),
            };
            let size = if part + 1 == parts { left } else { ((f64::from(contracts) * share) as u32).max(1).min(left) };
            left = left.saturating_sub(size);
            if size == 0 {
                break;
            }
            let exchange = OPTION_EXCHANGES.iter().cycle().nth(first + part as usize * 5).copied().unwrap_or(b'C');
            let at = floor.step.at(0.1 + 0.8 * f64::from(part) / f64::from(parts));
            tape.print(floor, index, (at, price, size), exchange, SWEEP);
        }
    }

    /// One print, or what else comes along without a programme.
    fn ordinary(&mut self, underlying: usize, floor: &Floor<'_>, tape: &mut Tape<'_>) {
        let expiry = underlying * 2 + usize::from(self.random.chance(0.3));
        let right = if self.random.chance(0.52) { Right::Call } else { Right::Put };
        let steps = (self.random.normal() * 4.0 + 1.5).round() as i64;
        let Some(index) = floor.contract(expiry, right, steps) else { return };
        let at = floor.step.at(self.random.between(0.05, 0.95));
        let exchange = self.random.letter(OPTION_EXCHANGES);
        let side = self.random.unit();
        let price = match side {
            side if side < 0.42 => floor.touch(index, Take::Ask),
            side if side < 0.84 => floor.touch(index, Take::Bid).or_else(|| floor.touch(index, Take::Ask)),
            _ => floor.middle(index),
        };
        let Some(price) = price else { return };
        let size = 1 + self.random.exponential(4.0) as u32;
        match self.random.unit() {
            fate if fate < 0.003 => {
                let contracts = 70 + self.random.below(30);
                self.sweep(index, price, contracts, floor, tape);
            }
            fate if fate < 0.005 => {
                let block = 200 + self.random.below(300);
                tape.print(floor, index, (at, price, block), exchange, AUCTION);
            }
            fate if fate < 0.065 => {
                let code = self.random.letter(MULTI_LEG);
                tape.print(floor, index, (at, price, size), exchange, code);
                let other = floor.contract(expiry, right, steps + 2 + i64::from(self.random.below(3)));
                if let Some((other, price)) = other.and_then(|other| Some((other, floor.middle(other)?))) {
                    tape.print(floor, other, (at, price, size), exchange, code);
                }
            }
            fate if fate < 0.068 => tape.print(floor, index, (at, price, size), exchange, LATE),
            fate if fate < 0.12 => tape.print(floor, index, (at, price, size), exchange, AUCTION),
            _ => tape.print(floor, index, (at, price, size), exchange, ELECTRONIC),
        }
    }
}

impl Floor<'_> {
    /// The contract that many strikes out of the money (in it, when negative).
    fn contract(&self, expiry: usize, right: Right, steps_out: i64) -> Option<usize> {
        let expiry = self.listed.expiries.get(expiry)?;
        let spot = self.stocks.get(expiry.underlying)?.fair();
        let above = i64::try_from(expiry.strikes.partition_point(|strike| *strike < spot)).ok()?;
        let (strike, offset) = match right {
            Right::Call => (above + steps_out - 1, 0),
            Right::Put => (above - steps_out, 1),
        };
        let strike = usize::try_from(strike).ok().filter(|strike| *strike < expiry.strikes.len())?;
        Some(expiry.first + 2 * strike + offset)
    }

    /// The price at which someone in a hurry trades; `None` while that side is empty.
    fn touch(&self, index: usize, take: Take) -> Option<Price> {
        let standing = self.standing.get(index)?;
        let price = if take == Take::Ask { standing.ask } else { standing.bid };
        (price > Price::ZERO).then_some(price)
    }

    /// A price between the touches, if a tick lies there, else the ask.
    fn middle(&self, index: usize) -> Option<Price> {
        let standing = self.standing.get(index)?;
        let middle = standing.bid.midpoint(standing.ask).round_to(tick(standing.bid), Rounding::Down);
        if middle > standing.bid { Some(middle) } else { self.touch(index, Take::Ask) }
    }
}

impl Tape<'_> {
    fn print(
        &mut self,
        floor: &Floor<'_>,
        index: usize,
        (at, price, size): (UnixNanos, Price, u32),
        exchange: u8,
        condition: u8,
    ) {
        let Some(Contract { id, .. }) = floor.listed.contracts.get(index) else { return };
        self.held.push(index);
        self.out.push((at, MarketEvent::Trade(option_print(*id, at, price, size, exchange, condition))));
    }
}

fn option_print(
    instrument: InstrumentId,
    at: UnixNanos,
    price: Price,
    size: u32,
    exchange: u8,
    condition: u8,
) -> Trade {
    Trade {
        instrument,
        exchange_time: at,
        price,
        size,
        exchange,
        conditions: [condition, b' ', b' ', b' '],
        trade_id: 0,
    }
}
