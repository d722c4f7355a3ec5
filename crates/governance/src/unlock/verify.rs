//! `unlock verify`: whether steps 1 to 4 of an unlock are good, from history alone.
//!
//! What must be is worked out from objects ([`crate::unlock::to_approve`]) and compared with what people signed; the first cause that speaks
//! against it is told. Nothing on disk, no ref but the commit that is judged, and no clock is asked.

use crate::git::commit::Commit;
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::lock::chain::Placed;
use crate::lock::model::Lock;
use crate::lock::people::People;
use crate::unlock::audit_index::{self, edited};
use crate::unlock::authors::is;
use crate::unlock::line::{line, touched};
use crate::unlock::people_signed::{PeopleSigned, approval_path, form_path};
use crate::unlock::refused::{Reason, Refused, Stop};
use crate::unlock::request::{self, Request};
use crate::unlock::scopes::{Scopes, terms_after};
use crate::unlock::to_approve::{Chosen, Steps, ToApprove};
use agenttrader_authority::git_signature;
use agenttrader_authority::namespace::Namespace;
use agenttrader_authority::ssh_key::KeyKind;
use agenttrader_authority::sshsig::SshSignature;
use agenttrader_authority::statement::{GitCommit, Statement};
use agenttrader_authority::unlock_approval::{UnlockApproval, UnlockPredicate, unlock_approval};
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::UnixNanos;
use std::rc::Rc;

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The lock that the unlock begins at.
    pub base: &'a Placed,
    /// The commit that is judged: the later lock's, or the last of the unlock's branch.
    pub head: Id,
    /// The unlock.
    pub unlock_id: &'a str,
    /// The later lock, where there is one.
    pub lock: Option<&'a Lock>,
    /// When it must hold: the later lock's timestamp.
    pub at: UnixNanos,
}

/// An approval that enough people signed, over what is so.
#[derive(Clone, Debug)]
pub struct Approved {
    /// What was approved.
    pub to_approve: ToApprove,
    /// By whom.
    pub approval: UnlockApproval,
    /// The commits of the first two steps.
    pub steps: Steps,
}

/// An unlock whose steps are good.
#[derive(Clone, Debug)]
pub struct Completed {
    /// What was approved, and by whom.
    pub approved: Approved,
    /// The commit that made the change; none where no locked file changed.
    pub change: Option<Id>,
}

/// Judges an unlock.
///
/// # Errors
/// [`GitError`] where it cannot be judged.
pub fn verify(asked: &Asked<'_>) -> Result<Result<Completed, Refused>, GitError> {
    match judge(asked) {
        Ok(completed) => Ok(Ok(completed)),
        Err(Stop::Refused(refused)) => Ok(Err(refused)),
        Err(Stop::Git(error)) => Err(error),
    }
}

fn judge(asked: &Asked<'_>) -> Result<Completed, Stop> {
    let Asked { repository, base, head, unlock_id, .. } = *asked;
    let people = People::at(repository, base.commit)?;
    let request = of_this_base(asked)?;
    let said = said_of_this_base(asked)?;
    let commits = line(repository, base.commit, head)?;
    let steps = steps(&commits, &said)?;
    let scope = Scopes::of(&base.lock, &request).either;
    let mut changing = Vec::new();
    for (place, commit) in commits.iter().enumerate() {
        if !touched(repository, &scope, commit)?.is_empty() {
            changing.push((place, Rc::clone(commit)));
        }
    }
    let place_of = |id: Id| commits.iter().position(|commit| commit.id == id);
    let before = match changing.first() {
        Some((place, commit)) => {
            if place_of(steps.evidence) >= Some(*place) {
                let message =
                    format!("commit {} changes locked files before the evidence {}", commit.id, steps.evidence);
                return Err(Refused::new(Reason::ChangeBeforeEvidence, "", message).into());
            }
            parent_of(commit, base.commit)
        }
        None => head,
    };
    unaltered(asked, &request, steps, before)?;
    let approved =
        approved(asked, &people, request, steps, &PeopleSigned::at(repository, before, &approval_path(unlock_id))?)?;
    let change = applied(asked, &people, &approved, &changing)?;
    if let Some(lock) = asked.lock {
        follows(lock, asked, &approved)?;
    }
    Ok(Completed { approved, change })
}

fn parent_of(commit: &Commit, base: Id) -> Id {
    commit.parents.first().copied().unwrap_or(base)
}

/// The request, if it was made at this lock.
fn of_this_base(asked: &Asked<'_>) -> Result<Request, Stop> {
    let request = request::at(asked.repository, asked.head, asked.unlock_id)?;
    if request.base_lock_sha256 == asked.base.sha256 && request.base_commit == asked.base.commit.to_string() {
        return Ok(request);
    }
    let message = format!("it was asked for at the lock {}, not at {}", request.base_lock_sha256, asked.base.sha256);
    Err(Refused::new(Reason::Replayed, request::path(asked.unlock_id), message).into())
}

