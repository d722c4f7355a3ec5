//! The rules that hold for every strategy, in one place: when it is safe to evaluate, when a new entry may be proposed,
//! which draft is one too many, and what is said when.

use crate::config::Common;
use crate::draft::{Draft, Note, NoteKind};
use agenttrader_core::calendar::Session;
use agenttrader_core::event::MarketEvent;
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::order::{Intent, Side};
use agenttrader_core::position::{Ended, Ending};
use agenttrader_core::price::Price;
use agenttrader_core::quantity::Quantity;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_marketdata::book::Book;
use agenttrader_safety::freshness::Freshness;
use agenttrader_sequence::input::{Fact, FeedFact, Input};
use serde_json::Map;
use uuid::Uuid;

/// How long a session must have been evaluated before its lack of quotes, spot or options is believed to last.
const PATIENCE: Span = Span::from_seconds(60);

/// How often an underlying that has nothing to do all session is asked again whether that is still so: asking may look through
/// its whole chain.
const ASKED_AGAIN: Span = Span::from_seconds(10);

/// Times asked, a second apart, for which other underlyings may follow one that is skipped before that is said.
const FOLLOWS_WITHIN: u32 = 2;

/// Whether there is anything to do in an underlying this session, as far as can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// There is: evaluate.
    Some,
    /// There is not yet; the feed may still bring it.
    NotYet,
    /// There is not, which has been said; asked last at this time.
    None { asked: UnixNanos },
}

/// What follows from it at one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Evaluate.
    Evaluate,
    /// Evaluate, and say that there is something to do after all.
    AfterAll,
    /// Do nothing.
    Pass,
    /// Do nothing, and say why: once a session.
    SayWhy(&'static str),
}

/// One underlying under guard.
#[derive(Clone, Debug)]
struct Watched {
    symbol: Symbol,
    /// Evaluation was skipped when last asked.
    skipped: bool,
    /// That it is skipped has been said.
    told: bool,
    /// The session that the fields below are about.
    date: Option<jiff::civil::Date>,
    /// First evaluation of the session.
    evaluated_since: UnixNanos,
    /// Whether there is something to do this session.
    purpose: Purpose,
    /// Why there is nothing to do has been said this session.
    said_why: bool,
    /// Entries filled today.
    entries: u32,
    /// No entry before.
    rests_until: UnixNanos,
}

/// What makes two drafts the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Likeness {
    symbol: Symbol,
    contract: Option<OccSymbol>,
    legs: Vec<(OccSymbol, Side, Quantity)>,
    side: Side,
    quantity: Quantity,
    limit: Option<Price>,
}

#[derive(Clone, Debug)]
struct Recent {
    at: UnixNanos,
    proposal_id: Uuid,
    likeness: Likeness,
}

/// The guard of one seat.
#[derive(Clone, Debug)]
pub struct Guard {
    entries_per_day: u32,
    cool_down: Span,
    duplicate_window: Span,
    watched: Vec<Watched>,
    recent: Vec<Recent>,
    backfilling: bool,
    /// Times asked since an underlying was last found to be skipped anew.
    settled: u32,
}

impl Guard {
    /// A guard for these settings. `duplicate_window`: two like orders within it are one too many.
    pub fn new(common: &Common, duplicate_window: Span) -> Self {
        let watch = |symbol: &Symbol| Watched {
            symbol: *symbol,
            skipped: false,
            told: false,
            date: None,
            evaluated_since: UnixNanos::EPOCH,
            purpose: Purpose::NotYet,
            said_why: false,
            entries: 0,
            rests_until: UnixNanos::EPOCH,
        };
        Self {
            entries_per_day: common.entries_per_day,
            cool_down: common.cool_down,
            duplicate_window,
            watched: common.underlyings.iter().map(watch).collect(),
            recent: Vec::new(),
            backfilling: false,
            settled: 0,
        }
    }

