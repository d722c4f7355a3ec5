//! Both lists: what must go, and what must stay.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use agenttrader_audit::redact::{REDACTED, Redactor, names_a_secret};
use agenttrader_audit::{IntentType, Record};
use agenttrader_core::secret::Secret;
use proptest::prelude::*;
use serde_json::{Value, json};

const SECRET_NAMES: &[&str] = &[
    "secret",
    "password",
    "passwd",
    "passphrase",
    "authorization",
    "Authorization",
    "cookie",
    "Set-Cookie",
    "bearer",
    "token",
    "tokens",
    "credential",
    "credentials",
    "secrets",
    "passwords",
    "client_secret",
    "clientSecret",
    "db.password",
    "refreshToken",
    "access token",
    "Proxy-Authorization",
    "api_key",
    "apiKey",
    "APIKey",
    "API_KEY",
    "x-api-key",
    "api_keys",
    "access_key",
    "private_key",
    "PrivateKey",
    "secret_key",
    "signing-key",
    "session key",
    "APCA_API_SECRET_KEY",
    "APCA-API-SECRET-KEY",
    "APCA_API_KEY_ID",
    "APCA-API-KEY-ID",
    "apiKeyId",
    "AGENTTRADER_MCP_TOKEN",
];

const PLAIN_NAMES: &[&str] = &[
    "KEY",
    "KEYS",
    "key",
    "keys",
    "monkey",
    "strategy_key",
    "public_key",
    "publicKey",
    "token_bucket",
    "tokenizer",
    "key_id",
    "sort_key",
    "secretary",
    "passworded",
    "cookie_jar",
    "bearer_of_news",
    "authorization_id",
    "symbol",
    "",
    // Records.
    "timestamp",
    "seq",
    "repo_id",
    "agent_name",
    "agent_role",
    "agent_mode",
    "git_sha",
    "build_id",
    "intent_id",
    "correlation_id",
    "trace_id",
    "intent_type",
    "intent_summary",
    "intent_payload",
    "outcome",
    "duration_ms",
    "error",
    "sha256",
    "size",
    // Proposals and decisions.
    "proposal_id",
    "created_at_utc",
    "strategy_name",
    "strategy_version",
    "causation",
    "intent",
    "asset_type",
    "option",
    "expiration",
    "right",
    "strike",
    "contract_symbol",
    "legs",
    "side",
    "ratio",
    "quantity",
    "order_type",
    "limit_price",
    "time_in_force",
    "rationale",
    "short_reason",
    "indicators",
    "risk",
    "max_loss_usd",
    "stop_loss",
    "take_profit",
    "constraints",
    "valid_until_utc",
    "requires_human_approval",
    "signature",
    "decision_id",
    "decision",
    "reason_codes",
    "recommended_order",
    "safety_snapshot",
    "limits",
    "decided_at_utc",
    "proposal_digest",
    "submitted_by",
    "idempotency_key",
    "untrusted_text",
    "source",
    // Starts, torn ends, heads and checkpoints of logs.
    "public_keys",
    "log",
    "sign",
    "torn",
    "bytes",
    "why",
    "origin",
    "tree_size",
    "root_hash",
    "checkpoint_utc",
    "root",
    "chain",
    "last_time",
    // Causes, feeds, switch and claims.
    "cause",
    "recording_id",
    "recording_sha256",
    "input_number",
    "at_utc",
    "stream",
    "reason",
    "reading",
    "halted",
    "claim",
    "user",
];

/// Words with which a secret's name ends.
const LAST_WORDS: [&str; 9] =
    ["secret", "password", "passwd", "passphrase", "authorization", "cookie", "bearer", "token", "credential"];

/// Words before `key` in a secret's name.
const KEY_WORDS: [&str; 6] = ["api", "access", "private", "secret", "signing", "session"];

const SSH_SIGNATURE: &str =
    "-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg\n-----END SSH SIGNATURE-----\n";

const PEM: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----";

fn redactor() -> Redactor {
    Redactor::new(
        ["correct-horse", "correct-horse-battery", "short", "local-only"].map(|text| Secret::new(text.into())),
    )
}

fn redacted(mut value: Value) -> Value {
    redactor().redact_value(&mut value);
    value
}

#[test]
fn values_of_secret_names_go_whatever_they_are() {
    for name in SECRET_NAMES {
        assert!(names_a_secret(name), "{name}");
        for value in [json!("v"), json!(7), json!(["a", {"b": 1}]), json!(null)] {
            assert_eq!(redacted(json!({"deep": [{*name: value}]})), json!({"deep": [{*name: REDACTED}]}), "{name}");
        }
    }
}

