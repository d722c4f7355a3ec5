//! The receipt: proof that one record is durable, and which.

use agenttrader_core::canonical_json::{self, CanonicalError};
use agenttrader_core::digest::Digest;
use serde_json::Value;
use std::sync::Arc;

/// Proof that a record is durable. Only the log makes one: it has no constructor, `Clone`, `Default` or `Deserialize`.
#[derive(Debug)]
pub struct Receipt {
    origin: Arc<str>,
    index: u64,
    payload_digest: Digest,
}

impl Receipt {
    /// Called by a ticket alone, once the writer told that its batch is past `fdatasync`.
    pub(crate) fn of_durable(origin: Arc<str>, index: u64, payload_digest: Digest) -> Self {
        Self { origin, index, payload_digest }
    }

    /// The log's origin, `agenttrader/<repo_id>/<agent_name>`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The record's index in that log, from nought; its `seq`.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// [`payload_digest`] of the payload as it was given, also where the record stands with `{sha256,size}` in its place.
    pub const fn payload_digest(&self) -> Digest {
        self.payload_digest
    }
}

/// The SHA-256 of a payload's canonical JSON (RFC 8785), as a [`Receipt`] names it.
///
/// # Errors
/// [`CanonicalError`] when the payload holds a number without a canonical form or nests too deep.
pub fn payload_digest(payload: &Value) -> Result<Digest, CanonicalError> {
    canonical_json::to_bytes(payload).map(|bytes| Digest::of(&bytes))
}
