//! Replay: a recording through the same engine, as fast as it goes, and compared with what was recorded.

use crate::bodies::{Body, BodyDigest, BodyKind, Unwritable, body_in, body_of};
use crate::configuration::ConfigurationError;
use crate::engine::{Engine, EngineError, Judging, Run};
use crate::records::RecordingEnd;
use agenttrader_audit::read::{self, ReadError as JournalError};
use agenttrader_audit::record::IntentType;
use agenttrader_authority::signers::SignersError;
use agenttrader_authority::trust_root::TrustRoot;
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::{Build, is_agent_name};
use agenttrader_core::time::UnixNanos;
use agenttrader_safety::kill_switch::Reading;
use agenttrader_sequence::head::Head;
use agenttrader_sequence::input::{Configuration, Fact, Input, Numbered};
use agenttrader_sequence::read::{ReadError, Recording, Torn};
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Why a recording cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The recording cannot be read.
    #[error(transparent)]
    Recording(#[from] ReadError),
    /// Its configuration gives no engine.
    #[error("the recording's configuration is refused")]
    Engine(#[from] EngineError),
    /// The configuration given for an import is refused.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// A body cannot be written.
    #[error(transparent)]
    Body(#[from] Unwritable),
    /// The trust root in its head cannot be read.
    #[error("the recording's head names people in a form that is refused")]
    TrustRoot(#[from] SignersError),
    /// The trust root in its head is not the one whose digest stands beside it.
    #[error("the trust root in the recording's head has not the digest beside it")]
    TrustRootDigest,
    /// The recording has no configuration and is no import.
    #[error("the recording begins without a configuration")]
    NoConfiguration,
    /// What was recorded of the run cannot be read.
    #[error("cannot read what was recorded in `{path}`")]
    Journal {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: JournalError,
    },
    /// A file of bodies cannot be read or written.
    #[error("cannot use `{path}`")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of bodies holds something else.
    #[error("`{path}` line {line} is no body: a kind, a blank and JSON")]
    NoBody {
        /// Which.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
    },
}

/// What a replay came to.
#[derive(Debug, Serialize)]
pub struct Replayed {
    /// The recording's id.
    pub recording_id: Uuid,
    /// Inputs handled.
    pub inputs: u64,
    /// Time of the first and of the last input.
    pub first_utc: Option<UnixNanos>,
    /// See `first_utc`.
    pub last_utc: Option<UnixNanos>,
    /// Digest of the recording's bytes.
    pub recording_sha256: Digest,
    /// Digest of all bodies, in order.
    pub bodies_sha256: Digest,
    /// Proposals made.
    pub proposals: u64,
    /// Decisions made.
    pub decisions: u64,
    /// Shadow fills.
    pub fills: u64,
    /// What was cut off at the recording's end, if anything.
    pub torn: Option<TornTail>,
    /// Why strategies did nothing, as they say it, once each.
    pub notes: Vec<String>,
    /// Shadow profit of the whole run, dollars; null where nobody judged.
    pub shadow_profit_usd: Option<String>,
}

/// Bytes at a recording's end that are no whole record.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TornTail {
    /// Where they begin.
    pub offset: u64,
    /// How many.
    pub bytes: u64,
}

impl From<Torn> for TornTail {
    fn from(torn: Torn) -> Self {
        Self { offset: torn.offset, bytes: torn.bytes }
    }
}

/// Most notes kept: they are for people.
const NOTES_MAX: usize = 200;

/// A recording on its way through an engine.
pub struct Replay {
    recording: Recording,
    engine: Engine,
    digest: BodyDigest,
    before: Vec<Numbered>,
    first: Option<UnixNanos>,
    last: Option<UnixNanos>,
    notes: Vec<String>,
}

/// The people whom the recorded run trusted: nobody where it does not say.
fn trust_root(head: &Head) -> Result<TrustRoot, ReplayError> {
    let Some(text) = head.trust_root.clone() else { return Ok(TrustRoot::draft()) };
    let root = TrustRoot::read(text)?;
    if head.trust_root_digest == Some(root.digest()) { Ok(root) } else { Err(ReplayError::TrustRootDigest) }
}

/// Puts before an import what its recording does not hold: the configuration, and a missing switch.
fn virtual_inputs(configuration: &Configuration, at: UnixNanos) -> Vec<Numbered> {
    let reading = Reading { halted: true, source: "missing: the recording holds no switch".to_owned() };
    let log = Fact::Log {
        agent_name: configuration.gate_agent_name.clone(),
        health: agenttrader_safety::seen::LogHealth::Writable,
    };
    [Fact::Configuration(configuration.clone()), Fact::Switch(reading), log]
        .into_iter()
        .map(|fact| Numbered { number: 0, at, input: Input::Fact(fact) })
        .collect()
}

impl Replay {
    /// Opens a recording. `defaults` gives the configuration for one that holds none: an import. It is asked for no other.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn open(
        path: &Path,
        build: Build,
        defaults: impl FnOnce(&Head) -> Result<Configuration, ConfigurationError>,
    ) -> Result<Self, ReplayError> {
        let mut recording = Recording::open(path)?;
        let head = recording.head().clone();
        let first = recording.next_input()?;
        let (configuration, before) = match first {
            Some(Numbered { input: Input::Fact(Fact::Configuration(ref configuration)), .. }) => {
                (configuration.clone(), first.into_iter().collect::<Vec<_>>())
            }
            Some(first) => {
                let configuration = defaults(&head)?;
                let mut before = virtual_inputs(&configuration, first.at);
                before.push(first);
                (configuration, before)
            }
            None => (defaults(&head)?, Vec::new()),
        };
        let run = Run {
            recording_id: head.recording_id,
            // Grants name the build that judged, and are signed by people whom it trusted: a replay takes both from the recording.
            build: head.build.clone().unwrap_or(build),
            trust_root: trust_root(&head)?,
            log_last_time: head.log_last_time.unwrap_or(UnixNanos::EPOCH),
        };
        let judging = if configuration.gate_agent_name.is_empty() { Judging::Nobody } else { Judging::Here };
        let engine = Engine::new(&configuration, run, judging)?;
        Ok(Self {
            recording,
            engine,
            digest: BodyDigest::default(),
            before,
            first: None,
            last: None,
            notes: Vec::new(),
        })
    }

    /// The recording's head.
    pub const fn head(&self) -> &Head {
        self.recording.head()
    }

    /// Runs to the end. Each body goes to `each`, in order; an error of it ends the replay. `progress` is told the bytes read.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn run(
        mut self,
        mut each: impl FnMut(&Body) -> Result<(), ReplayError>,
        mut progress: impl FnMut(u64),
    ) -> Result<Replayed, ReplayError> {
        let mut outputs = Vec::new();
        let before = std::mem::take(&mut self.before);
        for numbered in before {
            self.handle(&numbered, &mut outputs, &mut each)?;
        }
        while let Some(numbered) = self.recording.next_input()? {
            self.handle(&numbered, &mut outputs, &mut each)?;
            if numbered.number % 65_536 == 0 {
                progress(self.recording.offset());
            }
        }
        let profit = self.engine.desk().map(|desk| {
            let account = desk.readings();
            account.equity_usd.minus(account.start_equity_usd).to_string()
        });
        Ok(Replayed {
            recording_id: self.recording.head().recording_id,
            inputs: self.recording.inputs(),
            first_utc: self.first,
            last_utc: self.last,
            recording_sha256: self.recording.digest_so_far(),
            bodies_sha256: self.digest.digest(),
            proposals: self.digest.count(BodyKind::Proposal),
            decisions: self.digest.count(BodyKind::Decision),
            fills: self.digest.count(BodyKind::Fill),
            torn: self.recording.torn().map(TornTail::from),
            notes: self.notes,
            shadow_profit_usd: profit,
        })
    }

    fn handle(
        &mut self,
        numbered: &Numbered,
        outputs: &mut Vec<crate::engine::Output>,
        each: &mut impl FnMut(&Body) -> Result<(), ReplayError>,
    ) -> Result<(), ReplayError> {
        self.first = self.first.or(Some(numbered.at));
        self.last = Some(numbered.at);
        let Self { recording, engine, .. } = self;
        engine.step(numbered, &mut || recording.digest_so_far(), outputs);
        for output in outputs.drain(..) {
            if let crate::engine::Output::Note { note, strategy_name, .. } = &output
                && self.notes.len() < NOTES_MAX
            {
                let line = format!("{strategy_name}: {}", note.summary);
                if !self.notes.contains(&line) {
                    self.notes.push(line);
                }
            }
            if let Some(body) = body_of(&output)? {
                self.digest.take(&body);
                each(&body)?;
            }
        }
        Ok(())
    }
}

