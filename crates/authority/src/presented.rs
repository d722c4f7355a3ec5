//! What was presented as a person's signed file, and what became of it.

/// A value whose signatures were verified. Only this crate makes one; it cannot be made, defaulted or read from bytes
/// elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T> {
    value: T,
}

impl<T> Verified<T> {
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
    Unusable(Unusable),
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
    #[error("this build trusts no signer")]
    NoTrustedSigner,
}

/// The same as [`Presented`] without the proof, for rules that only look.
#[derive(Debug, PartialEq, Eq)]
pub enum Shown<'a, T> {
    /// See [`Presented::Missing`].
    Missing,
    /// See [`Presented::Unknown`].
    Unknown,
    /// See [`Presented::Unusable`].
    Unusable,
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
    pub const fn shown(&self) -> Shown<'_, T> {
        match self {
            Self::Missing => Shown::Missing,
            Self::Unknown => Shown::Unknown,
            Self::Unusable(_) => Shown::Unusable,
            Self::Good(verified) => Shown::Good(verified.get()),
        }
    }

    /// One word for records: `missing`, `unknown`, `unusable`, `good`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unknown => "unknown",
            Self::Unusable(_) => "unusable",
            Self::Good(_) => "good",
        }
    }
}
