//! What the tree of a commit says, read once for each set of files that matters.

use crate::actors::error::PolicyError;
use crate::actors::facts::Facts;
use crate::actors::offence::SHOWN_CHARACTERS;
use crate::git::id::{Id, Kind};
use crate::git::path::RepoPath;
use crate::git::repository::Repository;
use crate::git::tree::{Files, Leaf, Mode};
use crate::lock::manifests::Judged;
use agenttrader_policy::tree::{Entry, Tree};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Folders outside the judged ones whose files are sources, fixtures and prose: nothing runs them as they are.
const SOURCES: [&str; 6] = ["crates", "frontend", "xtask", "testing", "docs", "ops"];

/// Facts that are kept: those of a commit's parents are asked for again at once.
const KEPT_MOST: usize = 8;

/// Reads trees of a repository.
#[derive(Debug)]
pub struct Trees<'a> {
    repository: &'a Repository,
    judged: Judged,
    kept: RefCell<HashMap<Id, Rc<Facts>>>,
}

impl<'a> Trees<'a> {
    /// Of a repository.
    ///
    /// # Errors
    /// Never; the patterns are read like any others.
    pub fn new(repository: &'a Repository) -> Result<Self, PolicyError> {
        Ok(Self { repository, judged: Judged::new()?, kept: RefCell::default() })
    }

    /// What these files say.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn facts(&self, files: &Files) -> Result<Rc<Facts>, PolicyError> {
        let mattering: Vec<(&RepoPath, &Leaf)> =
            files.iter().filter(|(path, leaf)| self.matters(path, **leaf)).collect();
        let mut listing = Vec::new();
        for (path, leaf) in &mattering {
            listing.extend_from_slice(format!("{} {} ", leaf.mode, leaf.id).as_bytes());
            listing.extend_from_slice(path.as_bytes());
            listing.push(0);
        }
        let key = Id::of(Kind::Blob, &listing);
        if let Some(facts) = self.kept.borrow().get(&key) {
            return Ok(Rc::clone(facts));
        }
        let mut tree = Tree::new();
        for (path, leaf) in mattering {
            let entry = match (leaf.mode, path.as_str()) {
                (_, None) => Entry::Unreadable("its name is not UTF-8".to_owned()),
                (Mode::Gitlink, _) => Entry::Unreadable("it is a repository of its own".to_owned()),
                (Mode::Symlink, _) => {
                    Entry::Symlink(String::from_utf8_lossy(&self.repository.blob(leaf.id)?).into_owned())
                }
                (Mode::File | Mode::Executable, _) => Entry::File(self.repository.blob(leaf.id)?),
            };
            tree.insert(path.to_string(), entry);
        }
        let facts = Rc::new(Facts::read(&tree));
        let mut kept = self.kept.borrow_mut();
        if kept.len() >= KEPT_MOST {
            kept.clear();
        }
        kept.insert(key, Rc::clone(&facts));
        Ok(facts)
    }

    /// A line of a file, to be shown.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn line(&self, files: &Files, path: &str, line: u32) -> Result<Option<String>, PolicyError> {
        let Some(leaf) = files.get(&RepoPath::from(path)).filter(|leaf| leaf.mode != Mode::Gitlink) else {
            return Ok(None);
        };
        let bytes = self.repository.blob(leaf.id)?;
        let index = usize::try_from(line).unwrap_or(usize::MAX).checked_sub(1);
        let found = index.and_then(|index| bytes.split(|byte| *byte == b'\n').nth(index));
        let shown = |line: &[u8]| String::from_utf8_lossy(line).trim().chars().take(SHOWN_CHARACTERS).collect();
        Ok(found.map(shown))
    }

    /// Whether a file may hold something that is judged by what it means.
    fn matters(&self, path: &RepoPath, leaf: Leaf) -> bool {
        let top = path.parts().next().unwrap_or_default();
        let elsewhere = path.as_str().is_some()
            && matches!(leaf.mode, Mode::File | Mode::Executable)
            && !SOURCES.iter().any(|folder| folder.as_bytes() == top);
        self.judged.is(path) || elsewhere
    }
}
