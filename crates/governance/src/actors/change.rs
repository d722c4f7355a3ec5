//! A change by an agent: commits, each against the commits before it, and all of them together against what was there.
//!
//! A merge brings what all commits before it lack; what one of them has is nobody's change. A commit without parents is compared with the
//! base. What a later commit takes back was pushed all the same.

use crate::actors::actor::{ACTORS_PATH, Actors};
use crate::actors::compare::{Hunk, against_each};
use crate::actors::error::PolicyError;
use crate::actors::offence::Offence;
use crate::actors::paths;
use crate::actors::trees::Trees;
use crate::git::commit::Commit;
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::git::tree::Files;
use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

/// Most commits that are judged at once.
pub const COMMITS_MOST: usize = 10_000;

/// The actors whom a commit lists; nobody where it has no list.
///
/// # Errors
/// [`PolicyError`].
pub fn actors(repository: &Repository, base: Id) -> Result<Actors, PolicyError> {
    match repository.file_at(base, ACTORS_PATH)? {
        None => Ok(Actors::default()),
        Some(bytes) => Actors::parse(&bytes).map_err(|source| PolicyError::Actors { commit: base, source }),
    }
}

/// What an agent may not have changed from one commit to another.
///
/// # Errors
/// [`PolicyError`].
pub fn judge(repository: &Repository, base: Id, head: Id) -> Result<Vec<Offence>, PolicyError> {
    if repository.oddities()?.shallow {
        return Err(PolicyError::Shallow);
    }
    let known = repository.history(base)?.iter().map(|commit| commit.id).collect();
    commits(&Trees::new(repository)?, repository, &known, base, head)
}

/// The commits that are before one and not known.
///
/// # Errors
/// [`PolicyError`].
pub fn unknown(repository: &Repository, known: &HashSet<Id>, head: Id) -> Result<Vec<Rc<Commit>>, PolicyError> {
    let (mut seen, mut found, mut waiting) = (HashSet::new(), Vec::new(), vec![head]);
    while let Some(id) = waiting.pop() {
        if known.contains(&id) || !seen.insert(id) {
            continue;
        }
        if found.len() >= COMMITS_MOST {
            return Err(PolicyError::TooMany { what: "commits", limit: COMMITS_MOST });
        }
        let commit = repository.commit(id)?;
        waiting.extend(&commit.parents);
        found.push(commit);
    }
    Ok(found)
}

/// Judges what is new in the history of a commit.
pub(crate) fn commits(
    trees: &Trees<'_>,
    repository: &Repository,
    known: &HashSet<Id>,
    base: Id,
    head: Id,
) -> Result<Vec<Offence>, PolicyError> {
    let new = unknown(repository, known, head)?;
    let beneath = beneath(repository, known, &new, base, head)?;
    let mut found = against(trees, repository, &beneath, head)?;
    let mut said: BTreeSet<_> = found.iter().map(|offence| (offence.kind, offence.what.clone())).collect();
    // The oldest first, so that the commit is named that did it.
    for commit in new.iter().rev().filter(|commit| new.len() > 1 || commit.id != head) {
        let parents = if commit.parents.is_empty() { vec![base] } else { commit.parents.clone() };
        for offence in against(trees, repository, &parents, commit.id)? {
            if said.insert((offence.kind, offence.what.clone())) {
                found.push(Offence { commit: Some(commit.id), ..offence });
            }
        }
    }
    Ok(found)
}

/// The known commits that new ones stand on, without those that are before others of them.
fn beneath(
    repository: &Repository,
    known: &HashSet<Id>,
    new: &[Rc<Commit>],
    base: Id,
    head: Id,
) -> Result<Vec<Id>, GitError> {
    let mut edge: BTreeSet<Id> = new.iter().flat_map(|commit| &commit.parents).copied().collect();
    edge.retain(|id| known.contains(id));
    if new.is_empty() {
        edge.insert(head);
    }
    if edge.is_empty() {
        return Ok(vec![base]);
    }
    if edge.len() > 1 {
        let (mut seen, mut waiting) = (HashSet::new(), Vec::new());
        for id in &edge {
            waiting.extend(repository.commit(*id)?.parents.iter().copied());
        }
        while let Some(id) = waiting.pop() {
            if seen.insert(id) {
                waiting.extend(repository.commit(id)?.parents.iter().copied());
            }
        }
        edge.retain(|id| !seen.contains(id));
    }
    Ok(edge.into_iter().collect())
}

/// What a commit brings that none of others has.
fn against(trees: &Trees<'_>, repository: &Repository, bases: &[Id], head: Id) -> Result<Vec<Offence>, PolicyError> {
    let new = repository.files(head)?;
    let old = bases.iter().map(|base| repository.files(*base)).collect::<Result<Vec<_>, _>>()?;
    let all: Vec<&Files> = old.iter().collect();
    let mut found = paths::judge(&all, &new);
    let facts = old.iter().map(|files| trees.facts(files)).collect::<Result<Vec<_>, _>>()?;
    let own = trees.facts(&new)?;
    if facts.iter().any(|facts| Rc::ptr_eq(facts, &own)) {
        return Ok(found);
    }
    let facts: Vec<_> = facts.iter().map(Rc::as_ref).collect();
    for hunk in against_each(&facts, &own) {
        let files = if hunk.is_gone { old.first() } else { Some(&new) };
        found.push(offence(trees, files, hunk)?);
    }
    Ok(found)
}

fn offence(trees: &Trees<'_>, files: Option<&Files>, hunk: Hunk) -> Result<Offence, PolicyError> {
    let text = match (files, hunk.line) {
        (Some(files), Some(line)) => trees.line(files, &hunk.path, line)?,
        _ => None,
    };
    let path = Some(hunk.path).filter(|path| !path.is_empty());
    Ok(Offence { kind: hunk.kind, reference: None, commit: None, path, line: hunk.line, what: hunk.what, text })
}
