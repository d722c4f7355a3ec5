//! The health contract of market data: what its producer answers, and how a consumer judges the answer.

use crate::status::present;
use agenttrader_core::canonical_json;
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::Span;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// Bytes of the longest answer that is read.
pub const HEALTH_BYTES_MOST: usize = 16 * 1024;

/// What `GET /healthz` of a market-data service answers: with 200 when `ok`, else with 503.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarketdataHealth {
    /// The service's name.
    pub service: String,
    /// Whether the feed is fresh.
    pub ok: bool,
    /// The last quote or trade, in seconds since 1970 UTC; null before the first.
    #[serde(deserialize_with = "present")]
    #[schema(required = true)]
    pub last_tick_epoch_seconds: Option<f64>,
    /// Its age in venue seconds; null before the first.
    #[serde(deserialize_with = "present")]
    #[schema(required = true)]
    pub age_seconds: Option<f64>,
    /// Older is stale.
    pub max_age_seconds: u64,
    /// Whether staleness is feigned, for a drill.
    pub forced_stale: bool,
    /// Why it is not fresh.
    pub reason_codes: Vec<String>,
}

/// Market data that a consumer may rely on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fresh {
    /// Age of the last tick in seconds: finite, not negative, within the consumer's own limit.
    pub age_seconds: f64,
}

/// Why market data counts as stale.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StaleReason {
    /// No answer: refused, reset, no such host.
    #[error("no answer: {why}")]
    Unreachable {
        /// The system's words.
        why: String,
    },
    /// No whole answer in time.
    #[error("no answer within {} ms", limit.as_millis())]
    Timeout {
        /// The time there was.
        limit: Duration,
    },
    /// Another status than 200, a redirect too.
    #[error("answered with status {status}, not 200")]
    Status {
        /// The status.
        status: u16,
    },
    /// Not declared as JSON.
    #[error("answered with content type {found:?}, not application/json")]
    ContentType {
        /// What was declared.
        found: Option<String>,
    },
    /// Not JSON, too long, or JSON that can be read in two ways.
    #[error("the answer is not JSON: {why}")]
    Json {
        /// What is wrong.
        why: String,
    },
    /// A field is missing, unknown or wrongly typed.
    #[error("the answer does not fit the contract: {why}")]
    Contract {
        /// Which field, and how.
        why: String,
    },
    /// Another service answered.
    #[error("{found:?} answered, not {expected:?}")]
    Service {
        /// Who answered.
        found: String,
        /// Who should have.
        expected: String,
    },
    /// The service says itself that it is not fresh.
    #[error("the service is not fresh: {}", reason_codes.join(", "))]
    NotOk {
        /// Its reasons.
        reason_codes: Vec<String>,
    },
    /// No age, though fresh.
    #[error("the answer has no age")]
    NoAge,
    /// The last tick lies in the future.
    #[error("the age is {age_seconds} s: the last tick lies in the future")]
    Future {
        /// The age.
        age_seconds: f64,
    },
    /// Older than the consumer's own limit.
    #[error("the last tick is {age_seconds} s old, the limit is {limit}")]
    Old {
        /// The age.
        age_seconds: f64,
        /// The consumer's limit.
        limit: Span,
    },
}

/// Judges an answer: fresh only if everything about it is as it must be.
///
/// # Errors
/// [`StaleReason`], the first that holds.
pub fn judge_health(
    http_status: u16,
    content_type: Option<&str>,
    body: &[u8],
    own_limit: Span,
    expected_service: &str,
) -> Result<Fresh, StaleReason> {
    if http_status != 200 {
        return Err(StaleReason::Status { status: http_status });
    }
    if !content_type.is_some_and(is_json) {
        return Err(StaleReason::ContentType { found: content_type.map(|found| found.chars().take(64).collect()) });
    }
    let value = canonical_json::parse_within(body, HEALTH_BYTES_MOST)
        .map_err(|error| StaleReason::Json { why: error.to_string() })?;
    let health: MarketdataHealth =
        serde_json::from_value(value).map_err(|error| StaleReason::Contract { why: error.to_string() })?;
    if health.service != expected_service {
        let found = health.service.chars().take(64).collect();
        return Err(StaleReason::Service { found, expected: expected_service.to_owned() });
    }
    // One that says it feigns staleness is stale whatever else it says.
    if !health.ok || health.forced_stale {
        return Err(StaleReason::NotOk { reason_codes: health.reason_codes });
    }
    let age_seconds = health.age_seconds.filter(|age| age.is_finite()).ok_or(StaleReason::NoAge)?;
    if age_seconds < 0.0 {
        return Err(StaleReason::Future { age_seconds });
    }
    if age_seconds > own_limit.as_seconds_f64() {
        return Err(StaleReason::Old { age_seconds, limit: own_limit });
    }
    Ok(Fresh { age_seconds })
}

/// `application/json`, with or without parameters.
fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// A client for polling neighbours: no redirects, no proxy, plain or TLS.
///
/// # Errors
/// When the TLS configuration cannot be made.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    http_client_with(reqwest::header::HeaderMap::new())
}

/// The same, with headers that each request carries: a token. Redirects are not followed, so it goes to the address asked alone.
///
/// # Errors
/// As [`http_client`].
pub fn http_client_with(headers: reqwest::header::HeaderMap) -> Result<reqwest::Client, reqwest::Error> {
    // One provider a process; another part of it may have set the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    client.user_agent("agenttrader").default_headers(headers).build()
}

/// Asks a market-data service how it is, and judges the answer.
///
/// # Errors
/// [`StaleReason`] for anything but a fresh answer within `timeout`.
pub async fn poll_health(
    client: &reqwest::Client,
    url: &str,
    timeout: Duration,
    own_limit: Span,
    expected_service: &str,
) -> Result<Fresh, StaleReason> {
    let answer = fetch(client, url, timeout, HEALTH_BYTES_MOST).await.map_err(|error| match error {
        FetchError::Timeout => StaleReason::Timeout { limit: timeout },
        FetchError::TooLong { limit } => StaleReason::Json { why: format!("more than {limit} bytes") },
        FetchError::Failed { why } => StaleReason::Unreachable { why },
    })?;
    judge_health(answer.status, answer.content_type.as_deref(), &answer.body, own_limit, expected_service)
}

/// An HTTP answer, read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// What the body is declared to be.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Not whole in time.
    #[error("no answer in time")]
    Timeout,
    /// Longer than allowed.
    #[error("the answer is longer than {limit} bytes")]
    TooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// Refused, reset, not HTTP.
    #[error("{why}")]
    Failed {
        /// The causes, outermost first.
        why: String,
    },
}

/// Gets a page of at most `most` bytes, whole within `timeout`.
///
/// # Errors
/// [`FetchError`].
pub async fn fetch(client: &reqwest::Client, url: &str, timeout: Duration, most: usize) -> Result<Fetched, FetchError> {
    let whole = async {
        let mut answer = client.get(url).send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let content_type =
            answer.headers().get("content-type").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len().saturating_add(chunk.len()) > most {
                return Err(FetchError::TooLong { limit: most });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched { status, content_type, body })
    };
    tokio::time::timeout(timeout, whole).await.unwrap_or(Err(FetchError::Timeout))
}

/// An error with its causes in one line. Of the URL it shows no user, password or query: they may be secrets.
fn failed(mut error: reqwest::Error) -> FetchError {
    if let Some(url) = error.url_mut() {
        // A URL without a host has neither.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        url.set_query(None);
        url.set_fragment(None);
    }
    FetchError::Failed { why: chain(&error) }
}
