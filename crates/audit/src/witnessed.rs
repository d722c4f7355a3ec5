//! What mission control keeps as a witness, by the names under which those who verify find it. The audit log's layout.

use crate::note::{KeyKind, NOTE_BYTES_MOST, NoteError, VerifierKey};
use crate::source::{Directory, LogFiles as _, SourceError};
use std::path::{Path, PathBuf};

/// The agent that is the witness of the floor's logs.
pub const WITNESS_AGENT: &str = "mission-control";

/// The folder of its state, within a data directory: its own log's, and what it keeps of the others.
pub const WITNESS_STATE: &str = "audit-state/mission-control";

/// The checkpoints that it or other witnesses cosigned, one file an agent, within a data directory.
pub const COSIGNED: &str = "audit-state/mission-control/cosigned";

/// The verifier keys of the witnesses whose lines it takes, its own first, one a line.
pub const WITNESSES: &str = "audit-state/mission-control/witnesses";

/// Why the list of witnesses is none.
#[derive(Debug, thiserror::Error)]
pub enum WitnessesError {
    /// It cannot be read, or is no plain file.
    #[error("{WITNESSES}: it cannot be read")]
    Source(#[from] SourceError),
    /// It is not text.
    #[error("{WITNESSES}: it is not UTF-8; mission control writes it anew when it starts")]
    NotText,
    /// A line is no key.
    #[error("{WITNESSES}, line {line}: it is no verifier key; mission control writes the list anew when it starts")]
    Key {
        /// Which, from 1.
        line: usize,
        /// Why.
        #[source]
        source: NoteError,
    },
    /// A line is the key of a log.
    #[error("{WITNESSES}, line {line}: {key} is no witness's key; mission control writes the list anew when it starts")]
    NoWitness {
        /// Which, from 1.
        line: usize,
        /// The key.
        key: String,
    },
}

impl WitnessesError {
    /// Whether nothing is known to be wrong with the list: it could only not be read.
    pub const fn is_unread(&self) -> bool {
        matches!(self, Self::Source(source) if !source.is_of_content())
    }
}

/// The folder of the witness's state in a data directory.
pub fn state_dir(data_dir: &Path) -> PathBuf {
    data_dir.join(WITNESS_STATE)
}

/// The folder of cosigned checkpoints in a data directory.
pub fn cosigned_dir(data_dir: &Path) -> PathBuf {
    data_dir.join(COSIGNED)
}

/// The witnesses whose lines mission control takes; none where it has listed none yet.
///
/// # Errors
/// [`WitnessesError`]: a list that is damaged must not be taken for a short one.
pub fn witnesses(data_dir: &Path) -> Result<Vec<VerifierKey>, WitnessesError> {
    let Some(bytes) = Directory::new(data_dir).read(WITNESSES, NOTE_BYTES_MOST)? else { return Ok(Vec::new()) };
    let text = String::from_utf8(bytes).map_err(|_| WitnessesError::NotText)?;
    let key = |(line, text): (usize, &str)| match VerifierKey::parse(text) {
        Err(source) => Err(WitnessesError::Key { line, source }),
        Ok(key) if key.kind() != KeyKind::Cosigner => Err(WitnessesError::NoWitness { line, key: key.to_string() }),
        Ok(key) => Ok(key),
    };
    (1..).zip(text.lines()).map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::NoteSigner;
    use ed25519_dalek::SigningKey;
    use std::fs;

    #[test]
    fn the_names_within_the_witness_s_folder_begin_with_it() {
        assert_eq!(WITNESS_STATE, format!("audit-state/{WITNESS_AGENT}"));
        assert_eq!(COSIGNED, format!("{WITNESS_STATE}/cosigned"));
        assert_eq!(WITNESSES, format!("{WITNESS_STATE}/witnesses"));
    }

    #[test]
    fn a_list_with_anything_but_witnesses_keys_in_it_is_refused_by_its_file_and_line() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(witnesses(dir.path()).unwrap(), []);
        fs::create_dir_all(state_dir(dir.path())).unwrap();
        let key = |seed| SigningKey::from_bytes(&[seed; 32]);
        let ours = NoteSigner::cosigner("w", key(1)).verifier();
        let log = NoteSigner::log("agenttrader/r/gamma", key(2)).verifier();
        let path = dir.path().join(WITNESSES);
        fs::write(&path, format!("{ours}\n")).unwrap();
        assert_eq!(witnesses(dir.path()).unwrap(), std::slice::from_ref(&ours));
        for second in ["", "# a word", "x", &log.to_string(), &format!(" {ours}")] {
            fs::write(&path, format!("{ours}\n{second}\n")).unwrap();
            let error = witnesses(dir.path()).unwrap_err();
            assert!(error.to_string().starts_with("audit-state/mission-control/witnesses, line 2: "), "{error}");
            assert!(!error.is_unread());
        }
        fs::write(&path, b"\xff\n").unwrap();
        assert!(matches!(witnesses(dir.path()), Err(WitnessesError::NotText)));
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        assert!(matches!(witnesses(dir.path()), Err(WitnessesError::Source(_))));
    }
}
