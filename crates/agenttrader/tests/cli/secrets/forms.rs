//! The forms in which a secret may stand somewhere, and the search for them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::fmt::Write as _;
use std::path::Path;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn percent(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                write!(text, "{}", char::from(*byte))
            }
            _ => write!(text, "%{byte:02X}"),
        };
        text
    })
}

/// A secret as somebody may quote it.
pub fn quoted(secret: &str) -> [String; 4] {
    let bytes = secret.as_bytes();
    [secret.to_owned(), STANDARD.encode(bytes), hex(bytes), percent(bytes)]
}

/// What is looked for, byte for a letter of the same number.
pub struct Needle {
    pub name: String,
    letters: String,
}

fn letters(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The bytes in every form: as they are, in hex, in a URL, as JSON and Rust show them, and in Base64 wherever in a longer text they begin.
pub fn needles(name: &str, secret: &[u8]) -> Vec<Needle> {
    let mut forms: Vec<(&str, Vec<u8>)> = vec![
        ("raw", secret.to_vec()),
        ("hex", hex(secret).into_bytes()),
        ("HEX", hex(secret).to_uppercase().into_bytes()),
        ("percent", percent(secret).into_bytes()),
    ];
    if let Ok(text) = std::str::from_utf8(secret) {
        forms.push(("json", serde_json::to_string(text).unwrap().trim_matches('"').as_bytes().to_vec()));
        forms.push(("debug", text.escape_debug().to_string().into_bytes()));
    }
    for before in 0..3 {
        let bytes = [&vec![0; before][..], secret].concat();
        let whole = bytes.len() * 8 / 6;
        for encoded in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            forms.push(("base64", encoded.as_bytes()[(before * 8).div_ceil(6)..whole].to_vec()));
        }
    }
    forms
        .into_iter()
        .map(|(form, bytes)| Needle { name: format!("{name} ({form})"), letters: letters(&bytes) })
        .collect()
}

/// Tells which of them stand in these bytes.
pub fn found<'needle>(needles: &'needle [Needle], bytes: &[u8]) -> Vec<&'needle str> {
    let text = letters(bytes);
    needles.iter().filter(|needle| text.contains(&needle.letters)).map(|needle| needle.name.as_str()).collect()
}

/// Every file below a folder but those of `keys/`, with its bytes.
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().unwrap() != "keys" {
                all.extend(files(&path));
            }
        } else {
            all.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    all
}

#[test]
fn a_secret_is_found_in_each_form_and_nowhere_else() {
    let secret = "k\"y +1/hidden";
    let needles = needles("it", secret.as_bytes());
    for form in quoted(secret) {
        assert!(!found(&needles, format!("…{form}…").as_bytes()).is_empty(), "{form}");
    }
    for before in ["", "a", "ab", "abc"] {
        let longer = STANDARD.encode(format!("{before}{secret}!"));
        assert!(!found(&needles, longer.as_bytes()).is_empty(), "{longer}");
    }
    assert!(found(&needles, b"k\"y +1/hidde").is_empty());
}
