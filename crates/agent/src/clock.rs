//! The clocks of the machine: the one place that reads them.

use agenttrader_core::time::{Span, UnixNanos};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The wall clock. Saturates outside 1678 to 2262.
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub fn wall() -> UnixNanos {
    let nanos = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX).saturating_neg(),
    };
    UnixNanos::from_nanos(nanos)
}

/// The clock that never steps, for how long something took.
pub fn monotonic() -> Instant {
    Instant::now()
}

/// How long ago a reading of [`monotonic`] was.
pub fn elapsed(since: Instant) -> Span {
    Span::from_nanos(i64::try_from(since.elapsed().as_nanos()).unwrap_or(i64::MAX))
}
