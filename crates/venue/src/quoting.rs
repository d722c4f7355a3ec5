//! How the option chains are quoted: who is quoted again when, and at what.

use crate::chain::{Contract, Listed};
use crate::paths::temper;
use crate::profile::PROFILES;
use crate::random::Random;
use crate::stock::{STEP, Step, Stock};
use crate::surface::Slice;
use agenttrader_core::calendar::Session;
use agenttrader_core::event::{MarketEvent, Quote};
use agenttrader_core::price::{Price, Rounding};
use agenttrader_core::time::{Span, UnixNanos};

/// Each contract is looked at once in this many steps.
const LOOK_EVERY: usize = 5;

/// Steps within which the whole chain gets its first quote.
const FIRST_WITHIN: u32 = 24;

/// The soonest that a contract is quoted again because the spot moved.
const SOONEST: Span = Span::from_millis(1_400);

/// A quote gets older than this by two looks at most: the one that is due, and one in which the contract printed.
const OLDEST: Span = Span::from_millis(6_800);

/// From here on options tick in nickels.
const NICKEL_FROM: Price = Price::from_nanos(3_000_000_000);

/// Exchanges that quote and print options.
pub const OPTION_EXCHANGES: &[u8] = b"ABCDEHIJMNPQSTUWXZ";

/// The last quote of one contract.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing {
    /// Bid; zero: none.
    pub bid: Price,
    /// Ask; zero: not quoted yet.
    pub ask: Price,
    /// When.
    pub at: UnixNanos,
    /// Spot of that quote, dollars.
    spot: f64,
    /// How far the spot may move before the contract is quoted again, dollars.
    tolerance: f64,
    /// How old the quote may become.
    patience: Span,
}

/// The quotes of all chains.
#[derive(Clone, Debug)]
pub struct Quoting {
    random: Random,
    session: Session,
    volatilities: Vec<f64>,
    standing: Vec<Standing>,
    /// Before this step a contract has no first quote.
    first_step: Vec<u32>,
    steps: u32,
}

/// The price step of an option at this price.
pub fn tick(price: Price) -> Price {
    if price < NICKEL_FROM { Price::CENT } else { Price::NICKEL }
}

impl Quoting {
    /// No contract quoted yet.
    pub fn new(seed: u64, session: Session, listed: &Listed, mut random: Random) -> Self {
        let temper = temper(seed, &session);
        // Options cost a little more than what is realised; on a day of its own temper the market has half noticed.
        let volatilities = PROFILES.iter().map(|profile| profile.volatility * 1.05 * (0.5 + 0.5 * temper)).collect();
        let first_step = listed.contracts.iter().map(|_| random.below(FIRST_WITHIN - LOOK_EVERY as u32)).collect();
        let standing = vec![Standing::default(); listed.contracts.len()];
        Self { random, session, volatilities, standing, first_step, steps: 0 }
    }

    /// Each contract's last quote, in the order of listing.
    pub fn standing(&self) -> &[Standing] {
        &self.standing
    }

    /// Volatility a year of trading time now: it rises as the stock falls.
    pub fn volatility(&self, underlying: usize, stock: &Stock) -> f64 {
        let base = self.volatilities.get(underlying).copied().unwrap_or(0.2);
        let moved = stock.fair() / stock.path().open() - 1.0;
        base * (1.0 - 3.0 * moved).clamp(0.7, 1.5)
    }

    /// Quotes again what is due in this step. `held` contracts printed in it and keep the quote they printed against.
    pub fn step(
        &mut self,
        step: &Step,
        listed: &Listed,
        stocks: &[Stock],
        held: &[usize],
        out: &mut Vec<(UnixNanos, MarketEvent)>,
    ) {
        let turn = self.steps as usize % LOOK_EVERY;
        let mut slices: Vec<Option<Slice>> = vec![None; listed.expiries.len()];
        for (index, contract) in listed.contracts.iter().enumerate().skip(turn).step_by(LOOK_EVERY) {
            let Some(expiry) = listed.expiries.get(contract.expiry) else { continue };
            let Some(stock) = stocks.get(expiry.underlying) else { continue };
            if !self.is_due(index, step, stock.fair()) || held.contains(&index) {
                continue;
            }
            let volatility = self.volatility(expiry.underlying, stock);
            let Some(slot) = slices.get_mut(contract.expiry) else { continue };
            if slot.is_none() {
                *slot = Slice::new(expiry, &self.session, step.start, stock.fair(), volatility);
            }
            if let Some(slice) = slot {
                let quote = self.quote(index, contract, step, (stock.fair(), slice));
                out.push((quote.exchange_time, MarketEvent::Quote(quote)));
            }
        }
        self.steps += 1;
    }

    fn is_due(&self, index: usize, step: &Step, spot: f64) -> bool {
        let Some(standing) = self.standing.get(index) else { return false };
        if standing.ask == Price::ZERO {
            return self.first_step.get(index).is_some_and(|first| *first <= self.steps);
        }
        let age = step.start.since(standing.at);
        age >= standing.patience || (age >= SOONEST && (spot - standing.spot).abs() > standing.tolerance)
    }

    fn quote(&mut self, index: usize, contract: &Contract, step: &Step, (spot, slice): (f64, &Slice)) -> Quote {
        let noise = 1.0 + 0.002 * self.random.between(-1.0, 1.0);
        let value = slice.value(contract.right, contract.strike, noise);
        let half = 0.004 + 0.006 * value.price;
        let (bid, ask) = around(value.price, half);
        let at = step.at(self.random.unit());
        let patience = Span::from_nanos((OLDEST.nanos() as f64 * self.random.between(0.75, 1.0)) as i64);
        let width = ask.as_f64() - bid.as_f64();
        let tolerance = (0.02 + 0.6 * width) / value.delta.abs().max(0.01);
        if let Some(standing) = self.standing.get_mut(index) {
            *standing =
                Standing { bid, ask, at, spot, tolerance, patience: Span::from_nanos(patience.nanos() - STEP.nanos()) };
        }
        Quote {
            instrument: contract.id,
            exchange_time: at,
            bid,
            ask,
            bid_size: if bid > Price::ZERO { 5 + self.random.below(200) } else { 0 },
            ask_size: 5 + self.random.below(200),
            bid_exchange: self.random.letter(OPTION_EXCHANGES),
            ask_exchange: self.random.letter(OPTION_EXCHANGES),
            condition: b' ',
        }
    }
}

/// Bid and ask on their ticks, `half` and more to each side of `value`; a bid of zero where there is none.
fn around(value: f64, half: f64) -> (Price, Price) {
    let on = |dollars: f64, rounding: Rounding| {
        let price = Price::from_f64(dollars.max(0.0)).unwrap_or(Price::ZERO);
        price.round_to(tick(price), rounding)
    };
    let bid = on(value - half, Rounding::Down);
    let ask = on(value + half, Rounding::Up).max(Price::CENT);
    if ask > bid { (bid, ask) } else { (bid, Price::from_nanos(bid.nanos() + tick(bid).nanos())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stand_on_ticks_around_the_value_and_far_out_there_is_no_bid() {
        let show = |value| {
            let (bid, ask) = around(value, 0.004 + 0.006 * value);
            (bid.to_string(), ask.to_string())
        };
        assert_eq!(show(0.001), ("0".to_owned(), "0.01".to_owned()));
        assert_eq!(show(1.0), ("0.99".to_owned(), "1.01".to_owned()));
        assert_eq!(show(12.34), ("12.25".to_owned(), "12.45".to_owned()));
        assert_eq!(show(2.99), ("2.96".to_owned(), "3.05".to_owned()));
    }
}
