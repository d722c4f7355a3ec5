//! `unlock approve`: a person says yes to one exact change, over the evidence for it. Step 3.

use crate::git::commit::Commit;
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::git::sign::Signer;
use crate::lock::build::with_bytes;
use crate::lock::commit::{commit, head_files};
use crate::lock::people::People;
use crate::lock::write_error::WriteError;
use crate::unlock::after::{self, After};
use crate::unlock::audit_index::{self, CHANGE_VALIDATE};
use crate::unlock::current::{Current, current, is_clean};
use crate::unlock::line::{line, touched};
use crate::unlock::people_signed::{PeopleSigned, approval_path, form_path, signature_path};
use crate::unlock::refused::{Reason, Refused, Stop};
use crate::unlock::request;
use crate::unlock::scopes::Scopes;
use crate::unlock::to_approve::{Chosen, Steps, ToApprove, change};
use crate::unlock::verify::said;
use agenttrader_agent::entropy;
use agenttrader_authority::namespace::Namespace;
use agenttrader_authority::ssh_key::KeyKind;
use agenttrader_authority::sshsig::SshSignature;
use agenttrader_authority::unlock_approval::REPORTS_AGE_MAX;
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::{Span, UnixNanos};
use std::collections::BTreeSet;
use std::rc::Rc;

/// An approval as it is to be signed.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The unlock.
    pub current: Current,
    /// What is to be approved.
    pub to_approve: ToApprove,
    /// The bytes that are signed.
    pub statement: Vec<u8>,
    /// The filled form.
    pub form: String,
    /// The signatures that are there.
    pub signed: PeopleSigned,
    people: People,
}

/// What signing came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The unlock.
    pub unlock_id: String,
    /// The signature's file.
    pub path: String,
    /// As what the person signed.
    pub namespace: Namespace,
    /// Operators and reviewers who must sign yet.
    pub missing: (usize, usize),
    /// The commit.
    pub commit: Id,
}

/// Works out what is to be signed. Nothing is written.
///
/// # Errors
/// [`WriteError`].
pub fn prepare(repository: &Repository, now: UnixNanos) -> Result<Prepared, WriteError> {
    let current = current(repository)?;
    let people = People::at(repository, current.base.commit)?;
    let steps = steps(repository, &current)?;
    let request = current.request.clone();
    let to_approve = ToApprove::of(repository, &current.base, &people, request, steps, current.head)?;
    still_holds(repository, &current, &to_approve, now)?;
    let signed = PeopleSigned::at(repository, current.head, &approval_path(&current.unlock_id))?;
    let chosen = match &signed.bytes {
        Some(bytes) => {
            let terms = said(bytes, &approval_path(&current.unlock_id))?;
            Chosen { not_before: terms.not_before, expires: terms.expires, nonce: terms.nonce }
        }
        None => Chosen {
            not_before: now.floor_to(Span::from_seconds(1)),
            expires: to_approve.evidence.reports_made.plus(REPORTS_AGE_MAX),
            nonce: nonce()?,
        },
    };
    if now < chosen.not_before || chosen.expires <= now {
        let message =
            format!("the approval counts from {} until {}, and it is {now}", chosen.not_before, chosen.expires);
        return Err(Refused::new(Reason::Expired, approval_path(&current.unlock_id), message).into());
    }
    let form = to_approve.form(&chosen)?;
    let statement = to_approve.statement(&chosen, &form)?;
    if signed.bytes.as_ref().is_some_and(|bytes| *bytes != statement) {
        return Err(WriteError::refused(
            "the approval that others signed is not of what is so",
            "gather the evidence anew: agenttrader unlock evidence",
        ));
    }
    Ok(Prepared { current, to_approve, statement, form, signed, people })
}

/// That a lock can hold the tree that is to be approved, and that the evidence says of it what whoever signs finds as well.
fn still_holds(
    repository: &Repository,
    current: &Current,
    to_approve: &ToApprove,
    now: UnixNanos,
) -> Result<(), WriteError> {
    let (waives, index) = (&current.request.waives, &to_approve.evidence.index);
    let after = After::of(repository, current.base.commit, change(&current.request)?)?;
    after.holds(waives, now, to_approve.evidence.reports_made.plus(REPORTS_AGE_MAX))?;
    let found = after::bytes(&after.findings(waives, index.made_at));
    let path = format!("{}/{CHANGE_VALIDATE}", request::folder(&current.unlock_id));
    if index.artefacts.iter().any(|artefact| artefact.path == path && artefact.is(&found)) {
        return Ok(());
    }
    let message = "it does not say of the change what this build finds in it";
    Err(Refused::new(Reason::EvidenceMissing, path, message).into())
}

/// What no other approval or grant has.
///
/// # Errors
/// [`WriteError::Refused`] where the machine has no randomness.
pub(crate) fn nonce() -> Result<String, WriteError> {
    let id = entropy::random_id().map_err(|error| WriteError::refused(chain(&error), "try again"))?;
    Ok(id.to_string())
}

/// The commits that asked and that brought the evidence, while no locked file is changed.
pub(crate) fn steps(repository: &Repository, current: &Current) -> Result<Steps, WriteError> {
    let Current { unlock_id, base, head, .. } = current;
    let commits = line(repository, base.commit, *head)?;
    let scopes = Scopes::of(&base.lock, &current.request);
    for commit in &commits {
        if !touched(repository, &scopes.either, commit)?.is_empty() {
            return Err(WriteError::refused(
                format!("commit {} changes locked files already", commit.id),
                "approvals come before the change: open the unlock anew",
            ));
        }
    }
    let brought = |path: String, reason: Reason| -> Result<Id, Stop> {
        let found = brought(repository, &commits, *head, &path)?;
        let message = format!("{path} is not on the unlock's branch");
        found.ok_or_else(|| Refused::new(reason, path, message).into())
    };
    Ok(Steps {
        request: brought(request::path(unlock_id), Reason::RequestMissing)?,
        evidence: brought(audit_index::path(unlock_id), Reason::EvidenceMissing)?,
    })
}

