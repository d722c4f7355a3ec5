//! The developer's chores, each a program with `--help`: `cargo xtask test|tools|tidy|timings|bench`.
//!
//! It depends on nothing heavier than `serde_json`, so that the first chore starts within seconds of a fresh clone.

mod arguments;
mod bench;
mod shell;
mod test;
mod tidy;
mod timings;
mod tools;
mod workspace;

use std::process::ExitCode;

use crate::arguments::Stop;

const HELP: &str = "\
The chores of AgentTrader.

Usage: cargo xtask <CHORE> [OPTIONS]

Chores:
  test      every test this machine can run, and the checks before it
  tools     fetch other people's tools (Python packages, Go's log packages) that tests are held against
  tidy      the rules of the tree that no compiler checks
  timings   the ten crates that cost most to build
  bench     every benchmark, each figure beside its bare limit

Each chore has --help.

Examples:
  cargo xtask test
  cargo xtask test --package agenttrader-core calendar
  CI=true cargo xtask test      # as continuous integration: installs what is missing, a skip is a failure
";

/// 0: all well. 1: the chore found something wrong. 2: it was called wrongly.
fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let chore = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let outcome = match chore.as_deref() {
        Some("test") => test::run(rest),
        Some("tools") => tools::run(rest),
        Some("tidy") => tidy::run(rest),
        Some("timings") => timings::run(rest),
        Some("bench") => bench::run(rest),
        Some("help" | "--help" | "-h") => Err(Stop::Help(HELP)),
        Some(other) => Err(Stop::Usage(format!("there is no chore `{other}`; `cargo xtask --help` lists them"))),
        None => Err(Stop::Usage(HELP.to_owned())),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Help(text)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(Stop::Usage(text)) => {
            eprintln!("{}", text.trim_end());
            ExitCode::from(2)
        }
        Err(Stop::Failed(text)) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
        Err(Stop::Told) => ExitCode::FAILURE,
    }
}
