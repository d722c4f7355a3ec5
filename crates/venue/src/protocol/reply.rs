//! What REST is asked with and answers with, besides the bodies themselves.

use agenttrader_alpaca::wire::clock::EasternTime;
use agenttrader_alpaca::wire::error::ErrorBody;
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use axum::Json;
use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;

/// A refusal: its status, and Alpaca's code and message in the body.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    body: ErrorBody,
}

impl ApiError {
    /// A refusal.
    pub fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self { status, body: ErrorBody::new(code, message) }
    }

    /// 400: a parameter that cannot be read.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 40_010_000, message)
    }

    /// 401: no or wrong credentials.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 40_110_000, "request is not authorized")
    }

    /// 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, 40_410_000, message)
    }

    /// 422: a parameter of the trading service that is missing or makes no sense.
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, 40_010_001, message)
    }

    /// The same refusal as the trading service would say it.
    pub fn of_trading(self) -> Self {
        if self.status == StatusCode::BAD_REQUEST { Self::unprocessable(self.body.message) } else { self }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

/// A reply with a body, or a refusal.
pub type Reply<Body> = Result<Json<Body>, ApiError>;

/// The query's parameters; of one that comes twice, the first.
#[derive(Clone, Debug)]
pub struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Query(pairs) = Query::try_from_uri(&parts.uri).map_err(|_| ApiError::bad("query cannot be read"))?;
        Ok(Self(pairs))
    }
}

impl Params {
    /// A parameter's text; an empty one is none.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// A list of tickers, sorted, each once.
    ///
    /// # Errors
    /// If it is missing or one is no ticker.
    pub fn tickers(&self) -> Result<Vec<String>, ApiError> {
        self.list(usize::MAX, |name| Symbol::parse(name).is_ok())
    }

    /// A list of at most `most` OCC symbols, sorted, each once.
    ///
    /// # Errors
    /// If it is missing, too long, or one is no OCC symbol.
    pub fn contracts(&self, most: usize) -> Result<Vec<String>, ApiError> {
        self.list(most, |name| OccSymbol::parse(name).is_ok())
    }

    fn list(&self, most: usize, is_good: impl Fn(&str) -> bool) -> Result<Vec<String>, ApiError> {
        let text = self.text("symbols").ok_or_else(|| ApiError::bad("symbols is required"))?;
        let mut names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        names.sort();
        names.dedup();
        if let Some(bad) = names.iter().find(|name| !is_good(name)) {
            return Err(ApiError::bad(format!("invalid symbol: {}", shown(bad))));
        }
        if names.len() > most {
            return Err(ApiError::bad(format!("{} symbols, at most {most} are allowed", names.len())));
        }
        Ok(names)
    }

    /// A limit from 1 to `most`.
    ///
    /// # Errors
    /// If it is no such number.
    pub fn limit(&self, usual: usize, most: usize) -> Result<usize, ApiError> {
        let Some(text) = self.text("limit") else { return Ok(usual) };
        let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
        limit.ok_or_else(|| ApiError::bad(format!("invalid limit: `{}` is not a number from 1 to {most}", shown(text))))
    }

    /// An instant: RFC 3339 with any offset, or a date, which is its midnight in New York.
    ///
    /// # Errors
    /// If it is neither.
    pub fn time(&self, name: &str) -> Result<Option<UnixNanos>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        if let Ok(date) = text.parse::<Date>()
            && text.len() <= 10
        {
            return Ok(Some(agenttrader_core::calendar::new_york(date, 0, 0)));
        }
        // A plus sign that nobody encoded reads as a blank.
        let repaired = text.replace(' ', "+");
        let read = serde_json::from_value::<EasternTime>(repaired.into());
        read.map(|time| Some(time.0))
            .map_err(|_| ApiError::bad(format!("invalid {name}: `{}` is no time", shown(text))))
    }

    /// A date.
    ///
    /// # Errors
    /// If it is none.
    pub fn date(&self, name: &str) -> Result<Option<Date>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        // Alpaca's client sends some dates with a time of day behind them.
        let day = text.get(..10).unwrap_or(text);
        day.parse().map(Some).map_err(|_| ApiError::bad(format!("invalid {name}: `{}` is no date", shown(text))))
    }

    /// A price.
    ///
    /// # Errors
    /// If it is no decimal.
    pub fn price(&self, name: &str) -> Result<Option<Price>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        Price::parse(text)
            .map(Some)
            .map_err(|_| ApiError::bad(format!("invalid {name}: `{}` is no number", shown(text))))
    }

    /// One of these words; the first of them when it is missing.
    ///
    /// # Errors
    /// If it is another.
    pub fn word<const N: usize>(&self, name: &str, words: [&'static str; N]) -> Result<&'static str, ApiError> {
        let Some(text) = self.text(name) else { return Ok(words.first().copied().unwrap_or_default()) };
        let found = words.into_iter().find(|word| *word == text);
        found.ok_or_else(|| {
            ApiError::bad(format!("invalid {name}: `{}` is not one of {}", shown(text), words.join(", ")))
        })
    }
}

/// The beginning of a text that somebody else wrote.
pub fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}
