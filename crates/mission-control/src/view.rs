//! The view: a fold over records, and the last reading of each kind. Pure and bounded; time comes with what it is given.
//!
//! Records are held as their JSON text, the newest of them, and looked up by number: the order in which they came here.

use crate::reading::{GammaExposure, Ledger, Market, Posture, Reading};
use crate::story::{Part, Story, part};
use agenttrader_audit::record::Record;
use agenttrader_core::identity::is_agent_name;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

/// Records held: some 5,000 each of proposals, decisions and other events.
pub const RECORDS_MOST: usize = 15_000;

/// Bytes of JSON held. With the indices over it the view stays under some 30 MB.
pub const BYTES_MOST: usize = 20 << 20;

/// Underlyings whose readings are held.
pub const SYMBOLS_MOST: usize = 256;

/// Agents whose logs are followed.
pub const LOGS_MOST: usize = 256;

/// Records of one story that are given at once. A story has some ten; an agent that gives all its records one id must not make each answer long.
pub const STORY_MOST: usize = 200;

/// A record's name: its agent and its index in that agent's log, `gamma-strategy:17`. The same after a restart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordId {
    /// The agent.
    pub agent_name: Arc<str>,
    /// The index in its log.
    pub seq: u64,
}

/// A record as it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub(crate) id: RecordId,
    pub(crate) correlation_id: Option<Uuid>,
    pub(crate) proposal_id: Option<Uuid>,
    pub(crate) decision_id: Option<Uuid>,
    /// `{"id":…}` and the record's fields.
    pub(crate) json: Arc<str>,
}

/// A reading and when it came, on the clock that never steps.
#[derive(Clone, Debug)]
pub struct Taken<T> {
    /// The reading.
    pub reading: Arc<T>,
    /// When it came.
    pub at: Instant,
}

/// What is known of an agent's log from the records that came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSeen {
    pub(crate) held: BTreeSet<u64>,
    /// Records that came.
    pub records: u64,
    /// Index of the record that must come next.
    pub next_seq: u64,
    /// Records that never came although later ones did.
    pub missing: u64,
}

/// All that mission control knows from records and readings.
#[derive(Debug, Default)]
pub struct View {
    /// Number of the oldest record held.
    first: u64,
    kept: VecDeque<Arc<Kept>>,
    bytes: usize,
    logs: BTreeMap<Arc<str>, LogSeen>,
    correlated: BTreeMap<Uuid, BTreeSet<u64>>,
    stories: BTreeMap<Uuid, Story>,
    proposals: BTreeSet<u64>,
    decisions: BTreeMap<Uuid, u64>,
    decided: BTreeSet<u64>,
    /// Last updates of orders.
    orders: BTreeSet<u64>,
    unfit: u64,
    venue_time: Option<UnixNanos>,
    markets: BTreeMap<Symbol, Taken<Market>>,
    exposures: BTreeMap<Symbol, Taken<GammaExposure>>,
    ledger: Option<Taken<Ledger>>,
    posture: Option<Taken<Posture>>,
}

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Proposals; ids are those of proposals.
    Proposals,
    /// Decisions; ids are those of decisions.
    Decisions,
    /// Orders at their last update; ids are those of proposals.
    Orders,
    /// Every record; ids are those of records.
    Events,
}

/// Which part of a list is asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only what is older than the item of this id.
    pub before: Option<String>,
    /// At most so many.
    pub limit: usize,
    /// Only what belongs to this story.
    pub correlation_id: Option<Uuid>,
    /// Only records of this agent.
    pub agent_name: Option<String>,
}

/// A part of a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The records behind the items.
    pub items: Vec<Arc<Kept>>,
    /// Whether older ones follow.
    pub has_more: bool,
}

/// The id of `before` names nothing that is held.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`before` names nothing in this list, or nothing that is still held")]
pub struct NotHeld;

#[derive(Serialize)]
struct WithId<'a> {
    id: &'a str,
    #[serde(flatten)]
    record: &'a Record,
}

