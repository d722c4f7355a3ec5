//! Checkpoints that somebody kept elsewhere: what `audit checkpoint --export` prints, one note after the other.

use crate::bounded_file;
use agenttrader_audit::checkpoint::CheckpointError;
use agenttrader_audit::note::NOTE_BYTES_MOST;
use agenttrader_audit::verify::Held;
use std::io;
use std::path::{Path, PathBuf};

/// Notes of the largest file that is read.
const NOTES_MOST: usize = 64;

/// Why kept checkpoints cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file holds something else, or was damaged.
    #[error("{path}, checkpoint {number}")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Which one in it, from 1.
        number: usize,
        /// What is wrong.
        #[source]
        source: CheckpointError,
    },
}

/// The checkpoints in a file.
///
/// # Errors
/// [`KeptError`] when it cannot be read, or any of them is none.
pub fn kept(path: &Path) -> Result<Vec<Held>, KeptError> {
    let failed = |source| KeptError::Io { path: path.to_owned(), source };
    let bytes = bounded_file::read(path, NOTE_BYTES_MOST.saturating_mul(NOTES_MOST) as u64).map_err(failed)?;
    let name = path.display().to_string();
    notes(&bytes)
        .enumerate()
        .map(|(place, note)| {
            let wrong =
                |source| KeptError::Checkpoint { path: path.to_owned(), number: place.saturating_add(1), source };
            Held::kept(&name, note).map_err(wrong)
        })
        .collect()
}

/// The notes in a file: each ends with its signature lines, and another may follow after a blank line.
fn notes(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    const SIGNATURE: &[u8] = "\u{2014} ".as_bytes();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (mut at, mut in_signatures) = (0, false);
        for line in rest.split_inclusive(|byte| *byte == b'\n') {
            let is_signature = line.starts_with(SIGNATURE);
            if in_signatures && !is_signature {
                break;
            }
            in_signatures = is_signature;
            at += line.len();
        }
        let (note, after) = rest.split_at(at);
        rest = after.strip_prefix(b"\n").unwrap_or(after);
        Some(note)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_audit::checkpoint::Checkpoint;
    use agenttrader_audit::merkle::EMPTY_ROOT;
    use agenttrader_audit::note::NoteSigner;
    use ed25519_dalek::SigningKey;
    use std::fs;

    fn signed(origin: &str) -> String {
        let signer = NoteSigner::log(origin, SigningKey::from_bytes(&[1; 32]));
        let witness = NoteSigner::cosigner("w", SigningKey::from_bytes(&[2; 32]));
        let checkpoint = Checkpoint { origin: origin.to_owned(), size: 0, root: EMPTY_ROOT };
        let line = witness.sign(&checkpoint.to_string(), 1);
        checkpoint.signed(&signer).with(line).to_string()
    }

    #[test]
    fn one_note_or_several_are_read_back_as_they_were_exported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let (a, b) = (signed("a"), signed("b"));
        for (text, origins) in [
            (a.clone(), vec!["a"]),
            (format!("{a}\n{b}"), vec!["a", "b"]),
            (format!("{a}{b}"), vec!["a", "b"]),
            (String::new(), vec![]),
        ] {
            fs::write(&path, text).unwrap();
            let held = kept(&path).unwrap();
            let found: Vec<_> = held.iter().map(|held| held.checkpoint.checkpoint.origin.as_str()).collect();
            assert_eq!(found, origins);
        }
        fs::write(&path, format!("{a}\nsomething else\n")).unwrap();
        assert!(matches!(kept(&path), Err(KeptError::Checkpoint { number: 2, .. })));
        assert!(matches!(kept(&folder.path().join("none")), Err(KeptError::Io { .. })));
    }
}
