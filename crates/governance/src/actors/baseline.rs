//! The branch that moves from lock to lock. Nobody pushes a locked path to it, people neither, but by moving it to the commit of a lock
//! that is tagged. While the repository is a draft nothing is locked, and people push what they like.

use crate::actors::change::unknown;
use crate::actors::error::PolicyError;
use crate::actors::offence::{Kind, Offence};
use crate::actors::update::Update;
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::path::RepoPath;
use crate::git::repository::Repository;
use crate::git::tree::Files;
use crate::lock::chain::{Locks, Placed};
use crate::lock::model::{LOCK_BYTES_MOST, LOCK_PATH, Lock, PAGE_PATH};
use crate::lock::people::{People, PeopleError};
use crate::lock::rules::scope::judge;
use agenttrader_authority::git_signature;
use agenttrader_authority::namespace::Namespace;
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_policy::finding::Verdict;
use std::collections::BTreeSet;

/// How the tag of a lock begins.
const TAGS: &str = "refs/tags/v2-lock-";

/// Most paths that are listed one by one.
const LISTED_MOST: usize = 50;

/// The rules that hold, as the base says them.
#[derive(Debug)]
pub struct Baseline {
    /// The commit they are read from.
    pub rules: Id,
    branch: String,
    /// The lock; none of a draft.
    lock: Option<Placed>,
}

