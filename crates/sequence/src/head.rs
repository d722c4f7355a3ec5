//! A recording's head: what a replay needs to know before the first input.

use agenttrader_authority::trust_root::SignersText;
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::Build;
use agenttrader_core::instrument::Instrument;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The version of the format that this crate writes, and the only one it reads.
pub const FORMAT_VERSION: u32 = 1;

/// Most bytes of a head: room for the instruments of the largest chains, and a bound on what a hostile file can make us read.
pub const MAX_HEAD_BYTES: usize = 64 * 1024 * 1024;

/// What a recording says of itself. Canonical JSON in the file; every field is present, null where there is nothing to say, but for
/// the two that say they are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The recording's own id.
    pub recording_id: Uuid,
    /// Version of the format: [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Wall time at which the recording was begun; the session's open for an import, so that an import repeats to the byte.
    pub created_utc: UnixNanos,
    /// Date of the session in New York, the first if it goes over several.
    pub session_date: Date,
    /// Where the inputs come from.
    pub source: Source,
    /// The seed of the venue, where it has one. A decimal string in JSON: it takes all 64 bits.
    #[serde(with = "seed_text")]
    pub seed: Option<u64>,
    /// Time between two values of one instrument, where the source declares one.
    pub cadence: Option<Span>,
    /// The underlyings, in order.
    pub symbols: Vec<Symbol>,
    /// The instruments known before the first input, in order. Numbers are given by [`crate::input::Input::Instrument`] alone.
    pub instruments: Vec<Instrument>,
    /// Digest of the build; null for an import, which no build shapes.
    pub build_digest: Option<Digest>,
    /// Digest of the strategies and their parameters; null where none run.
    pub strategies_digest: Option<Digest>,
    /// Digest of the interest rates' text; null where none is used.
    pub rates_digest: Option<Digest>,
    /// Digest of the trust root: whose signatures count. Null where none is asked for.
    pub trust_root_digest: Option<Digest>,
    /// The trust root itself: a replay believes the same people. Left out of an import; older recordings lack it: nobody was trusted then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_root: Option<SignersText>,
    /// The build that judged: grants name one. Left out of an import, which nobody judged; older recordings lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// The agents' public signing keys: name to base64 of the 32 bytes.
    pub public_keys: BTreeMap<String, String>,
    /// The last time in the agent's own log when the run began; null for an empty log.
    pub log_last_time: Option<UnixNanos>,
    /// Positions at the start; an empty object when flat.
    pub positions: serde_json::Value,
    /// Working orders at the start; an empty object when there are none.
    pub working_orders: serde_json::Value,
    /// The limits' counters at the start; an empty object when nothing was counted.
    pub counters: serde_json::Value,
}

/// Where a recording's inputs come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Which kind of source.
    pub kind: SourceKind,
    /// Its name, for people: the venue's address, the file played back, the format and day imported.
    pub name: String,
}

/// A kind of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A venue's streams, simulated or real.
    Venue,
    /// Files of a real market.
    Import,
    /// Another recording, played through the venue's wire.
    Playback,
}

/// Why a head cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// It has no canonical JSON form.
    #[error("the recording's head has no canonical form")]
    Canonical(#[from] canonical_json::CanonicalError),
    /// It is JSON, but no head.
    #[error("the recording's head is not as this version writes it: {problem}")]
    Shape {
        /// What does not fit.
        problem: String,
    },
    /// More bytes than a head may have.
    #[error("the recording's head has {bytes} bytes; at most {limit} are allowed", limit = MAX_HEAD_BYTES)]
    TooLong {
        /// Its bytes.
        bytes: u64,
    },
}

impl Head {
    /// A head with a flat account and nothing else known: fill in what there is.
    pub fn flat(recording_id: Uuid, created_utc: UnixNanos, session_date: Date, source: Source) -> Self {
        let empty = || serde_json::Value::Object(serde_json::Map::new());
        Self {
            recording_id,
            format_version: FORMAT_VERSION,
            created_utc,
            session_date,
            source,
            seed: None,
            cadence: None,
            symbols: Vec::new(),
            instruments: Vec::new(),
            build_digest: None,
            strategies_digest: None,
            rates_digest: None,
            trust_root_digest: None,
            trust_root: None,
            build: None,
            public_keys: BTreeMap::new(),
            log_last_time: None,
            positions: empty(),
            working_orders: empty(),
            counters: empty(),
        }
    }

    /// Its canonical JSON.
    ///
    /// # Errors
    /// [`HeadError`] if it has none or is too long.
    pub fn to_json(&self) -> Result<String, HeadError> {
        let text = canonical_json::of(self)?;
        if text.len() > MAX_HEAD_BYTES {
            return Err(HeadError::TooLong { bytes: text.len() as u64 });
        }
        Ok(text)
    }

    /// Reads it back.
    ///
    /// # Errors
    /// [`HeadError`] for anything [`Head::to_json`] does not write.
    pub fn from_json(bytes: &[u8]) -> Result<Self, HeadError> {
        let value = canonical_json::parse_within(bytes, MAX_HEAD_BYTES)?;
        serde_json::from_value(value).map_err(|error| HeadError::Shape { problem: error.to_string() })
    }
}

/// A 64-bit seed as a decimal string, beyond what a JSON number holds exactly.
mod seed_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(seed: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        seed.map(|seed| seed.to_string()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(|_| D::Error::custom(format!("seed `{text}` is no number of 64 bits"))))
            .transpose()
    }
}
