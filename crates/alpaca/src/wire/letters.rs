//! Codes of one to four letters: exchanges, tapes, conditions, statuses.

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// Up to four ASCII letters, padded with blanks. Written without the padding. Longer codes are cut on the way in: none is
/// known, and a code is information, never a price.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Letters(pub [u8; 4]);

impl Letters {
    /// No letter.
    pub const BLANK: Self = Self([b' '; 4]);

    /// The first four bytes of `text`, a blank for each that is not printable ASCII.
    pub fn cut(text: &[u8]) -> Self {
        let mut letters = [b' '; 4];
        for (slot, byte) in letters.iter_mut().zip(text) {
            *slot = printable(*byte);
        }
        Self(letters)
    }

    /// The letters without padding.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default().trim_end_matches(' ')
    }

    /// The first letter.
    pub const fn first(self) -> u8 {
        let Self([first, ..]) = self;
        first
    }
}

/// The byte if it prints, else a blank.
pub(crate) const fn printable(byte: u8) -> u8 {
    if byte.is_ascii_graphic() { byte } else { b' ' }
}

/// Lends `byte` as a text of one letter.
pub(crate) fn as_text(byte: &u8) -> &str {
    std::str::from_utf8(std::slice::from_ref(byte)).unwrap_or(" ")
}

impl fmt::Debug for Letters {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), out)
    }
}

impl Serialize for Letters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Letters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Option<Cow<'de, str>>>::deserialize(deserializer)?.unwrap_or_default();
        Ok(Self::cut(text.as_bytes()))
    }
}

/// One letter in a `u8`: a blank stands for none.
pub mod letter {
    use super::{Cow, Deserialize, Deserializer, Serializer, as_text, printable};

    /// Writes the letter as a text.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(letter: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(as_text(letter))
    }

    /// Reads the first letter of a text; null and the empty text give a blank.
    ///
    /// # Errors
    /// If it is neither a text nor null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
        let text = <Option<Cow<'de, str>>>::deserialize(deserializer)?.unwrap_or_default();
        Ok(text.bytes().next().map_or(b' ', printable))
    }
}

/// A tape's letter, absent for options.
pub mod tape {
    use super::{Cow, Deserialize, Deserializer, Serializer, as_text, printable};

    /// Writes the tape as a text.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(tape: &Option<u8>, serializer: S) -> Result<S::Ok, S::Error> {
        match tape {
            Some(tape) => serializer.serialize_str(as_text(tape)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads the first letter of a text; null and the empty text give none.
    ///
    /// # Errors
    /// If it is neither a text nor null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
        let text = <Option<Cow<'de, str>>>::deserialize(deserializer)?.unwrap_or_default();
        Ok(text.bytes().next().map(printable))
    }
}

/// Conditions of a quote or print: an array of one-letter texts for stocks, one text for options. Up to four letters; the
/// consolidated tapes give no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conditions {
    /// Written as an array.
    Stock(Letters),
    /// Written as one text.
    Option(Letters),
}

impl Conditions {
    /// The letters, whichever way they are written.
    pub const fn letters(self) -> [u8; 4] {
        match self {
            Self::Stock(letters) | Self::Option(letters) => letters.0,
        }
    }

    /// How many letters the array form holds: trailing blanks are padding, save that the first stands even when blank (the
    /// tapes' code of a regular sale).
    pub(crate) fn count(letters: &[u8; 4]) -> usize {
        letters.iter().rposition(|letter| *letter != b' ').unwrap_or(0).saturating_add(1)
    }
}

impl Serialize for Conditions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Stock(Letters(letters)) => {
                serializer.collect_seq(letters.iter().take(Self::count(letters)).map(as_text))
            }
            Self::Option(letters) if *letters == Letters::BLANK => serializer.serialize_str(" "),
            Self::Option(letters) => serializer.serialize_str(letters.as_str()),
        }
    }
}

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ConditionsVisitor)
    }
}

struct ConditionsVisitor;

impl<'de> Visitor<'de> for ConditionsVisitor {
    type Value = Conditions;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a condition text, an array of condition texts, or null")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Conditions, E> {
        Ok(Conditions::Option(Letters::cut(text.as_bytes())))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Conditions, E> {
        Ok(Conditions::Stock(Letters::BLANK))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Conditions, A::Error> {
        let mut letters = [b' '; 4];
        let mut slots = letters.iter_mut();
        while let Some(text) = seq.next_element::<Cow<'de, str>>()? {
            if text.len() > 8 {
                return Err(A::Error::custom("a condition of more than 8 characters"));
            }
            if let Some(slot) = slots.next() {
                *slot = text.bytes().next().map_or(b' ', printable);
            }
        }
        Ok(Conditions::Stock(Letters(letters)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_keep_their_shape() {
        for (json, letters) in [
            (r#"[" ","I"]"#, *b" I  "),
            (r#"["@","F","T","I"]"#, *b"@FTI"),
            (r#"[" "]"#, *b"    "),
            (r#"" ""#, *b"    "),
            (r#""I""#, *b"I   "),
        ] {
            let conditions: Conditions = serde_json::from_str(json).unwrap();
            assert_eq!(conditions.letters(), letters, "{json}");
            assert_eq!(serde_json::to_string(&conditions).unwrap(), json);
        }
        assert_eq!(serde_json::from_str::<Conditions>(r#"["A","B","C","D","E"]"#).unwrap().letters(), *b"ABCD");
        assert!(serde_json::from_str::<Conditions>("[1]").is_err());
    }

    #[test]
    fn letters_that_do_not_print_are_blanks() {
        assert_eq!(Letters::cut("Ä1".as_bytes()).0, *b"  1 ");
        assert_eq!(Letters::cut(b"LUDPX").as_str(), "LUDP");
    }
}
