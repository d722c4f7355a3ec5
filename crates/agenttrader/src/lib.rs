//! The command line: arguments to calls, results to exit codes.
//!
//! A library, so that a binary for rehearsals can be all of it with another [`Root`]. Whose signatures count is the binary's own: no flag, no
//! variable, no file and no feature changes it.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may"))]

mod cli;
mod commands;
mod loopback;
mod output;
mod panics;
mod settings;

use crate::cli::{Cli, Command, FloorArgs};
use crate::output::{Exit, Failure};
use agenttrader_authority::trust_root::SignersText;
use agenttrader_core::identity::Build;
use clap::Parser as _;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

/// What a binary is made with and nothing at run time changes: whom it believes, and what it is.
#[derive(Clone, Debug)]
pub struct Root {
    /// The people whose signatures count.
    pub signers: SignersText,
    /// The build.
    pub build: Build,
}

/// The environment, read once. What is not UTF-8 is shown with replacement characters: for the kill switch that is
/// neither unset nor `0`, and so halts.
fn environment() -> BTreeMap<String, String> {
    let text = |value: OsString| value.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}

/// The arguments, the binary's name first. Without a command they are those of `floor`, its flags too.
fn parsed(words: Vec<OsString>) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(&words).or_else(|error| {
        if error.kind() != clap::error::ErrorKind::UnknownArgument {
            return Err(error);
        }
        let mut words = words.into_iter();
        let binary = words.next().unwrap_or_default();
        let with_floor = [binary, "floor".into()].into_iter().chain(words);
        Cli::try_parse_from(with_floor).map_err(|_| error)
    })
}

/// Runs the command that the process was started with.
pub fn run(root: Root) -> ExitCode {
    with_arguments(root, std::env::args_os().collect(), environment())
}

/// Runs a command, the binary's name first, at venues of this machine alone: what a rehearsal may reach.
pub fn rehearse(root: Root, words: Vec<OsString>) -> ExitCode {
    let environment = environment();
    if let Some(variable) = loopback::elsewhere(&environment) {
        let message = format!("{variable} names a venue elsewhere, and a rehearsal reaches this machine alone");
        output::failed(
            &Failure::new(Exit::Refused, &message).hint("unset it, or name a venue at http://127.0.0.1:PORT"),
        );
        return Exit::Refused.into();
    }
    with_arguments(root, words, environment)
}

fn with_arguments(root: Root, words: Vec<OsString>, environment: BTreeMap<String, String>) -> ExitCode {
    let cli = match parsed(words) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failures; they go to standard output.
            let _ = error.print();
            return if error.use_stderr() { Exit::CouldNot.into() } else { Exit::Good.into() };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::failed(&Failure::of(Exit::Unavailable, &error));
            return Exit::Unavailable.into();
        }
    };
    let redactor = agenttrader_floor::redactor(&environment);
    output::redact(Arc::clone(&redactor));
    panics::redact(redactor);
    let command = cli.command.unwrap_or(Command::Floor(FloorArgs::default()));
    let done = runtime.block_on(commands::run(cli.global, command, environment, root));
    // What still waits in a blocking call must not hold the process.
    runtime.shutdown_background();
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::failed(&failure);
            failure.exit.into()
        }
    }
}
