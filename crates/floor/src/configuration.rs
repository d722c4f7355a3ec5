//! The effective configuration of a run: files, environment and what the market offers, gathered into one input.

use agenttrader_agent::start;
use agenttrader_core::identity::AgentMode;
use agenttrader_core::symbol::Symbol;
use agenttrader_sequence::input::{Configuration, ConfigurationFile, StrategySeat};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The files of `configs/` that shape a step, compiled in as defaults.
const DEFAULTS: [(&str, &str); 6] = [
    ("fees.toml", include_str!("../../../configs/fees.toml")),
    ("rates.toml", include_str!("../../../configs/rates.toml")),
    ("risk.toml", include_str!("../../../configs/risk.toml")),
    ("strategies/gamma.toml", include_str!("../../../configs/strategies/gamma.toml")),
    ("strategies/naive_flow_trend.toml", include_str!("../../../configs/strategies/naive_flow_trend.toml")),
    ("strategies/whale.toml", include_str!("../../../configs/strategies/whale.toml")),
];

/// The inventory of agents, compiled in as default.
pub const DEFAULT_AGENTS: &str = include_str!("../../../configs/agents/agents.yaml");

/// Largest configuration file read.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// The variable of [`agent_timeout`].
const AGENT_TIMEOUT: &str = "PER_AGENT_TIMEOUT_SECONDS";

/// Strategies that run unless others are named.
pub const DEFAULT_STRATEGIES: [&str; 2] = ["gamma", "whale"];

/// Every strategy there is and the agent in which it runs.
const SEATS: [(&str, &str); 3] = [("gamma", start::GAMMA), ("whale", start::WHALE), ("naive_flow_trend", start::GAMMA)];

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// A file of the folder cannot be read.
    #[error("cannot read `{path}`")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of the folder is too large to be a configuration.
    #[error("`{path}` has {size} bytes, more than {FILE_BYTES_MAX}")]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Its size.
        size: u64,
    },
    /// A strategy that does not exist.
    #[error("there is no strategy `{name}`; there are gamma, whale and naive_flow_trend")]
    NoSuchStrategy {
        /// The name given.
        name: String,
    },
    /// A number of the environment or a symbol of the allowlist that cannot be read.
    #[error("{variable}: `{value}` {problem}")]
    BadValue {
        /// Which variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What is wrong.
        problem: &'static str,
    },
}

/// What shapes a run beside files and market.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// Folder whose files replace the compiled-in ones; none: compiled-in ones alone.
    pub configs: Option<PathBuf>,
    /// Strategies to run, in order.
    pub strategies: Vec<String>,
    /// Mode of the strategies' agents.
    pub strategy_mode: AgentMode,
    /// The environment, as it was when the process started.
    pub environment: BTreeMap<String, String>,
}

/// Gathers the effective configuration for a market of those symbols.
///
/// # Errors
/// [`ConfigurationError`], naming file or variable.
pub fn effective(settings: &RunSettings, symbols: &[Symbol]) -> Result<Configuration, ConfigurationError> {
    let files = DEFAULTS
        .into_iter()
        .map(|(name, text)| {
            let text = match settings.configs.as_deref() {
                Some(folder) => read_or(folder, name, text)?,
                None => text.to_owned(),
            };
            Ok(ConfigurationFile { name: name.to_owned(), text })
        })
        .collect::<Result<_, ConfigurationError>>()?;
    let strategies = settings.strategies.iter().map(|name| seat(name)).collect::<Result<_, _>>()?;
    let environment = &settings.environment;
    let exactly_true = |name: &str| environment.get(name).is_some_and(|value| value == "true");
    Ok(Configuration {
        files,
        strategies,
        gate_agent_name: start::SHADOW_GATE.to_owned(),
        strategy_mode: settings.strategy_mode,
        // The shadow gate judges with the execution agent's inputs, and that agent is not started.
        execution_mode: AgentMode::Off,
        execution_agent_enabled: false,
        broker_execution_enabled: exactly_true("BROKER_EXECUTION_ENABLED"),
        marketdata_max_age_seconds: seconds(environment, "MARKETDATA_MAX_AGE_SECONDS", 30).clamp(1, 3600),
        option_quote_max_age_seconds: seconds(environment, "OPTION_QUOTE_MAX_AGE_SECONDS", 900),
        marketdata_force_stale: exactly_true("MARKETDATA_FORCE_STALE"),
        symbol_allowlist: allowlist(environment)?,
        symbols: symbols.to_vec(),
    })
}

fn seat(name: &str) -> Result<StrategySeat, ConfigurationError> {
    SEATS
        .into_iter()
        .find(|(strategy, _)| *strategy == name)
        .map(|(strategy, agent)| StrategySeat { strategy: strategy.to_owned(), agent_name: agent.to_owned() })
        .ok_or_else(|| ConfigurationError::NoSuchStrategy { name: name.to_owned() })
}

