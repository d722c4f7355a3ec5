//! Which quotes count towards an exposure profile, and why the others do not.

use crate::{Right, implied_volatility::NoVolatility};

/// An ask of at most this share of the spot makes an out-of-the-money contract without a bid worthless: 0.1 percent.
pub const WORTHLESS_ASK_SHARE: f64 = 0.001;

/// The last value of each side within the session, in dollars; `None` while a side has not been quoted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LastSides {
    /// The last bid; zero when the market said that nobody bids.
    pub bid: Option<f64>,
    /// The last ask.
    pub ask: Option<f64>,
}

impl LastSides {
    /// The mid of a quote that is two-sided and not crossed, in dollars.
    ///
    /// # Errors
    /// Which of the two it is not.
    pub fn mid(&self) -> Result<f64, Unusable> {
        match (self.positive_bid(), self.positive_ask()) {
            (Some(bid), Some(ask)) if bid > ask => Err(Unusable::Crossed { bid, ask }),
            (Some(bid), Some(ask)) => Ok(0.5 * (bid + ask)),
            (None, Some(_)) => Err(Unusable::NoBid),
            (Some(_), None) => Err(Unusable::NoAsk),
            (None, None) => Err(Unusable::NoQuote),
        }
    }

    fn positive_bid(&self) -> Option<f64> {
        self.bid.filter(|bid| bid.is_finite() && *bid > 0.0)
    }

    fn positive_ask(&self) -> Option<f64> {
        self.ask.filter(|ask| ask.is_finite() && *ask > 0.0)
    }
}

/// What an exposure profile takes from one contract's quote.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum QuoteUse {
    /// Its own implied volatility, per year.
    OwnVolatility(f64),
    /// Nobody bids for it out of the money and it is offered for next to nothing: gamma is zero.
    Worthless,
    /// In the money without a volatility of its own: the volatility of the other right at that strike.
    OtherVolatility(f64),
    /// In the money without a volatility of its own, and the other right is worthless: gamma is zero there too.
    OtherWorthless,
    /// Nothing: its open interest is not covered.
    Unusable(Unusable),
}

/// Why a quote cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Unusable {
    /// Neither side has been quoted this session.
    #[error("no quote this session")]
    NoQuote,
    /// There is an ask, no bid, and the contract does not count as worthless.
    #[error("no bid")]
    NoBid,
    /// There is a bid and no ask.
    #[error("no ask")]
    NoAsk,
    /// The bid is above the ask.
    #[error("crossed: bid {bid} above ask {ask}")]
    Crossed {
        /// The bid.
        bid: f64,
        /// The ask.
        ask: f64,
    },
    /// Two-sided, but no volatility explains it.
    #[error("no volatility: {0}")]
    NoVolatility(NoVolatility),
}

impl QuoteUse {
    /// What a contract's own quote is good for. `volatility` is the one implied by its mid.
    #[must_use]
    pub fn own(right: Right, strike: f64, spot: f64, sides: LastSides, volatility: Result<f64, NoVolatility>) -> Self {
        match (sides.mid(), volatility) {
            (Ok(_), Ok(volatility)) if volatility.is_finite() && volatility > 0.0 => Self::OwnVolatility(volatility),
            (Ok(_), Ok(_)) => Self::Unusable(Unusable::NoVolatility(NoVolatility::NoQuote)),
            (Ok(_), Err(reason)) => Self::Unusable(Unusable::NoVolatility(reason)),
            (Err(Unusable::NoBid), _)
                if is_out_of_the_money(right, strike, spot)
                    && sides.ask.is_some_and(|ask| ask <= WORTHLESS_ASK_SHARE * spot) =>
            {
                Self::Worthless
            }
            (Err(reason), _) => Self::Unusable(reason),
        }
    }

    /// The same with the other right at hand: an in-the-money contract that is unusable takes what the other one has.
    #[must_use]
    pub fn or_other(self, right: Right, strike: f64, spot: f64, other: Option<Self>) -> Self {
        match (self, other) {
            (Self::Unusable(_), Some(other)) if is_in_the_money(right, strike, spot) => match other {
                Self::OwnVolatility(volatility) => Self::OtherVolatility(volatility),
                Self::Worthless => Self::OtherWorthless,
                Self::OtherVolatility(_) | Self::OtherWorthless | Self::Unusable(_) => self,
            },
            _ => self,
        }
    }

    /// Whether the contract's open interest counts as covered.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        !matches!(self, Self::Unusable(_))
    }

    /// The volatility to use, per year; `None` where gamma is zero or unknown.
    #[must_use]
    pub fn volatility(&self) -> Option<f64> {
        match self {
            Self::OwnVolatility(volatility) | Self::OtherVolatility(volatility) => Some(*volatility),
            Self::Worthless | Self::OtherWorthless | Self::Unusable(_) => None,
        }
    }
}

