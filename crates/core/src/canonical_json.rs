//! Canonical JSON (RFC 8785) and a strict reader of JSON.
//!
//! Everything that is hashed or signed goes through [`to_bytes`]; everything whose hash or signature is checked comes in through
//! [`parse`]. The reader refuses what two implementations could read differently (RFC 7493): duplicate keys, lone surrogates,
//! numbers that a double cannot hold. So equal canonical bytes mean equal values: `parse(to_bytes(v))` is `v` for every `v` that
//! `parse` gives.

mod check;

pub use check::{Shape, is_canonical, members};

use serde_json::{Map, Number, Value};
use std::fmt::Write as _;

/// Arrays and objects may nest this deep, in reading and in writing.
pub const MAX_DEPTH: usize = 64;

/// The largest integer that every JSON implementation holds exactly, 2^53 − 1 (RFC 7493, section 2.2).
pub const MAX_INTEGER: u64 = 9_007_199_254_740_991;

/// Why a value has no canonical form, or bytes are not JSON that can be trusted to mean one thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// More bytes than the caller allows.
    #[error("JSON of {len} bytes is longer than the {limit} allowed")]
    TooLong {
        /// Bytes given.
        len: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("JSON is not UTF-8 at byte {at}")]
    NotUtf8 {
        /// Offset of the first wrong byte.
        at: usize,
    },
    /// Not JSON.
    #[error("not JSON at byte {at}: expected {expected}")]
    Syntax {
        /// Offset of the byte that fits nothing.
        at: usize,
        /// What would have fitted.
        expected: &'static str,
    },
    /// More bytes after the value.
    #[error("more data at byte {at}, after the end of the JSON value")]
    TrailingData {
        /// Offset of the first byte too many.
        at: usize,
    },
    /// An object names a key twice.
    #[error("key `{key}` stands twice in one object, the second time at byte {at}")]
    DuplicateKey {
        /// The key, its first 64 characters.
        key: String,
        /// Offset of the second key.
        at: usize,
    },
    /// Half of a surrogate pair, which no UTF-8 string can hold.
    #[error("lone surrogate escape at byte {at}")]
    LoneSurrogate {
        /// Offset of the escape.
        at: usize,
    },
    /// Arrays and objects nest too deep.
    #[error("JSON nests deeper than {limit}")]
    TooDeep {
        /// Levels allowed.
        limit: usize,
    },
    /// An integer that a double does not hold, or a number beyond a double's range.
    #[error("number {number} cannot be held exactly by every JSON reader; write it as a string")]
    Number {
        /// The number as written, its first 64 characters.
        number: String,
    },
    /// A value that does not serialise.
    #[error("cannot be written as JSON: {why}")]
    Unserialisable {
        /// What the serialiser said.
        why: String,
    },
}

/// The canonical text of anything that serialises.
///
/// # Errors
/// As [`to_string`], and [`CanonicalError::Unserialisable`].
pub fn of<T: serde::Serialize>(value: &T) -> Result<String, CanonicalError> {
    let value =
        serde_json::to_value(value).map_err(|error| CanonicalError::Unserialisable { why: error.to_string() })?;
    to_string(&value)
}

/// The canonical text of a value: no blanks, keys in order of UTF-16 code units, numbers as ECMAScript writes them.
///
/// # Errors
/// [`CanonicalError::Number`] for an integer beyond ±(2^53 − 1), [`CanonicalError::TooDeep`] beyond [`MAX_DEPTH`].
pub fn to_string(value: &Value) -> Result<String, CanonicalError> {
    let mut out = String::new();
    write_value(value, MAX_DEPTH, &mut out)?;
    Ok(out)
}

/// [`to_string`] as bytes, ready to be hashed or signed.
///
/// # Errors
/// As [`to_string`].
pub fn to_bytes(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    to_string(value).map(String::into_bytes)
}

/// Appends the canonical text of a value that will stand `inside` levels deep in what `out` becomes: 1 for a member of an object. What was
/// appended before an error stays.
///
/// # Errors
/// As [`to_string`]; the levels around the value count.
pub fn append(value: &Value, inside: usize, out: &mut String) -> Result<(), CanonicalError> {
    let levels_left = MAX_DEPTH.checked_sub(inside).ok_or(CanonicalError::TooDeep { limit: MAX_DEPTH })?;
    write_value(value, levels_left, out)
}

