//! What a grant delegates: proposals that need no approval of their own, within limits of their own.

use agenttrader_core::calendar::{new_york, new_york_date};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::money::Money;
use agenttrader_core::order::Intent;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::collections::BTreeSet;
use std::fmt;

/// One entry of a grant's `delegation`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// The strategy whose proposals are meant.
    pub strategy: String,
    /// Digest of the strategy's version and configuration: another one is another strategy.
    pub strategy_sha256: Digest,
    /// Underlyings, each one of the grant's.
    pub symbols: Vec<Symbol>,
    /// What the proposals may be for.
    pub intents: Vec<Intent>,
    /// Most shares, or contracts of all legs together, an order.
    pub order_quantity: u32,
    /// Most notional an order.
    pub order_notional_usd: Money,
    /// Most orders a day under this entry.
    pub daily_orders: u32,
    /// Most notional a day under this entry.
    pub daily_notional_usd: Money,
    /// The part of each day in which it counts.
    pub window: DayWindow,
}

/// A part of each day, by the clocks of New York.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayWindow {
    /// Its first instant.
    pub from: TimeOfDay,
    /// The first instant after it.
    pub until: TimeOfDay,
}

/// Hour and minute. JSON: `HH:MM`, 00:00 to 24:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    hour: i8,
    minute: i8,
}

impl Delegation {
    /// What is wrong with it, if anything.
    pub(crate) fn check(&self, granted: &[Symbol]) -> Result<(), &'static str> {
        let symbols: BTreeSet<&Symbol> = self.symbols.iter().collect();
        let intents: BTreeSet<&Intent> = self.intents.iter().collect();
        if self.strategy.is_empty() || symbols.is_empty() || intents.is_empty() {
            return Err("names no strategy, no symbol or no intent");
        }
        if symbols.len() != self.symbols.len() || intents.len() != self.intents.len() {
            return Err("names something twice");
        }
        if !symbols.iter().all(|symbol| granted.contains(symbol)) {
            return Err("names a symbol that the grant does not");
        }
        if self.order_notional_usd < Money::ZERO || self.daily_notional_usd < Money::ZERO {
            return Err("has an amount below zero");
        }
        if self.window.from >= self.window.until {
            return Err("has a window that ends before it begins");
        }
        Ok(())
    }
}

/// The digest by which a delegation names a strategy: its name, its version and the text of its configuration. The code behind the version
/// is the build's, which the grant names besides. `None` if they have no canonical form.
pub fn strategy_sha256(strategy: &str, version: &str, configuration: Option<&str>) -> Option<Digest> {
    let text = canonical_json::of(&(strategy, version, configuration)).ok()?;
    Some(Digest::of(text.as_bytes()))
}

impl DayWindow {
    /// The first instant after it, on the day of that instant.
    pub fn ends(&self, at: UnixNanos) -> UnixNanos {
        new_york(new_york_date(at), self.until.hour, self.until.minute)
    }

    /// Whether it is then.
    pub fn contains(&self, at: UnixNanos) -> bool {
        let date = new_york_date(at);
        let instant = |time: TimeOfDay| new_york(date, time.hour, time.minute);
        instant(self.from) <= at && at < instant(self.until)
    }
}

impl TimeOfDay {
    /// Reads `HH:MM`.
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let (hour, minute) = (digits(hour).then(|| hour.parse().ok())??, digits(minute).then(|| minute.parse().ok())??);
        let exists = (hour < 24 && minute < 60) || (hour == 24 && minute == 0);
        exists.then_some(Self { hour, minute })
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("a time of day is HH:MM"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_core::time::Span;

    #[test]
    fn a_window_is_by_the_clocks_of_new_york_in_winter_and_in_summer() {
        let time = |text| TimeOfDay::parse(text).unwrap();
        let window = DayWindow { from: time("09:45"), until: time("15:30") };
        for (at, inside) in [
            ("2026-01-05T14:44:59.999999999Z", false),
            ("2026-01-05T14:45:00Z", true),
            ("2026-01-05T20:29:59Z", true),
            ("2026-01-05T20:30:00Z", false),
            ("2026-07-06T13:44:00Z", false),
            ("2026-07-06T13:45:00Z", true),
        ] {
            assert_eq!(window.contains(UnixNanos::parse(at).unwrap()), inside, "{at}");
        }
        let whole = DayWindow { from: time("00:00"), until: time("24:00") };
        let last = UnixNanos::parse("2026-01-06T04:59:59Z").unwrap();
        assert!(whole.contains(last));
        assert_eq!(whole.ends(last), last.plus(Span::from_seconds(1)));
    }

    #[test]
    fn a_time_of_day_has_one_spelling() {
        for text in ["00:00", "09:45", "23:59", "24:00"] {
            assert_eq!(TimeOfDay::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "9:45", "09:5", "24:01", "25:00", "09:60", "+9:45", "09-45", "09:45:00", "09:-1"] {
            assert_eq!(TimeOfDay::parse(text), None, "{text}");
        }
    }
}
