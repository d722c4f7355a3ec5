//! What both REST clients do: authenticated reads with deadlines, a bound on the body, and patience with a busy server.

use crate::credentials::Credentials;
use crate::tls::Tls;
use crate::wire::error::ErrorBody;
use agenttrader_core::error_chain::chain;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Response, redirect};
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::sleep;

/// Longest body read, in bytes. A page of 10,000 bars takes 1.5 MB.
pub const BODY_MAX: usize = 16 << 20;
/// Most pages of one answer. Ten million bars are no answer that a floor asks for.
pub const PAGES_MAX: usize = 1_000;

/// Deadlines and patience.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// To connect.
    pub connect: Duration,
    /// For one request, body included.
    pub request: Duration,
    /// Times a read is tried again after 429 and 504.
    pub retries: u32,
    /// The first wait where the server names none; doubles.
    pub first_wait: Duration,
    /// The longest wait, also of those the server names: who must wait longer is told so with the error.
    pub longest_wait: Duration,
}

impl Patience {
    /// Connect 5 s, request 20 s, three more tries, 1 s doubling to 10 s.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(5),
        request: Duration::from_secs(20),
        retries: 3,
        first_wait: Duration::from_secs(1),
        longest_wait: Duration::from_secs(10),
    };
}

/// Why there is no answer. Never holds a key: those go in headers, which are not shown.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// The client could not be made.
    #[error("cannot set up the HTTP client: {why}")]
    Setup {
        /// What is wrong.
        why: String,
    },
    /// The request did not get through, or the answer not back.
    #[error("GET {path}: {why}")]
    Transport {
        /// Path of the request.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The server said no.
    #[error("GET {path}: {status}{}: {message}", code.map(|code| format!(" ({code})")).unwrap_or_default())]
    Status {
        /// Path of the request.
        path: String,
        /// HTTP status.
        status: u16,
        /// Alpaca's code, if the body had one.
        code: Option<u32>,
        /// Alpaca's message, cut to 200 characters.
        message: String,
    },
    /// The body is longer than [`BODY_MAX`].
    #[error("GET {path}: body is longer than {BODY_MAX} bytes")]
    TooLong {
        /// Path of the request.
        path: String,
    },
    /// The answer does not read as what was asked for.
    #[error("GET {path}: {why}")]
    Malformed {
        /// Path of the request.
        path: String,
        /// What is wrong, cut to 200 characters.
        why: String,
    },
    /// The pages do not end.
    #[error("GET {path}: more than {PAGES_MAX} pages")]
    TooManyPages {
        /// Path of the request.
        path: String,
    },
}

impl RestError {
    /// The HTTP status, if the server gave one.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// A query, as names and values.
pub(crate) type Query = Vec<(&'static str, String)>;

/// One REST service.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    http: reqwest::Client,
    base: String,
    patience: Patience,
}

/// A part of an answer that may go on.
pub(crate) trait Page: DeserializeOwned {
    /// Where the next part begins, if there is one.
    fn take_token(&mut self) -> Option<String>;
}

impl Rest {
    pub(crate) fn new(base: &str, credentials: &Credentials, tls: &Tls, patience: Patience) -> Result<Self, RestError> {
        let mut headers = HeaderMap::new();
        let secret = credentials.secret.expose();
        for (name, variable, value) in [
            ("apca-api-key-id", "APCA_API_KEY_ID", credentials.key_id.as_str()),
            ("apca-api-secret-key", "APCA_API_SECRET_KEY", secret),
        ] {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| RestError::Setup { why: format!("{variable} holds characters that no header can") })?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.owned())
            .default_headers(headers)
            .user_agent(concat!("agenttrader/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(patience.connect)
            .timeout(patience.request)
            .build()
            .map_err(|error| RestError::Setup { why: cut(&chain(&error)) })?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), patience })
    }

    /// Reads `path`, trying again while the server is busy.
    pub(crate) async fn get<Body: DeserializeOwned>(
        &self,
        path: &str,
        query: &Query,
    ) -> Result<(Body, HeaderMap), RestError> {
        let mut wait = self.patience.first_wait;
        let mut left = self.patience.retries;
        loop {
            let transport = |error: reqwest::Error| RestError::Transport {
                path: path.to_owned(),
                why: cut(&chain(&error.without_url())),
            };
            let response =
                self.http.get(format!("{}{path}", self.base)).query(query).send().await.map_err(transport)?;
            let status = response.status().as_u16();
            let headers = response.headers().clone();
            let body = body(response, path).await?;
            if (200..300).contains(&status) {
                let malformed = |error: serde_json::Error| RestError::Malformed {
                    path: path.to_owned(),
                    why: cut(&error.to_string()),
                };
                return Ok((serde_json::from_slice(&body).map_err(malformed)?, headers));
            }
            let named = retry_after(&headers);
            let too_long = named.is_some_and(|named| named > self.patience.longest_wait);
            if matches!(status, 429 | 504) && left > 0 && !too_long {
                left = left.saturating_sub(1);
                sleep(named.unwrap_or(wait)).await;
                wait = wait.saturating_mul(2).min(self.patience.longest_wait);
                continue;
            }
            let ErrorBody { code, message } = serde_json::from_slice(&body)
                .unwrap_or_else(|_| ErrorBody { code: None, message: String::from_utf8_lossy(&body).into_owned() });
            return Err(RestError::Status { path: path.to_owned(), status, code, message: cut(&message) });
        }
    }

    /// Reads all pages of `path`, each handed to `take`.
    pub(crate) async fn pages<Part: Page>(
        &self,
        path: &str,
        query: &Query,
        mut take: impl FnMut(Part),
    ) -> Result<(), RestError> {
        let mut token: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut query = query.clone();
            query.extend(token.clone().map(|token| ("page_token", token)));
            let (mut page, _): (Part, _) = self.get(path, &query).await?;
            let next = page.take_token().filter(|token| !token.is_empty());
            take(page);
            if next.is_none() {
                return Ok(());
            }
            if next == token {
                return Err(RestError::Malformed {
                    path: path.to_owned(),
                    why: "the next page is the same page".to_owned(),
                });
            }
            token = next;
        }
        Err(RestError::TooManyPages { path: path.to_owned() })
    }
}

async fn body(mut response: Response, path: &str) -> Result<Vec<u8>, RestError> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len().saturating_add(chunk.len()) > BODY_MAX => {
                return Err(RestError::TooLong { path: path.to_owned() });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => {
                return Err(RestError::Transport { path: path.to_owned(), why: cut(&chain(&error.without_url())) });
            }
        }
    }
}

/// The wait that the server names, in whole seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

/// Names with commas between.
pub(crate) fn list<Name: ToString>(names: &[Name]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
