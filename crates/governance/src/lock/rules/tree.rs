//! The lock contract, rule `tree`: what is judged is what is committed. HEAD's blobs, the index and the disk are compared byte for byte in the
//! scope and the judged folders; what git believes of a file there counts for nothing. Elsewhere a file counts as git's own `status` counts it.

use crate::disk::{Disk, Found};
use crate::git::error::GitError;
use crate::git::id::{Id, Kind};
use crate::git::index::IndexEntry;
use crate::git::objects::BLOB_BYTES_MOST;
use crate::git::path::RepoPath;
use crate::git::repository::Repository;
use crate::git::tree::{Files, Leaf, Mode};
use crate::lock::findings::{differing, fail};
use crate::lock::manifests::Judged;
use crate::scope::Scope;
use agenttrader_policy::finding::{Finding, Rule};
use std::collections::{BTreeMap, BTreeSet};

/// What is compared.
#[derive(Debug)]
pub struct Compared<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// HEAD's files.
    pub files: &'a Files,
    /// Its work tree.
    pub disk: &'a Disk,
    /// The lock's scope; the usual one where no lock can be read.
    pub scope: &'a Scope,
    /// The judged folders.
    pub judged: &'a Judged,
}

/// Differences between HEAD, index and disk.
///
/// # Errors
/// [`GitError`].
pub fn differences(compared: &Compared<'_>) -> Result<Vec<Finding>, GitError> {
    let index = compared.repository.index()?;
    let flagged: BTreeMap<&RepoPath, &IndexEntry> = index.iter().map(|entry| (&entry.path, entry)).collect();
    let mut found = Vec::new();
    compared.index(&index, &mut found);
    let on_disk: BTreeMap<&RepoPath, Found> = compared.disk.iter().collect();
    for (path, leaf) in compared.files {
        if let Some(what) = compared.on_disk(path, *leaf, on_disk.get(path).copied())? {
            found.push((path.clone(), with_flag(what, flagged.get(path).copied())));
        }
    }
    let mut repositories = BTreeMap::new();
    let untracked: BTreeSet<RepoPath> = compared.repository.untracked()?.into_iter().collect();
    for (path, _) in compared.disk.iter().filter(|(path, _)| !compared.files.contains_key(path)) {
        if compared.is_strict(path) {
            match repository_of(path) {
                // What git keeps of a repository is told once; its other files are judged, and each is told.
                Some(folder) => repositories.insert(folder, "a repository of its own: its `.git` is on disk"),
                None => {
                    found.push((path.clone(), "it is on disk and not in HEAD".to_owned()));
                    None
                }
            };
        } else if untracked.contains(path) {
            found.push((path.clone(), "it is untracked".to_owned()));
        }
    }
    // A repository of its own is one line to git: its folder.
    for folder in untracked.iter().filter(|path| path.as_bytes().ends_with(b"/") && !compared.is_strict(path)) {
        repositories.insert(folder.clone(), "it is an untracked repository");
    }
    // One that HEAD knows of is told as what differs from HEAD.
    repositories.retain(|folder, _| !compared.files.contains_key(folder));
    let remedy = "move the repository out of this one, or take its `.git` away: what is judged is what HEAD holds";
    let repositories = repositories.iter().map(|(folder, how)| fail(Rule::Tree, &folder.to_string(), *how, remedy));
    Ok(told(found).into_iter().chain(repositories).collect())
}

/// The folder of the repository whose `.git` a path is, or lies in.
fn repository_of(path: &RepoPath) -> Option<RepoPath> {
    let mut folder = RepoPath::from("");
    for part in path.parts() {
        if part == b".git" {
            return Some(folder);
        }
        folder = folder.join(part);
    }
    None
}

/// That history is not shown as the objects hold it.
pub fn oddities(grafts: bool, replaced: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if grafts {
        let remedy = "remove info/grafts from the git folder";
        findings.push(fail(
            Rule::Tree,
            "",
            "the repository has grafts: git shows another history than it holds",
            remedy,
        ));
    }
    for id in replaced {
        let message = format!("object {id} is replaced: git shows another one in its place");
        findings.push(fail(Rule::Tree, "", message, "git replace -d, for each of `git replace -l`"));
    }
    findings
}

