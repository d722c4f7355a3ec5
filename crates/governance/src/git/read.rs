//! What a repository holds: files, folders, commits.

use crate::git::commit::Commit;
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::path::RepoPath;
use crate::git::repository::Repository;
use crate::git::tree::{Entry, Files, Leaf, Mode, TreeEntry};
use agenttrader_core::digest::Digest;
use std::rc::Rc;

/// Deepest nesting of folders that is read.
const DEPTH_MOST: usize = 128;

impl Repository {
    /// A file's bytes.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn blob(&self, id: Id) -> Result<Vec<u8>, GitError> {
        self.objects().blob(|| self.git(), id)
    }

    /// The SHA-256 of a file's bytes; computed once, though many locks hold the file.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn sha256(&self, id: Id) -> Result<Digest, GitError> {
        self.objects().sha256(|| self.git(), id)
    }

    /// A commit.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn commit(&self, id: Id) -> Result<Rc<Commit>, GitError> {
        self.objects().commit(|| self.git(), id)
    }

    /// The entries of one folder.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn tree(&self, id: Id) -> Result<Rc<Vec<TreeEntry>>, GitError> {
        self.objects().tree(|| self.git(), id)
    }

    /// The bytes of an annotated tag.
    pub(crate) fn tag_bytes(&self, id: Id) -> Result<Vec<u8>, GitError> {
        self.objects().tag(|| self.git(), id)
    }

    /// All files of a commit.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn files(&self, commit: Id) -> Result<Files, GitError> {
        let mut files = Files::new();
        self.gather(self.commit(commit)?.tree, &RepoPath::from(""), 0, &mut files)?;
        Ok(files)
    }

    fn gather(&self, tree: Id, folder: &RepoPath, depth: usize, files: &mut Files) -> Result<(), GitError> {
        if depth > DEPTH_MOST {
            return Err(GitError::malformed(
                format!("the folder {folder}"),
                format!("it lies more than {DEPTH_MOST} deep"),
            ));
        }
        for entry in self.tree(tree)?.iter() {
            let path = folder.join(&entry.name);
            match entry.entry {
                Entry::Folder(id) => self.gather(id, &path, depth.saturating_add(1), files)?,
                Entry::Leaf(leaf) => {
                    files.insert(path, leaf);
                }
            }
        }
        Ok(())
    }

    /// What stands at one path of a commit; nothing for a folder.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn at(&self, commit: Id, path: &str) -> Result<Option<Leaf>, GitError> {
        let mut tree = self.commit(commit)?.tree;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let entries = self.tree(tree)?;
            let found = entries.iter().find(|entry| entry.name == part.as_bytes()).map(|entry| entry.entry);
            match (found, parts.peek()) {
                (Some(Entry::Folder(id)), Some(_)) => tree = id,
                (Some(Entry::Leaf(leaf)), None) => return Ok(Some(leaf)),
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// A file's bytes at a commit; nothing where there is no file.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn file_at(&self, commit: Id, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        match self.at(commit, path)? {
            Some(Leaf { mode: Mode::File | Mode::Executable, id }) => self.blob(id).map(Some),
            _ => Ok(None),
        }
    }
}
