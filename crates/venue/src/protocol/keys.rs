//! Who is asking: the credentials that a client shows.

use agenttrader_core::secret::Secret;
use axum::http::HeaderMap;

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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

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
