//! The market clock.

use agenttrader_core::calendar;
use agenttrader_core::time::{Span, UnixNanos};
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::borrow::Cow;

/// Name of the header with which the venue says how fast its clock runs; a number, 1 without it.
pub const SPEED_HEADER: &str = "x-venue-speed";

/// Body of `/v2/clock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Now.
    pub timestamp: EasternTime,
    /// Whether the market is open.
    pub is_open: bool,
    /// When it opens next.
    pub next_open: EasternTime,
    /// When it closes next.
    pub next_close: EasternTime,
}

/// An instant written with New York's offset (`2026-01-05T09:30:00-05:00`); any offset is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EasternTime(pub UnixNanos);

impl EasternTime {
    /// New York's offset at this instant, in hours: −4 in summer, −5 in winter.
    fn offset(self) -> Offset {
        let (summer, winter) = (Offset::constant(-4), Offset::constant(-5));
        let minute = self.0.floor_to(Span::from_minutes(1));
        let Ok(stamp) = jiff::Timestamp::from_nanosecond(i128::from(minute.nanos())) else { return winter };
        let wall = summer.to_datetime(stamp);
        if calendar::new_york(wall.date(), wall.hour(), wall.minute()) == minute { summer } else { winter }
    }
}

impl Serialize for EasternTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Ok(stamp) = jiff::Timestamp::from_nanosecond(i128::from(self.0.nanos())) else {
            return self.0.serialize(serializer);
        };
        serializer.serialize_str(&DateTimePrinter::new().timestamp_with_offset_to_string(&stamp, self.offset()))
    }
}

impl<'de> Deserialize<'de> for EasternTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let stamp: jiff::Timestamp = text.parse().map_err(D::Error::custom)?;
        let nanos =
            i64::try_from(stamp.as_nanosecond()).map_err(|_| D::Error::custom("a time outside 1678 to 2262"))?;
        Ok(Self(UnixNanos::from_nanos(nanos)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_new_yorks_offset() {
        for text in [
            "2026-01-05T09:30:00-05:00",
            "2026-07-06T16:00:00.123456789-04:00",
            "2026-11-01T01:30:00-04:00",
            "2026-11-01T01:30:00-05:00",
        ] {
            let json = format!("\"{text}\"");
            let time: EasternTime = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&time).unwrap(), json);
        }
        assert!(serde_json::from_str::<EasternTime>("\"soon\"").is_err());
    }
}
