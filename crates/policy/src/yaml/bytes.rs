//! Bytes to text, before any parser sees them: what readers take differently is found here, where it is cheap.

use crate::finding::{Finding, Rule};

/// A file is judged up to this size; an object of a cluster is smaller than 1.5 MiB, a bundle of definitions than 10 MiB.
const FILE_BYTES: usize = 16 << 20;

/// What a file's bytes say.
pub struct Text {
    /// The text as most readers take it.
    pub text: String,
    /// The text as a reader takes it for which U+0085, U+2028 and U+2029 end a line, where that differs.
    pub broken: Option<String>,
    /// What is refused.
    pub findings: Vec<Finding>,
}

/// Decodes a file; what is refused is judged besides, as far as it can be read.
pub fn decode(path: &str, bytes: &[u8]) -> Text {
    let refuse = |what: &str, remedy: &str| Finding::fail(Rule::Parse, path, what, remedy);
    let mut findings = Vec::new();
    if bytes.len() > FILE_BYTES {
        let what = format!("the file has {} bytes, more than {FILE_BYTES}", bytes.len());
        findings.push(refuse(&what, "split it into files that a person can review"));
        return Text { text: String::new(), broken: None, findings };
    }
    let text = match utf16(bytes) {
        Some(text) => {
            findings.push(refuse("the file is UTF-16: readers take it differently", "save it as UTF-8"));
            text
        }
        None => String::from_utf8(bytes.to_vec()).unwrap_or_else(|error| {
            let line = line_of(bytes, error.utf8_error().valid_up_to());
            findings.push(refuse("the file is not UTF-8", "save it as UTF-8").line(line));
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        }),
    };
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    if let Some((line, found)) = refused_character(&text) {
        let what = format!("the file holds {}: readers take it differently", name(found));
        findings.push(refuse(&what, "write it as an escape in double quotes, or take it away").line(line));
    }
    let broken = text.contains(BREAKS).then(|| text.replace(BREAKS, "\n"));
    Text { text, broken, findings }
}

/// A file that is no YAML, as text: UTF-16 decoded, without its mark, whatever is wrong with it.
pub fn text(bytes: &[u8]) -> String {
    let text = utf16(bytes).unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned());
    text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)
}

/// What is refused of a file that is no YAML: an encoding that readers take differently, a zero, a line's end that only some see.
pub fn refused(path: &str, bytes: &[u8]) -> Option<Finding> {
    let refuse =
        |what: &str, line: u32| Some(Finding::fail(Rule::Parse, path, what, "save it as plain UTF-8").line(line));
    if utf16(bytes).is_some() {
        return refuse("the file is UTF-16: readers take it differently", 1);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return refuse("the file is not UTF-8", line_of(bytes, error.valid_up_to())),
    };
    let (at, found) = text.char_indices().find(|(_, c)| *c == '\0' || BREAKS.contains(c))?;
    refuse(&format!("the file holds {}: readers take it differently", name(found)), line_of(bytes, at))
}

/// What YAML 1.1 takes for the end of a line and YAML 1.2 does not.
const BREAKS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

fn refused_character(text: &str) -> Option<(u32, char)> {
    let refused = |c: char| match c {
        '\t' | '\n' | '\r' => false,
        '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        _ => c.is_control(),
    };
    text.char_indices().find(|(_, c)| refused(*c)).map(|(at, c)| (line_of(text.as_bytes(), at), c))
}

fn name(character: char) -> String {
    match character {
        '\0' => "a NUL".to_owned(),
        '\u{feff}' => "a byte-order mark (U+FEFF) past its beginning".to_owned(),
        _ => format!("U+{:04X}", u32::from(character)),
    }
}

/// The line, from 1, of a byte.
fn line_of(bytes: &[u8], at: usize) -> u32 {
    let before = bytes.get(..at).unwrap_or(bytes);
    u32::try_from(before.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u32::MAX).saturating_add(1)
}

/// The text of a UTF-16 file, by its mark or by the zeros of its first two characters.
fn utf16(bytes: &[u8]) -> Option<String> {
    let units = |from: usize, unit: fn([u8; 2]) -> u16| {
        let pairs = bytes.get(from..).unwrap_or_default().chunks_exact(2);
        char::decode_utf16(
            pairs.map(|pair| unit([pair.first().copied().unwrap_or(0), pair.last().copied().unwrap_or(0)])),
        )
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
    };
    match bytes {
        [0xff, 0xfe, ..] => Some(units(2, u16::from_le_bytes)),
        [0xfe, 0xff, ..] => Some(units(2, u16::from_be_bytes)),
        [1..=255, 0, 1..=255, 0, ..] => Some(units(0, u16::from_le_bytes)),
        [0, 1..=255, 0, 1..=255, ..] => Some(units(0, u16::from_be_bytes)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_utf16_is_refused_and_read() {
        let text = "kind: Pod\n";
        for mark in [true, false] {
            for little in [true, false] {
                let start = if mark { "\u{feff}" } else { "" };
                let bytes: Vec<u8> = format!("{start}{text}")
                    .encode_utf16()
                    .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
                    .collect();
                let read = decode("a.yaml", &bytes);
                assert_eq!(read.text, text, "mark {mark}, little {little}");
                assert_eq!(read.findings.len(), 1);
            }
        }
    }

    #[test]
    fn a_mark_at_the_beginning_is_fine_and_a_mark_later_is_not() {
        assert!(decode("a", "\u{feff}a: 1".as_bytes()).findings.is_empty());
        assert_eq!(decode("a", "a: 1\n\u{feff}b: 2".as_bytes()).findings[0].line, Some(2));
    }

    #[test]
    fn what_some_readers_take_for_a_line_end_is_refused_and_read_both_ways() {
        for character in BREAKS {
            let read = decode("a", format!("# x{character}a: 1").as_bytes());
            assert_eq!(read.findings.len(), 1, "{character:?}");
            assert_eq!(read.broken.as_deref(), Some("# x\na: 1"));
        }
    }

    #[test]
    fn control_characters_and_bytes_that_are_no_text_are_refused() {
        for bytes in [&b"a: \0"[..], b"a: \x07", b"a: \x7f", b"a: \xff"] {
            assert_eq!(decode("a", bytes).findings.len(), 1, "{bytes:?}");
        }
        assert!(decode("a", "a: \"é\u{a0}→\"\r\n\tb".as_bytes()).findings.is_empty());
    }
}
