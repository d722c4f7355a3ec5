//! How many requests a key may make.

use crate::clock::wall_now;
use crate::plan::Plan;
use agenttrader_core::time::{Span, UnixNanos};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

const WINDOW: Span = Span::from_minutes(1);

/// Keys remembered at most; beyond, those whose minute is over are forgotten.
const KEYS_MAX: usize = 1_000;

/// Which service a request is for: each counts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Market data.
    Data,
    /// Account, assets, clock.
    Trading,
}

/// What a request left of its key's minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Requests a minute.
    pub limit: u32,
    /// Requests left; `None` when this one was too many.
    pub remaining: Option<u32>,
    /// When the minute is over, in seconds since the epoch.
    pub reset: i64,
}

/// Counts requests by key and whole minute of the wall clock.
#[derive(Debug)]
pub struct Limits {
    trading: u32,
    data: u32,
    used: Mutex<BTreeMap<(Service, String), (UnixNanos, u32)>>,
}

impl Limits {
    /// The plan's limit for data and `trading` requests a minute.
    pub fn new(plan: Plan, trading: u32) -> Self {
        let data = match plan {
            Plan::Paid | Plan::Unlimited => 10_000,
            Plan::Basic => 200,
        };
        Self { trading, data, used: Mutex::default() }
    }

    /// Counts one request.
    pub fn count(&self, service: Service, key: &str) -> Standing {
        self.count_at(wall_now(), service, key)
    }

    fn count_at(&self, now: UnixNanos, service: Service, key: &str) -> Standing {
        let limit = if service == Service::Data { self.data } else { self.trading };
        let minute = now.floor_to(WINDOW);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= KEYS_MAX {
            used.retain(|_, (since, _)| *since == minute);
        }
        let (since, count) = used.entry((service, key.to_owned())).or_insert((minute, 0));
        if *since != minute {
            (*since, *count) = (minute, 0);
        }
        *count = count.saturating_add(1);
        Standing { limit, remaining: limit.checked_sub(*count), reset: minute.plus(WINDOW).seconds() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_limit_a_minute_and_service() {
        let limits = Limits::new(Plan::Basic, 2);
        let at =
            |second: i64, service, key: &str| limits.count_at(UnixNanos::from_seconds(second), service, key).remaining;
        assert_eq!([0, 1, 2].map(|second| at(second, Service::Trading, "a")), [Some(1), Some(0), None]);
        assert_eq!(at(3, Service::Trading, "b"), Some(1));
        assert_eq!(at(3, Service::Data, "a"), Some(199));
        assert_eq!(at(60, Service::Trading, "a"), Some(1));
    }
}
