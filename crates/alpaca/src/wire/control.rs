//! Control messages of the streams: what a client asks and what the server answers.

use crate::wire::Codec;
use crate::wire::error::StreamError;
use crate::wire::msgpack;
use agenttrader_core::secret::Secret;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

/// Symbols by channel. As an answer it holds *all* subscriptions of the connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Channels {
    /// Prints.
    pub trades: Vec<String>,
    /// Quotes.
    pub quotes: Vec<String>,
    /// Minute bars.
    pub bars: Vec<String>,
    /// Minute bars that late prints changed.
    pub updated_bars: Vec<String>,
    /// Bars of the day so far.
    pub daily_bars: Vec<String>,
    /// Halts and resumptions.
    pub statuses: Vec<String>,
    /// Price bands.
    pub lulds: Vec<String>,
    /// Corrections; come with `trades`, never asked for.
    pub corrections: Vec<String>,
    /// Cancels; come with `trades`, never asked for.
    pub cancel_errors: Vec<String>,
    /// Auction imbalances; listed only when there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub imbalances: Vec<String>,
}

impl Channels {
    /// Channel names and their symbols, in the order of the wire.
    pub fn named(&self) -> [(&'static str, &Vec<String>); 10] {
        [
            ("trades", &self.trades),
            ("quotes", &self.quotes),
            ("bars", &self.bars),
            ("updatedBars", &self.updated_bars),
            ("dailyBars", &self.daily_bars),
            ("statuses", &self.statuses),
            ("lulds", &self.lulds),
            ("corrections", &self.corrections),
            ("cancelErrors", &self.cancel_errors),
            ("imbalances", &self.imbalances),
        ]
    }

    /// Whether nothing is subscribed.
    pub fn is_empty(&self) -> bool {
        self.named().iter().all(|(_, symbols)| symbols.is_empty())
    }
}

/// What the server says about the connection.
#[expect(clippy::large_enum_variant, reason = "a few a connection; never kept in numbers")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "T", rename_all = "lowercase")]
pub enum Control {
    /// A step of the handshake that went well: `connected`, `authenticated`.
    Success {
        /// Which.
        msg: String,
    },
    /// A refusal.
    Error {
        /// See [`StreamError`].
        code: u16,
        /// In words.
        #[serde(default)]
        msg: String,
    },
    /// All subscriptions of the connection.
    Subscription(Channels),
}

impl Control {
    /// The greeting right after the upgrade.
    pub fn connected() -> Self {
        Self::Success { msg: "connected".to_owned() }
    }

    /// The answer to good credentials.
    pub fn authenticated() -> Self {
        Self::Success { msg: "authenticated".to_owned() }
    }

    /// A refusal.
    pub fn error(error: StreamError) -> Self {
        Self::Error { code: error.code(), msg: error.message().to_owned() }
    }

    /// Appends a whole frame with this message alone.
    pub fn append(&self, codec: Codec, out: &mut Vec<u8>) {
        // A control message is texts, numbers and lists of them: serde_json has no way to fail on it.
        let Ok(value) = serde_json::to_value([self]) else { return };
        append_value(&value, codec, out);
    }

    /// A whole frame with this message alone.
    pub fn frame(&self, codec: Codec) -> Vec<u8> {
        let mut out = Vec::new();
        self.append(codec, &mut out);
        out
    }
}

/// What a client asks of the server.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum ClientMessage {
    /// Credentials.
    Auth {
        /// Key id.
        #[serde(default)]
        key: String,
        /// Secret key.
        #[serde(default = "no_secret", deserialize_with = "secret")]
        secret: Secret,
    },
    /// More symbols.
    Subscribe(Channels),
    /// Fewer symbols.
    Unsubscribe(Channels),
}

fn no_secret() -> Secret {
    Secret::new(String::new())
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

/// Why a client's message was not understood. Answered with [`StreamError::InvalidSyntax`].
#[derive(Debug, thiserror::Error)]
#[error("message not understood: {why}")]
pub struct NotUnderstood {
    /// What is wrong; names no value of the message, which may hold a secret.
    pub why: &'static str,
}

impl ClientMessage {
    /// Reads one message. Keys and channels we do not know are ignored.
    ///
    /// # Errors
    /// [`NotUnderstood`] if it is not an object in that codec with a known `action` and lists of texts.
    pub fn parse(bytes: &[u8], codec: Codec) -> Result<Self, NotUnderstood> {
        let value: Value = match codec {
            Codec::Json => serde_json::from_slice(bytes).map_err(|_| NotUnderstood { why: "not JSON" })?,
            Codec::MessagePack => msgpack::to_value(bytes).ok_or(NotUnderstood { why: "not MessagePack" })?,
        };
        serde_json::from_value(value).map_err(|_| NotUnderstood { why: "not an action with its fields" })
    }

    /// The bytes of the message. They hold the secret of `Auth`: send them, show them to nobody.
    pub fn bytes(&self, codec: Codec) -> Vec<u8> {
        let value = match self {
            Self::Auth { key, secret } => json!({"action": "auth", "key": key, "secret": secret.expose()}),
            Self::Subscribe(channels) => asked("subscribe", channels),
            Self::Unsubscribe(channels) => asked("unsubscribe", channels),
        };
        let mut out = Vec::new();
        append_value(&value, codec, &mut out);
        out
    }
}

fn asked(action: &str, channels: &Channels) -> Value {
    let mut message = serde_json::Map::new();
    message.insert("action".to_owned(), action.into());
    for (name, symbols) in channels.named() {
        // These two come with the trades; the server does not take them.
        if !symbols.is_empty() && !matches!(name, "corrections" | "cancelErrors") {
            message.insert(name.to_owned(), symbols.clone().into());
        }
    }
    Value::Object(message)
}

fn append_value(value: &Value, codec: Codec, out: &mut Vec<u8>) {
    match codec {
        Codec::Json => out.extend_from_slice(value.to_string().as_bytes()),
        Codec::MessagePack => msgpack::append_value(value, out),
    }
}