    /// The underlyings, in order.
    pub fn underlyings(&self) -> impl Iterator<Item = Symbol> + '_ {
        self.watched.iter().map(|watched| watched.symbol)
    }

    /// Takes note of an input. A feed that fills in what was before it is waited for.
    pub fn observe(&mut self, input: &Input) {
        match input {
            Input::Market(MarketEvent::Bar(bar)) if bar.backfill => self.backfilling = true,
            Input::Fact(Fact::Feed(FeedFact::BackfillComplete)) => self.backfilling = false,
            _ => {}
        }
    }

    /// Takes note of how a proposal ended. Does not allocate.
    pub fn on_ended(&mut self, ended: &Ended) {
        let cool_down = self.cool_down;
        if matches!(ended.ending, Ending::Refused { .. }) {
            self.recent.retain(|recent| recent.proposal_id != ended.proposal_id);
        }
        let Some(watched) = self.watched.iter_mut().find(|watched| watched.symbol == ended.underlying) else { return };
        match &ended.ending {
            Ending::Refused { reasons } if reasons.iter().all(|reason| reason.is_posture()) => {}
            Ending::Refused { .. } | Ending::Lapsed => {
                watched.rests_until = watched.rests_until.max(ended.at.plus(cool_down));
            }
            Ending::Filled { .. } if ended.intent == Intent::Open => {
                watched.entries = watched.entries.saturating_add(1)
            }
            Ending::Filled { .. } => {}
        }
    }

    /// Whether each underlying may be evaluated now, in order; says so in `notes` where that has changed since the last
    /// time. A market that goes away falls silent within a second or two, one underlying after the other: what is skipped is
    /// said once for all of them, as soon as all are or no more have followed.
    pub fn check(&mut self, book: &Book, notes: &mut Vec<Note>) -> Vec<(Symbol, bool)> {
        let backfilling = self.backfilling;
        let mut goes_on = Vec::new();
        let mut answers = Vec::with_capacity(self.watched.len());
        self.settled = self.settled.saturating_add(1);
        for watched in &mut self.watched {
            let safe = is_safe(book, watched.symbol, backfilling);
            answers.push((watched.symbol, safe));
            if !safe && !watched.skipped {
                self.settled = 0;
            }
            if safe && watched.told {
                goes_on.push(watched.symbol);
            }
            watched.skipped = !safe;
            watched.told = watched.told && !safe;
        }
        if self.settled >= FOLLOWS_WITHIN || self.watched.iter().all(|watched| watched.skipped) {
            notes.extend(self.tell_skips(book));
        }
        if !goes_on.is_empty() {
            notes.push(cycle_note(&[(goes_on, "goes on: the session is open and market data is fresh".to_owned())]));
        }
        answers
    }

    /// One note of all underlyings whose skip has not been said yet, if there are any.
    fn tell_skips(&mut self, book: &Book) -> Option<Note> {
        let mut skips: Vec<(Vec<Symbol>, String)> = Vec::new();
        for watched in self.watched.iter_mut().filter(|watched| watched.skipped && !watched.told) {
            watched.told = true;
            let what = format!("skipped: {}", reasons(book, watched.symbol, self.backfilling));
            match skips.iter_mut().find(|(_, known)| *known == what) {
                Some((symbols, _)) => symbols.push(watched.symbol),
                None => skips.push((vec![watched.symbol], what)),
            }
        }
        (!skips.is_empty()).then(|| cycle_note(&skips))
    }

    /// Opens the session's account of an underlying, on its first evaluation of the day.
    pub fn enter_session(&mut self, symbol: Symbol, session: &Session, at: UnixNanos) {
        let Some(watched) = self.watched.iter_mut().find(|watched| watched.symbol == symbol) else { return };
        if watched.date != Some(session.date) {
            watched.date = Some(session.date);
            watched.evaluated_since = at;
            watched.purpose = Purpose::NotYet;
            watched.said_why = false;
            watched.entries = 0;
        }
    }

    /// Whether a new entry in this underlying may be proposed.
    pub fn may_open(&self, symbol: Symbol, at: UnixNanos) -> bool {
        let watched = self.watched.iter().find(|watched| watched.symbol == symbol);
        watched.is_some_and(|watched| watched.entries < self.entries_per_day && at >= watched.rests_until)
    }

    /// What to do with an underlying this second. `why` tells why there would be nothing to do all session; it is believed once the
    /// feed has had its chance. What is `held` is looked after whatever it tells.
    pub fn look(
        &mut self,
        symbol: Symbol,
        at: UnixNanos,
        cadence: Span,
        held: bool,
        why: impl FnOnce() -> Option<&'static str>,
    ) -> Look {
        let patience = PATIENCE.max(cadence.doubled());
        let Some(watched) = self.watched.iter_mut().find(|watched| watched.symbol == symbol) else { return Look::Pass };
        if matches!(watched.purpose, Purpose::None { asked } if !held && at.since(asked) < ASKED_AGAIN) {
            return Look::Pass;
        }
        match why().filter(|_| !held) {
            None => {
                let before = std::mem::replace(&mut watched.purpose, Purpose::Some);
                if matches!(before, Purpose::None { .. }) { Look::AfterAll } else { Look::Evaluate }
            }
            Some(_) if at.since(watched.evaluated_since) < patience => Look::Pass,
            Some(why) => {
                watched.purpose = Purpose::None { asked: at };
                if std::mem::replace(&mut watched.said_why, true) { Look::Pass } else { Look::SayWhy(why) }
            }
        }
    }

    /// Whether a draft may be proposed: an entry only where one is due, nothing that is like an order of a moment ago.
    pub fn admits(&self, draft: &Draft, at: UnixNanos) -> bool {
        if draft.intent == Intent::Open && !self.may_open(draft.symbol, at) {
            return false;
        }
        let likeness = likeness(draft);
        !self.recent.iter().any(|recent| at.since(recent.at) < self.duplicate_window && recent.likeness == likeness)
    }

    /// Remembers a draft that became a proposal.
    pub fn remember(&mut self, draft: &Draft, proposal_id: Uuid, at: UnixNanos) {
        let window = self.duplicate_window;
        self.recent.retain(|recent| at.since(recent.at) < window);
        self.recent.push(Recent { at, proposal_id, likeness: likeness(draft) });
    }
}

