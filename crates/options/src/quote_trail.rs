//! Which quote a print met: a short memory of one contract's quotes.

/// A quote older than this when the print happened says nothing about who was the aggressor.
pub const OLDEST_QUOTE_NANOS: i64 = 60_000_000_000;

/// Quotes remembered per contract. A print reaches us milliseconds after it happened, seldom with more than one or two
/// newer quotes ahead of it; eight leave room for a burst and cost 192 bytes.
const REMEMBERED: usize = 8;

/// One quote of one contract.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quote {
    /// The exchange's event time, UTC nanoseconds.
    pub at: i64,
    /// The bid in dollars; zero where nobody bids.
    pub bid: f64,
    /// The ask in dollars.
    pub ask: f64,
}

/// Who crossed the spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// At or above the ask: a buyer.
    Ask,
    /// At or below the bid: a seller.
    Bid,
    /// Between: nobody can tell.
    Mid,
    /// No quote was in force, or one that cannot be believed.
    Unknown,
}

impl Side {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ASK",
            Self::Bid => "BID",
            Self::Mid => "MID",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The side of a print against the quote in force: `UNKNOWN` without one, or where it is locked, crossed, without an
    /// ask, or more than 60 s older than the print.
    #[must_use]
    pub fn of(price: f64, at: i64, in_force: Option<Quote>) -> Self {
        let Some(quote) = in_force else { return Self::Unknown };
        let too_old = at.saturating_sub(quote.at) > OLDEST_QUOTE_NANOS;
        let believable = quote.bid.is_finite() && quote.ask.is_finite() && quote.bid >= 0.0 && quote.bid < quote.ask;
        if too_old || !believable || !price.is_finite() {
            Self::Unknown
        } else if price >= quote.ask {
            Self::Ask
        } else if price <= quote.bid {
            Self::Bid
        } else {
            Self::Mid
        }
    }
}

/// The last few quotes of one contract, in order of event time. Fixed size.
#[derive(Clone, Copy, Debug, Default)]
pub struct QuoteTrail {
    /// Newest first; of the same event time, the later arrival first.
    quotes: [Option<Quote>; REMEMBERED],
}

impl QuoteTrail {
    /// Remembers a quote, which may arrive out of order; the oldest falls off.
    pub fn push(&mut self, quote: Quote) {
        let mut moving = Some(quote);
        for slot in &mut self.quotes {
            let newer = match (&moving, &*slot) {
                (Some(new), Some(old)) => new.at >= old.at,
                (Some(_), None) => true,
                (None, _) => return,
            };
            if newer {
                std::mem::swap(slot, &mut moving);
            }
        }
    }

    /// The last quote with event time before `at`.
    #[must_use]
    pub fn in_force(&self, at: i64) -> Option<Quote> {
        self.quotes.iter().flatten().find(|quote| quote.at < at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn quote(at: i64) -> Quote {
        Quote { at, bid: 1.0, ask: 1.2 }
    }

    #[test]
    fn at_the_touch_or_through_it_is_a_side_and_between_is_mid() {
        let cases = [
            (1.3, Side::Ask),
            (1.2, Side::Ask),
            (1.19, Side::Mid),
            (1.01, Side::Mid),
            (1.0, Side::Bid),
            (0.9, Side::Bid),
        ];
        for (price, side) in cases {
            assert_eq!(Side::of(price, 1, Some(quote(0))), side, "{price}");
        }
    }

    #[test]
    fn no_quote_locked_crossed_without_ask_or_too_old_is_unknown() {
        let of = |bid, ask, age| Side::of(1.2, age, Some(Quote { at: 0, bid, ask }));
        assert_eq!(Side::of(1.2, 1, None), Side::Unknown);
        assert_eq!(of(1.2, 1.2, 1), Side::Unknown);
        assert_eq!(of(1.3, 1.2, 1), Side::Unknown);
        assert_eq!(of(0.0, 0.0, 1), Side::Unknown);
        assert_eq!(of(f64::NAN, 1.2, 1), Side::Unknown);
        assert_eq!(of(1.0, 1.2, 60 * SECOND), Side::Ask);
        assert_eq!(of(1.0, 1.2, 60 * SECOND + 1), Side::Unknown);
        assert_eq!(of(0.0, 1.2, 1), Side::Ask, "nobody bids, the ask was taken");
    }

    #[test]
    fn a_quote_of_the_prints_own_time_is_not_in_force() {
        let mut trail = QuoteTrail::default();
        trail.push(quote(10));
        trail.push(quote(20));
        assert_eq!(trail.in_force(20).unwrap().at, 10);
        assert_eq!(trail.in_force(21).unwrap().at, 20);
        assert_eq!(trail.in_force(10), None);
    }

    #[test]
    fn order_of_arrival_does_not_matter_but_decides_between_equals() {
        let mut trail = QuoteTrail::default();
        for at in [30, 10, 20] {
            trail.push(quote(at));
        }
        trail.push(Quote { ask: 9.0, ..quote(20) });
        assert_eq!(trail.in_force(25).unwrap().ask, 9.0);
        assert_eq!(trail.in_force(31).unwrap().at, 30);
    }

    #[test]
    fn only_the_newest_are_remembered() {
        let mut trail = QuoteTrail::default();
        for at in 0..100 {
            trail.push(quote(at));
        }
        assert_eq!(trail.in_force(100).unwrap().at, 99);
        assert_eq!(trail.in_force(93).unwrap().at, 92);
        assert_eq!(trail.in_force(92), None);
    }
}