/// Bodies that were recorded for a run, by kind, in order.
#[derive(Debug, Default)]
pub struct Recorded {
    bodies: [std::collections::VecDeque<Body>; 3],
    end: Option<RecordingEnd>,
    is_whole: bool,
    not_logged: u64,
}

/// The first difference between a replay and what was recorded.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// Kind of body.
    pub kind: String,
    /// Its place among those of its kind, from 1.
    pub place: u64,
    /// What the replay made; null: nothing more.
    pub replayed: Option<Value>,
    /// What was recorded; null: nothing more.
    pub recorded: Option<Value>,
    /// The first JSON pointer at which both differ; empty: the whole differs, or there is nothing on one side.
    pub pointer: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, place, replayed, recorded, pointer } = self;
        match (replayed, recorded) {
            (Some(_), None) => write!(out, "{kind} {place} was made by the replay and stands nowhere in the record"),
            (None, _) => write!(out, "{kind} {place} was recorded and the replay made none"),
            (Some(made), Some(found)) if made == found => {
                write!(out, "{kind} {place} is recorded in other bytes: the same JSON value, written in another way")
            }
            (Some(_), Some(_)) if pointer.is_empty() => write!(out, "{kind} {place} differs as a whole"),
            (Some(_), Some(_)) => write!(out, "{kind} {place} differs at `{pointer}`"),
        }
    }
}

