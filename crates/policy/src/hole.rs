//! Texts of which a part cannot be told.

/// Stands in a text for a part that cannot be told.
pub const HOLE: char = '\u{1}';

/// A text for people: holes as `…`.
pub fn shown(text: &str) -> String {
    text.chars().map(|c| if c == HOLE { '…' } else { c }).collect()
}
