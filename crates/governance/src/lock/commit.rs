//! A commit on the branch that is checked out, with index and disk brought after it.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::git::sign::Signer;
use crate::git::tree::Files;
use crate::git::write::NewCommit;
use crate::lock::people::People;
use crate::lock::write_error::WriteError;
use agenttrader_authority::git_signature;
use agenttrader_authority::namespace::Namespace;
use agenttrader_authority::signers::SignedBy;
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::UnixNanos;

/// The branch that is checked out.
///
/// # Errors
/// [`WriteError::Refused`] where a commit is.
pub fn branch(repository: &Repository) -> Result<String, WriteError> {
    repository.branch()?.ok_or_else(|| {
        WriteError::refused("no branch is checked out", "git switch to the branch that moves from lock to lock")
    })
}

/// Commits these files after HEAD and moves the branch there.
///
/// # Errors
/// [`WriteError`]; then the branch is where it was.
pub fn commit(
    repository: &Repository,
    files: &Files,
    message: &str,
    signer: Option<(&Signer, &People)>,
    at: UnixNanos,
) -> Result<Id, WriteError> {
    let branch = branch(repository)?;
    let head = repository.head()?;
    let new = NewCommit { files, parents: &[head], message, signer: signer.map(|(signer, _)| signer), at };
    let id = repository.write_commit(&new)?;
    if let Some((signer, people)) = signer {
        signed_by(repository, people, id, at).and_then(|by| match by {
            Some(by) if by.principal() == signer.principal => Ok(()),
            Some(by) => Err(not_his(&signer.principal, &format!("it is the key of {}", by.principal()))),
            None => Err(not_his(&signer.principal, "the commit came out unsigned")),
        })?;
    }
    let before = repository.files(head)?;
    repository.move_ref(&branch, Some(head), id)?;
    repository.set_index(id)?;
    repository.put_on_disk(&before, files)?;
    Ok(id)
}

fn not_his(principal: &str, why: &str) -> WriteError {
    WriteError::refused(
        format!("the key does not sign commits as {principal}: {why}"),
        "name the principal and its own key as ops/trust/allowed_signers has them",
    )
}

/// Who signed a commit, by the commit's own bytes; nobody where it is not signed.
///
/// # Errors
/// [`WriteError::Refused`] for a signature that is nobody's.
pub fn signed_by(
    repository: &Repository,
    people: &People,
    id: Id,
    at: UnixNanos,
) -> Result<Option<SignedBy>, WriteError> {
    let refused = |why: String| {
        WriteError::refused(format!("the signature of commit {id} does not count: {why}"), "sign with a listed key")
    };
    let commit = repository.commit(id)?;
    let Some(signed) = git_signature::commit(&commit.bytes).map_err(|error| refused(chain(&error)))? else {
        return Ok(None);
    };
    let by = people.signers.who(Namespace::Git, &signed.payload, &signed.signature, at);
    by.map(Some).map_err(|error| refused(chain(&error)))
}

/// HEAD's files.
///
/// # Errors
/// [`GitError`].
pub fn head_files(repository: &Repository) -> Result<(Id, Files), GitError> {
    let head = repository.head()?;
    Ok((head, repository.files(head)?))
}
