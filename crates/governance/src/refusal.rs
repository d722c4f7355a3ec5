//! Files that no lock can hold, because what people see, what git shows and what runs would not be the same bytes.

use crate::attributes::Attributes;
use crate::git::error::GitError;
use crate::git::path::RepoPath;
use crate::git::repository::Repository;
use crate::git::tree::{Files, Mode};
use crate::scope::Scope;
use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};
use std::collections::BTreeMap;

/// First line of a file whose bytes lie elsewhere.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// One file that cannot be locked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// Which.
    pub path: RepoPath,
    /// Why.
    pub why: String,
}

/// All that cannot be locked among a commit's files, by path.
///
/// # Errors
/// [`GitError`].
pub fn refusals(repository: &Repository, files: &Files, scope: &Scope) -> Result<Vec<Refusal>, GitError> {
    let attributes = Attributes::of_files(repository, files)?;
    let mut found = twins(files, scope);
    for (path, leaf) in files.iter().filter(|(path, _)| scope.holds(path)) {
        let mut refuse = |why: String| found.push(Refusal { path: path.clone(), why });
        match leaf.mode {
            Mode::Gitlink => refuse("it is a repository of its own: its files are not in this one".to_owned()),
            Mode::Symlink => refuse("it is a symbolic link".to_owned()),
            Mode::File | Mode::Executable => {
                if repository.blob(leaf.id)?.starts_with(LFS_POINTER) {
                    refuse("it is a pointer to a file that is kept elsewhere (git LFS)".to_owned());
                }
                if let Some(attribute) = attributes.of(path) {
                    refuse(format!("the attribute {attribute} gives it other bytes on disk than in the commit"));
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Names that another machine, or another reader, takes for others.
fn twins(files: &Files, scope: &Scope) -> Vec<Refusal> {
    let mut found = Vec::new();
    let nfc = ComposingNormalizer::new_nfc();
    // Every folder and file, by what a disk that folds case makes of it.
    let mut folded: BTreeMap<String, RepoPath> = BTreeMap::new();
    for path in files.keys() {
        let Some(text) = path.as_str() else {
            if scope.holds(path) {
                found.push(Refusal { path: path.clone(), why: "its name is not UTF-8".to_owned() });
            }
            continue;
        };
        let holds = scope.holds(path);
        if holds && !nfc.is_normalized(text) {
            found.push(Refusal {
                path: path.clone(),
                why: "its name is not in Unicode's composed form (NFC)".to_owned(),
            });
        }
        let whole = fold(text, &nfc);
        if !holds && scope.holds(&RepoPath::from(whole.as_str())) {
            found.push(Refusal {
                path: path.clone(),
                why: format!("where case is folded it is {whole}, which is locked"),
            });
        }
        for (end, _) in text.match_indices('/').chain([(text.len(), "")]) {
            let prefix = RepoPath::from(text.get(..end).unwrap_or(text));
            let same = fold(prefix.as_str().unwrap_or_default(), &nfc);
            match folded.get(&same) {
                Some(first) if *first == prefix => {}
                Some(first) if holds || scope.holds(first) || scope.holds(&first.join(b"x")) => {
                    let why = format!("where case is folded it is the same as {first}");
                    found.push(Refusal { path: prefix, why });
                }
                Some(_) => {}
                None => {
                    folded.insert(same, prefix);
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// What a file system that folds case and composes letters compares.
pub(crate) fn fold(text: &str, nfc: &ComposingNormalizerBorrowed<'_>) -> String {
    // Up and down again: `ß` and `SS`, `ſ` and `s`, the Kelvin sign and `k` meet.
    let folded = text.to_uppercase().to_lowercase();
    nfc.normalize(&folded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::id::Id;
    use crate::git::tree::Leaf;

    fn twins_of(paths: &[&str]) -> Vec<(String, String)> {
        let leaf = Leaf { mode: Mode::File, id: Id::from_bytes([0; 20]) };
        let files = paths.iter().map(|path| (RepoPath::from(*path), leaf)).collect();
        let scope = Scope::parse(&["k8s/**", "docs/**"]).unwrap();
        twins(&files, &scope).into_iter().map(|refusal| (refusal.path.to_string(), refusal.why)).collect()
    }

    #[test]
    fn names_that_fold_to_one_are_refused_folders_too() {
        for (paths, refused) in [
            (vec!["k8s/a.yaml", "k8s/A.yaml"], "k8s/a.yaml"),
            (vec!["k8s/base/a.yaml", "k8s/Base/b.yaml"], "k8s/base"),
            (vec!["k8s/straße", "k8s/STRASSE"], "k8s/straße"),
            (vec!["k8s/\u{212a}", "k8s/k"], "k8s/\u{212a}"),
            (vec!["K8S/a.yaml"], "K8S/a.yaml"),
            (vec!["k8s/e\u{301}"], "k8s/e\u{301}"),
        ] {
            let found = twins_of(&paths);
            assert!(found.iter().any(|(path, _)| path == refused), "{paths:?}: {found:?}");
        }
    }

    #[test]
    fn names_that_differ_and_twins_that_nothing_locks_are_let_be() {
        assert_eq!(twins_of(&["k8s/a.yaml", "k8s/b.yaml", "docs/é", "Makefile", "makefile"]), []);
    }
}
