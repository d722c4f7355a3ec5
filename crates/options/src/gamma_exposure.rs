//! Dealers' gamma exposure: who must trade how many shares when the spot moves.
//!
//! Dealers are taken to be long the calls and short the puts that are open. A contract's exposure is
//! `gamma * open interest * 100 * spot`, calls positive, puts negative: dollars of stock to trade per dollar the spot
//! moves.

use crate::{
    Right,
    carry::Carry,
    greeks::gamma,
    implied_volatility::NoVolatility,
    quote_use::{LastSides, QuoteUse},
    regime::{Coverage, Regime},
    zero_gamma::{Bell, zero_gamma},
};

/// Shares a contract is for.
pub const SHARES_PER_CONTRACT: f64 = 100.0;

/// One listed contract as the profile needs it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenContract {
    /// Call or put.
    pub right: Right,
    /// The strike in dollars.
    pub strike: f64,
    /// The expiry instant, UTC nanoseconds; contracts with the same one belong together.
    pub expiry: i64,
    /// Whether it expires in this session.
    pub same_day: bool,
    /// Contracts open, as of the last settlement.
    pub open_interest: u64,
    /// The last value of each side within the session.
    pub sides: LastSides,
    /// The volatility implied by the mid, or why there is none.
    pub volatility: Result<f64, NoVolatility>,
    /// Spot, forward and discount for its expiry.
    pub carry: Carry,
}

/// One contract's part in a profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContractExposure {
    /// Call or put.
    pub right: Right,
    /// The strike in dollars.
    pub strike: f64,
    /// The expiry instant, UTC nanoseconds.
    pub expiry: i64,
    /// What was taken from its quote, or why nothing.
    pub quote_use: QuoteUse,
    /// Its gamma; zero where worthless or unusable.
    pub gamma: f64,
    /// Its exposure in dollars per dollar of spot: positive for a call, negative for a put.
    pub exposure: f64,
}

/// Exposure of calls and of puts, in dollars per dollar of spot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exposure {
    /// The calls' sum, zero or positive.
    pub call: f64,
    /// The puts' sum, zero or negative.
    pub put: f64,
}

/// One strike of one expiry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// The expiry instant, UTC nanoseconds.
    pub expiry: i64,
    /// Whether it expires in this session.
    pub same_day: bool,
    /// The strike in dollars.
    pub strike: f64,
    /// Its exposure.
    pub exposure: Exposure,
}

/// One strike over all expiries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StrikeExposure {
    /// The strike in dollars.
    pub strike: f64,
    /// Of the contracts that expire in this session.
    pub same_day: Exposure,
    /// Of all the others.
    pub later: Exposure,
}

/// One expiry over all strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpiryExposure {
    /// The expiry instant, UTC nanoseconds.
    pub expiry: i64,
    /// Whether it is in this session.
    pub same_day: bool,
    /// Its exposure.
    pub exposure: Exposure,
}

/// The gamma exposure of one underlying at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// The spot it was measured at, in dollars.
    pub spot: f64,
    /// Every contract, by expiry, strike, then call before put.
    pub contracts: Vec<ContractExposure>,
    /// By expiry, then strike.
    pub cells: Vec<Cell>,
    /// By strike over all expiries, same-day apart.
    pub by_strike: Vec<StrikeExposure>,
    /// By expiry over all strikes.
    pub by_expiry: Vec<ExpiryExposure>,
    /// Of the contracts that expire in this session.
    pub same_day: Exposure,
    /// Of all contracts.
    pub total: Exposure,
    /// The sum of the contracts' absolute exposures.
    pub gross: f64,
    /// The strike with the largest call exposure, the lowest of equals; `None` where no call has any.
    pub call_wall: Option<f64>,
    /// The strike with the largest absolute put exposure, the lowest of equals; `None` where no put has any.
    pub put_wall: Option<f64>,
    /// The spot nearest to the present one at which the net changes sign, within 0.01 dollars; `None` without one within
    /// ten percent.
    pub zero_gamma: Option<f64>,
    /// How much of the open interest could be measured.
    pub coverage: Coverage,
    /// The regime, which depends on the one before.
    pub regime: Regime,
}

impl Exposure {
    /// Calls and puts together.
    #[must_use]
    pub fn net(&self) -> f64 {
        self.call + self.put
    }

    /// The sum of two.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { call: self.call + other.call, put: self.put + other.put }
    }
}

impl StrikeExposure {
    /// Over all expiries, those of this session included.
    #[must_use]
    pub fn total(&self) -> Exposure {
        self.same_day.plus(self.later)
    }
}

impl Profile {
    /// Net exposure in dollars per dollar of spot.
    #[must_use]
    pub fn net(&self) -> f64 {
        self.total.net()
    }

    /// Net dollar gamma per one percent move of the spot.
    #[must_use]
    pub fn net_per_percent(&self) -> f64 {
        per_percent(self.net(), self.spot)
    }
}

/// Dollars to trade per one percent move, from an exposure per dollar of spot.
#[must_use]
pub fn per_percent(exposure: f64, spot: f64) -> f64 {
    exposure * spot * 0.01
}

