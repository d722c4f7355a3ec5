//! The command line: arguments only. What they mean together stands in `settings`.

pub mod audit;
pub mod evidence;
pub mod lock;
pub mod policy;
pub mod unlock;

use audit::AuditCommand;
use clap::{Args, Parser, Subcommand, ValueEnum};
use evidence::{LkgCommand, ReadinessArgs, ReportCommand};
use lock::LockCommand;
use policy::PolicyCommand;
use std::path::PathBuf;
use unlock::UnlockCommand;

/// Over the settings that stand in every command's help.
const EVERYWHERE: &str = "Settings of every command";

/// A trading floor where agents see everything, propose anything, and execute nothing until two humans unlock it.
#[derive(Debug, Parser)]
#[command(
    name = "agenttrader",
    version,
    propagate_version = true,
    after_help = "Examples:\n  agenttrader                                  the whole floor, with a simulated market\n  \
                  agenttrader --seed 7 --speed 10              the same as `agenttrader floor …`\n  \
                  agenttrader floor --recording day.rec --speed 60\n  agenttrader halt --reason drill\n  \
                  agenttrader replay .agenttrader/recordings/RUN.rec --verify .agenttrader\n\n\
                  Exit codes: 0 done and good; 1 judged and bad; 2 could not judge or bad usage; 69 a needed service is \
                  unavailable; 75 try again; 78 configuration refused."
)]
pub struct Cli {
    /// Settings that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do; nothing: `floor`.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Settings that every command takes, before or after it.
#[derive(Clone, Debug, Default, Args)]
pub struct Global {
    /// Where everything is kept that the floor writes [default: .agenttrader] [env: AGENTTRADER_DATA_DIR]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// A TOML file with settings by the names of the flags
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Log lines as JSON or as text [default: text on a terminal, else json] [env: AGENTTRADER_LOG_FORMAT]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Address to listen on [default: 127.0.0.1] [env: AGENTTRADER_BIND]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "ADDR")]
    pub bind: Option<std::net::IpAddr>,
    /// First of the floor's ports; 0 takes free ones and prints them [default: 8080] [env: AGENTTRADER_PORT_BASE]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "N")]
    pub port_base: Option<u16>,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One record a line, as the audit log holds it.
    Json,
    /// One sentence a line.
    Text,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole floor: market, strategies, gate and mission control
    #[command(after_help = "Examples:\n  agenttrader floor\n  agenttrader floor --seed 7 --speed 10 --fresh\n  \
                            agenttrader floor --recording goog.rec --speed 60 --strategies gamma,naive_flow_trend\n  \
                            APCA_API_BASE_URL=http://127.0.0.1:9005 APCA_API_DATA_URL=http://127.0.0.1:9005 agenttrader floor")]
    Floor(FloorArgs),
    /// Run the venue simulator alone
    #[command(
        after_help = "Examples:\n  agenttrader venue --port-base 9000\n  agenttrader venue --seed 7 --date 2026-11-27 --speed 10"
    )]
    Venue(VenueArgs),
    /// Run the market-data agent alone
    #[command(
        after_help = "Example:\n  REPO_ID=agent-trader-v2 AGENT_NAME=marketdata-mcp-server AGENT_ROLE=marketdata \
                            AGENT_MODE=OBSERVE agenttrader marketdata"
    )]
    Marketdata(AgentArgs),
    /// Run strategies alone: they record and propose, and nothing judges
    #[command(after_help = "Example:\n  REPO_ID=agent-trader-v2 AGENT_NAME=gamma-strategy AGENT_ROLE=strategy_eval \
                            AGENT_MODE=OBSERVE agenttrader strategy --strategies gamma")]
    Strategy(AgentArgs),
    /// Run mission control alone, over the agents of the inventory and the logs of the data directory
    #[command(after_help = "Example:\n  agenttrader mission-control --data-dir .agenttrader")]
    MissionControl(MissionControlArgs),
    /// Feed a recording through the same code again
    #[command(
        after_help = "Examples:\n  agenttrader replay day.rec\n  agenttrader replay .agenttrader/recordings/RUN.rec --verify .agenttrader\n  \
                            agenttrader replay day.rec --out bodies --json"
    )]
    Replay(ReplayArgs),
    /// Import recordings, or look at them
    #[command(
        subcommand,
        after_help = "Examples:\n  agenttrader record import data --format lean --symbol GOOG --date 2015-12-24 --out goog.rec\n  \
                            agenttrader record info goog.rec"
    )]
    Record(RecordCommand),
    /// Halt execution: anyone may
    #[command(after_help = "Example:\n  agenttrader halt --reason \"spread looks wrong\"")]
    Halt(HaltArgs),
    /// Show whether the floor is safe
    #[command(after_help = "Example:\n  agenttrader status --json")]
    Status(OutputArgs),
    /// Show proposals and what became of them
    #[command(
        after_help = "Examples:\n  agenttrader proposals\n  agenttrader proposals --limit 5 --json\n  agenttrader proposals 0f8e1c52-…"
    )]
    Proposals(ProposalsArgs),
    /// Look into audit logs, prove what stands in them, and verify them
    #[command(
        subcommand,
        after_help = "A PLACE is an agent's address, a data directory, the folder of one log, or a pack; left out, the data directory.\n\n\
                      Examples:\n  agenttrader audit verify\n  agenttrader audit tail -n 5\n  agenttrader audit checkpoint --export > kept.checkpoints"
    )]
    Audit(AuditCommand),
    /// The production lock: judge the repository, lock it, tag locks
    #[command(
        subcommand,
        after_help = "Examples:\n  agenttrader lock validate\n  agenttrader lock manifests .\n  agenttrader lock status"
    )]
    Lock(LockCommand),
    /// Change what is locked: ask, show, approve, apply, and grant
    #[command(
        subcommand,
        after_help = "Examples:\n  agenttrader unlock open --change REV --reason \"why\"\n  agenttrader unlock verify\n  agenttrader unlock status"
    )]
    Unlock(UnlockCommand),
    /// Say whether everything is as it must be before a session
    #[command(
        after_help = "Examples:\n  agenttrader readiness\n  agenttrader readiness --scope floor\n  agenttrader readiness --from saved --json\n\n\
                            Exit codes: 0 READY; 1 not ready, and what is in the way; 2 the objects cannot be read; 69 no cluster."
    )]
    Readiness(ReadinessArgs),
    /// Report what runs
    #[command(subcommand, after_help = "Example:\n  agenttrader report deploy")]
    Report(ReportCommand),
    /// Keep what was last known to be good, compare it, plan it back
    #[command(
        subcommand,
        after_help = "Examples:\n  agenttrader lkg capture --from saved\n  agenttrader lkg diff --from saved\n  agenttrader lkg restore --plan"
    )]
    Lkg(LkgCommand),
    /// What agents may change and push: judge a change, or a push as git's hook
    #[command(
        subcommand,
        after_help = "Examples:\n  agenttrader policy check --actor strategy-engine --base main\n  agenttrader policy check --actor-from REMOTE_USER"
    )]
    Policy(PolicyCommand),
    /// Show the effective configuration
    #[command(subcommand, after_help = "Example:\n  agenttrader config show")]
    Config(ConfigCommand),
    /// Write a completion script for a shell
    #[command(after_help = "Example:\n  agenttrader completions bash > /etc/bash_completion.d/agenttrader")]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// Where the simulated market comes from.
