//! Whether a lock may follow an unlock now: asked before the lock is made, so that no commit stands that nobody can tag.

use crate::git::repository::Repository;
use crate::lock::genesis::none_fails;
use crate::lock::later;
use crate::lock::model::is_unlock_id;
use crate::lock::validate::{as_locked, statically};
use crate::lock::write_error::WriteError;
use crate::unlock::after::waivers_fit;
use crate::unlock::request::Request;
use crate::unlock::verify::{Asked, verify};
use agenttrader_core::time::UnixNanos;
use std::path::Path;

/// The request that people approved, if steps 1 to 4 of the unlock are good at HEAD and the manifest rules hold there.
///
/// # Errors
/// [`WriteError`] with what stands against a lock.
pub fn completed(
    repository: &Repository,
    unlock_id: &str,
    data_dir: Option<&Path>,
    now: UnixNanos,
) -> Result<Request, WriteError> {
    if !is_unlock_id(unlock_id) {
        return Err(WriteError::refused(format!("`{unlock_id}` names no unlock"), "name the folder under ops/unlock/"));
    }
    let base = later::base(repository)?;
    let head = repository.head()?;
    let asked = Asked { repository, base: &base, head, unlock_id, lock: None, at: now };
    let request = verify(&asked)??.approved.to_approve.request;
    waivers_fit(&request.waives, now, now)?;
    none_fails(&as_locked(statically(repository.root(), data_dir)?, &request.waives, now))?;
    Ok(request)
}
