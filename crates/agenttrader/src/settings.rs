//! Settings from flag, environment, file and default, in this order of precedence, each with where it came from.

use crate::cli::{Global, LogFormat, StrategyArgs};
use agenttrader_core::symbol::Symbol;
use clap::ValueEnum as _;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A flag.
    Flag,
    /// A variable of the environment.
    Environment,
    /// The file that `--config` names.
    File,
    /// Nothing named it.
    Default,
}

/// One effective value, for `config show`.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// Its name.
    pub name: String,
    /// Its value; a secret is `[redacted]`.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// Why settings are refused. Each exits 78.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read configuration file `{path}`")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("configuration file `{path}` is not TOML")]
    NotToml {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The file names a safety input.
    #[error(
        "configuration file `{path}` names `{key}`: what enables trading has no file key; it is read from the environment alone"
    )]
    SafetyInput {
        /// Which file.
        path: PathBuf,
        /// Which key.
        key: String,
    },
    /// The file names something else that does not exist.
    #[error("configuration file `{path}` names `{key}`, which is no setting; there are {known}")]
    UnknownKey {
        /// Which file.
        path: PathBuf,
        /// Which key.
        key: String,
        /// What there is.
        known: String,
    },
    /// A value that cannot be read.
    #[error("{name}: `{value}` {problem}")]
    BadValue {
        /// Which setting.
        name: String,
        /// Its value.
        value: String,
        /// What is wrong.
        problem: String,
    },
}

/// Keys of the file.
const KEYS: [&str; 8] =
    ["data_dir", "log_format", "bind", "port_base", "strategies", "symbols", "configs", "poll_interval_seconds"];

/// Variables that are shown by `config show` though they are no settings of the binary.
const SHOWN_VARIABLES: [&str; 15] = [
    "REPO_ID",
    "AGENT_NAME",
    "AGENT_ROLE",
    "AGENT_MODE",
    "EXECUTION_HALTED",
    "EXECUTION_HALTED_FILE",
    "EXECUTION_AGENT_ENABLED",
    "BROKER_EXECUTION_ENABLED",
    "MARKETDATA_HEALTH_URL",
    "MARKETDATA_MAX_AGE_SECONDS",
    "OPTION_QUOTE_MAX_AGE_SECONDS",
    "MARKETDATA_FORCE_STALE",
    "SYMBOL_ALLOWLIST",
    "APCA_API_BASE_URL",
    "APCA_API_DATA_URL",
];

/// Variables whose values are never shown.
const SECRET_VARIABLES: [&str; 2] = ["APCA_API_KEY_ID", "APCA_API_SECRET_KEY"];

/// The effective settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where everything is kept that the floor writes.
    pub data_dir: PathBuf,
    /// How log lines are written; none: by whether there is a terminal.
    pub log_format: Option<LogFormat>,
    /// Address to listen on.
    pub bind: IpAddr,
    /// First of the floor's ports.
    pub port_base: u16,
    /// Strategies to run.
    pub strategies: Vec<String>,
    /// Underlyings to follow; none: what the venue lists.
    pub symbols: Option<Vec<Symbol>>,
    /// Folder of configuration files.
    pub configs: Option<PathBuf>,
    /// Seconds between two polls of mission control.
    pub poll_interval_seconds: Option<u32>,
    /// The environment when the process started.
    pub environment: BTreeMap<String, String>,
    /// Every value with where it came from.
    pub shown: Vec<Shown>,
}

/// Collects values while noting where each came from.
struct Collector<'a> {
    environment: &'a BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    shown: Vec<Shown>,
}

impl Collector<'_> {
    fn text(&mut self, key: &str, flag: Option<String>, variable: &str) -> Option<String> {
        let (value, origin) = match (flag, self.environment.get(variable), self.file.get(key)) {
            (Some(value), _, _) => (Some(value), Origin::Flag),
            (None, Some(value), _) => (Some(value.clone()), Origin::Environment),
            (None, None, Some(value)) => (Some(value.clone()), Origin::File),
            (None, None, None) => (None, Origin::Default),
        };
        if let Some(value) = &value {
            self.shown.push(Shown { name: key.to_owned(), value: value.clone(), origin });
        }
        value
    }

    fn or_default(&mut self, key: &str, value: Option<String>, default: &str) -> String {
        value.unwrap_or_else(|| {
            self.shown.push(Shown { name: key.to_owned(), value: default.to_owned(), origin: Origin::Default });
            default.to_owned()
        })
    }
}