#[derive(Clone, Debug, Default, Args)]
pub struct MarketArgs {
    /// Seed of the simulated market [default: 1, or what the data directory holds] [env: AGENTTRADER_SEED]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Session date of the simulated market [default: today's or the next trading day's in New York] [env: AGENTTRADER_DATE]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub date: Option<jiff::civil::Date>,
    /// Venue seconds in a wall second [default: 1] [env: AGENTTRADER_SPEED]
    #[arg(long, value_name = "N")]
    pub speed: Option<f64>,
    /// Begin the simulated market anew instead of going on
    #[arg(long)]
    pub fresh: bool,
    /// Play this recording's market instead of a simulated one [env: AGENTTRADER_RECORDING]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "date", "fresh"])]
    pub recording: Option<PathBuf>,
}

/// Which strategies run, and over what.
#[derive(Clone, Debug, Default, Args)]
pub struct StrategyArgs {
    /// Strategies to run [default: gamma,whale] [env: AGENTTRADER_STRATEGIES]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub strategies: Option<Vec<String>>,
    /// Underlyings to follow [default: what the venue lists, at most 8] [env: AGENTTRADER_SYMBOLS]
    #[arg(long, value_name = "SYMBOL,…", value_delimiter = ',')]
    pub symbols: Option<Vec<String>>,
    /// Folder of configuration files that replace the compiled-in ones [default: configs, if there] [env: AGENTTRADER_CONFIGS]
    #[arg(long, value_name = "DIR")]
    pub configs: Option<PathBuf>,
}

/// Arguments of `floor`.
#[derive(Clone, Debug, Default, Args)]
pub struct FloorArgs {
    /// The market.
    #[command(flatten)]
    pub market: MarketArgs,
    /// The strategies.
    #[command(flatten)]
    pub strategy: StrategyArgs,
    /// Plain lines instead of the live summary
    #[arg(long)]
    pub plain: bool,
    /// Outside witnesses.
    #[command(flatten)]
    pub witnesses: WitnessArgs,
}

/// Outside witnesses of the logs.
#[derive(Clone, Debug, Default, Args)]
pub struct WitnessArgs {
    /// A witness that is sent every log's checkpoints (C2SP add-checkpoint), by its verifier key; may be repeated [env: AGENTTRADER_WITNESS]
    #[arg(long, value_name = "VKEY=URL")]
    pub witness: Vec<String>,
}

