//! `unlock open`: a branch off the locked baseline, with the request in it. Step 1.

use crate::change::manifest_across;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::git::write::NewCommit;
use crate::lock::build::with_bytes;
use crate::lock::commit::{branch, head_files};
use crate::lock::later;
use crate::lock::model::{Waiver, is_unlock_id};
use crate::lock::people::People;
use crate::lock::write_error::WriteError;
use crate::scope::Scope;
use crate::unlock::after::After;
use crate::unlock::current::is_clean;
use crate::unlock::request::{self, Request};
use crate::unlock::scopes::Scopes;
use crate::unlock::to_approve::{manifest_of, people_after, required};
use agenttrader_authority::unlock_approval::Required;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_policy::finding::Finding;

/// Most names of one day and commit that are tried.
const SUFFIXES_MOST: u32 = 100;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asking<'a> {
    /// The development commit wanted, by any name.
    pub change: &'a str,
    /// Why.
    pub reason: &'a str,
    /// The unlock's name; made from day and commit where there is none.
    pub unlock_id: Option<&'a str>,
    /// A grant for `live` will be asked for.
    pub grants_live: bool,
    /// Findings that the next lock shall waive.
    pub waives: Vec<Waiver>,
    /// The next lock's scope, where it shall be another.
    pub scope: Option<Scope>,
}

/// An unlock that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The request.
    pub request: Request,
    /// Its commit.
    pub commit: Id,
    /// Locked files that would change.
    pub changes: Vec<String>,
    /// How many people must approve.
    pub required: Required,
    /// What the rules say of the tree that would be locked: none is a failure.
    pub findings: Vec<Finding>,
}

/// Opens one: commits the request on a new branch and checks it out.
///
/// # Errors
/// [`WriteError`]; then nothing was moved.
pub fn open(repository: &Repository, asking: &Asking<'_>, now: UnixNanos) -> Result<Opened, WriteError> {
    branch(repository)?;
    let base = later::base(repository)?;
    // Read now, so that nobody begins what nobody can approve.
    People::at(repository, base.commit)?;
    let change = repository.resolve(asking.change)?;
    let before = &base.lock.terms.scope;
    let scope = asking.scope.clone().filter(|scope| scope != before);
    let wanted = manifest_across(repository, before, scope.as_ref().unwrap_or(before), base.commit, change)?;
    if let Some(refused) = wanted.refused.first() {
        return Err(WriteError::refused(
            format!("the change holds what no lock can: {}: {}", refused.path, refused.why),
            "take it out of the change",
        ));
    }
    if wanted.changes.is_empty() && asking.waives.is_empty() && !asking.grants_live && scope.is_none() {
        return Err(WriteError::refused(
            "no locked file differs between the lock and the change",
            "nothing needs an unlock; with `--live` people approve that a grant for live will be asked for",
        ));
    }
    people_after(repository, change)?;
    let findings = After::of(repository, base.commit, change)?.holds(&asking.waives, now, UnixNanos::MAX)?;
    let unlock_id = free_id(repository, asking.unlock_id, change, now)?;
    let request = Request {
        unlock_id: unlock_id.clone(),
        base_commit: base.commit.to_string(),
        base_lock_sha256: base.sha256,
        change_commit: change.to_string(),
        reason: asking.reason.to_owned(),
        opened_at: now.floor_to(Span::from_seconds(1)),
        grants_live: asking.grants_live,
        waives: asking.waives.clone(),
        scope,
    };
    request.check().map_err(|why| {
        WriteError::refused(format!("nobody can ask like this: {why}"), "mend what you ask with, and ask again")
    })?;
    let approved = manifest_of(repository, &Scopes::of(&base.lock, &request), base.commit, change)?;
    let (_, required) = required(repository, base.commit, change, &approved, &request)?;
    let new = [(request::path(&unlock_id), request.bytes())];
    let files = with_bytes(repository, &repository.files(base.commit)?, &new)?;
    let (_, on_disk) = head_files(repository)?;
    is_clean(repository, &on_disk, &files)?;
    let message = format!("Unlock {unlock_id}: request\n\n{}\n", asking.reason);
    let parents = [base.commit];
    let commit = repository.write_commit(&NewCommit {
        files: &files,
        parents: &parents,
        message: &message,
        signer: None,
        at: now,
    })?;
    let name = request::branch(&unlock_id);
    repository.move_ref(&name, None, commit)?;
    repository.check_out(&name)?;
    repository.set_index(commit)?;
    repository.put_on_disk(&on_disk, &files)?;
    let changes = wanted.changes.iter().map(|change| change.path.to_string()).collect();
    Ok(Opened { request, commit, changes, required, findings })
}

/// The name asked for, or `YYYYMMDD-COMMIT`, or the first of `-2`, `-3`, … that no branch has.
fn free_id(repository: &Repository, asked: Option<&str>, change: Id, now: UnixNanos) -> Result<String, WriteError> {
    let is_free = |id: &str| repository.named(&request::branch(id)).map(|found| found.is_none());
    if let Some(id) = asked {
        if !is_unlock_id(id) {
            return Err(WriteError::refused(
                format!("`{id}` cannot name an unlock"),
                "small letters, digits and `-`, at most 64",
            ));
        }
        if !is_free(id)? {
            return Err(WriteError::refused(format!("the branch unlock/{id} is there already"), "name it otherwise"));
        }
        return Ok(id.to_owned());
    }
    let day: String = now.to_string().chars().filter(char::is_ascii_digit).take(8).collect();
    let short: String = change.to_string().chars().take(8).collect();
    for suffix in 1..=SUFFIXES_MOST {
        let id = if suffix == 1 { format!("{day}-{short}") } else { format!("{day}-{short}-{suffix}") };
        if is_free(&id)? {
            return Ok(id);
        }
    }
    Err(WriteError::refused(format!("{day}-{short} and {SUFFIXES_MOST} names after it are taken"), "name it: --id ID"))
}
