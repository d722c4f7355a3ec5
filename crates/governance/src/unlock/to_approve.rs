//! What is to be approved, worked out from objects alone: nothing of it is taken from an approval.

use crate::change::Side;
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::git::tree::Mode;
use crate::lock::agents::Agents;
use crate::lock::chain::Placed;
use crate::lock::people::{People, PeopleError, SIGNERS_PATH};
use crate::scope::{Pattern, Scope};
use crate::unlock::audit_index::{Evidence, evidence_at};
use crate::unlock::authors::authors;
use crate::unlock::form;
use crate::unlock::refused::{Reason, Refused, Stop};
use crate::unlock::request::Request;
use crate::unlock::scopes::Scopes;
use crate::workload::manifests::Manifests;
use agenttrader_authority::change_manifest::{ChangeManifest, ChangedFile, FileMode, FileState};
use agenttrader_authority::namespace::Namespace;
use agenttrader_authority::statement::{GitCommit, Statement};
use agenttrader_authority::unlock_approval::{Required, Trigger, UnlockPredicate, Wanted};
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::UnixNanos;
use std::collections::BTreeSet;

/// The last known good to go back to, where the lock before holds one.
const LKG_PATH: &str = "ops/lkg/lkg_metadata.json";

/// All that people say yes to.
#[derive(Clone, Debug)]
pub struct ToApprove {
    /// What was asked for.
    pub request: Request,
    /// What was looked at.
    pub evidence: Evidence,
    /// The change.
    pub change: ChangeManifest,
    /// What asks for the unlock.
    pub triggers: BTreeSet<Trigger>,
    /// How many must sign.
    pub required: Required,
    /// Who made the change, and who applied it.
    pub authors: BTreeSet<String>,
    /// Who made the change as it was developed: what the form says before it is applied.
    pub makers: BTreeSet<String>,
    /// Who is no person.
    pub agents: Agents,
    pub(super) base_commit: GitCommit,
    pub(super) base_lock_sha256: Digest,
    pub(super) request_commit: GitCommit,
    pub(super) evidence_commit: GitCommit,
    scope: Vec<String>,
    pub(super) rescoped: Option<Rescoped>,
    clusters: Vec<String>,
    pub(super) rollback: String,
    pub(super) repo_id: String,
    pub(super) operators: BTreeSet<String>,
    pub(super) reviewers: BTreeSet<String>,
    pub(super) template: String,
}

/// What a scope that is another does to files that are in both commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rescoped {
    /// The patterns that are no more.
    pub(super) without: Vec<String>,
    /// The patterns that are new.
    pub(super) with: Vec<String>,
    /// Files that leave the scope or enter it, and stay where they are.
    pub(super) kept: BTreeSet<String>,
}

impl Rescoped {
    fn of(repository: &Repository, scopes: &Scopes, base: Id, wanted: Id) -> Result<Self, GitError> {
        let without = |one: &Scope, other: &Scope| {
            let gone = one.patterns().iter().filter(|pattern| !other.patterns().contains(pattern));
            gone.map(Pattern::to_string).collect()
        };
        let (old, new) = (repository.files(base)?, repository.files(wanted)?);
        let kept = old.keys().filter(|path| new.contains_key(*path));
        let kept = kept.filter(|path| scopes.before.holds(path) != scopes.after.holds(path));
        Ok(Self {
            without: without(&scopes.before, &scopes.after),
            with: without(&scopes.after, &scopes.before),
            kept: kept.filter_map(|path| path.as_str().map(str::to_owned)).collect(),
        })
    }
}

/// What approvers choose, and what makes an approval this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// First instant of validity.
    pub not_before: UnixNanos,
    /// First instant after validity.
    pub expires: UnixNanos,
    /// What makes two approvals of the same content two.
    pub nonce: String,
}

/// Two commits of an unlock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The commit that asks.
    pub request: Id,
    /// The commit with the evidence.
    pub evidence: Id,
}