/// Reads one JSON value that takes up all of `bytes`. Blanks as JSON allows them; numbers that are whole come back as integers, however
/// they were written.
///
/// # Errors
/// [`CanonicalError`] with the offset, for anything that is not JSON or could be read in two ways.
pub fn parse(bytes: &[u8]) -> Result<Value, CanonicalError> {
    let text = std::str::from_utf8(bytes).map_err(|error| CanonicalError::NotUtf8 { at: error.valid_up_to() })?;
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(MAX_DEPTH)?;
    reader.skip_blanks();
    if reader.at < text.len() {
        return Err(CanonicalError::TrailingData { at: reader.at });
    }
    Ok(value)
}

/// [`parse`] for at most `max_len` bytes; longer input is refused before it is looked at.
///
/// # Errors
/// [`CanonicalError::TooLong`], otherwise as [`parse`].
pub fn parse_within(bytes: &[u8], max_len: usize) -> Result<Value, CanonicalError> {
    if bytes.len() > max_len {
        return Err(CanonicalError::TooLong { len: bytes.len(), limit: max_len });
    }
    parse(bytes)
}

/// One level deeper, or too deep.
fn deeper(levels_left: usize) -> Result<usize, CanonicalError> {
    levels_left.checked_sub(1).ok_or(CanonicalError::TooDeep { limit: MAX_DEPTH })
}

fn write_value(value: &Value, levels_left: usize, out: &mut String) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(number, out)?,
        Value::String(text) => append_text(text, out),
        Value::Array(items) => {
            let inside = deeper(levels_left)?;
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, inside, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => write_object(members, deeper(levels_left)?, out)?,
    }
    Ok(())
}

fn write_object(members: &Map<String, Value>, levels_left: usize, out: &mut String) -> Result<(), CanonicalError> {
    let write = |(index, (key, member)): (usize, (&String, &Value)), out: &mut String| {
        if index > 0 {
            out.push(',');
        }
        append_text(key, out);
        out.push(':');
        write_value(member, levels_left, out)
    };
    out.push('{');
    // Among ASCII keys, the usual ones, the order of bytes is that of UTF-16 code units; that the map has it is looked up, not assumed.
    let in_order = members.keys().all(|key| key.is_ascii()) && members.keys().is_sorted();
    if in_order {
        members.iter().enumerate().try_for_each(|member| write(member, out))?;
    } else {
        let mut ordered: Vec<(&String, &Value)> = members.iter().collect();
        ordered.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
        ordered.into_iter().enumerate().try_for_each(|member| write(member, out))?;
    }
    out.push('}');
    Ok(())
}

fn write_number(number: &Number, out: &mut String) -> Result<(), CanonicalError> {
    let refused = || CanonicalError::Number { number: shown(&number.to_string()) };
    let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
    match magnitude {
        Some(magnitude) if magnitude <= MAX_INTEGER => {
            if number.is_i64() && number.as_u64().is_none() {
                out.push('-');
            }
            append_integer(magnitude, out);
        }
        Some(_) => return Err(refused()),
        None => {
            let double = number.as_f64().filter(|double| double.is_finite()).ok_or_else(refused)?;
            out.push_str(ryu_js::Buffer::new().format_finite(double));
        }
    }
    Ok(())
}

/// Appends a whole number's digits.
pub fn append_integer(number: u64, out: &mut String) {
    // Writing to a text cannot fail.
    let _ = write!(out, "{number}");
}

/// Appends a text in quotes, escaped the one canonical way.
pub fn append_text(text: &str, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !is_escaped(byte) {
            continue;
        }
        // An escaped byte is ASCII, so these are always cuts between characters.
        out.push_str(text.get(plain..at).unwrap_or_default());
        plain = at.saturating_add(1);
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x8 => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            0xc => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            control => {
                out.push_str("\\u00");
                for nibble in [control >> 4, control & 0xf] {
                    out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
                }
            }
        }
    }
    out.push_str(text.get(plain..).unwrap_or_default());
    out.push('"');
}

