//! SSH signatures over files (`ssh-keygen -Y sign`, format SSHSIG version 1), read strictly and verified.
//!
//! Anything that could be read two ways is refused: no bytes before, between or after, strict base64, an empty reserved
//! field. What verifies here, stock `ssh-keygen -Y verify` accepts too.

use crate::ssh_key::{KeyError, KeyKind, PublicKey, SK_APPLICATION, shown};
use crate::ssh_wire::{Wire, put_string};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signature;
use sha2::{Digest as _, Sha256, Sha512};

/// Most bytes of a signature's text. One of a security key has about 500.
pub const SIGNATURE_BYTES_MAX: usize = 4 * 1024;

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
const MAGIC: &[u8; 6] = b"SSHSIG";
const VERSION: u32 = 1;

/// Longest line of base64: `ssh-keygen` writes 70 characters, the format's text says 76.
const LINE_MAX: usize = 76;

/// The bit in a security key's answer that says: a person touched it.
const USER_PRESENT: u8 = 0x01;

/// The bits that a security key's answer may have: touched, and verified by PIN or finger.
const FLAGS: u8 = 0x05;

/// A signature as read. Says nothing until [`SshSignature::verify`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshSignature {
    key: PublicKey,
    namespace: String,
    hash: Hash,
    signature: [u8; 64],
    touch: Option<Touch>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha512,
}

/// What a security key signs besides the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Touch {
    flags: u8,
    counter: u32,
}

/// Why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Larger than any signature.
    #[error("the signature has {size} bytes, more than {SIGNATURE_BYTES_MAX}")]
    TooLarge {
        /// Its bytes.
        size: usize,
    },
    /// Not between the two lines, or something stands before, between or after.
    #[error("the signature is not one SSH signature between its two lines: make it with `ssh-keygen -Y sign`")]
    Armor,
    /// Not base64, or base64 that another text also stands for.
    #[error("the signature is not strict base64")]
    Base64,
    /// The bytes are no signature of this format.
    #[error("the signature's bytes do not have the format's shape")]
    Shape,
    /// Another version.
    #[error("the signature has version {0}, not {VERSION}")]
    Version(u32),
    /// Its key is none that may sign here.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The reserved field is not empty.
    #[error("the signature's reserved field is not empty")]
    Reserved,
    /// Another hash.
    #[error("the signature hashes with `{0}`, not sha512 or sha256")]
    Hash(String),
    /// The signature is of another type than its key.
    #[error("the signature's type `{0}` is not its key's")]
    Algorithm(String),
    /// A security key signed without a touch, or says what is not known here.
    #[error("the security key's flags are {0:#04x}: a person's touch is needed")]
    NoTouch(u8),
    /// It was made for something else.
    #[error("the signature is for `{found}`, not for `{wanted}`")]
    Namespace {
        /// What it is for.
        found: String,
        /// What it would have to be for.
        wanted: String,
    },
    /// The message or the signature was changed, or another key made it.
    #[error("the signature is not of these bytes")]
    Mismatch,
}

impl SshSignature {
    /// Reads a signature's text, with or without a newline at its end.
    ///
    /// # Errors
    /// [`SignatureError`] for anything but exactly one signature of a kind that may sign here.
    pub fn parse(text: &[u8]) -> Result<Self, SignatureError> {
        if text.len() > SIGNATURE_BYTES_MAX {
            return Err(SignatureError::TooLarge { size: text.len() });
        }
        Self::from_wire(&unarmored(std::str::from_utf8(text).map_err(|_| SignatureError::Armor)?)?)
    }

