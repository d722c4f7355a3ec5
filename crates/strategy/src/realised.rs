//! Realised volatility of an underlying's last minutes.

use agenttrader_core::time::UnixNanos;
use agenttrader_marketdata::candle::{Candles, Interval};

/// Minutes of trading in a year: 252 sessions of six and a half hours.
const MINUTES_A_YEAR: f64 = 98_280.0;

/// Volatility a year of the last `closes` finished one-minute closes, mean return taken as zero; none with fewer closes,
/// or where a close is not positive.
pub fn volatility(candles: &Candles, closes: usize, now: UnixNanos) -> Option<f64> {
    let mut later: Option<f64> = None;
    let (mut seen, mut sum) = (0_usize, 0.0_f64);
    for candle in candles.finished(Interval::Minute, now).take(closes) {
        let close = candle.close.as_f64();
        if close <= 0.0 {
            return None;
        }
        if let Some(later) = later {
            let change = libm::log(later / close);
            sum += change * change;
        }
        later = Some(close);
        seen = seen.saturating_add(1);
    }
    if seen < closes || closes < 2 {
        return None;
    }
    let returns = closes.saturating_sub(1) as f64;
    Some((sum / returns * MINUTES_A_YEAR).sqrt())
}
