//! Verifies grants and approvals: a signed file in, what became of it out.

use crate::approval::{Approval, ApprovalError, ApprovalPredicate, PROPOSAL};
use crate::grant::{COMMIT, Grant, GrantError, GrantPredicate, IMAGE, LOCK};
use crate::namespace::Namespace;
use crate::presented::{Presented, Unusable, Verified};
use crate::quorum::{self, Quorum};
use crate::signed_file::{PersonsSignature, SIGNATURES_MAX, SIGNED_FILE_BYTES_MAX, SignedFile};
use crate::signers::{AllowedSigners, SignedBy};
use crate::statement::Statement;
use crate::trust_root::TrustRoot;
use agenttrader_core::digest::Digest;
use agenttrader_core::time::UnixNanos;

/// Verifies a grant's file against the build's trust root. `at` is the time that signed files expire by: the keys must be good then.
pub fn grant(file: &SignedFile, root: &TrustRoot, at: UnixNanos) -> Presented<Grant> {
    let judged = bytes(file).and_then(|bytes| verified_grant(bytes, &file.signatures, root, at));
    Presented::of(judged, || grant_of(file.text.as_bytes()).ok())
}

fn verified_grant(
    bytes: &[u8],
    signatures: &[PersonsSignature],
    root: &TrustRoot,
    at: UnixNanos,
) -> Result<Verified<Grant>, Unusable> {
    let signed_by = signed_by(bytes, signatures, &[Namespace::ExecutionGrant], root.signers(), at)?;
    Quorum { operators: 1, reviewers: 1 }.check(&signed_by)?;
    let grant = grant_of(bytes)?;
    grant.terms.quorum().check(&signed_by)?;
    let signed_by = signed_by.iter().map(|by| by.principal().to_owned()).collect();
    Ok(Verified::of(Grant { signed_by, ..grant }))
}

/// What a grant's bytes say, as nobody's word.
fn grant_of(bytes: &[u8]) -> Result<Grant, Unusable> {
    if bytes.len() > SIGNED_FILE_BYTES_MAX {
        return Err(Unusable::TooLarge { size: bytes.len(), max: SIGNED_FILE_BYTES_MAX });
    }
    let statement = Statement::<GrantPredicate>::read(bytes)?;
    let subjects = (statement.commit(COMMIT), statement.sha256(LOCK), statement.sha256(IMAGE));
    let (Some(git_commit), Some(lock_sha256), Some(image_sha256)) = subjects else {
        return Err(GrantError::Subjects.into());
    };
    if statement.subject.len() != 3 {
        return Err(GrantError::Subjects.into());
    }
    let git_commit = git_commit.clone();
    let terms = statement.predicate;
    terms.check()?;
    let sha256 = Digest::of(bytes);
    Ok(Grant { sha256, terms, git_commit, lock_sha256, image_sha256, signed_by: Vec::new() })
}

/// Verifies an approval's file against the build's trust root. `at` is the time that signed files expire by: the keys must be good then.
///
/// Whether it binds *this* proposal, now, is the gate's to say.
pub fn approval(file: &SignedFile, root: &TrustRoot, at: UnixNanos) -> Presented<Approval> {
    Presented::of(bytes(file).and_then(|bytes| verified_approval(bytes, file, root, at)), || None)
}

/// The proposal that a file claims to be about, as nobody's word: to find the file that is looked at.
pub fn claims(file: &SignedFile) -> Option<Digest> {
    let bytes = bytes(file).ok()?;
    Statement::<ApprovalPredicate>::read(bytes).ok()?.sha256(PROPOSAL)
}

fn verified_approval(
    bytes: &[u8],
    file: &SignedFile,
    root: &TrustRoot,
    at: UnixNanos,
) -> Result<Verified<Approval>, Unusable> {
    let signed_by = signed_by(bytes, &file.signatures, &[Namespace::ProposalApproval], root.signers(), at)?;
    if signed_by.is_empty() {
        return Err(ApprovalError::Unsigned.into());
    }
    let statement = Statement::<ApprovalPredicate>::read(bytes)?;
    let Some(proposal_digest) = statement.sha256(PROPOSAL).filter(|_| statement.subject.len() == 1) else {
        return Err(ApprovalError::Subject.into());
    };
    let ApprovalPredicate { limits_digest, reference_price, signed_at, expires_at } = statement.predicate;
    if expires_at <= signed_at {
        return Err(ApprovalError::Never { signed_at, expires_at }.into());
    }
    let approvers = signed_by.iter().map(|by| by.principal().to_owned()).collect();
    let sha256 = Digest::of(bytes);
    Ok(Verified::of(Approval {
        sha256,
        proposal_digest,
        limits_digest,
        reference_price,
        signed_at,
        expires_at,
        approvers,
    }))
}

/// A file's bytes, once they are what the name says and nobody revoked them.
fn bytes(file: &SignedFile) -> Result<&[u8], Unusable> {
    let size = file.text.len();
    if size > SIGNED_FILE_BYTES_MAX {
        return Err(Unusable::TooLarge { size, max: SIGNED_FILE_BYTES_MAX });
    }
    if file.revoked {
        return Err(Unusable::Revoked);
    }
    let found = Digest::of(file.text.as_bytes());
    if found != file.sha256 {
        return Err(Unusable::OtherName { found, named: file.sha256 });
    }
    Ok(file.text.as_bytes())
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
        return Err(Unusable::TooManySignatures { found: signatures.len(), max: SIGNATURES_MAX });
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
