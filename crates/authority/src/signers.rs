//! Who may sign for what: `allowed_signers` and `revoked_keys`, in a profile stricter than OpenSSH's.
//!
//! OpenSSH believes a `*` for a name, a pattern for a namespace, a line without namespaces, and one key under two people.
//! Here a line that is not exactly of the profile refuses the whole file: a trust root read in part trusts nobody knows whom.

use crate::namespace::Namespace;
use crate::signer_line::{self, LineError, SignerLine};
use crate::ssh_key::{KeyError, PublicKey};
use crate::sshsig::{SignatureError, SshSignature};
use agenttrader_core::time::UnixNanos;
use std::collections::BTreeSet;

/// Most bytes of a file of signers, and of one of revoked keys.
pub const SIGNERS_BYTES_MAX: usize = 64 * 1024;

/// The people a repository trusts. [`AllowedSigners::parse`] alone makes one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedSigners {
    lines: Vec<SignerLine>,
    revoked: Vec<PublicKey>,
}

/// Who signed something, for what, with which key. Made by a verification alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBy {
    principal: String,
    namespace: Namespace,
    key: PublicKey,
    roles: BTreeSet<Namespace>,
}

/// Why a file of signers or revoked keys is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignersError {
    /// Too large.
    #[error("{file} has {size} bytes, more than {SIGNERS_BYTES_MAX}")]
    TooLarge {
        /// Which file.
        file: &'static str,
        /// Its bytes.
        size: usize,
    },
    /// Bytes that no line of it has.
    #[error("{file} has bytes that are not printable ASCII, tab or newline")]
    NotPlain {
        /// Which file.
        file: &'static str,
    },
    /// A line is not of the profile.
    #[error("allowed_signers:{line}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        problem: LineError,
    },
    /// A key stands in two lines.
    #[error("allowed_signers:{line}: the key stands in line {first} already: one line a key")]
    KeyTwice {
        /// The later line, from 1.
        line: usize,
        /// The earlier.
        first: usize,
    },
    /// Two names that only their case tells apart.
    #[error("allowed_signers:{line}: `{principal}` differs from the name in line {first} by case alone")]
    Lookalike {
        /// The later line, from 1.
        line: usize,
        /// The earlier.
        first: usize,
        /// The later name.
        principal: String,
    },
    /// A line of revoked keys is no key.
    #[error("revoked_keys:{line}: want `TYPE BASE64 [COMMENT]`, one Ed25519 key a line")]
    Revoked {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with the key, where it is one.
        #[source]
        problem: Option<KeyError>,
    },
}

/// Why a signature is nobody's who may sign this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// The signature itself does not count.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Its key stands in no line.
    #[error("key {fingerprint} is none of a trusted person's")]
    UnknownKey {
        /// The key's.
        fingerprint: String,
    },
    /// Its key is another person's.
    #[error("the signature is by `{found}`, not by `{wanted}`")]
    OtherPrincipal {
        /// Whose key it is.
        found: String,
        /// Whose it would have to be.
        wanted: String,
    },
    /// The person may not sign for this.
    #[error("`{principal}` may not sign for `{namespace}`")]
    NotForThis {
        /// Who.
        principal: String,
        /// For what.
        namespace: Namespace,
    },
    /// The key was revoked.
    #[error("the key of `{principal}` is revoked")]
    Revoked {
        /// Who.
        principal: String,
    },
    /// The key is not valid yet, or no longer.
    #[error("the key of `{principal}` is not valid at {at}")]
    OutOfTime {
        /// Who.
        principal: String,
        /// The time asked about.
        at: UnixNanos,
    },
}

impl AllowedSigners {
    /// Reads both files. Empty ones, and ones of comments alone, trust nobody.
    ///
    /// # Errors
    /// [`SignersError`] for the first thing that is not of the profile; nothing of the files counts then.
    pub fn parse(allowed: &[u8], revoked: &[u8]) -> Result<Self, SignersError> {
        let mut signers = Self::default();
        let mut numbers: Vec<usize> = Vec::new();
        for (line, text) in lines(allowed, "allowed_signers")? {
            let parsed = signer_line::parse(text).map_err(|problem| SignersError::Line { line, problem })?;
            for (known, first) in signers.lines.iter().zip(numbers.iter().copied()) {
                if known.key.point() == parsed.key.point() {
                    return Err(SignersError::KeyTwice { line, first });
                }
                if known.principal != parsed.principal && known.principal.eq_ignore_ascii_case(&parsed.principal) {
                    return Err(SignersError::Lookalike { line, first, principal: parsed.principal });
                }
            }
            numbers.push(line);
            signers.lines.push(parsed);
        }
        for (line, text) in lines(revoked, "revoked_keys")? {
            let mut words = text.split([' ', '\t']).filter(|word| !word.is_empty());
            let (Some(kind), Some(base64)) = (words.next(), words.next()) else {
                return Err(SignersError::Revoked { line, problem: None });
            };
            let key = PublicKey::parse(kind, base64);
            signers.revoked.push(key.map_err(|problem| SignersError::Revoked { line, problem: Some(problem) })?);
        }
        Ok(signers)
    }

