//! The secrets that the environment holds, and what leaves them out of what others say.

use agenttrader_audit::redact::Redactor;
use agenttrader_core::secret::Secret;
use agenttrader_sequence::input::{Fact, FeedFact, HealthFact, Input};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Variables of the environment that hold secrets.
const SECRET_VARIABLES: [&str; 2] = [API_SECRET, "AGENTTRADER_API_TOKEN"];

/// The secret of a venue's key.
const API_SECRET: &str = "APCA_API_SECRET_KEY";

/// Names the venue's key. Where its secret is the simulator's well-known one, it is any name, and none.
const KEY_ID_VARIABLE: &str = "APCA_API_KEY_ID";

/// The secret of every key at a simulator.
const LOCAL_SECRET: &str = "local-only";

/// Variables that hold URLs, in which somebody may write a user and a password.
const URL_VARIABLES: [&str; 3] = ["APCA_API_BASE_URL", "APCA_API_DATA_URL", "MARKETDATA_HEALTH_URL"];

/// A redactor that knows every secret of the environment.
pub fn redactor(environment: &BTreeMap<String, String>) -> Arc<Redactor> {
    let variable = |name: &&str| environment.get(*name);
    let is_real_key = environment.get(API_SECRET).is_some_and(|secret| secret != LOCAL_SECRET);
    let named = SECRET_VARIABLES.iter().filter_map(variable).cloned();
    let key_id = environment.get(KEY_ID_VARIABLE).filter(|_| is_real_key).cloned();
    let of_urls = URL_VARIABLES.iter().filter_map(variable).flat_map(|url| of_url(url));
    Arc::new(Redactor::new(named.chain(key_id).chain(of_urls).map(Secret::new)))
}

/// What stands before the `@` of a URL (RFC 3986, section 3.2.1): the password, or the user where there is none, as written and decoded, and
/// both as they go over the wire (RFC 7617).
fn of_url(url: &str) -> Vec<String> {
    let authority = url.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    let Some((user_info, _)) = authority.and_then(|authority| authority.rsplit_once('@')) else { return Vec::new() };
    let secret = user_info.split_once(':').map_or(user_info, |(_, password)| password);
    let on_the_wire = decoded(user_info);
    vec![secret.to_owned(), decoded(secret), STANDARD_NO_PAD.encode(&on_the_wire), on_the_wire]
}

/// The text without its percent-encoding (RFC 3986, section 2.1); what is none stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Takes secrets out of what a venue, a neighbour or a person said, before it is an input: an input stands in the recording as it is.
pub(crate) fn without_secrets(input: &mut Input, redactor: &Redactor) {
    let said = match input {
        Input::Fact(Fact::Feed(FeedFact::Disconnected { reason, .. } | FeedFact::Rejected { reason, .. })) => reason,
        Input::Fact(Fact::Health(HealthFact { reason: Some(reason), .. })) => reason,
        Input::Fact(Fact::Switch(reading)) => &mut reading.source,
        _ => return,
    };
    if let std::borrow::Cow::Owned(clean) = redactor.redact_cut_text(said) {
        *said = clean;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_audit::redact::REDACTED;
    use agenttrader_safety::kill_switch::Reading;

    fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_secret_of_the_environment_is_known() {
        let redactor = redactor(&environment(&[
            ("APCA_API_KEY_ID", "PKABCDEFGH"),
            ("APCA_API_SECRET_KEY", "hunter2-hunter2"),
            ("AGENTTRADER_API_TOKEN", "0123456789abcdef"),
            ("APCA_API_BASE_URL", "https://me:p%40ss-word@venue.example/path"),
            ("APCA_API_DATA_URL", "https://only-a-user@venue.example"),
            ("MARKETDATA_HEALTH_URL", "http://health:sesame-open@127.0.0.1:1/healthz?a=b@c"),
        ]));
        for secret in [
            "PKABCDEFGH",
            "hunter2-hunter2",
            "0123456789abcdef",
            "p%40ss-word",
            "p@ss-word",
            "only-a-user",
            "sesame-open",
            "aGVhbHRoOnNlc2FtZS1vcGVu",
        ] {
            assert_eq!(redactor.redact_text(&format!("sent {secret}.")), format!("sent {REDACTED}."));
        }
        for plain in ["venue.example", "127.0.0.1:1/healthz?a=b@c"] {
            assert_eq!(redactor.redact_text(plain), plain);
        }
    }

    #[test]
    fn a_simulators_key_is_no_secret() {
        let local =
            redactor(&environment(&[("APCA_API_KEY_ID", "gamma-strategy"), ("APCA_API_SECRET_KEY", "local-only")]));
        assert_eq!(local.redact_text("gamma-strategy, local-only"), "gamma-strategy, local-only");
    }

    #[test]
    fn what_others_said_is_no_input_before_its_secrets_are_out() {
        let redactor = Redactor::new([Secret::new("hunter2-hunter2".to_owned())]);
        let said = || "401: hunter2-hunt".to_owned();
        for mut input in [
            Fact::Feed(FeedFact::Disconnected { stream: "rest".to_owned(), reason: said() }),
            Fact::Feed(FeedFact::Rejected { stream: "rest".to_owned(), reason: said(), count: 1 }),
            Fact::Health(HealthFact { fresh: false, age_ms: None, reason: Some(said()) }),
            Fact::Switch(Reading { halted: true, source: said() }),
        ]
        .map(Input::Fact)
        {
            without_secrets(&mut input, &redactor);
            let shown = format!("{input:?}");
            assert!(shown.contains("401: [redacted]") && !shown.contains("hunter2"), "{shown}");
        }
    }
}
