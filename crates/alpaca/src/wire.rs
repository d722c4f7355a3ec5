//! What goes over Alpaca's wire, as plain values: stream messages in both codecs and REST bodies.
//!
//! Money of the trading REST service is a decimal string, prices of the data service and of the streams are JSON numbers.
//! Keys we do not know are ignored on the way in.

pub mod account;
pub mod asset;
pub mod bar;
pub mod calendar;
pub mod clock;
pub mod contract;
pub mod control;
pub mod encode;
pub mod error;
pub mod letters;
pub mod msgpack;
pub mod number;
pub mod quote;
pub mod snapshot;
pub mod status;
pub mod trade;

/// How the messages of one stream connection are written. The client asks for it in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Text frames.
    Json,
    /// Binary frames; the only codec of the option stream.
    MessagePack,
}

impl Codec {
    /// The value of the handshake's `Content-Type` that asks for this codec.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::MessagePack => "application/msgpack",
        }
    }

    /// The codec that a handshake's `Content-Type` asks for: MessagePack by its name, JSON by any other or none.
    pub fn asked_by(content_type: Option<&str>) -> Self {
        match content_type {
            Some(asked) if asked.trim().eq_ignore_ascii_case(Self::MessagePack.content_type()) => Self::MessagePack,
            _ => Self::Json,
        }
    }
}

/// Which of the two shapes a message has: stocks carry a tape and an array of conditions, options one condition text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// A share, reported on this tape: A NYSE, B regional, C Nasdaq.
    Stock {
        /// The tape's letter.
        tape: u8,
    },
    /// A listed option.
    Option,
}

impl Listing {
    /// The tape, if it has one.
    pub const fn tape(self) -> Option<u8> {
        match self {
            Self::Stock { tape } => Some(tape),
            Self::Option => None,
        }
    }
}
