//! Redaction of free-form data: indicators, arguments and results of tools, headers, errors.
//!
//! Typed fields and anything signed are never redacted: whoever builds a record redacts its free-form parts before they are signed.

use agenttrader_core::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What stands in place of what was removed.
pub const REDACTED: &str = "[redacted]";

/// Loaded secrets shorter than this are not looked for: they would match by accident.
const SECRET_BYTES_LEAST: usize = 8;

/// The simulator's well-known secret, which is none.
const LOCAL_SECRET: &str = "local-only";

/// Names that end in one of these words, or its plural, name a secret.
const LAST_WORDS: [&str; 9] =
    ["secret", "password", "passwd", "passphrase", "authorization", "cookie", "bearer", "token", "credential"];

/// Words that make a `key` a secret one.
const KEY_WORDS: [&str; 6] = ["api", "access", "private", "secret", "signing", "session"];

/// Removes secrets. Holds the values of the secrets that were loaded.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    /// Each in every form in which a text may quote it, the longest first.
    secrets: Vec<Secret>,
}

impl Redactor {
    /// A redactor that knows the values of these secrets, as they are and as a text may quote them: escaped, percent-encoded, in Base64
    /// and in hex. Those under eight bytes, and `local-only`, are not looked for.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let loaded = secrets
            .into_iter()
            .filter(|secret| secret.expose().len() >= SECRET_BYTES_LEAST && secret.expose() != LOCAL_SECRET);
        let forms: BTreeSet<String> = loaded.flat_map(|secret| forms(secret.expose())).collect();
        let mut secrets: Vec<Secret> = forms.into_iter().map(Secret::new).collect();
        // One secret may hold another: the longest first.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        Self { secrets }
    }

    /// Removes secrets from free-form data: the values of names that name a secret, and what is a secret anywhere.
    pub fn redact_value(&self, value: &mut Value) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => {
                if !self.secrets.is_empty() && self.is_secret(&number.to_string()) {
                    *value = Value::String(REDACTED.to_owned());
                }
            }
            Value::String(text) => {
                if let Cow::Owned(clean) = self.redact_text(text) {
                    *text = clean;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_value(item)),
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    if names_a_secret(name) {
                        *member = Value::String(REDACTED.to_owned());
                    } else {
                        self.redact_value(member);
                    }
                }
                if members.keys().any(|name| matches!(self.redact_text(name), Cow::Owned(_))) {
                    *members = self.renamed(std::mem::take(members));
                }
            }
        }
    }

    fn is_secret(&self, text: &str) -> bool {
        self.secrets.iter().any(|secret| secret.expose() == text)
    }

    /// Removes secrets from a text.
    pub fn redact_text<'text>(&self, text: &'text str) -> Cow<'text, str> {
        let mut clean = Cow::Borrowed(text);
        for secret in &self.secrets {
            if clean.contains(secret.expose()) {
                clean = Cow::Owned(clean.replace(secret.expose(), REDACTED));
            }
        }
        for remove in [private_keys, credentials, named_values] {
            if let Some(cleaner) = remove(&clean) {
                clean = Cow::Owned(cleaner);
            }
        }
        clean
    }

    /// Removes secrets from a text that others wrote and that was cut to a length on its way here: also the first eight bytes or more of a
    /// secret whose rest the cut took.
    pub fn redact_cut_text<'text>(&self, text: &'text str) -> Cow<'text, str> {
        let mut clean = Cow::Borrowed(text);
        for secret in &self.secrets {
            if let Some(cleaner) = without_beginnings(&clean, secret.expose()) {
                clean = Cow::Owned(cleaner);
            }
        }
        match clean {
            Cow::Borrowed(text) => self.redact_text(text),
            Cow::Owned(text) => Cow::Owned(self.redact_text(&text).into_owned()),
        }
    }

    /// The members with secrets removed from their names; where two names become one, the later get a number.
    fn renamed(&self, members: Map<String, Value>) -> Map<String, Value> {
        let mut renamed = Map::new();
        for (name, member) in members {
            let clean = self.redact_text(&name).into_owned();
            let free = std::iter::once(clean.clone())
                .chain((2_u32..).map(|number| format!("{clean} {number}")))
                .find(|name| !renamed.contains_key(name));
            renamed.insert(free.unwrap_or(clean), member);
        }
        renamed
    }
}

