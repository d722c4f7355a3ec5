//! Settings from flag, environment, file and default, in this order of precedence, each with where it came from.

use crate::cli::{LogFormat, Plan};
use agenttrader_agent::guard::Hosts;
use agenttrader_core::symbol::Symbol;
use agenttrader_floor::configuration::DEFAULT_STRATEGIES;
use agenttrader_floor::switch_watch::own_file;
use agenttrader_mission_control::witness::outside::Pinned;
use clap::ValueEnum;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
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

/// A setting: its key in the file, its variable, and what holds where nothing names it.
struct Key {
    name: &'static str,
    variable: &'static str,
    default: &'static str,
}

const fn key(name: &'static str, variable: &'static str, default: &'static str) -> Key {
    Key { name, variable, default }
}

/// Every setting that a file may name. A flag has the same name with dashes.
const KEYS: [Key; 18] = [
    key("data_dir", "AGENTTRADER_DATA_DIR", ".agenttrader"),
    key("log_format", "AGENTTRADER_LOG_FORMAT", "text on a terminal, else json"),
    key("bind", "AGENTTRADER_BIND", "127.0.0.1"),
    key("port_base", "AGENTTRADER_PORT_BASE", "8080"),
    key("strategies", "AGENTTRADER_STRATEGIES", "gamma,whale"),
    key("symbols", "AGENTTRADER_SYMBOLS", "what the venue lists"),
    key("configs", "AGENTTRADER_CONFIGS", "compiled in"),
    key("seed", "AGENTTRADER_SEED", "1, or what the data directory holds"),
    key("date", "AGENTTRADER_DATE", "today's or the next trading day's in New York"),
    key("speed", "AGENTTRADER_SPEED", "1"),
    key("recording", "AGENTTRADER_RECORDING", "none"),
    key("plan", "AGENTTRADER_PLAN", "plus"),
    key("rest_limit", "AGENTTRADER_REST_LIMIT", "1000"),
    key("agents", "AGENTTRADER_AGENTS", "agents/agents.yaml of the configs, else compiled in"),
    key("host", "AGENTTRADER_HOSTS", "loopback names"),
    key("trusted_proxy", "AGENTTRADER_TRUSTED_PROXY", "none"),
    key("witness", "AGENTTRADER_WITNESS", "none"),
    key("poll_interval_seconds", "POLL_INTERVAL_SECONDS", "1 in a floor, 10 alone"),
];

/// Variables that shape a run and are no settings of the binary: no flag and no file names them. With what holds where they are
/// not set.
const VARIABLES: [(&str, &str); 20] = [
    ("REPO_ID", "not set"),
    ("AGENT_NAME", "not set"),
    ("AGENT_ROLE", "not set"),
    ("AGENT_MODE", "OFF; a floor's own agents OBSERVE"),
    ("GIT_SHA", "as compiled in"),
    ("BUILD_ID", "as compiled in"),
    ("EXECUTION_HALTED", "not set"),
    ("EXECUTION_HALTED_FILE", ""),
    ("EXECUTION_AGENT_ENABLED", "disabled"),
    ("BROKER_EXECUTION_ENABLED", "disabled"),
    ("MARKETDATA_HEALTH_URL", "http://127.0.0.1:8081/healthz"),
    ("MARKETDATA_MAX_AGE_SECONDS", "30"),
    ("OPTION_QUOTE_MAX_AGE_SECONDS", "900"),
    ("MARKETDATA_HEALTH_TIMEOUT_SECONDS", "2"),
    ("MARKETDATA_FORCE_STALE", "off"),
    ("SYMBOL_ALLOWLIST", "all followed symbols"),
    ("PER_AGENT_TIMEOUT_SECONDS", "1.5"),
    ("APCA_API_BASE_URL", "the floor's own venue"),
    ("APCA_API_DATA_URL", "as APCA_API_BASE_URL"),
    ("NO_COLOR", "not set"),
];

