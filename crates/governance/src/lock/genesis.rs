//! The first lock: people are named, reports are made, and everybody who may unlock signs what they agree on.

use crate::bounded_file;
use crate::deploy_report::DeployReport;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::git::sign::Signer;
use crate::lock::build::{Making, files_of, lock_of, put, with_bytes, write_files};
use crate::lock::commit::{branch, commit, head_files};
use crate::lock::model::{LOCK_BYTES_MOST, LOCK_PATH, Lock, PAGE_PATH};
use crate::lock::page::page;
use crate::lock::people::{People, PeopleError, SIGNERS_PATH};
use crate::lock::rules::scope::{GENESIS, signature_path, signed};
use crate::lock::validate::{Asked, Judgement, Standing, baseline, strictly};
use crate::lock::write_error::WriteError;
use crate::readiness::repository::of_judgement;
use crate::readiness::{Report, Scope};
use agenttrader_authority::namespace::Namespace;
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::UnixNanos;
use agenttrader_policy::finding::{Finding, Verdict};
use std::collections::BTreeSet;

/// What a person is named for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Unlocks, grants, resumes, approves.
    Operator,
    /// Reviews unlocks, grants, approves.
    Reviewer,
    /// Signs commits alone.
    Author,
}

impl Role {
    /// What the person may sign for.
    pub const fn namespaces(self) -> &'static [Namespace] {
        match self {
            Self::Operator => &[
                Namespace::UnlockOperator,
                Namespace::ExecutionGrant,
                Namespace::ExecutionResume,
                Namespace::ProposalApproval,
                Namespace::LockGenesis,
                Namespace::Git,
            ],
            Self::Reviewer => &[
                Namespace::UnlockReviewer,
                Namespace::ExecutionGrant,
                Namespace::ProposalApproval,
                Namespace::LockGenesis,
                Namespace::Git,
            ],
            Self::Author => &[Namespace::Git],
        }
    }
}

/// A person who is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The principal.
    pub principal: String,
    /// The public key as ssh-keygen writes it: type, base64, and a comment that is left out.
    pub key: String,
    /// As what.
    pub role: Role,
}

/// A first lock that waits for its signatures.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The commit that names the people.
    pub people: Id,
    /// The commit with the reports: the lock's `git_sha`.
    pub reports: Id,
    /// The lock, on disk.
    pub lock: Lock,
    /// Who has to sign.
    pub signers: BTreeSet<String>,
}

/// What signing came to.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The signature's file.
    pub path: String,
    /// Who has not signed yet.
    pub missing: BTreeSet<String>,
    /// The lock's commit, when all are there.
    pub commit: Option<Id>,
}

/// Names the people, makes the reports, and writes the lock that they sign.
///
/// # Errors
/// [`WriteError`], also after any earlier lock or list of signers.
pub fn init(repository: &Repository, named: &[Named], build_id: &str, asked: &Asked<'_>) -> Result<Begun, WriteError> {
    branch(repository)?;
    let mut judged = baseline(repository, asked)?;
    // What the lock will be judged by, once it is one.
    strictly(&mut judged.findings);
    let judged = holds(judged)?;
    let Standing::Draft = judged.standing else {
        return Err(WriteError::refused(
            "the repository has a lock",
            "a lock is followed by an unlock, never by a first one",
        ));
    };
    let (head, files) = head_files(repository)?;
    if !People::at(repository, head)?.signers.is_nobody() {
        return Err(WriteError::refused(
            format!("{SIGNERS_PATH} names people already"),
            "finish with `agenttrader lock sign`, or go back to the commit before `lock init`",
        ));
    }
    let list = allowed_signers(named)?;
    // An agent's name among them is refused before anything is written.
    let people = People::with_signers(repository, head, list.as_bytes()).map_err(|error| match error {
        PeopleError::Git(error) => WriteError::Git(error),
        // HEAD's list is empty: what is refused is what was named.
        PeopleError::Signers { source, .. } => WriteError::refused(
            format!("the people named are refused: {}", chain(&source)),
            "each by one exact name, with an Ed25519 key that nobody else has",
        ),
        error => WriteError::People(error),
    })?;
    let signers = who_signs(&people);
    let draft = repository.file_at(head, LOCK_PATH)?.unwrap_or_default();
    let terms = Lock::parse(&draft)
        .map_err(|error| WriteError::refused(chain(&error), "commit a draft that can be read"))?
        .terms;
    let with_people = with_bytes(repository, &files, &[(SIGNERS_PATH.to_owned(), list.into_bytes())])?;
    let people = commit(repository, &with_people, "Production lock: the people who may sign\n", None, asked.now)?;
    let readiness = Report::new(Scope::Repository, asked.now, people.to_string(), of_judgement(&judged));
    let deploy = DeployReport::of_manifests(repository, people, asked.now)?;
    let reports = readiness.files().into_iter().chain(deploy.files());
    let paths = reports.map(|(name, bytes)| (format!("{GENESIS}/{name}"), bytes)).collect::<Vec<_>>();
    let with_reports = with_bytes(repository, &with_people, &paths)?;
    let reports = commit(repository, &with_reports, "Production lock: readiness and deploy report\n", None, asked.now)?;
    let making = Making { terms, timestamp: asked.now, build_id: build_id.to_owned(), after: None, waives: Vec::new() };
    let lock = lock_of(repository, reports, making)?;
    write_files(repository, &lock)?;
    Ok(Begun { people, reports, lock, signers })
}

