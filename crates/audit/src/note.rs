//! Signed notes (C2SP signed-note) and the keys that sign and verify them: Ed25519, for logs and for witnesses' timed cosignatures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Bytes of the longest note that is read.
pub const NOTE_BYTES_MOST: usize = 64 << 10;

/// Signature lines of a note that are read.
pub const SIGNATURES_MOST: usize = 64;

/// What a key signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// A plain Ed25519 signature over the note's text (type 0x01): a log's.
    Ed25519,
    /// A timed Ed25519 cosignature of a checkpoint (type 0x04): a witness's.
    Cosigner,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosigner => 0x04,
        }
    }
}

/// A public key with its name. Shown as a vkey: `<name>+<key id in hex>+<Base64 of type and key>`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: VerifyingKey,
    id: u32,
}

/// A private key with its name. `Debug` shows the name alone.
#[derive(Clone)]
pub struct NoteSigner {
    name: String,
    kind: KeyKind,
    key: SigningKey,
}

/// One signature of a note: `— <name> <Base64 of key id and signature>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine {
    /// The key's name.
    pub name: String,
    /// The key's id.
    pub key_id: u32,
    /// What follows the id: 64 bytes, after 8 of time in a cosignature.
    pub signature: Vec<u8>,
}

/// A text and its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

/// Why bytes are no note, or no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The note's form is wrong.
    #[error("not a signed note: {0}")]
    Malformed(&'static str),
    /// A key's form is wrong.
    #[error("`{vkey}` is not a verifier key (<name>+<key id>+<Base64>): {why}")]
    Key {
        /// What was given.
        vkey: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The named key's signature does not verify, or stands there twice.
    #[error("the signature of {name}+{key_id:08x} does not verify")]
    BadSignature {
        /// The key's name.
        name: String,
        /// The key's id.
        key_id: u32,
    },
    /// The key did not sign.
    #[error("no signature of {name}+{key_id:08x}")]
    Unsigned {
        /// The key's name.
        name: String,
        /// The key's id.
        key_id: u32,
    },
}

/// Whether a text can name a key: not empty, no white space, no `+`, no control characters.
pub fn is_key_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(|letter: char| letter.is_whitespace() || letter == '+' || letter.is_control())
}

/// The first four bytes of SHA-256 over name, line end, type and key.
fn key_id(name: &str, kind: KeyKind, key: &VerifyingKey) -> u32 {
    let hash =
        Sha256::new().chain_update(name).chain_update([b'\n', kind.byte()]).chain_update(key.as_bytes()).finalize();
    hash.first_chunk::<4>().map_or(0, |id| u32::from_be_bytes(*id))
}

/// What a cosignature signs: the time in seconds since 1970, then the checkpoint's text.
fn cosigned_message(text: &str, seconds: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes()
}

impl VerifierKey {
    /// A key of that name.
    pub fn new(name: &str, kind: KeyKind, key: VerifyingKey) -> Self {
        Self { name: name.to_owned(), kind, key, id: key_id(name, kind, &key) }
    }

    /// Reads a vkey.
    ///
    /// # Errors
    /// [`NoteError::Key`] when a part is missing, the id is not that of name and key, or the type is neither 0x01 nor 0x04.
    pub fn parse(vkey: &str) -> Result<Self, NoteError> {
        let wrong = |why| NoteError::Key { vkey: vkey.chars().take(200).collect(), why };
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("three parts with `+` between them are wanted"));
        };
        if !is_key_name(name) {
            return Err(wrong("the name is empty or holds white space"));
        }
        let bytes = STANDARD.decode(key).map_err(|_| wrong("the key is not standard Base64"))?;
        let (kind, key) = match bytes.split_first() {
            Some((0x01, key)) => (KeyKind::Ed25519, key),
            Some((0x04, key)) => (KeyKind::Cosigner, key),
            _ => return Err(wrong("the key's type is neither Ed25519 (1) nor an Ed25519 cosigner (4)")),
        };
        let key = <[u8; 32]>::try_from(key).map_err(|_| wrong("the key has not 32 bytes"))?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| wrong("no such Ed25519 key"))?;
        let found = Self::new(name, kind, key);
        if format!("{:08x}", found.id) != id {
            return Err(wrong("the key id is not that of name and key"));
        }
        Ok(found)
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's id.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// What it signs with.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The Ed25519 public key.
    pub const fn public_key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Whether a line claims to be of this key.
    pub fn made(&self, line: &SignatureLine) -> bool {
        line.name == self.name && line.key_id == self.id
    }

    /// Whether the line's signature over the note's text is good. A key kind of its own decides what is signed.
    pub fn verifies(&self, text: &str, line: &SignatureLine) -> bool {
        let check = |message: &[u8], signature: &[u8]| {
            Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
        };
        self.made(line)
            && match self.kind {
                KeyKind::Ed25519 => check(text.as_bytes(), &line.signature),
                KeyKind::Cosigner => match (line.seconds(), line.signature.get(8..)) {
                    (Some(seconds), Some(signature)) => check(&cosigned_message(text, seconds), signature),
                    _ => false,
                },
            }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind.byte()];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(out, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(bytes))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl NoteSigner {
    /// A log's signer. The name is the log's origin.
    pub fn log(origin: &str, key: SigningKey) -> Self {
        Self { name: origin.to_owned(), kind: KeyKind::Ed25519, key }
    }

    /// A witness's signer.
    pub fn cosigner(name: &str, key: SigningKey) -> Self {
        Self { name: name.to_owned(), kind: KeyKind::Cosigner, key }
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key with its name.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey::new(&self.name, self.kind, self.key.verifying_key())
    }

    /// Signs a note's text. `seconds` since 1970 enter a cosignature and nothing else.
    pub fn sign(&self, text: &str, seconds: u64) -> SignatureLine {
        let signature = match self.kind {
            KeyKind::Ed25519 => self.key.sign(text.as_bytes()).to_bytes().to_vec(),
            KeyKind::Cosigner => {
                let mut bytes = seconds.to_be_bytes().to_vec();
                bytes.extend_from_slice(&self.key.sign(&cosigned_message(text, seconds)).to_bytes());
                bytes
            }
        };
        SignatureLine { name: self.name.clone(), key_id: self.verifier().id(), signature }
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "NoteSigner({})", self.name)
    }
}

