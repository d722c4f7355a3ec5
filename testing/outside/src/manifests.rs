//! Validators of manifests that we did not write: kubectl's kustomize, Kubernetes' own JSON schemas, Google's description of
//! Cloud Run.

use std::path::PathBuf;
use std::process::Command;

use crate::{FETCH, broken, find_command, python, skip, test_name, tools};

/// kubectl: the machine's, or the one that `cargo xtask tools` unpacked.
///
/// `None` means that the test is skipped, and that this was said.
///
/// # Panics
///
/// With `CI=true`, where a skip is a failure.
pub fn kubectl() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let unpacked = tools().join("kubectl/kubectl");
    let found =
        find_command("kubectl", std::env::split_paths(&path)).or_else(|| unpacked.is_file().then_some(unpacked));
    if found.is_none() {
        skip(&test_name(), "no kubectl on the path or in target/tools", FETCH);
    }
    found
}

/// Validates every manifest under some folders: a line for each object, and whether all are well.
///
/// `None` means that the test is skipped, and that this was said.
///
/// # Panics
///
/// When the validator itself breaks; with `CI=true`, where a skip is a failure.
pub fn validate(folders: &[PathBuf]) -> Option<(bool, Vec<String>)> {
    let python = python("kubernetes_validate")?;
    let mut command = Command::new(python);
    command.args(["-c", include_str!("../python/manifests.py")]).args(folders);
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => broken(&format!("cannot start the validator of manifests: {error}")),
    };
    let lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    match output.status.code() {
        Some(0) => Some((true, lines)),
        Some(1) if !lines.is_empty() => Some((false, lines)),
        _ => broken(&format!("the validator of manifests broke: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
