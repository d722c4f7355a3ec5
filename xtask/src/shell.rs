//! Running other programs.

use std::path::Path;
use std::process::{Command, Stdio};

/// Whether this is continuous integration, where missing tools are installed and a skip is a failure.
pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// The cargo that runs us, at the root of the workspace, as if called from a shell.
///
/// `cargo run` tells the program it runs about that program's package. Build scripts (ring's, for one) ask to be run again
/// when those variables change, so a cargo that inherits them and a cargo from the shell would undo each other's work.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let told_by_cargo_run = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
                || ["CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name)
        });
        if told_by_cargo_run {
            command.env_remove(name);
        }
    }
    command
}

/// The command as one would type it, for messages.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program()).to_string_lossy();
    let arguments = command.get_args().map(|argument| format!(" {}", argument.to_string_lossy()));
    std::iter::once(program.into_owned()).chain(arguments).collect()
}

/// Runs it with its output shown; whether it succeeded.
pub fn succeeds(command: &mut Command) -> Result<bool, String> {
    let status = command.status().map_err(|error| format!("cannot start `{}`: {error}", shown(command)))?;
    Ok(status.success())
}

/// Runs it and gives what it printed, or what it complained of.
pub fn output(command: &mut Command) -> Result<String, String> {
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("cannot start `{}`: {error}", shown(command)))?;
    if output.status.success() {
        return String::from_utf8(output.stdout).map_err(|_| format!("`{}` printed what is not UTF-8", shown(command)));
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{}` failed ({}): {}", shown(command), output.status, complaint.trim()))
}
