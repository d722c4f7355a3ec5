//! The manifest rules over a folder on disk, or a tree. They need no git, no clock and no lock.

use crate::disk::{Disk, DiskError};
use crate::git::path::RepoPath;
use crate::lock::findings::fail;
use crate::scope::{Pattern, PatternError};
use agenttrader_policy::finding::{Finding, Rule};
use agenttrader_policy::tree::{Entry, Tree};

/// The judged folders and files.
const JUDGED: [&str; 7] = ["k8s/**", "infra/**", "config/**", "configs/**", "scripts/**", "Dockerfile*", "compose*"];

/// What is judged, by its path.
#[derive(Clone, Debug)]
pub struct Judged {
    patterns: Vec<Pattern>,
}

impl Judged {
    /// The judged folders and files of the lock contract.
    ///
    /// # Errors
    /// Never; the patterns are read like any others.
    pub fn new() -> Result<Self, PatternError> {
        let patterns = JUDGED.iter().map(|text| Pattern::parse(text)).collect::<Result<_, _>>()?;
        Ok(Self { patterns })
    }

    /// Whether a path is.
    pub fn is(&self, path: &RepoPath) -> bool {
        self.patterns.iter().any(|pattern| pattern.covers(path))
    }
}

/// What the manifest rules say of a folder.
///
/// # Errors
/// [`DiskError`] where it cannot be walked or is too large.
pub fn judge(disk: &Disk, judged: &Judged, only: Option<&[Rule]>) -> Result<Vec<Finding>, DiskError> {
    Ok(judge_tree(&disk.tree(|path| judged.is(path))?, only))
}

/// What they say of a tree.
pub(crate) fn judge_tree(tree: &Tree, only: Option<&[Rule]>) -> Vec<Finding> {
    let mut findings = agenttrader_policy::judge(tree, only);
    // A judged folder that is no folder has no file under it that the policy could see.
    for name in JUDGED.iter().filter_map(|pattern| pattern.strip_suffix("/**")) {
        if let Some(Entry::Symlink(_) | Entry::Unreadable(_)) = tree.get(name) {
            let remedy = "make it a folder of regular files";
            findings.push(fail(Rule::Parse, name, "it is no folder that can be read", remedy));
        }
    }
    findings.sort();
    findings
}
