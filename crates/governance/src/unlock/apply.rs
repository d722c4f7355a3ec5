//! `unlock apply`: the change that was approved, made in one commit that its author signs. Step 4.

use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::git::sign::Signer;
use crate::lock::commit::{commit, head_files};
use crate::lock::people::People;
use crate::lock::write_error::WriteError;
use crate::unlock::after::changed;
use crate::unlock::approve::steps;
use crate::unlock::current::{current, is_clean};
use crate::unlock::people_signed::{PeopleSigned, approval_path};
use crate::unlock::refused::Reason;
use crate::unlock::to_approve::change;
use crate::unlock::verify::{Approved, Asked, approved, verify};
use agenttrader_core::digest::Digest;
use agenttrader_core::time::UnixNanos;

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The unlock.
    pub unlock_id: String,
    /// The commit.
    pub commit: Id,
    /// The change's digest.
    pub manifest_sha256: Digest,
    /// How many locked files changed.
    pub files: usize,
}

/// Makes the change.
///
/// # Errors
/// [`WriteError`], also while too few have approved.
pub fn apply(repository: &Repository, signer: &Signer, now: UnixNanos) -> Result<Applied, WriteError> {
    let current = current(repository)?;
    let people = People::at(repository, current.base.commit)?;
    let steps = steps(repository, &current)?;
    let (head, files) = head_files(repository)?;
    let unlock_id = current.unlock_id.as_str();
    let asked = Asked { repository, base: &current.base, head, unlock_id, lock: None, at: now };
    let signed = PeopleSigned::at(repository, head, &approval_path(unlock_id))?;
    if signed.bytes.is_none() {
        let reason = Reason::ApprovalMissing;
        return Err(WriteError::refused(format!("{reason}: nobody approved unlock {unlock_id}"), reason.remedy()));
    }
    let approved = approved(&asked, &people, current.request.clone(), steps, &signed)?;
    not_a_reviewer(&approved, signer)?;
    let wanted = change(&current.request)?;
    let new = changed(&files, &repository.files(wanted)?);
    is_clean(repository, &files, &new)?;
    let message = format!("Unlock {unlock_id}: the approved change\n\n{}\n", current.request.reason);
    let commit = commit(repository, &new, &message, Some((signer, &people)), now)?;
    // Judged as it will be, so that what was made wrongly is known at once.
    let judged = verify(&Asked { head: commit, ..asked })?;
    if let Err(refused) = judged {
        return Err(WriteError::refused(
            format!("commit {commit} is made, and does not complete the unlock: {}", refused.line()),
            refused.reason.remedy(),
        ));
    }
    let change = approved.to_approve.change;
    Ok(Applied {
        unlock_id: unlock_id.to_owned(),
        commit,
        manifest_sha256: change.manifest_sha256,
        files: change.files.len(),
    })
}

/// Who reviewed does not make the change: it would be their own.
fn not_a_reviewer(approved: &Approved, signer: &Signer) -> Result<(), WriteError> {
    if approved.approval.reviewers.contains(&signer.principal) {
        let reason = Reason::SelfApproval;
        return Err(WriteError::refused(
            format!("{reason}: {} reviewed the change and would be its author", signer.principal),
            "the author, or an operator, applies it",
        ));
    }
    Ok(())
}
