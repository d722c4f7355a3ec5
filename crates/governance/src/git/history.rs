//! The commits before a commit, as their own bytes name them: grafts, replacements and caches of history are not asked.

use crate::git::commit::Commit;
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::{Repository, text};
use std::collections::HashSet;
use std::rc::Rc;

/// Longest history that is walked.
pub const COMMITS_MOST: usize = 1_000_000;

impl Repository {
    /// The commit a name means: an id, `HEAD`, a branch, a tag.
    ///
    /// # Errors
    /// [`GitError::NoCommit`] for a name that means none.
    pub fn resolve(&self, name: &str) -> Result<Id, GitError> {
        let none = || GitError::NoCommit { name: name.to_owned() };
        if name.starts_with('-') {
            return Err(none());
        }
        self.is_one(name)?;
        let wanted = format!("{name}^{{commit}}");
        let answer =
            self.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]).map_err(|_| none())?;
        let id = Id::parse(text(answer, "git rev-parse")?.trim_end()).ok_or_else(none)?;
        // Read, so that a name of something that is no commit ends here.
        self.commit(id).map(|commit| commit.id)
    }

    /// That a name is not a branch's and a tag's at once: git takes one of them and says so to nobody who is not reading along.
    fn is_one(&self, name: &str) -> Result<(), GitError> {
        let stem = name.split(['^', '~', '@', ':']).next().unwrap_or_default();
        if stem == "HEAD" || stem.is_empty() || Id::parse(stem).is_some() {
            return Ok(());
        }
        let (branch, tag) = (self.named(&format!("refs/heads/{stem}"))?, self.named(&format!("refs/tags/{stem}"))?);
        if branch.is_some() && tag.is_some() {
            return Err(GitError::Ambiguous { name: stem.to_owned() });
        }
        Ok(())
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// [`GitError::NoCommit`] where there is none yet.
    pub fn head(&self) -> Result<Id, GitError> {
        self.resolve("HEAD")
    }

    /// A commit and all before it, each once.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn history(&self, from: Id) -> Result<Vec<Rc<Commit>>, GitError> {
        self.history_without(from, None)
    }

    /// The commits of `of` that are not in the history of `base`: `base..of`.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn between(&self, base: Id, of: Id) -> Result<Vec<Rc<Commit>>, GitError> {
        self.history_without(of, Some(base))
    }

    fn history_without(&self, from: Id, without: Option<Id>) -> Result<Vec<Rc<Commit>>, GitError> {
        let mut seen: HashSet<Id> = match without {
            Some(base) => self.history(base)?.iter().map(|commit| commit.id).collect(),
            None => HashSet::new(),
        };
        let mut found = Vec::new();
        let mut waiting = vec![from];
        while let Some(id) = waiting.pop() {
            if !seen.insert(id) {
                continue;
            }
            if found.len() >= COMMITS_MOST {
                return Err(GitError::TooLong { limit: COMMITS_MOST });
            }
            let commit = self.commit(id)?;
            waiting.extend(&commit.parents);
            found.push(commit);
        }
        Ok(found)
    }

    /// Whether a commit is another one or before it.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn is_ancestor(&self, ancestor: Id, of: Id) -> Result<bool, GitError> {
        Ok(self.history(of)?.iter().any(|commit| commit.id == ancestor))
    }
}