/// Measures the exposure of one underlying's contracts at `spot`, in any order of contracts. `previous` is the regime of
/// the profile before, [`Regime::Unknown`] at the start of a session. Under a minute to expiry a contract has no gamma and
/// its open interest counts only by the rules of [`QuoteUse`].
#[must_use]
pub fn profile(spot: f64, contracts: &[OpenContract], previous: Regime) -> Profile {
    let mut sorted: Vec<(&OpenContract, QuoteUse)> =
        contracts.iter().map(|c| (c, QuoteUse::own(c.right, c.strike, spot, c.sides, c.volatility))).collect();
    sorted.sort_by(|(a, _), (b, _)| {
        a.expiry.cmp(&b.expiry).then(a.strike.total_cmp(&b.strike)).then(a.right.cmp(&b.right))
    });

    let mut measured = Vec::with_capacity(sorted.len());
    let mut cells: Vec<Cell> = Vec::new();
    let mut bells = Vec::with_capacity(sorted.len());
    let mut coverage = Coverage::default();
    let mut gross = 0.0;
    for strike in sorted.chunk_by(|(a, _), (b, _)| a.expiry == b.expiry && a.strike == b.strike) {
        let mut exposure = Exposure::default();
        for (contract, own) in strike {
            let other = strike.iter().find(|(c, _)| c.right != contract.right).map(|(_, quote_use)| *quote_use);
            let quote_use = own.or_other(contract.right, contract.strike, spot, other);
            let part = measure(spot, contract, quote_use);
            match contract.right {
                Right::Call => exposure.call += part.exposure,
                Right::Put => exposure.put += part.exposure,
            }
            gross += part.exposure.abs();
            coverage.total = coverage.total.saturating_add(contract.open_interest);
            if quote_use.is_usable() {
                coverage.usable = coverage.usable.saturating_add(contract.open_interest);
            }
            bells.extend(quote_use.volatility().and_then(|volatility| {
                Bell::new(contract.strike, volatility, signed_interest(contract), &contract.carry)
            }));
            measured.push(part);
        }
        cells.extend(strike.first().map(|(contract, _)| Cell {
            expiry: contract.expiry,
            same_day: contract.same_day,
            strike: contract.strike,
            exposure,
        }));
    }

    let by_strike = by_strike(&cells);
    let by_expiry = by_expiry(&cells);
    let same_day = sum(cells.iter().filter(|cell| cell.same_day));
    let total = sum(cells.iter());
    Profile {
        spot,
        call_wall: wall(&by_strike, |exposure| exposure.call),
        put_wall: wall(&by_strike, |exposure| -exposure.put),
        zero_gamma: zero_gamma(&bells, spot),
        regime: Regime::next(previous, coverage, total.net(), gross),
        contracts: measured,
        cells,
        by_strike,
        by_expiry,
        same_day,
        total,
        gross,
        coverage,
    }
}

fn signed_interest(contract: &OpenContract) -> f64 {
    let open = contract.open_interest as f64;
    match contract.right {
        Right::Call => open,
        Right::Put => -open,
    }
}

fn measure(spot: f64, contract: &OpenContract, quote_use: QuoteUse) -> ContractExposure {
    let gamma = quote_use.volatility().map_or(0.0, |volatility| gamma(contract.strike, volatility, &contract.carry));
    ContractExposure {
        right: contract.right,
        strike: contract.strike,
        expiry: contract.expiry,
        quote_use,
        gamma,
        exposure: gamma * signed_interest(contract) * SHARES_PER_CONTRACT * spot,
    }
}

fn sum<'a>(cells: impl Iterator<Item = &'a Cell>) -> Exposure {
    cells.fold(Exposure::default(), |sum, cell| sum.plus(cell.exposure))
}

fn by_strike(cells: &[Cell]) -> Vec<StrikeExposure> {
    let mut sorted: Vec<&Cell> = cells.iter().collect();
    sorted.sort_by(|a, b| a.strike.total_cmp(&b.strike));
    sorted
        .chunk_by(|a, b| a.strike == b.strike)
        .filter_map(|of_one| {
            let strike = of_one.first()?.strike;
            let part = |same_day| sum(of_one.iter().copied().filter(|cell| cell.same_day == same_day));
            Some(StrikeExposure { strike, same_day: part(true), later: part(false) })
        })
        .collect()
}

fn by_expiry(cells: &[Cell]) -> Vec<ExpiryExposure> {
    cells
        .chunk_by(|a, b| a.expiry == b.expiry)
        .filter_map(|of_one| {
            let first = of_one.first()?;
            Some(ExpiryExposure { expiry: first.expiry, same_day: first.same_day, exposure: sum(of_one.iter()) })
        })
        .collect()
}

fn wall(by_strike: &[StrikeExposure], of: impl Fn(Exposure) -> f64) -> Option<f64> {
    let mut best: Option<(f64, f64)> = None;
    for row in by_strike {
        let size = of(row.total());
        if size > best.map_or(0.0, |(_, size)| size) {
            best = Some((row.strike, size));
        }
    }
    best.map(|(strike, _)| strike)
}
