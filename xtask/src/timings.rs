//! `cargo xtask timings`: which crates make the build slow.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::Value;

use crate::arguments::{Argument, Arguments, Stop};
use crate::{shell, workspace};

const HELP: &str = "\
Build the release from nothing, in target/timings, and print the ten crates that cost most.

Usage: cargo xtask timings [OPTIONS]

By default one job at a time: then the seconds a crate takes are the CPU seconds it costs, its build script and its C
code with it, whatever the number of cores. It takes as long as all of them together; `--jobs` builds as usual, and the
seconds include waiting for the others. cargo's own report with every crate is target/timings/cargo-timings/cargo-timing.html.

Options:
  -p, --package NAME   build this package (default: agenttrader, what `cargo run --release` builds)
      --jobs N         jobs at a time (default: 1)
      --crates N       how many crates to print (default: 10)

Examples:
  cargo xtask timings
  cargo xtask timings --jobs 2
";

/// Runs the chore.
pub fn run(given: Vec<String>) -> Result<(), Stop> {
    let mut arguments = Arguments::new("timings", given, HELP)?;
    let (mut package, mut jobs, mut crates) = ("agenttrader".to_owned(), 1_usize, 10_usize);
    while let Some(argument) = arguments.next() {
        match argument {
            Argument::Flag(name) if name == "package" => package = arguments.value(&name)?,
            Argument::Flag(name) if name == "jobs" => jobs = number(&name, &arguments.value(&name)?)?,
            Argument::Flag(name) if name == "crates" => crates = number(&name, &arguments.value(&name)?)?,
            other => return Err(arguments.unknown(other)),
        }
    }
    let root = workspace::root();
    let target = root.join("target/timings");
    if target.exists() {
        std::fs::remove_dir_all(&target).map_err(|error| format!("cannot remove {}: {error}", target.display()))?;
    }
    let began = Instant::now();
    let mut command = shell::cargo(&root);
    command.args([
        "build",
        "--release",
        "--timings",
        "--package",
        &package,
        "--jobs",
        &jobs.to_string(),
        "--target-dir",
    ]);
    if !shell::succeeds(command.arg(&target))? {
        return Err(Stop::Failed("the build failed; its reason stands above".to_owned()));
    }
    let elapsed = began.elapsed().as_secs_f64();
    let report = target.join("cargo-timings/cargo-timing.html");
    let html =
        std::fs::read_to_string(&report).map_err(|error| format!("cannot read {}: {error}", report.display()))?;
    let costs = costs(&html)?;
    let total: f64 = costs.iter().map(|(_, seconds)| seconds).sum();
    println!("{:>9}  {:>5}  crate", if jobs == 1 { "CPU s" } else { "seconds" }, "share");
    for (name, seconds) in costs.iter().take(crates) {
        println!("{seconds:>9.1}  {:>4.0}%  {name}", 100.0 * seconds / total.max(f64::MIN_POSITIVE));
    }
    println!("{total:>9.1}   100%  all {} crates, in {elapsed:.0} s with {jobs} job(s)", costs.len());
    Ok(())
}

fn number(flag: &str, text: &str) -> Result<usize, Stop> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(Stop::Usage(format!("--{flag} takes a number from 1, not `{text}`"))),
    }
}

/// The seconds of each crate, dearest first, its library, build script and that script's run together.
fn costs(html: &str) -> Result<Vec<(String, f64)>, String> {
    const START: &str = "const UNIT_DATA = ";
    let (_, data) = html.split_once(START).ok_or("cargo's timing report has changed: it holds no UNIT_DATA")?;
    // The array ends where JSON says, not at the next `];`, which a name could hold.
    let units: Vec<Value> = serde_json::Deserializer::from_str(data)
        .into_iter()
        .next()
        .and_then(Result::ok)
        .ok_or("cargo's timing report has changed: UNIT_DATA is no JSON array")?;
    let mut seconds: BTreeMap<String, f64> = BTreeMap::new();
    for unit in &units {
        let text = |key: &str| unit.get(key).and_then(Value::as_str).unwrap_or("?");
        let duration = unit
            .get("duration")
            .and_then(Value::as_f64)
            .ok_or("cargo's timing report has changed: a unit has no duration")?;
        *seconds.entry(format!("{} {}", text("name"), text("version"))).or_default() += duration;
    }
    let mut costs: Vec<(String, f64)> = seconds.into_iter().collect();
    costs.sort_by(|left, right| right.1.total_cmp(&left.1));
    Ok(costs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crates_units_are_added_and_the_dearest_comes_first() {
        let html = r#"<script>const UNIT_DATA = [
            {"i":0,"name":"serde","version":"1.0.1","mode":"todo","target":"","duration":1.5},
            {"i":1,"name":"ring","version":"0.17.1","mode":"run-custom-build","target":" build script (run)","duration":4.0},
            {"i":2,"name":"ring","version":"0.17.1","mode":"todo","target":"","duration":2.25}
        ];
        const CONCURRENCY_DATA = [];</script>"#;
        let expected = [("ring 0.17.1".to_owned(), 6.25), ("serde 1.0.1".to_owned(), 1.5)];
        assert_eq!(costs(html), Ok(expected.to_vec()));
    }

    #[test]
    fn a_report_without_the_data_is_said() {
        assert!(costs("<html></html>").is_err());
        assert!(costs("const UNIT_DATA = oops").is_err());
    }
}
