//! A recording summed up: what is in it, without interpreting any of it.

use crate::head::{Head, Source};
use crate::input::{Fact, FeedFact, Input, Numbered};
use crate::read::{ReadError, Recording, Torn};
use agenttrader_core::calendar::Session;
use agenttrader_core::digest::Digest;
use agenttrader_core::event::MarketEvent;
use agenttrader_core::instrument::Instrument;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use uuid::Uuid;

/// The market is quiet this long before it counts as a gap, if its cadence does not allow for more.
const QUIET: Span = Span::from_seconds(30);

/// Gaps that are listed; more are only counted.
const GAPS_LISTED: usize = 100;

/// What `record info` shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Info {
    /// The recording's id.
    pub recording_id: Uuid,
    /// Version of its format.
    pub format_version: u32,
    /// Where its inputs come from.
    pub source: Source,
    /// Date of its session in New York.
    pub session_date: Date,
    /// Its underlyings.
    pub symbols: Vec<Symbol>,
    /// When it was begun.
    pub created_utc: UnixNanos,
    /// All inputs.
    pub inputs: u64,
    /// Inputs by kind; a kind that does not occur is left out.
    pub inputs_by_kind: BTreeMap<&'static str, u64>,
    /// Instruments by kind: `equity`, `index`, `option`; a kind that does not occur is left out.
    pub instruments_by_kind: BTreeMap<&'static str, u64>,
    /// Venue time of the first input; null if there is none.
    pub first_utc: Option<UnixNanos>,
    /// Venue time of the last input; null if there is none.
    pub last_utc: Option<UnixNanos>,
    /// Time between two values of one instrument, as the recording last declared it, in nanoseconds; null if it never did.
    pub cadence: Option<Span>,
    /// Spans of the regular session without any market event, longer than twice the cadence and 30 s. At most a hundred.
    pub gaps: Vec<Gap>,
    /// How many such spans there are.
    pub gap_count: u64,
    /// Bytes from the file's first to the last input's last.
    pub bytes: u64,
    /// SHA-256 of these bytes.
    pub digest: Digest,
    /// A tail that is no whole input; null if the recording ends as it should.
    pub torn: Option<Torn>,
}

/// A span of the session without any market event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The last market event before it, the session's open, or the recording's first input.
    pub from_utc: UnixNanos,
    /// The first market event after it, the session's close, or the recording's last input.
    pub to_utc: UnixNanos,
}

impl Info {
    /// Reads a recording through.
    ///
    /// # Errors
    /// [`ReadError`] if it cannot be read to its end. A torn tail is no error.
    pub fn of(path: &Path) -> Result<Self, ReadError> {
        let mut recording = Recording::open(path)?;
        let mut sums = Sums::new(recording.head());
        while let Some(numbered) = recording.next_input()? {
            sums.add(&numbered);
        }
        sums.end();
        let Head { recording_id, format_version, created_utc, session_date, source, symbols, .. } =
            recording.head().clone();
        Ok(Self {
            recording_id,
            format_version,
            source,
            session_date,
            symbols,
            created_utc,
            inputs: recording.inputs(),
            inputs_by_kind: sums.inputs,
            instruments_by_kind: sums.instruments,
            first_utc: sums.first,
            last_utc: sums.last,
            cadence: sums.cadence,
            gaps: sums.gaps,
            gap_count: sums.gap_count,
            bytes: recording.offset(),
            digest: recording.digest_so_far(),
            torn: recording.torn(),
        })
    }
}

struct Sums {
    inputs: BTreeMap<&'static str, u64>,
    instruments: BTreeMap<&'static str, u64>,
    first: Option<UnixNanos>,
    last: Option<UnixNanos>,
    cadence: Option<Span>,
    gaps: Vec<Gap>,
    gap_count: u64,
    /// The session under way, and up to where in it the market has spoken.
    session: Option<(Session, UnixNanos)>,
}

impl Sums {
    fn new(head: &Head) -> Self {
        Self {
            inputs: BTreeMap::new(),
            instruments: BTreeMap::new(),
            first: None,
            last: None,
            cadence: head.cadence,
            gaps: Vec::new(),
            gap_count: 0,
            session: None,
        }
    }

    fn add(&mut self, Numbered { at, input, .. }: &Numbered) {
        let at = *at;
        self.first = self.first.or(Some(at));
        self.move_to(at);
        self.last = self.last.max(Some(at));
        count(&mut self.inputs, kind(input));
        match input {
            Input::Instrument { instrument, .. } => count(
                &mut self.instruments,
                match instrument {
                    Instrument::Equity { .. } => "equity",
                    Instrument::Index { .. } => "index",
                    Instrument::Option(_) => "option",
                },
            ),
            Input::Fact(Fact::Feed(FeedFact::Cadence { every })) => self.cadence = Some(*every),
            Input::Market(MarketEvent::OpenInterest(_)) | Input::Fact(_) => {}
            Input::Market(_) => self.market(at),
        }
    }

    /// Follows the time into the session it is in, and out of the one it was in.
    fn move_to(&mut self, at: UnixNanos) {
        match self.session {
            Some((session, _)) if session.contains(at) => {}
            Some((session, heard)) if at >= session.close => {
                self.quiet(heard, session.close);
                self.session = None;
                self.move_to(at);
            }
            // A clock that went back before the open: the same session is still to come.
            Some(_) => {}
            None => {
                let session = Session::at(at).filter(|session| session.contains(at));
                // Whoever begins or looks in before the open hears the market from the open on.
                self.session = session.map(|session| (session, self.last.map_or(at, |last| last.max(session.open))));
            }
        }
    }

    fn market(&mut self, at: UnixNanos) {
        if let Some((session, heard)) = self.session
            && session.contains(at)
            && at > heard
        {
            self.quiet(heard, at);
            self.session = Some((session, at));
        }
    }

    fn end(&mut self) {
        if let (Some((session, heard)), Some(last)) = (self.session, self.last) {
            self.quiet(heard, last.min(session.close));
        }
    }

    fn quiet(&mut self, from: UnixNanos, to: UnixNanos) {
        let allowed = self.cadence.map_or(QUIET, |cadence| cadence.doubled().max(QUIET));
        if to.since(from) <= allowed {
            return;
        }
        self.gap_count = self.gap_count.saturating_add(1);
        if self.gaps.len() < GAPS_LISTED {
            self.gaps.push(Gap { from_utc: from, to_utc: to });
        }
    }
}

fn count(into: &mut BTreeMap<&'static str, u64>, kind: &'static str) {
    let count = into.entry(kind).or_default();
    *count = count.saturating_add(1);
}

fn kind(input: &Input) -> &'static str {
    match input {
        Input::Market(event) => match event {
            MarketEvent::Quote(_) => "quote",
            MarketEvent::Trade(_) => "trade",
            MarketEvent::Bar(_) => "bar",
            MarketEvent::OpenInterest(_) => "open_interest",
            MarketEvent::Status(_) => "status",
            MarketEvent::Cancel(_) => "cancel",
            MarketEvent::Correction(_) => "correction",
        },
        Input::Instrument { .. } => "instrument",
        Input::Fact(fact) => match fact {
            Fact::Configuration(_) => "configuration",
            Fact::Timer { .. } => "timer",
            Fact::Switch(_) => "switch",
            Fact::Log { .. } => "log",
            Fact::Feed(_) => "feed",
            Fact::Health(_) => "health",
            Fact::Signed(_) => "signed",
        },
    }
}
