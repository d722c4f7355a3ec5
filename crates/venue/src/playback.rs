//! A recording as a market: its events at its own times.
//!
//! What the wire can carry of them: quotes, prints, statuses and, of stocks, bars of a minute or less. What a recording knew
//! before its first event (open interest, bars that were filled in) is there when the venue opens, and REST tells it. Bars of
//! contracts have no stream at Alpaca; a venue without a plan's limits gives those of a minute on the option stream's `bars`,
//! and REST and the day's volume have them everywhere. Open interest that changes later is told by REST alone.

use crate::clock::venue_span;
use agenttrader_core::calendar::Session;
use agenttrader_core::event::MarketEvent;
use agenttrader_core::instrument::Instruments;
use agenttrader_core::time::{Span, UnixNanos};
use std::fmt;
use std::iter::Peekable;

/// Wall time from the start to the first event.
const LEAD: Span = Span::from_seconds(1);

/// Most venue time from the start to the first event.
const LEAD_MAX: Span = Span::from_minutes(30);

/// Events of a recording, each with the time at which it is told.
pub type Events = Box<dyn Iterator<Item = (UnixNanos, MarketEvent)> + Send>;

/// A recording being played.
pub struct Playback {
    instruments: Instruments,
    session: Session,
    first: UnixNanos,
    known: Vec<MarketEvent>,
    events: Peekable<Events>,
}

/// Whether an event says something of the time before it was told.
fn is_of_before(event: &MarketEvent) -> bool {
    matches!(event, MarketEvent::OpenInterest(_)) || matches!(event, MarketEvent::Bar(bar) if bar.backfill)
}

impl Playback {
    /// Plays these events, which must be in order of time, in their session. Open interest and filled-in bars at the
    /// beginning are known from the start.
    pub fn new(instruments: Instruments, session: Session, events: Events) -> Self {
        let mut events = events.peekable();
        let mut known = Vec::new();
        while let Some((_, event)) = events.next_if(|(_, event)| is_of_before(event)) {
            known.push(event);
        }
        let first = events.peek().map_or(session.open, |(at, _)| *at);
        Self { instruments, session, first, known, events }
    }

    /// What was known before the first event.
    pub fn known(&self) -> &[MarketEvent] {
        &self.known
    }

    /// The session it was recorded in.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Everything the recording defines.
    pub fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// Where its clock begins at that speed: a second of wall time before the first event, or before the session's open if
    /// there is none, so that whoever connects at once misses nothing; at most half an hour of venue time.
    pub fn start(&self, speed: f64) -> UnixNanos {
        self.first.minus(venue_span(LEAD, speed).max(LEAD).min(LEAD_MAX))
    }

    /// Whether every event was told.
    pub fn is_over(&mut self) -> bool {
        self.events.peek().is_none()
    }

    /// Appends to `out` what is told until and with `to`. Bars filled in later say what the events before them did not: the
    /// recording's own gap, which playing keeps.
    pub fn advance(&mut self, to: UnixNanos, out: &mut Vec<(UnixNanos, MarketEvent)>) {
        while let Some(event) = self.events.next_if(|(at, _)| *at <= to) {
            if !matches!(event.1, MarketEvent::Bar(bar) if bar.backfill) {
                out.push(event);
            }
        }
    }
}

impl fmt::Debug for Playback {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Playback").field("session", &self.session).field("first", &self.first).finish_non_exhaustive()
    }
}