impl Compared<'_> {
    /// Whether bytes alone count at a path.
    fn is_strict(&self, path: &RepoPath) -> bool {
        self.scope.holds(path) || self.judged.is(path)
    }

    fn index(&self, index: &[IndexEntry], found: &mut Vec<(RepoPath, String)>) {
        let mut seen = BTreeSet::new();
        for entry in index {
            seen.insert(&entry.path);
            let head = self.files.get(&entry.path);
            let what = match head {
                _ if entry.stage != 0 => "a merge of it is not resolved",
                None => "it is in the index and not in HEAD",
                Some(leaf) if leaf.id != entry.leaf.id => "the index has other bytes than HEAD",
                Some(leaf) if leaf.mode != entry.leaf.mode => "the index has another mode than HEAD",
                Some(_) => continue,
            };
            found.push((entry.path.clone(), what.to_owned()));
        }
        for path in self.files.keys().filter(|path| !seen.contains(path)) {
            found.push((path.clone(), "it is in HEAD and not in the index".to_owned()));
        }
    }

    /// How a committed file's place on disk differs from it.
    fn on_disk(&self, path: &RepoPath, leaf: Leaf, found: Option<Found>) -> Result<Option<String>, GitError> {
        let differs = |what: &str| Ok(Some(what.to_owned()));
        match (leaf.mode, found) {
            // Whatever `.gitmodules` says of it.
            (Mode::Gitlink, _) if self.is_strict(path) => {
                differs("it is a repository of its own: its files are not in HEAD")
            }
            (Mode::Gitlink, _) => Ok(None),
            (_, None) => differs("it is in HEAD and not on disk"),
            (Mode::Symlink, Some(Found::Symlink)) => {
                let target = std::fs::read_link(self.repository.on_disk(path)).unwrap_or_default();
                let id = Id::of(Kind::Blob, std::os::unix::ffi::OsStrExt::as_bytes(target.as_os_str()));
                if id == leaf.id { Ok(None) } else { differs("the link on disk points elsewhere than in HEAD") }
            }
            (Mode::File | Mode::Executable, Some(Found::File { executable, .. })) => {
                let bytes = match self.disk.read(path, BLOB_BYTES_MOST) {
                    Ok(bytes) => bytes,
                    Err(why) => return Ok(Some(format!("its bytes on disk cannot be compared: {why}"))),
                };
                if Id::of(Kind::Blob, &bytes) != leaf.id && !self.differs_in_line_ends(path, &bytes, leaf)? {
                    return differs("it has other bytes on disk than in HEAD");
                }
                if executable != (leaf.mode == Mode::Executable) {
                    return differs("it has another mode on disk than in HEAD");
                }
                Ok(None)
            }
            (_, Some(Found::Symlink)) => differs("it is a symbolic link on disk"),
            (_, Some(_)) => differs("it is something else on disk than in HEAD"),
        }
    }

    /// Outside the scope git's own comparison counts, and it may let line ends differ.
    fn differs_in_line_ends(&self, path: &RepoPath, bytes: &[u8], leaf: Leaf) -> Result<bool, GitError> {
        if self.is_strict(path) {
            return Ok(false);
        }
        let without = |bytes: &[u8]| bytes.iter().copied().filter(|byte| *byte != b'\r').collect::<Vec<_>>();
        Ok(without(bytes) == without(&self.repository.blob(leaf.id)?))
    }
}

/// What a flag of the index hides from `git status`.
fn with_flag(what: String, entry: Option<&IndexEntry>) -> String {
    match entry {
        Some(entry) if entry.assume_unchanged => {
            format!("{what}; git does not show it: it is flagged assume-unchanged")
        }
        Some(entry) if entry.skip_worktree => format!("{what}; git does not show it: it is flagged skip-worktree"),
        _ => what,
    }
}

fn told(mut found: Vec<(RepoPath, String)>) -> Vec<Finding> {
    found.sort();
    let found: Vec<_> = found.into_iter().map(|(path, how)| (path.to_string(), how)).collect();
    differing(Rule::Tree, &found, "commit it, or take it away: what is judged is what HEAD holds").collect()
}