fn likeness(draft: &Draft) -> Likeness {
    Likeness {
        symbol: draft.symbol,
        contract: draft.option.map(|terms| terms.contract_symbol),
        legs: draft.legs.iter().map(|leg| (leg.contract_symbol, leg.side, leg.ratio)).collect(),
        side: draft.side,
        quantity: draft.quantity,
        limit: draft.limit_price,
    }
}

fn is_halted(book: &Book, symbol: Symbol) -> bool {
    let id = book.underlying(symbol).and_then(|underlying| underlying.instrument());
    id.and_then(|id| book.latest(id)).is_some_and(|latest| latest.halted())
}

fn is_safe(book: &Book, symbol: Symbol, backfilling: bool) -> bool {
    book.is_open() && !backfilling && book.freshness(symbol).is_fresh() && !is_halted(book, symbol)
}

/// Every reason why evaluation is not safe.
fn reasons(book: &Book, symbol: Symbol, backfilling: bool) -> String {
    let mut all = Vec::new();
    if !book.is_open() {
        all.push("the market is closed".to_owned());
    }
    if backfilling {
        all.push("what was before is still being filled in".to_owned());
    }
    match book.freshness(symbol) {
        Freshness::Missing => all.push("no market data has arrived".to_owned()),
        Freshness::Unknown { .. } => all.push("the age of market data cannot be known".to_owned()),
        Freshness::Age { age, limit } if age > limit => {
            all.push(format!("market data is {} s old, limit {} s", age.seconds(), limit.seconds()));
        }
        Freshness::Age { .. } => {}
    }
    if is_halted(book, symbol) {
        all.push("trading is halted".to_owned());
    }
    all.join("; ")
}

fn cycle_note(groups: &[(Vec<Symbol>, String)]) -> Note {
    let words = |(symbols, what): &(Vec<Symbol>, String)| {
        let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
        format!("{}: evaluation {what}", names.join(" "))
    };
    let all: Vec<Symbol> = groups.iter().flat_map(|(symbols, _)| symbols).copied().collect();
    let symbol = if let [only] = all.as_slice() { Some(*only) } else { None };
    let summary = groups.iter().map(words).collect::<Vec<_>>().join("; ");
    Note { kind: NoteKind::CycleSkipped, symbol, summary, indicators: Map::new() }
}