fn parsed<T: FromStr>(name: &str, text: &str, problem: &str) -> Result<T, SettingsError> {
    text.parse().map_err(|_| SettingsError::BadValue {
        name: name.to_owned(),
        value: text.to_owned(),
        problem: problem.to_owned(),
    })
}

impl Settings {
    /// Gathers settings.
    ///
    /// # Errors
    /// [`SettingsError`], naming file, key or value.
    pub fn gather(
        global: &Global,
        strategy: &StrategyArgs,
        environment: BTreeMap<String, String>,
    ) -> Result<Self, SettingsError> {
        let file = match &global.config {
            Some(path) => read_file(path)?,
            None => BTreeMap::new(),
        };
        let mut collector = Collector { environment: &environment, file, shown: Vec::new() };
        let shown_path = |path: &PathBuf| path.display().to_string();

        let data_dir = collector.text("data_dir", global.data_dir.as_ref().map(shown_path), "AGENTTRADER_DATA_DIR");
        let data_dir = collector.or_default("data_dir", data_dir, ".agenttrader");
        let format_flag =
            global.log_format.and_then(|format| format.to_possible_value()).map(|value| value.get_name().to_owned());
        let log_format = collector
            .text("log_format", format_flag, "AGENTTRADER_LOG_FORMAT")
            .map(|text| {
                LogFormat::from_str(&text, false).map_err(|_| bad("log_format", &text, "is neither json nor text"))
            })
            .transpose()?;
        let bind = collector.text("bind", global.bind.map(|bind| bind.to_string()), "AGENTTRADER_BIND");
        let bind =
            parsed("bind", &collector.or_default("bind", bind, &Ipv4Addr::LOCALHOST.to_string()), "is no IP address")?;
        let port_base =
            collector.text("port_base", global.port_base.map(|port| port.to_string()), "AGENTTRADER_PORT_BASE");
        let port_text = collector.or_default("port_base", port_base, "8080");
        let port_base: u16 = parsed("port_base", &port_text, "is no port")?;
        if port_base > u16::MAX - 8 {
            return Err(bad("port_base", &port_text, "leaves no room for the ports after it"));
        }
        let strategies = collector.text(
            "strategies",
            strategy.strategies.as_ref().map(|names| names.join(",")),
            "AGENTTRADER_STRATEGIES",
        );
        let strategies = collector.or_default(
            "strategies",
            strategies,
            &agenttrader_floor::configuration::DEFAULT_STRATEGIES.join(","),
        );
        let symbols =
            collector.text("symbols", strategy.symbols.as_ref().map(|names| names.join(",")), "AGENTTRADER_SYMBOLS");
        let symbols =
            symbols.map(|list| list.split(',').map(symbol).collect::<Result<Vec<_>, _>>()).transpose()?;
        let configs = collector
            .text("configs", strategy.configs.as_ref().map(shown_path), "AGENTTRADER_CONFIGS")
            .map(PathBuf::from);
        let configs = configs.or_else(|| Some(PathBuf::from("configs")).filter(|folder| folder.is_dir()));
        let poll = collector.text("poll_interval_seconds", None, "POLL_INTERVAL_SECONDS");
        let poll_interval_seconds =
            poll.map(|text| parsed("POLL_INTERVAL_SECONDS", &text, "is no whole number of seconds")).transpose()?;

        let mut shown = collector.shown;
        let variables = SHOWN_VARIABLES
            .into_iter()
            .map(|name| (name, false))
            .chain(SECRET_VARIABLES.into_iter().map(|name| (name, true)));
        for (name, secret) in variables {
            if let Some(value) = environment.get(name) {
                let value = if secret { "[redacted]".to_owned() } else { value.clone() };
                shown.push(Shown { name: name.to_owned(), value, origin: Origin::Environment });
            }
        }
        Ok(Self {
            data_dir: PathBuf::from(data_dir),
            log_format,
            bind,
            port_base,
            strategies: strategies.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            symbols,
            configs,
            poll_interval_seconds,
            environment,
            shown,
        })
    }
}