impl ToApprove {
    /// What is to be approved on a branch whose last commit is `head`.
    ///
    /// # Errors
    /// [`Stop`].
    pub fn of(
        repository: &Repository,
        base: &Placed,
        people: &People,
        request: Request,
        steps: Steps,
        head: Id,
    ) -> Result<Self, Stop> {
        let scopes = Scopes::of(&base.lock, &request);
        let evidence = evidence_at(repository, steps.evidence, &request.unlock_id)?;
        let wanted = change(&request)?;
        let changes = manifest_of(repository, &scopes, base.commit, wanted)?;
        people_after(repository, wanted)?;
        let agents = Agents::at(repository, &[base.commit, wanted, head]).map_err(PeopleError::from)?;
        let makers = authors(repository, people, &scopes.either, base.commit, &[wanted])?;
        let authors = authors(repository, people, &scopes.either, base.commit, &[wanted, head])?;
        let (mut triggers, required) = required(repository, base.commit, wanted, &changes, &request)?;
        let rescoped = if scopes.differ() {
            triggers.insert(Trigger::LockedFile);
            Some(Rescoped::of(repository, &scopes, base.commit, wanted)?)
        } else {
            None
        };
        let rollback = match repository.file_at(base.commit, LKG_PATH)? {
            Some(bytes) => format!("{LKG_PATH} {}", Digest::of(&bytes)),
            None => format!("the lock's commit {}", base.commit),
        };
        Ok(Self {
            base_commit: named(base.commit)?,
            base_lock_sha256: base.sha256,
            request_commit: named(steps.request)?,
            evidence_commit: named(steps.evidence)?,
            scope: scopes.after.patterns().iter().map(Pattern::to_string).collect(),
            rescoped,
            clusters: base.lock.terms.clusters.clone(),
            required,
            template: form::template(repository, base.commit)?,
            change: changes,
            request,
            evidence,
            triggers,
            authors,
            makers,
            agents,
            rollback,
            repo_id: base.lock.terms.repo_id.clone(),
            operators: people.who_may(Namespace::UnlockOperator),
            reviewers: people.who_may(Namespace::UnlockReviewer),
        })
    }

    /// The statement's bytes, over the filled form.
    ///
    /// # Errors
    /// [`Stop`].
    pub fn statement(&self, chosen: &Chosen, form: &str) -> Result<Vec<u8>, Stop> {
        let terms = UnlockPredicate {
            unlock_id: self.request.unlock_id.clone(),
            triggers: self.triggers.iter().copied().collect(),
            base_commit: self.base_commit.clone(),
            base_lock_sha256: self.base_lock_sha256,
            change: self.change.clone(),
            request_commit: self.request_commit.clone(),
            evidence_commit: self.evidence_commit.clone(),
            scope: self.scope.clone(),
            clusters: self.clusters.clone(),
            not_before: chosen.not_before,
            expires: chosen.expires,
            reason: self.request.reason.clone(),
            rollback: self.rollback.clone(),
            required: self.required,
            nonce: chosen.nonce.clone(),
        };
        let (evidence, form_sha256) = (&self.evidence, Digest::of(form.as_bytes()));
        let statement: Statement<UnlockPredicate> =
            terms.about(evidence.index_sha256, evidence.readiness_sha256, form_sha256);
        Ok(statement.to_bytes().map_err(|error| GitError::malformed("the approval", chain(&error)))?)
    }

    /// The same as `authority` asks for it, over a filled form.
    pub fn wanted(&self, form: &str, at: UnixNanos) -> Wanted<'_> {
        Wanted {
            unlock_id: &self.request.unlock_id,
            base_commit: &self.base_commit,
            base_lock_sha256: self.base_lock_sha256,
            change: &self.change,
            request_commit: &self.request_commit,
            evidence_commit: &self.evidence_commit,
            scope: &self.scope,
            clusters: &self.clusters,
            triggers: &self.triggers,
            audit_index_sha256: self.evidence.index_sha256,
            readiness_sha256: self.evidence.readiness_sha256,
            form_sha256: Digest::of(form.as_bytes()),
            reports_made: self.evidence.reports_made,
            at,
            required: self.required,
            agents: &self.agents.names,
            authors: &self.authors,
        }
    }
}

