//! What was presented as a person's signed file, and what became of it.

use crate::approval::ApprovalError;
use crate::grant::GrantError;
use crate::quorum::QuorumError;
use crate::signers::SignerError;
use crate::statement::StatementError;
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;

/// A value whose signatures were verified. Only this crate makes one; it cannot be made, defaulted or read from bytes
/// elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T> {
    value: T,
}

impl<T> Verified<T> {
    pub(crate) const fn of(value: T) -> Self {
        Self { value }
    }

    /// The value that was signed.
    pub const fn get(&self) -> &T {
        &self.value
    }
}

/// A signed input that a gate asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented<T> {
    /// Nothing was presented.
    Missing,
    /// Whether something was presented cannot be known: the place could not be read.
    Unknown,
    /// Something was presented that does not verify.
    Unusable {
        /// Why.
        why: Unusable,
        /// What it claims, where that can be read: nobody's word, good for telling a person what else is wrong with it.
        claims: Option<Box<T>>,
    },
    /// It verified.
    Good(Verified<T>),
}

/// Why a presented file is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Larger than any file a person signs here.
    #[error("has {size} bytes, more than {max}")]
    TooLarge {
        /// Bytes presented.
        size: usize,
        /// Most bytes read.
        max: usize,
    },
    /// The build trusts no signer: it was made from a draft repository.
    #[error("this build trusts no signer: it was made from a draft repository")]
    NoTrustedSigner,
    /// Its bytes are not those that its name says.
    #[error("is named {named}, its bytes have the digest {found}")]
    OtherName {
        /// The name.
        named: Digest,
        /// The digest.
        found: Digest,
    },
    /// Somebody revoked it.
    #[error("is revoked")]
    Revoked,
    /// More signatures than people would make.
    #[error("has {found} signatures, more than {max}")]
    TooManySignatures {
        /// How many.
        found: usize,
        /// Most that are looked at.
        max: usize,
    },
    /// A signature beside it does not count.
    #[error("the signature of `{principal}` does not count")]
    Signature {
        /// Whose it would be.
        principal: String,
        /// Why not.
        #[source]
        problem: SignerError,
    },
    /// Not the statement it would have to be.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// Those who signed are not enough.
    #[error(transparent)]
    Quorum(#[from] QuorumError),
    /// What it says cannot be granted.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// What it says approves nothing.
    #[error(transparent)]
    Approval(#[from] ApprovalError),
}

impl Unusable {
    /// The whole reason, causes too, in one line.
    pub fn reason(&self) -> String {
        chain(self)
    }
}

/// The same as [`Presented`] without the proof, for rules that only look.
#[derive(Debug, PartialEq, Eq)]
pub enum Shown<'a, T> {
    /// See [`Presented::Missing`].
    Missing,
    /// See [`Presented::Unknown`].
    Unknown,
    /// See [`Presented::Unusable`].
    Unusable {
        /// What it claims.
        claims: Option<&'a T>,
    },
    /// See [`Presented::Good`].
    Good(&'a T),
}

// Copied whatever it shows, which a derive would ask of `T`.
impl<T> Clone for Shown<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shown<'_, T> {}

impl<T> Presented<T> {
    /// A look without the proof.
    pub fn shown(&self) -> Shown<'_, T> {
        match self {
            Self::Missing => Shown::Missing,
            Self::Unknown => Shown::Unknown,
            Self::Unusable { claims, .. } => Shown::Unusable { claims: claims.as_deref() },
            Self::Good(verified) => Shown::Good(verified.get()),
        }
    }

    /// One word for records: `missing`, `unknown`, `unusable`, `good`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unknown => "unknown",
            Self::Unusable { .. } => "unusable",
            Self::Good(_) => "good",
        }
    }

    pub(crate) fn of(judged: Result<Verified<T>, Unusable>, claims: impl FnOnce() -> Option<T>) -> Self {
        match judged {
            Ok(verified) => Self::Good(verified),
            Err(why) => Self::Unusable { why, claims: claims().map(Box::new) },
        }
    }
}
