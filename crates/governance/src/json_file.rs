//! A value as a file of JSON: indented for people, with one line's end, the same bytes each time.

use serde::Serialize;

/// The file's bytes.
pub fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