/// That somebody may unlock after the change: a list that is refused, or names no operator or no reviewer, ends all unlocking.
///
/// # Errors
/// [`Stop`].
pub fn people_after(repository: &Repository, wanted: Id) -> Result<(), Stop> {
    let unlockable = |why: String| Stop::from(Refused::new(Reason::ChangeUnlockable, SIGNERS_PATH, why));
    let people = match People::at(repository, wanted) {
        Err(PeopleError::Git(error)) => return Err(error.into()),
        Err(error) => return Err(unlockable(chain(&error))),
        Ok(people) => people,
    };
    for namespace in [Namespace::UnlockOperator, Namespace::UnlockReviewer] {
        if people.who_may(namespace).is_empty() {
            return Err(unlockable(format!("it lets nobody sign for `{namespace}`: nothing could be unlocked again")));
        }
    }
    Ok(())
}

/// The development commit that a request wants.
///
/// # Errors
/// [`Refused`] where it names none.
pub fn change(request: &Request) -> Result<Id, Refused> {
    let path = crate::unlock::request::path(&request.unlock_id);
    request.change().ok_or_else(|| Refused::new(Reason::RequestMalformed, path, "it names no development commit"))
}

/// The change between two commits, as people approve it.
///
/// # Errors
/// [`Stop`], where no lock could hold it, or the commit is not here.
pub fn manifest_of(repository: &Repository, scopes: &Scopes, base: Id, wanted: Id) -> Result<ChangeManifest, Stop> {
    match repository.commit(wanted) {
        Err(GitError::Missing { .. }) => {
            let message = format!("the development commit {wanted} is not in this repository");
            return Err(Refused::new(Reason::RevisionMissing, "", message).into());
        }
        found => found.map(drop)?,
    }
    let made = scopes.manifest(repository, base, wanted)?;
    let unlockable = |path: String, why: String| Stop::from(Refused::new(Reason::ChangeUnlockable, path, why));
    if let Some(refused) = made.refused.into_iter().next() {
        return Err(unlockable(refused.path.to_string(), refused.why));
    }
    let mut files = Vec::new();
    for change in made.changes {
        let why = || unlockable(change.path.to_string(), "it is no file with a name that can be read".to_owned());
        let path = change.path.as_str().ok_or_else(why)?.to_owned();
        let state = |side: Option<Side>| side.map(|side| state(side).ok_or_else(why)).transpose();
        files.push(ChangedFile { path, old: state(change.old)?, new: state(change.new)? });
    }
    ChangeManifest::new(files).map_err(|error| unlockable(String::new(), chain(&error)))
}

fn state(side: Side) -> Option<FileState> {
    let mode = match side.mode {
        Mode::File => FileMode::Plain,
        Mode::Executable => FileMode::Executable,
        Mode::Symlink | Mode::Gitlink => return None,
    };
    Some(FileState { mode, sha256: side.sha256 })
}

/// What asks for an unlock, and how many people it takes.
///
/// # Errors
/// [`GitError`].
pub fn required(
    repository: &Repository,
    base: Id,
    wanted: Id,
    change: &ChangeManifest,
    request: &Request,
) -> Result<(BTreeSet<Trigger>, Required), GitError> {
    let triggers = triggers(repository, base, wanted, change, request)?;
    let takes_two = request.waives_kill_switch() || request.grants_live || triggers.contains(&Trigger::Signers);
    Ok((triggers, Required { operator: 1, reviewer: if takes_two { 2 } else { 1 } }))
}

fn triggers(
    repository: &Repository,
    base: Id,
    wanted: Id,
    change: &ChangeManifest,
    request: &Request,
) -> Result<BTreeSet<Trigger>, GitError> {
    let mut triggers = BTreeSet::new();
    if !change.files.is_empty() {
        triggers.insert(Trigger::LockedFile);
        let placing = |commit| -> Result<BTreeSet<(Option<String>, String)>, GitError> {
            let placing = Manifests::of(repository, commit)?.placing();
            Ok(placing.map(|workload| (workload.path, workload.workload)).collect())
        };
        if !placing(wanted)?.is_subset(&placing(base)?) {
            triggers.insert(Trigger::Workload);
        }
    }
    if change.files.iter().any(|file| file.path.starts_with("ops/trust/")) {
        triggers.insert(Trigger::Signers);
    }
    if request.grants_live {
        triggers.insert(Trigger::Execute);
    }
    if request.waives_kill_switch() {
        triggers.insert(Trigger::KillSwitch);
    }
    Ok(triggers)
}

fn named(commit: Id) -> Result<GitCommit, GitError> {
    GitCommit::parse(&commit.to_string()).ok_or_else(|| GitError::malformed("a commit's id", commit.to_string()))
}
