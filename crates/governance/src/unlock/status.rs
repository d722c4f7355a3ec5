//! `unlock status`: how far an unlock is, and what is granted. Writes nothing.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::lock::chain::{Locks, Placed};
use crate::lock::later;
use crate::lock::people::People;
use crate::lock::unlocked;
use crate::lock::write_error::WriteError;
use crate::unlock::people_signed::{PeopleSigned, approval_path, grant_path};
use crate::unlock::refused::Refused;
use crate::unlock::request::{self, Request};
use crate::unlock::verify::{Asked, verify};
use agenttrader_authority::grant::Grant;
use agenttrader_authority::presented::Presented;
use agenttrader_authority::signed_file::SignedFile;
use agenttrader_authority::trust_root::{SignersText, TrustRoot};
use agenttrader_authority::verify::grant;
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::UnixNanos;

/// An unlock, as HEAD has it.
#[derive(Clone, Debug)]
pub struct Status {
    /// HEAD.
    pub head: Id,
    /// HEAD's lock.
    pub lock: Placed,
    /// The unlock; none after a first lock on no unlock's branch.
    pub unlock: Option<Unlock>,
}

/// One unlock.
#[derive(Clone, Debug)]
pub struct Unlock {
    /// Its id.
    pub unlock_id: String,
    /// Whether a lock follows it.
    pub is_locked: bool,
    /// What was asked for.
    pub request: Option<Request>,
    /// Who signed the approval, by the files' names.
    pub approvals: Vec<String>,
    /// What it lacks; nothing once it is completed.
    pub refused: Option<Refused>,
    /// The grant under it.
    pub grant: Presented<Grant>,
}

/// The status of HEAD: of the unlock whose branch is checked out, else of the one that HEAD's lock follows.
///
/// # Errors
/// [`WriteError`] where it cannot be told.
pub fn status(repository: &Repository, now: UnixNanos) -> Result<Status, WriteError> {
    let head = repository.head()?;
    let lock = later::base(repository)?;
    let locked_id = lock.lock.locked().and_then(|locked| locked.unlock_id.clone());
    let branch = repository.branch()?.unwrap_or_default();
    let unlock = match (request::of_branch(&branch), locked_id) {
        (Some(id), locked_id) if locked_id.as_deref() != Some(id) => Some(under_way(repository, &lock, head, id, now)?),
        (_, Some(id)) => Some(done(repository, &lock, head, id, now)?),
        (_, None) => None,
    };
    Ok(Status { head, lock, unlock })
}

fn under_way(repository: &Repository, lock: &Placed, head: Id, id: &str, now: UnixNanos) -> Result<Unlock, GitError> {
    let judged = verify(&Asked { repository, base: lock, head, unlock_id: id, lock: None, at: now })?;
    unlock(repository, head, id, judged.err(), Presented::Missing, false)
}

fn done(repository: &Repository, lock: &Placed, head: Id, id: String, now: UnixNanos) -> Result<Unlock, WriteError> {
    let previous = lock.lock.locked().and_then(|locked| locked.previous).unwrap_or(lock.sha256);
    let base = Locks::in_history(repository, head)?.placed(repository, previous)?;
    let base =
        base.map_err(|error| WriteError::refused(chain(&error), "`agenttrader lock validate` says all that is wrong"))?;
    let judged = unlocked::judged(repository, lock, &base)?;
    let signed = PeopleSigned::at(repository, head, &grant_path(&id))?;
    let granted = signed.bytes.as_ref().map(|bytes| SignedFile {
        sha256: Digest::of(bytes),
        text: String::from_utf8_lossy(bytes).into_owned(),
        signatures: signed.presented(),
        revoked: false,
    });
    let standing = match granted {
        None => Presented::Missing,
        Some(file) => grant(&file, &root(repository, lock)?, now),
    };
    Ok(unlock(repository, head, &id, judged.err(), standing, true)?)
}

/// Whom a lock trusts.
///
/// # Errors
/// [`WriteError`].
pub fn root(repository: &Repository, lock: &Placed) -> Result<TrustRoot, WriteError> {
    // Read as a lock's people are: an agent among them refuses all.
    People::at(repository, lock.commit)?;
    let text = |path: &str| -> Result<String, GitError> {
        let bytes = repository.file_at(lock.commit, path)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = SignersText {
        allowed_signers: text(crate::lock::people::SIGNERS_PATH)?,
        revoked_keys: text(crate::lock::people::REVOKED_PATH)?,
    };
    TrustRoot::read(text).map_err(|error| WriteError::refused(chain(&error), "the lock's list of signers is none"))
}

fn unlock(
    repository: &Repository,
    head: Id,
    id: &str,
    refused: Option<Refused>,
    grant: Presented<Grant>,
    is_locked: bool,
) -> Result<Unlock, GitError> {
    let request = repository.file_at(head, &request::path(id))?.and_then(|bytes| Request::parse(&bytes).ok());
    let signed = PeopleSigned::at(repository, head, &approval_path(id))?;
    let approvals = signed.names().into_iter().map(str::to_owned).collect();
    Ok(Unlock { unlock_id: id.to_owned(), is_locked, request, approvals, refused, grant })
}
