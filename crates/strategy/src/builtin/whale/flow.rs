//! What the last half hour of option flow adds up to.

use super::settings::Settings;
use crate::draft;
use agenttrader_marketdata::flow_window::FlowWindow;
use agenttrader_options::flow::Sentiment;
use serde_json::{Map, Value};

/// The flow of one underlying.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Flow {
    /// Σ sign × conviction × premium over Σ premium, of events that have a side: −1 to 1; 0 without any.
    pub(super) score: f64,
    bullish: Camp,
    bearish: Camp,
}

/// The events that lean one way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Camp {
    /// Events of at least the conviction asked for.
    convinced: u32,
    /// Dollars of premium, of all events.
    premium: f64,
}

impl Flow {
    pub(super) fn of(window: &FlowWindow, conviction_min: f64) -> Self {
        let mut flow = Self::default();
        let mut weighted = 0.0;
        for entry in window.events() {
            let event = &entry.event;
            let camp = match event.sentiment {
                Sentiment::Bullish => &mut flow.bullish,
                Sentiment::Bearish => &mut flow.bearish,
                Sentiment::Neutral => continue,
            };
            camp.premium += event.premium;
            if event.conviction >= conviction_min {
                camp.convinced = camp.convinced.saturating_add(1);
            }
            weighted += event.sentiment.sign() * event.conviction * event.premium;
        }
        let premium = flow.bullish.premium + flow.bearish.premium;
        flow.score = if premium > 0.0 { weighted / premium } else { 0.0 };
        flow
    }

    /// Which way an idea would go, if the flow is strong enough for one.
    pub(super) fn entry(&self, settings: &Settings) -> Option<Sentiment> {
        let (sentiment, camp) =
            if self.score > 0.0 { (Sentiment::Bullish, &self.bullish) } else { (Sentiment::Bearish, &self.bearish) };
        let strong = self.score.abs() >= settings.score_enter
            && camp.convinced >= settings.convinced_events
            && camp.premium >= settings.premium_min;
        strong.then_some(sentiment)
    }

    /// Convinced events and premium of the stronger side.
    pub(super) fn behind(&self) -> (u32, f64) {
        let camp = if self.score > 0.0 { &self.bullish } else { &self.bearish };
        (camp.convinced, camp.premium)
    }

    pub(super) fn figures(&self) -> Map<String, Value> {
        draft::figures(&[
            ("bearish_convinced", f64::from(self.bearish.convinced)),
            ("bearish_premium", self.bearish.premium),
            ("bullish_convinced", f64::from(self.bullish.convinced)),
            ("bullish_premium", self.bullish.premium),
            ("score", self.score),
        ])
    }
}