/// What the approval says of itself, so that the steps it names can be looked for. Whether it counts is judged later.
fn said_of_this_base(asked: &Asked<'_>) -> Result<UnlockPredicate, Stop> {
    let Asked { repository, base, head, unlock_id, .. } = *asked;
    let index = audit_index::path(unlock_id);
    if repository.file_at(head, &index)?.is_none() {
        let message = format!("there is no evidence of unlock {unlock_id}");
        return Err(Refused::new(Reason::EvidenceMissing, index, message).into());
    }
    let path = approval_path(unlock_id);
    let Some(bytes) = repository.file_at(head, &path)? else {
        return Err(Refused::new(Reason::ApprovalMissing, path, format!("nobody approved unlock {unlock_id}")).into());
    };
    let terms = said(&bytes, &path)?;
    let at = GitCommit::parse(&base.commit.to_string());
    if terms.base_lock_sha256 != base.sha256 || Some(&terms.base_commit) != at.as_ref() || terms.unlock_id != unlock_id
    {
        let message = format!(
            "the approval is of unlock {} after the lock {}, not of {unlock_id} after {}",
            crate::unlock::form::plain(&terms.unlock_id),
            terms.base_lock_sha256,
            base.sha256
        );
        return Err(Refused::new(Reason::Replayed, path, message).into());
    }
    Ok(terms)
}

/// What an approval's bytes say, as nobody's word.
///
/// # Errors
/// [`Refused`] where they are no approval.
pub fn said(bytes: &[u8], path: &str) -> Result<UnlockPredicate, Refused> {
    let statement = Statement::<UnlockPredicate>::read(bytes);
    let statement = statement.map_err(|error| Refused::new(Reason::ApprovalMalformed, path, chain(&error)))?;
    Ok(statement.predicate)
}

/// The commits that the approval names, in their order on the line.
fn steps(commits: &[Rc<Commit>], said: &UnlockPredicate) -> Result<Steps, Refused> {
    let place = |name: &GitCommit| {
        let id = Id::parse(name.as_str())?;
        let place = commits.iter().position(|commit| commit.id == id)?;
        Some((place, id))
    };
    match (place(&said.request_commit), place(&said.evidence_commit)) {
        (Some((first, request)), Some((second, evidence))) if first < second => Ok(Steps { request, evidence }),
        _ => {
            let message = format!(
                "the request {} and the evidence {} that were approved are not, in this order, before it",
                said.request_commit, said.evidence_commit
            );
            Err(Refused::new(Reason::HistoryRewritten, "", message))
        }
    }
}

/// That request, evidence, approval and form are in the judged commit as they were before the change.
fn unaltered(asked: &Asked<'_>, request: &Request, steps: Steps, before: Id) -> Result<(), Stop> {
    let Asked { repository, head, unlock_id, .. } = *asked;
    let edited_at =
        |path: String| Stop::from(Refused::new(Reason::Edited, path, "it was changed after it was committed"));
    let path = request::path(unlock_id);
    if repository.file_at(steps.request, &path)? != Some(request.bytes()) {
        return Err(edited_at(path));
    }
    let evidence = audit_index::evidence_at(repository, steps.evidence, unlock_id)?;
    if let Some(path) = edited(repository, unlock_id, &evidence, head)? {
        return Err(edited_at(path));
    }
    let path = approval_path(unlock_id);
    let (then, now) = (PeopleSigned::at(repository, before, &path)?, PeopleSigned::at(repository, head, &path)?);
    let early = |message: String| Stop::from(Refused::new(Reason::ChangeBeforeApproval, path.clone(), message));
    if then.bytes.is_none() {
        return Err(early("locked files were changed before anybody approved".to_owned()));
    }
    if let Some(late) = now.signatures.keys().find(|name| !then.signatures.contains_key(*name)) {
        return Err(early(format!("locked files were changed before {late} approved")));
    }
    let form = form_path(unlock_id);
    if then != now {
        return Err(edited_at(path));
    }
    if repository.file_at(before, &form)? != repository.file_at(head, &form)? {
        return Err(edited_at(form));
    }
    Ok(())
}