/// Variables whose values are never shown.
const SECRET_VARIABLES: [&str; 3] = ["APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "AGENTTRADER_API_TOKEN"];

/// Variables that are numbers of seconds; one that cannot be read counts as not set, and that is said.
const SECONDS_VARIABLES: [&str; 3] =
    ["MARKETDATA_MAX_AGE_SECONDS", "OPTION_QUOTE_MAX_AGE_SECONDS", "MARKETDATA_HEALTH_TIMEOUT_SECONDS"];

/// What the flags of a command say, by the names of the settings.
pub type Flags = BTreeMap<&'static str, String>;

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
    /// Whether anything but the default named the ports; 0 names none.
    pub port_base_named: bool,
    /// Strategies to run.
    pub strategies: Vec<String>,
    /// Underlyings to follow; none: what the venue lists.
    pub symbols: Option<Vec<Symbol>>,
    /// Folder of configuration files.
    pub configs: Option<PathBuf>,
    /// Seed of the simulated market.
    pub seed: Option<u64>,
    /// Session date of the simulated market.
    pub date: Option<jiff::civil::Date>,
    /// Venue seconds a wall second, above zero; none: one.
    pub speed: Option<f64>,
    /// The recording to play.
    pub recording: Option<PathBuf>,
    /// Whose limits the venue keeps.
    pub plan: Plan,
    /// Trading REST requests a minute and key.
    pub rest_limit: u32,
    /// Inventory of agents.
    pub agents: Option<PathBuf>,
    /// Names under which listeners answer, beside those of loopback.
    pub hosts: Hosts,
    /// Networks of trusted proxies.
    pub trusted_proxies: Vec<String>,
    /// Outside witnesses of the logs.
    pub witnesses: Vec<Pinned>,
    /// Seconds between two polls of mission control.
    pub poll_interval_seconds: Option<u32>,
    /// The environment when the process started.
    pub environment: BTreeMap<String, String>,
    /// Every value with where it came from.
    pub shown: Vec<Shown>,
    /// What was set and does not count, in words.
    pub warnings: Vec<String>,
}

/// What was named, by setting, and by whom.
struct Named(BTreeMap<&'static str, (String, Origin)>);

impl Named {
    fn gather(flags: &Flags, environment: &BTreeMap<String, String>, file: &BTreeMap<String, String>) -> Self {
        let named = |key: &Key| {
            let flag = flags.get(key.name).map(|value| (value.clone(), Origin::Flag));
            let variable = || environment.get(key.variable).map(|value| (value.clone(), Origin::Environment));
            let filed = || file.get(key.name).map(|value| (value.clone(), Origin::File));
            flag.or_else(variable).or_else(filed).map(|found| (key.name, found))
        };
        Self(KEYS.iter().filter_map(named).collect())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|(value, _)| value.as_str())
    }

    fn parsed<T: FromStr>(&self, name: &str, problem: &str) -> Result<Option<T>, SettingsError> {
        self.text(name).map(|text| text.parse().map_err(|_| bad(name, text, problem))).transpose()
    }

    fn one_of<T: ValueEnum>(&self, name: &str, problem: &str) -> Result<Option<T>, SettingsError> {
        self.text(name).map(|text| T::from_str(text, false).map_err(|_| bad(name, text, problem))).transpose()
    }

    fn list(&self, name: &str) -> Option<Vec<String>> {
        let parts =
            |text: &str| text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
        self.text(name).map(parts)
    }

    /// Everything with where it came from, in the order of the table.
    fn shown(&self) -> Vec<Shown> {
        let shown = |key: &Key| {
            let (value, origin) =
                self.0.get(key.name).cloned().unwrap_or_else(|| (key.default.to_owned(), Origin::Default));
            Shown { name: key.name.to_owned(), value, origin }
        };
        KEYS.iter().map(shown).collect()
    }
}

impl Settings {
    /// Where agents that listen on our address are asked from this machine: loopback, where they listen on all.
    pub const fn here(&self) -> IpAddr {
        match self.bind {
            IpAddr::V4(address) if address.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(address) if address.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            bind => bind,
        }
    }

