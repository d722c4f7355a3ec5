//! Randomness from the system: the one place that draws it.

use uuid::Uuid;

/// The system gives no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no randomness: {why}")]
pub struct EntropyError {
    /// The system's words.
    pub why: String,
}

/// Random bytes, fit for keys.
///
/// # Errors
/// [`EntropyError`] when the system has none.
pub fn bytes<const N: usize>() -> Result<[u8; N], EntropyError> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(|error| EntropyError { why: error.to_string() })?;
    Ok(bytes)
}

/// A random UUID (version 4).
///
/// # Errors
/// As [`bytes`].
pub fn random_id() -> Result<Uuid, EntropyError> {
    bytes().map(|bytes| uuid::Builder::from_random_bytes(bytes).into_uuid())
}
