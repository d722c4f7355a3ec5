//! `cargo xtask test`: every test this machine can run, and the checks before it, summed in one line.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::arguments::{Argument, Arguments, Stop};
use crate::{shell, tidy, tools, workspace};

const HELP: &str = "\
Run every test this machine can run, and the checks before it.

Usage: cargo xtask test [OPTIONS] [FILTER] [-- TEST-HARNESS-OPTIONS]

In this order: fetch the outside tools (cargo xtask tools), formatting, clippy (with --lint or CI=true), tidy, all
tests of the workspace, and the production lock's rules over this tree (agenttrader lock validate --static). It goes on
after a failure, so that one run shows everything. The last line sums it up, each check counted as one: `412 passed,
0 failed, 3 skipped`. A test that lacks an outside tool, and a test marked #[ignore], is skipped, named at the end with
how to get what it lacks.

Exit: 0 if nothing failed, else 1. With CI=true what is missing on the machine is installed first, and a skip is a failure.

Options:
  -p, --package NAME   only the tests of this package (may be repeated)
      --lint           run clippy too; a warning is a failure
  FILTER               only tests whose name contains this

Examples:
  cargo xtask test
  cargo xtask test --package agenttrader-core calendar
  cargo xtask test --lint
  cargo xtask test halt -- --nocapture
  CI=true cargo xtask test
";

/// What of the tests is to run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    packages: Vec<String>,
    filter: Option<String>,
    harness: Vec<String>,
    lint: bool,
}

/// What a run of tests came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Results {
    counts: Counts,
    /// The tests that failed, as the harness names them.
    failed: Vec<String>,
}

/// Counts as the last line gives them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Runs the chore.
pub fn run(given: Vec<String>) -> Result<(), Stop> {
    let wanted = wanted(Arguments::new("test", given, HELP)?)?;
    let root = workspace::root();
    let ci = shell::in_ci();
    let mut counts = Counts::default();
    let mut lines = Vec::new();

    say("outside tools");
    if let Err(reason) = tools::fetch(&root, false) {
        println!("tools: {reason}");
        // Elsewhere the tests that lack something say so, one by one.
        if ci {
            counts.failed += 1;
            lines.push("FAILED outside tools (cargo xtask tools)".to_owned());
        }
    }

    for (name, component, arguments) in CHECKS {
        if component == "clippy" && !ci && !wanted.lint {
            continue;
        }
        say(name);
        if shell::output(shell::cargo(&root).args([component, "--version"])).is_ok() {
            let mut command = shell::cargo(&root);
            let passed = shell::succeeds(command.args(arguments));
            lines.extend(counts.check(passed, name, &shell::shown(&command)));
        } else {
            let package = if component == "fmt" { "rustfmt" } else { component };
            counts.skipped += 1;
            lines.push(format!("SKIPPED {name}: no {package} (get it: rustup component add {package})"));
        }
    }

    say("tidy");
    let tidy = tidy::check(&root).map(|findings| {
        findings.iter().for_each(|finding| println!("{finding}"));
        findings.is_empty()
    });
    lines.extend(counts.check(tidy, "tidy", "cargo xtask tidy"));

    say("tests");
    let skips = Skips::begin(&root)?;
    let tests = run_tests(&root, &wanted, &skips)?;
    let skipped = skips.end();
    counts.add(tests.counts, skipped.len());
    lines.extend(tests.failed);
    lines.extend(skipped);
    if wanted.packages.is_empty() && wanted.filter.is_none() {
        say("production lock");
        let mut command = Command::new(binary(&root));
        let passed = shell::succeeds(command.args(["lock", "validate", "--static"]).current_dir(&root));
        lines.extend(counts.check(passed, "production lock", "agenttrader lock validate --static"));
    }
    if tests.counts.skipped > 0 {
        let remedy = "run them: cargo test --workspace -- --ignored";
        lines.push(format!("SKIPPED {} tests marked #[ignore] ({remedy})", tests.counts.skipped));
    }

    say("result");
    lines.iter().for_each(|line| println!("{line}"));
    let skip_is_failure = ci && counts.skipped > 0;
    if skip_is_failure {
        println!("With CI=true a skip is a failure.");
    }
    println!("{counts}");
    if skip_is_failure || counts.failed > 0 { Err(Stop::Told) } else { Ok(()) }
}

/// The binary that the tests have just built.
fn binary(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join("debug/agenttrader")
}