impl SignatureLine {
    /// Reads a line without its line end.
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        let rest = line.strip_prefix("\u{2014} ").ok_or(NoteError::Malformed("a signature line begins with `— `"))?;
        let (name, encoded) = rest.split_once(' ').ok_or(NoteError::Malformed("a signature line has no signature"))?;
        if !is_key_name(name) {
            return Err(NoteError::Malformed("a signature line has no key name"));
        }
        let bytes =
            STANDARD.decode(encoded).map_err(|_| NoteError::Malformed("a signature is not standard, padded Base64"))?;
        match bytes.split_first_chunk::<4>() {
            Some((id, signature)) if !signature.is_empty() => {
                Ok(Self { name: name.to_owned(), key_id: u32::from_be_bytes(*id), signature: signature.to_vec() })
            }
            _ => Err(NoteError::Malformed("a signature is shorter than its key id")),
        }
    }

    /// The time of a cosignature, in seconds since 1970. `None` where the bytes are no cosignature's, or the time is out of its range.
    pub fn seconds(&self) -> Option<u64> {
        let (seconds, signature) = self.signature.split_first_chunk::<8>()?;
        let seconds = u64::from_be_bytes(*seconds);
        (signature.len() == 64 && i64::try_from(seconds).is_ok()).then_some(seconds)
    }
}

impl fmt::Display for SignatureLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key_id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.signature);
        write!(out, "\u{2014} {} {}", self.name, STANDARD.encode(bytes))
    }
}

impl Note {
    /// A note of a text that ends with a line end.
    pub fn new(text: String, signatures: Vec<SignatureLine>) -> Self {
        Self { text, signatures }
    }

    /// Reads a note.
    ///
    /// # Errors
    /// [`NoteError::Malformed`]: too long, not UTF-8, control characters, no blank line before the signatures, a line that is no signature.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MOST {
            return Err(NoteError::Malformed("longer than 64 KiB"));
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteError::Malformed("not UTF-8"))?;
        if whole.contains(|letter: char| letter.is_ascii_control() && letter != '\n') {
            return Err(NoteError::Malformed("control characters"));
        }
        let (text, lines) = whole.rsplit_once("\n\n").ok_or(NoteError::Malformed("no blank line before signatures"))?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed("no line end after the last signature"))?;
        let signatures = lines
            .split('\n')
            .take(SIGNATURES_MOST.saturating_add(1))
            .map(SignatureLine::parse)
            .collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > SIGNATURES_MOST {
            return Err(NoteError::Malformed("too many signatures"));
        }
        Ok(Self { text: format!("{text}\n"), signatures })
    }

    /// What is signed, with its last line end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, in their order.
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// The line of that key, verified.
    ///
    /// # Errors
    /// [`NoteError::Unsigned`] when the key has no line; [`NoteError::BadSignature`] when its line does not verify, or it has more than one.
    pub fn signed_by(&self, key: &VerifierKey) -> Result<&SignatureLine, NoteError> {
        let mut lines = self.signatures.iter().filter(|line| key.made(line));
        let Some(line) = lines.next() else {
            return Err(NoteError::Unsigned { name: key.name.clone(), key_id: key.id });
        };
        if lines.next().is_some() || !key.verifies(&self.text, line) {
            return Err(NoteError::BadSignature { name: key.name.clone(), key_id: key.id });
        }
        Ok(line)
    }

    /// The note with one more signature, in the place of an earlier one of the same key.
    #[must_use]
    pub fn with(mut self, line: SignatureLine) -> Self {
        self.signatures.retain(|old| old.name != line.name || old.key_id != line.key_id);
        self.signatures.push(line);
        self
    }
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(out, "{line}"))
    }
}