impl View {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a record in. Gives it back as it is held; nothing when it came before, or is of no agent.
    pub fn fold(&mut self, record: &Record) -> Option<Arc<Kept>> {
        let Some(agent_name) = self.admit(record) else {
            self.unfit = self.unfit.saturating_add(1);
            return None;
        };
        let number = self.first.saturating_add(self.kept.len() as u64);
        let log = self.logs.entry(Arc::clone(&agent_name)).or_default();
        if record.seq < log.next_seq {
            return None;
        }
        let id = RecordId { agent_name, seq: record.seq };
        let Ok(json) = serde_json::to_string(&WithId { id: &id.to_string(), record }) else {
            self.unfit = self.unfit.saturating_add(1);
            return None;
        };
        // A log that was followed from the middle misses nothing before that.
        if log.records > 0 {
            log.missing = log.missing.saturating_add(record.seq.saturating_sub(log.next_seq));
        }
        log.records = log.records.saturating_add(1);
        log.next_seq = record.seq.saturating_add(1);
        log.held.insert(number);

        let part = part(record);
        let (proposal_id, decision_id) = self.take(number, &part);
        if let Some(correlation_id) = record.correlation_id {
            self.correlated.entry(correlation_id).or_default().insert(number);
        }
        let correlation_id = record.correlation_id;
        let kept = Arc::new(Kept { id, correlation_id, proposal_id, decision_id, json: json.into() });
        self.bytes = self.bytes.saturating_add(kept.json.len());
        self.kept.push_back(Arc::clone(&kept));
        while self.kept.len() > RECORDS_MOST || self.bytes > BYTES_MOST {
            self.forget_oldest();
        }
        Some(kept)
    }

    /// Takes a reading in that came at `at`; it replaces the last of its kind.
    pub fn read(&mut self, reading: Reading, at: Instant) {
        let full = |len: usize, known: bool| len >= SYMBOLS_MOST && !known;
        match reading {
            Reading::Market(market) => {
                if !full(self.markets.len(), self.markets.contains_key(&market.symbol)) {
                    self.markets.insert(market.symbol, Taken::new(market, at));
                }
            }
            Reading::Exposure(exposure) => {
                if !full(self.exposures.len(), self.exposures.contains_key(&exposure.symbol)) {
                    self.exposures.insert(exposure.symbol, Taken::new(exposure, at));
                }
            }
            Reading::Ledger(ledger) => self.ledger = Some(Taken::new(ledger, at)),
            Reading::Posture(posture) => {
                self.venue_time = self.venue_time.max(Some(posture.as_of));
                self.posture = Some(Taken::new(posture, at));
            }
        }
    }

    /// A part of a list, newest first.
    ///
    /// # Errors
    /// [`NotHeld`] when `before` names nothing in the list.
    pub fn page(&self, kind: Kind, wanted: &Wanted) -> Result<Page, NotHeld> {
        let end = self.first.saturating_add(self.kept.len() as u64);
        let before = match &wanted.before {
            None => end,
            Some(id) => self.number(kind, id).ok_or(NotHeld)?,
        };
        let fits = |number: &u64| {
            let Some(kept) = self.at(*number) else { return false };
            wanted.correlation_id.is_none_or(|id| kept.correlation_id == Some(id))
                && wanted.agent_name.as_ref().is_none_or(|name| *name == *kept.id.agent_name)
        };
        let most = wanted.limit.saturating_add(1);
        let mut numbers: Vec<u64> = match kind {
            Kind::Proposals => self.proposals.range(..before).rev().copied().filter(fits).take(most).collect(),
            Kind::Decisions => self.decided.range(..before).rev().copied().filter(fits).take(most).collect(),
            Kind::Orders => self.orders.range(..before).rev().copied().filter(fits).take(most).collect(),
            Kind::Events => (self.first..before).rev().filter(fits).take(most).collect(),
        };
        let has_more = numbers.len() > wanted.limit;
        numbers.truncate(wanted.limit);
        Ok(Page { items: numbers.into_iter().filter_map(|number| self.at(number).cloned()).collect(), has_more })
    }

