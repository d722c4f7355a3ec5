//! `cargo xtask tools`: other people's tools that tests are held against, in `target/tools`.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::arguments::{Argument, Arguments, Stop};
use crate::{shell, workspace};

const HELP: &str = "\
Fetch other people's tools that tests are held against, into target/tools.

Usage: cargo xtask tools [--force]

A Python environment, target/tools/python, with the packages of testing/outside/requirements.txt: Alpaca's own
client, QuantLib, exchange calendars, MessagePack, an OpenAPI validator. It needs Python 3.10 or later with venv, and
PyPI. Where the environment is there and the list has not changed, nothing is done.

With CI=true, and apt-get on the machine, a missing Python is installed first.

Options:
  --force   make the environment anew, even if the list has not changed

Examples:
  cargo xtask tools
  CI=true cargo xtask tools
";

/// The packages, in pip's format.
const REQUIREMENTS: &str = include_str!("../../testing/outside/requirements.txt");

/// Runs the chore.
pub fn run(given: Vec<String>) -> Result<(), Stop> {
    let mut arguments = Arguments::new("tools", given, HELP)?;
    let mut force = false;
    while let Some(argument) = arguments.next() {
        match argument {
            Argument::Flag(name) if name == "force" => force = true,
            other => return Err(arguments.unknown(other)),
        }
    }
    Ok(fetch(&workspace::root(), force)?)
}

/// Fetches what is missing or has changed.
///
/// # Errors
///
/// A sentence that says what is missing and how to get it.
pub fn fetch(root: &Path, force: bool) -> Result<(), String> {
    let environment = root.join("target/tools/python");
    let stamp = environment.join("requirements.installed");
    if !force && is_current(&environment, &stamp) {
        println!("tools: target/tools/python is up to date");
        return Ok(());
    }
    let began = Instant::now();
    // An environment that works is brought up to the list: without a network its old packages are still better than none.
    if force || !starts(&environment) {
        create(&environment)?;
    }
    install(root, &environment)?;
    std::fs::write(&stamp, REQUIREMENTS).map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
    println!("tools: target/tools/python is ready ({:.0} s)", began.elapsed().as_secs_f64());
    Ok(())
}

fn create(environment: &Path) -> Result<(), String> {
    let python = match find_python() {
        Some(python) => python,
        None if shell::in_ci() => {
            install_system_python()?;
            find_python().ok_or("apt-get installed Python, but no Python 3.10 or later with venv is found")?
        }
        None => return Err(NO_PYTHON.to_owned()),
    };
    println!("tools: creating target/tools/python with {}", python.display());
    if environment.exists() {
        let failed = |error| format!("cannot remove {}: {error}", environment.display());
        std::fs::remove_dir_all(environment).map_err(failed)?;
    }
    shell::output(Command::new(&python).args([OsStr::new("-m"), OsStr::new("venv"), environment.as_os_str()]))?;
    Ok(())
}

const NO_PYTHON: &str = "\
there is no Python 3.10 or later with venv (`python3 -c 'import venv, ensurepip'` fails); the tests against Python packages will be skipped.
  On Debian or Ubuntu: apt-get install python3 python3-venv, then cargo xtask tools again";

/// The stamp holds the list it was made from, so a changed list and a half-made environment are both seen.
fn is_current(environment: &Path, stamp: &Path) -> bool {
    let same_list = std::fs::read_to_string(stamp).is_ok_and(|installed| installed == REQUIREMENTS);
    same_list && starts(environment)
}

/// Asks for pip too: where making the environment was broken off, it is not there yet.
fn starts(environment: &Path) -> bool {
    shell::output(Command::new(interpreter(environment)).args(["-c", "import pip"])).is_ok()
}

fn interpreter(environment: &Path) -> PathBuf {
    environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}

/// The first Python that can make an environment: the one on the path, then the system's.
fn find_python() -> Option<PathBuf> {
    const ASK: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";
    let candidates = ["python3", "python", "/usr/bin/python3", "/usr/local/bin/python3"];
    candidates
        .into_iter()
        .map(PathBuf::from)
        .find(|python| shell::output(Command::new(python).args(["-c", ASK])).is_ok())
}

fn install_system_python() -> Result<(), String> {
    let is_root = shell::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    for arguments in [
        &["update", "--quiet"][..],
        &["install", "--yes", "--quiet", "--no-install-recommends", "python3", "python3-venv"],
    ] {
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
            return Err(format!("`{}` failed, and without Python its tests cannot run", shell::shown(&command)));
        }
    }
    Ok(())
}

/// All at once; if that fails, one by one, so that one package without a build for this machine does not take the rest with it.
fn install(root: &Path, environment: &Path) -> Result<(), String> {
    let list = root.join("testing/outside/requirements.txt");
    if pip(environment, &[OsStr::new("--requirement"), list.as_os_str()])? {
        return Ok(());
    }
    println!("tools: that failed; trying the packages one by one");
    let mut failed = Vec::new();
    for package in packages(REQUIREMENTS) {
        if !pip(environment, &[OsStr::new("--constraint"), list.as_os_str(), OsStr::new(package)])? {
            failed.push(package);
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "pip could not install {} (its reason stands above; PyPI must be reachable). `cargo xtask tools` tries again",
        failed.join(", ")
    ))
}

/// The lines of the list that name a package of ours, which is those that pin one.
fn packages(list: &str) -> impl Iterator<Item = &str> {
    list.lines().map(str::trim).filter(|line| !line.starts_with('#') && line.contains("=="))
}

/// Installs, showing what is collected and downloaded as it happens.
fn pip(environment: &Path, what: &[&OsStr]) -> Result<bool, String> {
    let mut command = Command::new(interpreter(environment));
    command
        .args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"])
        .args(what)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot start `{}`: {error}", shell::shown(&command)))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let line = line.trim_start();
            if ["Collecting", "Building", "Installing", "ERROR"].iter().any(|start| line.starts_with(start)) {
                // pip adds through which other package it came to this one.
                println!("  {}", line.split(" (from ").next().unwrap_or(line));
            }
        }
    }
    let status = child.wait().map_err(|error| format!("cannot wait for pip: {error}"))?;
    Ok(status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_of_ours_is_pinned_to_one_version() {
        let names: Vec<&str> = packages(REQUIREMENTS).filter_map(|line| line.split("==").next()).collect();
        assert_eq!(names, ["alpaca-py", "QuantLib", "exchange_calendars", "msgpack", "openapi-spec-validator"]);
    }

    #[test]
    fn an_environment_without_its_stamp_or_interpreter_is_not_current() {
        let dir = tempfile::tempdir().unwrap();
        let stamp = dir.path().join("requirements.installed");
        assert!(!is_current(dir.path(), &stamp));
        std::fs::write(&stamp, REQUIREMENTS).unwrap();
        assert!(!is_current(dir.path(), &stamp), "there is no interpreter");
    }
}