/// The approval of what is so, signed by enough people. Also asked before the change is made.
///
/// # Errors
/// [`Stop`].
pub fn approved(
    asked: &Asked<'_>,
    people: &People,
    request: Request,
    steps: Steps,
    signed: &PeopleSigned,
) -> Result<Approved, Stop> {
    let Asked { repository, base, head, unlock_id, at, .. } = *asked;
    let (path, form_path) = (approval_path(unlock_id), form_path(unlock_id));
    let to_approve = ToApprove::of(repository, base, people, request, steps, head)?;
    let bytes = signed.bytes.as_deref().unwrap_or_default();
    let terms = said(bytes, &path)?;
    let chosen = Chosen { not_before: terms.not_before, expires: terms.expires, nonce: terms.nonce };
    let form = to_approve.form(&chosen)?;
    keys(base, &to_approve, signed, &path)?;
    let approval = unlock_approval(bytes, &signed.presented(), &people.signers, &to_approve.wanted(&form, at));
    let approval = approval.map_err(|error| Refused::of_approval(&error, &path, &signed.names()))?.get().clone();
    // Signed over this form by its digest; here that the committed one is it.
    let committed = repository.file_at(head, &form_path)?;
    if committed.as_deref() != Some(form.as_bytes()) {
        return Err(Refused::new(Reason::Edited, form_path, "it is not the form that was approved").into());
    }
    Ok(Approved { to_approve, approval, steps })
}

/// That no key is an agent's, and that each is of the kind the lock asks for.
fn keys(base: &Placed, to_approve: &ToApprove, signed: &PeopleSigned, path: &str) -> Result<(), Refused> {
    for (principal, bytes) in &signed.signatures {
        let place = crate::unlock::people_signed::signature_path(path, principal);
        if to_approve.agents.names.contains(principal) {
            let message = format!("`{principal}` is an agent: agents approve nothing");
            return Err(Refused::new(Reason::AgentSigned, place, message));
        }
        // What is no signature is told where signatures are verified.
        let Ok(signature) = SshSignature::parse(bytes) else { continue };
        if to_approve.agents.have(signature.key()) {
            let message = format!("the key of `{principal}` is an agent's: agents approve nothing");
            return Err(Refused::new(Reason::AgentSigned, place, message));
        }
        if base.lock.terms.require_sk && signature.key().kind() != KeyKind::SkEd25519 {
            let message = format!("`{principal}` signed with a key in a file, and the lock asks for security keys");
            return Err(Refused::new(Reason::KeyNotTouched, place, message));
        }
    }
    Ok(())
}

/// That the change is the approved one, made in one commit that its author signed.
fn applied(
    asked: &Asked<'_>,
    people: &People,
    approved: &Approved,
    changing: &[(usize, Rc<Commit>)],
) -> Result<Option<Id>, Stop> {
    let Asked { repository, base, head, at, .. } = *asked;
    let wanted = approved.to_approve.change.manifest_sha256;
    let scopes = Scopes::of(&base.lock, &approved.to_approve.request);
    let found = scopes.manifest(repository, base.commit, head)?.digest();
    let commit = match changing {
        [] if found == wanted => return Ok(None),
        [] => {
            let message = "the change that was approved is not made yet";
            return Err(Refused::new(Reason::NotApplied, "", message).into());
        }
        [(_, one)] => one,
        [_, (_, second), ..] => {
            let message = format!("commit {} changes locked files again after the approved change", second.id);
            return Err(Refused::new(Reason::SeveralChanges, "", message).into());
        }
    };
    if found != wanted {
        let message = format!("the change manifest is {found}, and {wanted} was approved");
        return Err(Refused::new(Reason::ChangeDiffers, "", message).into());
    }
    let unsigned = |why: String| Refused::new(Reason::ChangeUnsigned, "", format!("commit {}: {why}", commit.id));
    let signed = git_signature::commit(&commit.bytes).map_err(|error| unsigned(chain(&error)))?;
    let signed = signed.ok_or_else(|| unsigned("nobody signed the change".to_owned()))?;
    let by = people.signers.who(Namespace::Git, &signed.payload, &signed.signature, at);
    let by = by.map_err(|error| unsigned(chain(&error)))?;
    if !is(&commit.author, by.principal()) {
        return Err(unsigned(format!("{} signed what says it is by another author", by.principal())).into());
    }
    Ok(Some(commit.id))
}

/// That the lock waives what was approved, and keeps the terms of the one before but for the scope that was approved.
fn follows(lock: &Lock, asked: &Asked<'_>, approved: &Approved) -> Result<(), Refused> {
    let path = crate::lock::model::LOCK_PATH;
    let waives = lock.locked().map(|locked| locked.waives.as_slice()).unwrap_or_default();
    if waives != approved.to_approve.request.waives {
        return Err(Refused::new(Reason::WaiversDiffer, path, "the lock waives something else than was approved"));
    }
    if lock.terms != terms_after(&asked.base.lock, Some(&approved.to_approve.request)) {
        return Err(Refused::new(Reason::TermsDiffer, path, "scope or terms are others than those that were approved"));
    }
    Ok(())
}
