//! The change manifest: every locked file in which two commits differ, as people approve it.
//!
//! Made from folders and blobs, never from the text of a diff, whose bytes a repository's settings change. One record a file, in byte order of
//! the paths: `OLD_MODE NEW_MODE OLD_SHA256 NEW_SHA256 PATH NUL`, zeros on the side where the file is not. Its SHA-256 is what is approved; a
//! commit's message, author and time are no part of it.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::path::RepoPath;
use crate::git::repository::Repository;
use crate::git::tree::{Leaf, Mode};
use crate::refusal::{Refusal, refusals};
use crate::scope::Scope;
use agenttrader_core::digest::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// What stands on one side of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// As what.
    pub mode: Mode,
    /// SHA-256 of its bytes; of a gitlink's id as text.
    pub sha256: Digest,
}

/// One file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub path: RepoPath,
    /// In the base; nothing where it was added.
    pub old: Option<Side>,
    /// In the head; nothing where it was removed.
    pub new: Option<Side>,
}

/// All locked files in which two commits differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// By path, in byte order.
    pub changes: Vec<Change>,
    /// What cannot be locked in the head. A manifest with any cannot be approved.
    pub refused: Vec<Refusal>,
}

impl Manifest {
    /// The manifest's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mode = |side: Option<Side>| side.map_or("000000", |side| side.mode.digits());
        let sha256 = |side: Option<Side>| side.map_or_else(|| "0".repeat(64), |side| side.sha256.to_string());
        let mut bytes = Vec::new();
        for change in &self.changes {
            let (old, new) = (change.old, change.new);
            let head = format!("{} {} {} {} ", mode(old), mode(new), sha256(old), sha256(new));
            bytes.extend_from_slice(head.as_bytes());
            bytes.extend_from_slice(change.path.as_bytes());
            bytes.push(0);
        }
        bytes
    }

    /// What is approved: the SHA-256 of its bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes())
    }
}

/// The manifest from one commit to another, over the scope of the base's lock.
///
/// # Errors
/// [`GitError`].
pub fn manifest(repository: &Repository, scope: &Scope, base: Id, head: Id) -> Result<Manifest, GitError> {
    manifest_across(repository, scope, scope, base, head)
}

/// The same where the lock that follows holds other paths: what leaves the scope is gone, and what enters it is added, whether or not the
/// file itself changes.
///
/// # Errors
/// [`GitError`].
pub fn manifest_across(
    repository: &Repository,
    before: &Scope,
    after: &Scope,
    base: Id,
    head: Id,
) -> Result<Manifest, GitError> {
    let (old_files, new_files) = (repository.files(base)?, repository.files(head)?);
    let old: BTreeMap<&RepoPath, Leaf> =
        old_files.iter().filter(|(path, _)| before.holds(path)).map(|(path, leaf)| (path, *leaf)).collect();
    let new: BTreeMap<&RepoPath, Leaf> =
        new_files.iter().filter(|(path, _)| after.holds(path)).map(|(path, leaf)| (path, *leaf)).collect();
    let paths: BTreeSet<&RepoPath> = old.keys().chain(new.keys()).copied().collect();
    let mut changes = Vec::new();
    for path in paths {
        let (old, new) = (old.get(path).copied(), new.get(path).copied());
        if old != new {
            let side = |leaf: Option<Leaf>| leaf.map(|leaf| side(repository, leaf)).transpose();
            changes.push(Change { path: path.clone(), old: side(old)?, new: side(new)? });
        }
    }
    Ok(Manifest { changes, refused: refusals(repository, &new_files, after)? })
}

/// What stands at a path, with the SHA-256 of its bytes.
///
/// # Errors
/// [`GitError`].
pub fn side(repository: &Repository, leaf: Leaf) -> Result<Side, GitError> {
    let sha256 = match leaf.mode {
        Mode::Gitlink => Digest::of(leaf.id.to_string().as_bytes()),
        _ => repository.sha256(leaf.id)?,
    };
    Ok(Side { mode: leaf.mode, sha256 })
}
