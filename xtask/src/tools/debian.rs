//! What the machine itself lacks, from Debian's packages.

use std::process::{Command, Stdio};

use crate::shell;

/// Installs the packages, in one go; none is nothing to do.
///
/// # Errors
///
/// When there is no `apt-get`, or it fails: its own words stand above then.
pub fn install(packages: &[&str]) -> Result<(), String> {
    if packages.is_empty() {
        return Ok(());
    }
    let is_root = shell::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let install = [&["install", "--yes", "--quiet", "--no-install-recommends"], packages].concat();
    for arguments in [&["update", "--quiet"][..], &install] {
        let mut command = if is_root { Command::new("apt-get") } else { Command::new("sudo") };
        if !is_root {
            command.args(["--non-interactive", "apt-get"]);
        }
        command
            .args(["-o", "Acquire::Retries=3"])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null());
        println!("tools: {}", shell::shown(&command));
        if !shell::succeeds(&mut command)? {
            return Err(format!("`{}` failed", shell::shown(&command)));
        }
    }
    Ok(())
}
