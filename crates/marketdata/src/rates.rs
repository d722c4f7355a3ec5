//! Interest rates and dividend yields, from `configs/rates.toml`.

use agenttrader_core::symbol::Symbol;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Where the forward of an expiry comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CarrySource {
    /// From rate and yield of the tables.
    Rates,
    /// From put-call parity of the three nearest-the-money pairs of the expiry.
    Parity,
}

/// Rates and yields, continuously compounded, per year.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Where forwards come from.
    pub carry: CarrySource,
    /// The rate where no tenor fits.
    pub default_rate: f64,
    /// The yield of an underlying that has none of its own.
    pub default_yield: f64,
    /// Rates by tenor, shortest first.
    #[serde(default)]
    pub tenors: Vec<Tenor>,
    /// Yields by underlying.
    #[serde(default)]
    pub yields: BTreeMap<Symbol, f64>,
}

/// The rate up to a tenor.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenor {
    /// Days of 24 hours, this many or fewer.
    pub up_to_days: u32,
    /// The rate.
    pub rate: f64,
}

/// Why a rates file is refused.
#[derive(Debug, thiserror::Error)]
pub enum RatesError {
    /// Not TOML of this shape.
    #[error("rates.toml cannot be read")]
    Shape(#[from] toml::de::Error),
    /// A rate or yield outside what any market has had.
    #[error("rates.toml: {value} is no yearly rate between -0.2 and 1")]
    Absurd {
        /// The value.
        value: f64,
    },
}

impl Rates {
    /// Reads the file's text.
    ///
    /// # Errors
    /// [`RatesError`] for another shape, unknown fields, or a rate that is not finite or absurd.
    pub fn parse(text: &str) -> Result<Self, RatesError> {
        let rates: Self = toml::from_str(text)?;
        let all = [rates.default_rate, rates.default_yield];
        let named = rates.tenors.iter().map(|tenor| tenor.rate).chain(rates.yields.values().copied());
        match all.into_iter().chain(named).find(|value| !(-0.2..=1.0).contains(value)) {
            Some(value) => Err(RatesError::Absurd { value }),
            None => Ok(rates),
        }
    }

    /// The rate for that many years.
    pub fn rate(&self, years: f64) -> f64 {
        let days = years * 365.0;
        self.tenors
            .iter()
            .find(|tenor| days <= f64::from(tenor.up_to_days))
            .map_or(self.default_rate, |tenor| tenor.rate)
    }

    /// The dividend yield of an underlying.
    pub fn dividend_yield(&self, symbol: Symbol) -> f64 {
        self.yields.get(&symbol).copied().unwrap_or(self.default_yield)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_tenor_that_fits_gives_the_rate() {
        let text = "carry = \"rates\"\ndefault_rate = 0.04\ndefault_yield = 0.0\n[yields]\nSPY = 0.012\n\
                    [[tenors]]\nup_to_days = 7\nrate = 0.05\n";
        let rates = Rates::parse(text).unwrap();
        assert_eq!((rates.rate(1.0 / 365.0), rates.rate(1.0)), (0.05, 0.04));
        assert_eq!(rates.dividend_yield(Symbol::parse("SPY").unwrap()), 0.012);
        assert!(Rates::parse("carry = \"rates\"\ndefault_rate = 4.0\ndefault_yield = 0.0\n").is_err());
        assert!(Rates::parse("carry = \"rates\"\ndefault_rate = 0.04\n").is_err());
    }
}
