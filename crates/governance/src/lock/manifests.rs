//! The manifest rules over a folder on disk. They need no git, no clock and no lock.

use crate::disk::{Disk, DiskError, Found};
use crate::git::path::RepoPath;
use crate::lock::findings::fail;
use crate::scope::{Pattern, PatternError};
use agenttrader_policy::finding::{Finding, Rule};

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
    let tree = disk.tree(|path| judged.is(path))?;
    let mut findings = agenttrader_policy::judge(&tree, only);
    // A judged folder that is no folder has no file under it that the policy could see.
    for (path, found) in disk.iter() {
        let is_top = path.as_str().filter(|name| JUDGED.iter().any(|pattern| *pattern == format!("{name}/**")));
        if let (Some(name), Found::Symlink | Found::Other | Found::Unreadable) = (is_top, found) {
            findings.push(fail(
                Rule::Parse,
                name,
                "it is no folder that can be read",
                "make it a folder of regular files",
            ));
        }
    }
    findings.sort();
    Ok(findings)
}
