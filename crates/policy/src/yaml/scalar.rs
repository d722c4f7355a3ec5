//! What readers make of a plain scalar, under YAML 1.1 and under YAML 1.2.

use super::node::Scalar;

/// The words of YAML 1.1 for true and false that YAML 1.2 takes for text.
const OLD_BOOLEANS: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "true", "false"];

impl Scalar {
    /// Whether every reader takes it for a text: quoted, a block, or tagged `!!str`; or a plain word that is nothing else.
    pub fn is_string(&self) -> bool {
        !self.plain || !(self.is_null() || self.is_ambiguous() || is_boolean(&self.text) || is_number(&self.text))
    }

    /// Whether YAML 1.1 and YAML 1.2 read it differently: `OFF`, `yes`, `0o10`, `010`, `1:30`, `1_000`, a date.
    pub fn is_ambiguous(&self) -> bool {
        let text = self.text.as_str();
        let lower = text.to_ascii_lowercase();
        self.plain
            && !is_boolean(text)
            && (OLD_BOOLEANS.contains(&lower.as_str()) || is_number(text) && !is_one_number(text))
    }
}

/// Whether it is a boolean for every reader.
fn is_boolean(text: &str) -> bool {
    matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
}

/// Whether it is the same number for every reader: decimal, without a leading zero.
fn is_one_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, rest) = digits.split_at(digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len()));
    let led = whole.len() > 1 && whole.starts_with('0');
    !whole.is_empty() && !led && (rest.is_empty() || rest.starts_with('.') && is_number(text) && !rest.contains('_'))
}

/// Whether some reader takes it for a number, a date or a time.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let special = matches!(digits.to_ascii_lowercase().as_str(), ".inf" | ".nan");
    let begins = digits.strip_prefix('.').unwrap_or(digits).starts_with(|c: char| c.is_ascii_digit());
    let radix = |prefix: &str, of: fn(char) -> bool| {
        digits.to_ascii_lowercase().strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.chars().all(of))
    };
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '_' | ':' | '.');
    let dated = |c: char| plain(c) || matches!(c, '-' | '+' | 'T' | 't' | 'Z' | 'z' | ' ');
    special
        || radix("0x", |c| c.is_ascii_hexdigit() || c == '_')
        || radix("0o", |c| c.is_digit(8) || c == '_')
        || radix("0b", |c| matches!(c, '0' | '1' | '_'))
        || begins && (digits.chars().all(plain) && digits.matches('.').count() <= 1 || is_exponent(digits))
        || is_date(text) && text.chars().all(dated)
}

fn is_exponent(digits: &str) -> bool {
    let Some((mantissa, exponent)) = digits.split_once(['e', 'E']) else { return false };
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    !exponent.is_empty()
        && exponent.bytes().all(|b| b.is_ascii_digit())
        && mantissa.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '_'))
        && mantissa.matches('.').count() <= 1
}

/// Whether it begins like `2001-12-14`.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let digits = |part: Option<&str>, most: usize| {
        part.is_some_and(|part| !part.is_empty() && part.len() <= most && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let year = parts.next();
    year.is_some_and(|year| year.len() == 4)
        && digits(year, 4)
        && digits(parts.next(), 2)
        && parts.next().is_some_and(|day| day.starts_with(|c: char| c.is_ascii_digit()))
}

/// The texts that readers make of a plain key: what is equal for any of them stands twice.
pub fn key_readings(scalar: &Scalar) -> Vec<String> {
    let mut readings = vec![scalar.text.clone()];
    if !scalar.plain {
        return readings;
    }
    if scalar.is_null() {
        readings.extend([String::new(), "null".to_owned()]);
    }
    match scalar.text.to_ascii_lowercase().as_str() {
        "y" | "yes" | "on" | "true" => readings.push("true".to_owned()),
        "n" | "no" | "off" | "false" => readings.push("false".to_owned()),
        lower => readings.extend(integers(lower)),
    }
    readings
}

/// The integers that a plain scalar may be, in decimal.
fn integers(lower: &str) -> Vec<String> {
    let (sign, digits) = match lower.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", lower.strip_prefix('+').unwrap_or(lower)),
    };
    let digits = digits.replace('_', "");
    let of = |digits: &str, radix| i128::from_str_radix(digits, radix).ok();
    let readings = match digits.get(..2) {
        Some("0x") => vec![digits.get(2..).and_then(|rest| of(rest, 16))],
        Some("0o") => vec![digits.get(2..).and_then(|rest| of(rest, 8))],
        Some("0b") => vec![digits.get(2..).and_then(|rest| of(rest, 2))],
        _ if digits.starts_with(['-', '+']) => Vec::new(),
        _ if digits.starts_with('0') => vec![of(&digits, 8), of(&digits, 10)],
        _ => vec![of(&digits, 10)],
    };
    let spelled = |value: i128| if value == 0 { "0".to_owned() } else { format!("{sign}{value}") };
    readings.into_iter().flatten().map(spelled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Scalar {
        Scalar { text: text.to_owned(), plain: true }
    }

    #[test]
    fn what_two_versions_of_yaml_read_differently_is_ambiguous() {
        for text in [
            "OFF",
            "off",
            "Off",
            "yes",
            "n",
            "Y",
            "010",
            "0o10",
            "0b1",
            "1:30",
            "1_0",
            "2026-11-30",
            "0x1",
            "00",
            "1e3",
            "1.",
        ] {
            let expected = text != "1.";
            assert_eq!(plain(text).is_ambiguous(), expected, "{text}");
        }
        for text in [
            "OBSERVE", "EXECUTE", "1", "0", "-5", "1.5", "true", "FALSE", "", "~", "offline", "v1.2.3", "10m",
            "1.2.3.4",
        ] {
            assert!(!plain(text).is_ambiguous(), "{text}");
        }
        assert!(!Scalar { text: "OFF".to_owned(), plain: false }.is_ambiguous());
    }

    #[test]
    fn what_is_quoted_or_nothing_but_a_word_is_a_string() {
        for text in ["OBSERVE", "a b", "v1", "10m", "1.2.3.4", "EXECUTE", "2026-11-30x"] {
            assert!(plain(text).is_string(), "{text}");
        }
        for text in ["OFF", "1", "0", "true", "", "null", "1.5", "1e3", "0x10", ".inf", "2026-11-30"] {
            assert!(!plain(text).is_string(), "{text}");
            assert!(Scalar { text: text.to_owned(), plain: false }.is_string(), "{text}");
        }
    }

    #[test]
    fn keys_that_some_reader_takes_for_one_share_a_reading() {
        for (one, other) in
            [("yes", "true"), ("0x10", "16"), ("010", "8"), ("010", "10"), ("~", "null"), ("1_0", "10"), ("+1", "1")]
        {
            let readings = key_readings(&plain(one));
            assert!(key_readings(&plain(other)).iter().any(|reading| readings.contains(reading)), "{one} {other}");
        }
        assert!(!key_readings(&plain("a")).iter().any(|reading| key_readings(&plain("A")).contains(reading)));
    }
}