/// Name, the component of Rust it needs, and cargo's arguments.
///
/// Clippy runs twice: over what ships, under every ban; then over tests, benches and examples too, which may read clocks,
/// unwrap and hash.
const CHECKS: [(&str, &str, &[&str]); 3] = [
    ("formatting", "fmt", &["fmt", "--all", "--check"]),
    ("clippy", "clippy", &["clippy", "--quiet", "--workspace", "--", "-D", "warnings"]),
    (
        "clippy of the tests",
        "clippy",
        &[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
            "-A",
            "clippy::disallowed_methods",
            "-A",
            "clippy::disallowed_types",
            "-A",
            "clippy::unwrap_used",
            "-A",
            "clippy::expect_used",
            "-A",
            "clippy::panic",
        ],
    ),
];

fn say(step: &str) {
    println!("── {step}");
}

fn wanted(mut arguments: Arguments) -> Result<Wanted, Stop> {
    let mut wanted = Wanted::default();
    while let Some(argument) = arguments.next() {
        match argument {
            Argument::Flag(name) if name == "package" => wanted.packages.push(arguments.value(&name)?),
            Argument::Flag(name) if name == "lint" => wanted.lint = true,
            Argument::Word(word) if wanted.filter.is_none() => wanted.filter = Some(word),
            Argument::Rest(rest) => wanted.harness = rest,
            other => return Err(arguments.unknown(other)),
        }
    }
    Ok(wanted)
}

fn run_tests(root: &Path, wanted: &Wanted, skips: &Skips) -> Result<Results, String> {
    let mut command = shell::cargo(root);
    command.arg("test").arg("--no-fail-fast");
    if wanted.packages.is_empty() {
        command.arg("--workspace");
    }
    for package in &wanted.packages {
        command.args(["--package", package]);
    }
    command.args(&wanted.filter).arg("--").args(&wanted.harness);
    command.env(SKIPS_VARIABLE, &skips.file);
    stream(&mut command)
}

/// Passes on what cargo prints, adding up the test results in it.
fn stream(command: &mut Command) -> Result<Results, String> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start `{}`: {error}", shell::shown(command)))?;
    let mut results = Results::default();
    if let Some(stdout) = child.stdout.take() {
        // Bytes, not text: a test may print anything.
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            if let Some(result) = result_line(&line) {
                results.counts.add(result, 0);
            }
            if let Some(test) = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED")) {
                results.failed.push(format!("FAILED {test}"));
            }
        }
    }
    let status = child.wait().map_err(|error| format!("cannot wait for cargo: {error}"))?;
    // It did not compile, or a test binary died before it could count.
    if !status.success() && results.counts.failed == 0 {
        results.counts.failed = 1;
        results
            .failed
            .push(format!("FAILED `{}`, before its tests could be counted ({status})", shell::shown(command)));
    }
    Ok(results)
}

/// Reads `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`.
fn result_line(line: &str) -> Option<Counts> {
    let (_, numbers) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
    let count = |what: &str| {
        let part = numbers.split(';').map(str::trim).find_map(|part| part.strip_suffix(what))?;
        part.trim().parse().ok()
    };
    Some(Counts { passed: count("passed")?, failed: count("failed")?, skipped: count("ignored")? })
}

impl Counts {
    /// Counts a check as one, and says what to run again if it failed or could not be made.
    fn check(&mut self, passed: Result<bool, String>, name: &str, again: &str) -> Option<String> {
        if passed == Ok(true) {
            self.passed += 1;
            return None;
        }
        self.failed += 1;
        let reason = passed.err().map_or_else(String::new, |reason| format!(": {reason}"));
        Some(format!("FAILED {name} ({again}){reason}"))
    }