/// A call above the spot, a put below it. At the spot a contract is neither in nor out of the money.
#[must_use]
pub fn is_out_of_the_money(right: Right, strike: f64, spot: f64) -> bool {
    match right {
        Right::Call => strike > spot,
        Right::Put => strike < spot,
    }
}

/// A call below the spot, a put above it.
#[must_use]
pub fn is_in_the_money(right: Right, strike: f64, spot: f64) -> bool {
    match right {
        Right::Call => strike < spot,
        Right::Put => strike > spot,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPOT: f64 = 500.0;

    fn own(
        right: Right,
        strike: f64,
        bid: Option<f64>,
        ask: Option<f64>,
        volatility: Result<f64, NoVolatility>,
    ) -> QuoteUse {
        QuoteUse::own(right, strike, SPOT, LastSides { bid, ask }, volatility)
    }

    #[test]
    fn a_two_sided_quote_with_a_volatility_counts_locked_or_not_and_crossed_does_not() {
        assert_eq!(own(Right::Call, 500.0, Some(1.0), Some(1.1), Ok(0.2)), QuoteUse::OwnVolatility(0.2));
        assert_eq!(own(Right::Call, 500.0, Some(1.0), Some(1.0), Ok(0.2)), QuoteUse::OwnVolatility(0.2));
        let crossed = own(Right::Call, 500.0, Some(1.01), Some(1.0), Ok(0.2));
        assert_eq!(crossed, QuoteUse::Unusable(Unusable::Crossed { bid: 1.01, ask: 1.0 }));
    }

    #[test]
    fn without_a_volatility_the_reason_is_kept() {
        let reason = NoVolatility::BelowIntrinsic { price: 1.0, bound: 2.0 };
        let used = own(Right::Call, 510.0, Some(1.0), Some(1.1), Err(reason));
        assert_eq!(used, QuoteUse::Unusable(Unusable::NoVolatility(reason)));
        assert!(!own(Right::Call, 510.0, Some(1.0), Some(1.1), Ok(f64::NAN)).is_usable());
    }

    #[test]
    fn no_bid_out_of_the_money_is_worthless_up_to_a_thousandth_of_spot() {
        let failed = Err(NoVolatility::NoQuote);
        for bid in [None, Some(0.0)] {
            assert_eq!(own(Right::Call, 501.0, bid, Some(0.5), failed), QuoteUse::Worthless);
            assert_eq!(own(Right::Put, 499.0, bid, Some(0.5), failed), QuoteUse::Worthless);
            assert_eq!(own(Right::Call, 501.0, bid, Some(0.51), failed), QuoteUse::Unusable(Unusable::NoBid));
            assert_eq!(
                own(Right::Call, 500.0, bid, Some(0.5), failed),
                QuoteUse::Unusable(Unusable::NoBid),
                "at the money"
            );
            assert_eq!(
                own(Right::Call, 499.0, bid, Some(0.5), failed),
                QuoteUse::Unusable(Unusable::NoBid),
                "in the money"
            );
        }
    }

    #[test]
    fn without_an_ask_nothing_can_be_said() {
        let failed = Err(NoVolatility::NoQuote);
        assert_eq!(own(Right::Call, 501.0, Some(0.0), None, failed), QuoteUse::Unusable(Unusable::NoQuote));
        assert_eq!(own(Right::Call, 501.0, None, Some(0.0), failed), QuoteUse::Unusable(Unusable::NoQuote));
        assert_eq!(own(Right::Call, 501.0, Some(1.0), None, failed), QuoteUse::Unusable(Unusable::NoAsk));
    }

    #[test]
    fn only_in_the_money_contracts_take_the_other_rights_volatility() {
        let failed = QuoteUse::Unusable(Unusable::NoQuote);
        let other = Some(QuoteUse::OwnVolatility(0.3));
        assert_eq!(failed.or_other(Right::Call, 499.0, SPOT, other), QuoteUse::OtherVolatility(0.3));
        assert_eq!(failed.or_other(Right::Put, 501.0, SPOT, other), QuoteUse::OtherVolatility(0.3));
        assert_eq!(failed.or_other(Right::Put, 501.0, SPOT, Some(QuoteUse::Worthless)), QuoteUse::OtherWorthless);
        assert_eq!(failed.or_other(Right::Call, 500.0, SPOT, other), failed);
        assert_eq!(failed.or_other(Right::Call, 501.0, SPOT, other), failed);
        assert_eq!(failed.or_other(Right::Call, 499.0, SPOT, None), failed);
        assert_eq!(failed.or_other(Right::Call, 499.0, SPOT, Some(failed)), failed);
        let own = QuoteUse::OwnVolatility(0.25);
        assert_eq!(own.or_other(Right::Call, 499.0, SPOT, other), own);
    }
}
