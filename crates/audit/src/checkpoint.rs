//! Checkpoints of C2SP tlog-checkpoint: origin, size and root of a log, signed as a note.

use crate::merkle::Hash;
use crate::note::{Note, NoteError, NoteSigner, VerifierKey, is_key_name};
use std::fmt;

/// What a log was at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// `agenttrader/<repo_id>/<agent_name>`, which is also the name of the log's key.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
}

/// A checkpoint with the signatures it came with. Reading one checks its form alone: see [`SignedCheckpoint::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What is signed.
    pub checkpoint: Checkpoint,
    note: Note,
}

/// Why bytes are no checkpoint of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// No note, or its signature does not verify.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text is no checkpoint.
    #[error("not a checkpoint: {0}")]
    Malformed(&'static str),
    /// A checkpoint of another log.
    #[error("a checkpoint of {found}, not of {wanted}")]
    Origin {
        /// Whose it is.
        found: String,
        /// Whose it should be.
        wanted: String,
    },
    /// A line of a key that nobody named.
    #[error("a signature line of the unknown key {name}+{key_id:08x}")]
    UnknownLine {
        /// The key's name.
        name: String,
        /// The key's id.
        key_id: u32,
    },
}

impl Checkpoint {
    /// Reads a checkpoint's text. Extension lines, which the format allows and our logs never write, are refused.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::Malformed("fewer than three lines"));
        };
        if lines.next() != Some("") || lines.next().is_some() {
            return Err(CheckpointError::Malformed("more than three lines, or no line end after the third"));
        }
        if !is_key_name(origin) {
            return Err(CheckpointError::Malformed("the origin is empty or holds white space"));
        }
        let number: u64 = size.parse().map_err(|_| CheckpointError::Malformed("the size is not a number"))?;
        if number.to_string() != size {
            return Err(CheckpointError::Malformed("the size is not written plainly"));
        }
        let root =
            Hash::parse(root).ok_or(CheckpointError::Malformed("the root is not 32 bytes in standard Base64"))?;
        Ok(Self { origin: origin.to_owned(), size: number, root })
    }

    /// The checkpoint signed by its log.
    pub fn signed(self, signer: &NoteSigner) -> SignedCheckpoint {
        let text = self.to_string();
        let line = signer.sign(&text, 0);
        SignedCheckpoint { checkpoint: self, note: Note::new(text, vec![line]) }
    }
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}\n{}\n{}", self.origin, self.size, self.root)
    }
}

impl SignedCheckpoint {
    /// Reads a signed checkpoint, without believing it yet.
    ///
    /// # Errors
    /// [`CheckpointError`] when the form is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        Ok(Self { checkpoint: Checkpoint::parse(note.text())?, note })
    }

    /// Verifies the log's signature.
    ///
    /// # Errors
    /// [`CheckpointError`] when it is another log's checkpoint, or the key's line is missing, stands twice or does not verify.
    pub fn verify(&self, log: &VerifierKey) -> Result<&Checkpoint, CheckpointError> {
        if self.checkpoint.origin != log.name() {
            let (found, wanted) = (self.checkpoint.origin.clone(), log.name().to_owned());
            return Err(CheckpointError::Origin { found, wanted });
        }
        self.note.signed_by(log)?;
        Ok(&self.checkpoint)
    }

    /// The first signature line that is neither the log's nor one of these witnesses'.
    ///
    /// # Errors
    /// [`CheckpointError::UnknownLine`].
    pub fn knows_all(&self, log: &VerifierKey, witnesses: &[VerifierKey]) -> Result<(), CheckpointError> {
        let known = |line: &&crate::note::SignatureLine| log.made(line) || witnesses.iter().any(|key| key.made(line));
        match self.note.signatures().iter().find(|line| !known(line)) {
            None => Ok(()),
            Some(line) => Err(CheckpointError::UnknownLine { name: line.name.clone(), key_id: line.key_id }),
        }
    }

    /// The note.
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// The same checkpoint with one more signature.
    #[must_use]
    pub fn with(self, line: crate::note::SignatureLine) -> Self {
        Self { checkpoint: self.checkpoint, note: self.note.with(line) }
    }
}

/// The signed note, as it stands in a file.
impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.note, out)
    }
}