/// The first lock that lies on disk, with what people agree to by signing it: its page and who may sign afterwards.
///
/// # Errors
/// [`WriteError`] where none waits, or it is not that of HEAD.
pub fn to_sign(repository: &Repository) -> Result<(Lock, String), WriteError> {
    let head = repository.head()?;
    let lock = waiting(repository, head)?;
    let list = repository.file_at(head, SIGNERS_PATH)?.unwrap_or_default();
    let text = format!("{}\n## {SIGNERS_PATH}\n\n{}", page(&lock), String::from_utf8_lossy(&list));
    Ok((lock, text))
}

/// Who has not signed the first lock that lies on disk.
///
/// # Errors
/// [`WriteError`] where none waits, or it is not that of HEAD.
pub fn unsigned(repository: &Repository) -> Result<BTreeSet<String>, WriteError> {
    let head = repository.head()?;
    let lock = waiting(repository, head)?;
    let people = People::at(repository, head)?;
    Ok(who_signs(&people)
        .into_iter()
        .filter(|principal| given(repository, &people, principal, &lock).is_none())
        .collect())
}

/// A person's signature of that lock, as it lies on disk, if it counts.
fn given(repository: &Repository, people: &People, principal: &str, lock: &Lock) -> Option<Vec<u8>> {
    let bytes = read(repository, &signature_path(principal), 16 * 1024)?;
    signed(people, principal, lock, &bytes).is_ok().then_some(bytes)
}

/// Signs this first lock, which [`to_sign`] gave, while it is still the one that lies on disk; with the last signature it is committed.
///
/// # Errors
/// [`WriteError`].
pub fn sign_this(repository: &Repository, shown: &Lock, signer: &Signer, now: UnixNanos) -> Result<Signed, WriteError> {
    branch(repository)?;
    let (head, files) = head_files(repository)?;
    let lock = waiting(repository, head)?;
    if lock != *shown {
        return Err(WriteError::refused("the lock on disk is another one than was shown", "look at it again"));
    }
    let people = People::at(repository, head)?;
    let signers = who_signs(&people);
    if !signers.contains(&signer.principal) {
        return Err(WriteError::refused(
            format!("{} is neither operator nor reviewer", signer.principal),
            format!("those who sign are {}", signers.iter().cloned().collect::<Vec<_>>().join(", ")),
        ));
    }
    let signature = signer.sign(repository.programs(), Namespace::LockGenesis.as_str(), &lock.bytes())?;
    signed(&people, &signer.principal, &lock, signature.as_bytes())
        .map_err(|why| WriteError::refused(why, "sign with the key that ops/trust/allowed_signers lists for you"))?;
    let path = signature_path(&signer.principal);
    put(repository, &path, signature.as_bytes())?;
    let mut new = Vec::from(files_of(&lock));
    let mut missing = BTreeSet::new();
    for principal in signers {
        match given(repository, &people, &principal, &lock) {
            Some(bytes) => new.push((signature_path(&principal), bytes)),
            None => {
                missing.insert(principal);
            }
        }
    }
    let commit = if missing.is_empty() {
        let all = with_bytes(repository, &files, &new)?;
        Some(commit(repository, &all, "Production lock: the first\n", Some((signer, &people)), now)?)
    } else {
        None
    };
    Ok(Signed { path, missing, commit })
}