fn bad(name: &str, value: &str, problem: &str) -> SettingsError {
    SettingsError::BadValue { name: name.to_owned(), value: value.to_owned(), problem: problem.to_owned() }
}

fn symbol(text: &str) -> Result<Symbol, SettingsError> {
    Symbol::parse(text.trim()).map_err(|error| bad("symbols", text, &error.to_string()))
}

/// A key as a safety input would be spelt: case, dashes and dots do not matter.
fn names_a_safety_input(key: &str) -> bool {
    let plain = key.to_ascii_uppercase().replace(['-', '.'], "_");
    plain == "AGENT_MODE" || plain.starts_with("EXECUTION_") || plain == "BROKER_EXECUTION_ENABLED"
}

fn read_file(path: &Path) -> Result<BTreeMap<String, String>, SettingsError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
    let table: toml::Table = toml::from_str(&text)
        .map_err(|source| SettingsError::NotToml { path: path.to_owned(), source: Box::new(source) })?;
    refuse_safety_inputs(path, &table)?;
    let mut values = BTreeMap::new();
    for (key, value) in table {
        let name = key.replace('-', "_");
        if !KEYS.contains(&name.as_str()) {
            return Err(SettingsError::UnknownKey { path: path.to_owned(), key, known: KEYS.join(", ") });
        }
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Array(items) if items.iter().all(toml::Value::is_str) => {
                items.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(",")
            }
            other => return Err(bad(&key, other.type_str(), "is neither text, whole number nor list of texts")),
        };
        values.insert(name, text);
    }
    Ok(values)
}

/// Tables within the file count too: a safety input is refused wherever it stands.
fn refuse_safety_inputs(path: &Path, table: &toml::Table) -> Result<(), SettingsError> {
    for (key, value) in table {
        if names_a_safety_input(key) {
            return Err(SettingsError::SafetyInput { path: path.to_owned(), key: key.clone() });
        }
        if let toml::Value::Table(inner) = value {
            refuse_safety_inputs(path, inner)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(file: &str, environment: &[(&str, &str)], port: Option<u16>) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, file).unwrap();
        let global = Global { config: Some(path), port_base: port, ..Global::default() };
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::gather(&global, &StrategyArgs::default(), environment)
    }

    #[test]
    fn flag_comes_before_environment_before_file_before_default() {
        let file = "port_base = 1000\n";
        let variable = [("AGENTTRADER_PORT_BASE", "2000")];
        assert_eq!(gather(file, &variable, Some(3000)).unwrap().port_base, 3000);
        assert_eq!(gather(file, &variable, None).unwrap().port_base, 2000);
        assert_eq!(gather(file, &[], None).unwrap().port_base, 1000);
        assert_eq!(gather("", &[], None).unwrap().port_base, 8080);
    }

    #[test]
    fn a_file_cannot_name_what_enables_trading() {
        for key in [
            "AGENT_MODE",
            "agent_mode",
            "agent-mode",
            "execution_halted",
            "EXECUTION_AGENT_ENABLED",
            "broker_execution_enabled",
        ] {
            let error = gather(&format!("{key} = \"EXECUTE\"\n"), &[], None).unwrap_err();
            assert!(matches!(error, SettingsError::SafetyInput { .. }), "{key}: {error}");
            let nested = gather(&format!("[agent]\n{key} = \"EXECUTE\"\n"), &[], None).unwrap_err();
            assert!(matches!(nested, SettingsError::SafetyInput { .. }), "{key}: {nested}");
        }
        assert!(matches!(gather("colour = 1\n", &[], None), Err(SettingsError::UnknownKey { .. })));
    }

    #[test]
    fn secrets_are_never_shown() {
        let settings = gather("", &[("APCA_API_SECRET_KEY", "hunter2hunter2")], None).unwrap();
        assert!(!format!("{:?}", settings.shown).contains("hunter2"));
    }
}
