//! When a venue stops taking orders in contracts that expire that day.

use crate::calendar::Session;
use crate::symbol::Symbol;
use crate::time::{Span, UnixNanos};

/// Funds on a whole market, whose options the venue takes longest.
pub const BROAD_FUNDS: [&str; 4] = ["DIA", "IWM", "QQQ", "SPY"];

/// How long before the close orders in expiring contracts of a broad fund end.
const BEFORE_CLOSE_BROAD: Span = Span::from_minutes(30);

/// How long before the close orders in all other expiring contracts end.
const BEFORE_CLOSE: Span = Span::from_minutes(45);

/// The first instant from which no order is taken in contracts of `underlying` that expire in `session`: 45 minutes before
/// its close, 30 for [`BROAD_FUNDS`]. The rule is Alpaca's: later it closes such positions itself. Never before the open.
pub fn option_cut_off(underlying: Symbol, session: &Session) -> UnixNanos {
    let broad = BROAD_FUNDS.contains(&underlying.as_str());
    let before = if broad { BEFORE_CLOSE_BROAD } else { BEFORE_CLOSE };
    session.close.minus(before).max(session.open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::new_york;
    use jiff::civil::date;

    fn cut_off(symbol: &str, day: jiff::civil::Date) -> UnixNanos {
        option_cut_off(Symbol::parse(symbol).unwrap(), &Session::on(day).unwrap())
    }

    #[test]
    fn broad_funds_trade_a_quarter_of_an_hour_longer_than_the_rest() {
        let day = date(2026, 1, 5);
        for fund in BROAD_FUNDS {
            assert_eq!(cut_off(fund, day), new_york(day, 15, 30), "{fund}");
        }
        for other in ["AAPL", "SPX", "SPXW", "SPYG"] {
            assert_eq!(cut_off(other, day), new_york(day, 15, 15), "{other}");
        }
    }

    #[test]
    fn a_half_day_moves_the_cut_off_with_its_close() {
        let day = date(2015, 12, 24);
        assert_eq!(cut_off("GOOG", day), new_york(day, 12, 15));
        assert_eq!(cut_off("SPY", day), new_york(day, 12, 30));
    }
}