    /// Gathers settings.
    ///
    /// # Errors
    /// [`SettingsError`], naming file, key or value.
    pub fn gather(
        config: Option<&Path>,
        flags: &Flags,
        environment: BTreeMap<String, String>,
    ) -> Result<Self, SettingsError> {
        let file = config.map(read_file).transpose()?.unwrap_or_default();
        let mut named = Named::gather(flags, &environment, &file);
        let folder = PathBuf::from("configs");
        if named.text("configs").is_none() && folder.is_dir() {
            named.0.insert("configs", ("configs".to_owned(), Origin::Default));
        }
        let data_dir = PathBuf::from(named.text("data_dir").unwrap_or(".agenttrader"));
        let port_base = named.parsed("port_base", "is no port")?.unwrap_or(8080);
        if port_base > u16::MAX - 8 {
            return Err(bad("port_base", &port_base.to_string(), "leaves no room for the ports after it"));
        }
        let speed: Option<f64> = named.parsed("speed", "is no number")?;
        if let Some(speed) = speed.filter(|speed| !(speed.is_finite() && *speed > 0.0)) {
            return Err(bad("speed", &speed.to_string(), "is no number above zero"));
        }
        let symbols = named.list("symbols").map(|list| list.iter().map(|text| symbol(text)).collect()).transpose()?;
        let strategies = named.list("strategies").unwrap_or_else(|| DEFAULT_STRATEGIES.map(str::to_owned).to_vec());
        let settings = Self {
            log_format: named.one_of("log_format", "is neither json nor text")?,
            bind: named.parsed("bind", "is no IP address")?.unwrap_or(IpAddr::from([127, 0, 0, 1])),
            port_base,
            port_base_named: port_base != 0 && named.text("port_base").is_some(),
            strategies,
            symbols,
            configs: named.text("configs").map(PathBuf::from),
            seed: named.parsed("seed", "is no whole number")?,
            date: named.parsed("date", "is no date as YYYY-MM-DD")?,
            speed,
            recording: named.text("recording").map(PathBuf::from),
            plan: named.one_of("plan", "is neither basic nor plus")?.unwrap_or_default(),
            rest_limit: named.parsed("rest_limit", "is no whole number")?.unwrap_or(1000),
            agents: named.text("agents").map(PathBuf::from),
            hosts: hosts(&named)?,
            trusted_proxies: named.list("trusted_proxy").unwrap_or_default(),
            witnesses: named
                .list("witness")
                .unwrap_or_default()
                .iter()
                .map(|text| witness(text))
                .collect::<Result<_, _>>()?,
            poll_interval_seconds: named.parsed("poll_interval_seconds", "is no whole number of seconds")?,
            shown: shown(&named, &environment, &data_dir),
            warnings: warnings(&environment),
            data_dir,
            environment,
        };
        Ok(settings)
    }
}

/// Every value with where it came from, and no secret.
fn shown(named: &Named, environment: &BTreeMap<String, String>, data_dir: &Path) -> Vec<Shown> {
    let redactor = agenttrader_floor::redactor(environment);
    let clean = |shown: Shown| Shown { value: redactor.redact_text(&shown.value).into_owned(), ..shown };
    named.shown().into_iter().chain(shown_variables(environment, data_dir)).map(clean).collect()
}

fn shown_variables(environment: &BTreeMap<String, String>, data_dir: &Path) -> Vec<Shown> {
    let own_switch = own_file(data_dir).display().to_string();
    let plain = VARIABLES.into_iter().map(|(name, default)| {
        let default = if name == "EXECUTION_HALTED_FILE" { own_switch.as_str() } else { default };
        let (value, origin) = match environment.get(name) {
            Some(value) => (without_credentials(value), Origin::Environment),
            None => (default.to_owned(), Origin::Default),
        };
        Shown { name: name.to_owned(), value, origin }
    });
    let secret = SECRET_VARIABLES.into_iter().map(|name| {
        let (value, origin) = match environment.get(name) {
            Some(_) => ("[redacted]", Origin::Environment),
            None => ("not set", Origin::Default),
        };
        Shown { name: name.to_owned(), value: value.to_owned(), origin }
    });
    plain.chain(secret).collect()
}