/// A secret as texts quote it: as it is, in JSON, as Rust shows it, in a URL (RFC 3986), in Base64 and in hex.
fn forms(secret: &str) -> Vec<String> {
    let json = Value::from(secret).to_string();
    let mut forms = vec![
        secret.to_owned(),
        json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(&json).to_owned(),
        secret.escape_debug().to_string(),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
    ];
    let (mut lower, mut upper) = (String::new(), String::new());
    let (mut lower_percent, mut upper_percent) = (String::new(), String::new());
    for byte in secret.bytes() {
        // Writing to a text never fails.
        let _ = write!(lower, "{byte:02x}").and_then(|()| write!(upper, "{byte:02X}"));
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            lower_percent.push(char::from(byte));
            upper_percent.push(char::from(byte));
        } else {
            let _ = write!(lower_percent, "%{byte:02x}").and_then(|()| write!(upper_percent, "%{byte:02X}"));
        }
    }
    forms.extend([lower, upper, lower_percent, upper_percent]);
    forms
}

/// The text without what begins as the secret does, as far as it goes on so, where that is eight bytes or more.
fn without_beginnings(text: &str, secret: &str) -> Option<String> {
    let least = (SECRET_BYTES_LEAST..=secret.len()).find(|at| secret.is_char_boundary(*at))?;
    let (beginning, more) = secret.split_at_checked(least)?;
    let mut out = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some((before, after)) = rest.split_once(beginning) {
        found = true;
        out.push_str(before);
        out.push_str(REDACTED);
        let same = more.chars().zip(after.chars()).take_while(|(one, other)| one == other);
        rest = after.get(same.map(|(one, _)| one.len_utf8()).sum::<usize>()..).unwrap_or_default();
    }
    out.push_str(rest);
    found.then_some(out)
}

/// Whether a name names a secret: `api_key`, `Authorization`, `refreshToken`, `APCA-API-KEY-ID`; not `public_key`, `KEY`, `token_bucket`.
pub fn names_a_secret(name: &str) -> bool {
    ends_like_a_secret(name) && words_name_a_secret(&words(name))
}