/// Arguments of `venue`.
#[derive(Clone, Debug, Default, Args)]
pub struct VenueArgs {
    /// The market.
    #[command(flatten)]
    pub market: MarketArgs,
    /// Whose limits apply: `plus` is Alpaca's paid plan, `basic` the free one
    ///
    /// [default: plus] [env: AGENTTRADER_PLAN]
    #[arg(long, value_enum)]
    pub plan: Option<Plan>,
    /// Trading REST requests a minute and key [default: 1000] [env: AGENTTRADER_REST_LIMIT]
    #[arg(long, value_name = "N")]
    pub rest_limit: Option<u32>,
}

/// Alpaca's data plans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Plan {
    /// The free one.
    Basic,
    /// The paid one.
    #[default]
    Plus,
}

/// Arguments of an agent that runs alone.
#[derive(Clone, Debug, Default, Args)]
pub struct AgentArgs {
    /// The strategies.
    #[command(flatten)]
    pub strategy: StrategyArgs,
    /// Names of the listener.
    #[command(flatten)]
    pub hosts: HostArgs,
}

/// Names under which a listener answers.
#[derive(Clone, Debug, Default, Args)]
pub struct HostArgs {
    /// A name, beside those of loopback, under which the listener answers, such as a service's; may be repeated [env: AGENTTRADER_HOSTS]
    #[arg(long, value_name = "NAME")]
    pub host: Vec<String>,
}

/// Arguments of `mission-control`.
#[derive(Clone, Debug, Default, Args)]
pub struct MissionControlArgs {
    /// Inventory of agents [default: configs/agents/agents.yaml, else the compiled-in one] [env: AGENTTRADER_AGENTS]
    #[arg(long, value_name = "FILE")]
    pub agents: Option<PathBuf>,
    /// Networks whose authenticating proxy may reach a bind beyond loopback [env: AGENTTRADER_TRUSTED_PROXY]
    #[arg(long, value_name = "CIDR")]
    pub trusted_proxy: Vec<String>,
    /// Names of the listener.
    #[command(flatten)]
    pub hosts: HostArgs,
    /// Outside witnesses.
    #[command(flatten)]
    pub witnesses: WitnessArgs,
}

/// Arguments of `replay`.
#[derive(Clone, Debug, Args)]
pub struct ReplayArgs {
    /// The recording
    pub file: PathBuf,
    /// Compare with what was recorded: a data directory, or a file of bodies that `--out` wrote
    #[arg(long, value_name = "DATA_DIR|FILE")]
    pub verify: Option<PathBuf>,
    /// Write every body to bodies.txt there, one a line, in order
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Strategies to run over an imported recording [default: gamma,whale]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub strategies: Option<Vec<String>>,
    /// Folder of configuration files for an imported recording [default: compiled-in]
    #[arg(long, value_name = "DIR")]
    pub configs: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// What to do with recordings.
#[derive(Debug, Subcommand)]
pub enum RecordCommand {
    /// Make a recording from a vendor's files
    #[command(
        after_help = "Example:\n  agenttrader record import data --format lean --symbol GOOG --date 2015-12-24 --out goog.rec"
    )]
    Import(ImportArgs),
    /// Show what a recording holds
    #[command(after_help = "Example:\n  agenttrader record info goog.rec --json")]
    Info {
        /// The recording
        file: PathBuf,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Arguments of `record import`.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// Where the files are; for `lean` the folder that holds `equity/`, `option/`, …
    pub src: PathBuf,
    /// Whose files they are
    #[arg(long, value_enum)]
    pub format: ImportFormat,
    /// The underlying
    #[arg(long)]
    pub symbol: String,
    /// The day
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub date: jiff::civil::Date,
    /// The recording to write; it must not exist
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Take this resolution instead of the finest
    #[arg(long, value_enum)]
    pub resolution: Option<Resolution>,
    /// Take hours before open and after close too
    #[arg(long)]
    pub extended: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// Formats that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportFormat {
    /// QuantConnect LEAN's data folder.
    Lean,
}

/// Resolutions of vendors' files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Resolution {
    /// Every print or quote.
    Tick,
    /// One-second bars.
    Second,
    /// One-minute bars.
    Minute,
}

/// Arguments of `halt`.
#[derive(Clone, Debug, Args)]
pub struct HaltArgs {
    /// Why, for the record
    #[arg(long)]
    pub reason: String,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of commands that only print.
#[derive(Clone, Debug, Args)]
pub struct OutputArgs {
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `proposals`.
#[derive(Clone, Debug, Args)]
pub struct ProposalsArgs {
    /// One proposal, with its decision and every record of its story
    pub id: Option<uuid::Uuid>,
    /// How many, newest first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: u32,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the effective values and where each came from
    #[command(after_help = "Example:\n  agenttrader config show --json")]
    Show(OutputArgs),
}