    /// Records after that one, oldest first; nothing when it is not held.
    pub fn after(&self, id: &RecordId) -> Option<Vec<Arc<Kept>>> {
        let number = self.record_number(id)?;
        let skipped = usize::try_from(number.saturating_sub(self.first)).ok()?.saturating_add(1);
        Some(self.kept.iter().skip(skipped).cloned().collect())
    }

    /// The records that name the proposal or its story, oldest first, at most [`STORY_MOST`].
    pub fn records_of(&self, proposal_id: Uuid, correlation_id: Uuid) -> Vec<Arc<Kept>> {
        let named = self.stories.get(&proposal_id).into_iter().flat_map(|story| &story.records);
        let correlated = self.correlated.get(&correlation_id).into_iter().flatten();
        self.held(named.chain(correlated).collect::<BTreeSet<_>>().into_iter().take(STORY_MOST))
    }

    /// The last records of an agent, newest first.
    pub fn last_of(&self, agent_name: &str, most: usize) -> Vec<Arc<Kept>> {
        self.held(self.logs.get(agent_name).into_iter().flat_map(|log| log.held.iter().rev()).take(most))
    }

    /// What is known of an agent's log.
    pub fn log(&self, agent_name: &str) -> Option<&LogSeen> {
        self.logs.get(agent_name)
    }

    /// Records that came and could not be taken in.
    pub const fn unfit(&self) -> u64 {
        self.unfit
    }

    /// The latest venue time that anything said.
    pub const fn venue_time(&self) -> Option<UnixNanos> {
        self.venue_time
    }

    /// The last reading of an underlying.
    pub fn market(&self, symbol: Symbol) -> Option<&Taken<Market>> {
        self.markets.get(&symbol)
    }

    /// Whether any underlying was read.
    pub fn has_markets(&self) -> bool {
        !self.markets.is_empty()
    }

    /// The last gamma exposure of an underlying.
    pub fn exposure(&self, symbol: Symbol) -> Option<&Taken<GammaExposure>> {
        self.exposures.get(&symbol)
    }

    /// The last positions and P&L.
    pub const fn ledger(&self) -> Option<&Taken<Ledger>> {
        self.ledger.as_ref()
    }

    /// The last posture.
    pub const fn posture(&self) -> Option<&Taken<Posture>> {
        self.posture.as_ref()
    }

    /// A proposal's story, if any record of it is held.
    pub(crate) fn story(&self, proposal_id: Uuid) -> Option<&Story> {
        self.stories.get(&proposal_id)
    }

