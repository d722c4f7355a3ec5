//! A signed file as it was found: its bytes, the signatures beside it, and whether it was revoked. A plain fact; it says nothing by itself.

use agenttrader_core::digest::Digest;
use serde::{Deserialize, Serialize};

/// Most bytes of a signed file beside an agent's data. A grant has some thousand.
pub const SIGNED_FILE_BYTES_MAX: usize = 64 * 1024;

/// Most signatures beside one file.
pub const SIGNATURES_MAX: usize = 8;

/// A file that people signed, as it lay in its folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedFile {
    /// The digest that its name says.
    pub sha256: Digest,
    /// Its text. Bytes that are none have another digest than the name, whatever stands for them here.
    pub text: String,
    /// What lay beside it as `NAME.sig`, in order of name.
    pub signatures: Vec<PersonsSignature>,
    /// Something named `<sha256>.revoked` lay beside it.
    pub revoked: bool,
}

/// A signature's text, and whose the file's name says it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonsSignature {
    /// Who, by the file's name.
    pub principal: String,
    /// The signature.
    pub text: String,
}