/// Whether a name's end could be that of a secret's name; cheap, and true for all that are.
fn ends_like_a_secret(name: &str) -> bool {
    if !name.is_ascii() {
        // Letters of other scripts may have ASCII ones as their lower case.
        return true;
    }
    let last = name.trim_end_matches(['_', '-', '.', ' ']).as_bytes();
    let singular = last.strip_suffix(b"s").or_else(|| last.strip_suffix(b"S")).unwrap_or(last);
    let ends = |word: &str| {
        let end = singular.len().checked_sub(word.len()).and_then(|at| singular.get(at..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(word.as_bytes()))
    };
    // All but `id` are longer than two letters; a name's last letter tells most of them from plain names.
    match singular.last().map(u8::to_ascii_lowercase) {
        Some(b'd' | b'e' | b'l' | b'n' | b'r' | b't' | b'y') => {
            ends("key") || ends("id") || LAST_WORDS.into_iter().any(ends)
        }
        _ => false,
    }
}

fn words_name_a_secret(words: &[String]) -> bool {
    let mut from_last = words.iter().rev().map(String::as_str);
    let (last, before, third) = (from_last.next().unwrap_or(""), from_last.next().unwrap_or(""), from_last.next());
    let singular = last.strip_suffix('s').unwrap_or(last);
    LAST_WORDS.contains(&last)
        || LAST_WORDS.contains(&singular)
        || (singular == "key" && KEY_WORDS.contains(&before))
        || (last == "id" && before == "key" && third == Some("api"))
}

/// The words of a name in lower case, split at `_ - .`, space and changes of case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before: Option<char> = None;
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let splits = matches!(character, '_' | '-' | '.' | ' ');
        // `apiKey` splits before `K`, `APIKey` too, `KEYS` nowhere.
        let begins = character.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase() || characters.peek().is_some_and(|next| next.is_lowercase())
            });
        if splits || begins {
            words.push(String::new());
        }
        if !splits && let Some(word) = words.last_mut() {
            word.extend(character.to_lowercase());
        }
        before = Some(character);
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The text without PEM blocks (RFC 7468) whose label holds `PRIVATE KEY`; one without an end goes to the end of the text.
fn private_keys(text: &str) -> Option<String> {
    const BEGIN: &str = "-----BEGIN ";
    if !text.contains(BEGIN) {
        return None;
    }
    let mut out = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some((before, block)) = rest.split_once(BEGIN) {
        out.push_str(before);
        let label = block.split_once("-----").map_or(block, |(label, _)| label);
        if label.contains("PRIVATE KEY") {
            found = true;
            out.push_str(REDACTED);
            let end = format!("-----END {label}-----");
            rest = block.split_once(end.as_str()).map_or("", |(_, after)| after);
        } else {
            out.push_str(BEGIN);
            rest = block;
        }
    }
    out.push_str(rest);
    found.then_some(out)
}

/// The text without what follows `Bearer` and `Basic` (RFC 6750, RFC 7617).
fn credentials(text: &str) -> Option<String> {
    next_scheme(text)?;
    let mut out = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some((before, scheme, after)) = next_scheme(rest) {
        let gap = after.len().saturating_sub(after.trim_start_matches([' ', '\t']).len());
        let (blanks, value) = after.split_at_checked(gap).unwrap_or((after, ""));
        let length = value.bytes().take_while(|byte| is_token68(*byte)).count();
        let (value, behind) = value.split_at_checked(length).unwrap_or((value, ""));
        let own_word = !before.ends_with(|last: char| last.is_ascii_alphanumeric());
        let in_prose = if scheme.eq_ignore_ascii_case("bearer") { names_a_token(value) } else { is_plain_word(value) };
        let is_credential = own_word && gap > 0 && length > 0 && !in_prose;
        out.push_str(before);
        out.push_str(scheme);
        if is_credential {
            found = true;
            out.push_str(blanks);
            out.push_str(REDACTED);
            rest = behind;
        } else {
            rest = after;
        }
    }
    out.push_str(rest);
    found.then_some(out)
}

/// The text before the next scheme's name, the name, and what follows.
fn next_scheme(text: &str) -> Option<(&str, &str, &str)> {
    let bytes = text.as_bytes();
    let mut from = 0_usize;
    let at = loop {
        let at = from.saturating_add(bytes.get(from..)?.iter().position(|byte| matches!(byte, b'b' | b'B'))?);
        let five = bytes.get(at..at.saturating_add(5))?;
        if five.eq_ignore_ascii_case(b"beare") || five.eq_ignore_ascii_case(b"basic") {
            break at;
        }
        from = at.saturating_add(1);
    };
    let (before, from) = text.split_at_checked(at)?;
    let length = if from.get(..6).is_some_and(|six| six.eq_ignore_ascii_case("bearer")) { 6 } else { 5 };
    let (scheme, after) = from.split_at_checked(length)?;
    Some((before, scheme, after))
}

/// A character of `token68` (RFC 9110, section 11.2).
const fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

/// Whether what follows `Bearer` says what a bearer has ("a bearer token is needed") and is none.
fn names_a_token(value: &str) -> bool {
    let word = value.trim_end_matches('.');
    word.eq_ignore_ascii_case("token") || word.eq_ignore_ascii_case("tokens")
}