    /// The record of that number, if it is still held.
    pub(crate) fn at(&self, number: u64) -> Option<&Arc<Kept>> {
        self.kept.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// The agent of a record, as it is known here; nothing when there cannot be such an agent, or one too many.
    fn admit(&self, record: &Record) -> Option<Arc<str>> {
        match self.logs.get_key_value(record.agent_name.as_str()) {
            Some((known, _)) => Some(Arc::clone(known)),
            None if self.logs.len() < LOGS_MOST && is_agent_name(&record.agent_name) => {
                Some(record.agent_name.as_str().into())
            }
            None => None,
        }
    }

    /// Puts what a record says into the indices. A second proposal or decision of the same id is an event like any other.
    fn take(&mut self, number: u64, part: &Part) -> (Option<Uuid>, Option<Uuid>) {
        let proposal_id = match part {
            Part::Proposal { proposal_id, .. }
            | Part::Decision { proposal_id, .. }
            | Part::Order { proposal_id, .. }
            | Part::Fill { proposal_id, .. } => *proposal_id,
            Part::Other => return (None, None),
        };
        let story = self.stories.entry(proposal_id).or_default();
        let replaced = story.order;
        story.take(number, part);
        let mut decision_id = None;
        match part {
            Part::Proposal { created, .. } => {
                if story.proposal == Some(number) {
                    self.proposals.insert(number);
                }
                self.venue_time = self.venue_time.max(Some(*created));
            }
            Part::Decision { decision_id: id, decided, .. } => {
                if !self.decisions.contains_key(id) {
                    self.decisions.insert(*id, number);
                    self.decided.insert(number);
                    decision_id = Some(*id);
                }
                self.venue_time = self.venue_time.max(Some(*decided));
            }
            Part::Order { .. } => {
                if let Some(last) = replaced {
                    self.orders.remove(&last);
                }
                self.orders.insert(number);
            }
            Part::Fill { .. } | Part::Other => {}
        }
        (Some(proposal_id), decision_id)
    }

    fn forget_oldest(&mut self) {
        let Some(gone) = self.kept.pop_front() else { return };
        let number = self.first;
        self.first = number.saturating_add(1);
        self.bytes = self.bytes.saturating_sub(gone.json.len());
        if let Some(log) = self.logs.get_mut(&gone.id.agent_name) {
            log.held.remove(&number);
        }
        if let Some(id) = gone.correlation_id {
            forget(&mut self.correlated, id, |numbers| {
                numbers.remove(&number);
                numbers.is_empty()
            });
        }
        if let Some(id) = gone.proposal_id {
            forget(&mut self.stories, id, |story| {
                story.records.remove(&number);
                story.fills.remove(&number);
                story.records.is_empty()
            });
        }
        if let Some(id) = gone.decision_id {
            self.decisions.remove(&id);
        }
        self.proposals.remove(&number);
        self.decided.remove(&number);
        self.orders.remove(&number);
    }

    /// The number of the item of that id in a list.
    fn number(&self, kind: Kind, id: &str) -> Option<u64> {
        let uuid = || Uuid::parse_str(id).ok();
        let number = match kind {
            Kind::Proposals => self.stories.get(&uuid()?)?.proposal,
            Kind::Decisions => self.decisions.get(&uuid()?).copied(),
            Kind::Orders => self.stories.get(&uuid()?)?.order,
            Kind::Events => self.record_number(&id.parse().ok()?),
        };
        number.filter(|number| *number >= self.first)
    }

    fn record_number(&self, id: &RecordId) -> Option<u64> {
        // An agent's records are held in the order of their log.
        let held = &self.logs.get(&id.agent_name)?.held;
        held.iter()
            .rev()
            .copied()
            .find(|number| self.at(*number).is_some_and(|kept| kept.id.seq <= id.seq))
            .filter(|number| self.at(*number).is_some_and(|kept| kept.id.seq == id.seq))
    }

    fn held<'a>(&self, numbers: impl Iterator<Item = &'a u64>) -> Vec<Arc<Kept>> {
        numbers.filter_map(|number| self.at(*number).cloned()).collect()
    }
}

/// Removes an entry once nothing is left of it.
fn forget<T>(of: &mut BTreeMap<Uuid, T>, id: Uuid, empty: impl FnOnce(&mut T) -> bool) {
    if of.get_mut(&id).is_some_and(empty) {
        of.remove(&id);
    }
}

impl Kept {
    /// The record's name.
    pub const fn id(&self) -> &RecordId {
        &self.id
    }

    /// `{"id":…}` and the record's fields, as JSON.
    pub fn json(&self) -> &str {
        &self.json
    }
}

impl<T> Taken<T> {
    fn new(reading: T, at: Instant) -> Self {
        Self { reading: Arc::new(reading), at }
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.agent_name, self.seq)
    }
}

impl FromStr for RecordId {
    type Err = NotHeld;

    fn from_str(text: &str) -> Result<Self, NotHeld> {
        let (name, seq) = text.split_once(':').ok_or(NotHeld)?;
        let is_number = !seq.is_empty() && seq.bytes().all(|byte| byte.is_ascii_digit());
        match seq.parse() {
            Ok(seq) if is_number && is_agent_name(name) => Ok(Self { agent_name: name.into(), seq }),
            Ok(_) | Err(_) => Err(NotHeld),
        }
    }
}
