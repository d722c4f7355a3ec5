//! Errors of REST and of the streams.

use serde::{Deserialize, Serialize};

/// Body of a REST answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Eight digits, the first three those of the HTTP status; the data service may leave it out.
    #[serde(default)]
    pub code: Option<u32>,
    /// In words.
    #[serde(default)]
    pub message: String,
}

impl ErrorBody {
    /// An error with code and message.
    pub fn new(code: u32, message: impl Into<String>) -> Self {
        Self { code: Some(code), message: message.into() }
    }
}

/// What a stream refuses, with its code and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum StreamError {
    /// A message that cannot be read, or a badly formed symbol.
    InvalidSyntax = 400,
    /// A subscription before authentication.
    NotAuthenticated = 401,
    /// Wrong credentials.
    AuthFailed = 402,
    /// A second authentication.
    AlreadyAuthenticated = 403,
    /// No authentication within ten seconds.
    AuthTimeout = 404,
    /// More symbols than the plan has; the subscriptions stay as they were.
    SymbolLimit = 405,
    /// Too many connections to this endpoint.
    ConnectionLimit = 406,
    /// The client reads too slowly.
    SlowClient = 407,
    /// The feed is not in the plan.
    InsufficientSubscription = 409,
    /// The channel is not served here.
    InvalidAction = 410,
    /// The token lacks the scope.
    InsufficientScope = 411,
    /// Options in JSON.
    OnlyMessagePack = 412,
    /// `*` in option quotes.
    StarNotAllowed = 413,
    /// The server's fault.
    Internal = 500,
}

impl StreamError {
    /// Every error, in order of code.
    pub const ALL: [Self; 14] = [
        Self::InvalidSyntax,
        Self::NotAuthenticated,
        Self::AuthFailed,
        Self::AlreadyAuthenticated,
        Self::AuthTimeout,
        Self::SymbolLimit,
        Self::ConnectionLimit,
        Self::SlowClient,
        Self::InsufficientSubscription,
        Self::InvalidAction,
        Self::InsufficientScope,
        Self::OnlyMessagePack,
        Self::StarNotAllowed,
        Self::Internal,
    ];

    /// The number on the wire.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The error of that number, if it is one of these.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|error| error.code() == code)
    }

    /// The text on the wire; clients compare some of them.
    pub const fn message(self) -> &'static str {
        match self {
            Self::InvalidSyntax => "invalid syntax",
            Self::NotAuthenticated => "not authenticated",
            Self::AuthFailed => "auth failed",
            Self::AlreadyAuthenticated => "already authenticated",
            Self::AuthTimeout => "auth timeout",
            Self::SymbolLimit => "symbol limit exceeded",
            Self::ConnectionLimit => "connection limit exceeded",
            Self::SlowClient => "slow client",
            Self::InsufficientSubscription => "insufficient subscription",
            Self::InvalidAction => "invalid subscribe action for this feed",
            Self::InsufficientScope => "insufficient scope",
            Self::OnlyMessagePack => "option messages are only available in MsgPack format",
            Self::StarNotAllowed => "star subscription is not allowed for option quotes",
            Self::Internal => "internal error",
        }
    }
}