/// Whether a byte never stands for itself in a string.
const fn is_escaped(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// Reads JSON from its start, byte offset by byte offset.
struct Reader<'text> {
    text: &'text str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, levels_left: usize) -> Result<Value, CanonicalError> {
        self.skip_blanks();
        match self.peek() {
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'"') => self.string().map(Value::String),
            Some(b'[') => self.array(deeper(levels_left)?),
            Some(b'{') => self.object(deeper(levels_left)?),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            _ => Err(self.expected("a value")),
        }
    }

    fn array(&mut self, levels_left: usize) -> Result<Value, CanonicalError> {
        let mut items = Vec::new();
        self.step();
        self.skip_blanks();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(levels_left)?);
            self.skip_blanks();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    fn object(&mut self, levels_left: usize) -> Result<Value, CanonicalError> {
        let mut members = Map::new();
        self.step();
        self.skip_blanks();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_blanks();
            let key_at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.expected("a key"));
            }
            let key = self.string()?;
            if members.contains_key(&key) {
                return Err(CanonicalError::DuplicateKey { key: shown(&key), at: key_at });
            }
            self.skip_blanks();
            if !self.take(b':') {
                return Err(self.expected("`:`"));
            }
            let member = self.value(levels_left)?;
            members.insert(key, member);
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `}`"));
            }
        }
    }

    fn string(&mut self) -> Result<String, CanonicalError> {
        let mut out = String::new();
        self.step();
        loop {
            let plain = self.at;
            while self.peek().is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
                self.step();
            }
            // The bytes on both sides are ASCII or an end, so this is always a cut between characters.
            out.push_str(self.text.get(plain..self.at).unwrap_or_default());
            if self.take(b'"') {
                return Ok(out);
            }
            if self.peek() != Some(b'\\') {
                return Err(self.expected("a string's next character, control characters escaped"));
            }
            out.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, CanonicalError> {
        let escape_at = self.at;
        self.step();
        let plain = match self.peek() {
            Some(same @ (b'"' | b'\\' | b'/')) => char::from(same),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.step();
                return self.unicode(escape_at);
            }
            _ => return Err(self.expected("an escape")),
        };
        self.step();
        Ok(plain)
    }

    /// The character of one `\uXXXX`, or of two that make a surrogate pair; stands on the first hex digit.
    fn unicode(&mut self, escape_at: usize) -> Result<char, CanonicalError> {
        let lone = CanonicalError::LoneSurrogate { at: escape_at };
        let first = self.hex4()?;
        if !matches!(first, 0xd800..=0xdfff) {
            return char::from_u32(u32::from(first)).ok_or(lone);
        }
        if !(self.take(b'\\') && self.take(b'u')) {
            return Err(lone);
        }
        let pair = [first, self.hex4()?];
        match char::decode_utf16(pair).next() {
            Some(Ok(character)) => Ok(character),
            Some(Err(_)) | None => Err(lone),
        }
    }

    fn hex4(&mut self) -> Result<u16, CanonicalError> {
        let mut unit = 0_u16;
        for _ in 0..4 {
            let digit =
                self.peek().and_then(|byte| char::from(byte).to_digit(16)).and_then(|digit| u16::try_from(digit).ok());
            let Some(digit) = digit else { return Err(self.expected("four hex digits")) };
            unit = (unit << 4) | digit;
            self.step();
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<Number, CanonicalError> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.step();
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.step();
            }
            self.digits()?;
        }
        number_from(self.text.get(start..self.at).unwrap_or_default())
    }

    fn digits(&mut self) -> Result<(), CanonicalError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.expected("a digit"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.step();
        }
        Ok(())
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, CanonicalError> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.expected(word));
        }
        self.at = self.at.saturating_add(word.len());
        Ok(value)
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.step();
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        if there {
            self.step();
        }
        there
    }

    fn expected(&self, expected: &'static str) -> CanonicalError {
        CanonicalError::Syntax { at: self.at, expected }
    }
}

/// The number that a JSON literal means: the nearest double, as an integer where that is whole and within ±(2^53 − 1).
///
/// A whole number beyond that, written in digits alone, is taken only if it is spelt as its double is spelt: any other would lose digits.
fn number_from(literal: &str) -> Result<Number, CanonicalError> {
    let refused = || CanonicalError::Number { number: shown(literal) };
    let double: f64 = literal.parse().map_err(|_| refused())?;
    let number = Number::from_f64(double).ok_or_else(refused)?;
    if double.fract() != 0.0 {
        return Ok(number);
    }
    if double.abs() <= MAX_INTEGER as f64 {
        // Exact in this range; minus nought becomes nought, as in the canonical form.
        return Ok(Number::from(double as i64));
    }
    let is_rounded_anyway = literal.contains(['.', 'e', 'E']);
    if is_rounded_anyway || ryu_js::Buffer::new().format_finite(double) == literal {
        Ok(number)
    } else {
        Err(refused())
    }
}

fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn canonical(text: &str) -> String {
        to_string(&parse(text.as_bytes()).unwrap()).unwrap()
    }

    fn refused(text: &str) -> CanonicalError {
        parse(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn integers_beyond_what_a_double_holds_are_refused_both_ways() {
        for good in ["9007199254740991", "-9007199254740991"] {
            assert_eq!(canonical(good), good);
        }
        for bad in
            ["9007199254740993", "-9007199254740993", "18446744073709551615", "18446744073709551617", "1e400", "-1e400"]
        {
            assert_eq!(refused(bad), CanonicalError::Number { number: bad.to_owned() });
        }
        for bad in [json!(MAX_INTEGER + 1), json!(-(MAX_INTEGER as i64) - 1), json!(u64::MAX), json!(i64::MIN)] {
            assert_eq!(to_string(&bad), Err(CanonicalError::Number { number: bad.to_string() }));
        }
    }

    #[test]
    fn one_number_has_one_value_however_it_is_written() {
        for same in ["1", "1.0", "10e-1", "0.1E1", "1.00000000000000000000000001"] {
            assert_eq!(parse(same.as_bytes()).unwrap(), json!(1), "{same}");
        }
        for same in ["0", "-0", "-0.0", "0e9", "1e-400"] {
            assert_eq!(parse(same.as_bytes()).unwrap(), json!(0), "{same}");
        }
    }

    #[test]
    fn two_readings_of_one_text_are_refused() {
        assert_eq!(
            refused(r#"{"a":1,"b":{"a":1},"a":2}"#),
            CanonicalError::DuplicateKey { key: "a".to_owned(), at: 19 }
        );
        assert_eq!(refused(r#"{"a":1,"\u0061":2}"#), CanonicalError::DuplicateKey { key: "a".to_owned(), at: 7 });
        for lone in
            [r#""\ud83d""#, r#""\ude00""#, r#""\ud83dx""#, r#""\ud83d\n""#, r#""\ud83d\ud83d""#, r#""\ude00\ud83d""#]
        {
            assert_eq!(refused(lone), CanonicalError::LoneSurrogate { at: 1 }, "{lone}");
        }
        assert_eq!(parse(b"\"ab\xff\""), Err(CanonicalError::NotUtf8 { at: 3 }));
        // Half a surrogate pair in UTF-8's clothes.
        assert_eq!(parse(b"\"\xed\xa0\xbd\""), Err(CanonicalError::NotUtf8 { at: 1 }));
        assert_eq!(refused("1 2"), CanonicalError::TrailingData { at: 2 });
        assert_eq!(refused("{}x"), CanonicalError::TrailingData { at: 2 });
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for (text, at, expected) in [
            ("", 0, "a value"),
            ("  ", 2, "a value"),
            ("\u{feff}1", 0, "a value"),
            ("nul", 0, "null"),
            ("[1,]", 3, "a value"),
            ("[1 2]", 3, "`,` or `]`"),
            ("[1", 2, "`,` or `]`"),
            (r#"{"a" 1}"#, 5, "`:`"),
            (r#"{"a":1,}"#, 7, "a key"),
            ("{a:1}", 1, "a key"),
            (r#"{"a":1"#, 6, "`,` or `}`"),
            ("-", 1, "a digit"),
            ("1.", 2, "a digit"),
            ("1e+", 3, "a digit"),
            ("+1", 0, "a value"),
            (".5", 0, "a value"),
            ("NaN", 0, "a value"),
            (r#""a"#, 2, "a string's next character, control characters escaped"),
            ("\"\t\"", 1, "a string's next character, control characters escaped"),
            (r#""\x""#, 2, "an escape"),
            (r#""\u12g4""#, 5, "four hex digits"),
        ] {
            assert_eq!(refused(text), CanonicalError::Syntax { at, expected }, "{text}");
        }
        assert_eq!(refused("01"), CanonicalError::TrailingData { at: 1 });
        assert_eq!(refused("0x10"), CanonicalError::TrailingData { at: 1 });
    }

    #[test]
    fn nesting_ends_at_the_limit_both_ways() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(canonical(&nested(MAX_DEPTH)), nested(MAX_DEPTH));
        assert_eq!(refused(&nested(MAX_DEPTH + 1)), CanonicalError::TooDeep { limit: MAX_DEPTH });
        assert_eq!(refused(&"[".repeat(1_000_000)), CanonicalError::TooDeep { limit: MAX_DEPTH });
        assert_eq!(refused(&r#"{"a":"#.repeat(1_000_000)), CanonicalError::TooDeep { limit: MAX_DEPTH });
        let deep = (0..=MAX_DEPTH).fold(json!(null), |inside, _| json!([inside]));
        assert_eq!(to_string(&deep), Err(CanonicalError::TooDeep { limit: MAX_DEPTH }));
    }

    #[test]
    fn the_callers_bound_is_exact() {
        assert_eq!(parse_within(b"[1]", 3), Ok(json!([1])));
        assert_eq!(parse_within(b"[1] ", 3), Err(CanonicalError::TooLong { len: 4, limit: 3 }));
    }
}
