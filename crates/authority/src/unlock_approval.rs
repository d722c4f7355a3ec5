//! The approval of a controlled unlock: two people's yes to one exact change, over the evidence for it.
//!
//! The caller works out from git's objects what is to be approved ([`Wanted`]); here the statement must say exactly that, and
//! enough different people must have signed it in their roles. One cause, one refusal.

use crate::change_manifest::{ChangeManifest, ManifestError};
use crate::namespace::Namespace;
use crate::presented::{Unusable, Verified};
use crate::quorum::QuorumError;
use crate::signed_file::PersonsSignature;
use crate::signers::{AllowedSigners, SignedBy};
use crate::statement::{GitCommit, Predicate, Statement, StatementError, Subject, is_name, is_text};
use crate::verify::signed_by;
use agenttrader_core::digest::Digest;
use agenttrader_core::time::{Span, UnixNanos};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Longest after the older of the two reports that an approval counts: what they say of the system is old then.
pub const REPORTS_AGE_MAX: Span = Span::from_minutes(24 * 60);

/// The subject that is the change.
pub const CHANGE: &str = "change-manifest";

/// The subject that is the index of the evidence.
pub const AUDIT_INDEX: &str = "audit-index.json";

/// The subject that is the readiness report.
pub const READINESS: &str = "readiness.json";

/// The subject that is the form as filled in.
pub const FORM: &str = "APPROVAL.md";

/// What an approval says, beside the four things it is about. A plain value: people sign it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlockPredicate {
    /// The unlock.
    pub unlock_id: String,
    /// What asks for it, each once.
    pub triggers: Vec<Trigger>,
    /// The commit of the lock that holds now.
    pub base_commit: GitCommit,
    /// That lock's digest.
    pub base_lock_sha256: Digest,
    /// The change.
    pub change: ChangeManifest,
    /// The commit that asks.
    pub request_commit: GitCommit,
    /// The commit with the evidence.
    pub evidence_commit: GitCommit,
    /// The lock's patterns.
    pub scope: Vec<String>,
    /// Clusters meant.
    pub clusters: Vec<String>,
    /// First instant of validity.
    pub not_before: UnixNanos,
    /// First instant after validity.
    pub expires: UnixNanos,
    /// Why.
    pub reason: String,
    /// The last known good to go back to.
    pub rollback: String,
    /// How many must sign.
    pub required: Required,
    /// What makes two approvals of the same content two.
    pub nonce: String,
}

/// What asks for an unlock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// Behaviour that executes is enabled.
    Execute,
    /// The kill switch's default moves.
    KillSwitch,
    /// A workload comes that can influence execution.
    Workload,
    /// A locked file changes.
    LockedFile,
    /// Who may sign changes.
    Signers,
}

/// How many must sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Required {
    /// Operators.
    pub operator: u8,
    /// Reviewers.
    pub reviewer: u8,
}

impl Predicate for UnlockPredicate {
    const TYPE: &'static str = "urn:agenttrader:unlock-approval:v1";
}

/// What the caller found that must be approved. Nothing of it is taken from the approval.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The unlock.
    pub unlock_id: &'a str,
    /// The commit of the lock that holds now.
    pub base_commit: &'a GitCommit,
    /// That lock's digest.
    pub base_lock_sha256: Digest,
    /// The change as made from objects.
    pub change: &'a ChangeManifest,
    /// The commit that asks.
    pub request_commit: &'a GitCommit,
    /// The commit with the evidence.
    pub evidence_commit: &'a GitCommit,
    /// Base's patterns.
    pub scope: &'a [String],
    /// Base's clusters.
    pub clusters: &'a [String],
    /// What the change and the request ask for, in order.
    pub triggers: &'a BTreeSet<Trigger>,
    /// Digest of the audit index.
    pub audit_index_sha256: Digest,
    /// Digest of the readiness report.
    pub readiness_sha256: Digest,
    /// Digest of the filled form.
    pub form_sha256: Digest,
    /// When the older of the two reports was made.
    pub reports_made: UnixNanos,
    /// When it must hold: the new lock's timestamp.
    pub at: UnixNanos,
    /// How many must sign: computed from the change, never declared.
    pub required: Required,
    /// Principals of agents: they approve nothing.
    pub agents: &'a BTreeSet<String>,
    /// Principals who made the change: they do not review it.
    pub authors: &'a BTreeSet<String>,
}

/// An approval that enough people signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnlockApproval {
    /// Digest of its file.
    pub sha256: Digest,
    /// What it says.
    pub terms: UnlockPredicate,
    /// Operators who signed, in order.
    pub operators: Vec<String>,
    /// Reviewers who signed, in order.
    pub reviewers: Vec<String>,
}