/// The last commit of a line that gave a path what stands there at its end.
fn brought(repository: &Repository, commits: &[Rc<Commit>], head: Id, path: &str) -> Result<Option<Id>, GitError> {
    let Some(wanted) = repository.at(head, path)? else { return Ok(None) };
    for commit in commits.iter().rev() {
        let before = commit.parents.first().map(|parent| repository.at(*parent, path)).transpose()?.flatten();
        if before != Some(wanted) {
            return Ok(Some(commit.id));
        }
    }
    Ok(None)
}

/// Signs it and commits the signature.
///
/// # Errors
/// [`WriteError`].
pub fn approve(
    repository: &Repository,
    prepared: &Prepared,
    signer: &Signer,
    now: UnixNanos,
) -> Result<Approval, WriteError> {
    let Prepared { current, people, statement, form, signed, .. } = prepared;
    let unlock_id = current.unlock_id.as_str();
    let (head, files) = head_files(repository)?;
    if head != current.head {
        return Err(WriteError::refused("HEAD moved meanwhile", "try again"));
    }
    is_clean(repository, &files, &files)?;
    let namespace = namespace(prepared, &signer.principal)?;
    let signature = signer.sign(repository.programs(), namespace.as_str(), statement)?;
    let by = people.signers.verify(&signer.principal, namespace, statement, signature.as_bytes(), now);
    by.map_err(|error| refused(Reason::SignatureInvalid, chain(&error)))?;
    let parsed =
        SshSignature::parse(signature.as_bytes()).map_err(|error| refused(Reason::SignatureInvalid, chain(&error)))?;
    if prepared.to_approve.agents.have(parsed.key()) {
        return Err(refused(Reason::AgentSigned, format!("the key of {} is an agent's", signer.principal)));
    }
    if current.base.lock.terms.require_sk && parsed.key().kind() != KeyKind::SkEd25519 {
        return Err(refused(Reason::KeyNotTouched, "the lock asks for security keys".to_owned()));
    }
    let path = signature_path(&approval_path(unlock_id), &signer.principal);
    let new = [
        (approval_path(unlock_id), statement.clone()),
        (form_path(unlock_id), form.clone().into_bytes()),
        (path.clone(), signature.into_bytes()),
    ];
    let files = with_bytes(repository, &files, &new)?;
    let message = format!("Unlock {unlock_id}: approved by {}\n", signer.principal);
    let commit = commit(repository, &files, &message, None, now)?;
    let names: BTreeSet<&str> = signed.names().into_iter().chain([signer.principal.as_str()]).collect();
    Ok(Approval { unlock_id: unlock_id.to_owned(), path, namespace, missing: missing(prepared, &names), commit })
}

fn refused(reason: Reason, message: String) -> WriteError {
    WriteError::refused(format!("{reason}: {message}"), reason.remedy())
}

/// As what a person signs: as that of which too few have signed, where somebody may sign as both.
fn namespace(prepared: &Prepared, principal: &str) -> Result<Namespace, WriteError> {
    let Prepared { people, to_approve, signed, .. } = prepared;
    if to_approve.agents.names.contains(principal) {
        return Err(refused(Reason::AgentSigned, format!("{principal} is an agent: agents approve nothing")));
    }
    if signed.signatures.contains_key(principal) {
        return Err(refused(Reason::SignedTwice, format!("{principal} has signed already")));
    }
    let may = |namespace| people.who_may(namespace).contains(principal);
    let (operator, reviewer) = (may(Namespace::UnlockOperator), may(Namespace::UnlockReviewer));
    let is_author = to_approve.authors.contains(principal);
    let names: BTreeSet<&str> = signed.names().into_iter().collect();
    let operators_missing = missing(prepared, &names).0;
    match (operator, reviewer) {
        (true, false) => Ok(Namespace::UnlockOperator),
        (true, true) if operators_missing > 0 || is_author => Ok(Namespace::UnlockOperator),
        (_, true) if is_author => {
            Err(refused(Reason::SelfApproval, format!("{principal} made a part of the change and does not review it")))
        }
        (_, true) => Ok(Namespace::UnlockReviewer),
        (false, false) => {
            Err(refused(Reason::SignatureInvalid, format!("{principal} is neither operator nor reviewer")))
        }
    }
}

/// How many operators and reviewers must sign yet.
pub(crate) fn missing(prepared: &Prepared, names: &BTreeSet<&str>) -> (usize, usize) {
    let Prepared { people, to_approve, .. } = prepared;
    let (operators, reviewers) = (people.who_may(Namespace::UnlockOperator), people.who_may(Namespace::UnlockReviewer));
    let required = to_approve.required;
    // Whoever is both stands for an operator first, as they sign.
    let as_operator =
        names.iter().filter(|name| operators.contains(**name)).count().min(usize::from(required.operator));
    let only = |name: &&&str| reviewers.contains(**name) && !operators.contains(**name);
    let as_reviewer = names.iter().filter(only).count();
    let both = names.iter().filter(|name| operators.contains(**name) && reviewers.contains(**name)).count();
    let spare = both.saturating_sub(as_operator);
    (
        usize::from(required.operator).saturating_sub(as_operator),
        usize::from(required.reviewer).saturating_sub(as_reviewer.saturating_add(spare)),
    )
}
