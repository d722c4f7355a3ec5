//! Public keys of people: Ed25519, in a file or in a security key that wants a touch.

use crate::ssh_wire::{Wire, put_string};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ed25519_dalek::VerifyingKey;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// The application that a security key's key belongs to: ssh's own.
pub(crate) const SK_APPLICATION: &[u8] = b"ssh:";

/// Most characters of a key in base64: a security key's has 100.
const BASE64_MAX: usize = 256;

/// What holds the private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// A file, or an agent's memory.
    Ed25519,
    /// A security key (FIDO2), which signs only when a person touches it.
    SkEd25519,
}

/// A person's public key. Two keys are the same person's secret if their points are equal, whatever holds it: [`PublicKey::point`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    kind: KeyKind,
    key: VerifyingKey,
}

/// Why bytes are no key that may sign here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Another algorithm.
    #[error("key type `{0}` is not used here: make an Ed25519 key (`ssh-keygen -t ed25519-sk`, or `-t ed25519`)")]
    Algorithm(String),
    /// Not base64, or base64 that another text also stands for.
    #[error("the key is not strict base64")]
    Base64,
    /// The bytes are not one key of the type that stands before them.
    #[error("the key's bytes are not one {0} key")]
    Shape(KeyKind),
    /// The point is none of the curve, or one under which anybody can sign.
    #[error("the key's point is no Ed25519 key")]
    Point,
    /// A security key's key for another application than ssh.
    #[error("the security key's application is `{0}`, not `ssh:`")]
    Application(String),
}

impl KeyKind {
    /// As it stands before a key in a file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519",
            Self::SkEd25519 => "sk-ssh-ed25519@openssh.com",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Result<Self, KeyError> {
        match name {
            "ssh-ed25519" => Ok(Self::Ed25519),
            "sk-ssh-ed25519@openssh.com" => Ok(Self::SkEd25519),
            _ => Err(KeyError::Algorithm(shown(name.as_bytes()))),
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl PublicKey {
    /// Reads a type and the base64 beside it, as in `allowed_signers` and in `.pub` files.
    ///
    /// # Errors
    /// [`KeyError`] for anything but one key of that type.
    pub fn parse(kind: &str, base64: &str) -> Result<Self, KeyError> {
        let kind = KeyKind::parse(kind)?;
        if base64.len() > BASE64_MAX {
            return Err(KeyError::Base64);
        }
        let bytes = STANDARD.decode(base64).map_err(|_| KeyError::Base64)?;
        let key = Self::from_wire(&bytes)?;
        if key.kind == kind { Ok(key) } else { Err(KeyError::Shape(kind)) }
    }

    /// Reads the wire form.
    ///
    /// # Errors
    /// [`KeyError`] for anything but one key, with nothing after it.
    pub fn from_wire(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut wire = Wire::new(bytes);
        let name = wire.string().ok_or(KeyError::Shape(KeyKind::Ed25519))?;
        let kind = KeyKind::parse(std::str::from_utf8(name).map_err(|_| KeyError::Algorithm(shown(name)))?)?;
        let point = wire.fixed().ok_or(KeyError::Shape(kind))?;
        if kind == KeyKind::SkEd25519 {
            let application = wire.string().ok_or(KeyError::Shape(kind))?;
            if application != SK_APPLICATION {
                return Err(KeyError::Application(shown(application)));
            }
        }
        if !wire.is_at_end() {
            return Err(KeyError::Shape(kind));
        }
        let key = VerifyingKey::from_bytes(&point).map_err(|_| KeyError::Point)?;
        // Under a point of small order one signature fits many messages. A point has one encoding: another one of it is another key's name.
        if key.is_weak() || key.to_edwards().compress().to_bytes() != point {
            return Err(KeyError::Point);
        }
        Ok(Self { kind, key })
    }

    /// The wire form.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let written = put_string(self.kind.as_str().as_bytes(), &mut bytes)
            .and_then(|()| put_string(self.point(), &mut bytes))
            .and_then(|()| match self.kind {
                KeyKind::Ed25519 => Some(()),
                KeyKind::SkEd25519 => put_string(SK_APPLICATION, &mut bytes),
            });
        debug_assert!(written.is_some(), "three short strings have lengths that fit");
        bytes
    }

    /// What holds its private half.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The 32 bytes that make it this key and no other.
    pub fn point(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// As `ssh-keygen -l` prints it: `SHA256:` and 43 characters.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(self.to_wire())))
    }

    pub(crate) const fn verifying(&self) -> &VerifyingKey {
        &self.key
    }
}

/// As in a `.pub` file, without the comment.
impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.kind, STANDARD.encode(self.to_wire()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// Foreign bytes for an error's text: short, escaped.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().take(64).flat_map(char::escape_default).collect()
}
