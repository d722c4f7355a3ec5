//! `.gitattributes`: which files git would show on disk with other bytes than the commit holds.
//!
//! Read here from the commit's own files, not asked of git: what a repository's configuration adds or takes away does not count. A pattern
//! that this reader does not understand is taken to mean every file.

use crate::git::error::GitError;
use crate::git::path::RepoPath;
use crate::git::repository::Repository;
use crate::git::tree::{Files, Mode};
use crate::scope::part_matches;
use std::collections::BTreeSet;

/// Attributes that change bytes between commit and disk; `crlf` is the old name of `text` and `eol`.
const CHANGING: [&str; 5] = ["filter", "ident", "eol", "working-tree-encoding", "crlf"];

/// The lines of all `.gitattributes` that set one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    /// The folder of the file it stands in.
    folder: RepoPath,
    pattern: Option<Vec<u8>>,
    attribute: String,
}

impl Attributes {
    /// Those of a commit's files.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn of_files(repository: &Repository, files: &Files) -> Result<Self, GitError> {
        let mut all = Vec::new();
        for (path, leaf) in files {
            let (folder, name) = path.split_last();
            if name.eq_ignore_ascii_case(b".gitattributes") && matches!(leaf.mode, Mode::File | Mode::Executable) {
                all.push((folder, repository.blob(leaf.id)?));
            }
        }
        Ok(Self::parse(&all))
    }

    fn parse(all: &[(RepoPath, Vec<u8>)]) -> Self {
        let mut changing: BTreeSet<String> = CHANGING.iter().map(|name| (*name).to_owned()).collect();
        // A macro that sets one of them is one of them.
        for line in all.iter().flat_map(|(_, bytes)| lines(bytes)) {
            if let Some(rest) = line.strip_prefix("[attr]") {
                let mut words = rest.split_ascii_whitespace();
                let name = words.next().unwrap_or_default().to_owned();
                if words.any(|word| set(word, &changing).is_some()) {
                    changing.insert(name);
                }
            }
        }
        let mut found = Vec::new();
        for (folder, bytes) in all {
            for line in lines(bytes).iter().filter(|line| !line.starts_with("[attr]")) {
                let (pattern, rest) = pattern_and_rest(line);
                for attribute in rest.split_ascii_whitespace().filter_map(|word| set(word, &changing)) {
                    found.push(Line { folder: folder.clone(), pattern: pattern.clone(), attribute });
                }
            }
        }
        Self { lines: found }
    }

    /// The first attribute that changes a file's bytes. One that a later line takes back counts too.
    pub fn of(&self, path: &RepoPath) -> Option<&str> {
        self.lines.iter().find(|line| line.means(path)).map(|line| line.attribute.as_str())
    }
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// The pattern, or nothing where it is one that is not understood here.
fn pattern_and_rest(line: &str) -> (Option<Vec<u8>>, &str) {
    if let Some(quoted) = line.strip_prefix('"') {
        return (None, quoted.rsplit_once('"').map_or(quoted, |(_, rest)| rest));
    }
    let (pattern, rest) = line.split_once(|letter: char| letter.is_ascii_whitespace()).unwrap_or((line, ""));
    let understood =
        !pattern.contains(['?', '[', '\\', '!']) && pattern.split('/').all(|part| part == "**" || !part.contains("**"));
    (understood.then(|| pattern.as_bytes().to_vec()), rest)
}

/// The attribute, if the word sets one of these.
fn set(word: &str, changing: &BTreeSet<String>) -> Option<String> {
    // `-ident` and `!ident` take away: what they name is not set.
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    changing.contains(name).then(|| word.to_owned())
}

impl Line {
    fn means(&self, path: &RepoPath) -> bool {
        let Some(below) = below(path, &self.folder) else { return false };
        let Some(pattern) = &self.pattern else { return true };
        let anchored = pattern.strip_prefix(b"/").unwrap_or(pattern);
        if !anchored.contains(&b'/') && anchored.len() == pattern.len() {
            return below.last().is_some_and(|name| matches_folded(pattern, name));
        }
        let parts: Vec<&[u8]> = anchored.split(|byte| *byte == b'/').collect();
        parts_match(&parts, &below)
    }
}

