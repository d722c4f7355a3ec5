//! A lock made of a commit: every digest in it is computed here, none is taken over.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::path::RepoPath;
use crate::git::repository::Repository;
use crate::git::tree::Files;
use crate::git::write::file;
use crate::lock::model::{Evidence, LOCK_PATH, Lock, Locked, PAGE_PATH, Report, State, Terms, Waiver, policy_digest};
use crate::lock::page::page;
use crate::lock::rules::scope::locked_files;
use agenttrader_core::digest::Digest;
use agenttrader_core::time::{Span, UnixNanos};
use std::fs;

/// What a lock is made of, besides a commit.
#[derive(Clone, Debug)]
pub struct Making {
    /// What people agreed on.
    pub terms: Terms,
    /// When; seconds are cut to whole ones.
    pub timestamp: UnixNanos,
    /// The build that was judged.
    pub build_id: String,
    /// The lock before it and the unlock since; none for the first.
    pub after: Option<(Digest, String)>,
    /// What a completed unlock waives.
    pub waives: Vec<Waiver>,
}

/// The lock of a commit, which will be the parent of the lock's own.
///
/// # Errors
/// [`GitError`], also where a report is not in the commit.
pub fn lock_of(repository: &Repository, commit: Id, making: Making) -> Result<Lock, GitError> {
    let files = locked_files(repository, &repository.files(commit)?, &making.terms.scope)?;
    let folder = making.after.as_ref().map_or("genesis", |(_, unlock_id)| unlock_id);
    let mut evidence = Vec::new();
    for report in Report::ALL {
        let path = format!("ops/unlock/{folder}/{}.json", report.name());
        let bytes = repository.file_at(commit, &path)?;
        let bytes =
            bytes.ok_or_else(|| GitError::malformed(format!("commit {commit}"), format!("it holds no {path}")))?;
        evidence.push(Evidence { report, path, sha256: Digest::of(&bytes) });
    }
    let (previous, unlock_id) = making.after.unzip();
    let locked = Locked {
        timestamp: making.timestamp.floor_to(Span::from_seconds(1)),
        git_sha: commit,
        build_id: making.build_id,
        policy_sha256: policy_digest(&files),
        files,
        evidence,
        previous,
        unlock_id,
        waives: making.waives,
    };
    Ok(Lock { terms: making.terms, state: State::Locked(Box::new(locked)) })
}

/// Writes the lock's two files to disk.
///
/// # Errors
/// [`GitError::Io`].
pub fn write_files(repository: &Repository, lock: &Lock) -> Result<(), GitError> {
    put(repository, LOCK_PATH, &lock.bytes())?;
    put(repository, PAGE_PATH, page(lock).as_bytes())
}

/// Writes one file to disk.
///
/// # Errors
/// [`GitError::Io`].
pub fn put(repository: &Repository, path: &str, bytes: &[u8]) -> Result<(), GitError> {
    let at = repository.on_disk(&RepoPath::from(path));
    let written = at.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&at, bytes));
    written.map_err(|source| GitError::Io { doing: "write", path: at, source })
}

/// The files with some set to these bytes.
///
/// # Errors
/// [`GitError`].
pub fn with_bytes(repository: &Repository, files: &Files, new: &[(String, Vec<u8>)]) -> Result<Files, GitError> {
    let mut files = files.clone();
    for (path, bytes) in new {
        files.insert(RepoPath::from(path.as_str()), file(repository.write_blob(bytes)?));
    }
    Ok(files)
}

/// The two files of a lock, as a commit holds them.
pub fn files_of(lock: &Lock) -> [(String, Vec<u8>); 2] {
    [(LOCK_PATH.to_owned(), lock.bytes()), (PAGE_PATH.to_owned(), page(lock).into_bytes())]
}
