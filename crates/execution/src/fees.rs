//! What fills of the shadow account cost, from `configs/fees.toml`.

use agenttrader_core::money::Money;
use agenttrader_core::order::{Side, Tradable};
use agenttrader_core::price::Price;
use serde::Deserialize;

/// Billionths in a million: what a rate per million is divided by, in the scale of [`Money`].
const MILLION_NANOS: i128 = 1_000_000 * 1_000_000_000;

/// The schedule. There is no default: a missing field refuses the whole file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fees {
    /// On shares.
    pub shares: ShareFees,
    /// On option contracts.
    pub options: OptionFees,
}

/// Fees on shares, dollars.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareFees {
    /// A share, either way.
    pub per_share_usd: Money,
    /// A million dollars of proceeds, on sales.
    pub sale_per_million_usd: Money,
    /// A share, on sales, …
    pub sale_per_share_usd: Money,
    /// … at most this a fill.
    pub sale_per_share_cap_usd: Money,
}

/// Fees on option contracts, dollars.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionFees {
    /// A contract, either way.
    pub per_contract_usd: Money,
    /// A million dollars of proceeds, on sales.
    pub sale_per_million_usd: Money,
    /// A contract, on sales.
    pub sale_per_contract_usd: Money,
}

/// One leg as fees see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeLeg {
    /// What is traded.
    pub tradable: Tradable,
    /// Which way.
    pub side: Side,
    /// Shares or contracts, positive.
    pub units: i64,
    /// Dollars a share.
    pub price: Price,
}

impl Fees {
    /// Whether no fee is below zero: a rebate would make a strategy that only churns look good.
    pub fn is_sane(&self) -> bool {
        let (shares, options) = (&self.shares, &self.options);
        [
            shares.per_share_usd,
            shares.sale_per_million_usd,
            shares.sale_per_share_usd,
            shares.sale_per_share_cap_usd,
            options.per_contract_usd,
            options.sale_per_million_usd,
            options.sale_per_contract_usd,
        ]
        .iter()
        .all(|fee| *fee >= Money::ZERO)
    }

    /// What one fill costs: the sum over its legs, rounded up to the cent once.
    pub fn of_fill(&self, legs: impl IntoIterator<Item = FeeLeg>) -> Money {
        legs.into_iter().map(|leg| self.of_leg(&leg)).sum::<Money>().up_to_cent()
    }

    fn of_leg(&self, leg: &FeeLeg) -> Money {
        let sold = leg.side == Side::Sell;
        let proceeds = leg.price.notional(leg.units, leg.tradable.multiplier()).abs();
        if leg.tradable.is_option() {
            let fees = &self.options;
            let always = fees.per_contract_usd.times(leg.units);
            let on_sale =
                per_million(fees.sale_per_million_usd, proceeds).plus(fees.sale_per_contract_usd.times(leg.units));
            return if sold { always.plus(on_sale) } else { always };
        }
        let fees = &self.shares;
        let always = fees.per_share_usd.times(leg.units);
        let activity = fees.sale_per_share_usd.times(leg.units).min(fees.sale_per_share_cap_usd);
        let on_sale = per_million(fees.sale_per_million_usd, proceeds).plus(activity);
        if sold { always.plus(on_sale) } else { always }
    }
}

/// `rate` for each million of `proceeds`, rounded up to a billionth.
fn per_million(rate: Money, proceeds: Money) -> Money {
    let product = rate.nanos().saturating_mul(proceeds.nanos());
    Money::from_nanos(product.saturating_neg().div_euclid(MILLION_NANOS).saturating_neg())
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_core::occ_symbol::OccSymbol;
    use agenttrader_core::symbol::Symbol;

    fn schedule() -> Fees {
        toml::from_str(include_str!("../../../configs/fees.toml")).unwrap()
    }

    fn shares(side: Side, units: i64, price: &str) -> FeeLeg {
        FeeLeg {
            tradable: Tradable::Equity { symbol: Symbol::parse("SPY").unwrap() },
            side,
            units,
            price: Price::parse(price).unwrap(),
        }
    }

    fn contracts(side: Side, units: i64, price: &str) -> FeeLeg {
        let contract_symbol = OccSymbol::parse("SPY260116C00600000").unwrap();
        let tradable = Tradable::Option { underlying: Symbol::parse("SPY").unwrap(), contract_symbol };
        FeeLeg { tradable, side, units, price: Price::parse(price).unwrap() }
    }

    fn check(legs: &[FeeLeg], dollars: &str) {
        assert_eq!(schedule().of_fill(legs.iter().copied()).to_string(), dollars, "{legs:?}");
    }

    #[test]
    fn shares_cost_on_sale_alone_and_up_to_the_next_cent() {
        check(&[shares(Side::Buy, 100, "600")], "0");
        // 60,000 × 27.80 / 1,000,000 = 1.668; 100 × 0.000166 = 0.0166; together 1.6846.
        check(&[shares(Side::Sell, 100, "600")], "1.69");
        check(&[shares(Side::Sell, 1, "0.01")], "0.01");
    }

    #[test]
    fn the_activity_fee_is_capped_a_fill() {
        // 100,000 × 0.000166 = 16.60, capped at 8.30; 1,000 × 27.80 / 1,000,000 = 0.0278.
        check(&[shares(Side::Sell, 100_000, "0.01")], "8.33");
    }

    #[test]
    fn contracts_cost_both_ways_and_legs_round_together() {
        check(&[contracts(Side::Buy, 2, "1.25")], "0.06");
        // 2 × 0.03 + 250 × 27.80 / 1,000,000 + 2 × 0.00279 = 0.06 + 0.00695 + 0.00558 = 0.07253.
        check(&[contracts(Side::Sell, 2, "1.25")], "0.08");
        // Each leg alone would be 0.08; together 0.14506.
        check(&[contracts(Side::Sell, 2, "1.25"), contracts(Side::Sell, 2, "1.25")], "0.15");
    }

    #[test]
    fn a_rebate_or_a_missing_field_is_no_schedule() {
        let mut fees = schedule();
        assert!(fees.is_sane());
        fees.options.per_contract_usd = Money::parse("-0.01").unwrap();
        assert!(!fees.is_sane());
        assert!(toml::from_str::<Fees>("[shares]\nper_share_usd = \"0\"\n").is_err());
    }
}
