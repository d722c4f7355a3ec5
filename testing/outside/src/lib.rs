//! Other people's tools for our tests: Alpaca's Python client, QuantLib, verifiers of logs, and what else `cargo xtask tools`
//! fetched.
//!
//! A test asks for what it needs and returns early when it is not there:
//!
//! ```no_run
//! let Some(python) = agenttrader_outside::python("QuantLib") else { return };
//! let output = std::process::Command::new(python).args(["-c", "import QuantLib; print(QuantLib.__version__)"]).output();
//! ```
//!
//! Nothing is skipped silently: each skip says on standard error, past the test harness's capture, which test, what is missing
//! and how to get it; `cargo xtask test` counts them. With `CI=true` a skip is a failure. This crate never fetches anything.

pub mod manifests;
pub mod tlog;
pub mod witness;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

/// How to get every tool this crate finds.
const FETCH: &str = "cargo xtask tools";

/// The file to which skips are appended, one line each; `cargo xtask test` sets it and counts them.
pub const SKIPS_VARIABLE: &str = "AGENTTRADER_SKIPS";

/// Where `cargo xtask tools` puts what it fetches: `target/tools` of this checkout, wherever cargo builds.
pub fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools")
}

/// The Python interpreter in which `package` (the name one imports: `alpaca`, `QuantLib`, `exchange_calendars`) can be imported.
///
/// Asked once a package and process. `None` means that the test is skipped, and that this was said.
///
/// # Panics
///
/// With `CI=true`, where a skip is a failure.
pub fn python(package: &str) -> Option<PathBuf> {
    static ANSWERS: LazyLock<Mutex<BTreeMap<String, Result<PathBuf, String>>>> = LazyLock::new(Mutex::default);
    let answer = ANSWERS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(package.to_owned())
        .or_insert_with(|| find_python(&tools(), package))
        .clone();
    answer.map_err(|missing| skip(&test_name(), &missing, FETCH)).ok()
}

