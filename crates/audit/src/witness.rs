//! What a witness knows of a log and answers to its next checkpoint (C2SP tlog-witness). Pure: whoever calls stores and sends.
//!
//! A checkpoint is cosigned only after it was stored, and it is stored only if it extends the one before: [`Followed::judge`] gives
//! [`Consistent`], [`Consistent::store`] gives [`Stored`], and [`Stored::cosign`] alone gives the signature.

use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::merkle::{self, EMPTY_ROOT, Hash};
use crate::note::{NOTE_BYTES_MOST, NoteSigner, SignatureLine, VerifierKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

/// Hashes of the longest consistency proof that is read (C2SP tlog-witness).
pub const PROOF_HASHES_MOST: usize = 63;

/// Bytes of the longest request that is read: size, proof, checkpoint.
pub const REQUEST_BYTES_MOST: usize = NOTE_BYTES_MOST + 4 * 1024;

/// One log as a witness knows it: its key, and the last checkpoint that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    key: VerifierKey,
    last: Option<SignedCheckpoint>,
}

/// Why a checkpoint is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Of a log that is not followed.
    #[error("a checkpoint of `{found}`, which is not followed here")]
    UnknownOrigin {
        /// Whose it is.
        found: String,
    },
    /// Not signed by the log's key.
    #[error("not signed by the log's key")]
    BadSignature(#[source] CheckpointError),
    /// The proof begins at another size than that of the last checkpoint. Nothing is wrong with the log.
    #[error("the proof begins at {old} entries, the last checkpoint verified has {held}")]
    Stale {
        /// Where the proof begins.
        old: u64,
        /// Where it must.
        held: u64,
    },
    /// The proof begins behind the checkpoint.
    #[error("the proof begins at {old} entries, the checkpoint has {size}")]
    Backwards {
        /// Where the proof begins.
        old: u64,
        /// Where the checkpoint ends.
        size: u64,
    },
    /// A smaller log than the last one verified.
    #[error("the log has {found} entries, and it had {held}")]
    Rollback {
        /// Entries of the last checkpoint that was verified.
        held: u64,
        /// Entries of this one.
        found: u64,
    },
    /// As many entries as the last one verified, and other ones.
    #[error("{size} entries have the root {found}, and they had {held}")]
    OtherRoot {
        /// Entries of both.
        size: u64,
        /// The root that was verified.
        held: Hash,
        /// The root of this one.
        found: Hash,
    },
    /// A larger log than the last one verified, and not shown to go on from it.
    #[error("{found} entries are not shown to go on from the {held} that were verified")]
    NotExtending {
        /// Entries of the last checkpoint that was verified.
        held: u64,
        /// Entries of this one.
        found: u64,
    },
}

/// A checkpoint that extends the last one. Nothing is cosigned yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it counts once it is stored"]
pub struct Consistent {
    checkpoint: SignedCheckpoint,
}

/// A checkpoint that extends the last one and would survive the end of the process. It may be cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    checkpoint: SignedCheckpoint,
}

impl Followed {
    /// A log of which nothing was verified yet. Its origin is the key's name.
    pub const fn new(key: VerifierKey) -> Self {
        Self { key, last: None }
    }

    /// A log with the last checkpoint that was verified, as it was stored.
    ///
    /// # Errors
    /// [`CheckpointError`] when it is not of this log, or another key signed it.
    pub fn resumed(key: VerifierKey, last: SignedCheckpoint) -> Result<Self, CheckpointError> {
        last.verify(&key)?;
        Ok(Self { key, last: Some(last) })
    }

    /// The log's key.
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The last checkpoint that was verified and stored.
    pub const fn last(&self) -> Option<&SignedCheckpoint> {
        self.last.as_ref()
    }