/// Whether what follows `Basic` is a word of a sentence ("basic usage") and not the Base64 of `user:password`.
fn is_plain_word(value: &str) -> bool {
    let bare = value.trim_end_matches('=');
    let decoded = STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare));
    if decoded.is_ok_and(|bytes| bytes.contains(&b':')) {
        return false;
    }
    let word = value.trim_end_matches('.');
    let mut letters = word.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && (letters.clone().all(|letter| letter.is_ascii_lowercase() || letter == '-')
            || letters.all(|letter| letter.is_ascii_uppercase()))
}

/// The text without values of names that name a secret: `api_key=…`, `"password": "…"`, `APCA-API-SECRET-KEY: …`.
///
/// After a single word and a colon only a quoted name counts, so that `unexpected token: }` stays readable.
fn named_values(text: &str) -> Option<String> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
    let mut out = String::new();
    // All before this stands in `out`.
    let mut copied = 0;
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'=' | b':')) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let (sign, after) = from.split_at_checked(1).unwrap_or((from, ""));
        rest = after;
        let unspaced = before.trim_end_matches(' ');
        let bare = unspaced.trim_end_matches(['"', '\'', '\\']);
        let quoted = bare.len() < unspaced.len();
        let start = bare.rfind(|character| !is_name(character)).map_or(0, |at| at.saturating_add(last_len(bare, at)));
        let name = bare.get(start..).unwrap_or_default();
        if !names_a_secret(name) || (sign == ":" && !quoted && words(name).len() < 2) {
            continue;
        }
        let value = after.trim_start_matches([' ', '"', '\'', '\\']);
        let lead = after.len().saturating_sub(value.len());
        let in_quotes = after.get(..lead).is_some_and(|lead| lead.contains(['"', '\'']));
        let ends = |character: char| {
            matches!(character, '"' | '\'' | '\\' | '\n' | '\r')
                || (!in_quotes && matches!(character, ' ' | '&' | ',' | ';' | ')' | '}'))
        };
        let length = value.find(ends).unwrap_or(value.len());
        let value_at = text.len().saturating_sub(value.len());
        let (value, behind) = value.split_at_checked(length).unwrap_or((value, ""));
        if value.is_empty() || value == REDACTED || REDACTED.starts_with(value) {
            continue;
        }
        out.push_str(text.get(copied..value_at).unwrap_or_default());
        out.push_str(REDACTED);
        copied = value_at.saturating_add(length);
        rest = behind;
    }
    if out.is_empty() {
        return None;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Some(out)
}

/// Bytes of the character that begins at `at`.
fn last_len(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|from| from.chars().next()).map_or(1, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names() -> impl Strategy<Value = String> {
        let words =
            LAST_WORDS.into_iter().chain(KEY_WORDS).chain(["key", "id", "ID", "Key", "To\u{212a}en", "s", "S", "x"]);
        let piece = prop_oneof![
            proptest::sample::select(words.collect::<Vec<_>>()).prop_map(str::to_owned),
            proptest::sample::select(LAST_WORDS.to_vec()).prop_map(str::to_uppercase),
            "[-_. ]{0,2}",
            "[a-zA-Z\u{212a}\u{130}é]{0,2}",
        ];
        proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn the_cheap_look_at_a_names_end_misses_no_secret(name in names()) {
            prop_assert_eq!(names_a_secret(&name), words_name_a_secret(&words(&name)), "{}", name);
        }

        #[test]
        fn every_scheme_is_found_where_it_is(text in "([bB]|be|bEa|beare|Bearer|basic|BASIC|é| |x){0,12}") {
            let found = text.as_bytes().windows(5).position(|five| {
                five.eq_ignore_ascii_case(b"beare") || five.eq_ignore_ascii_case(b"basic")
            });
            prop_assert_eq!(next_scheme(&text).map(|(before, ..)| before.len()), found);
        }
    }
}