    /// Adds a run of tests, of which the harness took `skipped_inside` for passed although they skipped themselves.
    fn add(&mut self, tests: Self, skipped_inside: usize) {
        self.passed += tests.passed.saturating_sub(skipped_inside);
        self.failed += tests.failed;
        self.skipped += tests.skipped + skipped_inside;
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// The variable `agenttrader-outside` looks at.
const SKIPS_VARIABLE: &str = "AGENTTRADER_SKIPS";

/// The file in which tests say that they skipped themselves.
struct Skips {
    file: std::path::PathBuf,
}

impl Skips {
    /// One file a run: two runs at once do not count each other's skips.
    fn begin(root: &Path) -> Result<Self, String> {
        let dir = root.join("target/skips");
        std::fs::create_dir_all(&dir).map_err(|error| format!("cannot make {}: {error}", dir.display()))?;
        let file = dir.join(std::process::id().to_string());
        std::fs::write(&file, "").map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        Ok(Self { file })
    }

    /// One line a test that skipped, in order; a test that lacked two things is one test.
    fn end(self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        // Left behind, it would only lie in target.
        let _ = std::fs::remove_file(&self.file);
        one_a_test(&text)
    }
}

fn one_a_test(skips: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in skips.lines() {
        let test = line.split(": ").next().unwrap_or(line);
        if !lines.iter().any(|earlier| earlier.split(": ").next() == Some(test)) {
            lines.push(line.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted_of(given: &[&str]) -> Result<Wanted, Stop> {
        wanted(Arguments::new("test", given.iter().map(|text| (*text).to_owned()).collect(), HELP).unwrap())
    }

    #[test]
    fn a_result_line_is_counted_and_nothing_else_is() {
        let ok = "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s";
        assert_eq!(result_line(ok), Some(Counts { passed: 5, failed: 0, skipped: 1 }));
        let bad = "test result: FAILED. 15 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s";
        assert_eq!(result_line(bad), Some(Counts { passed: 15, failed: 2, skipped: 0 }));
        assert_eq!(result_line("test tests::a ... ok"), None);
        assert_eq!(result_line("test result: nonsense"), None);
    }

    #[test]
    fn a_test_that_skipped_itself_is_skipped_and_not_passed() {
        let mut counts = Counts { passed: 2, failed: 0, skipped: 0 };
        counts.add(Counts { passed: 10, failed: 1, skipped: 1 }, 3);
        assert_eq!(counts.to_string(), "9 passed, 1 failed, 4 skipped");
    }

    #[test]
    fn a_test_that_lacks_two_things_is_one_skip() {
        let skips = "SKIPPED a::b: no alpaca (get it: x)\nSKIPPED a::b: no QuantLib (get it: x)\nSKIPPED a::c: no Node (get it: y)\n";
        assert_eq!(one_a_test(skips), ["SKIPPED a::b: no alpaca (get it: x)", "SKIPPED a::c: no Node (get it: y)"]);
    }

    #[test]
    fn a_build_that_fails_is_a_failure_although_no_test_was_counted() {
        let results = stream(Command::new("false").stdin(Stdio::null())).unwrap();
        assert_eq!(results.counts, Counts { passed: 0, failed: 1, skipped: 0 });
        assert_eq!(results.failed.len(), 1);
    }

    #[test]
    fn results_are_added_up_while_they_stream_and_failed_tests_are_named() {
        let result = "test result: ok. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out";
        let printed = format!("test a::b ... ok\ntest a::c ... FAILED\n{result}\nother\n{result}\n");
        let results = stream(Command::new("printf").arg(printed)).unwrap();
        assert_eq!(results.counts, Counts { passed: 4, failed: 2, skipped: 0 });
        assert_eq!(results.failed, ["FAILED a::c"]);
    }

    #[test]
    fn a_check_that_failed_or_could_not_be_made_is_named_with_what_to_run_again() {
        let mut counts = Counts::default();
        assert_eq!(counts.check(Ok(true), "tidy", "cargo xtask tidy"), None);
        assert_eq!(counts.check(Ok(false), "tidy", "cargo xtask tidy").unwrap(), "FAILED tidy (cargo xtask tidy)");
        let could_not = counts.check(Err("no cargo".to_owned()), "tidy", "cargo xtask tidy");
        assert_eq!(could_not.unwrap(), "FAILED tidy (cargo xtask tidy): no cargo");
        assert_eq!(counts, Counts { passed: 1, failed: 2, skipped: 0 });
    }

    #[test]
    fn packages_a_filter_and_harness_options_are_passed_on() {
        let wanted = wanted_of(&["-p", "agenttrader-core", "calendar", "--lint", "--", "--nocapture"]).unwrap();
        assert_eq!(wanted.packages, ["agenttrader-core"]);
        assert_eq!(wanted.filter.as_deref(), Some("calendar"));
        assert_eq!(wanted.harness, ["--nocapture"]);
        assert!(wanted.lint);
        assert!(wanted_of(&["one", "two"]).is_err());
    }
}
