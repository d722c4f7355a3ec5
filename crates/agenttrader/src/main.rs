//! The one binary: arguments to calls, results to exit codes.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may"))]

mod cli;
mod commands;
mod output;
mod panics;
mod settings;

use crate::cli::{Cli, Command, FloorArgs};
use crate::output::{Exit, Failure};
use agenttrader_core::identity::Build;
use clap::Parser as _;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

/// The build, as compiled in.
fn build() -> Build {
    Build {
        git_sha: env!("AGENTTRADER_GIT_SHA").to_owned(),
        build_id: option_env!("AGENTTRADER_BUILD_ID").unwrap_or("unknown").to_owned(),
    }
}

/// The environment, read once. What is not UTF-8 is shown with replacement characters: for the kill switch that is
/// neither unset nor `0`, and so halts.
fn environment() -> BTreeMap<String, String> {
    let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}

/// The arguments. Without a command they are those of `floor`, its flags too.
fn arguments() -> Result<Cli, clap::Error> {
    Cli::try_parse().or_else(|error| {
        if error.kind() != clap::error::ErrorKind::UnknownArgument {
            return Err(error);
        }
        let mut words = std::env::args_os();
        let binary = words.next().unwrap_or_default();
        let with_floor = [binary, "floor".into()].into_iter().chain(words);
        Cli::try_parse_from(with_floor).map_err(|_| error)
    })
}

fn main() -> ExitCode {
    let cli = match arguments() {
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
    let environment = environment();
    let redactor = agenttrader_floor::redactor(&environment);
    output::redact(Arc::clone(&redactor));
    panics::redact(redactor);
    let command = cli.command.unwrap_or(Command::Floor(FloorArgs::default()));
    let done = runtime.block_on(commands::run(cli.global, command, environment, build()));
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
