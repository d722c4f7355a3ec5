//! Ticker symbols of underlyings.

use crate::as_text::as_text;
use std::fmt;

/// A ticker: 1 to 8 characters of `A–Z`, `0–9` and `.`, beginning with a letter. Copied, never allocated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol([u8; 8]);

/// Why a text is no ticker.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not a symbol: 1 to 8 of A-Z, 0-9 and `.`, beginning with a letter")]
pub struct SymbolError {
    /// The text as it came, cut to 32 characters.
    pub text: String,
}

impl Symbol {
    /// Reads a ticker. Case is not folded.
    ///
    /// # Errors
    /// [`SymbolError`], naming the text.
    pub fn parse(text: &str) -> Result<Self, SymbolError> {
        let refused = || SymbolError { text: text.chars().take(32).collect() };
        let mut bytes = [0_u8; 8];
        if !text.starts_with(|first: char| first.is_ascii_uppercase()) || text.len() > bytes.len() {
            return Err(refused());
        }
        for (slot, byte) in bytes.iter_mut().zip(text.bytes()) {
            if !matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'.') {
                return Err(refused());
            }
            *slot = byte;
        }
        Ok(Self(bytes))
    }

    /// The ticker's text.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        self.0.get(..end).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// The eight bytes, padded with zeros, as recordings hold them.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

as_text!(Symbol);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tickers_are_read() {
        for bad in ["", "spy", "1A", "ABCDEFGHI", "SP Y", "SPY\0", "Ä", ".A"] {
            assert!(Symbol::parse(bad).is_err(), "{bad:?}");
        }
        for good in ["A", "SPY", "BRK.B", "ABCDEFGH", "SPX1"] {
            assert_eq!(Symbol::parse(good).unwrap().as_str(), good);
        }
    }
}