/// The parts of a path below a folder.
fn below<'a>(path: &'a RepoPath, folder: &RepoPath) -> Option<Vec<&'a [u8]>> {
    let rest = match folder.as_bytes() {
        b"" => path.as_bytes(),
        folder => path.as_bytes().strip_prefix(folder)?.strip_prefix(b"/")?,
    };
    Some(rest.split(|byte| *byte == b'/').collect())
}

fn parts_match(patterns: &[&[u8]], parts: &[&[u8]]) -> bool {
    // Whether the patterns so far match the first n parts, for each n.
    let mut reach = vec![false; parts.len() + 1];
    if let Some(first) = reach.first_mut() {
        *first = true;
    }
    for pattern in patterns {
        let mut next = vec![false; reach.len()];
        let mut before = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let here = reach.get(at).copied().unwrap_or_default();
            *slot = if *pattern == b"**" {
                before |= here;
                before
            } else {
                let came = at.checked_sub(1).and_then(|at| Some((reach.get(at)?, parts.get(at)?)));
                came.is_some_and(|(reached, part)| *reached && matches_folded(pattern, part))
            };
        }
        reach = next;
    }
    reach.last().copied().unwrap_or_default()
}

/// Case is folded: where `core.ignorecase` is set, git folds it too.
fn matches_folded(pattern: &[u8], part: &[u8]) -> bool {
    part_matches(&pattern.to_ascii_lowercase(), &part.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)], path: &str) -> Option<String> {
        let files: Vec<_> =
            files.iter().map(|(folder, text)| (RepoPath::from(*folder), text.as_bytes().to_vec())).collect();
        Attributes::parse(&files).of(&path.into()).map(str::to_owned)
    }

    #[test]
    fn an_attribute_that_changes_bytes_is_found_where_its_pattern_means_the_file() {
        for (line, path, found) in [
            ("*.yaml eol=crlf", "k8s/a.yaml", Some("eol=crlf")),
            ("*.yaml eol=crlf", "k8s/a.json", None),
            ("k8s/* filter=lfs", "k8s/a.yaml", Some("filter=lfs")),
            ("k8s/* filter=lfs", "k8s/b/a.yaml", None),
            ("k8s/** ident", "k8s/b/a.yaml", Some("ident")),
            ("**/a.yaml text working-tree-encoding=UTF-16", "k8s/b/a.yaml", Some("working-tree-encoding=UTF-16")),
            ("/a.yaml ident", "k8s/a.yaml", None),
            ("/a.yaml ident", "a.yaml", Some("ident")),
            ("*.png filter=lfs diff=lfs -text", "k8s/a.yaml", None),
            ("*.yaml -filter !eol -ident", "k8s/a.yaml", None),
            ("* text=auto", "k8s/a.yaml", None),
            ("* crlf=input", "k8s/a.yaml", Some("crlf=input")),
            ("# * ident", "k8s/a.yaml", None),
            ("A.YAML ident", "k8s/a.yaml", Some("ident")),
            ("k8s/[ab].yaml ident", "k8s/z.json", Some("ident")),
            ("\"k8s/a b\" ident", "k8s/a b", Some("ident")),
            ("[attr]mine ident\n*.yaml mine", "k8s/a.yaml", Some("mine")),
        ] {
            assert_eq!(of(&[("", line)], path).as_deref(), found, "{line} {path}");
        }
    }

    #[test]
    fn a_file_of_attributes_speaks_of_its_own_folder() {
        assert_eq!(of(&[("k8s", "*.yaml ident")], "k8s/b/a.yaml").as_deref(), Some("ident"));
        assert_eq!(of(&[("k8s", "b/*.yaml ident")], "k8s/b/a.yaml").as_deref(), Some("ident"));
        assert_eq!(of(&[("k8s", "*.yaml ident")], "k8s2/a.yaml"), None);
    }
}