    /// Whether nobody is trusted: the repository is a draft.
    pub fn is_nobody(&self) -> bool {
        self.lines.is_empty()
    }

    /// The lines, in the file's order.
    pub fn lines(&self) -> &[SignerLine] {
        &self.lines
    }

    /// Who made this signature over this message, for this purpose, with a key good at `at`.
    ///
    /// # Errors
    /// [`SignerError`] if nobody did who may.
    pub fn who(
        &self,
        namespace: Namespace,
        message: &[u8],
        signature: &[u8],
        at: UnixNanos,
    ) -> Result<SignedBy, SignerError> {
        let signature = SshSignature::parse(signature)?;
        let key = *signature.key();
        let line = self.lines.iter().find(|line| line.key == key);
        let line = line.ok_or_else(|| SignerError::UnknownKey { fingerprint: key.fingerprint() })?;
        let principal = || line.principal.clone();
        signature.verify(namespace.as_str(), message)?;
        if !line.namespaces.contains(&namespace) {
            return Err(SignerError::NotForThis { principal: principal(), namespace });
        }
        // By its point: a secret that leaked is no better in another holder.
        if self.revoked.iter().any(|revoked| revoked.point() == key.point()) {
            return Err(SignerError::Revoked { principal: principal() });
        }
        if !line.is_valid_at(at) {
            return Err(SignerError::OutOfTime { principal: principal(), at });
        }
        Ok(SignedBy { principal: principal(), namespace, key, roles: self.roles(&line.principal) })
    }

    /// The same, where the signature must be this person's.
    ///
    /// # Errors
    /// [`SignerError`] if it is not, or the person may not sign this.
    pub fn verify(
        &self,
        principal: &str,
        namespace: Namespace,
        message: &[u8],
        signature: &[u8],
        at: UnixNanos,
    ) -> Result<SignedBy, SignerError> {
        let signed_by = self.who(namespace, message, signature, at)?;
        if signed_by.principal == principal {
            Ok(signed_by)
        } else {
            Err(SignerError::OtherPrincipal { found: signed_by.principal, wanted: principal.to_owned() })
        }
    }

    /// All that a person may sign for, over all of their lines.
    fn roles(&self, principal: &str) -> BTreeSet<Namespace> {
        let own = self.lines.iter().filter(|line| line.principal == principal);
        own.flat_map(|line| line.namespaces.iter().copied()).collect()
    }
}

impl SignedBy {
    /// Who.
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// For what.
    pub const fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// With which key.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether the person is an operator: may approve unlocks as one.
    pub fn is_operator(&self) -> bool {
        self.roles.contains(&Namespace::UnlockOperator)
    }

    /// Whether the person is a reviewer: may approve unlocks as one.
    pub fn is_reviewer(&self) -> bool {
        self.roles.contains(&Namespace::UnlockReviewer)
    }
}

/// The lines that say something, with their numbers. A carriage return is no white space here: it is refused.
fn lines<'a>(bytes: &'a [u8], file: &'static str) -> Result<impl Iterator<Item = (usize, &'a str)>, SignersError> {
    if bytes.len() > SIGNERS_BYTES_MAX {
        return Err(SignersError::TooLarge { file, size: bytes.len() });
    }
    let plain = bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n'));
    let text = std::str::from_utf8(bytes).ok().filter(|_| plain).ok_or(SignersError::NotPlain { file })?;
    let numbered = text.split('\n').enumerate().map(|(index, line)| (index.saturating_add(1), line));
    Ok(numbered.filter(|(_, line)| {
        let said = line.trim_start_matches([' ', '\t']);
        !said.is_empty() && !said.starts_with('#')
    }))
}