    /// Entries of the last checkpoint; 0 before the first.
    pub fn size(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.checkpoint.size)
    }

    /// What can be said of a checkpoint without a proof: whose it is, who signed it, whether it is smaller or another of the same size.
    /// `Ok(true)` when it is the last one again.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn meet(&self, candidate: &SignedCheckpoint) -> Result<bool, Refused> {
        let found = &candidate.checkpoint;
        if found.origin != self.key.name() {
            return Err(Refused::UnknownOrigin { found: found.origin.clone() });
        }
        candidate.verify(&self.key).map_err(Refused::BadSignature)?;
        if found.size == 0 && found.root != EMPTY_ROOT {
            return Err(Refused::OtherRoot { size: 0, held: EMPTY_ROOT, found: found.root });
        }
        let Some(last) = &self.last else { return Ok(false) };
        let held = &last.checkpoint;
        if found.size < held.size {
            return Err(Refused::Rollback { held: held.size, found: found.size });
        }
        if found.size == held.size && found.root != held.root {
            return Err(Refused::OtherRoot { size: held.size, held: held.root, found: found.root });
        }
        Ok(found.size == held.size)
    }

    /// Judges a checkpoint by the proof that it extends the last one.
    ///
    /// # Errors
    /// [`Refused`]; the last checkpoint then stays what it was.
    pub fn judge(&self, candidate: SignedCheckpoint, proof: &[Hash]) -> Result<Consistent, Refused> {
        self.meet(&candidate)?;
        let found = &candidate.checkpoint;
        let (held, root) =
            self.last.as_ref().map_or((0, EMPTY_ROOT), |last| (last.checkpoint.size, last.checkpoint.root));
        if merkle::extends(held, &root, found.size, &found.root, proof) {
            Ok(Consistent { checkpoint: candidate })
        } else {
            Err(Refused::NotExtending { held, found: found.size })
        }
    }

    /// Answers one request of the witness protocol. `old` of 0 begins with a log of which nothing was verified.
    ///
    /// # Errors
    /// [`Refused`], of which [`Refused::status`] is the answer.
    pub fn answer(&self, request: Request) -> Result<Consistent, Refused> {
        let Request { old, proof, checkpoint } = request;
        let size = checkpoint.checkpoint.size;
        if checkpoint.checkpoint.origin != self.key.name() {
            return Err(Refused::UnknownOrigin { found: checkpoint.checkpoint.origin });
        }
        checkpoint.verify(&self.key).map_err(Refused::BadSignature)?;
        if old > size {
            return Err(Refused::Backwards { old, size });
        }
        if old != self.size() {
            return Err(Refused::Stale { old, held: self.size() });
        }
        self.judge(checkpoint, &proof)
    }

    /// Goes on from a checkpoint that was stored.
    pub fn advance(&mut self, stored: &Stored) {
        self.last = Some(stored.checkpoint.clone());
    }
}

impl Refused {
    /// The status that the witness protocol answers with.
    pub const fn status(&self) -> u16 {
        match self {
            Self::UnknownOrigin { .. } => 404,
            Self::BadSignature(_) => 403,
            Self::Stale { .. } => 409,
            Self::Backwards { .. } => 400,
            Self::Rollback { .. } | Self::OtherRoot { .. } | Self::NotExtending { .. } => 422,
        }
    }
}

impl Consistent {
    /// The checkpoint.
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// Stores the checkpoint: `store` returns once it would survive a loss of power.
    ///
    /// # Errors
    /// What `store` says; nothing is cosigned then.
    pub fn store<E>(self, store: impl FnOnce(&SignedCheckpoint) -> Result<(), E>) -> Result<Stored, E> {
        store(&self.checkpoint)?;
        Ok(Stored { checkpoint: self.checkpoint })
    }
}

impl Stored {
    /// The checkpoint.
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// The witness's line over it, at that time in seconds since 1970.
    pub fn cosign(&self, witness: &NoteSigner, seconds: u64) -> SignatureLine {
        witness.sign(self.checkpoint.note().text(), seconds)
    }
}

/// The body of an add-checkpoint request: `old <size>`, the proof, an empty line, the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Entries of the checkpoint that the witness is thought to hold.
    pub old: u64,
    /// That the checkpoint extends it.
    pub proof: Vec<Hash>,
    /// The checkpoint with the log's signature.
    pub checkpoint: SignedCheckpoint,
}

