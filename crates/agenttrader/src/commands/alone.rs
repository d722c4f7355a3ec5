//! `agenttrader marketdata`, `strategy`, `mission-control`: one agent a process.

use super::floor::{lines, not_started};
use crate::output::{Done, Exit, Failure, tell};
use crate::settings::Settings;
use agenttrader_agent::keys::adopt;
use agenttrader_agent::shutdown::Signals;
use agenttrader_agent::start::{Identity, MISSION_CONTROL, identify};
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build, REPO_ID};
use agenttrader_core::secret::Secret;
use agenttrader_floor::alone::{Alone, AloneMissionControl, AloneSettings, MissionControlSettings};
use agenttrader_floor::configuration::{DEFAULT_AGENTS, RunSettings};
use agenttrader_floor::run::{Ended, Watch};
use agenttrader_floor::terminal;
use agenttrader_mission_control::access::{BindPolicy, Cidr};
use agenttrader_mission_control::inventory::Inventory;

/// Who the environment says we are; the role must fit the command.
fn identity(settings: &Settings, build: &Build, roles: &[AgentRole], command: &str) -> Result<Identity, Failure> {
    let mut identity = identify(&settings.environment, build).map_err(|error| {
        let example = "REPO_ID=agent-trader-v2 AGENT_NAME=… AGENT_ROLE=… AGENT_MODE=OBSERVE";
        Failure::of(Exit::Refused, &error).hint(format!("set {example}"))
    })?;
    let role = identity.agent.agent_role;
    if !roles.contains(&role) {
        let wanted: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        let message = format!("AGENT_ROLE is {role}, and `agenttrader {command}` is for {}", wanted.join(" and "));
        return Err(Failure::new(Exit::Refused, message));
    }
    if !settings.environment.contains_key("AGENT_MODE") {
        // Whoever starts an agent and forgets its mode finds in its records why it does nothing.
        identity.mode_problem = Some("AGENT_MODE is not set: the mode is OFF".to_owned());
    }
    if let Some(problem) = &identity.mode_problem {
        tell(&format!("warning: {problem}"));
    }
    Ok(identity)
}

fn watch(settings: &Settings) -> Watch {
    let lines = lines(settings);
    Box::new(move |record| terminal::record(record, lines))
}

fn ended(ended: &Ended, failed: Option<String>) -> Done {
    if let Some((path, digest)) = &ended.recording {
        tell(&format!("recording {} (SHA-256 {digest})", path.display()));
    }
    for problem in &ended.problems {
        tell(&format!("warning: {problem}"));
    }
    match failed {
        Some(part) => Err(Failure::new(Exit::Unavailable, format!("a part of the agent failed: {part}"))),
        None => Ok(Exit::Good),
    }
}

async fn follow_market(settings: &Settings, identity: Identity, strategies: Vec<String>) -> Done {
    let mut signals = Signals::install().map_err(|error| Failure::of(Exit::Unavailable, &error))?;
    let strategy_mode = identity.agent.agent_mode;
    let name = identity.agent.agent_name.clone();
    let alone = AloneSettings {
        identity,
        data_dir: settings.data_dir.clone(),
        bind: settings.bind,
        port_base: settings.port_base,
        run: RunSettings {
            configs: settings.configs.clone(),
            strategies,
            strategy_mode,
            environment: settings.environment.clone(),
        },
        symbols: settings.symbols.clone(),
        hosts: settings.hosts.clone(),
    };
    let agent = Alone::start(alone, watch(settings)).await.map_err(|error| not_started(&error))?;
    if let Some(address) = agent.address() {
        tell(&format!("{name}  http://{address}"));
    }
    let failed = tokio::select! {
        _ = signals.next() => None,
        part = agent.failure() => Some(part),
    };
    ended(&agent.stop().await, failed)
}

/// Runs market data alone.
pub async fn marketdata(settings: &Settings, build: Build) -> Done {
    let identity = identity(settings, &build, &[AgentRole::Marketdata, AgentRole::Ingest], "marketdata")?;
    follow_market(settings, identity, Vec::new()).await
}

/// Runs strategies alone.
pub async fn strategy(settings: &Settings, build: Build) -> Done {
    let identity = identity(settings, &build, &[AgentRole::StrategyEval], "strategy")?;
    follow_market(settings, identity, settings.strategies.clone()).await
}

/// Runs mission control alone.
pub async fn mission_control(settings: &Settings, build: Build) -> Done {
    let mut signals = Signals::install().map_err(|error| Failure::of(Exit::Unavailable, &error))?;
    let refused = |error: &dyn std::error::Error| Failure::of(Exit::Refused, error);
    let default =
        settings.configs.as_ref().map(|folder| folder.join("agents").join("agents.yaml")).filter(|path| path.is_file());
    let text = match settings.agents.clone().or(default) {
        Some(path) => {
            adopt(&settings.data_dir, &path.with_file_name("keys.json")).map_err(|error| refused(&error))?;
            std::fs::read_to_string(&path)
                .map_err(|error| Failure::new(Exit::Refused, format!("cannot read `{}`: {error}", path.display())))?
        }
        None => DEFAULT_AGENTS.to_owned(),
    };
    let inventory = Inventory::parse(&text).map_err(|error| refused(&error))?;
    let trusted_proxies = settings
        .trusted_proxies
        .iter()
        .map(|text| text.parse::<Cidr>())
        .collect::<Result<_, _>>()
        .map_err(|error| refused(&error))?;
    let token = settings.environment.get("AGENTTRADER_API_TOKEN").cloned().map(Secret::new);
    let agent = AgentIdentity {
        agent_name: MISSION_CONTROL.to_owned(),
        agent_role: AgentRole::Ops,
        agent_mode: AgentMode::Observe,
    };
    let identity =
        Identity { repo_id: REPO_ID.to_owned(), agent, build: build.clone(), build_shown: build, mode_problem: None };
    let mission_control = AloneMissionControl::start(MissionControlSettings {
        identity,
        data_dir: settings.data_dir.clone(),
        port_base: settings.port_base,
        access: BindPolicy { bind: settings.bind, token, trusted_proxies },
        inventory,
        poll_interval_seconds: settings.poll_interval_seconds,
        witnesses: settings.witnesses.clone(),
        hosts: settings.hosts.clone(),
        environment: settings.environment.clone(),
    })
    .await
    .map_err(|error| not_started(&error))?;
    if let Some(address) = mission_control.address() {
        tell(&format!("mission control  http://{address}/api/v1/safety"));
    }
    let failed = tokio::select! {
        _ = signals.next() => None,
        part = mission_control.failure() => Some(part),
    };
    ended(&mission_control.stop().await, failed)
}