/// The words as one name, in every way in which words are put together.
fn spellings(words: &[&str]) -> Vec<String> {
    let capital = |word: &&str| word[..1].to_uppercase() + &word[1..];
    let pascal: String = words.iter().map(capital).collect();
    let camel = words[0].to_owned() + &words[1..].iter().map(capital).collect::<String>();
    let mut spelled = vec![pascal, camel];
    for separator in ["_", "-", ".", " "] {
        let joined = words.join(separator);
        spelled.extend([joined.to_uppercase(), words.iter().map(capital).collect::<Vec<_>>().join(separator), joined]);
    }
    spelled
}

#[test]
fn every_name_of_a_secret_is_one_in_every_spelling_and_as_a_plural() {
    let last = LAST_WORDS.into_iter().map(|word| vec![word]);
    let keys = KEY_WORDS.into_iter().map(|word| vec![word, "key"]);
    for words in last.chain(keys) {
        let (before, end) = words.split_at(words.len() - 1);
        for end in [end[0].to_owned(), format!("{}s", end[0])] {
            for words in [[before, &[&end]].concat(), [&["x"], before, &[&end]].concat()] {
                for name in spellings(&words) {
                    assert!(names_a_secret(&name), "{name}");
                }
            }
        }
        for name in spellings(&[&words[..], &["bucket"]].concat()) {
            assert!(!names_a_secret(&name), "{name}");
        }
    }
    for words in [&["api", "key", "id"][..], &["x", "api", "key", "id"]] {
        assert!(spellings(words).iter().all(|name| names_a_secret(name)));
    }
    for word in ["strategy", "public", "sort", "x"] {
        assert!(
            spellings(&[word, "key"]).iter().chain(&spellings(&[word, "key", "id"])).all(|name| !names_a_secret(name))
        );
    }
}

#[test]
fn blocks_of_private_keys_go_whatever_their_label() {
    for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"] {
        let block = format!("-----BEGIN {label}-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END {label}-----");
        goes(&format!("a {block} b {block}\n"), "a [redacted] b [redacted]\n");
        let quoted = Value::from(block).to_string();
        goes(&quoted, "\"[redacted]\"");
    }
}

#[test]
fn a_loaded_secret_of_digits_goes_as_a_number_too() {
    let mut value = json!({"pin": 1234567890, "other": 12345678901_u64, "list": [1234567890]});
    Redactor::new([Secret::new("1234567890".into())]).redact_value(&mut value);
    assert_eq!(value, json!({"pin": REDACTED, "other": 12345678901_u64, "list": [REDACTED]}));
}

#[test]
fn values_of_plain_names_stay() {
    for name in PLAIN_NAMES {
        assert!(!names_a_secret(name), "{name}");
        let value = json!({*name: "gamma", "list": [{*name: 1.5}]});
        assert_eq!(redacted(value.clone()), value, "{name}");
    }
}

#[test]
fn every_field_of_a_record_stays() {
    let record = Record {
        timestamp: agenttrader_core::time::UnixNanos::EPOCH,
        seq: 1,
        repo_id: "agent-trader-v2".into(),
        agent_name: "gamma-strategy".into(),
        agent_role: agenttrader_core::identity::AgentRole::StrategyEval,
        agent_mode: agenttrader_core::identity::AgentMode::Observe,
        git_sha: "0123456789abcdef0123456789abcdef01234567".into(),
        build_id: "unknown".into(),
        intent_id: uuid::Uuid::nil(),
        correlation_id: None,
        trace_id: None,
        intent_type: IntentType::Signal,
        intent_summary: "token bucket empty: 5 a second".into(),
        intent_payload: json!({"signature": SSH_SIGNATURE, "public_key": "ssh-ed25519 AAAAC3Nza"}),
        outcome: agenttrader_audit::Outcome::Refused,
        duration_ms: None,
        error: None,
    };
    let value = serde_json::to_value(&record).unwrap();
    assert_eq!(redacted(value.clone()), value);
}

fn goes(text: &str, clean: &str) {
    assert_eq!(redactor().redact_text(text), clean);
    assert_eq!(redacted(json!({"note": text})), json!({"note": clean}));
    assert_eq!(redactor().redact_text(clean), clean, "a clean text stays as it is");
}

fn stays(text: &str) {
    goes(text, text);
}

