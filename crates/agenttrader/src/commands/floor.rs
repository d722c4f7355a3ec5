//! `agenttrader floor`: everything in one process.

use crate::cli::{FloorArgs, LogFormat, MarketArgs};
use crate::output::{Done, Exit, Failure, tell};
use crate::settings::Settings;
use agenttrader_agent::shutdown::Signals;
use agenttrader_agent::start;
use agenttrader_authority::trust_root::{SignersText, TrustRoot};
use agenttrader_core::identity::{AgentMode, Build};
use agenttrader_floor::configuration::RunSettings;
use agenttrader_floor::market::{MarketChoice, MarketError};
use agenttrader_floor::ports::Service;
use agenttrader_floor::run::{Floor, FloorError, FloorSettings, Watch};
use agenttrader_floor::summary::MissionControl;
use agenttrader_floor::terminal::{self, Lines};
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;

/// Longest wait for the last picture.
const DRAWN_WITHIN: Duration = Duration::from_millis(300);

/// Where the market comes from: a recording, a venue elsewhere, or a simulator of our own.
fn market(arguments: &MarketArgs, settings: &Settings) -> Result<MarketChoice, Failure> {
    let speed = settings.speed.unwrap_or(1.0);
    if let Some(file) = settings.recording.clone() {
        return Ok(MarketChoice::Recording { file, speed });
    }
    if settings.environment.contains_key("APCA_API_BASE_URL") {
        if arguments.seed.is_some() || arguments.date.is_some() || arguments.fresh || arguments.speed.is_some() {
            return Err(Failure::new(
                Exit::CouldNot,
                "--seed, --date, --speed and --fresh are for the floor's own venue, and APCA_API_BASE_URL names another",
            )
            .hint("give them to that venue, or unset APCA_API_BASE_URL"));
        }
        return Ok(MarketChoice::Elsewhere);
    }
    Ok(MarketChoice::Simulated { seed: settings.seed, date: settings.date, speed, fresh: arguments.fresh })
}

/// How records are printed: as asked for, else as text on a terminal and as JSON elsewhere.
pub fn lines(settings: &Settings) -> Lines {
    match settings.log_format {
        Some(LogFormat::Text) => Lines::Text,
        Some(LogFormat::Json) => Lines::Json,
        None if terminal::is_terminal() => Lines::Text,
        None => Lines::Json,
    }
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
        FloorError::Market(MarketError::Recording(_) | MarketError::NoSession { .. }) => Exit::CouldNot,
        FloorError::Market(MarketError::Endpoint(_) | MarketError::NoSuchFeed { .. }) => Exit::Refused,
        FloorError::Witness(agenttrader_mission_control::witness::WitnessError::Twice { .. }) => Exit::Refused,
        FloorError::Witness(_) => Exit::Unavailable,
        FloorError::Market(_) | FloorError::Log(_) | FloorError::Key(_) => Exit::Unavailable,
        FloorError::Trust(_) => {
            return Failure::of(Exit::Refused, error)
                .hint("give people keys of their own: a change of ops/trust/ is an unlock");
        }
        FloorError::Configuration(_) | FloorError::Engine(_) | FloorError::Inventory(_) | FloorError::Access(_) => {
            Exit::Refused
        }
    };
    Failure::of(exit, error)
}

/// The mode of a floor's strategies: OBSERVE, unless `AGENT_MODE` says otherwise. Only `OFF` can.
fn strategy_mode(settings: &Settings) -> Result<AgentMode, Failure> {
    let Some(value) = settings.environment.get("AGENT_MODE") else { return Ok(AgentMode::Observe) };
    let (mode, problem) = start::mode(Some(value));
    if let Some(problem) = problem {
        tell(&format!("warning: {problem}"));
    }
    if mode == AgentMode::Execute {
        let message = "AGENT_MODE is EXECUTE, which is for the execution agent alone, and a floor runs none";
        return Err(Failure::new(Exit::Refused, message).hint("unset AGENT_MODE: a floor's agents observe"));
    }
    Ok(mode)
}