/// The program over Go's own packages of logs and signed notes; [`tlog::GoVerifier`] knows what it can do.
///
/// `None` means that the test is skipped, and that this was said.
///
/// # Panics
///
/// With `CI=true`, where a skip is a failure.
pub fn go() -> Option<PathBuf> {
    let program = tools().join(format!("go/tlogcheck{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        skip(&test_name(), "no Go program tlogcheck in target/tools", FETCH);
        return None;
    }
    Some(program)
}

/// A command on the path that tests run as any reader of our documents would: `strace`, `zstd`, `tar`, `sha256sum`, `ssh-keygen`.
///
/// `strace` counts as missing where the machine does not let it trace. `None` means that the test is skipped, and that this
/// was said.
///
/// # Panics
///
/// With `CI=true`, where a skip is a failure.
pub fn command(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = find_command(name, std::env::split_paths(&path));
    let missing = match &found {
        None => format!("no {name} on the path"),
        Some(strace) if name == "strace" && !traces(strace) => "strace may not trace on this machine".to_owned(),
        Some(_) => return found,
    };
    let package = match name {
        "ssh-keygen" => "openssh-client",
        "sha256sum" => "coreutils",
        _ => name,
    };
    skip(&test_name(), &missing, &format!("on Debian or Ubuntu, apt-get install {package}"));
    None
}

/// Says that `test` is skipped because of `missing`, and what to do about it (`remedy`, a command or a sentence).
///
/// # Panics
///
/// With `CI=true`, where a skip is a failure.
#[expect(clippy::panic, reason = "a test support crate: in CI a skip has to fail the test")]
pub fn skip(test: &str, missing: &str, remedy: &str) {
    let line = skip_line(test, missing, remedy);
    if std::env::var("CI").is_ok_and(|value| value == "true") {
        panic!("{line}");
    }
    // Written straight to the stream: what goes through the print macros is shown only for tests that fail.
    let told = writeln!(std::io::stderr().lock(), "{line}");
    let counted = std::env::var_os(SKIPS_VARIABLE).map(|path| append(Path::new(&path), &line));
    if let Err(error) = told.and(counted.unwrap_or(Ok(()))) {
        panic!("{line}, and it could not be counted: {error}");
    }
}

/// A tool that breaks where it should answer fails the test.
#[expect(clippy::panic, reason = "a test support crate: what breaks fails the test")]
fn broken(what: &str) -> ! {
    panic!("{what}")
}

/// The running test as the harness names it, with the name of its test binary: `prices::quantlib::greeks_agree`.
pub fn test_name() -> String {
    let binary = std::env::current_exe().ok().and_then(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    let binary = binary.as_deref().map_or("test", without_hash);
    match std::thread::current().name() {
        Some(name) if name != "main" => format!("{binary}::{name}"),
        _ => binary.to_owned(),
    }
}

fn skip_line(test: &str, missing: &str, remedy: &str) -> String {
    format!("SKIPPED {test}: {missing} (get it: {remedy})").replace('\n', " ")
}

/// One write a line, so that lines of tests that run at the same time do not mix.
fn append(path: &Path, line: &str) -> std::io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(format!("{line}\n").as_bytes())
}

fn find_python(tools: &Path, package: &str) -> Result<PathBuf, String> {
    let interpreter = if cfg!(windows) { "python/Scripts/python.exe" } else { "python/bin/python" };
    let interpreter = tools.join(interpreter);
    if !interpreter.exists() {
        return Err("no Python in target/tools".to_owned());
    }
    let import = Command::new(&interpreter)
        .args(["-c", &format!("import {package}")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match import {
        Ok(status) if status.success() => Ok(interpreter),
        Ok(_) => Err(format!("Python in target/tools cannot import {package}")),
        Err(error) => Err(format!("Python in target/tools does not start ({error})")),
    }
}

fn find_command(name: &str, mut path: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    path.find_map(|dir| Some(dir.join(name)).filter(|file| file.is_file()))
}

/// Whether it may trace a program that does nothing.
fn traces(strace: &Path) -> bool {
    let traced = Command::new(strace)
        .args(["-o", "/dev/null", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    traced.is_ok_and(|status| status.success())
}

/// Cargo ends a test binary's name with a hash: `prices-0123456789abcdef`.
fn without_hash(stem: &str) -> &str {
    match stem.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => name,
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_names_the_test_the_lack_and_the_remedy_in_one_line() {
        let line = skip_line("prices::greeks_agree", "no Python\nin target/tools", "cargo xtask tools");
        assert_eq!(line, "SKIPPED prices::greeks_agree: no Python in target/tools (get it: cargo xtask tools)");
    }

    #[test]
    fn skips_are_appended_one_line_each() {
        let file = std::env::temp_dir().join(format!("agenttrader-skips-{}", std::process::id()));
        append(&file, "SKIPPED a: b (get it: c)").unwrap();
        append(&file, "SKIPPED d: e (get it: f)").unwrap();
        let written = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(written, "SKIPPED a: b (get it: c)\nSKIPPED d: e (get it: f)\n");
    }

    #[test]
    fn a_missing_interpreter_is_said() {
        let found = find_python(Path::new("/nonexistent/tools"), "QuantLib");
        assert_eq!(found, Err("no Python in target/tools".to_owned()));
    }

    #[test]
    fn a_package_that_cannot_be_imported_is_said() {
        if !tools().join("python/bin/python").exists() {
            return skip(&test_name(), "no Python in target/tools", FETCH);
        }
        let found = find_python(&tools(), "no_such_package_anywhere");
        assert_eq!(found, Err("Python in target/tools cannot import no_such_package_anywhere".to_owned()));
    }

    #[test]
    fn a_command_is_found_in_the_first_directory_that_has_it_as_a_file() {
        let (empty, one, two) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir(empty.path().join("zstd")).unwrap();
        std::fs::write(one.path().join("zstd"), "").unwrap();
        std::fs::write(two.path().join("zstd"), "").unwrap();
        let path = || [&empty, &one, &two].map(|dir| dir.path().to_owned()).into_iter();
        assert_eq!(find_command("zstd", path()), Some(one.path().join("zstd")));
        assert_eq!(find_command("tar", path()), None);
    }

    #[test]
    fn the_test_is_named_as_the_harness_names_it() {
        let name = test_name();
        assert!(name.starts_with("agenttrader_outside"), "{name}");
        // With one test thread the harness runs tests on the main thread, which has no test's name.
        assert!(name.ends_with("::the_test_is_named_as_the_harness_names_it") || !name.contains("::"), "{name}");
    }

    #[test]
    fn only_a_hash_is_cut_from_a_binary_name() {
        assert_eq!(without_hash("prices-0123456789abcdef"), "prices");
        assert_eq!(without_hash("mission-control"), "mission-control");
    }
}
