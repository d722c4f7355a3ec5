//! A recording as a market: its events at its own times.

use agenttrader_core::calendar::Session;
use agenttrader_core::event::MarketEvent;
use agenttrader_core::instrument::Instruments;
use agenttrader_core::time::{Span, UnixNanos};
use std::fmt;
use std::iter::Peekable;

/// Events of a recording, each with the time at which it is told.
pub type Events = Box<dyn Iterator<Item = (UnixNanos, MarketEvent)> + Send>;

/// A recording being played.
pub struct Playback {
    instruments: Instruments,
    session: Session,
    start: UnixNanos,
    events: Peekable<Events>,
}

impl Playback {
    /// Plays these events, which must be in order of time, in their session. The clock begins a second before the first, or
    /// at the session's open if there is none.
    pub fn new(instruments: Instruments, session: Session, events: Events) -> Self {
        let mut events = events.peekable();
        let start = events.peek().map_or(session.open, |(at, _)| at.minus(Span::from_seconds(1)));
        Self { instruments, session, start, events }
    }

    /// The session it was recorded in.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Everything the recording defines.
    pub fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// Where its clock begins.
    pub fn start(&self) -> UnixNanos {
        self.start
    }

    /// Whether every event was told.
    pub fn is_over(&mut self) -> bool {
        self.events.peek().is_none()
    }

    /// Appends to `out` what is told until and with `to`.
    pub fn advance(&mut self, to: UnixNanos, out: &mut Vec<(UnixNanos, MarketEvent)>) {
        while let Some(event) = self.events.next_if(|(at, _)| *at <= to) {
            out.push(event);
        }
    }
}

impl fmt::Debug for Playback {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Playback").field("session", &self.session).field("start", &self.start).finish_non_exhaustive()
    }
}
