//! What an agent cannot write now, and why: the system's words, fit to be shown to anybody who may ask for a status.

use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt;
use utoipa::ToSchema;

/// Most characters of a cause: the system's words are short, and a status is read whole by whoever asks.
pub const WHY_CHARS_MOST: usize = 200;

/// One of the two things that an agent writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Written {
    /// The agent's own audit log.
    Log,
    /// The recording of the sequence's inputs, which all agents of a process share.
    Recording,
}

impl fmt::Display for Written {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Log => "log",
            Self::Recording => "recording",
        })
    }
}

/// Something that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unwritable {
    /// Which.
    pub what: Written,
    /// The system's words, such as `No space left on device (os error 28)`: one line of at most 200 characters, of a file its name alone.
    pub why: String,
}

impl Unwritable {
    /// With words of whatever length, which may name paths.
    pub fn new(what: Written, words: &str) -> Self {
        let line: String = words.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
        let shown: Vec<String> = line.split(' ').map(without_folders).collect();
        Self { what, why: shown.join(" ").chars().take(WHY_CHARS_MOST).collect() }
    }

    /// With the words of the error's last cause: what the system said, not what was about to be done.
    pub fn of(what: Written, error: &(dyn Error + 'static)) -> Self {
        let mut last = error;
        while let Some(cause) = last.source() {
            last = cause;
        }
        Self::new(what, &last.to_string())
    }
}

impl fmt::Display for Unwritable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the {} cannot be written: {}", self.what, self.why)
    }
}

/// A word that holds a path from the root, with the path's last part alone: where a machine keeps its files is nobody's concern.
fn without_folders(word: &str) -> String {
    match (word.split_once('/'), word.rsplit_once('/')) {
        (Some((before, _)), Some((_, last))) if !before.chars().any(char::is_alphanumeric) => format!("{before}{last}"),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn the_cause_is_the_systems_words_and_names_no_folder() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot write to /srv/floor/data/x.rec at byte 7")]
        struct Failed(#[source] io::Error);
        let error = Failed(io::Error::from_raw_os_error(28));
        assert_eq!(Unwritable::of(Written::Recording, &error).why, "No space left on device (os error 28)");
        let why = |words: &str| Unwritable::new(Written::Log, words).why;
        assert_eq!(why("`/srv/floor/data/00012`, record 9: torn"), "`00012`, record 9: torn");
        assert_eq!(why("more came than 5 MB/s could take"), "more came than 5 MB/s could take");
        assert_eq!(why("a\nb\u{1b}[2Jc/"), "a b [2Jc/");
        assert_eq!(why(&"é".repeat(1_000)), "é".repeat(WHY_CHARS_MOST));
    }
}
