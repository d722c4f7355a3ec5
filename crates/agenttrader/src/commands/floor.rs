//! `agenttrader floor`: everything in one process.

use crate::cli::{FloorArgs, LogFormat, MarketArgs};
use crate::output::{Done, Exit, Failure, talk};
use crate::settings::Settings;
use agenttrader_agent::shutdown::Signals;
use agenttrader_agent::start;
use agenttrader_core::identity::{AgentMode, Build};
use agenttrader_floor::configuration::RunSettings;
use agenttrader_floor::market::MarketChoice;
use agenttrader_floor::ports::Service;
use agenttrader_floor::run::{Floor, FloorError, FloorSettings, Watch};
use agenttrader_floor::summary::MissionControl;
use agenttrader_floor::terminal::{self, Lines};
use std::time::Duration;

/// Where the market comes from: a recording, a venue elsewhere, or a simulator of our own.
fn market(arguments: MarketArgs, settings: &Settings) -> Result<MarketChoice, Failure> {
    let MarketArgs { seed, date, speed, fresh, recording } = arguments;
    let speed_given = speed.is_some();
    let speed = speed.unwrap_or(1.0);
    if !(speed.is_finite() && speed > 0.0) {
        return Err(Failure::new(Exit::CouldNot, format!("--speed {speed} is no number above zero")));
    }
    if let Some(file) = recording {
        return Ok(MarketChoice::Recording { file, speed });
    }
    if settings.environment.contains_key("APCA_API_BASE_URL") {
        if seed.is_some() || date.is_some() || fresh || speed_given {
            return Err(Failure::new(
                Exit::CouldNot,
                "--seed, --date, --speed and --fresh are for the floor's own venue, and APCA_API_BASE_URL names another",
            )
            .hint("give them to that venue, or unset APCA_API_BASE_URL"));
        }
        return Ok(MarketChoice::Elsewhere);
    }
    Ok(MarketChoice::Simulated { seed, date, speed, fresh })
}

/// The exit code and a hint for a floor that does not start.
pub fn not_started(error: &FloorError) -> Failure {
    let exit = match error {
        FloorError::Port(_)
        | FloorError::Io { .. }
        | FloorError::Thread(_)
        | FloorError::Entropy(_)
        | FloorError::Poller { .. } => Exit::Unavailable,
        FloorError::Log(agenttrader_audit::log::OpenError::Held { .. }) => Exit::TryAgain,
        FloorError::Market(_) | FloorError::Log(_) | FloorError::Key(_) => Exit::Unavailable,
        FloorError::Configuration(_) | FloorError::Engine(_) | FloorError::Inventory(_) | FloorError::Access(_) => {
            Exit::Refused
        }
    };
    Failure::of(exit, error)
}

/// The mode of a floor's strategies: OBSERVE, unless `AGENT_MODE` says otherwise. Only `OFF` can.
fn strategy_mode(settings: &Settings) -> (AgentMode, Option<String>) {
    match settings.environment.get("AGENT_MODE") {
        None => (AgentMode::Observe, None),
        Some(value) => match start::mode(Some(value)) {
            (AgentMode::Execute, _) => (
                AgentMode::Off,
                Some("AGENT_MODE=EXECUTE is for the execution agent alone: strategies are OFF".to_owned()),
            ),
            (mode, problem) => (mode, problem),
        },
    }
}

/// Runs a floor until a signal.
pub async fn run(settings: &Settings, arguments: FloorArgs, build: Build) -> Done {
    let mut signals = Signals::install().map_err(|error| Failure::of(Exit::Unavailable, &error))?;
    let (strategy_mode, problem) = strategy_mode(settings);
    if let Some(problem) = problem {
        talk(&format!("warning: {problem}"));
    }
    let live = terminal::is_terminal() && !arguments.plain && settings.log_format.is_none();
    let lines = match settings.log_format {
        Some(LogFormat::Text) => Lines::Text,
        Some(LogFormat::Json) => Lines::Json,
        None if terminal::is_terminal() => Lines::Text,
        None => Lines::Json,
    };
    let watch: Watch = if live { Box::new(|_| {}) } else { Box::new(move |record| terminal::record(record, lines)) };
    let floor_settings = FloorSettings {
        data_dir: settings.data_dir.clone(),
        bind: settings.bind,
        port_base: settings.port_base,
        market: market(arguments.market, settings)?,
        run: RunSettings {
            configs: settings.configs.clone(),
            strategies: settings.strategies.clone(),
            strategy_mode,
            environment: settings.environment.clone(),
        },
        symbols: settings.symbols.clone(),
        build,
        poll_interval_seconds: settings.poll_interval_seconds,
    };
    let floor = Floor::start(floor_settings, watch).await.map_err(|error| not_started(&error))?;
    let base =
        floor.ports().get(&Service::MissionControl).map(|address| format!("http://{address}")).unwrap_or_default();
    let foot = format!(
        "{}\n{base}/api/v1/safety · data in {} · halt: agenttrader halt --reason … · Ctrl-C ends the floor",
        floor.market_name(),
        settings.data_dir.display()
    );
    let mut drawing = None;
    if live {
        let mission_control = MissionControl::at(base).map_err(|error| Failure::of(Exit::Unavailable, &error))?;
        let style = terminal::style(settings.environment.contains_key("NO_COLOR"));
        drawing = Some(tokio::spawn(terminal::live(mission_control, foot, style, floor.stop_signal())));
    } else {
        for (service, address) in floor.ports() {
            talk(&format!("{service:<16} http://{address}"));
        }
        talk(&format!("market           {}", floor.market_name()));
    }
    if let Some(warning) = floor.speed_warning() {
        talk(&format!("warning: {warning}"));
    }
    let mut told_feed_end = false;
    let mut told_over = false;
    let failed = loop {
        tokio::select! {
            () = floor.recording_over(), if !told_over => {
                talk("the recording is over: market data grows stale from here on; the floor stays up to be read, Ctrl-C ends it");
                told_over = true;
            }
            _ = signals.next() => break None,
            part = floor.failure() => break Some(part),
            () = tokio::time::sleep(Duration::from_millis(500)) => {
                if let Some(why) = floor.feed_end().filter(|_| !told_feed_end) {
                    talk(&format!("warning: the feed ended: {why}; nothing is fresh any more"));
                    told_feed_end = true;
                }
            }
        }
    };
    let ended = floor.stop().await;
    if let Some(drawing) = drawing {
        let _ = drawing.await;
    }
    if let Some((path, digest)) = &ended.recording {
        talk(&format!("recording {} (SHA-256 {digest})", path.display()));
        talk(&format!("next: agenttrader replay {} --verify {}", path.display(), settings.data_dir.display()));
    }
    for problem in &ended.problems {
        talk(&format!("warning: {problem}"));
    }
    match failed {
        Some(part) => Err(Failure::new(Exit::Unavailable, format!("a part of the floor failed: {part}"))),
        None => Ok(Exit::Good),
    }
}
