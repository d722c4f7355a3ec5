//! The programs of others that are run, by their whole paths.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Folders that are looked into first, whatever the search path says.
const FOLDERS: [&str; 4] = ["/usr/bin", "/bin", "/usr/local/bin", "/opt/homebrew/bin"];

/// Stock git and ssh-keygen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// git.
    pub git: PathBuf,
    /// ssh-keygen, which signs; what is signed is verified without it.
    pub ssh_keygen: PathBuf,
}

/// A program is not on this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {name} on this machine: on Debian or Ubuntu, apt-get install {package}")]
pub struct ProgramMissing {
    /// The program.
    pub name: &'static str,
    /// The Debian package that holds it.
    pub package: &'static str,
}

impl Programs {
    /// Looks in a fixed list of folders, then along a search path (`PATH`), whose relative parts are left out.
    ///
    /// # Errors
    /// [`ProgramMissing`].
    pub fn find(search_path: Option<&OsStr>) -> Result<Self, ProgramMissing> {
        let find = |name, package| find(name, search_path).ok_or(ProgramMissing { name, package });
        Ok(Self { git: find("git", "git")?, ssh_keygen: find("ssh-keygen", "openssh-client")? })
    }
}

pub(crate) fn find(name: &str, search_path: Option<&OsStr>) -> Option<PathBuf> {
    let fixed = FOLDERS.iter().map(PathBuf::from);
    let searched = search_path.into_iter().flat_map(std::env::split_paths).filter(|folder| folder.is_absolute());
    fixed.chain(searched).map(|folder| folder.join(name)).find(|program| is_program(program))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|is| is.is_file() && is.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_nowhere_is_named_with_its_package() {
        assert_eq!(find("no-such-program-here", Some(OsStr::new("relative:/nowhere"))), None);
        let missing = ProgramMissing { name: "ssh-keygen", package: "openssh-client" };
        assert!(missing.to_string().ends_with("apt-get install openssh-client"));
    }

    #[test]
    fn a_folder_of_the_search_path_is_used_only_if_it_is_absolute_and_the_file_can_be_run() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("odd-name-of-a-program");
        std::fs::write(&program, "").unwrap();
        let find = || find("odd-name-of-a-program", Some(dir.path().as_os_str()));
        assert_eq!(find(), None);
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find(), Some(program.clone()));
    }
}
