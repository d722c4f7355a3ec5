//! A signed file as it was found: its bytes, the signatures beside it, and whether it was revoked. A plain fact; it says nothing by itself.

use crate::namespace::Namespace;
use crate::presented::Unusable;
use crate::quorum;
use crate::signers::{AllowedSigners, SignedBy};
use agenttrader_core::digest::Digest;
use agenttrader_core::time::UnixNanos;
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

impl SignedFile {
    /// Its bytes, once they are what the name says and nobody revoked them.
    pub(crate) fn bytes(&self) -> Result<&[u8], Unusable> {
        let size = self.text.len();
        if size > SIGNED_FILE_BYTES_MAX {
            return Err(Unusable::TooLarge { size, max: SIGNED_FILE_BYTES_MAX });
        }
        if self.revoked {
            return Err(Unusable::Revoked);
        }
        let found = Digest::of(self.text.as_bytes());
        if found != self.sha256 {
            return Err(Unusable::OtherName { found, named: self.sha256 });
        }
        Ok(self.text.as_bytes())
    }
}

/// Who signed these bytes, for one of these purposes. One signature that does not count spoils all: nobody can know then what was meant.
pub(crate) fn signed_by(
    bytes: &[u8],
    signatures: &[PersonsSignature],
    namespaces: &[Namespace],
    signers: &AllowedSigners,
    at: UnixNanos,
) -> Result<Vec<SignedBy>, Unusable> {
    if signers.is_nobody() {
        return Err(Unusable::NoTrustedSigner);
    }
    if signatures.len() > SIGNATURES_MAX {
        return Err(Unusable::TooManySignatures { found: signatures.len() });
    }
    let verified = signatures.iter().map(|PersonsSignature { principal, text }| {
        let verify = |namespace| signers.verify(principal, namespace, bytes, text.as_bytes(), at);
        let mut answers = namespaces.iter().map(|namespace| verify(*namespace));
        let first = answers.next().ok_or(Unusable::NoTrustedSigner)?;
        // The first answer tells why where none is good.
        let answer = if first.is_ok() { first } else { answers.find(Result::is_ok).unwrap_or(first) };
        answer.map_err(|problem| Unusable::Signature { principal: principal.clone(), problem })
    });
    let verified: Vec<SignedBy> = verified.collect::<Result<_, _>>()?;
    quorum::distinct(&verified)?;
    Ok(verified)
}