/// The first lock on disk, if it is the lock of HEAD, digest for digest.
fn waiting(repository: &Repository, head: Id) -> Result<Lock, WriteError> {
    let none = || WriteError::refused("no first lock waits for signatures here", "`agenttrader lock init` writes one");
    let bytes = read(repository, LOCK_PATH, LOCK_BYTES_MOST).ok_or_else(none)?;
    let lock =
        Lock::parse(&bytes).map_err(|error| WriteError::refused(chain(&error), "`agenttrader lock init` writes it"))?;
    let locked = lock.locked().filter(|locked| locked.previous.is_none() && locked.git_sha == head).ok_or_else(none)?;
    let making = Making {
        terms: lock.terms.clone(),
        timestamp: locked.timestamp,
        build_id: locked.build_id.clone(),
        after: None,
        waives: Vec::new(),
    };
    let is_page = read(repository, PAGE_PATH, LOCK_BYTES_MOST).is_some_and(|found| found == page(&lock).as_bytes());
    if lock_of(repository, head, making)? != lock || !is_page {
        return Err(WriteError::refused(
            "the lock on disk is not that of HEAD: a digest or the page differs",
            "do not sign it; go back to the commit before `lock init` and begin again",
        ));
    }
    Ok(lock)
}

fn read(repository: &Repository, path: &str, most: usize) -> Option<Vec<u8>> {
    bounded_file::read(&repository.on_disk(&path.into()), u64::try_from(most).ok()?).ok()
}

/// The judgement, if no rule fails.
pub(crate) fn holds(judged: Judgement) -> Result<Judgement, WriteError> {
    none_fails(&judged.findings).map(|()| judged)
}

/// That no finding is a failure.
pub(crate) fn none_fails(findings: &[Finding]) -> Result<(), WriteError> {
    let findings: Vec<_> = findings.iter().filter(|finding| finding.verdict == Verdict::Fail).cloned().collect();
    if findings.is_empty() { Ok(()) } else { Err(WriteError::Fails { findings }) }
}

fn who_signs(people: &People) -> BTreeSet<String> {
    let operators = people.who_may(Namespace::UnlockOperator);
    operators.union(&people.who_may(Namespace::UnlockReviewer)).cloned().collect()
}

/// The list of signers, one line a person.
fn allowed_signers(named: &[Named]) -> Result<String, WriteError> {
    let has = |role| named.iter().any(|person| person.role == role);
    if !has(Role::Operator) || !has(Role::Reviewer) {
        return Err(WriteError::refused(
            "a lock needs an operator and a reviewer",
            "name both: --operator NAME=PUB --reviewer NAME=PUB",
        ));
    }
    let mut list =
        String::from("# Who may sign for what; one key a line. Changing it is an unlock, under the list before it.\n");
    let mut names = BTreeSet::new();
    for person in named {
        if !names.insert(&person.principal) {
            return Err(WriteError::refused(format!("{} is named twice", person.principal), "one person, one role"));
        }
        let mut words = person.key.split_ascii_whitespace();
        let (Some(kind), Some(base64)) = (words.next(), words.next()) else {
            return Err(WriteError::refused(
                format!("the key of {} is no public key", person.principal),
                "give NAME=FILE.pub",
            ));
        };
        let namespaces: Vec<_> = person.role.namespaces().iter().map(|namespace| namespace.as_str()).collect();
        list.push_str(&format!("{} namespaces=\"{}\" {kind} {base64}\n", person.principal, namespaces.join(",")));
    }
    Ok(list)
}
