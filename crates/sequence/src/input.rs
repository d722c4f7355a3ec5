//! Every kind of input. Plain facts only: an input can be copied, written and read back, and grants nothing.

use agenttrader_authority::signed_file::SignedFile;
use agenttrader_core::digest::Digest;
use agenttrader_core::event::MarketEvent;
use agenttrader_core::instrument::{Instrument, InstrumentId};
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_safety::kill_switch::Reading;
use agenttrader_safety::seen::LogHealth;
use serde::{Deserialize, Serialize};

/// One input of the sequence.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// What a market feed says.
    Market(MarketEvent),
    /// An instrument gets its number. Comes before any event that bears the number.
    Instrument {
        /// Its number.
        id: InstrumentId,
        /// What it is.
        instrument: Instrument,
    },
    /// Anything that is neither frequent nor fixed in size.
    Fact(Fact),
}

/// The inputs that are written as canonical JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// The effective configuration, as bytes: the first input of every run.
    Configuration(Configuration),
    /// A second of venue time has begun.
    Timer {
        /// Wall time beside the venue time of the input.
        wall: UnixNanos,
    },
    /// The kill switch was read and differs from the last reading, or this is the first.
    Switch(Reading),
    /// A log became writable or unwritable, or this is the first word on it.
    Log {
        /// Whose log.
        agent_name: String,
        /// How it is.
        health: LogHealth,
    },
    /// Something happened to a feed.
    Feed(FeedFact),
    /// A health answer of marketdata in another process.
    Health(HealthFact),
    /// Something changed in a folder of files that people signed.
    Signed(SignedFact),
}

/// What changed in a folder of signed files. Before the first word of a folder it is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedFact {
    /// Which folder.
    pub folder: SignedFolder,
    /// What happened.
    pub change: SignedChange,
}

/// A folder of signed files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedFolder {
    /// Grants.
    Grants,
    /// Approvals of proposals.
    Approvals,
}

/// What happened in a folder of signed files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum SignedChange {
    /// What lies in it cannot be known.
    Unreadable {
        /// Why.
        problem: String,
    },
    /// It can be read again: what was said of its files holds.
    Readable,
    /// A file lies in it, new or with other signatures than before, or revoked.
    File {
        /// The file.
        file: SignedFile,
    },
    /// A file is gone.
    Gone {
        /// The digest that its name said.
        sha256: Digest,
    },
}

/// What happened to a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum FeedFact {
    /// A stream is up and subscribed.
    Connected {
        /// `stocks`, `options`, or the recording's name.
        stream: String,
        /// The feed declares a delay.
        delayed: bool,
    },
    /// A stream is down. What is missed until it is up again is lost.
    Disconnected {
        /// Which.
        stream: String,
        /// Why.
        reason: String,
    },
    /// What was missed between two instants.
    Gap {
        /// Which stream.
        stream: String,
        /// Last event before.
        from: UnixNanos,
        /// First event after.
        to: UnixNanos,
    },
    /// Frames or messages that could not be used, since the last such fact.
    Rejected {
        /// Which stream or door.
        stream: String,
        /// Why, the first of them.
        reason: String,
        /// How many.
        count: u64,
    },
    /// The venue's clock went back by more than a second.
    ClockStepped {
        /// By how much, negative for back.
        by: Span,
    },
    /// The feed's cadence, as a recording declares it: time between two values of one instrument.
    Cadence {
        /// The cadence.
        every: Span,
    },
    /// What is filled in over REST at the start has all arrived.
    BackfillComplete,
}

/// A health answer, judged by the consumer's own rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealthFact {
    /// Whether marketdata is fresh.
    pub fresh: bool,
    /// The producer's age of its last tick, milliseconds; null when there was no answer.
    pub age_ms: Option<i64>,
    /// Why not fresh.
    pub reason: Option<String>,
}

/// The effective configuration of a run: the bytes of every file that shapes a step, and the switches of the
/// environment. A replay reads no file and no variable but these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// File name below `configs/` and its text, in order of name.
    pub files: Vec<ConfigurationFile>,
    /// The strategies that run, in order, each with the agent it runs in.
    pub strategies: Vec<StrategySeat>,
    /// Who judges.
    pub gate_agent_name: String,
    /// Mode of the strategies' agents.
    pub strategy_mode: agenttrader_core::identity::AgentMode,
    /// Mode the gate judges by: the execution agent's.
    pub execution_mode: agenttrader_core::identity::AgentMode,
    /// `EXECUTION_AGENT_ENABLED` is exactly `true`.
    pub execution_agent_enabled: bool,
    /// `BROKER_EXECUTION_ENABLED` is exactly `true`.
    pub broker_execution_enabled: bool,
    /// `MARKETDATA_MAX_AGE_SECONDS`, clamped.
    pub marketdata_max_age_seconds: u32,
    /// `OPTION_QUOTE_MAX_AGE_SECONDS`.
    pub option_quote_max_age_seconds: u32,
    /// `MARKETDATA_FORCE_STALE`.
    pub marketdata_force_stale: bool,
    /// `SYMBOL_ALLOWLIST`; null: all configured symbols.
    pub symbol_allowlist: Option<Vec<agenttrader_core::symbol::Symbol>>,
    /// Underlyings of the venue or the recording.
    pub symbols: Vec<agenttrader_core::symbol::Symbol>,
}

/// One file of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationFile {
    /// Path below `configs/`, `/` between parts.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A strategy and the agent it runs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrategySeat {
    /// `gamma`, `whale`, `naive_flow_trend`.
    pub strategy: String,
    /// The agent in whose name it proposes.
    pub agent_name: String,
}

impl Configuration {
    /// The text of a configuration file.
    pub fn file(&self, name: &str) -> Option<&str> {
        self.files.iter().find(|file| file.name == name).map(|file| file.text.as_str())
    }
}

/// An input with its number and its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbered {
    /// Its number: 0 for the first input of a recording, one more for each.
    pub number: u64,
    /// Venue time at which it was taken in.
    pub at: UnixNanos,
    /// What it says.
    pub input: Input,
}