/// A value with the user part of a URL taken out: a password may stand there.
fn without_credentials(value: &str) -> String {
    match value.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, host)) => format!("{scheme}://[redacted]@{host}"),
        None => value.to_owned(),
    }
}

fn warnings(environment: &BTreeMap<String, String>) -> Vec<String> {
    let unread = |name: &&str| environment.get(*name).is_some_and(|value| value.parse::<u32>().is_err());
    SECONDS_VARIABLES
        .into_iter()
        .filter(unread)
        .map(|name| format!("{name} is no whole number of seconds and does not count: the default holds"))
        .collect()
}

fn bad(name: &str, value: &str, problem: &str) -> SettingsError {
    SettingsError::BadValue { name: name.to_owned(), value: value.to_owned(), problem: problem.to_owned() }
}

fn symbol(text: &str) -> Result<Symbol, SettingsError> {
    Symbol::parse(text).map_err(|error| bad("symbols", text, &error.to_string()))
}

fn hosts(named: &Named) -> Result<Hosts, SettingsError> {
    let names = named.list("host").unwrap_or_default();
    let is_name = |name: &str| {
        let label = |label: &str| {
            let fits = (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
            fits && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        name.len() <= 253 && name.split('.').all(label)
    };
    match names.iter().find(|name| !is_name(name)) {
        Some(name) => Err(bad("host", name, "is no host name: letters, digits, dashes and dots, without a port")),
        None => Ok(Hosts::new(names)),
    }
}

fn witness(text: &str) -> Result<Pinned, SettingsError> {
    // The error names what it can of the text; a password in an address is not shown.
    text.parse::<Pinned>().map_err(|error| bad("witness", "VKEY=URL", &format!("does not fit: {error}")))
}

/// Whether a key, or the path to it, says what a safety input is called: of letters and digits alone, since case, dashes, dots and
/// the like do not matter.
fn names_a_safety_input(key: &str, path: &str) -> bool {
    key.starts_with("EXECUTION") || path.ends_with("AGENTMODE") || path.ends_with("BROKEREXECUTIONENABLED")
}

fn letters(key: &str) -> String {
    key.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

fn read_file(path: &Path) -> Result<BTreeMap<String, String>, SettingsError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
    let table: toml::Table = toml::from_str(&text)
        .map_err(|source| SettingsError::NotToml { path: path.to_owned(), source: Box::new(source) })?;
    refuse_safety_inputs(path, "", &table)?;
    let mut values = BTreeMap::new();
    for (key, value) in table {
        let name = key.replace('-', "_");
        if !KEYS.iter().any(|known| known.name == name) {
            let known = KEYS.map(|known| known.name).join(", ");
            return Err(SettingsError::UnknownKey { path: path.to_owned(), key, known });
        }
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Datetime(date) => date.to_string(),
            toml::Value::Array(items) if items.iter().all(toml::Value::is_str) => {
                items.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(",")
            }
            other => return Err(bad(&key, other.type_str(), "is neither text, number, date nor list of texts")),
        };
        values.insert(name, text);
    }
    Ok(values)
}

/// A safety input is refused wherever it stands: in tables, in lists of tables, and as the path to a value (`agent.mode`).
fn refuse_safety_inputs(path: &Path, before: &str, table: &toml::Table) -> Result<(), SettingsError> {
    for (key, value) in table {
        let own = letters(key);
        let whole = format!("{before}{own}");
        if names_a_safety_input(&own, &whole) {
            return Err(SettingsError::SafetyInput { path: path.to_owned(), key: key.clone() });
        }
        let inner: Vec<&toml::Table> = match value {
            toml::Value::Table(table) => vec![table],
            toml::Value::Array(items) => items.iter().filter_map(toml::Value::as_table).collect(),
            _ => Vec::new(),
        };
        for table in inner {
            refuse_safety_inputs(path, &whole, table)?;
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
        let flags = port.map(|port| ("port_base", port.to_string())).into_iter().collect();
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::gather(Some(&path), &flags, environment)
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
    fn the_defaults_shown_are_the_defaults_taken() {
        let settings = gather("", &[], None).unwrap();
        let shown = |name: &str| settings.shown.iter().find(|shown| shown.name == name).unwrap().value.clone();
        assert_eq!(shown("data_dir"), settings.data_dir.display().to_string());
        assert_eq!(shown("bind"), settings.bind.to_string());
        assert_eq!(shown("port_base"), settings.port_base.to_string());
        assert_eq!(shown("strategies"), settings.strategies.join(","));
        assert_eq!(shown("rest_limit"), settings.rest_limit.to_string());
        assert_eq!((settings.plan, shown("plan").as_str()), (Plan::Plus, "plus"));
    }

    #[test]
    fn a_file_cannot_name_what_enables_trading() {
        for key in [
            "AGENT_MODE",
            "agent_mode",
            "agent-mode",
            "agentMode",
            "\"agent mode\"",
            "agent.mode",
            "execution_halted",
            "execution.halted",
            "EXECUTION_AGENT_ENABLED",
            "ExecutionAgentEnabled",
            "broker_execution_enabled",
            "broker.execution.enabled",
        ] {
            let error = gather(&format!("{key} = \"EXECUTE\"\n"), &[], None).unwrap_err();
            assert!(matches!(error, SettingsError::SafetyInput { .. }), "{key}: {error}");
            for table in ["[agent]", "[[agents.list]]"] {
                let nested = gather(&format!("{table}\n{key} = \"EXECUTE\"\n"), &[], None).unwrap_err();
                assert!(matches!(nested, SettingsError::SafetyInput { .. }), "{key}: {nested}");
            }
        }
        assert!(matches!(gather("colour = 1\n", &[], None), Err(SettingsError::UnknownKey { .. })));
    }

    #[test]
    fn a_listener_answers_under_the_names_it_was_given_and_no_other() {
        let named = |text: &str| {
            let environment = BTreeMap::from([("AGENTTRADER_HOSTS".to_owned(), text.to_owned())]);
            Settings::gather(None, &Flags::new(), environment).map(|settings| settings.hosts)
        };
        let hosts = named("marketdata-mcp-server, gamma.trading-floor.svc").unwrap();
        assert!(hosts.allow("gamma.trading-floor.svc:8082") && hosts.allow("MARKETDATA-mcp-server"));
        assert!(!hosts.allow("evil.example") && !hosts.allow("gamma"));
        for bad in ["*", "*.svc", "a:8080", "http://a", "a..b", "-a", "a_b", "[::1]"] {
            assert!(named(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_outside_witness_is_pinned_by_a_key_that_cosigns_and_an_address_that_is_safe() {
        let vkey = "witness.example/w1+cf810b3c+BCnlgzqRWmQppOOnlIR1wzjvQ264K+ickvBZcEQD251V";
        let pinned = |value: &str| gather("", &[("AGENTTRADER_WITNESS", value)], None);
        let settings = pinned(&format!("{vkey}=https://a.example,{vkey}=http://127.0.0.1:9")).unwrap();
        assert_eq!(
            settings.witnesses.iter().map(|one| one.url()).collect::<Vec<_>>(),
            ["https://a.example", "http://127.0.0.1:9"]
        );
        for bad in [vkey.to_owned(), format!("{vkey}=http://a.example"), "x=https://a.example".to_owned()] {
            assert!(matches!(pinned(&bad), Err(SettingsError::BadValue { .. })), "{bad}");
        }
    }

    #[test]
    fn secrets_are_never_shown() {
        let variables = [
            ("APCA_API_SECRET_KEY", "hunter2hunter2"),
            ("AGENTTRADER_API_TOKEN", "hunter2"),
            ("APCA_API_BASE_URL", "https://me:hunter2@example.com"),
            ("APCA_API_DATA_URL", "https://me:p@hunter2/@data.example.com"),
            ("MARKETDATA_HEALTH_URL", "http://127.0.0.1:1/healthz?token=hunter2"),
            ("AGENTTRADER_CONFIGS", "of hunter2hunter2"),
        ];
        let settings = gather("", &variables, None).unwrap();
        let shown = format!("{:?}", settings.shown);
        assert!(!shown.contains("hunter2") && shown.contains("https://[redacted]@example.com"), "{shown}");
    }
}
