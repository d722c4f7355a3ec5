//! Commands that tests run as any reader of our documents would.

use std::path::Path;

/// The command, and Debian's package that has it.
const COMMANDS: [(&str, &str); 5] = [
    ("strace", "strace"),
    ("ssh-keygen", "openssh-client"),
    ("tar", "tar"),
    ("zstd", "zstd"),
    ("sha256sum", "coreutils"),
];

/// Debian's packages of the commands that are not on the path.
pub fn lacking() -> Vec<&'static str> {
    missing(is_on_path).map(|(_, package)| package).collect()
}

/// Says which commands are not on the path.
///
/// # Errors
///
/// When one is missing, with how to get it.
pub fn check() -> Result<(), String> {
    let (names, packages): (Vec<_>, Vec<_>) = missing(is_on_path).unzip();
    if names.is_empty() {
        return Ok(());
    }
    Err(format!(
        "not on the path: {}; the tests that run them will be skipped.\n  On Debian or Ubuntu: apt-get install {}",
        names.join(", "),
        packages.join(" ")
    ))
}

fn missing(there: impl Fn(&str) -> bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    COMMANDS.into_iter().filter(move |(command, _)| !there(command))
}

/// Whether a command is on the path.
pub fn is_on_path(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| is_file(&dir.join(command)))
}

fn is_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        assert_eq!(missing(|command| command != "ssh-keygen").collect::<Vec<_>>(), [("ssh-keygen", "openssh-client")]);
        assert_eq!(missing(|_| true).count(), 0);
        assert_eq!(missing(|_| false).count(), COMMANDS.len());
    }

    #[test]
    fn a_command_is_looked_for_on_the_path() {
        assert!(is_on_path("cargo"));
        assert!(!is_on_path("no-such-command-anywhere"));
    }
}
