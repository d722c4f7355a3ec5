//! `cargo xtask tidy`: the rules of the tree that no compiler checks, each in a file of its own.
//!
//! It is also a test of this package, so `cargo test --workspace` holds the tree to it.

mod circles;
mod clocks;
mod manifests;
mod mask;
mod modules;
mod order;
mod size;
mod tree;
mod words;

use std::fmt;
use std::path::Path;

use crate::arguments::{Arguments, Stop};
use crate::workspace::{self, Package};
use tree::Tree;

const HELP: &str = "\
Check the rules of the tree that no compiler checks.

Usage: cargo xtask tidy

  order      a crate depends only on crates above it; no async, HTTP or randomness where none belongs
  manifests  versions stand once, in the root Cargo.toml; the steps' clippy.toml are the same
  clocks     the wall clock is read in one place; files, sockets and threads of async only in the crates that may
  printing   println! and the like only where the program's output is made
  modules    every .rs file under src belongs to its crate
  circles    no files of a crate name one another in a loop
  size       lines over 160 columns; files over 600 lines, but for a list that may only shrink
  words      leftovers (marks of work to do), machine paths, references to texts that are not in the project

Each finding is one line, `path:line: what; what to do`. Exit: 0 if there is none.

Example:
  cargo xtask tidy
";

/// One thing that is not as the tree should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// From the root, with `/`.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do instead.
    pub remedy: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{}: {}; {}", self.path, self.line, self.what, self.remedy)
    }
}

/// Runs the chore.
pub fn run(given: Vec<String>) -> Result<(), Stop> {
    Arguments::new("tidy", given, HELP)?.none()?;
    let findings = check(&workspace::root())?;
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("tidy: nothing found");
            Ok(())
        }
        1 => Err(Stop::Failed("tidy found 1 thing".to_owned())),
        many => Err(Stop::Failed(format!("tidy found {many} things"))),
    }
}

/// All findings under `root`, by path and line.
///
/// # Errors
///
/// When cargo does not understand the workspace or the tree cannot be read.
pub fn check(root: &Path) -> Result<Vec<Finding>, String> {
    Ok(check_tree(&Tree::read(root)?, &workspace::packages(root)?))
}

fn check_tree(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let modules = modules::walk(tree, packages);
    let mut findings = Vec::new();
    order::check(tree, packages, &mut findings);
    manifests::check(tree, packages, &mut findings);
    clocks::check(tree, packages, &modules, &mut findings);
    modules::check(packages, tree, &modules, &mut findings);
    circles::check(tree, packages, &modules, &mut findings);
    size::check(tree, &mut findings);
    words::check(tree, &mut findings);
    findings.sort();
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Dependency, Target};

    /// A package with a library, its normal dependencies, and its dev-dependencies after `dev:`.
    pub fn package(name: &str, dependencies: &[&str]) -> Package {
        let crate_dir = name.strip_prefix("agenttrader-").unwrap_or(name);
        let dir = match crate_dir {
            "xtask" => "xtask".to_owned(),
            "outside" | "whole" => format!("testing/{crate_dir}"),
            _ => format!("crates/{crate_dir}"),
        };
        let dependencies = dependencies
            .iter()
            .map(|text| Dependency { name: text.trim_start_matches("dev:").to_owned(), dev: text.starts_with("dev:") });
        let target =
            Target { name: name.replace('-', "_"), kind: "lib".to_owned(), root_file: format!("{dir}/src/lib.rs") };
        Package { name: name.to_owned(), dependencies: dependencies.collect(), targets: vec![target], dir }
    }

    /// What one rule says about a small tree.
    pub fn said(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn this_workspace_is_tidy() {
        let findings = check(&workspace::root()).unwrap();
        assert!(findings.is_empty(), "cargo xtask tidy:\n{}", said(&findings).join("\n"));
    }

    #[test]
    fn every_rule_is_asked_about_a_tree_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let manifest = |name: &str, rest: &str| format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n\n{rest}");
        write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n");
        write("xtask/tidy-large-files.txt", "");
        let upside_down = "[dependencies]\nagenttrader-safety = { path = \"../safety\" }\n";
        write("crates/core/Cargo.toml", &manifest("agenttrader-core", upside_down));
        write("crates/core/src/lib.rs", "//! Core.\n\npub fn now() { std::time::SystemTime::now(); }\n");
        write("crates/core/src/forgotten.rs", "//! Forgotten.\n");
        write("crates/core/clippy.toml", "\n");
        write("crates/safety/Cargo.toml", &manifest("agenttrader-safety", ""));
        write(
            "crates/safety/src/lib.rs",
            &format!("//! Safety.\n// {}: later\n// {}\n", "TO".to_owned() + "DO", "x".repeat(160)),
        );
        write("crates/safety/clippy.toml", "# another\n");

        let findings = said(&check(dir.path()).unwrap());
        let expected = [
            "crates/core/Cargo.toml:6: agenttrader-core depends on agenttrader-safety, which is below it;",
            "crates/core/Cargo.toml:6: agenttrader-safety is named with a path;",
            "crates/core/src/forgotten.rs:1: no module of its crate;",
            "crates/core/src/lib.rs:3: the crate core reads a clock (SystemTime::now);",
            "crates/safety/clippy.toml:1: differs from crates/core/clippy.toml;",
            "crates/safety/src/lib.rs:2: ",
            "crates/safety/src/lib.rs:3: 163 columns;",
        ];
        assert_eq!(findings.len(), expected.len(), "{findings:#?}");
        for (finding, start) in findings.iter().zip(expected) {
            assert!(finding.starts_with(start), "{finding}\nshould start with\n{start}");
        }
    }
}