/// Why an approval does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnlockRefused {
    /// A signature does not count, or nobody is trusted.
    #[error(transparent)]
    Signature(Unusable),
    /// Not the statement it would have to be.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// A text or name is empty, endless, or shows other than it is.
    #[error("the approval's `{0}` is no plain text")]
    Text(&'static str),
    /// Its list of changed files is none.
    #[error(transparent)]
    Change(#[from] ManifestError),
    /// Its subjects are not exactly the four.
    #[error("the approval's subjects are not exactly `{CHANGE}`, `{AUDIT_INDEX}`, `{READINESS}` and `{FORM}`")]
    Subjects,
    /// It is about something else.
    #[error("the approval's `{field}` is not what is to be approved: {said}, not {wanted}")]
    Other {
        /// Which field or subject.
        field: &'static str,
        /// What it says.
        said: String,
        /// What it would have to say.
        wanted: String,
    },
    /// It says what is to change differently.
    #[error("the approval lists other files than those that change")]
    Files,
    /// It ends before it begins.
    #[error("the approval expires at {expires}, not after it begins at {not_before}")]
    Never {
        /// Its beginning.
        not_before: UnixNanos,
        /// Its end.
        expires: UnixNanos,
    },
    /// Not valid yet.
    #[error("the approval is not valid before {not_before}; it was asked for {at}")]
    Early {
        /// Its beginning.
        not_before: UnixNanos,
        /// When it must hold.
        at: UnixNanos,
    },
    /// No longer valid.
    #[error("the approval expired at {expires}; it was asked for {at}")]
    Expired {
        /// Its end.
        expires: UnixNanos,
        /// When it must hold.
        at: UnixNanos,
    },
    /// The evidence is too old, or not yet made.
    #[error("the older report of {made} is not within a day before {at}: make the evidence and approve again")]
    Evidence {
        /// When it was made.
        made: UnixNanos,
        /// When it must hold.
        at: UnixNanos,
    },
    /// An agent signed.
    #[error("`{0}` is an agent: agents approve nothing")]
    Agent(String),
    /// Somebody reviewed their own change.
    #[error("`{0}` made the change and cannot review it")]
    OwnChange(String),
    /// Those who signed are not enough.
    #[error(transparent)]
    Quorum(#[from] QuorumError),
}

impl UnlockPredicate {
    /// The statement that people sign.
    pub fn about(self, audit_index: Digest, readiness: Digest, form: Digest) -> Statement<Self> {
        let subjects = vec![
            Subject::of_bytes(CHANGE, self.change.manifest_sha256),
            Subject::of_bytes(AUDIT_INDEX, audit_index),
            Subject::of_bytes(READINESS, readiness),
            Subject::of_bytes(FORM, form),
        ];
        Statement::new(subjects, self)
    }
}

/// Verifies an approval's bytes and the signatures beside them, by the signers of base.
///
/// # Errors
/// [`UnlockRefused`], the first cause found.
pub fn unlock_approval(
    bytes: &[u8],
    signatures: &[PersonsSignature],
    signers: &AllowedSigners,
    wanted: &Wanted<'_>,
) -> Result<Verified<UnlockApproval>, UnlockRefused> {
    let roles = [Namespace::UnlockOperator, Namespace::UnlockReviewer];
    let signed = signed_by(bytes, signatures, &roles, signers, wanted.at).map_err(|unusable| match unusable {
        Unusable::Quorum(quorum) => UnlockRefused::Quorum(quorum),
        other => UnlockRefused::Signature(other),
    })?;
    let in_role = |role| signed.iter().filter(move |by| by.namespace() == role);
    let (operators, reviewers) = (in_role(Namespace::UnlockOperator), in_role(Namespace::UnlockReviewer));
    let (operators, reviewers): (Vec<&SignedBy>, Vec<&SignedBy>) = (operators.collect(), reviewers.collect());
    check_people(&signed, &reviewers, wanted)?;
    let (found, needed) = (operators.len(), usize::from(wanted.required.operator));
    if found < needed.max(1) {
        return Err(QuorumError::Operators { found, wanted: needed.max(1) }.into());
    }
    let (found, needed) = (reviewers.len(), usize::from(wanted.required.reviewer));
    if found < needed.max(1) {
        return Err(QuorumError::Reviewers { found, wanted: needed.max(1) }.into());
    }
    let statement = Statement::<UnlockPredicate>::read(bytes)?;
    check_subjects(&statement, wanted)?;
    check_terms(&statement.predicate, wanted)?;
    check_times(&statement.predicate, wanted)?;
    let names = |people: &[&SignedBy]| people.iter().map(|by| by.principal().to_owned()).collect();
    let (operators, reviewers) = (names(&operators), names(&reviewers));
    Ok(Verified::of(UnlockApproval { sha256: Digest::of(bytes), terms: statement.predicate, operators, reviewers }))
}

fn check_people(signed: &[SignedBy], reviewers: &[&SignedBy], wanted: &Wanted<'_>) -> Result<(), UnlockRefused> {
    if let Some(agent) = signed.iter().find(|by| wanted.agents.contains(by.principal())) {
        return Err(UnlockRefused::Agent(agent.principal().to_owned()));
    }
    if let Some(author) = reviewers.iter().find(|by| wanted.authors.contains(by.principal())) {
        return Err(UnlockRefused::OwnChange(author.principal().to_owned()));
    }
    Ok(())
}

fn check_subjects(statement: &Statement<UnlockPredicate>, wanted: &Wanted<'_>) -> Result<(), UnlockRefused> {
    let subjects = [
        (CHANGE, wanted.change.manifest_sha256),
        (AUDIT_INDEX, wanted.audit_index_sha256),
        (READINESS, wanted.readiness_sha256),
        (FORM, wanted.form_sha256),
    ];
    if statement.subject.len() != subjects.len() {
        return Err(UnlockRefused::Subjects);
    }
    for (name, digest) in subjects {
        same(name, &statement.sha256(name).ok_or(UnlockRefused::Subjects)?, &digest)?;
    }
    Ok(())
}

fn check_terms(terms: &UnlockPredicate, wanted: &Wanted<'_>) -> Result<(), UnlockRefused> {
    if !is_name(&terms.nonce) {
        return Err(UnlockRefused::Text("nonce"));
    }
    for (name, text) in [("reason", &terms.reason), ("rollback", &terms.rollback)] {
        if !is_text(text) {
            return Err(UnlockRefused::Text(name));
        }
    }
    terms.change.check()?;
    same("unlock_id", &terms.unlock_id.as_str(), &wanted.unlock_id)?;
    same("base_commit", &&terms.base_commit, &wanted.base_commit)?;
    same("base_lock_sha256", &terms.base_lock_sha256, &wanted.base_lock_sha256)?;
    same("request_commit", &&terms.request_commit, &wanted.request_commit)?;
    same("evidence_commit", &&terms.evidence_commit, &wanted.evidence_commit)?;
    same("manifest_sha256", &terms.change.manifest_sha256, &wanted.change.manifest_sha256)?;
    if terms.change.files != wanted.change.files {
        return Err(UnlockRefused::Files);
    }
    same("scope", &Listed(&terms.scope), &Listed(wanted.scope))?;
    same("clusters", &Listed(&terms.clusters), &Listed(wanted.clusters))?;
    let triggers: Vec<Trigger> = wanted.triggers.iter().copied().collect();
    same("triggers", &Listed(&terms.triggers), &Listed(&triggers))?;
    same("required", &Listed(&[terms.required]), &Listed(&[wanted.required]))
}

fn check_times(terms: &UnlockPredicate, wanted: &Wanted<'_>) -> Result<(), UnlockRefused> {
    let (UnlockPredicate { not_before, expires, .. }, at, made) = (terms, wanted.at, wanted.reports_made);
    let (not_before, expires) = (*not_before, *expires);
    if expires <= not_before {
        return Err(UnlockRefused::Never { not_before, expires });
    }
    if at < not_before {
        return Err(UnlockRefused::Early { not_before, at });
    }
    if expires <= at {
        return Err(UnlockRefused::Expired { expires, at });
    }
    if at < made || at.since(made) > REPORTS_AGE_MAX {
        return Err(UnlockRefused::Evidence { made, at });
    }
    Ok(())
}

fn same<T: PartialEq + std::fmt::Display>(field: &'static str, said: &T, wanted: &T) -> Result<(), UnlockRefused> {
    let short = |value: &T| value.to_string().chars().take(200).collect();
    if said == wanted { Ok(()) } else { Err(UnlockRefused::Other { field, said: short(said), wanted: short(wanted) }) }
}

/// A list as an error shows it.
#[derive(PartialEq)]
struct Listed<'a, T>(&'a [T]);

impl<T: std::fmt::Debug> std::fmt::Display for Listed<'_, T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:?}", self.0)
    }
}