impl Recorded {
    /// What a live run of `recording_id` wrote into the logs of a data directory, in the order of the run: proposals of several
    /// agents stand in several logs, and are put in order by their causing input and, of one input, by their decisions.
    ///
    /// # Errors
    /// [`ReplayError`] when a log cannot be read.
    pub fn of_data_dir(data_dir: &Path, recording_id: Uuid) -> Result<Self, ReplayError> {
        let mut recorded = Self::default();
        let mut proposals: Vec<(u64, Option<String>, Body)> = Vec::new();
        let mut decided: BTreeMap<String, usize> = BTreeMap::new();
        let folder = data_dir.join("audit-state");
        let listed = std::fs::read_dir(&folder).map_err(|source| ReplayError::Io { path: folder.clone(), source })?;
        let names: BTreeSet<String> =
            listed.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        let id = recording_id.to_string();
        for name in names {
            if !is_agent_name(&name) || !read::exists(data_dir, &name) {
                continue;
            }
            let failed = |source| ReplayError::Journal { path: read::log_dir(data_dir, &name), source };
            for record in read::records(data_dir, &name).map_err(failed)? {
                let record = record.map_err(failed)?;
                let kind = match record.intent_type {
                    IntentType::AgentStop => {
                        let end = record.intent_payload.get("recording").cloned();
                        let end = end.and_then(|end| serde_json::from_value::<RecordingEnd>(end).ok());
                        recorded.end = end.filter(|end| end.recording_id == recording_id).or(recorded.end);
                        continue;
                    }
                    IntentType::OrderProposal => BodyKind::Proposal,
                    IntentType::ExecutionDecision => BodyKind::Decision,
                    IntentType::Fill => BodyKind::Fill,
                    _ => continue,
                };
                let payload = read::payload(data_dir, &record).map_err(failed)?;
                if payload.pointer("/cause/recording_id").and_then(Value::as_str) != Some(&id) {
                    continue;
                }
                let Some(body) = body_in(kind, &payload) else { continue };
                let proposal_id = payload.get(kind.as_str()).and_then(|body| body.get("proposal_id"));
                let proposal_id = proposal_id.and_then(Value::as_str).map(str::to_owned);
                match (kind, proposal_id) {
                    (BodyKind::Proposal, proposal_id) => {
                        let input = payload.pointer("/cause/input_number").and_then(Value::as_u64);
                        proposals.push((input.unwrap_or(u64::MAX), proposal_id, body));
                        continue;
                    }
                    (BodyKind::Decision, Some(proposal_id)) => {
                        let place = decided.len();
                        decided.entry(proposal_id).or_insert(place);
                    }
                    (BodyKind::Decision, None) | (BodyKind::Fill, _) => {}
                }
                recorded.push(Some(body));
            }
        }
        // Stable: of proposals that nobody decided, those of one agent keep their order.
        let place = |id: &Option<String>| id.as_ref().and_then(|id| decided.get(id)).copied().unwrap_or(usize::MAX);
        proposals.sort_by_key(|(input, proposal_id, _)| (*input, place(proposal_id)));
        proposals.into_iter().for_each(|(_, _, body)| recorded.push(Some(body)));
        recorded.is_whole = recorded.end.is_some();
        Ok(recorded)
    }

    /// What `replay --out` wrote: one file a kind in a folder, or one of those files alone.
    ///
    /// # Errors
    /// [`ReplayError`] when a file cannot be read or holds something else.
    pub fn of_files(path: &Path) -> Result<Self, ReplayError> {
        let mut recorded = Self { is_whole: true, ..Self::default() };
        let text = std::fs::read_to_string(path).map_err(|source| ReplayError::Io { path: path.to_owned(), source })?;
        for (line, number) in text.lines().zip(1_u64..) {
            let body = line.split_once(' ').and_then(|(kind, json)| {
                let kind = BodyKind::ALL.into_iter().find(|known| known.as_str() == kind)?;
                serde_json::from_str::<IgnoredAny>(json).is_ok().then(|| Body { kind, json: json.to_owned() })
            });
            match body {
                Some(body) => recorded.push(Some(body)),
                None => return Err(ReplayError::NoBody { path: path.to_owned(), line: number }),
            }
        }
        Ok(recorded)
    }