#[test]
fn secrets_go_from_texts() {
    goes("Bearer abc.DEF-123_~+/==", "Bearer [redacted]");
    goes("authorization: bearer abc", "authorization: bearer [redacted]");
    goes("Bearer token-1 and bearer tok", "Bearer [redacted] and bearer [redacted]");
    goes("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==, then", "Basic [redacted], then");
    goes("BASIC  dXNlcjpwYXNz", "BASIC  [redacted]");
    goes("key correct-horse-battery and correct-horse!", "key [redacted] and [redacted]!");
    goes(&format!("a {PEM} b"), "a [redacted] b");
    goes("-----BEGIN PRIVATE KEY-----\nMIIB", "[redacted]");
    goes("GET /v2?api_key=abc123&symbol=SPY", "GET /v2?api_key=[redacted]&symbol=SPY");
    goes("token=abc, next", "token=[redacted], next");
    goes("APCA-API-SECRET-KEY: PKabc123", "APCA-API-SECRET-KEY: [redacted]");
    goes(r#"{"password": "hunter2 and more", "a": 1}"#, r#"{"password": "[redacted]", "a": 1}"#);
    goes(r#"{\"apiKey\":\"x\"}"#, r#"{\"apiKey\":\"[redacted]\"}"#);
}

#[test]
fn other_texts_stay() {
    for text in [
        SSH_SIGNATURE,
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----",
        "basic usage of gamma",
        "Basic authentication",
        "forebearer x",
        "KEY 50.10 x 50.12",
        "KEYS=3 monkey=4",
        "strategy_key=gamma public_key: AAAA",
        "unexpected token: `}` at byte 7",
        "token_bucket=5",
        "short and local-only",
        "",
        "ends in Bearer",
        "give a bearer token or bind to loopback",
        "needs a Bearer token.",
        "Bearer",
        "a = b : c",
    ] {
        stays(text);
    }
}

#[test]
fn secrets_go_from_names_too_and_no_member_is_lost() {
    let value = redacted(json!({"correct-horse": 1, "correct-horse-battery": 2, "plain": 3}));
    assert_eq!(value, json!({"[redacted]": 1, "[redacted] 2": 2, "plain": 3}));
}

#[test]
fn a_loaded_secret_goes_in_every_form_in_which_a_text_quotes_it() {
    let secret = "p@ss \"word\"/é+1";
    let redactor = Redactor::new([Secret::new(secret.to_owned())]);
    for form in [
        secret,
        r#"p@ss \"word\"/é+1"#,
        "p%40ss%20%22word%22%2F%C3%A9%2B1",
        "p%40ss%20%22word%22%2f%c3%a9%2b1",
        "cEBzcyAid29yZCIvw6krMQ",
        "cEBzcyAid29yZCIvw6krMQ==",
        "704073732022776f7264222fc3a92b31",
        "704073732022776F7264222FC3A92B31",
    ] {
        let clean = redactor.redact_text(form).into_owned();
        assert_eq!(clean.trim_end_matches('='), REDACTED, "{form}");
    }
    let debugged = format!("{:?}", format!("said {secret}"));
    assert_eq!(redactor.redact_text(&debugged), r#""said [redacted]""#);
}

#[test]
fn the_beginning_of_a_secret_goes_from_a_text_that_was_cut() {
    for (text, clean) in [
        ("401: sent correct-horse-bat", "401: sent [redacted]"),
        ("401: sent correct-horse-", "401: sent [redacted]"),
        ("401: sent correct-hor", "401: sent [redacted]"),
        ("401: sent correct-", "401: sent [redacted]"),
        ("401: sent correct", "401: sent correct"),
        ("sent correct-ho; next try in 7 ms", "sent [redacted]; next try in 7 ms"),
        ("Y29ycmVjdC1ob3Jz cut", "[redacted] cut"),
        ("correct-correct-horse-battery", "[redacted][redacted]"),
    ] {
        assert_eq!(redactor().redact_cut_text(text), clean);
    }
}

proptest! {
    #[test]
    fn no_cut_leaves_eight_bytes_of_a_secret(before in "[a-z é]{0,20}", at in 0_usize..60) {
        let text: String = format!("{before}correct-horse-battery").chars().take(at).collect();
        prop_assert!(!redactor().redact_cut_text(&text).contains("correct-"));
    }

    #[test]
    fn a_loaded_secret_never_stands_in_what_was_redacted(before in ".{0,40}", after in ".{0,40}") {
        let text = format!("{before}correct-horse-battery{after}");
        prop_assert!(!redactor().redact_text(&text).contains("correct-horse"));
    }

    #[test]
    fn any_text_is_redacted_without_a_panic(text in "(?s).{0,200}|([Bb]asic|[Bb]earer|token[=:]|-----BEGIN PRIVATE KEY-----|\"| |=|é){0,20}") {
        let clean = redactor().redact_text(&text).into_owned();
        prop_assert_eq!(redactor().redact_text(&clean), clean.as_str());
    }
}
