//! `cargo xtask bench`: every benchmark of the workspace, one after another.

use crate::arguments::{Argument, Arguments, Stop};
use crate::{shell, workspace};

const HELP: &str = "\
Run every benchmark of the workspace, one after another, in the release profile.

Usage: cargo xtask bench [FILTER]

Each benchmark prints its own table: a figure's name, the figure, the bare limit measured in the same run on the same
machine (the same bytes copied, the same file written, the same arithmetic alone), and the ratio. Figures are worth
something only on a machine that does nothing else.

Options:
  FILTER   only benchmarks whose `package/name` contains this

Examples:
  cargo xtask bench
  cargo xtask bench options
";

/// Runs the chore.
pub fn run(given: Vec<String>) -> Result<(), Stop> {
    let mut arguments = Arguments::new("bench", given, HELP)?;
    let mut filter = String::new();
    while let Some(argument) = arguments.next() {
        match argument {
            Argument::Word(word) if filter.is_empty() => filter = word,
            other => return Err(arguments.unknown(other)),
        }
    }
    let root = workspace::root();
    let mut benches = Vec::new();
    for package in workspace::packages(&root)? {
        for target in package.targets.iter().filter(|target| target.kind == "bench") {
            if format!("{}/{}", package.name, target.name).contains(&filter) {
                benches.push((package.name.clone(), target.name.clone()));
            }
        }
    }
    if benches.is_empty() {
        let which = if filter.is_empty() { String::new() } else { format!(" whose name contains `{filter}`") };
        return Err(Stop::Failed(format!("the workspace has no benchmark{which}")));
    }
    let mut failed = Vec::new();
    for (package, bench) in &benches {
        println!("── {package}/{bench}");
        let mut command = shell::cargo(&root);
        command.args(["bench", "--quiet", "--package", package, "--bench", bench]);
        if !shell::succeeds(&mut command)? {
            failed.push(format!("{package}/{bench}"));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Stop::Failed(format!("failed: {}", failed.join(", ")))) }
}