/// The text of a file of the folder, or the default where the folder does not hold it.
fn read_or(folder: &Path, name: &str, default: &str) -> Result<String, ConfigurationError> {
    let path = folder.join(name);
    let unreadable = |source| ConfigurationError::Unreadable { path: path.clone(), source };
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(default.to_owned()),
        Err(error) => Err(unreadable(error)),
        Ok(metadata) if metadata.len() > FILE_BYTES_MAX => {
            Err(ConfigurationError::TooLarge { path: path.clone(), size: metadata.len() })
        }
        Ok(_) => std::fs::read_to_string(&path).map_err(unreadable),
    }
}

/// A number of seconds; one that cannot be read counts as not set.
fn seconds(environment: &BTreeMap<String, String>, name: &str, default: u32) -> u32 {
    environment.get(name).and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// `PER_AGENT_TIMEOUT_SECONDS`: how long mission control waits for one agent, if it is set; tenths are good, up to a minute.
///
/// # Errors
/// [`ConfigurationError::BadValue`].
pub fn agent_timeout(environment: &BTreeMap<String, String>) -> Result<Option<Duration>, ConfigurationError> {
    let Some(value) = environment.get(AGENT_TIMEOUT) else { return Ok(None) };
    let seconds = value.parse::<f64>().ok().filter(|seconds| (0.1..=60.0).contains(seconds));
    let refused = || ConfigurationError::BadValue {
        variable: AGENT_TIMEOUT,
        value: value.clone(),
        problem: "is no number of seconds from 0.1 to 60",
    };
    seconds.map(|seconds| Some(Duration::from_secs_f64(seconds))).ok_or_else(refused)
}

/// `SYMBOL_ALLOWLIST`; a symbol in it that cannot be read refuses the whole, so that a typing error allows nothing else.
fn allowlist(environment: &BTreeMap<String, String>) -> Result<Option<Vec<Symbol>>, ConfigurationError> {
    let Some(list) = environment.get("SYMBOL_ALLOWLIST") else { return Ok(None) };
    let parse = |text: &str| {
        Symbol::parse(text.trim()).map_err(|_| ConfigurationError::BadValue {
            variable: "SYMBOL_ALLOWLIST",
            value: text.to_owned(),
            problem: "is no symbol",
        })
    };
    list.split(',').filter(|part| !part.trim().is_empty()).map(parse).collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(environment: &[(&str, &str)]) -> RunSettings {
        RunSettings {
            configs: None,
            strategies: DEFAULT_STRATEGIES.map(str::to_owned).to_vec(),
            strategy_mode: AgentMode::Observe,
            environment: environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        }
    }

    #[test]
    fn no_variable_enables_execution() {
        let environment = [("EXECUTION_AGENT_ENABLED", "true"), ("AGENT_MODE", "EXECUTE")];
        let configuration = effective(&settings(&environment), &[]).unwrap();
        assert!(!configuration.execution_agent_enabled);
        assert_eq!(configuration.execution_mode, AgentMode::Off);
    }

    #[test]
    fn ages_are_clamped_and_nonsense_counts_as_not_set() {
        let age = |value: &str| effective(&settings(&[("MARKETDATA_MAX_AGE_SECONDS", value)]), &[]);
        assert_eq!(age("0").unwrap().marketdata_max_age_seconds, 1);
        assert_eq!(age("99999").unwrap().marketdata_max_age_seconds, 3600);
        assert_eq!(age("soon").unwrap().marketdata_max_age_seconds, 30);
        assert!(effective(&settings(&[("SYMBOL_ALLOWLIST", "SPY,qqq")]), &[]).is_err());
        let listed = effective(&settings(&[("SYMBOL_ALLOWLIST", "SPY, QQQ")]), &[]).unwrap().symbol_allowlist;
        assert_eq!(listed.unwrap().len(), 2);
        assert_eq!(effective(&settings(&[("SYMBOL_ALLOWLIST", "")]), &[]).unwrap().symbol_allowlist, Some(vec![]));
    }

    #[test]
    fn the_wait_for_an_agent_is_a_sensible_number_of_seconds() {
        let asked = |value: &str| agent_timeout(&settings(&[(AGENT_TIMEOUT, value)]).environment);
        assert_eq!(asked("2.5").unwrap(), Some(Duration::from_millis(2_500)));
        assert_eq!(agent_timeout(&BTreeMap::new()).unwrap(), None);
        for nonsense in ["", "0", "-1", "NaN", "inf", "soon", "61"] {
            assert!(asked(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_folder_replaces_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rates.toml"), "carry = \"parity\"\n").unwrap();
        let mut settings = settings(&[]);
        settings.configs = Some(folder.path().to_owned());
        let configuration = effective(&settings, &[]).unwrap();
        assert_eq!(configuration.file("rates.toml"), Some("carry = \"parity\"\n"));
        assert_eq!(configuration.file("fees.toml"), Some(DEFAULTS[0].1));
        settings.strategies = vec!["gama".into()];
        assert!(matches!(effective(&settings, &[]), Err(ConfigurationError::NoSuchStrategy { .. })));
    }
}