/// What stands below the summary: what was noticed, the market, where to look, what to do.
fn foot(floor: &Floor, base: &str, settings: &Settings, notices: &[String]) -> String {
    let data_dir = settings.data_dir.display();
    let elsewhere =
        if settings.data_dir == Path::new(".agenttrader") { String::new() } else { format!(" --data-dir {data_dir}") };
    let notices: String = notices.iter().map(|notice| format!("{notice}\n")).collect();
    format!(
        "{notices}{} · API {base}/api/v1/safety · data in {data_dir}\n\
         halt: agenttrader halt --reason WHY{elsewhere} · why refused: agenttrader proposals{elsewhere} · Ctrl-C ends the floor",
        floor.market_name(),
    )
}

/// Runs a floor until a signal.
pub async fn run(settings: &Settings, arguments: &FloorArgs, signers: SignersText, build: Build) -> Done {
    let trust_root = TrustRoot::read(signers).map_err(|error| {
        Failure::of(Exit::Refused, &error)
            .hint("this build's ops/trust/ is not of the profile: build from a commit whose files are")
    })?;
    let mut signals = Signals::install().map_err(|error| Failure::of(Exit::Unavailable, &error))?;
    let strategy_mode = strategy_mode(settings)?;
    let live = terminal::is_terminal() && !arguments.plain && settings.log_format.is_none();
    let lines = lines(settings);
    let watch: Watch = if live { Box::new(|_| {}) } else { Box::new(move |record| terminal::record(record, lines)) };
    let floor_settings = FloorSettings {
        data_dir: settings.data_dir.clone(),
        bind: settings.bind,
        port_base: settings.port_base,
        market: market(&arguments.market, settings)?,
        run: RunSettings {
            configs: settings.configs.clone(),
            strategies: settings.strategies.clone(),
            strategy_mode,
            environment: settings.environment.clone(),
        },
        symbols: settings.symbols.clone(),
        build,
        trust_root,
        poll_interval_seconds: settings.poll_interval_seconds,
        witnesses: settings.witnesses.clone(),
    };
    let floor = Floor::start(floor_settings, watch).await.map_err(|error| not_started(&error))?;
    let base =
        floor.ports().get(&Service::MissionControl).map(|address| format!("http://{address}")).unwrap_or_default();
    let mut notices: Vec<String> = Vec::new();
    let (feet, shown_foot) = watch::channel(foot(&floor, &base, settings, &notices));
    let mut drawing = None;
    if live {
        let mission_control =
            MissionControl::at(base.clone(), None).map_err(|error| Failure::of(Exit::Unavailable, &error))?;
        let style = terminal::style(settings.environment.contains_key("NO_COLOR"));
        drawing = Some(tokio::spawn(terminal::live(mission_control, shown_foot, style, floor.stop_signal())));
    } else {
        for (service, address) in floor.ports() {
            tell(&format!("{service:<16} http://{address}"));
        }
        tell(&format!("market           {}", floor.market_name()));
    }
    // A live summary shows what is noticed in its foot: a line beside it would tear the picture.
    let mut notice = |text: String| {
        if live {
            notices.push(text);
            feet.send_replace(foot(&floor, &base, settings, &notices));
        } else {
            tell(&text);
        }
    };
    if let Some(warning) = floor.speed_warning() {
        notice(format!("warning: {warning}"));
    }
    let mut told_feed_end = false;
    let mut told_over = false;
    let failed = loop {
        tokio::select! {
            () = floor.recording_over(), if !told_over => {
                notice("the recording is over: market data grows stale from here on; the floor stays up to be read, Ctrl-C ends it".to_owned());
                told_over = true;
            }
            _ = signals.next() => break None,
            part = floor.failure() => break Some(part),
            () = tokio::time::sleep(Duration::from_millis(500)) => {
                if let Some(why) = floor.feed_end().filter(|_| !told_feed_end) {
                    notice(format!("warning: the feed ended: {why}; nothing is fresh any more"));
                    told_feed_end = true;
                }
            }
        }
    };
    let ended = floor.stop().await;
    if let Some(drawing) = drawing {
        // A terminal that nobody reads holds up no end.
        let _ = tokio::time::timeout(DRAWN_WITHIN, drawing).await;
    }
    if let Some((path, digest)) = &ended.recording {
        tell(&format!("recording {} (SHA-256 {digest})", path.display()));
        tell(&format!("next: agenttrader replay {} --verify {}", path.display(), settings.data_dir.display()));
    }
    for problem in &ended.problems {
        tell(&format!("warning: {problem}"));
    }
    match failed {
        Some(part) => Err(Failure::new(Exit::Unavailable, format!("a part of the floor failed: {part}"))),
        None => Ok(Exit::Good),
    }
}