/// Why bytes are no add-checkpoint request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A line is missing or wrong.
    #[error("not an add-checkpoint request: {0}")]
    Malformed(&'static str),
    /// What follows the proof is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl Request {
    /// Reads a request, without believing it yet.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        if bytes.len() > REQUEST_BYTES_MOST {
            return Err(RequestError::Malformed("it is too long"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| RequestError::Malformed("not UTF-8"))?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(RequestError::Malformed("no empty line"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(plain_number);
        let old = old.ok_or(RequestError::Malformed("the first line is not `old <size>`"))?;
        let proof: Option<Vec<Hash>> = lines.take(PROOF_HASHES_MOST.saturating_add(1)).map(Hash::parse).collect();
        let proof = proof.ok_or(RequestError::Malformed("a hash is not 32 bytes in standard Base64"))?;
        if proof.len() > PROOF_HASHES_MOST {
            return Err(RequestError::Malformed("more than 63 hashes"));
        }
        Ok(Self { old, proof, checkpoint: SignedCheckpoint::parse(checkpoint.as_bytes())? })
    }

    /// The request as it is sent.
    pub fn to_body(&self) -> String {
        let mut body = format!("old {}\n", self.old);
        for hash in &self.proof {
            body.push_str(&STANDARD.encode(hash.as_bytes()));
            body.push('\n');
        }
        // Writing to a string does not fail.
        let _ = write!(body, "\n{}", self.checkpoint);
        body
    }
}

/// What a witness answered to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its line over the checkpoint, verified.
    Cosigned(SignatureLine),
    /// It holds another size: ask again from there.
    Stale {
        /// Entries of the checkpoint it holds.
        held: u64,
    },
    /// It does not find that the checkpoint extends the one it holds.
    Inconsistent,
    /// It does not follow this log.
    UnknownOrigin,
    /// It does not take the log's signature for good.
    BadSignature,
    /// Nothing of the protocol, in words.
    Unusable(String),
}

impl Answer {
    /// What an HTTP answer says, to a request with that checkpoint, of the witness with that key.
    pub fn of_http(
        status: u16,
        content_type: Option<&str>,
        body: &[u8],
        sent: &SignedCheckpoint,
        witness: &VerifierKey,
    ) -> Self {
        match status {
            200 => Self::of_lines(body, sent, witness),
            403 => Self::BadSignature,
            404 => Self::UnknownOrigin,
            409 => {
                let is_size = content_type.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/x.tlog.size"));
                let text = std::str::from_utf8(body).ok().and_then(|text| text.strip_suffix('\n'));
                match text.and_then(plain_number).filter(|_| is_size) {
                    Some(held) => Self::Stale { held },
                    None => Self::Unusable("409 without the size it holds".to_owned()),
                }
            }
            422 => Self::Inconsistent,
            other => Self::Unusable(format!("HTTP status {other}")),
        }
    }

    /// The line of the witness among those that came; every line must be one, and the witness's must verify.
    fn of_lines(body: &[u8], sent: &SignedCheckpoint, witness: &VerifierKey) -> Self {
        let unusable = |why: &str| Self::Unusable(why.to_owned());
        let Some(text) = std::str::from_utf8(body).ok().filter(|text| text.len() <= NOTE_BYTES_MOST) else {
            return unusable("signature lines that are no text, or too long");
        };
        let Some(lines) = text.strip_suffix('\n') else { return unusable("no signature line") };
        let Ok(lines) = lines.split('\n').map(SignatureLine::parse).collect::<Result<Vec<_>, _>>() else {
            return unusable("a line that is no signature");
        };
        let mut own = lines.into_iter().filter(|line| witness.made(line));
        match (own.next(), own.next()) {
            (Some(line), None) if witness.verifies(sent.note().text(), &line) => Self::Cosigned(line),
            (None, _) => unusable("no signature of the witness's key"),
            _ => unusable("a signature of the witness's key that does not verify"),
        }
    }
}

/// A decimal number as it is usually written: no sign, no leading noughts.
fn plain_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}
