//! Commands: each turns arguments into calls of the crates and the result into output.

mod alone;
mod audit;
mod config;
mod evidence;
mod floor;
mod halt;
mod lock;
mod policy;
mod record;
mod replay;
mod show;
mod unlock;
mod venue;

use crate::Root;
use crate::cli::{Command, Global};
use crate::output::{Done, Exit, Failure, raw, talk};
use crate::settings::{Flags, Settings};
use clap::{CommandFactory as _, ValueEnum};
use std::collections::BTreeMap;

/// What the flags say, by the names of the settings.
fn flags(global: &Global, command: &Command) -> Flags {
    let mut flags = Flags::new();
    let mut say = |name, value: Option<String>| {
        if let Some(value) = value {
            flags.insert(name, value);
        }
    };
    let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string());
    say("data_dir", path(&global.data_dir));
    say("log_format", global.log_format.as_ref().and_then(name_of));
    say("bind", global.bind.map(|bind| bind.to_string()));
    say("port_base", global.port_base.map(|port| port.to_string()));
    let strategy = match command {
        Command::Floor(floor) => Some(&floor.strategy),
        Command::Marketdata(alone) | Command::Strategy(alone) => Some(&alone.strategy),
        _ => None,
    };
    if let Some(strategy) = strategy {
        say("strategies", strategy.strategies.as_ref().map(|names| names.join(",")));
        say("symbols", strategy.symbols.as_ref().map(|names| names.join(",")));
        say("configs", path(&strategy.configs));
    }
    let market = match command {
        Command::Floor(floor) => Some(&floor.market),
        Command::Venue(venue) => Some(&venue.market),
        _ => None,
    };
    if let Some(market) = market {
        say("seed", market.seed.map(|seed| seed.to_string()));
        say("date", market.date.map(|date| date.to_string()));
        say("speed", market.speed.map(|speed| speed.to_string()));
        say("recording", path(&market.recording));
    }
    let witnesses = match command {
        Command::Floor(floor) => &floor.witnesses.witness,
        Command::MissionControl(alone) => &alone.witnesses.witness,
        _ => &Vec::new(),
    };
    let hosts = match command {
        Command::Marketdata(alone) | Command::Strategy(alone) => &alone.hosts.host,
        Command::MissionControl(alone) => &alone.hosts.host,
        _ => &Vec::new(),
    };
    say("host", Some(hosts.join(",")).filter(|list| !list.is_empty()));
    say("witness", Some(witnesses.join(",")).filter(|list| !list.is_empty()));
    match command {
        Command::Venue(venue) => {
            say("plan", venue.plan.as_ref().and_then(name_of));
            say("rest_limit", venue.rest_limit.map(|limit| limit.to_string()));
        }
        Command::MissionControl(alone) => {
            say("agents", path(&alone.agents));
            say("trusted_proxy", Some(alone.trusted_proxy.join(",")).filter(|list| !list.is_empty()));
        }
        _ => {}
    }
    flags
}

fn name_of<T: ValueEnum>(value: &T) -> Option<String> {
    value.to_possible_value().map(|value| value.get_name().to_owned())
}

/// Runs one command.
pub async fn run(global: Global, command: Command, environment: BTreeMap<String, String>, root: Root) -> Done {
    let Root { signers, build } = root;
    let flags = flags(&global, &command);
    let settings = || {
        let settings = Settings::gather(global.config.as_deref(), &flags, environment.clone())
            .map_err(|error| Failure::of(Exit::Refused, &error))?;
        settings.warnings.iter().for_each(|warning| talk(&format!("warning: {warning}")));
        Ok::<_, Failure>(settings)
    };
    match command {
        Command::Floor(arguments) => floor::run(&settings()?, &arguments, signers, build).await,
        Command::Venue(arguments) => venue::run(&settings()?, &arguments).await,
        Command::Marketdata(_) => alone::marketdata(&settings()?, build).await,
        Command::Strategy(_) => alone::strategy(&settings()?, build).await,
        Command::MissionControl(_) => alone::mission_control(&settings()?, build).await,
        Command::Replay(arguments) => replay::run(&arguments, build),
        Command::Record(arguments) => record::run(arguments),
        Command::Halt(arguments) => halt::run(&settings()?, &arguments).await,
        Command::Status(arguments) => show::status(&settings()?, &arguments).await,
        Command::Proposals(arguments) => show::proposals(&settings()?, &arguments).await,
        Command::Audit(command) => audit::run(&settings()?, command, &build).await,
        Command::Lock(command) => lock::run(&settings()?, command, &build),
        Command::Unlock(command) => unlock::run(&settings()?, command, &build),
        Command::Readiness(arguments) => evidence::readiness(&settings()?, &arguments, &build).await,
        Command::Report(command) => evidence::report(&settings()?, command, &build),
        Command::Lkg(command) => evidence::lkg(&settings()?, command, &build),
        Command::Policy(command) => policy::run(&settings()?, command),
        Command::Config(crate::cli::ConfigCommand::Show(arguments)) => config::show(&settings()?, &arguments),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut crate::cli::Cli::command(), "agenttrader", &mut script);
            raw(&script);
            Ok(Exit::Good)
        }
    }
}