impl Baseline {
    /// The rules of the baseline branch that a commit's lock names; of that commit where there is no such branch yet.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn of(repository: &Repository, base: &str) -> Result<Self, PolicyError> {
        let named = repository.resolve(base)?;
        let branch = |lock: &Lock| format!("refs/heads/{}", lock.terms.baseline_branch);
        let first = branch(&read(repository, named)?);
        let rules = repository.named(&first)?.unwrap_or(named);
        let lock = read(repository, rules)?;
        let branch = branch(&lock);
        let locks = Locks::in_history(repository, rules)?;
        let unfollowed = |why: String| PolicyError::Unfollowed { commit: rules, why };
        let placed = match lock.locked() {
            Some(_) => {
                Some(locks.placed(repository, Digest::of(&lock.bytes()))?.map_err(|error| unfollowed(chain(&error)))?)
            }
            None => match locks.not_drafts().next() {
                Some((sha256, _)) => return Err(unfollowed(format!("a draft follows the lock {sha256}"))),
                None => None,
            },
        };
        Ok(Self { rules, branch, lock: placed })
    }

    /// What is refused of a ref, whoever pushes it.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn judge(&self, repository: &Repository, update: &Update, all: &[Update]) -> Result<Vec<Offence>, PolicyError> {
        if let Some(name) = update.name.strip_prefix("refs/tags/").filter(|_| update.name.starts_with(TAGS)) {
            return Ok(self.tag(repository, update, name)?.into_iter().collect());
        }
        match &self.lock {
            Some(lock) if update.name == self.branch => self.moved(repository, lock, update, all),
            _ => Ok(Vec::new()),
        }
    }

    /// A lock's tag is made once, by a listed person, for a lock's own commit.
    fn tag(&self, repository: &Repository, update: &Update, name: &str) -> Result<Option<Offence>, PolicyError> {
        let refuse = |what: String| Ok(Some(Offence::of_ref(Kind::Tag, &update.name, what)));
        match (update.old, update.new) {
            (Some(_), _) => refuse("the tag of a lock is never moved and never deleted".to_owned()),
            (None, None) => refuse("there is no such tag".to_owned()),
            (None, Some(id)) => match self.tagged(repository, name, id)? {
                Ok(_) => Ok(None),
                Err(why) => refuse(why),
            },
        }
    }

    /// The commit that a lock's tag names, or why it is none.
    fn tagged(&self, repository: &Repository, name: &str, id: Id) -> Result<Result<Id, String>, PolicyError> {
        let tag = match repository.tag(id) {
            Ok(tag) => tag,
            Err(error @ (GitError::Kind { .. } | GitError::Malformed { .. })) => {
                return Ok(Err(format!("it is no annotated tag of a commit: {}", chain(&error))));
            }
            Err(error) => return Err(error.into()),
        };
        if tag.name != name {
            return Ok(Err(format!("the tag was made for the name {}", tag.name)));
        }
        let lock = match self.own_lock(repository, tag.commit)? {
            Ok(lock) => lock,
            Err(why) => return Ok(Err(why)),
        };
        // Who may sign is said by the lock that stands; the first one says it itself.
        let trusting = if self.lock.is_some() { self.rules } else { tag.commit };
        let people = match People::at(repository, trusting) {
            Ok(people) => people,
            Err(PeopleError::Git(error)) => return Err(error.into()),
            Err(error) => return Ok(Err(chain(&error))),
        };
        let Some(at) = lock.lock.locked().map(|locked| locked.timestamp) else { return Ok(Err("a draft".to_owned())) };
        let signed = match git_signature::tag(&tag.bytes) {
            Ok(Some(signed)) => signed,
            Ok(None) => return Ok(Err("the tag is not signed".to_owned())),
            Err(error) => return Ok(Err(chain(&error))),
        };
        Ok(match people.signers.who(Namespace::Git, &signed.payload, &signed.signature, at) {
            Ok(by) if people.agents.names.contains(by.principal()) => {
                Err(format!("{} is an agent, and tags no lock", by.principal()))
            }
            Ok(_) => Ok(tag.commit),
            Err(error) => Err(format!("the tag's signature does not count: {}", chain(&error))),
        })
    }

    /// The lock whose own commit this is, if it is legitimate and follows the lock that stands.
    fn own_lock(&self, repository: &Repository, commit: Id) -> Result<Result<Placed, String>, PolicyError> {
        let bytes = repository.file_at(commit, LOCK_PATH)?.unwrap_or_default();
        let locks = Locks::in_history(repository, commit)?;
        let placed = match locks.placed(repository, Digest::of(&bytes))? {
            Ok(placed) if placed.commit == commit => placed,
            Ok(placed) => return Ok(Err(format!("{commit} is not the lock's own commit, which is {}", placed.commit))),
            Err(error) => return Ok(Err(chain(&error))),
        };
        let before = match locks.before(repository, &placed)? {
            Ok(before) => before,
            Err(error) => return Ok(Err(chain(&error))),
        };
        if let Some(standing) = &self.lock
            && !std::iter::once(&placed).chain(&before).any(|lock| lock.sha256 == standing.sha256)
        {
            return Ok(Err(format!("the lock of {commit} does not follow the lock {}", standing.sha256)));
        }
        let files = repository.files(commit)?;
        let findings = judge(repository, &files, &placed, &locks, None)?;
        let failing = findings.into_iter().find(|finding| finding.verdict == Verdict::Fail);
        Ok(match failing {
            Some(finding) => {
                Err(format!("the lock of {commit} is not legitimate: {}: {}", finding.path, finding.message))
            }
            None => Ok(placed),
        })
    }

    /// The baseline branch, pushed by anybody.
    fn moved(
        &self,
        repository: &Repository,
        lock: &Placed,
        update: &Update,
        all: &[Update],
    ) -> Result<Vec<Offence>, PolicyError> {
        let refuse = |what: &str| Ok(vec![Offence::of_ref(Kind::Locked, &update.name, what)]);
        let Some(new) = update.new else { return refuse("the baseline branch is not deleted") };
        if repository.commit(new).is_err_and(|error| matches!(error, GitError::Kind { .. })) {
            return refuse("it is no commit");
        }
        let old = update.old.unwrap_or(self.rules);
        if !repository.is_ancestor(old, new)? {
            return refuse("the baseline branch is not moved by force");
        }
        let mut why = None;
        let here = repository.refs("refs/tags/")?.into_iter().filter(|(name, _)| name.starts_with(TAGS));
        let pushed = all.iter().filter(|update| update.name.starts_with(TAGS));
        for (name, id) in here.chain(pushed.filter_map(|update| Some((update.name.clone(), update.new?)))) {
            let is_of_it = repository.tag(id).is_ok_and(|tag| tag.commit == new);
            let Some(name) = name.strip_prefix("refs/tags/").filter(|_| is_of_it) else { continue };
            match self.tagged(repository, name, id)? {
                Ok(_) => return Ok(Vec::new()),
                Err(reason) => why = Some(format!("the tag {name} does not make it a lock's commit: {reason}")),
            }
        }
        let touched = self.touched(repository, lock, old, new)?;
        let mut found: Vec<_> = touched
            .iter()
            .take(LISTED_MOST)
            .map(|(path, commit)| Offence {
                commit: *commit,
                ..Offence::of_path(Kind::Locked, &path.to_string(), "it is locked on the baseline branch")
            })
            .collect();
        if let Some(more) = touched.len().checked_sub(LISTED_MOST).filter(|more| *more > 0) {
            found.push(Offence::of_ref(Kind::Locked, &update.name, format!("{more} more locked files differ")));
        }
        if let Some(why) = why.filter(|_| !found.is_empty()) {
            found.push(Offence::of_ref(Kind::Locked, &update.name, why));
        }
        Ok(found)
    }

    /// Every locked path that is another one at the end, or in one of the commits on the way.
    fn touched(
        &self,
        repository: &Repository,
        lock: &Placed,
        old: Id,
        new: Id,
    ) -> Result<Vec<(RepoPath, Option<Id>)>, PolicyError> {
        let known = repository.history(old)?.iter().map(|commit| commit.id).collect();
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        for path in self.differing(lock, &[repository.files(old)?], &repository.files(new)?) {
            seen.insert(path.clone());
            found.push((path, None));
        }
        for commit in unknown(repository, &known, new)?.iter().rev() {
            let parents =
                commit.parents.iter().map(|parent| repository.files(*parent)).collect::<Result<Vec<_>, _>>()?;
            let parents = if parents.is_empty() { vec![repository.files(old)?] } else { parents };
            for path in self.differing(lock, &parents, &repository.files(commit.id)?) {
                if seen.insert(path.clone()) {
                    found.push((path, Some(commit.id)));
                }
            }
        }
        Ok(found)
    }

    /// Locked paths that differ from each of several trees.
    fn differing(&self, lock: &Placed, old: &[Files], new: &Files) -> Vec<RepoPath> {
        let locked =
            |path: &RepoPath| lock.lock.terms.scope.holds(path) || matches!(path.as_str(), Some(LOCK_PATH | PAGE_PATH));
        let all: BTreeSet<&RepoPath> = old.iter().flat_map(Files::keys).chain(new.keys()).collect();
        let differs = |path: &&RepoPath| locked(path) && old.iter().all(|files| files.get(*path) != new.get(*path));
        all.into_iter().filter(differs).cloned().collect()
    }
}

/// A commit's lock, or its draft.
fn read(repository: &Repository, commit: Id) -> Result<Lock, PolicyError> {
    let bytes = repository.file_at(commit, LOCK_PATH)?.ok_or(PolicyError::NoLock { commit })?;
    Lock::parse(bytes.get(..LOCK_BYTES_MOST).unwrap_or(&bytes)).map_err(|source| PolicyError::Lock { commit, source })
}