    fn from_wire(bytes: &[u8]) -> Result<Self, SignatureError> {
        const SHORT: SignatureError = SignatureError::Shape;
        let mut wire = Wire::new(bytes);
        if wire.take(MAGIC.len()).ok_or(SHORT)? != MAGIC {
            return Err(SHORT);
        }
        let version = wire.number().ok_or(SHORT)?;
        if version != VERSION {
            return Err(SignatureError::Version(version));
        }
        let key = PublicKey::from_wire(wire.string().ok_or(SHORT)?)?;
        let namespace = std::str::from_utf8(wire.string().ok_or(SHORT)?).map_err(|_| SHORT)?.to_owned();
        if namespace.is_empty() {
            return Err(SHORT);
        }
        // ssh-keygen skips this field and signs over an empty one, so that any bytes here would pass there.
        if !wire.string().ok_or(SHORT)?.is_empty() {
            return Err(SignatureError::Reserved);
        }
        let hash = match wire.string().ok_or(SHORT)? {
            b"sha512" => Hash::Sha512,
            b"sha256" => Hash::Sha256,
            other => return Err(SignatureError::Hash(shown(other))),
        };
        let mut inner = Wire::new(wire.string().ok_or(SHORT)?);
        let algorithm = inner.string().ok_or(SHORT)?;
        if algorithm != key.kind().as_str().as_bytes() {
            return Err(SignatureError::Algorithm(shown(algorithm)));
        }
        let signature = inner.fixed().ok_or(SHORT)?;
        let touch = match key.kind() {
            KeyKind::Ed25519 => None,
            KeyKind::SkEd25519 => {
                Some(Touch { flags: inner.byte().ok_or(SHORT)?, counter: inner.number().ok_or(SHORT)? })
            }
        };
        if !inner.is_at_end() || !wire.is_at_end() {
            return Err(SHORT);
        }
        Ok(Self { key, namespace, hash, signature, touch })
    }

    /// The key that it says made it.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// What it says it is for.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Verifies that [`SshSignature::key`] signed exactly this message for exactly this namespace.
    ///
    /// # Errors
    /// [`SignatureError`] if it did not, or a security key did so without a touch.
    pub fn verify(&self, namespace: &str, message: &[u8]) -> Result<(), SignatureError> {
        if self.namespace != namespace {
            return Err(SignatureError::Namespace {
                found: shown(self.namespace.as_bytes()),
                wanted: namespace.to_owned(),
            });
        }
        let mut signed = self.signed_bytes(message).ok_or(SignatureError::Mismatch)?;
        if let Some(Touch { flags, counter }) = self.touch {
            if flags & USER_PRESENT == 0 || flags & !FLAGS != 0 {
                return Err(SignatureError::NoTouch(flags));
            }
            let of_message = Sha256::digest(&signed);
            signed = Sha256::digest(SK_APPLICATION).to_vec();
            signed.push(flags);
            signed.extend_from_slice(&counter.to_be_bytes());
            signed.extend_from_slice(&of_message);
        }
        let signature = Signature::from_bytes(&self.signature);
        self.key.verifying().verify_strict(&signed, &signature).map_err(|_| SignatureError::Mismatch)
    }

    /// The bytes that the signature is over: not the message but its hash, and what it is for.
    fn signed_bytes(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = MAGIC.to_vec();
        put_string(self.namespace.as_bytes(), &mut bytes)?;
        put_string(b"", &mut bytes)?;
        match self.hash {
            Hash::Sha512 => {
                put_string(b"sha512", &mut bytes)?;
                put_string(&Sha512::digest(message), &mut bytes)?;
            }
            Hash::Sha256 => {
                put_string(b"sha256", &mut bytes)?;
                put_string(&Sha256::digest(message), &mut bytes)?;
            }
        }
        Some(bytes)
    }
}

/// The bytes between the two lines.
fn unarmored(text: &str) -> Result<Vec<u8>, SignatureError> {
    let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    if lines.next() != Some(BEGIN) || lines.next_back() != Some(END) {
        return Err(SignatureError::Armor);
    }
    let mut base64 = String::with_capacity(text.len());
    for line in lines {
        if line.is_empty() || line.len() > LINE_MAX {
            return Err(SignatureError::Armor);
        }
        base64.push_str(line);
    }
    STANDARD.decode(base64).map_err(|_| SignatureError::Base64)
}
