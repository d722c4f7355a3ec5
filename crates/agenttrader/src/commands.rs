//! Commands: each turns arguments into calls of the crates and the result into output.

mod alone;
mod config;
mod floor;
mod halt;
mod record;
mod replay;
mod show;
mod venue;

use crate::cli::{Command, Global, StrategyArgs};
use crate::output::{Done, Exit, Failure};
use crate::settings::Settings;
use agenttrader_core::identity::Build;
use clap::CommandFactory as _;
use std::collections::BTreeMap;

/// Runs one command.
pub async fn run(global: Global, command: Command, environment: BTreeMap<String, String>, build: Build) -> Done {
    let strategy = match &command {
        Command::Floor(floor) => floor.strategy.clone(),
        Command::Marketdata(alone) | Command::Strategy(alone) => alone.strategy.clone(),
        _ => StrategyArgs::default(),
    };
    let settings = || {
        Settings::gather(&global, &strategy, environment.clone()).map_err(|error| Failure::of(Exit::Refused, &error))
    };
    match command {
        Command::Floor(arguments) => floor::run(&settings()?, arguments, build).await,
        Command::Venue(arguments) => venue::run(&settings()?, arguments).await,
        Command::Marketdata(_) => alone::marketdata(&settings()?, build).await,
        Command::Strategy(_) => alone::strategy(&settings()?, build).await,
        Command::MissionControl(arguments) => alone::mission_control(&settings()?, arguments, build).await,
        Command::Replay(arguments) => replay::run(&arguments, build),
        Command::Record(arguments) => record::run(arguments),
        Command::Halt(arguments) => halt::run(&settings()?, &arguments).await,
        Command::Status(arguments) => show::status(&settings()?, &arguments).await,
        Command::Proposals(arguments) => show::proposals(&settings()?, &arguments).await,
        Command::Config(crate::cli::ConfigCommand::Show(arguments)) => config::show(&settings()?, &arguments),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut crate::cli::Cli::command(), "agenttrader", &mut script);
            crate::output::raw(&script);
            Ok(Exit::Good)
        }
    }
}
