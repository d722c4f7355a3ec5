//! Who is asking: credentials, one stream connection a key, and the check before every REST route.

use crate::protocol::limits::{Service, Standing};
use crate::protocol::reply::{ApiError, Params};
use crate::protocol::stream::Endpoint;
use crate::server::{Plan, Shared};
use agenttrader_core::secret::Secret;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The secret that goes with every key of a venue that is not a real one.
pub const LOCAL_SECRET: &str = "local-only";

/// Longest key that is taken.
const KEY_MAX: usize = 128;

/// A key that came with the right secret. Each is an account of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// The key, if the secret goes with it.
    pub fn checked(key: &str, secret: &Secret) -> Option<Self> {
        let good = !key.is_empty() && key.len() <= KEY_MAX && secret.matches(LOCAL_SECRET);
        good.then(|| Self(key.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a request's headers say: `None` if they bring no credentials at all, else the key or the refusal of it.
    pub fn presented(headers: &HeaderMap) -> Option<Result<Self, Refused>> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let (key, secret) = match (text("apca-api-key-id"), text("apca-api-secret-key"), text("authorization")) {
            (Some(key), secret, _) => (key.to_owned(), secret.unwrap_or_default().to_owned()),
            (None, Some(secret), _) => (String::new(), secret.to_owned()),
            (None, None, Some(authorization)) => basic(authorization).unwrap_or_default(),
            (None, None, None) => return None,
        };
        Some(Self::checked(&key, &Secret::new(secret)).ok_or(Refused))
    }
}

/// Credentials that are not good.
#[derive(Clone, Copy, Debug)]
pub struct Refused;

/// Key and secret of HTTP's Basic scheme (RFC 7617).
fn basic(authorization: &str) -> Option<(String, String)> {
    let (scheme, coded) = authorization.split_once(' ')?;
    let text = String::from_utf8(from_base64(coded.trim())?).ok()?;
    let (key, secret) = text.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (key.to_owned(), secret.to_owned()))
}

/// Reads base64 with the usual alphabet (RFC 4648), padded or not.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut held) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(out)
}

/// Which keys are connected where.
#[derive(Debug, Default)]
pub struct Slots {
    taken: Mutex<BTreeSet<(Key, Endpoint)>>,
}

/// A connection's place; free again when it is dropped.
#[derive(Debug)]
pub struct Slot {
    shared: Arc<Shared>,
    place: (Key, Endpoint),
}

impl Slots {
    /// The key's one place at this endpoint, unless it is taken.
    pub(crate) fn take(shared: &Arc<Shared>, key: Key, endpoint: Endpoint) -> Option<Slot> {
        let place = (key, endpoint);
        let free = shared.slots.taken.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone());
        free.then(|| Slot { shared: Arc::clone(shared), place })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.shared.slots.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.place);
    }
}

/// Stands before every REST route: credentials, the key's limit, the plan's feeds.
pub(crate) async fn check(
    State((shared, service)): State<(Arc<Shared>, Service)>,
    params: Result<Params, ApiError>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(Ok(key)) = Key::presented(request.headers()) else { return ApiError::unauthorized().into_response() };
    let standing = shared.limits.count(service, key.as_str());
    let mut response = if standing.remaining.is_none() {
        let message = if service == Service::Data { "too many requests." } else { "rate limit exceeded" };
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, 42_910_000, message).into_response()
    } else if shared.plan == Plan::Basic
        && params.is_ok_and(|params| matches!(params.text("feed"), Some("sip" | "opra")))
    {
        let message = "subscription does not permit querying recent SIP data";
        ApiError::new(StatusCode::FORBIDDEN, 42_210_000, message).into_response()
    } else {
        request.extensions_mut().insert(key);
        next.run(request).await
    };
    say(&standing, response.headers_mut());
    response
}

fn say(standing: &Standing, headers: &mut HeaderMap) {
    let mut set = |name: &'static str, value: i64| headers.insert(name, HeaderValue::from(value));
    set("x-ratelimit-limit", standing.limit.into());
    set("x-ratelimit-remaining", standing.remaining.unwrap_or(0).into());
    set("x-ratelimit-reset", standing.reset);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_and_nothing_else() {
        assert_eq!(from_base64("a2V5OmxvY2FsLW9ubHk=").unwrap(), b"key:local-only");
        assert_eq!(from_base64("YQ").unwrap(), b"a");
        assert_eq!(from_base64("").unwrap(), b"");
        assert!(from_base64("a-b_").is_none());
    }

    #[test]
    fn any_key_goes_with_the_local_secret_and_with_no_other() {
        let presented = |pairs: &[(&'static str, &str)]| {
            let pairs =
                pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()));
            Key::presented(&pairs.collect::<HeaderMap>())
        };
        let good = |pairs: &[(&'static str, &str)]| matches!(presented(pairs), Some(Ok(_)));
        assert!(presented(&[]).is_none());
        assert!(good(&[("apca-api-key-id", "any"), ("apca-api-secret-key", "local-only")]));
        assert!(good(&[("authorization", "Basic a2V5OmxvY2FsLW9ubHk=")]));
        for bad in [
            &[("apca-api-key-id", "any"), ("apca-api-secret-key", "other")][..],
            &[("apca-api-key-id", ""), ("apca-api-secret-key", "local-only")],
            &[("apca-api-key-id", "any")],
            &[("apca-api-secret-key", "local-only")],
            &[("authorization", "Bearer local-only")],
            &[("authorization", "Basic ????")],
        ] {
            assert!(presented(bad).is_some_and(|key| key.is_err()), "{bad:?}");
        }
    }
}
