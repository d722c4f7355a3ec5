//! The quarantine of a push: where git keeps what is being pushed until its hooks have judged it.
//!
//! Git names it in three variables. They reach the git that is called here, and no other variable does; each has to name what git
//! itself would: a folder right inside the repository's own object store, and that store behind it.

use crate::git::error::GitError;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const PATH: &str = "GIT_QUARANTINE_PATH";
const OBJECTS: &str = "GIT_OBJECT_DIRECTORY";
const BEHIND: &str = "GIT_ALTERNATE_OBJECT_DIRECTORIES";

/// The folder that holds what is pushed, and the repository's own objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    folder: PathBuf,
    objects: PathBuf,
}

impl Quarantine {
    /// The one that a hook's environment names; none where it names none.
    ///
    /// # Errors
    /// [`GitError::Malformed`] for one that git would not give.
    pub fn named(environment: &BTreeMap<String, String>, objects: &Path) -> Result<Option<Self>, GitError> {
        let given = |name: &str| environment.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let (path, own, behind) = match (given(PATH), given(OBJECTS), given(BEHIND)) {
            (None, None, None) => return Ok(None),
            (Some(path), Some(own), Some(behind)) => (path, own, behind),
            _ => return Err(refused(format!("of {PATH}, {OBJECTS} and {BEHIND} some are set and some are not"))),
        };
        let objects = whole(objects)?;
        let folder = whole(Path::new(path))?;
        if folder.parent() != Some(objects.as_path()) {
            return Err(refused(format!("{PATH} is no folder right inside {}", objects.display())));
        }
        if whole(Path::new(own))? != folder {
            return Err(refused(format!("{OBJECTS} is another folder than {PATH}")));
        }
        if whole(Path::new(behind))? != objects {
            return Err(refused(format!("{BEHIND} is not the repository's own object store alone")));
        }
        // A list of folders is split at these.
        if objects.to_str().is_none_or(|text| text.contains([':', '"', '\n'])) {
            return Err(refused(format!(
                "the repository's path {} cannot be told to git in a list",
                objects.display()
            )));
        }
        Ok(Some(Self { folder, objects }))
    }

    /// The variables for git.
    pub(crate) fn variables(&self) -> [(&'static str, &Path); 3] {
        [(PATH, &self.folder), (OBJECTS, &self.folder), (BEHIND, &self.objects)]
    }
}

fn refused(why: String) -> GitError {
    GitError::malformed("the push's quarantine", why)
}

fn whole(path: &Path) -> Result<PathBuf, GitError> {
    let read = |source| GitError::Io { doing: "find", path: path.to_owned(), source };
    let whole = fs::canonicalize(path).map_err(read)?;
    if path.is_absolute() && whole.is_dir() {
        return Ok(whole);
    }
    Err(refused(format!("{} is no folder by its whole path", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_right_inside_the_repositorys_own_objects_is_a_quarantine() {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        let (objects, other) = (root.join("objects"), root.join("other"));
        for folder in [&objects, &other, &objects.join("incoming"), &objects.join("incoming/deep")] {
            fs::create_dir(folder).unwrap();
        }
        let named = |path: &str, own: &str, behind: &str| {
            let place =
                |name: &str| if name.is_empty() { String::new() } else { root.join(name).display().to_string() };
            let given = [(PATH, path), (OBJECTS, own), (BEHIND, behind)];
            let environment = given.map(|(name, value)| (name.to_owned(), place(value))).into_iter().collect();
            Quarantine::named(&environment, &objects)
        };
        let good = named("objects/incoming", "objects/incoming", "objects").unwrap().unwrap();
        assert_eq!(good.variables()[1], (OBJECTS, root.join("objects/incoming").as_path()));
        assert_eq!(named("", "", "").unwrap(), None);
        for (path, own, behind) in [
            ("other", "other", "objects"),
            ("objects", "objects", "objects"),
            ("objects/incoming/deep", "objects/incoming/deep", "objects"),
            ("objects/incoming", "other", "objects"),
            ("objects/incoming", "objects/incoming", "other"),
            ("objects/incoming", "", "objects"),
            ("", "objects/incoming", ""),
            ("objects/absent", "objects/absent", "objects"),
        ] {
            assert!(named(path, own, behind).is_err(), "{path} {own} {behind}");
        }
        let two = format!("{}:{}", objects.display(), other.display());
        let incoming = objects.join("incoming").display().to_string();
        let environment = [(PATH, &incoming), (OBJECTS, &incoming), (BEHIND, &two)];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.clone())).into_iter().collect();
        assert!(Quarantine::named(&environment, &objects).is_err());
    }
}
