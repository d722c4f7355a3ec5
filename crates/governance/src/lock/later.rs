//! Every lock after the first, and the tags that name locks.

use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::git::sign::Signer;
use crate::lock::build::{Making, files_of, lock_of, with_bytes};
use crate::lock::chain::{Locks, Placed};
use crate::lock::commit::{commit, head_files};
use crate::lock::genesis::holds;
use crate::lock::model::{LOCK_PATH, Lock, is_unlock_id};
use crate::lock::people::People;
use crate::lock::validate::{Asked, Standing, baseline};
use crate::lock::write_error::WriteError;
use crate::unlock::request::Request;
use crate::unlock::scopes::terms_after;
use agenttrader_authority::git_signature;
use agenttrader_authority::namespace::Namespace;
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::{Span, UnixNanos};

/// Oldest lock that is tagged.
const TAGGED_WITHIN: Span = Span::from_seconds(3600);

/// Most tags of one minute that are tried.
const SUFFIXES_MOST: u32 = 100;

/// The lock that HEAD's history was built on: the one its tree still holds.
///
/// # Errors
/// [`WriteError::Refused`] where there is none, or it does not stand where a lock can.
pub fn base(repository: &Repository) -> Result<Placed, WriteError> {
    let refused = |what: String| WriteError::refused(what, "`agenttrader lock validate` says all that is wrong");
    let head = repository.head()?;
    let bytes = repository.file_at(head, LOCK_PATH)?.ok_or_else(|| refused(format!("{LOCK_PATH} is not in HEAD")))?;
    let lock = Lock::parse(&bytes).map_err(|error| refused(chain(&error)))?;
    if lock.locked().is_none() {
        return Err(WriteError::refused(
            "the repository is a draft: nothing can be unlocked",
            "`agenttrader lock init` makes the first lock",
        ));
    }
    Locks::in_history(repository, head)?.placed(repository, Digest::of(&bytes))?.map_err(|error| refused(chain(&error)))
}

/// Commits the lock that follows HEAD's, over all that an unlock changed since. It waives and keeps what the request says; where nobody
/// asked it is made all the same, and judging it says so.
///
/// # Errors
/// [`WriteError`].
pub fn generate(
    repository: &Repository,
    unlock_id: &str,
    request: Option<&Request>,
    build_id: &str,
    signer: &Signer,
    now: UnixNanos,
) -> Result<(Id, Lock), WriteError> {
    if !is_unlock_id(unlock_id) {
        return Err(WriteError::refused(format!("`{unlock_id}` names no unlock"), "name the folder under ops/unlock/"));
    }
    let base = base(repository)?;
    let people = People::at(repository, base.commit)?;
    let (head, files) = head_files(repository)?;
    let terms = terms_after(&base.lock, request);
    let waives = request.map(|request| request.waives.clone()).unwrap_or_default();
    let after = Some((base.sha256, unlock_id.to_owned()));
    let lock =
        lock_of(repository, head, Making { terms, timestamp: now, build_id: build_id.to_owned(), after, waives })?;
    let files = with_bytes(repository, &files, &files_of(&lock))?;
    let message = format!("Production lock: after unlock {unlock_id}\n");
    Ok((commit(repository, &files, &message, Some((signer, &people)), now)?, lock))
}

/// A tag that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// Its name.
    pub name: String,
    /// Its object.
    pub id: Id,
    /// The lock's commit.
    pub commit: Id,
}

/// Makes a signed annotated tag of HEAD's lock, after it was judged and never before.
///
/// # Errors
/// [`WriteError`].
pub fn tag(repository: &Repository, signer: &Signer, asked: &Asked<'_>) -> Result<Tagged, WriteError> {
    let judged = holds(baseline(repository, asked)?)?;
    let Standing::Locked(lock) = judged.standing else {
        return Err(WriteError::refused(
            "DRAFT: not locked, nothing to tag",
            "`agenttrader lock init` makes the first lock",
        ));
    };
    let timestamp = lock.lock.locked().map(|locked| locked.timestamp).unwrap_or_default();
    if judged.head != lock.commit {
        return Err(WriteError::refused(
            format!("HEAD is not the lock's commit {}", lock.commit),
            "a tag names the lock's own commit: check it out",
        ));
    }
    let age = asked.now.since(timestamp);
    if age > TAGGED_WITHIN || age < Span::ZERO {
        return Err(WriteError::refused(
            format!(
                "the lock's timestamp is {timestamp}, and it is {} now: a lock is tagged within the hour",
                asked.now
            ),
            "make the lock anew",
        ));
    }
    let people = People::at(repository, lock.commit)?;
    let name = free_name(repository, &lock, timestamp)?;
    let message = format!("Production lock {}\n", lock.sha256);
    let id = repository.write_tag(&name, lock.commit, &message, signer, asked.now)?;
    if let Err(why) = is_signed(repository, &people, id, &name, &lock, signer, asked.now) {
        repository.drop_ref(&format!("refs/tags/{name}"), id)?;
        let remedy = "name the principal and its own key as ops/trust/allowed_signers has them";
        return Err(WriteError::refused(format!("no tag is made: {why}"), remedy));
    }
    Ok(Tagged { name, id, commit: lock.commit })
}

/// `v2-lock-YYYYMMDD-HHMM`, or the first of `-2`, `-3`, … that no other commit has.
fn free_name(repository: &Repository, lock: &Placed, timestamp: UnixNanos) -> Result<String, WriteError> {
    let digits: String = timestamp.to_string().chars().filter(char::is_ascii_digit).take(12).collect();
    let (day, minute) = digits.split_at_checked(8).unwrap_or((&digits, ""));
    let base = format!("v2-lock-{day}-{minute}");
    for suffix in 1..=SUFFIXES_MOST {
        let name = if suffix == 1 { base.clone() } else { format!("{base}-{suffix}") };
        match repository.named(&format!("refs/tags/{name}"))? {
            None => return Ok(name),
            Some(id) if repository.tag(id).is_ok_and(|tag| tag.commit == lock.commit) => {
                return Err(WriteError::refused(
                    format!("the lock is tagged already: {name}"),
                    "one tag a lock is enough",
                ));
            }
            Some(_) => {}
        }
    }
    Err(WriteError::refused(
        format!("{base} and {SUFFIXES_MOST} names after it are taken"),
        "wait for the next minute's lock",
    ))
}

/// Whether the tag's own bytes name the commit and are signed by whom they should be.
fn is_signed(
    repository: &Repository,
    people: &People,
    id: Id,
    name: &str,
    lock: &Placed,
    signer: &Signer,
    now: UnixNanos,
) -> Result<(), String> {
    let tag = repository.tag(id).map_err(|error| chain(&error))?;
    if tag.commit != lock.commit || tag.name != name {
        return Err("it names something else".to_owned());
    }
    let signed = git_signature::tag(&tag.bytes).map_err(|error| chain(&error))?.ok_or("it is not signed")?;
    let by = people.signers.verify(&signer.principal, Namespace::Git, &signed.payload, &signed.signature, now);
    by.map(drop).map_err(|error| chain(&error))
}