    fn push(&mut self, body: Option<Body>) {
        if let Some(body) = body
            && let Some(list) = self.bodies.get_mut(body.kind as usize)
        {
            list.push_back(body);
        }
    }

    /// Compares the next body of a replay with the next recorded one of its kind. `place` counts within the kind.
    pub fn compare(&mut self, body: &Body, place: u64) -> Option<Difference> {
        let recorded = self.bodies.get_mut(body.kind as usize)?.pop_front();
        match recorded {
            Some(recorded) if recorded.json == body.json => None,
            // The recording runs ahead of the logs: of a run that was cut off its last bodies were never logged.
            None if !self.is_whole => {
                self.not_logged = self.not_logged.saturating_add(1);
                None
            }
            recorded => Some(difference(body.kind, place, Some(body), recorded.as_ref())),
        }
    }

    /// Whether the logs hold the run to its end: it ended in order and they name the recording as it ended.
    pub const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Bodies of the replay that come after the last that was logged, in a run that was cut off.
    pub const fn not_logged(&self) -> u64 {
        self.not_logged
    }

    /// Whether the recording is the one that the logs name at the run's end: what changed after the last body shows here.
    pub fn other_recording(&self, replayed: &Replayed) -> Option<Difference> {
        let end = self.end.filter(|end| (end.inputs, end.sha256) != (replayed.inputs, replayed.recording_sha256))?;
        let side = |inputs: u64, sha256: Digest| Some(serde_json::json!({"inputs": inputs, "sha256": sha256}));
        Some(Difference {
            kind: "recording".to_owned(),
            place: 1,
            replayed: side(replayed.inputs, replayed.recording_sha256),
            recorded: side(end.inputs, end.sha256),
            pointer: "/sha256".to_owned(),
        })
    }

    /// What was recorded and not replayed, if anything.
    pub fn left_over(&self, places: [u64; 3]) -> Option<Difference> {
        self.bodies.iter().zip(BodyKind::ALL).zip(places).find_map(|((list, kind), place)| {
            list.front().map(|body| difference(kind, place.saturating_add(1), None, Some(body)))
        })
    }
}

fn difference(kind: BodyKind, place: u64, replayed: Option<&Body>, recorded: Option<&Body>) -> Difference {
    let value = |body: Option<&Body>| body.and_then(|body| serde_json::from_str(&body.json).ok());
    let (replayed, recorded): (Option<Value>, Option<Value>) = (value(replayed), value(recorded));
    let pointer = match (&replayed, &recorded) {
        (Some(a), Some(b)) => first_difference(a, b).unwrap_or_default(),
        _ => String::new(),
    };
    Difference { kind: kind.to_string(), place, replayed, recorded, pointer }
}

/// The JSON pointer of the first place where two values differ.
fn first_difference(a: &Value, b: &Value) -> Option<String> {
    match (a, b) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            keys.into_iter().find_map(|key| match (left.get(key), right.get(key)) {
                (Some(a), Some(b)) => first_difference(a, b).map(|rest| format!("/{}{rest}", escaped(key))),
                _ => Some(format!("/{}", escaped(key))),
            })
        }
        (Value::Array(left), Value::Array(right)) => {
            let longest = left.len().max(right.len());
            (0..longest).find_map(|index| match (left.get(index), right.get(index)) {
                (Some(a), Some(b)) => first_difference(a, b).map(|rest| format!("/{index}{rest}")),
                _ => Some(format!("/{index}")),
            })
        }
        (a, b) => (a != b).then(String::new),
    }
}

/// A member's name as a JSON pointer (RFC 6901) holds it.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(replayed: Option<&str>, recorded: Option<&str>) -> String {
        let body = |json: &str| Body { kind: BodyKind::Decision, json: json.to_owned() };
        let (replayed, recorded) = (replayed.map(body), recorded.map(body));
        difference(BodyKind::Decision, 3, replayed.as_ref(), recorded.as_ref()).to_string()
    }

    #[test]
    fn a_difference_says_which_body_and_where_and_never_an_empty_place() {
        let one = r#"{"a":{"b/c":[1,2]}}"#;
        assert_eq!(told(Some(one), Some(r#"{"a":{"b/c":[1,3]}}"#)), "decision 3 differs at `/a/b~1c/1`");
        assert_eq!(told(Some(one), Some("[]")), "decision 3 differs as a whole");
        let spaced = told(Some(one), Some(r#"{"a": {"b/c": [1, 2]}}"#));
        assert!(spaced.starts_with("decision 3 is recorded in other bytes"), "{spaced}");
        assert_eq!(told(Some(one), None), "decision 3 was made by the replay and stands nowhere in the record");
        assert_eq!(told(None, Some(one)), "decision 3 was recorded and the replay made none");
    }
}
